#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "tensor/thread_local.h"

// Memory of tensors and of the tape. Blocks up to 32 KiB are carved from chunks and pass through a cache of the thread,
// without a lock; what a thread frees beyond its cache returns to the block's chunk, whichever thread that came from,
// and a chunk with no block in use serves any size again. Larger blocks are mapped one by one and kept, the longest
// unused given up first.
namespace tern::internal {

namespace memory {
// Classes 0 … 15 are multiples of 64 up to 1 KiB; above, four classes to each doubling.
inline constexpr std::uint32_t kFineClasses = 16;
inline constexpr std::uint32_t kSmallClasses = kFineClasses + 5 * 4;
inline constexpr std::size_t kLargestSmall = std::size_t{32} << 10;
inline constexpr std::uint32_t kClasses = kSmallClasses + 31 * 4;

constexpr std::uint32_t class_of(std::size_t bytes) {
  if (bytes <= 1024) return bytes == 0 ? 0 : static_cast<std::uint32_t>((bytes - 1) >> 6);
  const std::size_t last = bytes - 1;
  const int exponent = 63 - std::countl_zero(last);  // 2^exponent <= last, exponent >= 10
  return kFineClasses +
         static_cast<std::uint32_t>((exponent - 10) * 4 + static_cast<int>((last >> (exponent - 2)) & 3));
}

constexpr std::size_t bytes_of(std::uint32_t size_class) {
  if (size_class < kFineClasses) return (std::size_t{size_class} + 1) << 6;
  const std::uint32_t above = size_class - kFineClasses;
  return (std::size_t{5} + (above & 3)) << (8 + above / 4);
}

struct FreeBlock {
  FreeBlock* next;
};

// What one thread caches and counts. Other threads read the counters, none but the owner writes: no read-modify-write.
struct Cache {
  struct Bin {
    FreeBlock* head;
    std::atomic<std::int32_t> count;
  } bins[kSmallClasses];
  std::atomic<std::int64_t> unpublished;  // bytes in use, not yet in the common count
  std::atomic<std::uint64_t> allocations;
  enum State : std::uint8_t { unused, live, ended } state;
  Cache *next, *previous;
};

// Plain data, so that access needs no initialisation guard.
extern TERN_THREAD_STATE constinit thread_local Cache cache;

inline constexpr std::int64_t kPublishBytes = std::int64_t{64} << 10;
void publish() noexcept;
void* allocate_slowly(std::uint32_t size_class);
void deallocate_slowly(void* memory, std::uint32_t size_class) noexcept;
// The bytes of a block of a small class, and how many a thread may cache: a table, for to work them out would cost as
// much as all else here.
struct SmallClass {
  std::int32_t bytes, most_cached;
};
inline constexpr auto kSmall = [] {
  std::array<SmallClass, kSmallClasses> all{};
  for (std::uint32_t c = 0; c < kSmallClasses; ++c) {
    const auto bytes = static_cast<std::int32_t>(bytes_of(c));
    all[c] = {bytes, (448 << 10) / bytes};
  }
  return all;
}();

/// Returns the new value.
template <class T>
T bump(std::atomic<T>& counter, T by) {
  const T now = counter.load(std::memory_order_relaxed) + by;
  counter.store(now, std::memory_order_relaxed);
  return now;
}

#if defined(__SANITIZE_ADDRESS__)
#define TERN_NO_MEMORY_CACHE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_NO_MEMORY_CACHE 1
#endif
#endif
#ifdef TERN_NO_MEMORY_CACHE
inline constexpr bool kCaching = false;  // the address sanitizer sees every block come and go
#else
inline constexpr bool kCaching = true;
#endif
}  // namespace memory

/// 64-byte aligned memory. Throws MemoryError. `size_class` receives what `deallocate` needs.
inline void* allocate(std::size_t bytes, std::uint32_t& size_class) {
  const std::uint32_t c = memory::class_of(bytes);
  size_class = c;
  if (memory::kCaching && c < memory::kSmallClasses) [[likely]] {
    memory::Cache::Bin& bin = memory::cache.bins[c];
    if (memory::FreeBlock* block = bin.head) [[likely]] {
      bin.head = block->next;
      __builtin_prefetch(bin.head, 1);  // the next call reads it, after a long chain from beyond the nearest cache
      memory::bump(bin.count, -1);
      memory::bump(memory::cache.allocations, std::uint64_t{1});
      if (memory::bump(memory::cache.unpublished, std::int64_t{memory::kSmall[c].bytes}) > memory::kPublishBytes)
          [[unlikely]]
        memory::publish();
      return block;
    }
  }
  return memory::allocate_slowly(c);
}

/// Gives memory back, from any thread.
inline void deallocate(void* block, std::uint32_t size_class) noexcept {
  if (memory::kCaching && size_class < memory::kSmallClasses) [[likely]] {
    memory::Cache::Bin& bin = memory::cache.bins[size_class];
    const memory::SmallClass& small = memory::kSmall[size_class];
    if (memory::cache.state == memory::Cache::live && bin.count.load(std::memory_order_relaxed) < small.most_cached)
        [[likely]] {
      auto* free = static_cast<memory::FreeBlock*>(block);
      free->next = bin.head;
      bin.head = free;
      memory::bump(bin.count, 1);
      if (memory::bump(memory::cache.unpublished, -std::int64_t{small.bytes}) < -memory::kPublishBytes) [[unlikely]]
        memory::publish();
      return;
    }
  }
  memory::deallocate_slowly(block, size_class);
}

}  // namespace tern::internal
