#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

enum class Reduction : std::uint8_t { mean, sum, none, batchmean };  ///< batchmean: of kl_div alone

struct BceOptions {
  Tensor weight{};                        ///< of each element, broadcast to the logits
  Tensor pos_weight{};                    ///< of the positive part, broadcast to the logits
  Reduction reduction = Reduction::mean;  ///< mean divides by the number of elements
};

/// Binary cross-entropy of sigmoid(logits) against targets in [0, 1] of the same shape and type.
TERN_API Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceOptions& options = {});

struct BceOfProbabilitiesOptions {
  Tensor weight{};                        ///< of each element, broadcast to the probabilities
  Reduction reduction = Reduction::mean;  ///< mean divides by the number of elements
};
/// Binary cross-entropy of probabilities against targets in [0, 1] of the same shape and type; logarithms are held at
/// -100, as PyTorch holds them. bce_with_logits is exact where this one rounds. Throws ValueError on a probability
/// outside [0, 1].
TERN_API Tensor bce(const Tensor& probability, const Tensor& target, const BceOfProbabilitiesOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight{};                        ///< of each class, [C]
  double label_smoothing = 0;             ///< share of each target spread evenly over the classes (arXiv 1512.00567)
  std::int64_t ignore_index = -100;       ///< a class that stands for none: such rows count 0
  Reduction reduction = Reduction::mean;  ///< mean divides by the sum of the target classes' weights; with
                                          ///< probabilities, by the number of rows
};
/// Cross-entropy of softmax(logits) against `target`: logits [N, C] and classes [N], i64 or i32, or logits [N, C, d…]
/// and classes [N, d…], or [C] and []; or probabilities of the logits' shape and type. Throws IndexError on a class
/// outside [0, C).
TERN_API Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllOptions {
  Tensor weight{};                        ///< of each class, [C]; StateError if it needs a gradient
  std::int64_t ignore_index = -100;       ///< a class that stands for none: such rows count 0
  Reduction reduction = Reduction::mean;  ///< mean divides by the sum of the target classes' weights
};
/// Negative log-likelihood: -log_probability of each row's class, with shapes as in cross_entropy. Throws IndexError on
/// a class outside [0, C).
TERN_API Tensor nll_loss(const Tensor& log_probability, const Tensor& target, const NllOptions& options = {});

struct KlOptions {
  bool log_target = false;                ///< whether the target is given as logarithms too
  Reduction reduction = Reduction::mean;  ///< mean divides by the number of elements, batchmean, which gives the
                                          ///< divergence of distributions, by the size of dimension 0
};
/// Kullback-Leibler divergence of `target` from the distribution whose logarithm `input` is, element by element:
/// target (log(target) - input), 0 where target is 0. One shape and type.
TERN_API Tensor kl_div(const Tensor& input, const Tensor& target, const KlOptions& options = {});

// Regression; prediction and target have one shape and type.
TERN_API Tensor mse_loss(const Tensor& prediction, const Tensor& target, Reduction reduction = Reduction::mean);
TERN_API Tensor l1_loss(const Tensor& prediction, const Tensor& target, Reduction reduction = Reduction::mean);
/// Quadratic within `delta`, linear outside (Huber 1964). Throws ValueError unless delta is finite
/// and above 0.
TERN_API Tensor huber_loss(const Tensor& prediction, const Tensor& target, double delta = 1,
                           Reduction reduction = Reduction::mean);
/// Quadratic within `beta`, linear with slope 1 outside: huber_loss over beta, and l1_loss for 0. Throws ValueError on
/// a negative beta.
TERN_API Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, double beta = 1,
                               Reduction reduction = Reduction::mean);

}  // namespace tern
