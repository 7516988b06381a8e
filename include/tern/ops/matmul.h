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

/// In what products of f32 tensors are computed, as torch.set_float32_matmul_precision has it.
enum class MatmulPrecision : std::uint8_t {
  highest,  ///< f32, as a process starts
  medium,   ///< elements rounded to bf16, their products added in f32, where the processor multiplies bf16; else f32
};
/// For the matmul and linear of every thread from now on, backward too.
TERN_API void set_float32_matmul_precision(MatmulPrecision precision);
TERN_API MatmulPrecision float32_matmul_precision();

}  // namespace tern
