#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "slots/elementwise.h"

namespace tern::kernels::cuda {
namespace {

template <class F>
struct Forward {
  template <class L>
  __device__ L operator()(L x) const {
    return F::forward(x);
  }
};
template <class F>
struct Gradient {
  template <class L>
  __device__ L operator()(L g, L saved) const {
    return F::gradient(g, saved);
  }
};

template <class F, class T>
void forward(const Loop& loop) {
  map<T, T>(loop, Forward<F>());
}
template <class F, class T>
void gradient(const Loop& loop) {
  map<T, T, T>(loop, Gradient<F>());
}

struct wide {
  template <class F, class T>
  static void set_one(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    f.set(DeviceKind::cuda, dtype_of<T>(), &forward<F, T>);
    g.set(DeviceKind::cuda, dtype_of<T>(), &gradient<F, T>);
  }
  template <class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    set_one<F, float>(f, g);
    set_one<F, double>(f, g);
  }
};
struct real {
  template <class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    wide::set<F>(f, g);
    wide::set_one<F, Half>(f, g);
    wide::set_one<F, BFloat16>(f, g);
  }
};
struct any {
  template <class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    real::set<F>(f, g);
    f.set(DeviceKind::cuda, i64, &forward<F, std::int64_t>);
    f.set(DeviceKind::cuda, i32, &forward<F, std::int32_t>);
    f.set(DeviceKind::cuda, u8, &forward<F, std::uint8_t>);
  }
};

}  // namespace

void register_unary() {
#define TERN_ROW(name, functor, types) types::set<functor>(unary_##name, unary_##name##_gradient);
  TERN_UNARY_LIST(TERN_ROW)
#undef TERN_ROW
}

}  // namespace tern::kernels::cuda
