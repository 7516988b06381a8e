#pragma once

#include <cstdint>

#include "functors/binary.h"
#include "functors/unary.h"
#include "loop.h"
#include "slot.h"
#include "tern/ops/matmul.h"
#include "tern/ops/optimizer_step.h"
#include "tern/tensor/scalar.h"

// Every kernel slot, and the arguments that each takes.
namespace tern::kernels {

using LoopFn = void(const Loop&);

// Elementwise families expand from their lists: forward (out, x) and gradient (out, g, saved).
#define TERN_SLOT(name, functor, types)                    \
  inline constinit KernelSlot<LoopFn> unary_##name{#name}; \
  inline constinit KernelSlot<LoopFn> unary_##name##_gradient{#name " gradient"};
TERN_UNARY_LIST(TERN_SLOT)
#undef TERN_SLOT
#define TERN_SLOT(name, functor, types) inline constinit KernelSlot<LoopFn> binary_##name{#name};
TERN_BINARY_LIST(TERN_SLOT)
TERN_BITWISE_LIST(TERN_SLOT)
TERN_COMPARE_LIST(TERN_SLOT)
#undef TERN_SLOT

/// out = condition ? a : b.
inline constinit KernelSlot<LoopFn> where{"where"};
/// out = x held within [low, high]; of floating types.
inline constinit KernelSlot<LoopFn> clamp{"clamp"};
/// out = a + alpha * b.
inline constinit KernelSlot<void(const Loop&, double alpha)> add_scaled{"add_scaled"};
/// out = a + b * c, the product rounded first; of floating types.
inline constinit KernelSlot<LoopFn> add_product{"add_product"};
/// Converts to the slot's type from `from`.
inline constinit KernelSlot<void(const Loop&, DType from)> convert{"convert"};
inline constinit KernelSlot<void(const Loop&, Scalar)> fill{"fill"};
/// 0, 1, … count - 1.
inline constinit KernelSlot<void(std::int64_t count, std::int64_t* out)> arange{"arange"};
/// Sets *found when operand 0 holds a NaN; only reads.
inline constinit KernelSlot<void(const Loop&, bool* found)> find_nan{"find_nan"};

inline bool any_nan(Device device, DType dtype, const Loop& loop) {
  bool found = false;
  find_nan(device, dtype, loop, &found);
  return found;
}

/// Kept dimensions give contiguous results; the others are reduced in logical order.
struct ReduceArgs {
  const void* x;
  void* out;
  int kept, reduced;
  std::int64_t outputs, terms;
  std::int64_t kept_sizes[kMaxDims], kept_strides[kMaxDims];
  std::int64_t reduced_sizes[kMaxDims], reduced_strides[kMaxDims];
};
using ReduceFn = void(const ReduceArgs&);
inline constinit KernelSlot<ReduceFn> reduce_sum{"sum"};
inline constinit KernelSlot<ReduceFn> reduce_max{"max"};
inline constinit KernelSlot<ReduceFn> reduce_min{"min"};
inline constinit KernelSlot<ReduceFn> reduce_argmax{"argmax"};
inline constinit KernelSlot<ReduceFn> reduce_argmin{"argmin"};

/// The sum of products of the elements of two contiguous operands, in f64, in an order that their number alone decides.
struct DotArgs {
  std::int64_t numel;
  const void* a;
  const void* b;
  double* out;
};
inline constinit KernelSlot<void(const DotArgs&)> dot{"dot"};

/// Sums along the middle of contiguous [outer, size, inner], in order: of the elements up to each, or in reverse.
struct CumulateArgs {
  std::int64_t outer, size, inner;
  const void* x;
  void* out;
  bool reverse;
};
inline constinit KernelSlot<void(const CumulateArgs&)> cumsum{"cumsum"};

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

/// Contiguous rows. Forward writes `out` from `x`; the gradient writes `out` from `g` and the saved result `x`.
struct SoftmaxArgs {
  std::int64_t rows, columns;
  const void* x;
  const void* g;
  void* out;
};
using SoftmaxFn = void(const SoftmaxArgs&);
inline constinit KernelSlot<SoftmaxFn> softmax{"softmax"};
inline constinit KernelSlot<SoftmaxFn> softmax_gradient{"softmax gradient"};
inline constinit KernelSlot<SoftmaxFn> log_softmax{"log_softmax"};
inline constinit KernelSlot<SoftmaxFn> log_softmax_gradient{"log_softmax gradient"};

/// Row i with class t: loss = Σ_c q_c (logsumexp(x) - x_c), q_c = (1 - smoothing) w_t [c = t] + smoothing / C · w_c.
struct CrossEntropyArgs {
  std::int64_t rows, classes;
  const void* logits;
  const std::int64_t* target;
  const void* weight;  // [classes] or null
  double smoothing;
  const void* g;  // [rows], of the gradient
  void* out;      // losses [rows], or the gradient [rows, classes]
};
using CrossEntropyFn = void(const CrossEntropyArgs&);
inline constinit KernelSlot<CrossEntropyFn> cross_entropy{"cross_entropy"};
inline constinit KernelSlot<CrossEntropyFn> cross_entropy_gradient{"cross_entropy gradient"};

/// Element x with target t: w (p t softplus(-x) + (1 - t) softplus(x)); contiguous. g's elements lie `g_step` apart.
struct BceArgs {
  std::int64_t numel;
  const void* logits;
  const void* target;
  const void* weight;      // w, or null: 1
  const void* pos_weight;  // p, or null: 1
  const void* g;           // of the gradient
  std::int64_t g_step;
  void* out;  // losses, or the gradient of the logits
};
using BceFn = void(const BceArgs&);
inline constinit KernelSlot<BceFn> bce_with_logits{"bce_with_logits"};
inline constinit KernelSlot<BceFn> bce_with_logits_gradient{"bce_with_logits gradient"};

/// Contiguous x [outer, size, inner] and rows [outer, count, inner]; the index has one dimension, [count], or is as the
/// rows (gather, scatter). Repeated indices are served in order.
struct IndexArgs {
  std::int64_t outer, size, inner, count;
  const std::int64_t* index;
  const void* from;
  void* to;
};
using IndexFn = void(const IndexArgs&);
inline constinit KernelSlot<IndexFn> index_select{"index_select"};
inline constinit KernelSlot<IndexFn> index_add{"index_add"};
inline constinit KernelSlot<IndexFn> index_copy{"index_copy"};
inline constinit KernelSlot<IndexFn> gather{"gather"};
inline constinit KernelSlot<IndexFn> scatter{"scatter"};
inline constinit KernelSlot<IndexFn> scatter_add{"scatter_add"};

/// Indices [count, dimensions] of the flags (contiguous, boolean) that are set, in order; null: only their count.
struct NonzeroArgs {
  Shape shape;
  const void* flags;
  std::int64_t* indices;
  std::int64_t* count;
};
inline constinit KernelSlot<void(const NonzeroArgs&)> nonzero{"nonzero"};

/// Values [outer, count] among ascending rows of `size`, which lie `row_step` apart.
struct SearchArgs {
  std::int64_t outer, size, count, row_step;
  const void* sorted;
  const void* values;
  std::int64_t* out;
  bool right;
};
inline constinit KernelSlot<void(const SearchArgs&)> searchsorted{"searchsorted"};

/// Contiguous rows: out = (x - mean) / sqrt(variance + eps) · weight + bias, the variance taken about 0 unless
/// `centred`. Forward writes the statistics, (mean, 1 / sqrt(variance + eps)) a row; the gradient reads them, and
/// writes what is not null of `out`, `weight_gradient` and `bias_gradient`.
struct NormArgs {
  std::int64_t rows, columns;
  bool centred;
  double eps;
  const void* x;
  const void* weight;  // [columns] or null, as the bias
  const void* bias;
  const void* g;
  double* statistics;  // [rows, 2]
  void* out;
  void* weight_gradient;
  void* bias_gradient;
};
using NormFn = void(const NormArgs&);
inline constinit KernelSlot<NormFn> norm{"norm"};
inline constinit KernelSlot<NormFn> norm_gradient{"norm gradient"};

/// Indices of the first k elements in order of each contiguous row; equal ones in order of their indices. `descending`
/// from the largest on; not `sorted`: those k in order of their indices.
struct SortArgs {
  std::int64_t rows, size, k;
  const void* x;
  std::int64_t* indices;
  bool descending, sorted;
};
inline constinit KernelSlot<void(const SortArgs&)> argsort{"argsort"};

/// Element i draws from index `first + i` (see tensor/creation.h for the units).
struct RandomArgs {
  std::int64_t numel;
  void* out;
  std::uint64_t seed, stream, first;
  double low = 0, high = 1;
};
inline constinit KernelSlot<void(const RandomArgs&)> random_uniform{"uniform"};
inline constinit KernelSlot<void(const RandomArgs&)> random_normal{"randn"};

/// low + Philox::below(first + i, span), i64; a span of 0 stands for 2^64.
struct RandomIntegerArgs {
  std::int64_t numel;
  std::int64_t* out;
  std::uint64_t seed, stream, first;
  std::int64_t low;
  std::uint64_t span;
};
inline constinit KernelSlot<void(const RandomIntegerArgs&)> random_integer{"randint"};

/// out = x / (1 - p) where word first + i, as a uniform, is at least p, else 0; contiguous.
struct DropoutArgs {
  std::int64_t numel;
  const void* x;
  void* out;
  std::uint64_t seed, stream, first;
  double p;
};
inline constinit KernelSlot<void(const DropoutArgs&)> dropout{"dropout"};

/// States that a step does without are null.
struct OptimizerArgs {
  std::int64_t numel;
  void* value;
  const void* gradient;
  void* states[3];
};
inline constinit KernelSlot<void(const OptimizerArgs&, const SgdStep&)> sgd{"sgd"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdamStep&)> adam{"adam"};
inline constinit KernelSlot<void(const OptimizerArgs&, const RmspropStep&)> rmsprop{"rmsprop"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdagradStep&)> adagrad{"adagrad"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdadeltaStep&)> adadelta{"adadelta"};
inline constinit KernelSlot<void(const OptimizerArgs&, const LionStep&)> lion{"lion"};

}  // namespace tern::kernels
