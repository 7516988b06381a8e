#include "functors/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "tern/base/random.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

namespace math = kernels::math;

// How far `found` is from `exact`, in units of the last place that a T near `exact` has.
template <class T>
double ulps(T found, long double exact) {
  using Limits = std::numeric_limits<T>;
  const T nearest = static_cast<T>(exact);
  if (std::isnan(found) || std::isnan(nearest)) return std::isnan(found) && std::isnan(nearest) ? 0 : HUGE_VAL;
  if (found == nearest) return std::signbit(found) == std::signbit(nearest) ? 0 : HUGE_VAL;
  if (std::isinf(found) || std::isinf(nearest)) {
    // Beside the overflow threshold ∞ stands one step beyond the largest number.
    const T finite = std::isinf(found) ? nearest : found;
    const T infinite = std::isinf(found) ? found : nearest;
    return finite == std::copysign(Limits::max(), infinite) ? 1 : HUGE_VAL;
  }
  int exponent = 0;
  std::frexp(static_cast<T>(std::fabs(exact)), &exponent);
  const int place = std::max(exponent - Limits::digits, Limits::min_exponent - Limits::digits);
  return static_cast<double>(std::fabs(static_cast<long double>(found) - exact) / std::ldexp(1.0L, place));
}

struct Function {
  std::string name;
  float (*f32)(float);
  double (*f64)(double);
  long double (*exact)(long double);
};

#define TERN_FUNCTION(name)                                                                                            \
  Function {                                                                                                           \
#name, [](float x) { return math::name(x); },                                                                      \
                                               [](double x) { return math::name(x); },                                 \
                                                                                    [](long double                     \
                                                                                           x) { return std::name(x); } \
  }
const std::vector<Function> kFunctions{TERN_FUNCTION(exp),   TERN_FUNCTION(expm1), TERN_FUNCTION(log),
                                       TERN_FUNCTION(log1p), TERN_FUNCTION(tanh),  TERN_FUNCTION(erf)};

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> at{0,
                    Limits::min(),
                    Limits::denorm_min(),
                    Limits::max(),
                    Limits::infinity(),
                    Limits::quiet_NaN(),
                    1,
                    2,
                    T(0.5),
                    T(0.625),
                    T(0.9),
                    T(0.25),
                    T(3.95),
                    T(5.95),
                    T(10),
                    T(22),
                    T(0.34657359),
                    T(0.70710678),
                    T(1.41421356),
                    T(0.41421356),
                    T(-0.29289322),
                    T(44)};
  for (const double x : {709.782712893384, 745.1332191019412, 708.3964185322641, 88.72283905206835, 87.33654475055310,
                         103.97207708399179, 36.7368005696771, 17.32867951399863, 104.0, 746.0}) {
    at.push_back(static_cast<T>(x));
  }
  std::vector<T> all;
  for (const T x : at) {
    for (const T y : {x, std::nextafter(x, Limits::infinity()), std::nextafter(x, -Limits::infinity())}) {
      all.push_back(y);
      all.push_back(-y);
    }
  }
  return all;
}

template <class T>
void expect_close(const Function& function, T (*f)(T), const std::vector<T>& inputs) {
  double worst = 0;
  T at = 0;
  for (const T x : inputs) {
    const double error = ulps(f(x), function.exact(x));
    if (error > worst) {
      worst = error;
      at = x;
    }
  }
  char text[160];
  std::snprintf(text, sizeof text, "%s of %zu %s: %.3f ulp at %a (%.17g)", function.name.c_str(), inputs.size(),
                sizeof(T) == 4 ? "floats" : "doubles", worst, static_cast<double>(at), static_cast<double>(at));
  EXPECT_LE(worst, 2) << text;
  testing::Test::RecordProperty(function.name + (sizeof(T) == 4 ? "_f32" : "_f64"), text);
  if (std::getenv("TERN_SHOW")) std::puts(text);
}

TEST(Math, FloatsAreWithinTwoUlpOverTheirWholeRange) {
  std::vector<float> inputs = edges<float>();
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 4099) {
    inputs.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  for (const Function& function : kFunctions) expect_close(function, function.f32, inputs);
}

TEST(Math, DoublesAreWithinTwoUlpOverTheirWholeRange) {
  std::vector<double> inputs = edges<double>();
  const Philox random(3, 1);
  const auto unit = [&](std::uint64_t i) { return random.uniform(i); };
  for (std::uint64_t i = 0; i < 200000; ++i) {
    inputs.push_back(std::bit_cast<double>(random.bits64(i)));                     // any exponent
    inputs.push_back((unit(3 * i) - 0.5) * 4);                                     // where most values lie
    inputs.push_back((unit(3 * i + 1) - 0.5) * 14);                                // to where tanh and erf end
    inputs.push_back((unit(3 * i + 2) - 0.5) * 1500);                              // to where exp ends
    inputs.push_back(std::ldexp(unit(3 * i) - 0.5, -static_cast<int>(i % 1074)));  // near 0
  }
  for (const Function& function : kFunctions) expect_close(function, function.f64, inputs);
}

// Every number that a square root can tell apart: all mantissas beside an even and an odd exponent, and some of each
// other exponent, tiny ones too.
TEST(Math, SquareRootsAreRounded) {
  constexpr std::uint32_t kMantissas = 1u << 23;
  const auto expect_rounded = [](std::uint32_t exponent, std::uint32_t step) {
    Tensor x = empty({kMantissas / step});
    const auto values = x.mutable_span<float>();
    for (std::uint32_t i = 0; i < kMantissas / step; ++i) {
      values[i] = std::bit_cast<float>(exponent << 23 | (i * step + step / 2 * (i % 2)));
    }
    const Tensor y = sqrt(x);
    const auto roots = y.span<float>();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < roots.size(); ++i) {
      const float exact = std::sqrt(values[i]);
      wrong += !(std::isnan(exact) ? std::isnan(roots[i])
                                   : std::bit_cast<std::uint32_t>(roots[i]) == std::bit_cast<std::uint32_t>(exact));
    }
    EXPECT_EQ(wrong, 0u) << "exponent " << exponent;
  };
  expect_rounded(127, 1);
  expect_rounded(128, 1);
  for (std::uint32_t exponent = 0; exponent < 512; ++exponent) expect_rounded(exponent, 8192);
}

}  // namespace
}  // namespace tern
