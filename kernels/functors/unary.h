#pragma once

#include "functors/math.h"

// X(name, functor, types): `real` takes floating types, `wide` those that are no half types, `any` every arithmetic
// type but bool.
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
  X(sign, Sign, any)              \
  X(rsqrt, Rsqrt, real)           \
  X(gelu_tanh, GeluTanh, real)    \
  X(exp2, Exp2, real)             \
  X(expm1, Expm1, real)           \
  X(log2, Log2, real)             \
  X(log10, Log10, real)           \
  X(sin, Sin, real)               \
  X(cos, Cos, real)               \
  X(tan, Tan, real)               \
  X(asin, Asin, real)             \
  X(acos, Acos, real)             \
  X(atan, Atan, real)             \
  X(sinh, Sinh, real)             \
  X(cosh, Cosh, real)             \
  X(asinh, Asinh, real)           \
  X(acosh, Acosh, real)           \
  X(atanh, Atanh, real)           \
  X(erfc, Erfc, real)             \
  X(floor, Floor, real)           \
  X(ceil, Ceil, real)             \
  X(trunc, Trunc, real)           \
  X(round, Round, real)           \
  X(hardswish, Hardswish, wide)

namespace tern::kernels {

/// What the gradient of a functor is computed from: `gradient(g, s)` gets the input, the output, or nothing of use.
enum class Saves { none, input, output };

struct Neg {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return static_cast<L>(-math::wrapping(x));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L) {
    return -g;
  }
};
struct Sign {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    // x - x: NaN stays NaN.  NOLINTNEXTLINE(misc-redundant-expression)
    return math::select(x > L(0), L(1), math::select(x < L(0), static_cast<L>(-1), static_cast<L>(x - x)));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L, L) {
    return L(0);
  }
};
struct Abs {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::abs(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * Sign::forward(x);
  }
};
struct Exp {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::exp(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * y;
  }
};
struct Log {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::log(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / x;
  }
};
struct Log1p {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::log1p(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / (L(1) + x);
  }
};
struct Sqrt {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::sqrt(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * L(0.5) / y;
  }
};
struct Square {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return static_cast<L>(math::wrapping(x) * math::wrapping(x));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * (x + x);
  }
};
struct Reciprocal {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return L(1) / x;
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return -g * y * y;
  }
};
struct Tanh {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::tanh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * (L(1) - y * y);
  }
};
struct Sigmoid {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    const L e = math::exp(-math::abs(x));
    return math::select(x >= L(0), L(1), e) / (L(1) + e);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * y * (L(1) - y);
  }
};
struct Relu {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::select(x <= L(0), L(0), x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return math::select(y > L(0), g, L(0));
  }
};
struct Softplus {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return Relu::forward(x) + math::log1p(math::exp(-math::abs(x)));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * Sigmoid::forward(x);
  }
};
struct Erf {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::erf(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * (L(1.1283791670955126) * math::exp(-x * x));
  }
};
struct Gelu {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return x * (L(0.5) * (L(1) + math::erf(x * L(0.7071067811865476))));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    const L cdf = L(0.5) * (L(1) + math::erf(x * L(0.7071067811865476)));
    return g * (cdf + x * (L(0.3989422804014327) * math::exp(L(-0.5) * x * x)));
  }
};
struct Silu {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return x * Sigmoid::forward(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    const L s = Sigmoid::forward(x);
    return g * (s + x * s * (L(1) - s));
  }
};
struct Rsqrt {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return L(1) / math::sqrt(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * (L(-0.5) * y * y * y);
  }
};
struct GeluTanh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return L(0.5) * x * (L(1) + math::tanh(bent(x)));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    const L t = math::tanh(bent(x));
    const L slope = L(0.7978845608028654) * (L(1) + L(3 * 0.044715) * x * x);
    return g * (L(0.5) * (L(1) + t) + L(0.5) * x * (L(1) - t * t) * slope);
  }

 private:
  template <class L>
  TERN_FUNCTOR static L bent(L x) {
    return L(0.7978845608028654) * (x + L(0.044715) * x * x * x);
  }
};
struct Exp2 {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::exp2(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * (y * L(0.6931471805599453));
  }
};
struct Expm1 {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::expm1(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * (y + L(1));
  }
};
struct Log2 {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::log2(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / (x * L(0.6931471805599453));
  }
};
struct Log10 {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::log10(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / (x * L(2.302585092994046));
  }
};
struct Sin {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::sin(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * math::cos(x);
  }
};
struct Cos {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::cos(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return -g * math::sin(x);
  }
};
struct Tan {
  static constexpr Saves saves = Saves::output;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::tan(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L y) {
    return g * (L(1) + y * y);
  }
};
struct Asin {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::asin(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / math::sqrt(L(1) - x * x);
  }
};
struct Acos {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::acos(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return -g / math::sqrt(L(1) - x * x);
  }
};
struct Atan {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::atan(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / (L(1) + x * x);
  }
};
struct Sinh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::sinh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * math::cosh(x);
  }
};
struct Cosh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::cosh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * math::sinh(x);
  }
};
struct Asinh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::asinh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / math::sqrt(x * x + L(1));
  }
};
struct Acosh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::acosh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / math::sqrt(x * x - L(1));
  }
};
struct Atanh {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::atanh(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g / (L(1) - x * x);
  }
};
struct Erfc {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::erfc(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    return g * (L(-1.1283791670955126) * math::exp(-x * x));
  }
};
struct Floor {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::floor(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L, L) {
    return L(0);
  }
};
struct Ceil {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::ceil(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L, L) {
    return L(0);
  }
};
struct Trunc {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::trunc(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L, L) {
    return L(0);
  }
};
struct Round {
  static constexpr Saves saves = Saves::none;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    return math::round(x);
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L, L) {
    return L(0);
  }
};

struct Hardswish {
  static constexpr Saves saves = Saves::input;
  template <class L>
  TERN_FUNCTOR static L forward(L x) {
    const L risen = x + L(3);
    return x * (math::select(risen <= L(0), L(0), math::select(risen >= L(6), L(6), risen)) * L(0.16666666666666666));
  }
  template <class L>
  TERN_FUNCTOR static L gradient(L g, L x) {
    const L slope = x * L(0.3333333333333333) + L(0.5);
    return g * math::select(x <= L(-3), L(0), math::select(x >= L(3), L(1), slope));
  }
};

}  // namespace tern::kernels
