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

/// Whether index i lies in [0, size); if not, it is reported: of several, whichever comes first.
__device__ __forceinline__ bool inside(std::int64_t i, std::int64_t size, Reporter report) {
  if (static_cast<std::uint64_t>(i) < static_cast<std::uint64_t>(size)) return true;
  if (atomicCAS(&report.to->taken, 0, 1) == 0) {
    report.to->bad_index = i;
    report.to->bound = size;
    report.to->op = report.op;
  }
  return false;
}

}  // namespace tern::kernels::cuda
