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
  using Index = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
  using Sum = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
  /// Of n adjacent terms.
  Sum (*sum)(const T* x, std::int64_t n);
  /// Of `rows` terms, `stride` apart, for each of at most kSumColumns adjacent columns: total[c] += the sum.
  void (*sum_columns)(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, Sum* total);
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
  void (*cumulate_columns)(const T* x, std::int64_t columns, Sum* total, T* to);
};
struct ReduceTable {
  Reductions<float> of_f32;
  Reductions<double> of_f64;
};
TERN_TARGET_TABLES(ReduceTable, reduce)
/// Booleans are bytes of 0 and 1.
struct WholeReduceTable {
  Reductions<std::int64_t> of_i64;
  Reductions<std::int32_t> of_i32;
  Reductions<std::uint8_t> of_u8;
};
TERN_TARGET_TABLES(WholeReduceTable, whole_reduce)

template <class T>
const Reductions<T>& reductions() {
  if constexpr (std::is_same_v<T, float>) {
    return chosen(reduce_tables).of_f32;
  } else if constexpr (std::is_same_v<T, double>) {
    return chosen(reduce_tables).of_f64;
  } else if constexpr (sizeof(T) == 8) {
    return chosen(whole_reduce_tables).of_i64;
  } else if constexpr (sizeof(T) == 4) {
    return chosen(whole_reduce_tables).of_i32;
  } else {
    return chosen(whole_reduce_tables).of_u8;
  }
}

}  // namespace tern::kernels::cpu
