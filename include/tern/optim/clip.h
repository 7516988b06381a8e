#pragma once

#include <vector>

#include "tern/tensor/tensor.h"

namespace tern::optim {

/// Scales the gradients so that their common Euclidean norm is at most `max_norm` (Pascanu et al., arXiv 1211.5063), by
/// max_norm / (norm + 1e-6) where that is below 1, and returns the norm before it, summed in f64. When the norm is not
/// finite it is returned and nothing is scaled. Parameters without a gradient are skipped. Throws ValueError unless
/// max_norm > 0.
TERN_API double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm);

/// The factor by which clip_grad_norm would scale, f64 [] on the gradients' device, which is not waited for: 1 or less,
/// and 0 when the norm is not finite. With a `loss_scale` (one element) by which the loss was multiplied, the factor
/// takes that back too. For Optimizer::gradient_factor. Throws ValueError unless max_norm > 0 or when no parameter has
/// a gradient.
TERN_API Tensor clip_factor(const std::vector<Tensor>& parameters, double max_norm, const Tensor& loss_scale = {});

/// Holds each element of the gradients within [-max_value, max_value]; a NaN stays. Parameters without a gradient are
/// skipped. Throws ValueError unless max_value > 0.
TERN_API void clip_grad_value(const std::vector<Tensor>& parameters, double max_value);

}  // namespace tern::optim
