#pragma once

#include "functors/math.h"

// What is made of the words of a Philox stream (tern/base/random.h), over lanes as all functors.
namespace tern::kernels {

/// Standard normal of two uniforms in [0, 1) of 53 bits (Box and Muller 1958).
struct Normal {
  template <class L>
  TERN_FUNCTOR static L forward(L u, L v) {
    return math::sqrt(L(-2) * math::log_normal(L(1) - u)) * cos_of_turns(v);  // 1 - u is 2^-53 at least
  }

  /// cos 2πv, 0 <= v <= 1, of doubles.
  template <class L>
  TERN_FUNCTOR static L cos_of_turns(L v) {
    const L quarters = v * L(4), n = math::detail::nearest_integer(quarters), f = quarters - n;
    const L angle = f * L(1.5707963267948966), z = angle * angle;
    // The series of Taylor, whose next terms are below 2^-57 up to π/4.
    const L cosine =
        L(1) - z * (L(0.5) - z * math::detail::polynomial(z, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                                                          1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000));
    const L sine = angle - angle * z *
                               math::detail::polynomial(z, 1.0 / 6, -1.0 / 120, 1.0 / 5040, -1.0 / 362880,
                                                        1.0 / 39916800, -1.0 / 6227020800, 1.0 / 1307674368000);
    // n quarters on: cos, -sin, -cos, sin, cos.
    const L turned = math::select((n == L(1)), -sine, sine), whole = math::select(n == L(2), -cosine, cosine);
    const L odd = n - L(2) * math::detail::nearest_integer(n * L(0.5));  // 0 when n is even
    return math::select(odd == L(0), whole, turned);
  }
};

/// The next number of a half type after `from` towards `to`, as std::nextafter.
template <class T>
TERN_FUNCTOR T next_half(T from, T to) {
  const bool down = static_cast<float>(to) < static_cast<float>(from), negative = from.bits >> 15 != 0;
  if (from == to) return from;
  if ((from.bits & 0x7FFF) == 0) return T::from_bits(down ? 0x8001 : 1);
  return T::from_bits(static_cast<std::uint16_t>(down == negative ? from.bits + 1 : from.bits - 1));
}

}  // namespace tern::kernels
