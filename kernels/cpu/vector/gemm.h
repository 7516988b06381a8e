#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// A tile of C, rows × columns: C += A · B, or C = A · B unless accumulating. Strides in elements; columns of B and C
/// are adjacent.
template <class T>
struct GemmTile {
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row;
  std::int64_t k;
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

template <class T>
struct GemmMicro {
  int rows, columns;
  void (*full)(const GemmTile<T>&);     // `rows` rows
  void (*one_row)(const GemmTile<T>&);  // one row
};

struct GemmTable {
  GemmMicro<float> f32;
  GemmMicro<double> f64;
};
TERN_TARGET_TABLES(GemmTable, gemm)

}  // namespace tern::kernels::cpu
