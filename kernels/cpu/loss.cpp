#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "functors/math.h"
#include "slots.h"
#include "tern/base/parallel.h"

// Losses element by element. Both tails are exact: neither softplus is taken from the other.
namespace tern::kernels::cpu {
namespace {

template <class T>
T at(const void* values, std::int64_t i) {
  return values ? static_cast<const T*>(values)[i] : T(1);
}

template <class T>
void bce_kernel(const BceArgs& args) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const T x = at<T>(args.logits, i), t = at<T>(args.target, i);
      const T rest = math::log1p(math::exp(-math::abs(x)));
      const T positive = math::select(x < T(0), -x, T(0)) + rest, negative = math::select(x < T(0), T(0), x) + rest;
      const T loss = at<T>(args.pos_weight, i) * t * positive + (T(1) - t) * negative;
      static_cast<T*>(args.out)[i] = at<T>(args.weight, i) * loss;
    }
  });
}

template <class T>
void bce_gradient_kernel(const BceArgs& args) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const T x = at<T>(args.logits, i), t = at<T>(args.target, i);
      const T e = math::exp(-math::abs(x)), large = T(1) / (T(1) + e), small = e / (T(1) + e);
      const T sigmoid = math::select(x < T(0), small, large), other = math::select(x < T(0), large, small);
      const T slope = (T(1) - t) * sigmoid - at<T>(args.pos_weight, i) * t * other;
      static_cast<T*>(args.out)[i] = at<T>(args.g, i * args.g_step) * at<T>(args.weight, i) * slope;
    }
  });
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
