#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

/// What `linear` applies to its result in the same pass.
enum class Activation : std::uint8_t { none, relu, tanh, sigmoid };

/// [M, K] × [K, N]. Each element is one chain of additions in order of k, whatever M, the batch or the number of
/// threads: a row alone has the bits that it has in a batch. Throws ShapeError or DTypeError.
TERN_API Tensor matmul(const Tensor& a, const Tensor& b);

/// activation(x · weightᵀ + bias) for x [..., in], weight [out, in] and bias [out] or undefined; the chain of matmul,
/// then the bias. Throws ShapeError or DTypeError.
TERN_API Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                       Activation activation = Activation::none);

}  // namespace tern
