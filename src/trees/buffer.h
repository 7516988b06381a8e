#pragma once

#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

namespace tern::trees::internal {

/// Memory aligned to a cache line, in large pages where it is large and the system has some. Throws MemoryError.
void* take_memory(std::size_t bytes);
void give_memory(void* memory);

/// Memory for n plain values, not set.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(std::size_t n) : size_(n) {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    data_ = static_cast<T*>(take_memory(n <= kMost / sizeof(T) ? n * sizeof(T) : kMost));
  }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() { give_memory(data_); }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tern::trees::internal
