#pragma once

#include <cstdint>

#include "slot.h"

// Kernel slots and their arguments: order in rows.
namespace tern::kernels {

/// Indices of the first k elements in order of each contiguous row; equal ones in order of their indices. `descending`
/// from the largest on; not `sorted`: those k in order of their indices.
struct SortArgs {
  std::int64_t rows, size, k;
  const void* x;
  std::int64_t* indices;
  bool descending, sorted;
};
inline constinit KernelSlot<void(const SortArgs&)> argsort{"argsort"};

}  // namespace tern::kernels
