#pragma once

#include <cstdint>
#include <type_traits>

#include "cpu/target.h"

namespace tern::kernels::cpu {

inline constexpr int kSumLanes = 16;
inline constexpr std::int64_t kSumChunk = 4096;
inline constexpr std::int64_t kSumColumns = 256;

/// Sums of at most kSumChunk terms, by the contract of kernels/cpu/reduce.cpp; extremes of any number, NaN if one is.
template <class T>
struct Reductions {
  using Index = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  /// Of n adjacent terms.
  double (*sum)(const T* x, std::int64_t n);
  /// Of `rows` terms, `stride` apart, for each of at most kSumColumns adjacent columns: total[c] += the sum.
  void (*sum_columns)(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, double* total);
  /// Of n >= 1 adjacent terms.
  T (*max)(const T* x, std::int64_t n);
  T (*min)(const T* x, std::int64_t n);
  /// best[c] becomes the extreme of itself and x[c].
  void (*max_columns)(const T* x, std::int64_t columns, T* best);
  void (*min_columns)(const T* x, std::int64_t columns, T* best);
  /// Where the first of n adjacent elements is that equals `value`, or is NaN when it is; n if none is.
  std::int64_t (*find)(const T* x, std::int64_t n, T value);
  /// As max_columns and min_columns, where x[c] is better than best[c], or the first NaN, at[c] becomes `row`.
  void (*argmax_columns)(const T* x, std::int64_t columns, Index row, T* best, Index* at);
  void (*argmin_columns)(const T* x, std::int64_t columns, Index row, T* best, Index* at);
  /// total[c] += x[c], and to[c] = that, rounded.
  void (*cumulate_columns)(const T* x, std::int64_t columns, double* total, T* to);
};
struct ReduceTable {
  Reductions<float> of_f32;
  Reductions<double> of_f64;
};
TERN_TARGET_TABLES(ReduceTable, reduce)

template <class T>
const Reductions<T>& reductions() {
  const ReduceTable& table = chosen(reduce_tables);
  if constexpr (sizeof(T) == 4) {
    return table.of_f32;
  } else {
    return table.of_f64;
  }
}

}  // namespace tern::kernels::cpu
