#pragma once

#include "functors/math.h"

namespace tern::kernels {

/// Binary cross entropy of the logit x and the target t, weighed by w, that of positives by p. Both tails are exact:
/// neither softplus is taken from the other.
struct BceWithLogits {
  template <class L>
  TERN_FUNCTOR static L forward(L x, L t, L w, L p) {
    const L rest = math::log1p(math::exp(-math::abs(x)));
    const auto below = x < L(0);
    const L positive = math::select(below, -x, L(0)) + rest, negative = math::select(below, L(0), x) + rest;
    return w * (p * t * positive + (L(1) - t) * negative);
  }
  /// Of the logit, times g.
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x, L t, L w, L p) {
    const L e = math::exp(-math::abs(x)), large = L(1) / (L(1) + e), small = e / (L(1) + e);
    const auto below = x < L(0);
    const L sigmoid = math::select(below, small, large), other = math::select(below, large, small);
    return g * w * ((L(1) - t) * sigmoid - p * t * other);
  }
};

}  // namespace tern::kernels
