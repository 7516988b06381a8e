#pragma once

#include "tern/tensor/tensor.h"

namespace tern::nn::internal {

/// Gives `p` the elements of `fresh`, a tensor of its shape that nobody else holds, with their type and device, and
/// drops its gradient.
void take_over(const Tensor& p, const Tensor& fresh);

}  // namespace tern::nn::internal
