#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Each row, the last dimensions of x of shape `normalized`, on its own. Its sums are gathered in f64, of parts in
// the type computed in, where a square may overflow; their order depends on the length alone. Integers and booleans are
// taken as f32. Throw ShapeError unless x ends in `normalized` and the weights have that shape, DTypeError unless they
// have x's type.

struct LayerNormOptions {
  Tensor weight{};    ///< multiplies the result; none when undefined
  Tensor bias{};      ///< is added to it
  double eps = 1e-5;  ///< added to the variance
};

/// (x - mean) / sqrt(variance + eps), the variance divided by the number of elements (Ba et al., arXiv 1607.06450).
TERN_API Tensor layer_norm(const Tensor& x, const Shape& normalized, const LayerNormOptions& options = {});

struct RmsNormOptions {
  Tensor weight{};    ///< multiplies the result; none when undefined
  double eps = 1e-6;  ///< added to the mean of squares
};

/// x / sqrt(mean of squares + eps) (Zhang and Sennrich, arXiv 1910.07467).
TERN_API Tensor rms_norm(const Tensor& x, const Shape& normalized, const RmsNormOptions& options = {});

}  // namespace tern
