#include <cmath>

#include "cpu/families.h"
#include "slots.h"
#include "tern/base/parallel.h"

// One pass, element by element; coefficients are computed in f64 and rounded once.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
void sgd_kernel(const OptimizerArgs& args, const SgdStep& step) {
  T* value = static_cast<T*>(args.value);
  const T* gradient = static_cast<const T*>(args.gradient);
  T* buffer = static_cast<T*>(args.state1);
  const T lr = static_cast<T>(step.lr), momentum = static_cast<T>(step.momentum);
  const T take = static_cast<T>(step.first ? 1 : 1 - step.dampening), decay = static_cast<T>(step.weight_decay);
  parallel_for(args.numel, kGrain, [=, &step](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      T g = gradient[i];
      if (decay != 0) g += decay * value[i];
      if (buffer) {
        const T b = step.first ? g : momentum * buffer[i] + take * g;
        buffer[i] = b;
        g = step.nesterov ? g + momentum * b : b;
      }
      value[i] -= lr * g;
    }
  });
}

template <class T>
void adamw_kernel(const OptimizerArgs& args, const AdamWStep& step) {
  T* value = static_cast<T*>(args.value);
  const T* gradient = static_cast<const T*>(args.gradient);
  T* mean = static_cast<T*>(args.state1);
  T* square = static_cast<T*>(args.state2);
  const double correction1 = 1 - std::pow(step.beta1, static_cast<double>(step.step));
  const double correction2 = 1 - std::pow(step.beta2, static_cast<double>(step.step));
  const T keep = static_cast<T>(1 - step.lr * step.weight_decay), size = static_cast<T>(step.lr / correction1);
  const T beta1 = static_cast<T>(step.beta1), take1 = static_cast<T>(1 - step.beta1);
  const T beta2 = static_cast<T>(step.beta2), take2 = static_cast<T>(1 - step.beta2);
  const T root = static_cast<T>(std::sqrt(correction2)), epsilon = static_cast<T>(step.epsilon);
  parallel_for(args.numel, kGrain, [=](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      const T g = gradient[i];
      const T m = beta1 * mean[i] + take1 * g;
      const T v = beta2 * square[i] + take2 * (g * g);
      mean[i] = m;
      square[i] = v;
      value[i] = keep * value[i] - size * (m / (std::sqrt(v) / root + epsilon));
    }
  });
}

}  // namespace

void register_optimizer() {
  sgd.set(DeviceKind::cpu, f32, &sgd_kernel<float>);
  sgd.set(DeviceKind::cpu, f64, &sgd_kernel<double>);
  adamw.set(DeviceKind::cpu, f32, &adamw_kernel<float>);
  adamw.set(DeviceKind::cpu, f64, &adamw_kernel<double>);
}

}  // namespace tern::kernels::cpu
