#include "functors/optimizer.h"

#include "cpu/families.h"
#include "cpu/vector/optimizer.h"
#include "slots/optimizer.h"
#include "tern/base/parallel.h"

// One pass in vector code, element by element (functors/optimizer.h).
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 16384;

template <class T>
const StepLoops<T>& loops() {
  const OptimizerTable& table = chosen(optimizer_tables);
  if constexpr (sizeof(T) == 4) {
    return table.f32;
  } else {
    return table.f64;
  }
}

template <class T, class Element>
void stream(const OptimizerArgs& args, StepFn<T> fn, const Element& element) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    T* states[Element::states + 1] = {};
    for (int s = 0; s < Element::states; ++s) states[s] = static_cast<T*>(args.states[s]) + begin;
    fn(&element, end - begin, static_cast<T*>(args.value) + begin, static_cast<const T*>(args.gradient) + begin,
       states);
  });
}

template <class T>
void sgd_kernel(const OptimizerArgs& args, const SgdStep& step) {
  if (args.states[0]) return stream(args, loops<T>().sgd[1], SgdElement<T, true>(step));
  stream(args, loops<T>().sgd[0], SgdElement<T, false>(step));
}

template <class T>
void adam_kernel(const OptimizerArgs& args, const AdamStep& step) {
  if (args.states[2]) return stream(args, loops<T>().adam[1], AdamElement<T, true>(step));
  stream(args, loops<T>().adam[0], AdamElement<T, false>(step));
}

template <class T>
void rmsprop_kernel(const OptimizerArgs& args, const RmspropStep& step) {
  const auto& fn = loops<T>().rmsprop;
  const bool centered = args.states[1], momentum = args.states[2];
  if (centered && momentum) return stream(args, fn[1][1], RmspropElement<T, true, true>(step));
  if (centered) return stream(args, fn[1][0], RmspropElement<T, true, false>(step));
  if (!momentum) return stream(args, fn[0][0], RmspropElement<T, false, false>(step));
  OptimizerArgs without_mean = args;
  without_mean.states[1] = args.states[2];
  stream(without_mean, fn[0][1], RmspropElement<T, false, true>(step));
}

template <class T>
void adagrad_kernel(const OptimizerArgs& args, const AdagradStep& step) {
  stream(args, loops<T>().adagrad, AdagradElement<T>(step));
}

template <class T>
void adadelta_kernel(const OptimizerArgs& args, const AdadeltaStep& step) {
  stream(args, loops<T>().adadelta, AdadeltaElement<T>(step));
}

template <class T>
void lion_kernel(const OptimizerArgs& args, const LionStep& step) {
  stream(args, loops<T>().lion, LionElement<T>(step));
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
