#pragma once

#include <initializer_list>

#include "tensor/impl.h"
#include "tern/tensor/creation.h"

// What the families of ops do to their operands.
namespace tern::internal {

/// A number beside a tensor, of the type that promotion gives.
inline Tensor wrap(Scalar value, const Tensor& beside) { return scalar(value, value.promoted(checked(beside)->dtype)); }

/// Integers and booleans as f32.
inline Tensor real(const Tensor& x) { return is_floating(checked(x)->dtype) ? x : x.to(f32); }

/// The type that all of them promote to.
inline DType promoted(std::initializer_list<const Tensor*> operands) {
  DType dtype = boolean;
  for (const Tensor* x : operands) dtype = promote(dtype, checked(*x)->dtype);
  return dtype;
}

/// f of x as a floating tensor of 32 bits or more: integers and booleans become f32, and a half type is computed in f32
/// and rounded once, at the end. The conversions are taped like any op, so f's gradient needs no thought of it.
template <class F>
Tensor in_real(const Tensor& x, F f) {
  const DType dtype = checked(x)->dtype;
  return is_half(dtype) ? f(x.to(f32)).to(dtype) : f(real(x));
}

/// The shape that operands of a composite broadcast to, before an op inside it speaks under its own name. Throws
/// ShapeError.
inline Shape broadcast(const char* where, std::initializer_list<const Tensor*> operands) {
  Shape shape;
  for (const Tensor* x : operands) shape = broadcast_shapes(where, shape, checked(*x)->shape);
  return shape;
}

}  // namespace tern::internal
