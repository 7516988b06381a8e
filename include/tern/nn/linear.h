#pragma once

#include <cstdint>

#include "tern/nn/module.h"

namespace tern::nn {

struct LinearOptions {
  std::int64_t in = 0;   ///< features of the input, at least 1
  std::int64_t out = 0;  ///< features of the output, at least 1
  bool bias = true;      ///< adds a learned bias
  DType dtype = f32;     ///< of the parameters
};

/// x · weightᵀ + bias over the last dimension: [..., in] to [..., out]. Both start uniform in ±1 / sqrt(in), PyTorch's
/// default, drawn from the calling thread's default_generator().
class TERN_API Linear : public Module {
 public:
  /// Throws ValueError on sizes below 1 or too large to index, DTypeError unless the type is floating.
  explicit Linear(const LinearOptions& options);
  Linear(std::int64_t in, std::int64_t out) : Linear(LinearOptions{.in = in, .out = out}) {}

  TERN_MODULE(Linear, weight, bias)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

  Tensor weight;  ///< [out, in]
  Tensor bias;    ///< [out]; undefined without a bias
};

}  // namespace tern::nn
