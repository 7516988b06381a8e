#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Element by element. Integers and booleans are taken as f32, save by neg, abs, square, relu and sign.
TERN_API Tensor neg(const Tensor& x);
/// |x|; the derivative at 0 is 0.
TERN_API Tensor abs(const Tensor& x);
TERN_API Tensor exp(const Tensor& x);
TERN_API Tensor log(const Tensor& x);
TERN_API Tensor log1p(const Tensor& x);
TERN_API Tensor sqrt(const Tensor& x);
TERN_API Tensor square(const Tensor& x);
/// 1 / x.
TERN_API Tensor reciprocal(const Tensor& x);
TERN_API Tensor tanh(const Tensor& x);
/// 1 / (1 + exp(-x)).
TERN_API Tensor sigmoid(const Tensor& x);
/// max(x, 0); the derivative at 0 is 0. A NaN stays one.
TERN_API Tensor relu(const Tensor& x);
/// The error function.
TERN_API Tensor erf(const Tensor& x);
/// log(1 + exp(x)), without overflow.
TERN_API Tensor softplus(const Tensor& x);
/// x Φ(x), the exact form of Hendrycks and Gimpel, arXiv 1606.08415.
TERN_API Tensor gelu(const Tensor& x);
/// x sigmoid(x).
TERN_API Tensor silu(const Tensor& x);
/// -1, 0 or 1 (a NaN stays one); the derivative is 0.
TERN_API Tensor sign(const Tensor& x);
/// True where an element is NaN.
TERN_API Tensor isnan(const Tensor& x);

}  // namespace tern
