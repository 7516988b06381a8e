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

  /// See pack_weights and unpack_weights. No other thread may be in `forward` meanwhile.
  void pack();
  void unpack();
  /// `weight`, or under NoGrad the copy of it that `pack` made, while it is one.
  const Tensor& weight_to_read() const;

  Tensor weight;  ///< [out, in]
  Tensor bias;    ///< [out]; undefined without a bias

 private:
  Tensor packed_, packed_from_;
  std::uint64_t packed_version_ = 0;
};

/// Has each Linear of a network keep a copy of its weight as products of a few rows read it best: columns of `weight`
/// adjacent. One row through a small network then takes half the time, with the same bits, for twice the memory of the
/// weights. A copy is read under NoGrad alone, and no longer than it is one: once its weight was written to
/// (version()), moved, converted or replaced, the weight is read as it is until the network is packed again. Nor has a
/// copy what one would not help or could not be kept the same: a weight of one row or column, one on another device
/// than the CPU, one over the caller's memory (from_blob, from_dlpack), one that to_dlpack ever lent. What is written
/// through a mutable_span that was taken before goes unseen. Copies are neither saved nor cloned; they move with the
/// module. No other thread may use the network meanwhile.
TERN_API void pack_weights(Module& network);
/// Lets go of the copies, those that are read no more too, and of their memory.
TERN_API void unpack_weights(Module& network);

}  // namespace tern::nn
