#include <algorithm>

#include "cpu/families.h"
#include "cpu/strips.h"
#include "cpu/vector/softmax.h"
#include "slots/loss.h"
#include "slots/softmax.h"
#include "tern/base/parallel.h"

namespace tern::kernels::cpu {
namespace {

template <class Args, class Rows>
void run(const Args& args, std::int64_t columns, Rows rows) {
  if (columns == 0) return;
  // Blocks of many rows where there are many: a block that streams has its first and last row for itself.
  const std::int64_t grain = std::max(8192 / columns + 1, args.rows / 256);
  parallel_for(args.rows, grain, [&](std::int64_t begin, std::int64_t end) { rows(args, begin, end); });
}

template <SoftmaxRows (SoftmaxTable::*rows)[2], int real>
void softmax_kernel(const SoftmaxArgs& args) {
  run(args, args.columns, (chosen(softmax_rows_tables).*rows)[real]);
}
template <CrossEntropyRows (SoftmaxTable::*rows)[2], int real>
void cross_entropy_kernel(const CrossEntropyArgs& args) {
  run(args, args.classes, (chosen(softmax_rows_tables).*rows)[real]);
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  constexpr int real = kReal<T>;
  softmax.set(DeviceKind::cpu, dtype, &softmax_kernel<&SoftmaxTable::softmax, real>);
  softmax_gradient.set(DeviceKind::cpu, dtype, &softmax_kernel<&SoftmaxTable::softmax_gradient, real>);
  log_softmax.set(DeviceKind::cpu, dtype, &softmax_kernel<&SoftmaxTable::log_softmax, real>);
  log_softmax_gradient.set(DeviceKind::cpu, dtype, &softmax_kernel<&SoftmaxTable::log_softmax_gradient, real>);
  cross_entropy.set(DeviceKind::cpu, dtype, &cross_entropy_kernel<&SoftmaxTable::cross_entropy, real>);
  cross_entropy_gradient.set(DeviceKind::cpu, dtype,
                             &cross_entropy_kernel<&SoftmaxTable::cross_entropy_gradient, real>);
}

}  // namespace

void register_softmax() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cpu
