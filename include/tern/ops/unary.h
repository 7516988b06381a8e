#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Element by element. Integers and booleans are taken as f32, save by neg, abs, square, relu, sign and frac; floor,
// ceil, round and trunc hand integers back as they are.
TERN_API Tensor neg(const Tensor& x);
/// |x|; the derivative at 0 is 0.
TERN_API Tensor abs(const Tensor& x);
TERN_API Tensor exp(const Tensor& x);
TERN_API Tensor log(const Tensor& x);
/// exp(x) - 1, exact near 0.
TERN_API Tensor expm1(const Tensor& x);
/// 2 to the power x.
TERN_API Tensor exp2(const Tensor& x);
/// log(1 + x), exact near 0.
TERN_API Tensor log1p(const Tensor& x);
TERN_API Tensor log2(const Tensor& x);
TERN_API Tensor log10(const Tensor& x);
TERN_API Tensor sqrt(const Tensor& x);
/// 1 / sqrt(x).
TERN_API Tensor rsqrt(const Tensor& x);
TERN_API Tensor square(const Tensor& x);
/// 1 / x.
TERN_API Tensor reciprocal(const Tensor& x);
// Angles in radians.
TERN_API Tensor sin(const Tensor& x);
TERN_API Tensor cos(const Tensor& x);
TERN_API Tensor tan(const Tensor& x);
TERN_API Tensor asin(const Tensor& x);
TERN_API Tensor acos(const Tensor& x);
TERN_API Tensor atan(const Tensor& x);
TERN_API Tensor sinh(const Tensor& x);
TERN_API Tensor cosh(const Tensor& x);
TERN_API Tensor tanh(const Tensor& x);
TERN_API Tensor asinh(const Tensor& x);
TERN_API Tensor acosh(const Tensor& x);
TERN_API Tensor atanh(const Tensor& x);
/// 1 / (1 + exp(-x)).
TERN_API Tensor sigmoid(const Tensor& x);
/// log(x / (1 - x)), the inverse of sigmoid: of probabilities; NaN outside [0, 1].
TERN_API Tensor logit(const Tensor& x);
/// max(x, 0); the derivative at 0 is 0. A NaN stays one.
TERN_API Tensor relu(const Tensor& x);
/// The error function.
TERN_API Tensor erf(const Tensor& x);
/// 1 - erf(x), exact where that is small.
TERN_API Tensor erfc(const Tensor& x);
/// The y whose erf is x: ±∞ at ±1, NaN outside [-1, 1]. From Winitzki's approximation (2008), refined by Halley's
/// method.
TERN_API Tensor erfinv(const Tensor& x);
/// log |Γ(x)|: ∞ at the poles 0, -1, -2, … and at ±∞.
TERN_API Tensor lgamma(const Tensor& x);
/// Γ'(x) / Γ(x), the derivative of lgamma: ∓∞ at ±0, NaN at -1, -2, … and at -∞. By reflection and recurrence, and the
/// asymptotic series.
TERN_API Tensor digamma(const Tensor& x);
/// The derivative of this order of digamma, which 0 gives: (-1)^(n+1) n! Σ 1 / (x + k)^(n+1), k = 0, 1, …, infinite
/// with that sign at 0, -1, -2, …, NaN at -∞. By Euler-Maclaurin summation. Throws ValueError when n < 0.
TERN_API Tensor polygamma(int n, const Tensor& x);
/// log(1 + exp(x)), without overflow.
TERN_API Tensor softplus(const Tensor& x);
/// x Φ(x), the exact form of Hendrycks and Gimpel, arXiv 1606.08415.
TERN_API Tensor gelu(const Tensor& x);
enum class GeluForm : std::uint8_t { exact, tanh };
/// The same, or the form with tanh of the same paper: x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2, as GPT-2 has it.
TERN_API Tensor gelu(const Tensor& x, GeluForm form);
/// x sigmoid(x).
TERN_API Tensor silu(const Tensor& x);
/// -1, 0 or 1 (a NaN stays one); the derivative is 0.
TERN_API Tensor sign(const Tensor& x);
// Rounded down, up, to the nearest (halves to even) and towards zero; the derivative is 0.
TERN_API Tensor floor(const Tensor& x);
TERN_API Tensor ceil(const Tensor& x);
TERN_API Tensor round(const Tensor& x);
TERN_API Tensor trunc(const Tensor& x);
/// x - trunc(x), with the sign of x.
TERN_API Tensor frac(const Tensor& x);

struct NanToNumOptions {
  double nan = 0;                                   ///< in the place of NaN
  double infinity = 1.7976931348623157e308;         ///< of ∞, cut to the largest number of x's type
  double minus_infinity = -1.7976931348623157e308;  ///< of -∞, likewise
};
/// x with numbers for NaN and the infinities, where the derivative is 0. Integers stay as they are.
TERN_API Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options = {});

// Of boolean type and without a gradient.
/// True where an element is NaN.
TERN_API Tensor isnan(const Tensor& x);
/// True where an element is ∞ or -∞.
TERN_API Tensor isinf(const Tensor& x);
/// True where an element is neither NaN nor infinite.
TERN_API Tensor isfinite(const Tensor& x);
/// True where an element is 0.
TERN_API Tensor logical_not(const Tensor& x);

}  // namespace tern
