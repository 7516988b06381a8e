#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

/// exp(x) over its sum along `dim`, without overflow.
TERN_API Tensor softmax(const Tensor& x, int dim = -1);
/// The logarithm of softmax, without cancellation.
TERN_API Tensor log_softmax(const Tensor& x, int dim = -1);

}  // namespace tern
