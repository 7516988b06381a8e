#include "functors/optimizer.h"

#include "cpu/families.h"
#include "slots.h"
#include "tern/base/parallel.h"

// One pass, element by element (functors/optimizer.h).
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class T, class Element>
void stream(const OptimizerArgs& args, const Element& element) {
  constexpr int states = Element::states;
  parallel_for(args.numel, kGrain, [&, element](std::int64_t begin, std::int64_t end) {
    T* value = static_cast<T*>(args.value);
    const T* gradient = static_cast<const T*>(args.gradient);
    T* state[states + 1];
    for (int s = 0; s < states; ++s) state[s] = static_cast<T*>(args.states[s]);
    for (auto i = begin; i < end; ++i) {
      T at[states + 1];
      for (int s = 0; s < states; ++s) at[s] = state[s][i];
      element(value[i], gradient[i], at);
      for (int s = 0; s < states; ++s) state[s][i] = at[s];
    }
  });
}

template <class T>
void sgd_kernel(const OptimizerArgs& args, const SgdStep& step) {
  args.states[0] ? stream<T>(args, SgdElement<T, true>(step)) : stream<T>(args, SgdElement<T, false>(step));
}

template <class T>
void adam_kernel(const OptimizerArgs& args, const AdamStep& step) {
  args.states[2] ? stream<T>(args, AdamElement<T, true>(step)) : stream<T>(args, AdamElement<T, false>(step));
}

template <class T>
void rmsprop_kernel(const OptimizerArgs& args, const RmspropStep& step) {
  const bool centered = args.states[1], momentum = args.states[2];
  if (centered && momentum) return stream<T>(args, RmspropElement<T, true, true>(step));
  if (centered) return stream<T>(args, RmspropElement<T, true, false>(step));
  if (!momentum) return stream<T>(args, RmspropElement<T, false, false>(step));
  OptimizerArgs without_mean = args;
  without_mean.states[1] = args.states[2];
  stream<T>(without_mean, RmspropElement<T, false, true>(step));
}

template <class T>
void adagrad_kernel(const OptimizerArgs& args, const AdagradStep& step) {
  stream<T>(args, AdagradElement<T>(step));
}

template <class T>
void adadelta_kernel(const OptimizerArgs& args, const AdadeltaStep& step) {
  stream<T>(args, AdadeltaElement<T>(step));
}

template <class T>
void lion_kernel(const OptimizerArgs& args, const LionStep& step) {
  stream<T>(args, LionElement<T>(step));
}

template <class T>
void set_all() {
  constexpr DType dtype = dtype_of<T>();
  sgd.set(DeviceKind::cpu, dtype, &sgd_kernel<T>);
  adam.set(DeviceKind::cpu, dtype, &adam_kernel<T>);
  rmsprop.set(DeviceKind::cpu, dtype, &rmsprop_kernel<T>);
  adagrad.set(DeviceKind::cpu, dtype, &adagrad_kernel<T>);
  adadelta.set(DeviceKind::cpu, dtype, &adadelta_kernel<T>);
  lion.set(DeviceKind::cpu, dtype, &lion_kernel<T>);
}

}  // namespace

void register_optimizer() {
  set_all<float>();
  set_all<double>();
}

}  // namespace tern::kernels::cpu
