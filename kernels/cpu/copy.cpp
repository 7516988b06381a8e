#include <atomic>
#include <limits>
#include <type_traits>

#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "slots.h"

namespace tern::kernels::cpu {
namespace {

// A floating value outside the integers' range saturates, and NaN gives 0: the conversion in C++ would be undefined.
template <class To, class From>
To converted(From x) {
  if constexpr (sizeof(From) == 2 && !std::is_same_v<To, From>) {
    return converted<To>(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    constexpr double low = static_cast<double>(std::numeric_limits<To>::min());
    constexpr double high = static_cast<double>(std::numeric_limits<To>::max());
    const double value = static_cast<double>(x);
    if (!(value > low)) return value == value ? std::numeric_limits<To>::min() : To(0);
    if (value >= high) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(x);
  }
}

template <class To>
void convert_kernel(const Loop& loop, DType from) {
  switch (from) {
    case DType::f64:
      return map1<To, double>(loop, [](double x) { return converted<To>(x); });
    case DType::f32:
      return map1<To, float>(loop, [](float x) { return converted<To>(x); });
    case DType::f16:
      return map1<To, Half>(loop, [](Half x) { return converted<To>(x); });
    case DType::bf16:
      return map1<To, BFloat16>(loop, [](BFloat16 x) { return converted<To>(x); });
    case DType::i32:
      return map1<To, std::int32_t>(loop, [](std::int32_t x) { return converted<To>(x); });
    case DType::i64:
      return map1<To, std::int64_t>(loop, [](std::int64_t x) { return converted<To>(x); });
    case DType::u8:
      return map1<To, std::uint8_t>(loop, [](std::uint8_t x) { return converted<To>(x); });
    case DType::boolean:
      return map1<To, bool>(loop, [](bool x) { return converted<To>(x); });
  }
}

template <class T>
void fill_kernel(const Loop& loop, Scalar scalar) {
  const T value = is_floating(dtype_of<T>()) ? static_cast<T>(scalar.real())
                  : std::is_same_v<T, bool>  ? static_cast<T>(scalar.real() != 0)
                                             : static_cast<T>(scalar.integer());
  auto* out = reinterpret_cast<T*>(loop.data[0]);
  const std::int64_t stride = inner_stride(loop, 0);
  for_each_row<1>(loop, [=](const std::int64_t* at, std::int64_t n) {
    T* o = out + at[0];
    if (stride == 1) {
      for (std::int64_t i = 0; i < n; ++i) o[i] = value;
    } else {
      for (std::int64_t i = 0; i < n; ++i) o[i * stride] = value;
    }
  });
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
  find_nan.set(DeviceKind::cpu, f64, &find_nan_kernel<double>);
  find_nan.set(DeviceKind::cpu, f32, &find_nan_kernel<float>);
  find_nan.set(DeviceKind::cpu, f16, &find_nan_kernel<Half>);
  find_nan.set(DeviceKind::cpu, bf16, &find_nan_kernel<BFloat16>);
}

}  // namespace tern::kernels::cpu
