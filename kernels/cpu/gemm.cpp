#include <algorithm>

#include "cpu/families.h"
#include "cpu/vector/gemm.h"
#include "functors/unary.h"
#include "slots.h"
#include "tern/base/parallel.h"

// What cpu/vector/gemm.cpp multiplies, cut into tasks for the threads. No cut changes a bit: each element is one chain.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kSerialWork = 1 << 19;  // multiply-adds that are not worth a second thread
constexpr std::int64_t kTaskWork = 1 << 21;    // of a task, at least
constexpr std::int64_t kMostTasks = 32;

template <class T>
const GemmCode<T>& code() {
  static const GemmTable& table = chosen(gemm_tables);
  if constexpr (sizeof(T) == sizeof(float)) {
    return table.f32;
  } else {
    return table.f64;
  }
}

template <class T>
T activate(T x, Activation activation) {
  return activation == Activation::tanh ? Tanh::forward(x) : Sigmoid::forward(x);
}

// Rows [i0, i1) and columns [j0, j1) of C.
template <class T>
void part(const GemmArgs& args, std::int64_t i0, std::int64_t i1, std::int64_t j0, std::int64_t j1) {
  const GemmBlock<T> block{.m = i1 - i0,
                           .n = j1 - j0,
                           .k = args.k,
                           .a = static_cast<const T*>(args.a) + i0 * args.a_row,
                           .a_row = args.a_row,
                           .a_column = args.a_column,
                           .b = static_cast<const T*>(args.b) + j0 * args.b_column,
                           .b_row = args.b_row,
                           .b_column = args.b_column,
                           .c = static_cast<T*>(args.c) + i0 * args.c_row + j0,
                           .c_row = args.c_row,
                           .bias = args.bias ? static_cast<const T*>(args.bias) + j0 : nullptr,
                           .accumulate = args.accumulate,
                           .relu = args.activation == Activation::relu,
                           .packed = false};
  code<T>().block(block);
  if (args.activation == Activation::none || args.activation == Activation::relu) return;
  for (std::int64_t i = 0; i < block.m; ++i) {
    T* row = block.c + i * block.c_row;
    for (std::int64_t j = 0; j < block.n; ++j) row[j] = activate(row[j], args.activation);
  }
}

std::int64_t parts(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

// Rows and columns of a task. Each packs for itself what it must: parts of B that lie apart when the columns are cut,
// parts of A when the rows are, so that the longer side is cut.
struct Cut {
  std::int64_t rows, columns;
};
Cut cut(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t tile_columns) {
  Cut cut{m, n};
  const auto work = [&] {
    return static_cast<double>(cut.rows) * static_cast<double>(cut.columns) * static_cast<double>(k);
  };
  constexpr std::int64_t kTileRows = 8;
  while (work() >= 2.0 * kTaskWork && parts(m, cut.rows) * parts(n, cut.columns) < kMostTasks) {
    const bool columns_can = cut.columns >= 2 * tile_columns, rows_can = cut.rows >= 2 * kTileRows;
    if (columns_can && (cut.columns >= cut.rows || !rows_can)) {
      cut.columns = parts(parts(cut.columns, 2), tile_columns) * tile_columns;
    } else if (rows_can) {
      cut.rows = parts(parts(cut.rows, 2), kTileRows) * kTileRows;
    } else {
      break;
    }
  }
  return cut;
}

template <class T>
void gemm_kernel(const GemmArgs& args) {
  if (args.m * args.n * args.k <= kSerialWork || num_threads() == 1) return part<T>(args, 0, args.m, 0, args.n);
  const Cut task = cut(args.m, args.n, args.k, code<T>().columns);
  const std::int64_t across = parts(args.n, task.columns);
  parallel_for(parts(args.m, task.rows) * across, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t i = t / across * task.rows, j = t % across * task.columns;
      part<T>(args, i, std::min(args.m, i + task.rows), j, std::min(args.n, j + task.columns));
    }
  });
}

}  // namespace

void register_gemm() {
  kernels::gemm.set(DeviceKind::cpu, f32, &gemm_kernel<float>);
  kernels::gemm.set(DeviceKind::cpu, f64, &gemm_kernel<double>);
}

}  // namespace tern::kernels::cpu
