#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "slots.h"

namespace tern::kernels::cpu {
namespace {

template <class F, class T>
void forward(const Loop& loop) {
  map1<T, T>(loop, [](T x) { return F::forward(x); });
}
template <class F, class T>
void gradient(const Loop& loop) {
  map2<T, T, T>(loop, [](T g, T s) { return F::gradient(g, s); });
}

struct real {
  template <class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    f.set(DeviceKind::cpu, f32, &forward<F, float>);
    f.set(DeviceKind::cpu, f64, &forward<F, double>);
    g.set(DeviceKind::cpu, f32, &gradient<F, float>);
    g.set(DeviceKind::cpu, f64, &gradient<F, double>);
  }
};
struct any {
  template <class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    real::set<F>(f, g);
    f.set(DeviceKind::cpu, i64, &forward<F, std::int64_t>);
    f.set(DeviceKind::cpu, u8, &forward<F, std::uint8_t>);
  }
};
using rare = real;

}  // namespace

void register_unary() {
#define TERN_ROW(name, functor, types) types::set<functor>(unary_##name, unary_##name##_gradient);
  TERN_UNARY_LIST(TERN_ROW)
#undef TERN_ROW
}

}  // namespace tern::kernels::cpu
