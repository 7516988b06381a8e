#include <algorithm>
#include <atomic>
#include <numeric>
#include <type_traits>

#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "cpu/strips.h"
#include "cpu/vector/move.h"
#include "slots/copy.h"
#include "with_type.h"

namespace tern::kernels::cpu {
namespace {

// What a half type is rounded from.
template <class T>
using Wider = std::conditional_t<is_half(dtype_of<T>()), float, T>;

template <class To, class From>
void convert_from(const Loop& loop) {
  if constexpr (std::is_same_v<To, From>) {
    run_strips<To, From>(loop, nullptr);
  } else if constexpr (!is_half(dtype_of<To>())) {
    run_strips<To, From>(loop, chosen(move_tables).convert[kMoved<To>][kMoved<Wider<From>>]);
  } else if constexpr (std::is_same_v<From, float>) {
    run_strips<To, From>(loop, chosen(move_tables).convert[kMoved<float>][kMoved<float>]);
  } else {
    map1<To, From>(loop, [](From x) { return static_cast<To>(static_cast<Wider<From>>(x)); });
  }
}

template <class To>
void convert_kernel(const Loop& loop, DType from) {
  with_type(from, [&]<class From>() { convert_from<To, From>(loop); });
}

template <class T>
void fill_kernel(const Loop& loop, Scalar scalar) {
  T value = is_floating(dtype_of<T>()) ? static_cast<T>(scalar.real())
            : std::is_same_v<T, bool>  ? static_cast<T>(scalar.real() != 0)
                                       : static_cast<T>(scalar.integer());
  Loop from_one = loop;
  from_one.data[1] = reinterpret_cast<char*>(&value);
  std::fill_n(from_one.strides[1], std::max(loop.dims, 1), 0);
  run_strips<T, T>(from_one, nullptr);
}

template <class T>
void find_nan_kernel(const Loop& loop, bool* found) {
  std::atomic<bool> any{false};
  const auto* x = reinterpret_cast<const T*>(loop.data[0]);
  const std::int64_t stride = inner_stride(loop, 0);
  for_each_row<1>(loop, [&](const std::int64_t* at, std::int64_t n) {
    bool here = false;
    for (std::int64_t i = 0; i < n; ++i) here |= x[at[0] + i * stride] != x[at[0] + i * stride];
    if (here) any.store(true, std::memory_order_relaxed);
  });
  *found = any.load(std::memory_order_relaxed);
}

void arange_kernel(std::int64_t count, std::int64_t* out) { std::iota(out, out + count, std::int64_t{0}); }

template <class T>
void set_all() {
  convert.set(DeviceKind::cpu, dtype_of<T>(), &convert_kernel<T>);
  fill.set(DeviceKind::cpu, dtype_of<T>(), &fill_kernel<T>);
}

}  // namespace

void register_copy() {
  set_all<double>();
  set_all<float>();
  set_all<Half>();
  set_all<BFloat16>();
  set_all<std::int64_t>();
  set_all<std::int32_t>();
  set_all<std::uint8_t>();
  set_all<bool>();
  arange.set(DeviceKind::cpu, i64, &arange_kernel);
  find_nan.set(DeviceKind::cpu, f64, &find_nan_kernel<double>);
  find_nan.set(DeviceKind::cpu, f32, &find_nan_kernel<float>);
  find_nan.set(DeviceKind::cpu, f16, &find_nan_kernel<Half>);
  find_nan.set(DeviceKind::cpu, bf16, &find_nan_kernel<BFloat16>);
}

}  // namespace tern::kernels::cpu
