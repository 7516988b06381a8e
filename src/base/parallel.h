#pragma once

#include <cstdint>

#include "tern/base/parallel.h"

// What the two backends, oneTBB and std::thread, provide; CMake compiles one of them.
namespace tern::internal {

/// Sizes the backend for `threads` threads in all.
void resize_backend(int threads);

/// Calls `fn(context, k * grain, min(n, (k + 1) * grain))` for every block, on up to `num_threads()` threads.
/// `fn` does not throw.
void run_blocks(std::int64_t n, std::int64_t grain, RangeFn fn, void* context);

}  // namespace tern::internal
