#include "cpu/vector/reduce.h"

#include "cpu/vector/sum.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

template <class T>
double sum(const T* x, std::int64_t n) {
  LaneSum lanes;
  by_sixteen(
      n, [&](std::int64_t i) { lanes.add(x + i); },
      [&](std::int64_t i, int rest) { lanes.add(Sixteen<T>(x + i, rest).at); });
  return lanes.total();
}

template <class T>
void sum_columns(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, double* total) {
  alignas(64) double lane[kSumLanes][kSumColumns];
  const std::int64_t whole = columns - columns % Wide::kLanes;
  for (std::int64_t r = 0; r < rows || r < kSumLanes; ++r) {
    double* to = lane[r % kSumLanes];
    if (r >= rows) {
      for (std::int64_t c = 0; c < columns; ++c) to[c] = 0;
      continue;
    }
    const T* row = x + r * stride;
    if (r < kSumLanes) {
      for (std::int64_t c = 0; c < whole; c += Wide::kLanes) (Wide(0) + widen(row + c)).store(to + c);
      for (std::int64_t c = whole; c < columns; ++c) to[c] = 0 + static_cast<double>(row[c]);
    } else {
      for (std::int64_t c = 0; c < whole; c += Wide::kLanes) (Wide::load(to + c) + widen(row + c)).store(to + c);
      for (std::int64_t c = whole; c < columns; ++c) to[c] += static_cast<double>(row[c]);
    }
  }
  for (std::int64_t c = 0; c < whole; c += Wide::kLanes) {
    Wide at[kSumLanes];
    for (int l = 0; l < kSumLanes; ++l) at[l] = Wide::load(lane[l] + c);
    (Wide::load(total + c) + sum_of_lanes(at)).store(total + c);
  }
  for (std::int64_t c = whole; c < columns; ++c) {
    double at[kSumLanes];
    for (int l = 0; l < kSumLanes; ++l) at[l] = lane[l][c];
    total[c] += sum_of_lanes(at);
  }
}

template <class Better, class T>
T extreme_of(const T* x, std::int64_t n) {
  return extreme<Better>(x, n);
}

template <class Better, class T>
void extreme_columns(const T* x, std::int64_t columns, T* best) {
  using L = Lane<T>;
  std::int64_t c = 0;
  for (; c + L::kLanes <= columns; c += L::kLanes) Better::of(L::load(best + c), L::load(x + c)).store(best + c);
  if (c < columns) {
    const int rest = static_cast<int>(columns - c);
    Better::of(L::load(best + c, rest), L::load(x + c, rest)).store(best + c, rest);
  }
}

template <class T>
constexpr Reductions<T> table() {
  return {.sum = &sum<T>,
          .sum_columns = &sum_columns<T>,
          .max = &extreme_of<Larger, T>,
          .min = &extreme_of<Smaller, T>,
          .max_columns = &extreme_columns<Larger, T>,
          .min_columns = &extreme_columns<Smaller, T>};
}

}  // namespace

constinit const ReduceTable reduce{.of_f32 = table<float>(), .of_f64 = table<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
