#include "cpu/vector/gemm.h"

#include "cpu/vector/lane.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr int kRows = TERN_VECTOR_BYTES == 64 ? 8 : TERN_VECTOR_BYTES == 32 ? 6 : 4;
constexpr int kVectors = 2;

template <class T, int Rows>
void micro(const GemmTile<T>& tile) {
  using L = Lane<T>;
  L sum[Rows][kVectors];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < kVectors; ++v) {
      sum[i][v] = tile.accumulate ? L::load(tile.c + i * tile.c_row + v * L::kLanes) : L(T(0));
    }
  }
  const T* a = tile.a;
  const T* b = tile.b;
  const std::int64_t a_row = tile.a_row;
  for (std::int64_t k = 0; k < tile.k; ++k, a += tile.a_column, b += tile.b_row) {
    L right[kVectors];
    for (int v = 0; v < kVectors; ++v) right[v] = L::load(b + v * L::kLanes);
    for (int i = 0; i < Rows; ++i) {
      const L left(a[i * a_row]);
      for (int v = 0; v < kVectors; ++v) sum[i][v] = fma(left, right[v], sum[i][v]);
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < kVectors; ++v) sum[i][v].store(tile.c + i * tile.c_row + v * L::kLanes);
  }
}

template <class T>
constexpr GemmMicro<T> table() {
  return {kRows, kVectors * Lane<T>::kLanes, &micro<T, kRows>, &micro<T, 1>};
}

}  // namespace

constinit const GemmTable gemm{.f32 = table<float>(), .f64 = table<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
