#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "cpu/vector/elementwise.h"
#include "slots/elementwise.h"

namespace tern::kernels::cpu {
namespace {

template <UnaryOp op, class T>
void forward(const Loop& loop) {
  run_strips<T, T>(loop, chosen(unary_tables).forward[static_cast<int>(op)][kReal<T>]);
}
template <UnaryOp op, class T>
void gradient(const Loop& loop) {
  run_strips<T, T, T>(loop, chosen(unary_tables).gradient[static_cast<int>(op)][kReal<T>]);
}
template <class F, class T>
void forward_of_integers(const Loop& loop) {
  map1<T, T>(loop, [](T x) { return F::forward(x); });
}

struct wide {
  template <UnaryOp op, class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    f.set(DeviceKind::cpu, f32, &forward<op, float>);
    f.set(DeviceKind::cpu, f64, &forward<op, double>);
    g.set(DeviceKind::cpu, f32, &gradient<op, float>);
    g.set(DeviceKind::cpu, f64, &gradient<op, double>);
  }
};
struct real {
  template <UnaryOp op, class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    wide::set<op, F>(f, g);
    f.set(DeviceKind::cpu, f16, &forward<op, Half>);
    f.set(DeviceKind::cpu, bf16, &forward<op, BFloat16>);
    g.set(DeviceKind::cpu, f16, &gradient<op, Half>);
    g.set(DeviceKind::cpu, bf16, &gradient<op, BFloat16>);
  }
};
struct any {
  template <UnaryOp op, class F>
  static void set(KernelSlot<LoopFn>& f, KernelSlot<LoopFn>& g) {
    real::set<op, F>(f, g);
    f.set(DeviceKind::cpu, i64, &forward_of_integers<F, std::int64_t>);
    f.set(DeviceKind::cpu, i32, &forward_of_integers<F, std::int32_t>);
    f.set(DeviceKind::cpu, u8, &forward_of_integers<F, std::uint8_t>);
  }
};

}  // namespace

void register_unary() {
#define TERN_ROW(name, functor, types) types::set<UnaryOp::name, functor>(unary_##name, unary_##name##_gradient);
  TERN_UNARY_LIST(TERN_ROW)
#undef TERN_ROW
}

}  // namespace tern::kernels::cpu
