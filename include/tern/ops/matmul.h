#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

/// What `linear` applies to its result in the same pass.
enum class Activation : std::uint8_t { none, relu, tanh, sigmoid };

/// The matrix product [..., M, K] × [..., K, N] = [..., M, N]; the leading dimensions broadcast. A vector [K] counts as
/// a row on the left and as a column on the right, and the result lacks that dimension, as torch.matmul has it. Each
/// element is one chain of multiply-adds in order of k, whatever M, the batch or the number of threads: a row alone has
/// the bits that it has in a batch. Throws ShapeError or DTypeError.
TERN_API Tensor matmul(const Tensor& a, const Tensor& b);

/// activation(x · weightᵀ + bias) for x [..., in], weight [out, in] and bias [out] or undefined; the chain of matmul,
/// then the bias. Throws ShapeError or DTypeError.
TERN_API Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                       Activation activation = Activation::none);

}  // namespace tern
