#pragma once

#include <cstdint>

#include "tern/nn/module.h"

namespace tern::nn {

// Functions of each element as modules without parameters; ops/unary.h defines them.

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

class TERN_API Gelu : public Module {
 public:
  TERN_MODULE(Gelu)
  Tensor forward(const Tensor& x) override;
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
