#pragma once

#include <cstdint>

#include "tern/base/export.h"
#include "tern/tensor/device.h"

namespace tern {

/// What an allocator did and holds, for all threads together. Sizes are in bytes of whole blocks, which are up
/// to a quarter larger than what was asked for. Numbers of other threads that run may be a few operations old.
struct MemoryStatistics {
  std::int64_t in_use = 0;               ///< in tensors and nodes of graphs
  std::int64_t cached = 0;               ///< held for reuse
  std::int64_t peak = 0;                 ///< the most that was in use at once, to within 64 KiB a thread
  std::uint64_t allocations = 0;         ///< blocks handed out
  std::uint64_t cache_hits = 0;          ///< of which no memory was asked of the system
  std::uint64_t system_allocations = 0;  ///< times that memory was asked of the system
};
TERN_API MemoryStatistics memory_statistics();
/// That of a device, without its tensors' headers, which lie on the CPU. Throws DeviceError when it is not there.
TERN_API MemoryStatistics memory_statistics(Device device);

/// The peak is what is in use now.
TERN_API void reset_peak_memory();

/// Gives cached memory back to the system, apart from what other threads cache for themselves, which is at most 16 MiB
/// each.
TERN_API void empty_cache();
/// Waits for the device and gives its cached memory back. Throws DeviceError when it is not there.
TERN_API void empty_cache(Device device);

/// Sets how many bytes of freed blocks are kept at most, beside the threads' own caches; the longest unused are given
/// back first. At the start it is a quarter of the machine's memory. Throws ValueError when negative.
TERN_API void set_cache_limit(std::int64_t bytes);
TERN_API std::int64_t cache_limit();

}  // namespace tern
