#include "tern/tensor/memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "tensor/allocator.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

TEST(Memory, ClassesHoldWhatIsAskedWithoutMuchWaste) {
  for (std::size_t bytes = 1; bytes < 300000; bytes += bytes < 5000 ? 1 : 97) {
    const auto c = internal::memory::class_of(bytes);
    const std::size_t block = internal::memory::bytes_of(c);
    EXPECT_GE(block, bytes);
    EXPECT_EQ(block % 64, 0u);
    EXPECT_LE(block, bytes + std::max<std::size_t>(bytes / 4, 64));
    EXPECT_TRUE(c == 0 || internal::memory::bytes_of(c - 1) < bytes) << bytes;
  }
  EXPECT_EQ(internal::memory::class_of(0), 0u);
  EXPECT_EQ(internal::memory::class_of(internal::memory::kLargestSmall), internal::memory::kSmallClasses - 1);
}

TEST(Memory, ElementsAreAligned) {
  for (std::int64_t n : {0, 1, 7, 64, 1000, 5000, 100000, 3000000}) {
    const Tensor x = empty({n});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.span<float>().data()) % 64, 0u) << n;
  }
}

TEST(Memory, StatisticsFollowWhatIsHeld) {
  const auto before = memory_statistics();
  reset_peak_memory();
  {
    const Tensor a = empty({4 * kMiB}, u8), b = empty({100}, f32);
    const auto held = memory_statistics();
    EXPECT_GE(held.in_use - before.in_use, 4 * kMiB + 400);
    EXPECT_LE(held.in_use - before.in_use, 4 * kMiB + 2048);
    EXPECT_EQ(held.allocations - before.allocations, 3u);  // a's elements lie apart from its header
  }
  const auto after = memory_statistics();
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_GE(after.peak, before.in_use + 4 * kMiB);
  reset_peak_memory();
  EXPECT_EQ(memory_statistics().peak, after.in_use);
}

TEST(Memory, OutOfMemoryIsAnErrorWithTheSize) {
  EXPECT_THROW(empty({std::int64_t{1} << 50}, f64), MemoryError);
  EXPECT_THROW(empty({std::int64_t{1} << 44}, u8), MemoryError);
  try {
    empty({std::int64_t{1} << 53}, f64);
    FAIL();
  } catch (const MemoryError& e) {
    EXPECT_NE(std::string(e.what()).find("72057594037927936 bytes"), std::string::npos) << e.what();
  }
}

// The rest is about caches, which the address sanitizer's build has none of.
class Caching : public testing::Test {
 protected:
  void SetUp() override {
    if (!internal::memory::kCaching) GTEST_SKIP() << "no cache under the address sanitizer";
    limit_ = cache_limit();
  }
  void TearDown() override {
    if (limit_) set_cache_limit(limit_);
  }
  std::int64_t limit_ = 0;
};

TEST_F(Caching, LargeBlocksAreKeptWithinALimit) {
  empty_cache();
  set_cache_limit(64 * kMiB);
  EXPECT_EQ(cache_limit(), 64 * kMiB);
  { const Tensor x = empty({40 * kMiB}, u8); }
  EXPECT_GE(memory_statistics().cached, 40 * kMiB);
  const auto before = memory_statistics().system_allocations;
  { const Tensor x = empty({40 * kMiB - 100}, u8); }
  EXPECT_EQ(memory_statistics().system_allocations, before);
  { const Tensor x = empty({30 * kMiB}, u8); }  // drives out the other one
  EXPECT_LT(memory_statistics().cached, 64 * kMiB + 16 * kMiB);
  { const Tensor x = empty({100 * kMiB}, u8); }  // too large to be kept
  EXPECT_LT(memory_statistics().cached, 64 * kMiB + 16 * kMiB);
  empty_cache();
  EXPECT_LT(memory_statistics().cached, 8 * kMiB);
  EXPECT_THROW(set_cache_limit(-1), ValueError);
  set_cache_limit(0);
  EXPECT_EQ(cache_limit(), 0);
  { const Tensor x = empty({40 * kMiB}, u8); }
  EXPECT_LT(memory_statistics().cached, 8 * kMiB);
}

// What the kernel says of the mapping in which `address` lies: "hg" among its flags where huge pages are advised.
std::string mapping_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

// Whether advice of one's own is told of: not by a kernel without huge pages, nor by an emulator.
bool tells_of_advice(std::size_t bytes) {
  void* own = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (own == MAP_FAILED) return false;
  const bool told =
      madvise(own, bytes, MADV_HUGEPAGE) == 0 && (mapping_flags(own) + " ").find(" hg ") != std::string::npos;
  munmap(own, bytes);
  return told;
}

TEST_F(Caching, LargeBlocksAreOfHugePages) {
  constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
  if (!tells_of_advice(2 * kHugePage)) GTEST_SKIP() << "this system tells of no huge pages";
  const Tensor large = empty({3 * kHugePage}, u8);
  const std::uint8_t* elements = large.span<std::uint8_t>().data();
  for (const std::int64_t at : {std::int64_t{0}, 2 * kHugePage, 3 * kHugePage - 1}) {
    const std::string flags = mapping_flags(elements + at);
    EXPECT_NE((flags + " ").find(" hg "), std::string::npos) << at << ": " << flags;
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(elements) % kHugePage, 0u);
}

TEST_F(Caching, ManySmallBlocksAreGivenBack) {
  empty_cache();
  set_cache_limit(8 * kMiB);
  {
    std::vector<Tensor> many;
    for (int i = 0; i < 200000; ++i) many.push_back(empty({8, 8}));  // 100 MB
    EXPECT_GE(memory_statistics().in_use, 90 * kMiB);
  }
  EXPECT_LT(memory_statistics().cached, 24 * kMiB);
}

// One thread makes tensors, another lets them go: what is cached does not grow.
TEST_F(Caching, FreesFromAnotherThreadAreUsedAgain) {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Tensor> queue;
  std::uint64_t warm = 0;
  std::thread consumer([&] {
    for (int i = 0; i < 60000; ++i) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !queue.empty(); });
      const Tensor x = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      changed.notify_all();
    }
  });
  for (int i = 0; i < 60000; ++i) {
    if (i == 20000) warm = memory_statistics().system_allocations;
    Tensor x = empty({i % 3 == 0 ? 100 : 2000});
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return queue.size() < 50; });
    queue.push_back(std::move(x));
    lock.unlock();
    changed.notify_all();
  }
  consumer.join();
  EXPECT_EQ(memory_statistics().system_allocations, warm);
}

// Threads that come and go leave nothing behind that is not used again.
TEST_F(Caching, ThreadsHandOverTheirCaches) {
  const auto round = [] {
    std::thread([] {
      std::vector<Tensor> some;
      for (int i = 0; i < 1000; ++i) some.push_back(empty({100}));
    }).join();
  };
  for (int i = 0; i < 3; ++i) round();
  const auto before = memory_statistics();
  for (int i = 0; i < 50; ++i) round();
  const auto after = memory_statistics();
  EXPECT_EQ(after.system_allocations, before.system_allocations);
  EXPECT_EQ(after.in_use, before.in_use);
  EXPECT_EQ(after.allocations - before.allocations, 50u * 1000u);
}

// A tensor outlives the thread that made it, and another thread's end.
TEST_F(Caching, TensorsOutliveTheirThread) {
  Tensor x;
  std::thread([&] { x = full({1000}, 3); }).join();
  std::thread([&] { EXPECT_EQ(x[999].item<int>(), 3); }).join();
  EXPECT_EQ(x[0].item<int>(), 3);
}

}  // namespace
}  // namespace tern
