#include "trees/buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <string>

#include "tern/base/error.h"

namespace tern::trees::internal {

void* take_memory(std::size_t bytes) {
  constexpr std::size_t kLine = 64, kPage = std::size_t{1} << 21;
  if (bytes == 0) return nullptr;
  void* memory = nullptr;
  if (posix_memalign(&memory, bytes >= 2 * kPage ? kPage : kLine, bytes) != 0) {
    throw MemoryError("[trees] expected memory of " + std::to_string(bytes) + " bytes, got none");
  }
  // Rows are read in an order that has little to do with where they lie.
  if (bytes >= 2 * kPage) madvise(memory, bytes / kPage * kPage, MADV_HUGEPAGE);
  return memory;
}

void give_memory(void* memory) { std::free(memory); }

}  // namespace tern::trees::internal
