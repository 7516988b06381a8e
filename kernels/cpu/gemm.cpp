#include <algorithm>
#include <cstring>

#include "cpu/families.h"
#include "functors/unary.h"
#include "slots.h"
#include "tensor/allocator.h"
#include "tern/base/parallel.h"

// The contract stands at GemmArgs. Columns are the vector's lanes: a tile of rows × columns keeps its accumulators in
// registers and goes through all of k, so blocking and tails cannot change an element's chain.
namespace tern::kernels::cpu {
namespace {

template <class T>
struct Tile {
  typedef T Vector __attribute__((vector_size(16)));
  static constexpr int lanes = 16 / sizeof(T);
  static constexpr int vectors = 2;
  static constexpr int columns = lanes * vectors;
  static constexpr int rows = 4;
};

constexpr std::int64_t kRowBlock = 64;     // rows of a task
constexpr std::int64_t kColumnBlock = 64;  // columns of a task
constexpr std::int64_t kSerialWork = 64 * 64 * 64;

template <class T>
T activate(T x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return Relu::forward(x);
    case Activation::tanh:
      return Tanh::forward(x);
    case Activation::sigmoid:
      return Sigmoid::forward(x);
    case Activation::none:
      break;
  }
  return x;
}

// Rows × Tile::columns of C; b has rows of `b_row` elements, all `columns` of them readable.
template <class T, int Rows>
__attribute__((always_inline)) inline void tile(const GemmArgs& args, const T* a, const T* b, std::int64_t b_row, T* c,
                                                std::int64_t columns, const T* bias) {
  using Vector = typename Tile<T>::Vector;
  constexpr int kVectors = Tile<T>::vectors, kLanes = Tile<T>::lanes;
  Vector sum[Rows][kVectors] = {};
  alignas(16) T edge[Rows][Tile<T>::columns];
  if (args.accumulate) {
    for (int i = 0; i < Rows; ++i) {
      for (int j = 0; j < Tile<T>::columns; ++j) edge[i][j] = j < columns ? c[i * args.c_row + j] : T(0);
    }
    std::memcpy(sum, edge, sizeof(edge));
  }
  const std::int64_t a_row = args.a_row, a_column = args.a_column, depth = args.k;
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector right[kVectors];
    std::memcpy(right, b + k * b_row, sizeof(right));
    for (int i = 0; i < Rows; ++i) {
      const T left = a[i * a_row + k * a_column];
      for (int v = 0; v < kVectors; ++v) sum[i][v] += left * right[v];
    }
  }
  static_assert(sizeof(sum) == sizeof(edge) && kVectors * kLanes == Tile<T>::columns);
  if (columns == Tile<T>::columns && !bias && args.activation == Activation::none) {
    for (int i = 0; i < Rows; ++i) std::memcpy(c + i * args.c_row, sum[i], sizeof(sum[i]));
    return;
  }
  std::memcpy(edge, sum, sizeof(edge));
  for (int i = 0; i < Rows; ++i) {
    for (int j = 0; j < columns; ++j) {
      T value = edge[i][j];
      if (bias) value += bias[j];
      c[i * args.c_row + j] = activate(value, args.activation);
    }
  }
}

// Rows [i0, i1) and columns [j0, j1) of C.
template <class T>
void block(const GemmArgs& args, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
  constexpr int kColumns = Tile<T>::columns, kRows = Tile<T>::rows;
  const T* a = static_cast<const T*>(args.a);
  const T* b = static_cast<const T*>(args.b);
  T* c = static_cast<T*>(args.c);
  std::uint32_t size_class = 0;
  T* packed = nullptr;
  for (std::int64_t j = j0; j < j1; j += kColumns) {
    const std::int64_t columns = std::min<std::int64_t>(kColumns, j1 - j);
    const T* right = b + j * args.b_column;
    std::int64_t right_row = args.b_row;
    if (args.b_column != 1 || columns < kColumns) {
      // Side by side, and padded with zeros, which reach no element of C.
      if (!packed) {
        packed = static_cast<T*>(internal::allocate(
            static_cast<std::size_t>(std::max<std::int64_t>(args.k, 1)) * kColumns * sizeof(T), size_class));
      }
      for (std::int64_t v = 0; v < columns; ++v) {
        for (std::int64_t k = 0; k < args.k; ++k) packed[k * kColumns + v] = right[k * args.b_row + v * args.b_column];
      }
      for (std::int64_t v = columns; v < kColumns; ++v) {
        for (std::int64_t k = 0; k < args.k; ++k) packed[k * kColumns + v] = T(0);
      }
      right = packed;
      right_row = kColumns;
    }
    const T* bias = args.bias ? static_cast<const T*>(args.bias) + j : nullptr;
    std::int64_t i = i0;
    for (; i + kRows <= i1; i += kRows) {
      tile<T, kRows>(args, a + i * args.a_row, right, right_row, c + i * args.c_row + j, columns, bias);
    }
    for (; i < i1; ++i) tile<T, 1>(args, a + i * args.a_row, right, right_row, c + i * args.c_row + j, columns, bias);
  }
  if (packed) internal::deallocate(packed, size_class);
}

template <class T>
void gemm_kernel(const GemmArgs& args) {
  if (args.m * args.n * args.k <= kSerialWork) return block<T>(args, 0, args.m, 0, args.n);
  const std::int64_t rows = (args.m + kRowBlock - 1) / kRowBlock;
  const std::int64_t columns = (args.n + kColumnBlock - 1) / kColumnBlock;
  parallel_for(rows * columns, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t i = task / columns * kRowBlock, j = task % columns * kColumnBlock;
      block<T>(args, i, std::min(args.m, i + kRowBlock), j, std::min(args.n, j + kColumnBlock));
    }
  });
}

}  // namespace

void register_gemm() {
  gemm.set(DeviceKind::cpu, f32, &gemm_kernel<float>);
  gemm.set(DeviceKind::cpu, f64, &gemm_kernel<double>);
}

}  // namespace tern::kernels::cpu
