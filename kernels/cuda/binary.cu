#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "slots/elementwise.h"

namespace tern::kernels::cuda {
namespace {

template <class F>
struct Apply {
  template <class L>
  __device__ auto operator()(L a, L b) const {
    return F::forward(a, b);
  }
};
struct Where {
  template <class L>
  __device__ L operator()(bool condition, L a, L b) const {
    return condition ? a : b;
  }
};
struct Held {
  template <class L>
  __device__ L operator()(L x, L low, L high) const {
    return Clamp::forward(x, low, high);
  }
};
template <class L>
struct Bent {
  L factor;
  __device__ L operator()(L a, L x, L b) const { return Bend::forward(a, x, b, factor); }
};
template <class L>
struct AddScaled {
  L alpha;
  __device__ L operator()(L a, L b) const {
    const L product = static_cast<L>(math::wrapping(alpha) * math::wrapping(b));
    return static_cast<L>(math::wrapping(a) + math::wrapping(product));
  }
};
struct AddProduct {
  template <class L>
  __device__ L operator()(L a, L b, L c) const {
    return a + b * c;
  }
};

template <class F, class T>
void arithmetic(const Loop& loop) {
  map<T, T, T>(loop, Apply<F>());
}
template <class F, class T>
void comparison(const Loop& loop) {
  map<bool, T, T>(loop, Apply<F>());
}

struct real {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cuda, f32, &arithmetic<F, float>);
    slot.set(DeviceKind::cuda, f64, &arithmetic<F, double>);
    slot.set(DeviceKind::cuda, f16, &arithmetic<F, Half>);
    slot.set(DeviceKind::cuda, bf16, &arithmetic<F, BFloat16>);
  }
};
struct whole {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cuda, i64, &arithmetic<F, std::int64_t>);
    slot.set(DeviceKind::cuda, i32, &arithmetic<F, std::int32_t>);
    slot.set(DeviceKind::cuda, u8, &arithmetic<F, std::uint8_t>);
  }
};
struct any {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    real::set<F>(slot);
    whole::set<F>(slot);
  }
};
struct bits {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    whole::set<F>(slot);
    slot.set(DeviceKind::cuda, boolean, &arithmetic<F, bool>);
  }
};
struct all {
  template <class F>
  static void set(KernelSlot<LoopFn>& slot) {
    slot.set(DeviceKind::cuda, f32, &comparison<F, float>);
    slot.set(DeviceKind::cuda, f64, &comparison<F, double>);
    slot.set(DeviceKind::cuda, f16, &comparison<F, Half>);
    slot.set(DeviceKind::cuda, bf16, &comparison<F, BFloat16>);
    slot.set(DeviceKind::cuda, i64, &comparison<F, std::int64_t>);
    slot.set(DeviceKind::cuda, i32, &comparison<F, std::int32_t>);
    slot.set(DeviceKind::cuda, u8, &comparison<F, std::uint8_t>);
    slot.set(DeviceKind::cuda, boolean, &comparison<F, bool>);
  }
};

// Of words: what is only moved needs no more of its type.
template <class Word>
void where_kernel(const Loop& loop) {
  map<Word, bool, Word, Word>(loop, Where());
}
template <class T>
void add_scaled_kernel(const Loop& loop, double alpha) {
  map<T, T, T>(loop, AddScaled<LaneOf<T>>{static_cast<LaneOf<T>>(alpha)});
}
template <class T>
void add_product_kernel(const Loop& loop) {
  map<T, T, T, T>(loop, AddProduct());
}

template <class T>
void clamp_kernel(const Loop& loop) {
  map<T, T, T, T>(loop, Held());
}

template <class T>
void bend_kernel(const Loop& loop, double factor) {
  map<T, T, T, T>(loop, Bent<LaneOf<T>>{static_cast<LaneOf<T>>(factor)});
}

template <class T>
void set_sums() {
  add_scaled.set(DeviceKind::cuda, dtype_of<T>(), &add_scaled_kernel<T>);
  if constexpr (is_floating(dtype_of<T>())) {
    add_product.set(DeviceKind::cuda, dtype_of<T>(), &add_product_kernel<T>);
    clamp.set(DeviceKind::cuda, dtype_of<T>(), &clamp_kernel<T>);
  }
}

}  // namespace

void register_binary() {
#define TERN_ROW(name, functor, types) types::set<functor>(binary_##name);
  TERN_BINARY_LIST(TERN_ROW)
  TERN_COMPARE_LIST(TERN_ROW)
  TERN_BITWISE_LIST(TERN_ROW)
#undef TERN_ROW
  for (DType dtype : {f64, i64}) where.set(DeviceKind::cuda, dtype, &where_kernel<std::uint64_t>);
  for (DType dtype : {f32, i32}) where.set(DeviceKind::cuda, dtype, &where_kernel<std::uint32_t>);
  for (DType dtype : {f16, bf16}) where.set(DeviceKind::cuda, dtype, &where_kernel<std::uint16_t>);
  for (DType dtype : {u8, boolean}) where.set(DeviceKind::cuda, dtype, &where_kernel<std::uint8_t>);
  bend.set(DeviceKind::cuda, f32, &bend_kernel<float>);
  bend.set(DeviceKind::cuda, f64, &bend_kernel<double>);
  set_sums<float>();
  set_sums<double>();
  set_sums<Half>();
  set_sums<BFloat16>();
  set_sums<std::int64_t>();
  set_sums<std::int32_t>();
  set_sums<std::uint8_t>();
}

}  // namespace tern::kernels::cuda
