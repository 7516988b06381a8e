#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

#include "tern/base/export.h"

namespace tern {

/// Number of threads that `parallel_for` may use: what `set_num_threads` gave, else `TERN_NUM_THREADS`, else the
/// processor's count.
TERN_API int num_threads();

/// Sets the number of threads; 0 returns to the default. More threads than processors are allowed.
/// Must not be called from inside `parallel_for`. Throws ValueError when `n` is negative or above 1024.
TERN_API void set_num_threads(int n);

namespace internal {
using RangeFn = void (*)(void* context, std::int64_t begin, std::int64_t end);
TERN_API void parallel_for(std::int64_t n, std::int64_t grain, RangeFn fn, void* context);
}  // namespace internal

/// Calls `f(begin, end)` once for each block `[k * grain, min(n, (k + 1) * grain))` of `[0, n)`, on any thread.
/// Blocks depend on `n` and `grain` alone, never on the number of threads, so results that are combined in block order
/// are the same bits at any thread count. Nested calls are allowed and isolated. The exception of the lowest block that
/// threw is rethrown. A range of one block runs in the caller.
template <class F>
void parallel_for(std::int64_t n, std::int64_t grain, F&& f) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  if (n <= grain) {
    f(std::int64_t{0}, n);
    return;
  }
  using Body = std::remove_reference_t<F>;
  internal::parallel_for(
      n, grain, [](void* context, std::int64_t begin, std::int64_t end) { (*static_cast<Body*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(std::addressof(f))));
}

}  // namespace tern
