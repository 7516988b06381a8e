#pragma once

#include <cstdint>
#include <initializer_list>

#include "tensor/impl.h"
#include "tern/tensor/creation.h"

// What the families of ops do to their operands.
namespace tern::internal {

/// Whether a number, cut off behind the point, is one of an integer type; any is one of the other types.
inline bool fits(Scalar value, DType dtype) {
  if (is_floating(dtype) || dtype == boolean) return true;
  const std::int64_t x = value.integer();
  const bool whole = value.promoted(i64) == i64;  // of 64 bits; a larger one without a sign has wrapped
  if (whole ? x < 0 && value.real() > 0 : !(value.real() >= -0x1p63 && value.real() < 0x1p63)) return false;
  return dtype == u8 ? x >= 0 && x <= 255 : dtype == i32 ? x >= INT32_MIN && x <= INT32_MAX : true;
}
/// Throws ValueError naming `where` when it does not.
void throw_unfit(const char* where, Scalar value, DType dtype);
inline void check_fits(const char* where, Scalar value, DType dtype) {
  if (!fits(value, dtype)) [[unlikely]]
    throw_unfit(where, value, dtype);
}

/// x in this type, without history and without a look in anomaly mode.
Tensor converted(const Tensor& x, DType dtype);

/// A number beside a tensor, of the type that promotion gives. Throws ValueError when that cannot hold it.
inline Tensor wrap(const char* where, Scalar value, const Tensor& beside) {
  const DType dtype = value.promoted(checked(beside, where)->dtype);
  check_fits(where, value, dtype);
  return scalar(value, dtype);
}

/// Whether a half type does not hold the number, which beside it is to be taken as f32, as x then is too.
TERN_COLD bool is_rounded(Scalar number, DType half);
inline bool rounds(const Tensor& x, Scalar number) {
  return x.impl() && is_half(x.impl()->dtype) && is_rounded(number, x.impl()->dtype);
}

/// Throws StateError naming `where` when a write in place would lose the gradient of what it reads.
void check_untaped(const char* where, const Tensor& x);

/// `source` takes the place of elements of x in this shape. Throws ShapeError, DTypeError, DeviceError.
void check_source(const char* where, const Shape& shape, const Tensor& x, const Tensor& source);

/// The result of an op that promises a copy, when what was computed may lie in the memory of x.
inline Tensor apart(const Tensor& out, const Tensor& x) {
  return out.impl()->storage == x.impl()->storage ? out.clone() : out;
}

/// Integers and booleans as f32.
inline Tensor real(const Tensor& x) { return is_floating(x.dtype()) ? x : x.to(f32); }

/// The type that all of them promote to.
inline DType promoted(std::initializer_list<const Tensor*> operands) {
  DType dtype = boolean;
  for (const Tensor* x : operands) dtype = promote(dtype, x->dtype());
  return dtype;
}

/// f of x as a floating tensor of 32 bits or more: integers and booleans become f32, and a half type is computed in f32
/// and rounded once, at the end. The conversions are taped like any op, so f's gradient needs no thought of it.
template <class F>
Tensor in_real(const char* where, const Tensor& x, F f) {
  const DType dtype = checked(x, where)->dtype;
  return is_half(dtype) ? f(x.to(f32)).to(dtype) : f(real(x));
}

/// Refuses operands of a composite that lie on different devices, numbers aside, before an op inside it does so under
/// its own name. Throws DeviceError.
inline void check_together(const char* where, std::initializer_list<const Tensor*> operands) {
  const Tensor* first = nullptr;
  for (const Tensor* x : operands) {
    if (is_number(checked(*x, where))) continue;
    if (!first) first = x;
    check_devices(where, *first, *x);
  }
}
/// The shape that they broadcast to, likewise. Throws ShapeError, DeviceError.
inline Shape broadcast(const char* where, std::initializer_list<const Tensor*> operands) {
  Shape shape;
  for (const Tensor* x : operands) shape = broadcast_shapes(where, shape, checked(*x, where)->shape);
  check_together(where, operands);
  return shape;
}

}  // namespace tern::internal
