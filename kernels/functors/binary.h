#pragma once

#include "functors/math.h"

// X(name, functor, types): `real` takes floating types, `any` every arithmetic type but bool.
#define TERN_BINARY_LIST(X)     \
  X(add, Add, any)              \
  X(sub, Sub, any)              \
  X(mul, Mul, any)              \
  X(div, Div, real)             \
  X(pow, Pow, real)             \
  X(maximum, Maximum, any)      \
  X(minimum, Minimum, any)      \
  X(logaddexp, LogAddExp, real) \
  X(xlogy, Xlogy, real)         \
  X(atan2, Atan2, real)         \
  X(hypot, Hypot, real)         \
  X(remainder, Remainder, any)  \
  X(fmod, Fmod, any)            \
  X(floor_divide, FloorDivide, any)

// Of integers, and `bits` of bool too.
#define TERN_BITWISE_LIST(X)              \
  X(bitwise_and, BitwiseAnd, bits)        \
  X(bitwise_or, BitwiseOr, bits)          \
  X(bitwise_xor, BitwiseXor, bits)        \
  X(bitwise_left_shift, LeftShift, whole) \
  X(bitwise_right_shift, RightShift, whole)

// Comparisons, of every type, to bool.
#define TERN_COMPARE_LIST(X) \
  X(eq, Eq, all)             \
  X(ne, Ne, all)             \
  X(lt, Lt, all)             \
  X(le, Le, all)             \
  X(gt, Gt, all)             \
  X(ge, Ge, all)

namespace tern::kernels {

struct Add {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(math::wrapping(a) + math::wrapping(b));
  }
};
struct Sub {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(math::wrapping(a) - math::wrapping(b));
  }
};
struct Mul {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(math::wrapping(a) * math::wrapping(b));
  }
};
struct Div {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return a / b;
  }
};
struct Pow {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::pow(a, b);
  }
};
// A NaN on either side is the result: the comparison with one is false, and x + y carries it on.
struct Maximum {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::select(a >= b, a, math::select(a < b, b, static_cast<L>(math::wrapping(a) + math::wrapping(b))));
  }
};
struct Minimum {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::select(a <= b, a, math::select(a > b, b, static_cast<L>(math::wrapping(a) + math::wrapping(b))));
  }
};
// x held within [low, high]; a NaN stays one.
struct Clamp {
  template <class L>
  TERN_FUNCTOR static L forward(L x, L low, L high) {
    return math::select(x <= low, low, math::select(x >= high, high, x));
  }
};
// a where x is positive, the product elsewhere.
struct Bend {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L x, L b, L factor) {
    return math::select(x > L(0), a, factor * b);
  }
};
struct Eq {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a == b;
  }
};
struct Ne {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a != b;
  }
};
struct Lt {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a < b;
  }
};
struct Le {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a <= b;
  }
};
struct Gt {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a > b;
  }
};
struct Ge {
  template <class L>
  TERN_FUNCTOR static auto forward(L a, L b) {
    return a >= b;
  }
};
// Equal infinities are not subtracted: that would be NaN.
struct LogAddExp {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    const L rest = math::log1p(math::exp(-math::abs(a - b)));
    return Maximum::forward(a, b) + math::select(a == b, L(0.6931471805599453), rest);
  }
};
struct Xlogy {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::select(b != b, b, math::select(a == L(0), L(0), a * math::log(b)));
  }
};
struct Atan2 {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::atan2(a, b);
  }
};
struct Hypot {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::hypot(a, b);
  }
};
struct Fmod {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::fmod(a, b);
  }
};
struct Remainder {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::remainder(a, b);
  }
};
struct FloorDivide {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::floor_divide(a, b);
  }
};
struct BitwiseAnd {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(a & b);
  }
};
struct BitwiseOr {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(a | b);
  }
};
struct BitwiseXor {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return static_cast<L>(a ^ b);
  }
};
struct LeftShift {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::select(math::is_shift(b), static_cast<L>(a << (b & (8 * sizeof(L) - 1))), L(0));
  }
};
struct RightShift {
  template <class L>
  TERN_FUNCTOR static L forward(L a, L b) {
    return math::select(math::is_shift(b), static_cast<L>(a >> (b & (8 * sizeof(L) - 1))),
                        math::select(a < L(0), static_cast<L>(-1), L(0)));
  }
};

}  // namespace tern::kernels
