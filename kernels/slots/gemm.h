#pragma once

#include <cstdint>

#include "slot.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/shape.h"

// Kernel slots and their arguments: products of matrices.
namespace tern::kernels {

/// C = activation(A · B + bias), or C += A · B, of one product or of a batch; strides in elements, C's columns
/// adjacent. Contract: an element of C is one chain, started at 0 (or at C when accumulating) and going through k in
/// order, each link a fused multiply-add where the target has one; then the bias, then the activation. No blocking,
/// batch or thread changes it.
struct GemmArgs {
  std::int64_t m, n, k;
  const void* a;
  std::int64_t a_row, a_column;
  const void* b;
  std::int64_t b_row, b_column;
  void* c;
  std::int64_t c_row;
  bool accumulate = false;
  const void* bias = nullptr;  // [n]
  Activation activation = Activation::none;
  // A batch of products, in logical order over these dimensions; the strides of an operand that repeats are 0.
  int batch_dims = 0;
  std::int64_t batch_sizes[kMaxDims], a_batch[kMaxDims], b_batch[kMaxDims];
  std::int64_t c_batch = 0;  // from the C of a product to that of the next
};
inline constinit KernelSlot<void(const GemmArgs&)> gemm{"gemm"};
/// Of f32 operands, whose elements are rounded to bf16; sums, bias and C are f32, and a sum is one chain over pairs of
/// k in order. There only where the processor multiplies bf16.
inline constinit KernelSlot<void(const GemmArgs&)> gemm_bf16{"gemm in bf16"};

}  // namespace tern::kernels
