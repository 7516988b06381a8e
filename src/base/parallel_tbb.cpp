#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "parallel.h"

namespace tern::internal {
namespace {
// An arena alone is capped by the processor's count; the global control lifts that cap.
struct Pool {
  explicit Pool(int threads)
      : control(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)), arena(threads) {}
  tbb::global_control control;
  tbb::task_arena arena;
};
// The pointer is never destroyed, so that loops of threads that outlive main still find it.
std::atomic<std::shared_ptr<Pool>>& pool() {
  static auto* instance = new std::atomic<std::shared_ptr<Pool>>;
  return *instance;
}
}  // namespace

void resize_backend(int threads) { pool().store(std::make_shared<Pool>(threads)); }

void run_blocks(std::int64_t n, std::int64_t grain, RangeFn fn, void* context) {
  const std::int64_t blocks = (n + grain - 1) / grain;
  const auto body = [&](const tbb::blocked_range<std::int64_t>& range) {
    for (std::int64_t k = range.begin(); k < range.end(); ++k) fn(context, k * grain, std::min(n, (k + 1) * grain));
  };
  const std::shared_ptr<Pool> current = pool().load();
  current->arena.execute([&] {
    // Isolated, so that a wait inside a block never picks up a block of an unrelated loop.
    tbb::this_task_arena::isolate(
        [&] { tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, blocks, 1), body, tbb::simple_partitioner{}); });
  });
}

}  // namespace tern::internal
