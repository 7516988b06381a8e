#include "cpu/vector/loss.h"

#include "cpu/vector/lane.h"
#include "functors/loss.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

// A vector of elements from i on, or its first n.
template <class T, class... N>
TERN_INLINE void bce_lanes(const BceStrip<T>& s, std::int64_t i, N... n) {
  using L = Lane<T>;
  const L x = L::load(s.logits + i, n...), t = L::load(s.target + i, n...);
  const L w = L::load(s.weight + i * s.weight_step, n...), p = L::load(s.pos_weight + i * s.pos_weight_step, n...);
  BceWithLogits::forward(x, t, w, p).store(s.out + i, n...);
}
template <class T, class... N>
TERN_INLINE void bce_gradient_lanes(const BceStrip<T>& s, std::int64_t i, N... n) {
  using L = Lane<T>;
  const L x = L::load(s.logits + i, n...), t = L::load(s.target + i, n...), g = L::load(s.g + i * s.g_step, n...);
  const L w = L::load(s.weight + i * s.weight_step, n...), p = L::load(s.pos_weight + i * s.pos_weight_step, n...);
  BceWithLogits::gradient(g, x, t, w, p).store(s.out + i, n...);
}

template <class T>
void bce(const BceStrip<T>& strip) {
  const BceStrip<T> s = strip;
  std::int64_t i = 0;
  for (; i + Lane<T>::kLanes <= s.n; i += Lane<T>::kLanes) bce_lanes(s, i);
  if (i < s.n) bce_lanes(s, i, static_cast<int>(s.n - i));
}
template <class T>
void bce_gradient(const BceStrip<T>& strip) {
  const BceStrip<T> s = strip;
  std::int64_t i = 0;
  for (; i + Lane<T>::kLanes <= s.n; i += Lane<T>::kLanes) bce_gradient_lanes(s, i);
  if (i < s.n) bce_gradient_lanes(s, i, static_cast<int>(s.n - i));
}

}  // namespace

constinit const LossTable loss{.f32 = {&bce<float>, &bce_gradient<float>},
                               .f64 = {&bce<double>, &bce_gradient<double>}};

}  // namespace tern::kernels::cpu::TERN_TARGET
