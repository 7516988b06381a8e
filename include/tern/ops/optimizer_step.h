#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// One streaming pass over flat, contiguous vectors of one floating type; no tape. `value` and the states are written in
// place. Element i depends on element i alone. Throw ShapeError, DTypeError, or StateError when value needs a gradient
// outside NoGrad.

struct SgdStep {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< added to the gradient
  bool nesterov = false;
  bool first = false;  ///< the momentum buffer takes the gradient as it is
};

/// g += weight_decay · value; buffer = momentum · buffer + (1 - dampening) · g; value -= lr · (nesterov ? g + momentum
/// · buffer : buffer). `buffer` may be undefined when momentum is 0.
TERN_API void sgd_step(Tensor value, const Tensor& gradient, Tensor buffer, const SgdStep& step);

struct AdamWStep {
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< decoupled
  std::int64_t step = 1;    ///< counted from 1, for the bias corrections
};

/// Loshchilov and Hutter, arXiv 1711.05101: value -= lr · weight_decay · value, then Adam's step with `mean` and
/// `square` as the running moments.
TERN_API void adamw_step(Tensor value, const Tensor& gradient, Tensor mean, Tensor square, const AdamWStep& step);

}  // namespace tern
