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

/// The shape that operands of a composite broadcast to, before an op inside it speaks under its own name. Throws
/// ShapeError.
inline Shape broadcast(const char* where, std::initializer_list<const Tensor*> operands) {
  Shape shape;
  for (const Tensor* x : operands) shape = broadcast_shapes(where, shape, checked(*x)->shape);
  return shape;
}

}  // namespace tern::internal
