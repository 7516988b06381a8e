#pragma once

#include <cstdint>

#include "tern/tensor/tensor.h"

namespace tern {

// One streaming pass over flat, contiguous vectors of one floating type; no tape. `value` and the states are written in
// place. Element i depends on element i alone. With `maximize` the gradient counts with the other sign. Throw
// ShapeError, DTypeError, or StateError when value needs a gradient outside NoGrad; ValueError when `step` is below 1.

struct SgdStep {
  double lr = 0;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< added to the gradient
  bool nesterov = false;
  bool first = false;  ///< the momentum buffer takes the gradient as it is
  bool maximize = false;
};

/// g += weight_decay · value; buffer = momentum · buffer + (1 - dampening) · g; value -= lr · (nesterov ? g + momentum
/// · buffer : buffer). `buffer` may be undefined when momentum is 0.
TERN_API void sgd_step(Tensor value, const Tensor& gradient, Tensor buffer, const SgdStep& step);

/// What adam_step makes of its moments.
enum class AdamForm : std::uint8_t {
  adam,   ///< Kingma and Ba, arXiv 1412.6980
  nadam,  ///< with Nesterov's momentum (Dozat, ICLR 2016 workshop)
  radam   ///< rectified (Liu et al., arXiv 1908.03265): plain momentum while the mean of squares is too uncertain
};

struct AdamStep {
  AdamForm form = AdamForm::adam;
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;      ///< added to the gradient, or:
  bool decoupled = false;       ///< lr · weight_decay · value is taken off first (arXiv 1711.05101)
  double momentum_decay = 0;    ///< nadam: beta1 of step t is beta1 · (1 - 0.96^(t · momentum_decay) / 2)
  double momentum_product = 1;  ///< nadam: product of those of the steps before
  bool maximize = false;
  std::int64_t step = 1;  ///< counted from 1, for the bias corrections
  /// Unless undefined: lr, the number of steps before this one, and a factor of the gradient, f64 [3] where the value
  /// lies, in place of `lr` and `step`. At a factor of 0 or NaN nothing changes. For AdamForm::adam alone.
  Tensor resident{};
};

/// Adam's step with `mean` and `square` as the running moments. `largest`, unless undefined, keeps the largest square
/// so far, which then stands in the denominator (AMSGrad: Reddi et al., ICLR 2018).
TERN_API void adam_step(Tensor value, const Tensor& gradient, Tensor mean, Tensor square, Tensor largest,
                        const AdamStep& step);

struct RmspropStep {
  double lr = 0;
  double alpha = 0.99;  ///< decay of the means
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< added to the gradient
  double momentum = 0;
  bool maximize = false;
};

/// Hinton's RMSprop (Coursera, lecture 6e, 2012): square = alpha · square + (1 - alpha) · g²; the step is lr · g /
/// (sqrt(square) + epsilon). `mean`, unless undefined, keeps the mean of the gradient, whose square is taken off first
/// (Graves, arXiv 1308.0850); `buffer`, unless undefined, keeps momentum · buffer + that quotient, which takes its
/// place.
TERN_API void rmsprop_step(Tensor value, const Tensor& gradient, Tensor square, Tensor mean, Tensor buffer,
                           const RmspropStep& step);

struct AdagradStep {
  double lr = 0;  ///< of this step
  double epsilon = 1e-10;
  double weight_decay = 0;  ///< added to the gradient
  bool maximize = false;
};

/// Duchi et al., JMLR 12, 2011: sum += g²; value -= lr · g / (sqrt(sum) + epsilon).
TERN_API void adagrad_step(Tensor value, const Tensor& gradient, Tensor sum, const AdagradStep& step);

struct AdadeltaStep {
  double lr = 1;
  double rho = 0.9;  ///< decay of the means
  double epsilon = 1e-6;
  double weight_decay = 0;  ///< added to the gradient
  bool maximize = false;
};

/// Zeiler, arXiv 1212.5701: square = rho · square + (1 - rho) · g²; d = g · sqrt((change + epsilon) / (square +
/// epsilon)); change = rho · change + (1 - rho) · d²; value -= lr · d.
TERN_API void adadelta_step(Tensor value, const Tensor& gradient, Tensor square, Tensor change,
                            const AdadeltaStep& step);

struct LionStep {
  double lr = 0;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0;  ///< decoupled
  bool maximize = false;
};

/// Chen et al., arXiv 2302.06675: value -= lr · (sign(beta1 · mean + (1 - beta1) · g) + weight_decay · value); mean =
/// beta2 · mean + (1 - beta2) · g.
TERN_API void lion_step(Tensor value, const Tensor& gradient, Tensor mean, const LionStep& step);

}  // namespace tern
