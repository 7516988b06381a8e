#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "slots.h"

namespace tern::kernels::cpu {
namespace {

template <class F, class T>
void arithmetic(const Loop& loop) {
  map2<T, T, T>(loop, [](T a, T b) { return F::forward(a, b); });
}
template <class F, class T>
void comparison(const Loop& loop) {
  map2<bool, T, T>(loop, [](T a, T b) { return F::forward(a, b); });
}

struct real {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cpu, f32, &arithmetic<F, float>);
    slot.set(DeviceKind::cpu, f64, &arithmetic<F, double>);
  }
};
struct any {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    real::set<F>(slot);
    slot.set(DeviceKind::cpu, i64, &arithmetic<F, std::int64_t>);
    slot.set(DeviceKind::cpu, u8, &arithmetic<F, std::uint8_t>);
  }
};
struct all {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cpu, f32, &comparison<F, float>);
    slot.set(DeviceKind::cpu, f64, &comparison<F, double>);
    slot.set(DeviceKind::cpu, i64, &comparison<F, std::int64_t>);
    slot.set(DeviceKind::cpu, u8, &comparison<F, std::uint8_t>);
    slot.set(DeviceKind::cpu, boolean, &comparison<F, bool>);
  }
};

template <class T>
void where_kernel(const Loop& loop) {
  map3<T, bool, T, T>(loop, [](bool c, T a, T b) { return c ? a : b; });
}

template <class T>
void add_scaled_kernel(const Loop& loop, double alpha) {
  if (alpha == 1) {
    map2<T, T, T>(loop, [](T a, T b) { return static_cast<T>(a + b); });
  } else {
    const T scale = static_cast<T>(alpha);
    map2<T, T, T>(loop, [scale](T a, T b) { return static_cast<T>(a + scale * b); });
  }
}

}  // namespace

void register_binary() {
#define TERN_ROW(name, functor, types) types::set<functor>(binary_##name);
  TERN_BINARY_LIST(TERN_ROW)
  TERN_COMPARE_LIST(TERN_ROW)
#undef TERN_ROW
  where.set(DeviceKind::cpu, f32, &where_kernel<float>);
  where.set(DeviceKind::cpu, f64, &where_kernel<double>);
  where.set(DeviceKind::cpu, i64, &where_kernel<std::int64_t>);
  where.set(DeviceKind::cpu, u8, &where_kernel<std::uint8_t>);
  where.set(DeviceKind::cpu, boolean, &where_kernel<bool>);
  add_scaled.set(DeviceKind::cpu, f32, &add_scaled_kernel<float>);
  add_scaled.set(DeviceKind::cpu, f64, &add_scaled_kernel<double>);
  add_scaled.set(DeviceKind::cpu, i64, &add_scaled_kernel<std::int64_t>);
  add_scaled.set(DeviceKind::cpu, u8, &add_scaled_kernel<std::uint8_t>);
}

}  // namespace tern::kernels::cpu
