#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Functions that networks put between their layers; relu, gelu, silu, softplus, tanh and sigmoid stand in ops/unary.h.
// Integers and booleans are taken as f32.

/// x where it is positive, slope · x elsewhere (Maas et al., ICML 2013).
TERN_API Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x where it is positive, weight · x elsewhere, with a weight that learns (He et al., arXiv 1502.01852): of shape [1],
/// or [C] for the channels of x [N, C, …]. Throws ShapeError, and DTypeError unless both are of one floating type.
TERN_API Tensor prelu(const Tensor& x, const Tensor& weight);
/// x where it is positive, alpha (exp(x) - 1) elsewhere (Clevert et al., arXiv 1511.07289).
TERN_API Tensor elu(const Tensor& x, double alpha = 1);
/// The elu that keeps mean 0 and variance 1 from layer to layer (Klambauer et al., arXiv 1706.02515).
TERN_API Tensor selu(const Tensor& x);
/// x where it is positive, alpha (exp(x / alpha) - 1) elsewhere (Barron, arXiv 1704.07483). Throws ValueError when
/// alpha is 0.
TERN_API Tensor celu(const Tensor& x, double alpha = 1);
/// x held within [low, high]; the derivative is 0 at the bounds and outside. A NaN stays one. Throws ValueError unless
/// low <= high.
TERN_API Tensor hardtanh(const Tensor& x, double low = -1, double high = 1);
/// hardtanh between 0 and 6.
TERN_API Tensor relu6(const Tensor& x);
/// relu6(x + 3) / 6.
TERN_API Tensor hardsigmoid(const Tensor& x);
/// x hardsigmoid(x) (Howard et al., arXiv 1905.02244).
TERN_API Tensor hardswish(const Tensor& x);
/// x tanh(softplus(x)) (Misra, arXiv 1908.08681).
TERN_API Tensor mish(const Tensor& x);
/// x / (1 + |x|).
TERN_API Tensor softsign(const Tensor& x);
/// log(sigmoid(x)), without overflow.
TERN_API Tensor logsigmoid(const Tensor& x);
/// `value` where x <= bound, x elsewhere.
TERN_API Tensor threshold(const Tensor& x, double bound, double value);
/// The first half of dimension `dim` times the sigmoid of the second (Dauphin et al., arXiv 1612.08083). Throws
/// ShapeError on an odd size.
TERN_API Tensor glu(const Tensor& x, int dim = -1);

}  // namespace tern
