#include "cpu/vector/loss.h"

#include <algorithm>
#include <type_traits>

#include "cpu/families.h"
#include "slots/loss.h"
#include "tern/base/parallel.h"

// Losses element by element.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 8192;

template <class T>
const BceLoops<T>& bce_loops() {
  if constexpr (std::is_same_v<T, float>) {
    return chosen(loss_tables).f32;
  } else {
    return chosen(loss_tables).f64;
  }
}

template <class T>
struct Splat {
  alignas(64) T at[64 / sizeof(T)];
  explicit Splat(T value) { std::fill(std::begin(at), std::end(at), value); }
};

template <class T>
void run(void (*loop)(const BceStrip<T>&), const BceArgs& args) {
  const Splat<T> ones(T(1)), g(args.g && args.g_step == 0 ? *static_cast<const T*>(args.g) : T(0));
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto each = [begin](const void* values, const Splat<T>& all, std::int64_t step) {
      return step == 0 ? all.at : static_cast<const T*>(values) + begin;
    };
    const std::int64_t weight_step = args.weight ? 1 : 0, pos_weight_step = args.pos_weight ? 1 : 0;
    loop({.n = end - begin,
          .logits = static_cast<const T*>(args.logits) + begin,
          .target = static_cast<const T*>(args.target) + begin,
          .weight = each(args.weight, ones, weight_step),
          .pos_weight = each(args.pos_weight, ones, pos_weight_step),
          .g = each(args.g, g, args.g_step),
          .weight_step = weight_step,
          .pos_weight_step = pos_weight_step,
          .g_step = args.g_step,
          .out = static_cast<T*>(args.out) + begin});
  });
}

template <class T>
void bce_kernel(const BceArgs& args) {
  run<T>(bce_loops<T>().forward, args);
}
template <class T>
void bce_gradient_kernel(const BceArgs& args) {
  run<T>(bce_loops<T>().gradient, args);
}

template <class T>
void set() {
  bce_with_logits.set(DeviceKind::cpu, dtype_of<T>(), &bce_kernel<T>);
  bce_with_logits_gradient.set(DeviceKind::cpu, dtype_of<T>(), &bce_gradient_kernel<T>);
}

}  // namespace

void register_loss() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cpu
