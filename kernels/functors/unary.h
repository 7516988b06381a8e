#pragma once

#include "functors/math.h"

// X(name, functor, types): `real` takes floating types, `any` every arithmetic type but bool.
#define TERN_UNARY_LIST(X)        \
  X(neg, Neg, any)                \
  X(abs, Abs, any)                \
  X(exp, Exp, real)               \
  X(log, Log, real)               \
  X(log1p, Log1p, real)           \
  X(sqrt, Sqrt, real)             \
  X(square, Square, any)          \
  X(reciprocal, Reciprocal, real) \
  X(tanh, Tanh, real)             \
  X(sigmoid, Sigmoid, real)       \
  X(relu, Relu, any)              \
  X(softplus, Softplus, real)     \
  X(gelu, Gelu, real)             \
  X(silu, Silu, real)             \
  X(erf, Erf, real)               \
  X(sign, Sign, any)

namespace tern::kernels {

/// What the gradient of a functor is computed from: `gradient(g, s)` gets the input, the output, or nothing of use.
enum class Saves { none, input, output };

struct Neg {
  static constexpr Saves saves = Saves::none;
  template <class L>
  static L forward(L x) {
    return static_cast<L>(-x);
  }
  template <class L>
  static L gradient(L g, L) {
    return -g;
  }
};
struct Sign {
  static constexpr Saves saves = Saves::none;
  template <class L>
  static L forward(L x) {
    // x - x: NaN stays NaN.  NOLINTNEXTLINE(misc-redundant-expression)
    return math::select(x > L(0), L(1), math::select(x < L(0), static_cast<L>(-1), static_cast<L>(x - x)));
  }
  template <class L>
  static L gradient(L, L) {
    return L(0);
  }
};
struct Abs {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return math::abs(x);
  }
  template <class L>
  static L gradient(L g, L x) {
    return g * Sign::forward(x);
  }
};
struct Exp {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    return math::exp(x);
  }
  template <class L>
  static L gradient(L g, L y) {
    return g * y;
  }
};
struct Log {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return math::log(x);
  }
  template <class L>
  static L gradient(L g, L x) {
    return g / x;
  }
};
struct Log1p {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return math::log1p(x);
  }
  template <class L>
  static L gradient(L g, L x) {
    return g / (L(1) + x);
  }
};
struct Sqrt {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    return math::sqrt(x);
  }
  template <class L>
  static L gradient(L g, L y) {
    return g * L(0.5) / y;
  }
};
struct Square {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return static_cast<L>(x * x);
  }
  template <class L>
  static L gradient(L g, L x) {
    return g * (x + x);
  }
};
struct Reciprocal {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    return L(1) / x;
  }
  template <class L>
  static L gradient(L g, L y) {
    return -g * y * y;
  }
};
struct Tanh {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    return math::tanh(x);
  }
  template <class L>
  static L gradient(L g, L y) {
    return g * (L(1) - y * y);
  }
};
struct Sigmoid {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    const L e = math::exp(-math::abs(x));
    return math::select(x >= L(0), L(1), e) / (L(1) + e);
  }
  template <class L>
  static L gradient(L g, L y) {
    return g * y * (L(1) - y);
  }
};
struct Relu {
  static constexpr Saves saves = Saves::output;
  template <class L>
  static L forward(L x) {
    return math::select(x <= L(0), L(0), x);
  }
  template <class L>
  static L gradient(L g, L y) {
    return math::select(y > L(0), g, L(0));
  }
};
struct Softplus {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return Relu::forward(x) + math::log1p(math::exp(-math::abs(x)));
  }
  template <class L>
  static L gradient(L g, L x) {
    return g * Sigmoid::forward(x);
  }
};
struct Erf {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return math::erf(x);
  }
  template <class L>
  static L gradient(L g, L x) {
    return g * (L(1.1283791670955126) * math::exp(-x * x));
  }
};
struct Gelu {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return x * (L(0.5) * (L(1) + math::erf(x * L(0.7071067811865476))));
  }
  template <class L>
  static L gradient(L g, L x) {
    const L cdf = L(0.5) * (L(1) + math::erf(x * L(0.7071067811865476)));
    return g * (cdf + x * (L(0.3989422804014327) * math::exp(L(-0.5) * x * x)));
  }
};
struct Silu {
  static constexpr Saves saves = Saves::input;
  template <class L>
  static L forward(L x) {
    return x * Sigmoid::forward(x);
  }
  template <class L>
  static L gradient(L g, L x) {
    const L s = Sigmoid::forward(x);
    return g * (s + x * s * (L(1) - s));
  }
};

}  // namespace tern::kernels
