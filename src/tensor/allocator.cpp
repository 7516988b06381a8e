#include "tensor/allocator.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "tern/base/error.h"
#include "tern/base/export.h"
#include "tern/tensor/memory.h"

namespace tern::internal::memory {

constinit thread_local Cache cache{};

namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;   // and its alignment
constexpr std::size_t kHugePage = std::size_t{2} << 20;  // chunks are mapped eight at a time
constexpr std::size_t kChunkHeader = 64;

// The head of a chunk. Its blocks are all of one class; those not in use are a list, or lie beyond `carved`.
struct Chunk {
  Chunk *next, *previous;  // in its class's list of chunks with room, or in the list of free ones
  FreeBlock* free;
  std::uint32_t size_class;
  std::uint32_t out;     // blocks handed out, to threads' caches too
  std::uint32_t carved;  // blocks that were ever used
  std::uint32_t capacity;
  bool listed;
};
static_assert(sizeof(Chunk) <= kChunkHeader);

// The head of a large block that is cached.
struct Large {
  Large *next, *previous;  // of its class, the last freed first
  Large *newer, *older;    // of all
  std::uint32_t size_class;
};

template <class T>
void push(T*& head, T* item) {
  item->previous = nullptr;
  item->next = head;
  if (head) head->previous = item;
  head = item;
}
template <class T>
void remove(T*& head, T* item) {
  (item->previous ? item->previous->next : head) = item->next;
  if (item->next) item->next->previous = item->previous;
}

std::size_t mapped_bytes(std::uint32_t size_class) {
  const std::size_t bytes = bytes_of(size_class);
  return bytes >= kHugePage ? (bytes + kHugePage - 1) / kHugePage * kHugePage : bytes;
}

[[noreturn]] TERN_COLD void throw_no_memory(std::size_t bytes) {
  throw MemoryError("[allocate] expected " + std::to_string(bytes) + " bytes of memory, got none");
}

// Whole pages; from a huge page's size up aligned to huge pages, and advised to be made of them.
void* map(std::size_t bytes) {
  const bool huge = bytes >= kHugePage;
  const std::size_t wanted = huge ? bytes + kHugePage : bytes;
  void* memory = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  if (!huge) return memory;
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t begin = (address + kHugePage - 1) / kHugePage * kHugePage, end = begin + bytes;
  if (begin > address) munmap(memory, begin - address);
  if (address + wanted > end) munmap(reinterpret_cast<void*>(end), address + wanted - end);
  void* aligned = reinterpret_cast<void*>(begin);
  madvise(aligned, bytes, MADV_HUGEPAGE);
  return aligned;
}

// What the threads share. Never destroyed: tensors outlive main.
struct Central {
  std::mutex mutex;
  Chunk* with_room[kSmallClasses];
  Chunk* warm;  // free chunks that hold memory
  Chunk* cold;  // and such that hold a page at most
  Large* large[kClasses];
  Large *newest, *oldest;
  std::int64_t limit;      // of warm chunks and large blocks together, and 1; 0 until the first use
  std::int64_t cached;     // in warm chunks and large blocks
  std::int64_t in_chunks;  // cached in chunks that have a block in use
  Cache* threads;
  std::uint64_t misses, system_allocations;
  std::uint64_t allocations;  // of threads that ended
};
constinit Central central{};
constinit std::atomic<std::int64_t> in_use{0}, peak{0};

void count_in_use(std::int64_t bytes) {
  const std::int64_t now = in_use.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  std::int64_t before = peak.load(std::memory_order_relaxed);
  while (now > before && !peak.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
  }
}

std::int64_t default_limit() {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page <= 0) return std::int64_t{1} << 30;
  return static_cast<std::int64_t>(pages) / 4 * page;
}

std::int64_t limit() {
  if (central.limit == 0) central.limit = default_limit() + 1;
  return central.limit - 1;
}

void unlink(Large* block) {
  remove(central.large[block->size_class], block);
  (block->newer ? block->newer->older : central.newest) = block->older;
  (block->older ? block->older->newer : central.oldest) = block->newer;
  central.cached -= static_cast<std::int64_t>(mapped_bytes(block->size_class));
}

void cool(Chunk* chunk) {
  remove(central.warm, chunk);
  central.cached -= static_cast<std::int64_t>(kChunk);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  madvise(reinterpret_cast<char*>(chunk) + page, kChunk - page, MADV_DONTNEED);
  push(central.cold, chunk);
}

// Gives memory back until what is cached is within `bytes`.
void shrink(std::int64_t bytes) {
  while (central.cached > bytes) {
    if (Large* block = central.oldest) {
      unlink(block);
      munmap(block, mapped_bytes(block->size_class));
    } else if (central.warm) {
      cool(central.warm);
    } else {
      return;
    }
  }
}

void* map_or_shrink(std::size_t bytes) {
  ++central.system_allocations;
  if (void* memory = map(bytes)) return memory;
  shrink(0);
  return map(bytes);
}

// A chunk that has a block to give, of the class. Null when there is no memory.
Chunk* chunk_with_room(std::uint32_t size_class, bool& hit) {
  if (Chunk* chunk = central.with_room[size_class]) return chunk;
  Chunk* chunk = central.warm;
  if (chunk) {
    remove(central.warm, chunk);
    central.cached -= static_cast<std::int64_t>(kChunk);
  } else {
    hit = false;
    if (!central.cold) {
      char* group = static_cast<char*>(map_or_shrink(kHugePage));
      if (!group) return nullptr;
      for (std::size_t at = kHugePage; at > 0; at -= kChunk)
        push(central.cold, reinterpret_cast<Chunk*>(group + at - kChunk));
    }
    chunk = central.cold;
    remove(central.cold, chunk);
  }
  chunk->free = nullptr;
  chunk->size_class = size_class;
  chunk->out = chunk->carved = 0;
  chunk->capacity = static_cast<std::uint32_t>((kChunk - kChunkHeader) / bytes_of(size_class));
  chunk->listed = true;
  central.in_chunks += static_cast<std::int64_t>(chunk->capacity * bytes_of(size_class));
  push(central.with_room[size_class], chunk);
  return chunk;
}

// One block, taken from a chunk. Null when there is no memory.
void* take(std::uint32_t size_class, bool& hit) {
  Chunk* chunk = chunk_with_room(size_class, hit);
  if (!chunk) return nullptr;
  void* block = chunk->free;
  if (block) {
    chunk->free = chunk->free->next;
  } else {
    block = reinterpret_cast<char*>(chunk) + kChunkHeader + chunk->carved++ * bytes_of(size_class);
  }
  central.in_chunks -= static_cast<std::int64_t>(bytes_of(size_class));
  if (++chunk->out == chunk->capacity) {
    remove(central.with_room[size_class], chunk);
    chunk->listed = false;
  }
  return block;
}

void put_back(void* memory) {
  auto* chunk = reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(memory) & ~(kChunk - 1));
  const std::uint32_t c = chunk->size_class;
  auto* block = static_cast<FreeBlock*>(memory);
  block->next = chunk->free;
  chunk->free = block;
  central.in_chunks += static_cast<std::int64_t>(bytes_of(c));
  if (!chunk->listed) {
    push(central.with_room[c], chunk);
    chunk->listed = true;
  }
  if (--chunk->out > 0) return;
  // A class keeps its last chunk, so that a block taken and given back in turns moves none.
  if (central.with_room[c] == chunk && !chunk->next) return;
  remove(central.with_room[c], chunk);
  central.in_chunks -= static_cast<std::int64_t>(chunk->capacity * bytes_of(c));
  push(central.warm, chunk);
  central.cached += static_cast<std::int64_t>(kChunk);
  shrink(limit());
}

void put_back_from(Cache::Bin& bin, std::int32_t keep) {
  std::int32_t count = bin.count.load(std::memory_order_relaxed);
  for (; count > keep; --count) put_back(std::exchange(bin.head, bin.head->next));
  bin.count.store(count, std::memory_order_relaxed);
}

// Lets the thread's cache go when the thread ends.
struct CacheEnd {
  ~CacheEnd() {
    publish();
    const std::lock_guard lock(central.mutex);
    for (Cache::Bin& bin : cache.bins) put_back_from(bin, 0);
    central.allocations += cache.allocations.load(std::memory_order_relaxed);
    remove(central.threads, &cache);
    cache.state = Cache::ended;
  }
};

TERN_COLD void start_cache() {
  static thread_local CacheEnd end;
  (void)&end;
  const std::lock_guard lock(central.mutex);
  push(central.threads, &cache);
  cache.state = Cache::live;
}

void* allocate_large(std::uint32_t size_class) {
  const std::size_t bytes = mapped_bytes(size_class);
  const std::lock_guard lock(central.mutex);
  ++central.allocations;
  if (Large* block = central.large[size_class]) {
    unlink(block);
    return block;
  }
  ++central.misses;
  return map_or_shrink(bytes);
}

void deallocate_large(void* memory, std::uint32_t size_class) {
  const auto bytes = static_cast<std::int64_t>(mapped_bytes(size_class));
  const std::lock_guard lock(central.mutex);
  if (bytes > limit()) {
    munmap(memory, mapped_bytes(size_class));
    return;
  }
  shrink(limit() - bytes);
  auto* block = static_cast<Large*>(memory);
  block->size_class = size_class;
  push(central.large[size_class], block);
  block->newer = nullptr;
  block->older = central.newest;
  (central.newest ? central.newest->newer : central.oldest) = block;
  central.newest = block;
  central.cached += bytes;
}

void* allocate_small(std::uint32_t size_class) {
  if (cache.state == Cache::unused) start_cache();
  bool hit = true;
  const std::lock_guard lock(central.mutex);
  void* block = take(size_class, hit);
  if (block && cache.state == Cache::live) {
    bump(cache.allocations, std::uint64_t{1});
    // And some for the next calls: a quarter of what the cache may hold, 64 KiB at most.
    Cache::Bin& bin = cache.bins[size_class];
    const auto more = static_cast<std::int32_t>((std::size_t{64} << 10) / bytes_of(size_class));
    for (std::int32_t i = 1; i < more; ++i) {
      auto* next = static_cast<FreeBlock*>(take(size_class, hit));
      if (!next) break;
      next->next = bin.head;
      bin.head = next;
      bump(bin.count, 1);
    }
  } else {
    ++central.allocations;
  }
  if (!hit) ++central.misses;
  return block;
}

}  // namespace

void publish() noexcept {
  const std::int64_t bytes = cache.unpublished.load(std::memory_order_relaxed);
  cache.unpublished.store(0, std::memory_order_relaxed);
  count_in_use(bytes);
}

void* allocate_slowly(std::uint32_t size_class) {
  const std::size_t bytes = bytes_of(size_class);
  if (size_class >= kClasses) throw_no_memory(bytes);
  void* memory;
  if (!kCaching) {
    memory = std::aligned_alloc(64, bytes);
    const std::lock_guard lock(central.mutex);
    ++central.allocations;
    ++central.misses;
    ++central.system_allocations;
  } else {
    memory = size_class < kSmallClasses ? allocate_small(size_class) : allocate_large(size_class);
  }
  if (!memory) throw_no_memory(bytes);
  count_in_use(static_cast<std::int64_t>(bytes));
  return memory;
}

void deallocate_slowly(void* memory, std::uint32_t size_class) noexcept {
  count_in_use(-static_cast<std::int64_t>(bytes_of(size_class)));
  if (!kCaching) {
    std::free(memory);
    return;
  }
  if (size_class >= kSmallClasses) {
    deallocate_large(memory, size_class);
    return;
  }
  if (cache.state == Cache::unused) start_cache();
  const std::lock_guard lock(central.mutex);
  put_back(memory);
  if (cache.state == Cache::live) put_back_from(cache.bins[size_class], kSmall[size_class].most_cached / 2);
}

}  // namespace tern::internal::memory

namespace tern {

using namespace internal::memory;

MemoryStatistics memory_statistics() {
  const std::lock_guard lock(central.mutex);
  MemoryStatistics s;
  s.in_use = in_use.load(std::memory_order_relaxed);
  s.allocations = central.allocations;
  s.cached = central.cached + central.in_chunks;
  for (const Cache* thread = central.threads; thread; thread = thread->next) {
    s.in_use += thread->unpublished.load(std::memory_order_relaxed);
    s.allocations += thread->allocations.load(std::memory_order_relaxed);
    for (std::uint32_t c = 0; c < kSmallClasses; ++c) {
      s.cached += thread->bins[c].count.load(std::memory_order_relaxed) * static_cast<std::int64_t>(bytes_of(c));
    }
  }
  s.peak = std::max(peak.load(std::memory_order_relaxed), s.in_use);
  s.cache_hits = s.allocations - central.misses;
  s.system_allocations = central.system_allocations;
  return s;
}

void reset_peak_memory() {
  const std::int64_t now = memory_statistics().in_use;
  peak.store(now, std::memory_order_relaxed);
}

void empty_cache() {
  const std::lock_guard lock(central.mutex);
  if (cache.state == Cache::live) {
    for (Cache::Bin& bin : cache.bins) put_back_from(bin, 0);
  }
  for (Chunk*& head : central.with_room) {
    for (Chunk* chunk = head; chunk;) {
      Chunk* const next = chunk->next;
      if (chunk->out == 0) {
        remove(head, chunk);
        central.in_chunks -= static_cast<std::int64_t>(chunk->capacity * bytes_of(chunk->size_class));
        push(central.warm, chunk);
        central.cached += static_cast<std::int64_t>(kChunk);
      }
      chunk = next;
    }
  }
  shrink(0);
}

void set_cache_limit(std::int64_t bytes) {
  if (bytes < 0) throw ValueError("[set_cache_limit] expected at least 0 bytes, got " + std::to_string(bytes));
  const std::lock_guard lock(central.mutex);
  central.limit = std::min(bytes, std::numeric_limits<std::int64_t>::max() - 1) + 1;
  shrink(bytes);
}

std::int64_t cache_limit() {
  const std::lock_guard lock(central.mutex);
  return limit();
}

}  // namespace tern
