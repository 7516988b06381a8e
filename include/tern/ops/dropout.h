#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

/// Each element zeroed with probability p, else scaled by 1 / (1 - p) (Srivastava et al., JMLR 15, 2014). Element i
/// draws word offset + i of the calling thread's default_generator(). Throws ValueError unless 0 ≤ p ≤ 1.
TERN_API Tensor dropout(const Tensor& x, double p = 0.5);

}  // namespace tern
