#include "cuda/context.h"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "functors/math.h"
#include "slots.h"

// As kernels/cpu/loss.cpp, element by element, with the CPU's bits. Both tails are exact: neither softplus is taken
// from the other.
namespace tern::kernels::cuda {
namespace {

template <class T>
__device__ T at(const void* values, std::int64_t i) {
  return values ? static_cast<const T*>(values)[i] : T(1);
}

template <class T, bool Gradient>
__global__ void __launch_bounds__(kThreads) bce_kernel(const BceArgs args) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; i < args.numel;
       i += std::int64_t{gridDim.x} * kThreads) {
    const T x = at<T>(args.logits, i), t = at<T>(args.target, i), e = math::exp(-math::abs(x));
    T result;
    if constexpr (Gradient) {
      const T large = T(1) / (T(1) + e), small = e / (T(1) + e);
      const T sigmoid = math::select(x < T(0), small, large), other = math::select(x < T(0), large, small);
      const T slope = (T(1) - t) * sigmoid - at<T>(args.pos_weight, i) * t * other;
      result = at<T>(args.g, i * args.g_step) * at<T>(args.weight, i) * slope;
    } else {
      const T rest = math::log1p(e);
      const T positive = math::select(x < T(0), -x, T(0)) + rest, negative = math::select(x < T(0), T(0), x) + rest;
      const T loss = at<T>(args.pos_weight, i) * t * positive + (T(1) - t) * negative;
      result = at<T>(args.weight, i) * loss;
    }
    static_cast<T*>(args.out)[i] = result;
  }
}

template <class T, bool Gradient>
void bce(const BceArgs& args) {
  if (args.numel == 0) return;
  bce_kernel<T, Gradient><<<blocks_for(args.numel), kThreads, 0, context().stream>>>(args);
  check_launch("bce_with_logits");
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
