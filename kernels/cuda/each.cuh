#pragma once

#include <cstdint>

#include "cuda/context.h"
#include "cuda/launch.h"

namespace tern::kernels::cuda {

/// Calls f(i) for the thread's share of [0, count), in a grid of any width.
template <class F>
__device__ __forceinline__ void each(std::int64_t count, F f) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < count;
       i += std::int64_t{gridDim.x} * kThreads) {
    f(i);
  }
}

/// Whether index i lies in [0, size); if not, it is reported.
__device__ __forceinline__ bool inside(std::int64_t i, std::int64_t size, Report* report) {
  if (static_cast<std::uint64_t>(i) < static_cast<std::uint64_t>(size)) return true;
  report->bad_index = i;
  report->bound = size;
  __threadfence_system();
  report->count = 1;
  return false;
}

}  // namespace tern::kernels::cuda
