#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "parallel.h"

namespace tern::internal {
namespace {

// One loop in flight. Threads take blocks by an atomic counter; the caller takes blocks too and then waits for the
// ones that others took, so a nested loop can always finish by its caller alone.
struct Loop {
  std::int64_t n, grain, blocks;
  RangeFn fn;
  void* context;
  std::atomic<std::int64_t> next{0};
  std::atomic<std::int64_t> finished{0};
  std::mutex mutex;
  std::condition_variable done;

  void work() {
    for (std::int64_t k = next.fetch_add(1); k < blocks; k = next.fetch_add(1)) {
      fn(context, k * grain, std::min(n, (k + 1) * grain));
      if (finished.fetch_add(1) + 1 == blocks) {
        const std::lock_guard lock(mutex);
        done.notify_all();
      }
    }
  }
};

class Pool {
 public:
  explicit Pool(int threads) {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { run(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }
  void submit(const std::shared_ptr<Loop>& loop) {
    const auto helpers = std::min<std::int64_t>(static_cast<std::int64_t>(workers_.size()), loop->blocks - 1);
    {
      const std::lock_guard lock(mutex_);
      for (std::int64_t i = 0; i < helpers; ++i) queue_.push_back(loop);
    }
    wake_.notify_all();
  }

 private:
  void run() {
    for (;;) {
      std::shared_ptr<Loop> loop;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
        if (queue_.empty()) return;
        loop = std::move(queue_.front());
        queue_.pop_front();
      }
      loop->work();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Loop>> queue_;
  std::vector<std::thread> workers_;
  bool stop_ = false;
};

std::mutex pool_mutex;
std::shared_ptr<Pool>& pool() {
  static std::shared_ptr<Pool> instance;
  return instance;
}

}  // namespace

void resize_backend(int threads) {
  auto fresh = std::make_shared<Pool>(threads);
  const std::lock_guard lock(pool_mutex);
  std::swap(pool(), fresh);
}

void run_blocks(std::int64_t n, std::int64_t grain, RangeFn fn, void* context) {
  const auto loop = std::make_shared<Loop>();
  loop->n = n;
  loop->grain = grain;
  loop->blocks = (n + grain - 1) / grain;
  loop->fn = fn;
  loop->context = context;
  std::shared_ptr<Pool> current;
  {
    const std::lock_guard lock(pool_mutex);
    current = pool();
  }
  current->submit(loop);
  loop->work();
  std::unique_lock lock(loop->mutex);
  loop->done.wait(lock, [&] { return loop->finished.load() == loop->blocks; });
}

}  // namespace tern::internal
