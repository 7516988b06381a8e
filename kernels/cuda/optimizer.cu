#include "cuda/context.h"
#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "functors/optimizer.h"
#include "slots/optimizer.h"
#include "tensor/impl.h"

// One streaming pass in packs of 16 bytes over all parameters, which lie side by side, by the functors that the CPU
// compiles and with its bits. Where learning rate, step and the gradient's factor lie on the device, a kernel of one
// thread makes the coefficients of them first, so that a captured step takes those of its time; at a factor of 0 or NaN
// the pass ends before it reads anything.
namespace tern::kernels::cuda {
namespace {

// `element` in the kernel's arguments, or in memory with the gradient's factor before it.
template <class E>
struct Resident {
  double factor;
  E element;
};

template <class E, class T>
__device__ void step_all(const E& element, T factor, const OptimizerArgs& args, bool packs) {
  constexpr int kItems = 16 / sizeof(T);
  T* const value = static_cast<T*>(args.value);
  const T* const gradient = static_cast<const T*>(args.gradient);
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t threads = std::int64_t{gridDim.x} * kThreads;
  std::int64_t from = first;
  if (packs) {
    const std::int64_t count = args.numel / kItems;
    for (std::int64_t i = first; i < count; i += threads) {
      auto v = reinterpret_cast<Pack<T, kItems>*>(value)[i];
      const auto g = reinterpret_cast<const Pack<T, kItems>*>(gradient)[i];
      Pack<T, kItems> states[E::states + 1];
#pragma unroll
      for (int s = 0; s < E::states; ++s) states[s] = static_cast<Pack<T, kItems>*>(args.states[s])[i];
#pragma unroll
      for (int j = 0; j < kItems; ++j) {
        T state[E::states + 1];
#pragma unroll
        for (int s = 0; s < E::states; ++s) state[s] = states[s].at[j];
        element(v.at[j], factor * g.at[j], state);
#pragma unroll
        for (int s = 0; s < E::states; ++s) states[s].at[j] = state[s];
      }
      reinterpret_cast<Pack<T, kItems>*>(value)[i] = v;
#pragma unroll
      for (int s = 0; s < E::states; ++s) static_cast<Pack<T, kItems>*>(args.states[s])[i] = states[s];
    }
    from += count * kItems;
  }
  for (std::int64_t i = from; i < args.numel; i += threads) {
    T state[E::states + 1];
    for (int s = 0; s < E::states; ++s) state[s] = static_cast<T*>(args.states[s])[i];
    element(value[i], factor * gradient[i], state);
    for (int s = 0; s < E::states; ++s) static_cast<T*>(args.states[s])[i] = state[s];
  }
}

template <class E, class T>
__global__ void __launch_bounds__(kThreads)
    step_kernel(const __grid_constant__ E element, const OptimizerArgs args, bool packs) {
  step_all<E, T>(element, T(1), args, packs);
}
template <class E, class T>
__global__ void __launch_bounds__(kThreads)
    resident_kernel(const Resident<E>* resident, const OptimizerArgs args, bool packs) {
  const double factor = resident->factor;
  if (!(::fabs(factor) > 0)) return;
  step_all<E, T>(resident->element, static_cast<T>(factor), args, packs);
}

template <class T>
bool in_packs(const OptimizerArgs& args) {
  std::uintptr_t all = reinterpret_cast<std::uintptr_t>(args.value) | reinterpret_cast<std::uintptr_t>(args.gradient);
  for (const void* state : args.states) all |= reinterpret_cast<std::uintptr_t>(state);
  return all % 16 == 0;
}

template <class E, class T, class Step>
void step(const OptimizerArgs& args, const Step& settings) {
  if (args.numel == 0) return;
  const bool packs = in_packs<T>(args);
  step_kernel<E, T>
      <<<blocks_for(args.numel, packs ? 16 / sizeof(T) : 1), kThreads, 0, context().stream>>>(E(settings), args, packs);
  check_launch();
}

template <class T>
void sgd_kernel(const OptimizerArgs& args, const SgdStep& settings) {
  args.states[0] ? step<SgdElement<T, true>, T>(args, settings) : step<SgdElement<T, false>, T>(args, settings);
}

// The coefficients that depend on what lies on the device.
template <class E>
__global__ void coefficients_kernel(const double* numbers, const E at_rest, const AdamDecay settings,
                                    Resident<E>* out) {
  E element = at_rest;
  element.set(settings, numbers[0], numbers[1] + 1);
  *out = {numbers[2], element};
}

template <class E, class T>
void adam_step_of(const OptimizerArgs& args, const AdamStep& settings) {
  if (!settings.resident.defined()) return step<E, T>(args, settings);
  if (args.numel == 0) return;
  const Context on = context();
  const Scratch memory(sizeof(Resident<E>));
  auto* const resident = memory.as<Resident<E>>();
  coefficients_kernel<E><<<1, 1, 0, on.stream>>>(reinterpret_cast<const double*>(settings.resident.impl()->data),
                                                 E(settings), AdamDecay(settings), resident);
  const bool packs = in_packs<T>(args);
  resident_kernel<E, T>
      <<<blocks_for(args.numel, packs ? 16 / sizeof(T) : 1), kThreads, 0, on.stream>>>(resident, args, packs);
  check_launch();
}

template <class T>
void adam_kernel(const OptimizerArgs& args, const AdamStep& settings) {
  args.states[2] ? adam_step_of<AdamElement<T, true>, T>(args, settings)
                 : adam_step_of<AdamElement<T, false>, T>(args, settings);
}

template <class T>
void rmsprop_kernel(const OptimizerArgs& given, const RmspropStep& settings) {
  // The functor counts the states that there are.
  OptimizerArgs args = given;
  const bool centred = given.states[1], momentum = given.states[2];
  if (!centred) args.states[1] = args.states[2];
  if (!centred || !momentum) args.states[2] = nullptr;
  if (centred) {
    momentum ? step<RmspropElement<T, true, true>, T>(args, settings)
             : step<RmspropElement<T, true, false>, T>(args, settings);
  } else {
    momentum ? step<RmspropElement<T, false, true>, T>(args, settings)
             : step<RmspropElement<T, false, false>, T>(args, settings);
  }
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  sgd.set(DeviceKind::cuda, dtype, &sgd_kernel<T>);
  adam.set(DeviceKind::cuda, dtype, &adam_kernel<T>);
  rmsprop.set(DeviceKind::cuda, dtype, &rmsprop_kernel<T>);
  adagrad.set(DeviceKind::cuda, dtype, &step<AdagradElement<T>, T, AdagradStep>);
  adadelta.set(DeviceKind::cuda, dtype, &step<AdadeltaElement<T>, T, AdadeltaStep>);
  lion.set(DeviceKind::cuda, dtype, &step<LionElement<T>, T, LionStep>);
}

}  // namespace

void register_optimizer() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cuda
