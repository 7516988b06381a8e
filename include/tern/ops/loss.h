#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

enum class Reduction : std::uint8_t { mean, sum, none };

struct BceOptions {
  Tensor weight{};                        ///< of each element, broadcast to the logits
  Tensor pos_weight{};                    ///< of the positive part, broadcast to the logits
  Reduction reduction = Reduction::mean;  ///< mean divides by the number of elements
};

/// Binary cross-entropy of sigmoid(logits) against targets in [0, 1] of the same shape and type.
TERN_API Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight{};                        ///< of each class, [C]
  double label_smoothing = 0;             ///< share of each target spread evenly over the classes (arXiv 1512.00567)
  Reduction reduction = Reduction::mean;  ///< mean divides by the sum of the target classes' weights
};

/// Cross-entropy of softmax(logits [N, C]) against classes target [N], i64. Throws IndexError on a class outside [0,
/// C).
TERN_API Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

// Regression; prediction and target have one shape and type.
TERN_API Tensor mse_loss(const Tensor& prediction, const Tensor& target, Reduction reduction = Reduction::mean);
TERN_API Tensor l1_loss(const Tensor& prediction, const Tensor& target, Reduction reduction = Reduction::mean);
/// Quadratic within `delta`, linear outside (Huber 1964). Throws ValueError unless delta > 0.
TERN_API Tensor huber_loss(const Tensor& prediction, const Tensor& target, double delta = 1,
                           Reduction reduction = Reduction::mean);

}  // namespace tern
