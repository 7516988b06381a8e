#include "tensor/allocator.h"

#include <bit>
#include <cstdlib>
#include <string>
#include <utility>

#include "tern/base/error.h"
#include "tern/base/export.h"

#if defined(__SANITIZE_ADDRESS__)
#define TERN_NO_MEMORY_CACHE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_NO_MEMORY_CACHE 1
#endif
#endif

namespace tern::internal {
namespace {
// Classes 0 … 15 are multiples of 64 up to 1 KiB; above, four classes to each doubling up to 16 MiB; larger blocks are
// not cached.
constexpr std::uint32_t kSmallClasses = 16;
constexpr std::uint32_t kClasses = kSmallClasses + 14 * 4;
constexpr std::size_t kLargestCached = std::size_t{16} << 20;
[[maybe_unused]] constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
constexpr std::uint32_t kUncached = kClasses;

std::uint32_t class_of(std::size_t bytes) {
  if (bytes <= 1024) return bytes == 0 ? 0 : static_cast<std::uint32_t>((bytes - 1) >> 6);
  if (bytes > kLargestCached) return kUncached;
  const std::size_t last = bytes - 1;
  const int exponent = 63 - std::countl_zero(last);  // 2^exponent <= last, exponent >= 10
  return kSmallClasses +
         static_cast<std::uint32_t>((exponent - 10) * 4 + static_cast<int>((last >> (exponent - 2)) & 3));
}

std::size_t bytes_of(std::uint32_t size_class) {
  if (size_class < kSmallClasses) return (std::size_t{size_class} + 1) << 6;
  const std::uint32_t above = size_class - kSmallClasses;
  return (std::size_t{5} + (above & 3)) << (8 + above / 4);
}

struct FreeBlock {
  FreeBlock* next;
};

struct Cache {
  FreeBlock* free[kClasses];
  std::size_t bytes;
  enum State : std::uint8_t { unused, live, ended } state;
};

// Plain data, so that access needs no initialisation guard; CacheEnd empties it when the thread ends.
__attribute__((tls_model("initial-exec"))) constinit thread_local Cache cache{};

struct CacheEnd {
  ~CacheEnd() {
    for (FreeBlock*& head : cache.free) {
      while (head) std::free(std::exchange(head, head->next));
    }
    cache.bytes = 0;
    cache.state = Cache::ended;
  }
};

TERN_COLD void start_cache() {
  static thread_local CacheEnd end;
  (void)&end;
  cache.state = Cache::live;
}

TERN_COLD void* from_system(std::size_t bytes) {
  void* memory = std::aligned_alloc(64, bytes);
  if (!memory) {
    throw MemoryError("[allocate] expected " + std::to_string(bytes) + " bytes of memory, got none");
  }
  return memory;
}
}  // namespace

void* allocate(std::size_t bytes, std::uint32_t& size_class) {
  const std::uint32_t c = class_of(bytes);
  size_class = c;
  if (c == kUncached) {
    if (bytes > SIZE_MAX / 2) throw MemoryError("[allocate] expected a size below 2^63, got " + std::to_string(bytes));
    return from_system((bytes + 63) & ~std::size_t{63});
  }
  if (FreeBlock* block = cache.free[c]) {
    cache.free[c] = block->next;
    cache.bytes -= bytes_of(c);
    return block;
  }
  return from_system(bytes_of(c));
}

void deallocate(void* memory, std::uint32_t size_class) noexcept {
#ifndef TERN_NO_MEMORY_CACHE
  if (size_class != kUncached && cache.state != Cache::ended) {
    const std::size_t bytes = bytes_of(size_class);
    if (cache.bytes + bytes <= kCacheBytes) {
      if (cache.state == Cache::unused) start_cache();
      auto* block = static_cast<FreeBlock*>(memory);
      block->next = cache.free[size_class];
      cache.free[size_class] = block;
      cache.bytes += bytes;
      return;
    }
  }
#else
  (void)size_class;
  (void)&start_cache;
#endif
  std::free(memory);
}

}  // namespace tern::internal
