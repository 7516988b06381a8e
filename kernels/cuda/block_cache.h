#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tern/tensor/memory.h"

// The caching allocator of a device, over any source of raw memory, so that it runs without a GPU too. Each device has
// one queue, and all uses of a block stand in it: a block that was let go may be handed out at once, as what is done
// with it next stands behind what is still being done. Blocks have four size classes to a doubling and return to the
// source only when it has no more, or by empty(), which the caller precedes by a wait.
namespace tern::kernels::cuda {

/// Where blocks come from. `take` gives null when there is none.
class RawMemory {
 public:
  virtual ~RawMemory() = default;
  virtual void* take(std::size_t bytes) = 0;
  virtual void give_back(void* memory) noexcept = 0;
  /// Until nothing uses any block that was let go.
  virtual void wait() noexcept = 0;
};

/// Bytes of the block that serves a request: the next of 512 B, or of four steps to each doubling.
constexpr std::size_t block_bytes(std::size_t bytes) {
  constexpr std::size_t smallest = 512;
  if (bytes <= smallest) return smallest;
  std::size_t power = smallest;
  while (power < bytes && power <= SIZE_MAX / 2) power *= 2;
  const std::size_t step = power / 8;  // power / 2 < bytes <= power
  const std::size_t blocks = bytes / step + (bytes % step != 0 ? 1 : 0);
  return std::max(blocks * step, smallest);
}

class BlockCache {
 public:
  /// A set of blocks that only serve each other: the common ones, or those of one recording.
  struct Pool {
    std::map<std::size_t, std::vector<void*>> free;
  };

  explicit BlockCache(RawMemory& raw) : raw_(raw) {}
  ~BlockCache() {
    for (const auto& [memory, block] : blocks_) raw_.give_back(memory);
  }
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  /// Null when the source has no memory left, though all cached blocks were given back.
  void* allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t size = block_bytes(bytes);
    Pool* const pool = recording_ ? recording_ : &common_;
    ++statistics_.allocations;
    void* memory = nullptr;
    auto found = pool->free.find(size);
    if (found != pool->free.end() && !found->second.empty()) {
      memory = found->second.back();
      found->second.pop_back();
      statistics_.cached -= static_cast<std::int64_t>(size);
      ++statistics_.cache_hits;
    } else {
      ++statistics_.system_allocations;
      memory = raw_.take(size);
      if (!memory && !recording_) {  // nothing may be waited for within a recording
        raw_.wait();
        empty_locked();
        memory = raw_.take(size);
      }
      if (!memory) return nullptr;
      blocks_[memory] = {size, pool};
    }
    statistics_.in_use += static_cast<std::int64_t>(size);
    statistics_.peak = std::max(statistics_.peak, statistics_.in_use);
    return memory;
  }

  void free(void* memory) {
    const std::lock_guard lock(mutex_);
    Block& block = blocks_.at(memory);
    // What is let go within a recording is still the graph's to read and write.
    if (recording_ && block.pool == &common_) block.pool = recording_;
    block.pool->free[block.size].push_back(memory);
    statistics_.in_use -= static_cast<std::int64_t>(block.size);
    statistics_.cached += static_cast<std::int64_t>(block.size);
  }

  /// From here on, until end_recording, blocks come from `pool`, to which they return whenever they are let go; so does
  /// what was there before and is let go meanwhile.
  void begin_recording(Pool* pool) {
    const std::lock_guard lock(mutex_);
    recording_ = pool;
  }
  void end_recording() {
    const std::lock_guard lock(mutex_);
    recording_ = nullptr;
  }
  /// The blocks of a pool that is done with serve everybody, those in use once they are let go.
  void dissolve(Pool& pool) {
    const std::lock_guard lock(mutex_);
    for (auto& [size, list] : pool.free) {
      auto& to = common_.free[size];
      to.insert(to.end(), list.begin(), list.end());
    }
    pool.free.clear();
    for (auto& [memory, block] : blocks_) {
      if (block.pool == &pool) block.pool = &common_;
    }
  }

  /// Gives the common cached blocks back to the source.
  void empty() {
    const std::lock_guard lock(mutex_);
    empty_locked();
  }

  MemoryStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

 private:
  struct Block {
    std::size_t size;
    Pool* pool;
  };

  void empty_locked() {
    for (auto& [size, list] : common_.free) {
      for (void* memory : list) {
        blocks_.erase(memory);
        raw_.give_back(memory);
        statistics_.cached -= static_cast<std::int64_t>(size);
      }
    }
    common_.free.clear();
  }

  std::mutex mutex_;
  RawMemory& raw_;
  Pool common_;
  Pool* recording_ = nullptr;
  std::unordered_map<void*, Block> blocks_;
  MemoryStatistics statistics_{};
};

}  // namespace tern::kernels::cuda
