#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Element by element, broadcasting (NumPy's rule) and promoting (tensor/dtype.h). Throw ShapeError when shapes do not
// broadcast.
TERN_API Tensor add(const Tensor& a, const Tensor& b);
TERN_API Tensor sub(const Tensor& a, const Tensor& b);
TERN_API Tensor mul(const Tensor& a, const Tensor& b);
/// True division: integers give f32.
TERN_API Tensor div(const Tensor& a, const Tensor& b);
/// a to the power b, floating: integers give f32. The derivative with respect to b is 0 where a is 0 and b ≥ 0.
TERN_API Tensor pow(const Tensor& a, const Tensor& b);
TERN_API Tensor pow(const Tensor& a, Scalar b);
TERN_API Tensor pow(Scalar a, const Tensor& b);
/// The larger; NaN when either is, and then each takes the whole gradient. Equal elements share it by halves.
TERN_API Tensor maximum(const Tensor& a, const Tensor& b);
TERN_API Tensor maximum(const Tensor& a, Scalar b);
TERN_API Tensor maximum(Scalar a, const Tensor& b);
TERN_API Tensor minimum(const Tensor& a, const Tensor& b);
TERN_API Tensor minimum(const Tensor& a, Scalar b);
TERN_API Tensor minimum(Scalar a, const Tensor& b);
/// a - b floor(a / b), with the sign of b, as Python's %. Throws ValueError when integers are divided by 0.
TERN_API Tensor remainder(const Tensor& a, const Tensor& b);
TERN_API Tensor remainder(const Tensor& a, Scalar b);
TERN_API Tensor remainder(Scalar a, const Tensor& b);
/// a - b trunc(a / b), with the sign of a, as C's. Throws ValueError when integers are divided by 0.
TERN_API Tensor fmod(const Tensor& a, const Tensor& b);
TERN_API Tensor fmod(const Tensor& a, Scalar b);
TERN_API Tensor fmod(Scalar a, const Tensor& b);
/// The whole number below a / b, of the promoted type and without a gradient, as Python's //. Throws ValueError when
/// integers are divided by 0.
TERN_API Tensor floor_divide(const Tensor& a, const Tensor& b);
TERN_API Tensor floor_divide(const Tensor& a, Scalar b);
TERN_API Tensor floor_divide(Scalar a, const Tensor& b);
/// The angle of the point (b, a) in (-π, π]; floating. The derivative at the origin is 0.
TERN_API Tensor atan2(const Tensor& a, const Tensor& b);
TERN_API Tensor atan2(const Tensor& a, Scalar b);
TERN_API Tensor atan2(Scalar a, const Tensor& b);
/// √(a² + b²) without overflow; floating.
TERN_API Tensor hypot(const Tensor& a, const Tensor& b);
TERN_API Tensor hypot(const Tensor& a, Scalar b);
TERN_API Tensor hypot(Scalar a, const Tensor& b);
/// log(exp(a) + exp(b)) without overflow; floating.
TERN_API Tensor logaddexp(const Tensor& a, const Tensor& b);
TERN_API Tensor logaddexp(const Tensor& a, Scalar b);
TERN_API Tensor logaddexp(Scalar a, const Tensor& b);
/// a log(b), and 0 where a is 0 unless b is NaN; floating. The derivatives are 0 where a is 0 and b ≤ 0.
TERN_API Tensor xlogy(const Tensor& a, const Tensor& b);
TERN_API Tensor xlogy(const Tensor& a, Scalar b);
TERN_API Tensor xlogy(Scalar a, const Tensor& b);
/// |a| with the sign of b, that of a zero or NaN too; floating. The derivatives are ±1, 0 where a is 0, and 0 by b.
TERN_API Tensor copysign(const Tensor& a, const Tensor& b);
TERN_API Tensor copysign(const Tensor& a, Scalar b);
TERN_API Tensor copysign(Scalar a, const Tensor& b);

/// a where `condition` (boolean) holds, else b; broadcasting all three. Throws DTypeError on another condition.
TERN_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
TERN_API Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
TERN_API Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
/// Of type f32, i64 or boolean, by the kind of the numbers.
TERN_API Tensor where(const Tensor& condition, Scalar a, Scalar b);

/// x held within [low, high]; the gradient passes inside, at the bounds it is 0. A NaN stays one. Throws ValueError
/// when low > high, or when x's type cannot hold one of them.
TERN_API Tensor clamp(const Tensor& x, Scalar low, Scalar high);
/// minimum(maximum(x, low), high): bounds that broadcast and take the gradient of what they hold back, half of it where
/// x equals them.
TERN_API Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high);
TERN_API Tensor clamp_min(const Tensor& x, Scalar low);
TERN_API Tensor clamp_min(const Tensor& x, const Tensor& low);
TERN_API Tensor clamp_max(const Tensor& x, Scalar high);
TERN_API Tensor clamp_max(const Tensor& x, const Tensor& high);

/// a + weight (b - a); exactly a at weight 0 and b at weight 1, both finite. Integers give f32.
TERN_API Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
TERN_API Tensor lerp(const Tensor& a, const Tensor& b, double weight);
/// x + value · a · b.
TERN_API Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);
/// x + value · a / b.
TERN_API Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);

}  // namespace tern
