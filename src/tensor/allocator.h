#pragma once

#include <cstddef>
#include <cstdint>

namespace tern::internal {

/// 64-byte aligned memory from the calling thread's cache of size classes, else from the system. Throws MemoryError.
/// `size_class` receives what `deallocate` needs.
void* allocate(std::size_t bytes, std::uint32_t& size_class);

/// Gives memory back, from any thread; the cache of a thread holds 64 MiB at most.
void deallocate(void* memory, std::uint32_t size_class) noexcept;

}  // namespace tern::internal
