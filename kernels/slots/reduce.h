#pragma once

#include <cstdint>

#include "slot.h"
#include "tern/tensor/shape.h"

// Kernel slots and their arguments: sums and extremes over dimensions.
namespace tern::kernels {

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

}  // namespace tern::kernels
