#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/allocator.h"

namespace tern::kernels::cpu {

/// Memory for the time of a call, from the tensors' allocator, with nothing written to it.
template <class T>
struct Scratch {
  explicit Scratch(std::int64_t count)
      : elements(static_cast<T*>(internal::allocate(static_cast<std::size_t>(count) * sizeof(T), size_class))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { internal::deallocate(elements, size_class); }

  std::uint32_t size_class = 0;
  T* elements;
};

}  // namespace tern::kernels::cpu
