#include "tern/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "tern/base/error.h"

namespace tern {
namespace {

class Threads : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(0); }
};

TEST_F(Threads, EveryIndexOnceInBlocksOfTheGrid) {
  for (int threads : {1, 2, 5}) {
    set_num_threads(threads);
    std::vector<std::atomic<int>> seen(1003);
    std::atomic<int> off_grid{0};
    parallel_for(1003, 64, [&](std::int64_t begin, std::int64_t end) {
      if (begin % 64 != 0 || (end != begin + 64 && end != 1003)) ++off_grid;
      for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(off_grid, 0);
    for (const auto& count : seen) EXPECT_EQ(count, 1);
  }
}

TEST_F(Threads, FiveThreadsReallyRun) {
  set_num_threads(5);
  std::mutex mutex;
  std::condition_variable all_here;
  int here = 0;
  bool together = false;
  parallel_for(5, 1, [&](std::int64_t, std::int64_t) {
    std::unique_lock lock(mutex);
    if (++here == 5) {
      together = true;
      all_here.notify_all();
    }
    all_here.wait_for(lock, std::chrono::seconds(20), [&] { return together; });
  });
  EXPECT_TRUE(together);
}

TEST_F(Threads, LowestFailingBlockIsRethrown) {
  set_num_threads(4);
  for (int repeat = 0; repeat < 20; ++repeat) {
    try {
      parallel_for(100, 1, [](std::int64_t begin, std::int64_t) {
        if (begin >= 30) throw std::runtime_error(std::to_string(begin));
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "30");
    }
  }
}

TEST_F(Threads, NestedLoopsFinish) {
  set_num_threads(3);
  std::atomic<int> count{0};
  parallel_for(16, 1,
               [&](std::int64_t, std::int64_t) { parallel_for(16, 1, [&](std::int64_t, std::int64_t) { ++count; }); });
  EXPECT_EQ(count, 256);
}

TEST_F(Threads, RefusesSenselessCounts) {
  EXPECT_THROW(set_num_threads(-1), ValueError);
  EXPECT_THROW(set_num_threads(5000), ValueError);
}

}  // namespace
}  // namespace tern
