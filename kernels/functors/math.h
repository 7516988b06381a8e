#pragma once

#include <cstdint>
#include <type_traits>

// The one place where functors meet transcendental functions: Tern's own, written once over a lane type: float or
// double, on the host or a device, or a vector of them (cpu/vector/lane.h). There is no branch and no fused
// multiply-add in them, so that every lane type and every target computes the same bits. Their error stays below
// 2 ulp (tests/ops/math_test.cpp), over the whole range, subnormal numbers included.
//
// Coefficients are minimax polynomials, found by Remez' exchange in 200 bits of precision for the relative error of
// the function (stated beside each as a power of two) and then rounded, unless said otherwise.
//
// A lane type L that is not a scalar has: Scalar; arithmetic and comparisons; L(number); L::select(mask, yes, no);
// bits(), giving something with the operators of an unsigned integer, and L::from_bits; sqrt(), floor(), ceil(),
// trunc() and round(); and each(f), which applies a function of Scalar lane by lane. It may have at_most(y) and
// at_least(y), in which a NaN of its own stays, and scaled(n), its product with 2^n, rounded once.
//
// TERN_FUNCTOR marks what host and device both compile, TERN_MATH what is inlined as well. TERN_LIBRARY names a
// function of the C library, which on the device is CUDA's.
#ifdef __CUDACC__
#include <cmath>
#define TERN_FUNCTOR __host__ __device__
#define TERN_MATH __host__ __device__ __forceinline__
#define TERN_LIBRARY(function) ::function
#else
#define TERN_FUNCTOR
#define TERN_MATH inline __attribute__((always_inline))
#define TERN_LIBRARY(function) __builtin_##function
#endif

namespace tern::kernels::math {

namespace detail {
template <class L>
struct ScalarOf {
  using type = typename L::Scalar;
};
template <class L>
requires std::is_arithmetic_v<L>
struct ScalarOf<L> {
  using type = L;
};
}  // namespace detail

template <class L>
using Scalar = typename detail::ScalarOf<L>::type;

/// Whether a floating lane type holds floats; the others hold doubles.
template <class L>
inline constexpr bool kSingle = std::is_same_v<Scalar<L>, float>;

/// condition ? yes : no, of a bool or of a lane's mask.
template <class M, class L>
TERN_MATH L select(M condition, L yes, L no) {
  if constexpr (std::is_arithmetic_v<L>) {
    return condition ? yes : no;
  } else {
    return L::select(condition, yes, no);
  }
}

/// What to add, subtract and multiply instead: signed integers as unsigned ones, which wrap.
template <class L>
TERN_MATH auto wrapping(L x) {
  if constexpr (std::is_integral_v<L> && std::is_signed_v<L>) {
    return static_cast<std::make_unsigned_t<L>>(x);
  } else {
    return x;
  }
}

/// The bits of floating lanes as unsigned integers.
template <class L>
TERN_MATH auto bits(L x) {
  if constexpr (std::is_same_v<L, float>) {
    return __builtin_bit_cast(std::uint32_t, x);
  } else if constexpr (std::is_same_v<L, double>) {
    return __builtin_bit_cast(std::uint64_t, x);
  } else {
    return x.bits();
  }
}
template <class L, class Bits>
TERN_MATH L from_bits(Bits bits) {
  if constexpr (std::is_arithmetic_v<L>) {
    return __builtin_bit_cast(L, bits);
  } else {
    return L::from_bits(bits);
  }
}

namespace detail {

template <class L>
inline constexpr auto kSign = [] {
  if constexpr (kSingle<L>) {
    return std::uint32_t{1} << 31;
  } else {
    return std::uint64_t{1} << 63;
  }
}();
// Digits of the significand after the point, and the bits of 1.
template <class L>
inline constexpr int kDigits = kSingle<L> ? 23 : 52;
template <class L>
inline constexpr auto kOne = [] {
  if constexpr (kSingle<L>) {
    return std::uint32_t{127} << 23;
  } else {
    return std::uint64_t{1023} << 52;
  }
}();
// Added to a number below 2^(digits - 1) in size, it leaves the number rounded to an integer in the lowest bits.
template <class L>
inline constexpr double kShifter = kSingle<L> ? 0x1.8p23 : 0x1.8p52;

template <class L>
TERN_MATH L polynomial(L, double c) {
  return L(c);
}
/// c + x (next + x (…)).
template <class L, class... Rest>
TERN_MATH L polynomial(L x, double c, Rest... rest) {
  return polynomial(x, rest...) * x + L(c);
}

template <class L>
TERN_MATH L absolute(L x) {
  return from_bits<L>(bits(x) & ~kSign<L>);
}
template <class L>
TERN_MATH L with_sign_of(L x, L size) {
  return from_bits<L>(bits(size) | (bits(x) & kSign<L>));
}

/// x, but no more than `end`, or no less; NaN stays.
template <class L>
TERN_MATH L at_most(L x, double end) {
  if constexpr (requires { x.at_most(x); }) {
    return x.at_most(L(end));
  } else {
    return select(x > L(end), L(end), x);
  }
}
template <class L>
TERN_MATH L at_least(L x, double end) {
  if constexpr (requires { x.at_least(x); }) {
    return x.at_least(L(end));
  } else {
    return select(x < L(end), L(end), x);
  }
}

/// log 2 in two parts, the first short enough for its product with an exponent to be exact.
template <class L>
inline constexpr double kLog2High = kSingle<L> ? 0x1.62e4p-1 : 0x1.62e42fefa38p-1;
template <class L>
inline constexpr double kLog2Low = kSingle<L> ? 0x1.7f7d1cf79abcap-20 : 0x1.ef35793c7673p-45;

template <class L>
TERN_MATH L nearest_integer(L x) {
  return (x + L(kShifter<L>)) - L(kShifter<L>);
}
/// 2^n of integers n in the range of normal exponents.
template <class L>
TERN_MATH L power_of_two(L n) {
  return from_bits<L>((bits(n + L(kShifter<L>)) << kDigits<L>)+(kOne<L>));
}

/// x 2^n of integers n for which that is a normal number.
template <class L>
TERN_MATH L scaled(L x, L n) {
  if constexpr (requires { x.scaled(n); }) {
    return x.scaled(n);
  } else {
    return x * power_of_two(n);
  }
}
/// x 2^n, rounded once, of x in [1/2, 2] and integers n up to twice the range of normal exponents.
template <class L>
TERN_MATH L scaled_far(L x, L n) {
  if constexpr (requires { x.scaled(n); }) {
    return x.scaled(n);
  } else {
    const L half = nearest_integer(n * L(0.5));
    return (x * power_of_two(half)) * power_of_two(n - half);
  }
}

/// x = n log 2 + r + low with |r| <= log(2) / 2 and what rounding took from r, and e^r - 1 = r + tail.
template <class L>
struct Exponent {
  L n, r, low, tail;
};
template <class L>
TERN_MATH Exponent<L> exponent(L x) {
  const L n = nearest_integer(x * L(1.4426950408889634));
  const L exact = x - n * L(kLog2High<L>), rest = n * L(kLog2Low<L>);
  const L r = exact - rest;
  L p;
  if constexpr (kSingle<L>) {  // 2^-28.3
    p = polynomial(r, 0x1.fffffb99a2d47p-2, 0x1.5554913ffe39ap-3, 0x1.5558f1e01f824p-5, 0x1.1239f1e26c971p-7,
                   0x1.6a241874406bbp-10);
  } else {  // 2^-57.9
    p = polynomial(r, 0x1.000000000000ap-1, 0x1.55555555554fap-3, 0x1.555555555086dp-5, 0x1.1111111127c33p-7,
                   0x1.6c16c1842dbaep-10, 0x1.a01a012a447d6p-13, 0x1.a0199a01e0ddcp-16, 0x1.71df256cd7961p-19,
                   0x1.28ad7d00a921dp-22, 0x1.ad7f5f338e1fep-26);
  }
  return {n, r, (exact - r) - rest, (r * r) * p};
}

/// e^x where that is a normal number.
template <class L>
TERN_MATH L exp_normal(L x) {
  const Exponent<L> e = exponent(x);
  return scaled(L(1) + (e.r + e.tail), e.n);
}

/// log(low + m 2^k) for the number whose bits were split into k and m - 1 = f, sqrt(1/2) <= m <= sqrt(2).
template <class L>
TERN_MATH L log_of_parts(L k, L f, L low) {
  // log(1 + f) = 2 artanh(s) with s = f / (2 + f), and 2 s = f - s f.
  const L s = f / (L(2) + f), z = s * s;
  L p;
  if constexpr (kSingle<L>) {  // 2^-30.2
    p = polynomial(z, 0x1.55557a42977d4p-1, 0x1.995e9b233ad89p-2, 0x1.31e6782405003p-2);
  } else {  // 2^-59.5
    p = polynomial(z, 0x1.5555555555593p-1, 0x1.999999997fb31p-2, 0x1.2492494217a1ep-2, 0x1.c71c51e7f6c45p-3,
                   0x1.7466462cb8296p-3, 0x1.39a0f4fcf7db2p-3, 0x1.2f0d8ed657e59p-3);
  }
  return k * L(kLog2High<L>) + (f - (s * (f - z * p) - (k * L(kLog2Low<L>) + low)));
}

/// Splits a positive normal number into 2^k (1 + f).
template <class L>
struct Split {
  L k, f;
};
template <class L>
TERN_MATH Split<L> split(L x) {
  // Counted from sqrt(1/2), the exponent field steps where m passes sqrt(2). 2^30 or 2^62 keep the difference positive.
  constexpr auto kRoot = [] {
    if constexpr (kSingle<L>) {
      return std::uint32_t{0x3F3504F3};
    } else {
      return std::uint64_t{0x3FE6A09E667F3BCD};
    }
  }();
  constexpr auto kOffset = (kSign<L>) >> 1;
  const auto field = (bits(x) - kRoot + kOffset) >> kDigits<L>;
  constexpr double kLargest = kSingle<L> ? 0x1p23 : 0x1p52;  // its lowest bit is 1
  constexpr double kBias = kSingle<L> ? 128 : 1024;
  const L k = from_bits<L>(field | bits(static_cast<Scalar<L>>(kLargest))) - L(kLargest + kBias);
  const L m = from_bits<L>(bits(x) + kOffset - (field << kDigits<L>));
  return {k, m - L(1)};
}

/// A logarithm, given that of positive finite x: `special` is where the logarithm is -∞ at `special` == 0.
template <class L>
TERN_MATH L with_log_edges(L special, L result) {
  const L outside = select(special == L(0), L(-__builtin_inf()), L(__builtin_nan("")));
  result = select(special > L(0), result, outside);
  return select(special == L(__builtin_inf()), special, result);
}

}  // namespace detail

/// |x|; -0 gives 0.
template <class L>
TERN_MATH L abs(L x) {
  if constexpr (std::is_integral_v<L>) {
    return x < L(0) ? static_cast<L>(-wrapping(x)) : x;
  } else {
    return detail::absolute(x);
  }
}

template <class L>
TERN_MATH L sqrt(L x) {
  if constexpr (std::is_same_v<L, float>) {
    return TERN_LIBRARY(sqrtf)(x);
  } else if constexpr (std::is_same_v<L, double>) {
    return TERN_LIBRARY(sqrt)(x);
  } else {
    return x.sqrt();
  }
}

/// e^x where that is no more than a number can be.
template <class L>
TERN_MATH L exp_finite(L x) {
  constexpr double kLow = kSingle<L> ? -106 : -748;  // below it the result is 0 whatever the size
  const detail::Exponent<L> e = detail::exponent(detail::at_least(x, kLow));
  return detail::scaled_far(L(1) + (e.r + e.tail), e.n);
}

template <class L>
TERN_MATH L exp(L x) {
  constexpr double kHigh = kSingle<L> ? 89 : 710;  // above it the result is ∞
  return exp_finite(detail::at_most(x, kHigh));
}

/// e^x - 1.
template <class L>
TERN_MATH L expm1(L x) {
  constexpr double kHigh = kSingle<L> ? 89 : 710, kLow = kSingle<L> ? -20 : -40;
  const detail::Exponent<L> e = detail::exponent(detail::at_least(detail::at_most(x, kHigh), kLow));
  const L half = detail::nearest_integer(e.n * L(0.5)), rest = e.n - half;
  const L scaled = detail::power_of_two(half);
  const L result =
      (scaled * (e.r + (e.tail + e.low)) + (scaled - detail::power_of_two(-rest))) * detail::power_of_two(rest);
  return select(x == L(0), x, result);  // -0 stays
}

/// log x of a positive number that is normal.
template <class L>
TERN_MATH L log_normal(L x) {
  const detail::Split<L> part = detail::split(x);
  return detail::log_of_parts(part.k, part.f, L(0));
}

template <class L>
TERN_MATH L log(L x) {
  constexpr double kNormal = kSingle<L> ? 0x1p-126 : 0x1p-1022;
  constexpr double kScale = kSingle<L> ? 0x1p25 : 0x1p54, kSteps = kSingle<L> ? 25 : 54;
  const auto subnormal = x < L(kNormal);
  const detail::Split<L> part = detail::split(select(subnormal, x * L(kScale), x));
  const L k = part.k - select(subnormal, L(kSteps), L(0));
  return detail::with_log_edges(x, detail::log_of_parts(k, part.f, L(0)));
}

/// log(1 + x).
template <class L>
TERN_MATH L log1p(L x) {
  const L u = L(1) + x, shifted = u - L(1);
  const L lost = (L(1) - (u - shifted)) + (x - shifted);  // 1 + x = u + lost, exactly
  const detail::Split<L> part = detail::split(u);
  const L result = detail::with_log_edges(u, detail::log_of_parts(part.k, part.f, lost / u));
  return select(x == L(0), x, result);  // -0 stays
}

template <class L>
TERN_MATH L tanh(L x) {
  constexpr double kEnd = kSingle<L> ? 10 : 22;  // 1 from here on
  const L a = detail::at_most(detail::absolute(x), kEnd), z = a * a;
  // Below 5/8: a + a · N / D, of rational functions of z. Above: 1 - 2 / (e^2a + 1), as a fraction.
  L numerator, denominator, far_numerator, far_denominator;
  if constexpr (kSingle<L>) {
    numerator = z * detail::polynomial(z, -0x1.a5cd78e0fb12dp-1, -0x1.f361fa2a816f2p-9);  // 2^-27.6
    denominator = z + L(0x1.3c5a2cecd0b2cp+1);
    // e^2a = 2^n (1 + t) / (1 - t), where t = tanh s = s P(s²) / Q(s²), 2^-33 for e^2s. The product with half of log 2
    // is exact as long as rounding it would matter.
    const L n = detail::nearest_integer(a * L(2.8853900817779268)), s = a - n * L(0x1.62e43p-2), y = s * s;
    const L p = s * (y + L(0x1.e0b90d357470fp+3)),
            q = detail::polynomial(y, 0x1.e0b90d44a0f8ap+3, 0x1.807b3e86c9ad3p+2);
    far_numerator = L(-2) * (q - p);
    far_denominator = detail::scaled(q + p, n) + (q - p);
  } else {  // Lambert's continued fraction of eight levels, 2^-57 from tanh
    numerator = z * detail::polynomial(z, -675675, -45045, -594, -1);
    denominator = detail::polynomial(z, 2027025, 945945, 51975, 630, 1);
    far_numerator = L(-2);
    far_denominator = detail::exp_normal(a + a) + L(1);
  }
  const auto small = a < L(0.625);
  const L base = select(small, a, L(1));
  numerator = select(small, numerator, far_numerator);
  denominator = select(small, denominator, far_denominator);
  return detail::with_sign_of(x, base + base * (numerator / denominator));
}

template <class L>
TERN_MATH L erf(L x) {
  constexpr double kEnd = kSingle<L> ? 3.95 : 5.95;  // 1 from here on
  const L a = detail::at_most(detail::absolute(x), kEnd), z = a * a;
  // Below 0.9: a + a P(z). Above: 1 - e^Q(a), Q being log erfc with the error weighed by erfc.
  L p, q;
  if constexpr (kSingle<L>) {
    p = detail::polynomial(z, 0x1.06eba815ece9fp-3, -0x1.8127440e3218ep-2, 0x1.ce2e53e710899p-4, -0x1.b815235c00ed4p-6,
                           0x1.550a44fbb552bp-8, -0x1.aca3935faa739p-11, 0x1.6510c469e98d6p-14);  // 2^-31.7
    q = detail::polynomial(a, -0x1.5d1170bb6c612p-13, -0x1.20b751de4fb94p+0, -0x1.4621baee82619p-1,
                           -0x1.aa7318eced02ap-4, 0x1.6d9cc5c642aa0p-6, -0x1.91ccc13918829p-9,
                           0x1.9fb2505ed80b5p-13);  // 2^-29.1
  } else {
    p = detail::polynomial(z, 0x1.06eba8214db69p-3, -0x1.812746b0379e2p-2, 0x1.ce2f21a0427e1p-4, -0x1.b82ce31271dd3p-6,
                           0x1.565bcd0a31be2p-8, -0x1.c02db3140c77ep-11, 0x1.f9a30627f2100p-14, -0x1.f4cf5938b9e0cp-17,
                           0x1.b9b75e79ef272p-20, -0x1.5d8360406127fp-23, 0x1.e29e56a40986bp-27,
                           -0x1.d24b6e2d000d5p-31);  // 2^-60.5
    q = detail::polynomial(a, -0x1.23a6c41e72b05p-24, -0x1.20dd68e9273e7p+0, -0x1.45f37cf297f2ep-1,
                           -0x1.a4ea02171fd41p-4, 0x1.3911218746c7ep-6, 0x1.efdc7bf85aea6p-13, -0x1.c2c5aabbe9079p-10,
                           0x1.3976d39628ea9p-11, -0x1.f2a883f6b54ccp-17, -0x1.6c68833bc1040p-14, 0x1.b6c14303b5751p-15,
                           -0x1.3fc4603bde1b2p-16, 0x1.51af3301358a9p-18, -0x1.0d2a59bfab673p-20, 0x1.43b8ea170f309p-23,
                           -0x1.1e31a32ca67f0p-26, 0x1.5fdc7ccbd681ep-30, -0x1.0cf63cb667945p-34,
                           0x1.81190879390dap-40);  // 2^-58.3
  }
  const L near = a + a * p, far = L(1) - detail::exp_normal(q);
  return detail::with_sign_of(x, select(a < L(0.9), near, far));
}

// Of the C library, lane by lane.
#define TERN_LIBRARY_MATH(name, builtin)                            \
  template <class L>                                                \
  TERN_MATH L name(L x) {                                           \
    if constexpr (std::is_same_v<L, float>) {                       \
      return TERN_LIBRARY(builtin##f)(x);                           \
    } else if constexpr (std::is_same_v<L, double>) {               \
      return TERN_LIBRARY(builtin)(x);                              \
    } else {                                                        \
      return x.each([](Scalar<L> one) { return math::name(one); }); \
    }                                                               \
  }
TERN_LIBRARY_MATH(exp2, exp2)
TERN_LIBRARY_MATH(log2, log2)
TERN_LIBRARY_MATH(log10, log10)
TERN_LIBRARY_MATH(sin, sin)
TERN_LIBRARY_MATH(cos, cos)
TERN_LIBRARY_MATH(tan, tan)
TERN_LIBRARY_MATH(asin, asin)
TERN_LIBRARY_MATH(acos, acos)
TERN_LIBRARY_MATH(atan, atan)
TERN_LIBRARY_MATH(sinh, sinh)
TERN_LIBRARY_MATH(cosh, cosh)
TERN_LIBRARY_MATH(asinh, asinh)
TERN_LIBRARY_MATH(acosh, acosh)
TERN_LIBRARY_MATH(atanh, atanh)
TERN_LIBRARY_MATH(erfc, erfc)
#undef TERN_LIBRARY_MATH

// To an integer, which is exact.
#define TERN_ROUNDING(name, builtin)                  \
  template <class L>                                  \
  TERN_MATH L name(L x) {                             \
    if constexpr (std::is_same_v<L, float>) {         \
      return TERN_LIBRARY(builtin##f)(x);             \
    } else if constexpr (std::is_same_v<L, double>) { \
      return TERN_LIBRARY(builtin)(x);                \
    } else {                                          \
      return x.name();                                \
    }                                                 \
  }
TERN_ROUNDING(floor, floor)
TERN_ROUNDING(ceil, ceil)
TERN_ROUNDING(trunc, trunc)
TERN_ROUNDING(round, nearbyint)  // halves to even
#undef TERN_ROUNDING

// The same of two.
#define TERN_LIBRARY_MATH(name, builtin)                                           \
  template <class L>                                                               \
  TERN_MATH L name(L x, L y) {                                                     \
    if constexpr (std::is_same_v<L, float>) {                                      \
      return TERN_LIBRARY(builtin##f)(x, y);                                       \
    } else if constexpr (std::is_same_v<L, double>) {                              \
      return TERN_LIBRARY(builtin)(x, y);                                          \
    } else {                                                                       \
      return x.each([](Scalar<L> a, Scalar<L> b) { return math::name(a, b); }, y); \
    }                                                                              \
  }
TERN_LIBRARY_MATH(pow, pow)
TERN_LIBRARY_MATH(atan2, atan2)
TERN_LIBRARY_MATH(hypot, hypot)
TERN_LIBRARY_MATH(fmod, fmod)
#undef TERN_LIBRARY_MATH

// Division of integers; b is not 0. By -1 the processor would trap for the smallest one, so it is taken apart.
template <class L>
requires std::is_integral_v<L> TERN_MATH L fmod(L a, L b) {
  return std::is_signed_v<L> && b == static_cast<L>(-1) ? L(0) : static_cast<L>(a % b);
}

/// Whether a and b have different signs and the division leaves a rest, so that rounding down is not rounding to 0.
template <class L>
requires std::is_arithmetic_v<L> TERN_MATH bool rounds_down(L rest, L b) {
  return rest != L(0) && (rest < L(0)) != (b < L(0));
}

/// a - b floor(a / b).
template <class L>
TERN_MATH L remainder(L a, L b) {
  if constexpr (std::is_arithmetic_v<L>) {
    const L rest = math::fmod(a, b);
    return rounds_down(rest, b) ? static_cast<L>(rest + b) : rest;
  } else {
    return a.each([](Scalar<L> x, Scalar<L> y) { return math::remainder(x, y); }, b);
  }
}

/// floor(a / b). Of real numbers it is taken from the rest, which is exact, so that the two agree.
template <class L>
TERN_MATH L floor_divide(L a, L b) {
  if constexpr (std::is_integral_v<L>) {
    if (std::is_signed_v<L> && b == static_cast<L>(-1)) {
      return static_cast<L>(0 - static_cast<std::make_unsigned_t<L>>(a));  // wraps
    }
    return static_cast<L>(a / b - rounds_down(static_cast<L>(a % b), b));
  } else if constexpr (std::is_arithmetic_v<L>) {
    if (b == L(0)) return a / b;
    const L rest = math::fmod(a, b);
    const L quotient = (a - rest) / b - static_cast<L>(rounds_down(rest, b));
    return quotient == L(0) ? a / b * L(0) : math::round(quotient);
  } else {
    return a.each([](Scalar<L> x, Scalar<L> y) { return math::floor_divide(x, y); }, b);
  }
}

/// Whether a shift by b is one that C++ defines.
template <class L>
requires std::is_integral_v<L> TERN_MATH bool is_shift(L b) {
  return static_cast<std::make_unsigned_t<L>>(b) < 8 * sizeof(L);
}

}  // namespace tern::kernels::math
