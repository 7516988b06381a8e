#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "models/blocks.h"
#include "tern/data/matrix.h"

// Distances between rows: exact ones in double, and by matrix products |t|² - 2 r·t for many at once.
namespace tern::models::internal {

/// |a - b|² in double, in one order of its terms.
template <class A, class B>
double squared_distance(const A* a, const B* b, std::int64_t d) {
  double sums[8] = {};
  std::int64_t j = 0;
  for (; j + 8 <= d; j += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      const double gap = static_cast<double>(a[j + lane]) - static_cast<double>(b[j + lane]);
      sums[lane] += gap * gap;
    }
  }
  for (int lane = 0; j < d; ++j, ++lane) {
    const double gap = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    sums[lane] += gap * gap;
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// A row of a matrix less `shift`, as T.
template <class T>
void shifted_row(const data::Matrix& x, std::int64_t row, const double* shift, T* to) {
  const std::int64_t d = x.columns();
  const auto move = [&](const auto* from) {
    for (std::int64_t j = 0; j < d; ++j) to[j] = static_cast<T>(static_cast<double>(from[j]) - shift[j]);
  };
  if (x.f32()) {
    move(x.f32() + row * d);
  } else {
    move(x.f64() + row * d);
  }
}

/// |a|², in double.
template <class T>
double squared_norm(const T* a, std::int64_t d) {
  double sums[8] = {};
  std::int64_t j = 0;
  for (; j + 8 <= d; j += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      sums[lane] += static_cast<double>(a[j + lane]) * static_cast<double>(a[j + lane]);
    }
  }
  for (int lane = 0; j < d; ++j, ++lane) sums[lane] += static_cast<double>(a[j]) * static_cast<double>(a[j]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// Points to which rows are measured, packed once for any number of products.
template <class T>
class Targets {
 public:
  Targets(std::int64_t most, std::int64_t d) : d_(d) {
    const std::int64_t width = products<T>().columns, room = (most + width - 1) / width * width;
    memory_ = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(room * d + 64));
    void* start = memory_.get();
    std::size_t space = static_cast<std::size_t>(room * d + 64) * sizeof(T);
    packed_ = static_cast<T*>(std::align(64, static_cast<std::size_t>(room * d) * sizeof(T), start, space));
    norms_.resize(static_cast<std::size_t>(most));
  }

  std::int64_t count() const { return count_; }
  const T* norms() const { return norms_.data(); }
  /// Points that `packing_step()` cuts may be set apart, by several threads.
  static std::int64_t packing_step() { return products<T>().columns; }
  void resize(std::int64_t count) { count_ = count; }
  /// Points [begin, begin + count), which it scales; `begin` is a multiple of `packing_step()`.
  void set(std::int64_t begin, std::int64_t count, T* points) {
    for (std::int64_t i = 0; i < count; ++i) {
      T* point = points + i * d_;
      norms_[static_cast<std::size_t>(begin + i)] = static_cast<T>(squared_norm(point, d_));
      for (std::int64_t j = 0; j < d_; ++j) point[j] *= T(-2);
    }
    products<T>().pack({.m = 1, .n = count, .k = d_, .b = points, .b_row = 1, .b_column = d_}, packed_ + begin * d_);
  }
  /// to [rows, count] = |t|² - 2 r·t for contiguous rows: the squared distances less |r|².
  void measure(const T* rows, std::int64_t m, T* to) const {
    products<T>().block({.m = m,
                         .n = count_,
                         .k = d_,
                         .a = rows,
                         .a_row = d_,
                         .a_column = 1,
                         .b = packed_,
                         .b_row = 1,
                         .b_column = d_,
                         .c = to,
                         .c_row = count_,
                         .bias = norms_.data(),
                         .packed = true});
  }

 private:
  std::int64_t d_, count_ = 0;
  std::unique_ptr<T[]> memory_;
  T* packed_ = nullptr;
  std::vector<T> norms_;
};

}  // namespace tern::models::internal
