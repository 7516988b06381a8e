#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"

namespace tern {

/// The most dimensions a tensor may have.
inline constexpr int kMaxDims = 8;

/// A short list of sizes, or of dimensions, kept inline. More than kMaxDims entries throw ShapeError.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(sizes.begin(), sizes.size()) {}
  TERN_API Shape(std::span<const std::int64_t> sizes);
  TERN_API Shape(const std::vector<std::int64_t>& sizes);
  Shape(const std::int64_t* sizes, std::size_t count) {
    if (count > static_cast<std::size_t>(kMaxDims)) throw_too_many(count);
    count_ = static_cast<int>(count);
    for (int i = 0; i < count_; ++i) sizes_[i] = sizes[i];
  }
  int size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::int64_t operator[](int i) const { return sizes_[i]; }
  std::int64_t& operator[](int i) { return sizes_[i]; }
  std::int64_t back() const { return sizes_[count_ - 1]; }
  const std::int64_t* begin() const { return sizes_; }
  const std::int64_t* end() const { return sizes_ + count_; }
  std::int64_t* begin() { return sizes_; }
  std::int64_t* end() { return sizes_ + count_; }
  TERN_API operator std::span<const std::int64_t>() const;

  void push_back(std::int64_t size) {
    if (count_ == kMaxDims) throw_too_many(kMaxDims + 1);
    sizes_[count_++] = size;
  }
  /// Inserts before position `at` of 0 … size().
  void insert(int at, std::int64_t size) {
    push_back(size);
    for (int i = count_ - 1; i > at; --i) sizes_[i] = sizes_[i - 1];
    sizes_[at] = size;
  }
  void erase(int at) {
    --count_;
    for (int i = at; i < count_; ++i) sizes_[i] = sizes_[i + 1];
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.count_ != b.count_) return false;
    for (int i = 0; i < a.count_; ++i) {
      if (a.sizes_[i] != b.sizes_[i]) return false;
    }
    return true;
  }

 private:
  [[noreturn]] TERN_API static void throw_too_many(std::size_t count);

  int count_ = 0;
  std::int64_t sizes_[kMaxDims] = {};  // all set, so that a copy is a few wide moves and no loop
};

/// A list of dimensions; negative ones count from the end.
using Dims = Shape;

/// "[2, 3]".
TERN_API std::string to_string(const Shape& shape);

/// The shape that `a` and `b` broadcast to (NumPy's rule). Throws ShapeError naming `where`.
TERN_API Shape broadcast_shapes(const char* where, const Shape& a, const Shape& b);

}  // namespace tern
