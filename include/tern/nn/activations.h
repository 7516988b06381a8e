#pragma once

#include <cstdint>

#include "tern/nn/module.h"

namespace tern::nn {

// Functions of each element as modules; ops/unary.h and ops/activation.h define them.

class TERN_API Relu : public Module {
 public:
  TERN_MODULE(Relu)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Tanh : public Module {
 public:
  TERN_MODULE(Tanh)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Sigmoid : public Module {
 public:
  TERN_MODULE(Sigmoid)
  Tensor forward(const Tensor& x) override;
};

struct GeluOptions {
  bool tanh = false;  ///< the form with tanh, as GPT-2 has it
};

class TERN_API Gelu : public Module {
 public:
  explicit Gelu(const GeluOptions& options = {}) : options_(options) {}
  TERN_MODULE(Gelu)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  GeluOptions options_;
};

class TERN_API Silu : public Module {
 public:
  TERN_MODULE(Silu)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Softplus : public Module {
 public:
  TERN_MODULE(Softplus)
  Tensor forward(const Tensor& x) override;
};

struct LeakyReluOptions {
  double slope = 0.01;  ///< factor of negative elements
};

/// x where it is positive, slope · x elsewhere (Maas et al., ICML 2013).
class TERN_API LeakyRelu : public Module {
 public:
  /// Throws ValueError unless the slope is finite.
  explicit LeakyRelu(const LeakyReluOptions& options = {});
  TERN_MODULE(LeakyRelu)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;
  double slope() const { return options_.slope; }

 private:
  LeakyReluOptions options_;
};

class TERN_API Relu6 : public Module {
 public:
  TERN_MODULE(Relu6)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Selu : public Module {
 public:
  TERN_MODULE(Selu)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Hardsigmoid : public Module {
 public:
  TERN_MODULE(Hardsigmoid)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Hardswish : public Module {
 public:
  TERN_MODULE(Hardswish)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Mish : public Module {
 public:
  TERN_MODULE(Mish)
  Tensor forward(const Tensor& x) override;
};

class TERN_API Softsign : public Module {
 public:
  TERN_MODULE(Softsign)
  Tensor forward(const Tensor& x) override;
};

class TERN_API LogSigmoid : public Module {
 public:
  TERN_MODULE(LogSigmoid)
  Tensor forward(const Tensor& x) override;
};

struct EluOptions {
  double alpha = 1;  ///< minus the limit to the left
};

/// x where it is positive, alpha (exp(x) - 1) elsewhere.
class TERN_API Elu : public Module {
 public:
  /// Throws ValueError unless alpha is finite.
  explicit Elu(const EluOptions& options = {});
  TERN_MODULE(Elu)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  EluOptions options_;
};

struct CeluOptions {
  double alpha = 1;  ///< minus the limit to the left, not 0
};

/// x where it is positive, alpha (exp(x / alpha) - 1) elsewhere.
class TERN_API Celu : public Module {
 public:
  /// Throws ValueError unless alpha is finite and not 0.
  explicit Celu(const CeluOptions& options = {});
  TERN_MODULE(Celu)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  CeluOptions options_;
};

struct HardtanhOptions {
  double low = -1;
  double high = 1;  ///< at least low
};

/// x held within [low, high].
class TERN_API Hardtanh : public Module {
 public:
  /// Throws ValueError unless low <= high.
  explicit Hardtanh(const HardtanhOptions& options = {});
  TERN_MODULE(Hardtanh)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  HardtanhOptions options_;
};

struct ThresholdOptions {
  double bound = 0;
  double value = 0;
};

/// value where x <= bound, x elsewhere.
class TERN_API Threshold : public Module {
 public:
  /// Throws ValueError unless both are finite.
  explicit Threshold(const ThresholdOptions& options = {});
  TERN_MODULE(Threshold)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  ThresholdOptions options_;
};

struct PreluOptions {
  std::int64_t count = 1;  ///< of slopes: 1, or the channels of [N, C, …]
  double initial = 0.25;   ///< where they start
  DType dtype = f32;       ///< of the slopes
};

/// x where it is positive, weight · x elsewhere (He et al., arXiv 1502.01852).
class TERN_API Prelu : public Module {
 public:
  /// Throws ValueError on a count below 1 or an initial slope that is not finite, DTypeError unless the type is
  /// floating.
  explicit Prelu(const PreluOptions& options = {});
  TERN_MODULE(Prelu, weight)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

  Tensor weight;  ///< [count]

 private:
  double initial_;
};

// Functions along a dimension.

struct SoftmaxOptions {
  std::int64_t dim = -1;  ///< negative counts from the end
};

/// exp(x) over its sum along a dimension.
class TERN_API Softmax : public Module {
 public:
  /// Throws ValueError on a dimension that no tensor has.
  explicit Softmax(const SoftmaxOptions& options = {});
  TERN_MODULE(Softmax)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  SoftmaxOptions options_;
};

/// The logarithm of Softmax, without cancellation.
class TERN_API LogSoftmax : public Module {
 public:
  /// Throws ValueError on a dimension that no tensor has.
  explicit LogSoftmax(const SoftmaxOptions& options = {});
  TERN_MODULE(LogSoftmax)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  SoftmaxOptions options_;
};

struct GluOptions {
  std::int64_t dim = -1;  ///< negative counts from the end
};

/// The first half of a dimension times the sigmoid of the second (Dauphin et al., arXiv 1612.08083).
class TERN_API Glu : public Module {
 public:
  /// Throws ValueError on a dimension that no tensor has.
  explicit Glu(const GluOptions& options = {});
  TERN_MODULE(Glu)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  GluOptions options_;
};

struct DropoutOptions {
  double p = 0.5;  ///< probability with which an element becomes zero
};

/// In training, zeroes each element with probability p and scales the rest by 1 / (1 - p) (Srivastava et al., JMLR 15,
/// 2014), drawing from the calling thread's default_generator(); in evaluation, the identity.
class TERN_API Dropout : public Module {
 public:
  /// Throws ValueError unless 0 ≤ p ≤ 1.
  explicit Dropout(const DropoutOptions& options);
  explicit Dropout(double p = 0.5) : Dropout(DropoutOptions{.p = p}) {}
  TERN_MODULE(Dropout)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;
  double p() const { return options_.p; }

 private:
  DropoutOptions options_;
};

/// Its input.
class TERN_API Identity : public Module {
 public:
  TERN_MODULE(Identity)
  Tensor forward(const Tensor& x) override { return x; }
};

struct FlattenOptions {
  std::int64_t first = 1;  ///< first dimension to be joined; negative counts from the end
  std::int64_t last = -1;  ///< last dimension to be joined
};

/// Dimensions first … last as one.
class TERN_API Flatten : public Module {
 public:
  /// Throws ValueError on a dimension that no tensor has.
  explicit Flatten(const FlattenOptions& options = {});
  TERN_MODULE(Flatten)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

 private:
  FlattenOptions options_;
};

}  // namespace tern::nn
