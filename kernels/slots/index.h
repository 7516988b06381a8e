#pragma once

#include <cstdint>

#include "slot.h"
#include "tern/tensor/shape.h"

// Kernel slots and their arguments: what takes elements by index, and finds indices.
namespace tern::kernels {

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

}  // namespace tern::kernels
