#pragma once

#include <cmath>
#include <type_traits>

// The one place where functors meet transcendental functions. A lane type (a scalar here; a vector or a device scalar
// where there is one) brings its own overloads of these names.
namespace tern::kernels::math {

template <class L>
concept ScalarLane = std::is_floating_point_v<L>;

template <ScalarLane L>
inline L exp(L x) {
  return std::exp(x);
}
template <ScalarLane L>
inline L log(L x) {
  return std::log(x);
}
template <ScalarLane L>
inline L log1p(L x) {
  return std::log1p(x);
}
template <ScalarLane L>
inline L tanh(L x) {
  return std::tanh(x);
}
template <ScalarLane L>
inline L erf(L x) {
  return std::erf(x);
}
template <ScalarLane L>
inline L sqrt(L x) {
  return std::sqrt(x);
}
template <ScalarLane L>
inline L pow(L x, L y) {
  return std::pow(x, y);
}
template <class L>
requires std::is_arithmetic_v<L>
inline L abs(L x) {
  return x < L(0) ? static_cast<L>(-x) : x == L(0) ? L(0) : x;  // -0 gives 0
}
template <class L>
requires std::is_arithmetic_v<L>
inline L select(bool condition, L yes, L no) { return condition ? yes : no; }

}  // namespace tern::kernels::math
