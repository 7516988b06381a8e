#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/families.h"
#include "functors/loss.h"
#include "slots/loss.h"

// Element by element by the functor that the CPU compiles, with its bits.
namespace tern::kernels::cuda {
namespace {

template <class T>
__device__ T at(const void* values, std::int64_t i) {
  return values ? static_cast<const T*>(values)[i] : T(1);
}

template <class T, bool Gradient>
__global__ void __launch_bounds__(kThreads) bce_kernel(const BceArgs args) {
  each(args.numel, [&](std::int64_t i) {
    const T x = at<T>(args.logits, i), t = at<T>(args.target, i), w = at<T>(args.weight, i),
            p = at<T>(args.pos_weight, i);
    T result;
    if constexpr (Gradient) {
      result = BceWithLogits::gradient(at<T>(args.g, i * args.g_step), x, t, w, p);
    } else {
      result = BceWithLogits::forward(x, t, w, p);
    }
    static_cast<T*>(args.out)[i] = result;
  });
}

template <class T, bool Gradient>
void bce(const BceArgs& args) {
  if (args.numel == 0) return;
  bce_kernel<T, Gradient><<<blocks_for(args.numel), kThreads, 0, context().stream>>>(args);
  check_launch();
}

template <class T>
void set() {
  bce_with_logits.set(DeviceKind::cuda, dtype_of<T>(), &bce<T, false>);
  bce_with_logits_gradient.set(DeviceKind::cuda, dtype_of<T>(), &bce<T, true>);
}

}  // namespace

void register_loss() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cuda
