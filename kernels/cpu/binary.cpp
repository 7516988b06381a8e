#include <type_traits>

#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "cpu/vector/elementwise.h"
#include "slots/elementwise.h"

namespace tern::kernels::cpu {
namespace {

template <BinaryOp op, class T>
void arithmetic(const Loop& loop) {
  run_strips<T, T, T>(loop, chosen(binary_tables).arithmetic[static_cast<int>(op)][kReal<T>]);
}
template <CompareOp op, class T>
void comparison(const Loop& loop) {
  run_strips<bool, T, T>(loop, chosen(binary_tables).compare[static_cast<int>(op)][kReal<T>]);
}
template <class F, class T>
void arithmetic_of_integers(const Loop& loop) {
  map2<T, T, T>(loop, [](T a, T b) { return F::forward(a, b); });
}
template <class F, class T>
void comparison_of_integers(const Loop& loop) {
  map2<bool, T, T>(loop, [](T a, T b) { return F::forward(a, b); });
}

// Booleans are bytes of 0 and 1, and what is done with two of them is done with bytes.

struct real {
  template <BinaryOp op, class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cpu, f32, &arithmetic<op, float>);
    slot.set(DeviceKind::cpu, f64, &arithmetic<op, double>);
    slot.set(DeviceKind::cpu, f16, &arithmetic<op, Half>);
    slot.set(DeviceKind::cpu, bf16, &arithmetic<op, BFloat16>);
  }
};
struct whole {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cpu, i64, &arithmetic_of_integers<F, std::int64_t>);
    slot.set(DeviceKind::cpu, i32, &arithmetic_of_integers<F, std::int32_t>);
    slot.set(DeviceKind::cpu, u8, &arithmetic_of_integers<F, std::uint8_t>);
  }
};
struct any {
  template <BinaryOp op, class F>
  static void set(KernelSlot<LoopFn>& slot) {
    real::set<op, F>(slot);
    whole::set<F>(slot);
  }
};
struct bits {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    whole::set<F>(slot);
    slot.set(DeviceKind::cpu, boolean, &arithmetic_of_integers<F, std::uint8_t>);
  }
};
struct all {
  template <CompareOp op, class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cpu, f32, &comparison<op, float>);
    slot.set(DeviceKind::cpu, f64, &comparison<op, double>);
    slot.set(DeviceKind::cpu, f16, &comparison<op, Half>);
    slot.set(DeviceKind::cpu, bf16, &comparison<op, BFloat16>);
    slot.set(DeviceKind::cpu, i64, &comparison_of_integers<F, std::int64_t>);
    slot.set(DeviceKind::cpu, i32, &comparison_of_integers<F, std::int32_t>);
    slot.set(DeviceKind::cpu, u8, &comparison_of_integers<F, std::uint8_t>);
    slot.set(DeviceKind::cpu, boolean, &comparison_of_integers<F, std::uint8_t>);
  }
};

template <class T>
void where_kernel(const Loop& loop) {
  if constexpr (std::is_floating_point_v<T>) {
    run_strips<T, bool, T, T>(loop, chosen(binary_tables).where[kReal<T>]);
  } else {
    map3<T, bool, T, T>(loop, [](bool c, T a, T b) { return c ? a : b; });
  }
}

template <class T>
void add_scaled_kernel(const Loop& loop, double alpha) {
  if constexpr (is_floating(dtype_of<T>())) {
    run_strips<T, T, T>(loop, chosen(binary_tables).add_scaled[kReal<T>], alpha);
  } else if (alpha == 1) {
    map2<T, T, T>(loop, [](T a, T b) { return static_cast<T>(math::wrapping(a) + math::wrapping(b)); });
  } else {
    const auto scale = math::wrapping(static_cast<T>(alpha));
    map2<T, T, T>(loop, [scale](T a, T b) { return static_cast<T>(math::wrapping(a) + scale * math::wrapping(b)); });
  }
}

template <class T>
void add_product_kernel(const Loop& loop) {
  run_strips<T, T, T, T>(loop, chosen(binary_tables).add_product[kReal<T>]);
}

template <class T>
void clamp_kernel(const Loop& loop) {
  run_strips<T, T, T, T>(loop, chosen(binary_tables).clamp[kReal<T>]);
}

template <class T>
void bend_kernel(const Loop& loop, double factor) {
  run_strips<T, T, T, T>(loop, chosen(binary_tables).bend[kReal<T>], factor);
}

}  // namespace

void register_binary() {
#define TERN_ROW(name, functor, types) types::set<BinaryOp::name, functor>(binary_##name);
  TERN_BINARY_LIST(TERN_ROW)
#undef TERN_ROW
#define TERN_ROW(name, functor, types) types::set<CompareOp::name, functor>(binary_##name);
  TERN_COMPARE_LIST(TERN_ROW)
#undef TERN_ROW
#define TERN_ROW(name, functor, types) types::set<functor>(binary_##name);
  TERN_BITWISE_LIST(TERN_ROW)
#undef TERN_ROW
  where.set(DeviceKind::cpu, f32, &where_kernel<float>);
  where.set(DeviceKind::cpu, f64, &where_kernel<double>);
  where.set(DeviceKind::cpu, f16, &where_kernel<Half>);
  where.set(DeviceKind::cpu, bf16, &where_kernel<BFloat16>);
  where.set(DeviceKind::cpu, i64, &where_kernel<std::int64_t>);
  where.set(DeviceKind::cpu, i32, &where_kernel<std::int32_t>);
  where.set(DeviceKind::cpu, u8, &where_kernel<std::uint8_t>);
  where.set(DeviceKind::cpu, boolean, &where_kernel<std::uint8_t>);
  clamp.set(DeviceKind::cpu, f32, &clamp_kernel<float>);
  clamp.set(DeviceKind::cpu, f64, &clamp_kernel<double>);
  clamp.set(DeviceKind::cpu, f16, &clamp_kernel<Half>);
  clamp.set(DeviceKind::cpu, bf16, &clamp_kernel<BFloat16>);
  bend.set(DeviceKind::cpu, f32, &bend_kernel<float>);
  bend.set(DeviceKind::cpu, f64, &bend_kernel<double>);
  add_product.set(DeviceKind::cpu, f32, &add_product_kernel<float>);
  add_product.set(DeviceKind::cpu, f64, &add_product_kernel<double>);
  add_product.set(DeviceKind::cpu, f16, &add_product_kernel<Half>);
  add_product.set(DeviceKind::cpu, bf16, &add_product_kernel<BFloat16>);
  add_scaled.set(DeviceKind::cpu, f32, &add_scaled_kernel<float>);
  add_scaled.set(DeviceKind::cpu, f64, &add_scaled_kernel<double>);
  add_scaled.set(DeviceKind::cpu, f16, &add_scaled_kernel<Half>);
  add_scaled.set(DeviceKind::cpu, bf16, &add_scaled_kernel<BFloat16>);
  add_scaled.set(DeviceKind::cpu, i64, &add_scaled_kernel<std::int64_t>);
  add_scaled.set(DeviceKind::cpu, i32, &add_scaled_kernel<std::int32_t>);
  add_scaled.set(DeviceKind::cpu, u8, &add_scaled_kernel<std::uint8_t>);
}

}  // namespace tern::kernels::cpu
