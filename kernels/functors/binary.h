#pragma once

#include "functors/math.h"

// X(name, functor, types): `real` takes floating types, `any` every arithmetic type but bool.
#define TERN_BINARY_LIST(X) \
  X(add, Add, any)          \
  X(sub, Sub, any)          \
  X(mul, Mul, any)          \
  X(div, Div, real)         \
  X(pow, Pow, real)         \
  X(maximum, Maximum, any)  \
  X(minimum, Minimum, any)

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
  static L forward(L a, L b) {
    return static_cast<L>(a + b);
  }
};
struct Sub {
  template <class L>
  static L forward(L a, L b) {
    return static_cast<L>(a - b);
  }
};
struct Mul {
  template <class L>
  static L forward(L a, L b) {
    return static_cast<L>(a * b);
  }
};
struct Div {
  template <class L>
  static L forward(L a, L b) {
    return a / b;
  }
};
struct Pow {
  template <class L>
  static L forward(L a, L b) {
    return math::pow(a, b);
  }
};
// A NaN on either side is the result: the comparison with one is false, and x + y carries it on.
struct Maximum {
  template <class L>
  static L forward(L a, L b) {
    return math::select(a >= b, a, math::select(a < b, b, static_cast<L>(a + b)));
  }
};
struct Minimum {
  template <class L>
  static L forward(L a, L b) {
    return math::select(a <= b, a, math::select(a > b, b, static_cast<L>(a + b)));
  }
};
struct Eq {
  template <class L>
  static auto forward(L a, L b) {
    return a == b;
  }
};
struct Ne {
  template <class L>
  static auto forward(L a, L b) {
    return a != b;
  }
};
struct Lt {
  template <class L>
  static auto forward(L a, L b) {
    return a < b;
  }
};
struct Le {
  template <class L>
  static auto forward(L a, L b) {
    return a <= b;
  }
};
struct Gt {
  template <class L>
  static auto forward(L a, L b) {
    return a > b;
  }
};
struct Ge {
  template <class L>
  static auto forward(L a, L b) {
    return a >= b;
  }
};

}  // namespace tern::kernels
