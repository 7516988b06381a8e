#include <algorithm>

#include "cpu/families.h"
#include "cpu/vector/gemm.h"
#include "functors/unary.h"
#include "slots.h"
#include "tensor/allocator.h"
#include "tern/base/parallel.h"

// The contract stands at GemmArgs. Columns are the vector's lanes: a tile of rows × columns keeps its accumulators in
// registers and goes through all of k, so blocking, tails and the width of vectors cannot change an element's chain.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kRowBlock = 64;     // rows of a task
constexpr std::int64_t kColumnBlock = 64;  // columns of a task
constexpr std::int64_t kSerialWork = 64 * 64 * 64;
constexpr int kMostRows = 8, kMostColumns = 32;  // of a tile, on any target

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

const GemmMicro<float>& micro_of(const GemmTable& table, float) { return table.f32; }
const GemmMicro<double>& micro_of(const GemmTable& table, double) { return table.f64; }

// Bias and activation of a tile that is summed up, into C.
template <class T>
void finish(const GemmArgs& args, const T* sum, int sum_row, std::int64_t rows, std::int64_t columns, const T* bias,
            T* c) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      T value = sum[i * sum_row + j];
      if (bias) value += bias[j];
      c[i * args.c_row + j] = activate(value, args.activation);
    }
  }
}

// Rows [i0, i1) and columns [j0, j1) of C, in tiles of `micro`; the last columns may be fewer than a tile's.
template <class T>
void panel(const GemmArgs& args, const GemmMicro<T>& micro, std::int64_t i0, std::int64_t i1, std::int64_t j,
           std::int64_t columns, const T* right, std::int64_t right_row) {
  const T* a = static_cast<const T*>(args.a);
  const T* bias = args.bias ? static_cast<const T*>(args.bias) + j : nullptr;
  const bool direct = columns == micro.columns && !bias && args.activation == Activation::none;
  alignas(64) T edge[kMostRows * kMostColumns];
  for (std::int64_t i = i0; i < i1;) {
    const std::int64_t rows = i1 - i >= micro.rows ? micro.rows : 1;
    T* c = static_cast<T*>(args.c) + i * args.c_row + j;
    GemmTile<T> tile{.a = a + i * args.a_row,
                     .a_row = args.a_row,
                     .a_column = args.a_column,
                     .b = right,
                     .b_row = right_row,
                     .k = args.k,
                     .c = c,
                     .c_row = args.c_row,
                     .accumulate = args.accumulate};
    if (!direct) {
      if (args.accumulate) {
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t v = 0; v < micro.columns; ++v) {
            edge[r * micro.columns + v] = v < columns ? c[r * args.c_row + v] : T(0);
          }
        }
      }
      tile.c = edge;
      tile.c_row = micro.columns;
    }
    (rows == 1 ? micro.one_row : micro.full)(tile);
    if (!direct) finish(args, edge, micro.columns, rows, columns, bias, c);
    i += rows;
  }
}

template <class T>
void block(const GemmArgs& args, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
  static const GemmTable& table = chosen(gemm_tables);
  const GemmMicro<T>& wide = micro_of(table, T{});
  const T* b = static_cast<const T*>(args.b);
  std::uint32_t size_class = 0;
  T* packed = nullptr;
  for (std::int64_t j = j0; j < j1;) {
    const GemmMicro<T>& micro = wide;
    const std::int64_t columns = std::min<std::int64_t>(micro.columns, j1 - j);
    const T* right = b + j * args.b_column;
    std::int64_t right_row = args.b_row;
    if (args.b_column != 1 || columns < micro.columns) {
      // Side by side, and padded with zeros, which reach no element of C.
      if (!packed) {
        packed = static_cast<T*>(internal::allocate(
            static_cast<std::size_t>(std::max<std::int64_t>(args.k, 1)) * kMostColumns * sizeof(T), size_class));
      }
      right_row = micro.columns;
      for (std::int64_t k = 0; k < args.k; ++k) {
        T* to = packed + k * right_row;
        for (std::int64_t v = 0; v < columns; ++v) to[v] = right[k * args.b_row + v * args.b_column];
        for (std::int64_t v = columns; v < micro.columns; ++v) to[v] = T(0);
      }
      right = packed;
    }
    panel(args, micro, i0, i1, j, columns, right, right_row);
    j += columns;
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
  kernels::gemm.set(DeviceKind::cpu, f32, &gemm_kernel<float>);
  kernels::gemm.set(DeviceKind::cpu, f64, &gemm_kernel<double>);
}

}  // namespace tern::kernels::cpu
