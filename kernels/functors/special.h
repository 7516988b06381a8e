#pragma once

#include <cmath>
#include <cstdint>

#include "functors/math.h"

// Functions of the gamma family and the inverse of erf: of a double, one at a time, on the host or a device. What is
// computed in f32 is rounded at the end, so that an f32 is right to its last bit nearly everywhere. The ones of the C
// library, and erfinv, are CUDA's on the device.
//
// TERN_SPECIAL marks what the device calls from several places and does not inline there, TERN_ROLLED a loop that it
// does not unroll: a power or a quotient is some hundred instructions.
#ifdef __CUDACC__
#define TERN_SPECIAL __host__ __device__ __noinline__
#else
#define TERN_SPECIAL inline
#endif
#ifdef __CUDA_ARCH__
#define TERN_ROLLED _Pragma("unroll 1")
#else
#define TERN_ROLLED
#endif

namespace tern::kernels::special {

namespace detail {

// 1/2 + the sum of B_2j / (2j)! · s (s+1) … (s+2j-2) / x^(2j-1), j = 1 … 10: what Euler and Maclaurin add, times x^-s,
// to the integral of t^-s from x on (NIST Handbook, 25.11.7). Below 2^-54 is left out where x ≥ s + 10.
TERN_SPECIAL double corrections(double s, double x) {
  constexpr double of_bernoulli[] = {0x1.5555555555555p-4,   -0x1.6c16c16c16c17p-10, 0x1.1566abc011567p-15,
                                     -0x1.bbd779334ef0bp-21, 0x1.66a8f2bf70ebep-26,  -0x1.22805d644267fp-31,
                                     0x1.d6db2c4e09162p-37,  -0x1.7da4e1f79955cp-42, 0x1.355871d652e9ep-47,
                                     -0x1.f57d968caacf1p-53};
  const double over = 1 / x;
  double sum = 0.5, factor = s * over;
  TERN_ROLLED for (const double each : of_bernoulli) {
    sum += each * factor;
    factor *= (s + 1) * over * ((s + 2) * over);
    s += 2;
  }
  return sum;
}

}  // namespace detail

/// π / tan(πx).
TERN_FUNCTOR inline double pi_cotangent(double x) {
  constexpr double pi = 3.14159265358979323846;
#ifdef __CUDA_ARCH__
  return pi * (::cospi(x) / ::sinpi(x));
#else
  return pi / __builtin_tan(pi * x);
#endif
}

/// log |Γ(x)|, ∞ at the poles 0, -1, -2, … and at both infinities.
TERN_FUNCTOR inline double lgamma(double x) {
#ifdef __CUDA_ARCH__
  return ::lgamma(x);
#else
  int sign = 0;  // which lgamma would write to a global variable
  return ::lgamma_r(x, &sign);
#endif
}

/// The derivative of log Γ. -∞ at 0, ∞ at -0, NaN at the other poles and at -∞.
TERN_FUNCTOR inline double digamma(double x) {
  if (x == 0) return -1 / x;
  double sum = 0;
  if (x < 0) {  // by reflection; the angle from the nearest pole is exact
    const double angle = x - TERN_LIBRARY(nearbyint)(x);
    if (angle == 0) return angle / angle;
    sum = -pi_cotangent(angle);
    x = 1 - x;
  }
  if (x < 1) {
    sum -= 1 / x;
    x += 1;
  }
  if (x >= 11) return sum + (TERN_LIBRARY(log)(x) - detail::corrections(1, x) / x);
  TERN_ROLLED for (; x > 2; sum += 1 / x) x -= 1;
  // In [1, 2] as Boost.Math has it (digamma.hpp, J. Maddock 2006): a rational function times the distance from the
  // root, which is given in three parts.
  const double from_root = x - 1569415565.0 / 1073741824 - 381566830.0 / 1073741824 / 1073741824 -
                           0.9016312093258695918615325266959189453125e-19;
  const double y = x - 1;
  const double p = math::detail::polynomial(y, 0.25479851061131551, -0.32555031186804491, -0.65031853770896507,
                                            -0.28919126444774784, -0.045251321448739056, -0.0020713321167745952);
  const double q = math::detail::polynomial(y, 1.0, 2.0767117023730469, 1.4606242909763515, 0.43593529692665969,
                                            0.054151797245674225, 0.0021284987017821144, -0.55789841321675513e-6);
  return sum + (from_root * 0.99558162689208984 + from_root * (p / q));
}

/// (-1)^(n+1) n! times the sum of (x + k)^-(n+1), k = 0, 1, …: the nth derivative of digamma, n ≥ 1.
struct Polygamma {
  double s, factorial, unit;
  bool odd;  // s

  /// Most of n! goes into the terms, by their unit.
  explicit Polygamma(std::int64_t n) : s(static_cast<double>(n) + 1), factorial(1), odd(n % 2 == 0) {
    const double log = lgamma(s) / s;
    if (n > 170) {  // loses three digits, where a factorial alone is infinite
      unit = std::exp(log);
      return;
    }
    unit = std::exp2(std::floor(log / 0.69314718055994530942));  // exact, as are the quotients by it
    for (double k = 1; k < s; ++k) factorial *= k / unit;
    factorial /= unit;
  }

  /// ∞ of the sign of (-1)^(n+1) at the poles, 0 at ∞, NaN at -∞.
  TERN_FUNCTOR double operator()(double x) const {
    double sum = 0;
    if (x > 0) {
      sum = zeta(x);
    } else {
      // The terms of all whole numbers around the nearest pole, less those beyond x. The distance is exact.
      const double from_pole = x - TERN_LIBRARY(nearbyint)(x);
      sum = TERN_LIBRARY(copysign)(power(TERN_LIBRARY(fabs)(from_pole), s), odd && from_pole < 0 ? -1.0 : 1.0);
      if (sum - sum == 0) {  // else all is infinite
        const double beyond = zeta(1 - from_pole) - zeta(1 - x);
        sum += zeta(1 + from_pole) + (odd ? -beyond : beyond);
      }
    }
    return odd ? -sum : sum;
  }

 private:
  // n! x^-s or, of s - 1, n! x^-n over the unit: as two halves, of which neither leaves the range of doubles where the
  // result does not.
  TERN_SPECIAL double power(double x, double of) const {
    const double half = TERN_LIBRARY(pow)(x / unit, -0.5 * of);
    return factorial * half * half;
  }
  TERN_SPECIAL double zeta(double x) const {
    double sum = 0;
    TERN_ROLLED for (; x < s + 10; x += 1) {
      const double next = power(x, s);
      sum += next;
      if (next <= sum * 0x1p-58) return sum;
    }
    const double scale = power(x, s - 1);
    return scale == 0 ? sum : sum + scale * (unit / (s - 1) + unit / x * detail::corrections(s, x));
  }
};

/// The y whose erf is x: ±∞ at ±1, NaN beyond. Winitzki's approximation ("A handy approximation for the error function
/// and its inverse", 2008) to 2^-9, and steps of Halley's method, of erf near 0 and of erfc, which does not cancel,
/// above.
TERN_FUNCTOR inline double erfinv(double x) {
#ifdef __CUDA_ARCH__
  return ::erfinv(x);
#else
  const double a = std::fabs(x);
  if (a == 1) return x / (1 - a);
  const double log = std::log1p(-a * a), half = 4.3307467508 + 0.5 * log, over = log / -0.147;
  double y = std::sqrt(over / (std::sqrt(half * half + over) + half));
  for (int step = 0; step < 3; ++step) {
    const double beyond = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double newton = beyond * (0.88622692545275801365 * std::exp(y * y));
    y -= newton / (1 + y * newton);
  }
  return std::copysign(y, x);
#endif
}

/// erfinv or, of the order -1, 0 or n, lgamma, digamma or polygamma of n: each the derivative of the one before.
inline constexpr std::int64_t kErfinv = -2;

struct Function {
  std::int64_t order;
  Polygamma polygamma;

  explicit Function(std::int64_t of) : order(of), polygamma(of > 0 ? of : 1) {}

  TERN_FUNCTOR double operator()(double x) const {
    if (order > 0) return polygamma(x);
    return order == 0 ? digamma(x) : order == kErfinv ? erfinv(x) : lgamma(x);
  }
};

}  // namespace tern::kernels::special

#undef TERN_SPECIAL
#undef TERN_ROLLED
