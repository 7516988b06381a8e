#include <atomic>
#include <limits>
#include <type_traits>

#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "cpu/strips.h"
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

// What remains of a conversion once its strips are f32.
void copy_strip(const Strip& strip) {
  const auto* from = reinterpret_cast<const float*>(strip.in[0]);
  auto* to = reinterpret_cast<float*>(strip.out);
  for (std::int64_t i = 0; i < strip.n; ++i) to[i] = from[i * strip.step[0]];
}

template <class To, class From>
void convert_from(const Loop& loop) {
  if constexpr (sizeof(To) + sizeof(From) == 6 && (std::is_same_v<To, float> || std::is_same_v<From, float>)) {
    run_strips(loop, kSizes<To, From>, &copy_strip);
  } else {
    map1<To, From>(loop, [](From x) { return converted<To>(x); });
  }
}

template <class To>
void convert_kernel(const Loop& loop, DType from) {
  switch (from) {
    case DType::f64:
      return convert_from<To, double>(loop);
    case DType::f32:
      return convert_from<To, float>(loop);
    case DType::f16:
      return convert_from<To, Half>(loop);
    case DType::bf16:
      return convert_from<To, BFloat16>(loop);
    case DType::i64:
      return convert_from<To, std::int64_t>(loop);
    case DType::i32:
      return convert_from<To, std::int32_t>(loop);
    case DType::u8:
      return convert_from<To, std::uint8_t>(loop);
    case DType::boolean:
      return convert_from<To, bool>(loop);
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
