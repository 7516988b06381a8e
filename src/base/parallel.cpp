#include "parallel.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <string>
#include <thread>

#include "tern/base/error.h"

namespace tern {
namespace {

constexpr int max_threads = 1024;

int default_threads() {
  if (const char* text = std::getenv("TERN_NUM_THREADS"); text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    if (end == text || *end != '\0' || n < 1 || n > max_threads) {
      throw ValueError("[parallel_for] expected TERN_NUM_THREADS to be an integer from 1 to 1024, got \"" +
                       std::string(text) + "\"");
    }
    return static_cast<int>(n);
  }
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : static_cast<int>(n < max_threads ? n : max_threads);
}

std::atomic<int> threads{0};
std::mutex resize_mutex;

}  // namespace

int num_threads() {
  if (const int n = threads.load(std::memory_order_acquire)) return n;
  set_num_threads(0);
  return threads.load(std::memory_order_acquire);
}

void set_num_threads(int n) {
  if (n < 0 || n > max_threads) {
    throw ValueError("[set_num_threads] expected 0 to 1024 threads, got " + std::to_string(n));
  }
  const int wanted = n == 0 ? default_threads() : n;
  const std::lock_guard lock(resize_mutex);
  if (threads.load(std::memory_order_relaxed) == wanted) return;
  internal::resize_backend(wanted);
  threads.store(wanted, std::memory_order_release);
}

namespace internal {

void parallel_for(std::int64_t n, std::int64_t grain, RangeFn fn, void* context) {
  struct Work {
    RangeFn fn;
    void* context;
    std::mutex mutex;
    std::int64_t failed_at = std::numeric_limits<std::int64_t>::max();
    std::exception_ptr error;
  } work{fn, context, {}, std::numeric_limits<std::int64_t>::max(), nullptr};
  const RangeFn guarded = [](void* raw, std::int64_t begin, std::int64_t end) {
    Work& w = *static_cast<Work*>(raw);
    try {
      w.fn(w.context, begin, end);
    } catch (...) {
      const std::lock_guard lock(w.mutex);
      if (begin < w.failed_at) {
        w.failed_at = begin;
        w.error = std::current_exception();
      }
    }
  };
  if (num_threads() == 1) {
    for (std::int64_t begin = 0; begin < n; begin += grain) {
      guarded(&work, begin, n - begin < grain ? n : begin + grain);
    }
  } else {
    run_blocks(n, grain, guarded, &work);
  }
  if (work.error) std::rethrow_exception(work.error);
}

}  // namespace internal
}  // namespace tern
