#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// C [m, n] = relu?(A [m, k] · B [k, n] + bias?), or C += A · B. Strides in elements; C's columns are adjacent.
template <class T>
struct GemmBlock {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;  // or what `pack` made of all of B, when `packed`
  std::int64_t b_row, b_column;
  T* c;
  std::int64_t c_row;
  const T* bias;  // [n] or null
  bool accumulate, relu, packed;
};

template <class T>
struct GemmCode {
  /// Columns that are packed side by side: parts of a packed B begin at multiples of it.
  int columns;
  void (*block)(const GemmBlock<T>&);
  /// B of `block`, k rows and n columns, in the order in which it is read, for any number of calls; `to` has room for
  /// k · n' elements, n' being n rounded up to `columns`, aligned to 64 bytes.
  void (*pack)(const GemmBlock<T>& block, T* to);
};

struct GemmTable {
  GemmCode<float> f32;
  GemmCode<double> f64;
};
TERN_TARGET_TABLES(GemmTable, gemm)

}  // namespace tern::kernels::cpu
