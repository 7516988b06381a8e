#include "cpu/vector/optimizer.h"

#include "cpu/vector/lane.h"
#include "functors/optimizer.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

// `n` elements of a vector, or all of it.
template <class T, class Element, class... N>
TERN_INLINE void step_lanes(const Element& element, T* value, const T* gradient, T* const* states, std::int64_t i,
                            N... n) {
  using L = Lane<T>;
  L at = L::load(value + i, n...), state[Element::states + 1];
  for (int s = 0; s < Element::states; ++s) state[s] = L::load(states[s] + i, n...);
  element(at, L::load(gradient + i, n...), state);
  for (int s = 0; s < Element::states; ++s) state[s].store(states[s] + i, n...);
  at.store(value + i, n...);
}

template <class Element, class T>
void step(const void* settings, std::int64_t n, T* value, const T* gradient, T* const* states) {
  const Element element = *static_cast<const Element*>(settings);
  T* state[Element::states + 1];
  for (int s = 0; s < Element::states; ++s) state[s] = states[s];
  std::int64_t i = 0;
  for (; i + Lane<T>::kLanes <= n; i += Lane<T>::kLanes) {
    fetch_ahead(value + i);
    fetch_ahead(gradient + i);
    for (int s = 0; s < Element::states; ++s) fetch_ahead(state[s] + i);
    step_lanes(element, value, gradient, state, i);
  }
  if (i < n) step_lanes(element, value, gradient, state, i, static_cast<int>(n - i));
}

template <class T>
constexpr StepLoops<T> table() {
  return {.sgd = {&step<SgdElement<T, false>, T>, &step<SgdElement<T, true>, T>},
          .adam = {&step<AdamElement<T, false>, T>, &step<AdamElement<T, true>, T>},
          .rmsprop = {{&step<RmspropElement<T, false, false>, T>, &step<RmspropElement<T, false, true>, T>},
                      {&step<RmspropElement<T, true, false>, T>, &step<RmspropElement<T, true, true>, T>}},
          .adagrad = &step<AdagradElement<T>, T>,
          .adadelta = &step<AdadeltaElement<T>, T>,
          .lion = &step<LionElement<T>, T>};
}

}  // namespace

constinit const OptimizerTable optimizer{.f32 = table<float>(), .f64 = table<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
