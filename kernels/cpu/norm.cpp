#include <algorithm>
#include <cstdint>

#include "cpu/families.h"
#include "cpu/scratch.h"
#include "cpu/strips.h"
#include "cpu/vector/norm.h"
#include "slots/norm.h"
#include "tern/base/parallel.h"

// Rows are independent. Gradients of the weights are summed over blocks of rows, whose number depends on the shape
// alone, and the blocks' sums in order, in f64.
namespace tern::kernels::cpu {
namespace {

template <class T>
const NormLoops<T>& loops() {
  const NormTable& table = chosen(norm_tables);
  if constexpr (std::is_same_v<T, float>) {
    return table.f32;
  } else {
    return table.f64;
  }
}

template <class T>
NormRows<T> part(const NormArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t skipped = begin * args.columns;
  const auto from = [=](const void* p) { return p ? static_cast<const T*>(p) + skipped : nullptr; };
  return {.rows = end - begin,
          .columns = args.columns,
          .centred = args.centred,
          .stream = args.rows * args.columns * static_cast<std::int64_t>(sizeof(T)) >= kStreamBytes,
          .eps = args.eps,
          .x = from(args.x),
          .weight = static_cast<const T*>(args.weight),
          .bias = static_cast<const T*>(args.bias),
          .g = from(args.g),
          .statistics = args.statistics + 2 * begin,
          .out = args.out ? static_cast<T*>(args.out) + skipped : nullptr,
          .weight_gradient = nullptr,
          .bias_gradient = nullptr};
}

std::int64_t row_grain(const NormArgs& args) { return 8192 / std::max<std::int64_t>(args.columns, 1) + 1; }

template <class T>
void forward(const NormArgs& args) {
  const NormLoops<T>& loop = loops<T>();
  parallel_for(args.rows, row_grain(args),
               [&](std::int64_t begin, std::int64_t end) { loop.forward(part<T>(args, begin, end)); });
}

template <class T>
void gradient(const NormArgs& args) {
  const NormLoops<T>& loop = loops<T>();
  const std::int64_t rows = args.rows, columns = args.columns;
  void* const results[2] = {args.weight_gradient, args.bias_gradient};
  const std::int64_t block = results[0] || results[1] ? std::clamp<std::int64_t>(rows / 64, 16, 256) : row_grain(args);
  const std::int64_t blocks = (rows + block - 1) / block;
  const Scratch<T> memory(results[0] || results[1] ? 2 * blocks * columns : 0);
  T* const sums[2] = {memory.elements, memory.elements + blocks * columns};
  parallel_for(rows, block, [&](std::int64_t begin, std::int64_t end) {
    NormRows<T> these = part<T>(args, begin, end);
    const auto zeros = [&](int k) {
      T* const at = sums[k] + begin / block * columns;
      std::fill_n(at, columns, T(0));
      return at;
    };
    if (results[0]) these.weight_gradient = zeros(0);
    if (results[1]) these.bias_gradient = zeros(1);
    loop.gradient(these);
  });
  for (int k = 0; k < 2; ++k) {
    if (!results[k]) continue;
    parallel_for(columns, 4096 / (blocks + 1) + 1, [&, k](std::int64_t begin, std::int64_t end) {
      for (auto c = begin; c < end; ++c) {
        double sum = 0;
        for (std::int64_t b = 0; b < blocks; ++b) sum += sums[k][b * columns + c];
        static_cast<T*>(results[k])[c] = static_cast<T>(sum);
      }
    });
  }
}

template <class T>
void set() {
  tern::kernels::norm.set(DeviceKind::cpu, dtype_of<T>(), &forward<T>);
  norm_gradient.set(DeviceKind::cpu, dtype_of<T>(), &gradient<T>);
}

}  // namespace

void register_norm() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cpu
