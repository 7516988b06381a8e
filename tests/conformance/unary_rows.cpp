#include <limits>

#include "conformance/row.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::i64;
using tern::u8;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const std::vector<TypeRule> kAny{{i64, i64}, {u8, u8}, {boolean, i64}};

struct Domain {
  double low = -2, high = 2;
};

Row unary(const char* op, Tensor (*f)(const Tensor&), double (*reference)(double), std::vector<TypeRule> types,
          Domain domain = {}, std::vector<double> kinks = {}) {
  return {.op = op,
          .cases = {{.inputs = {{.low = domain.low, .high = domain.high}},
                     .call = [f](const Tensors& in) { return f(in[0]); },
                     .reference = [reference](const Arrays& in) { return map(in[0], reference); },
                     .shapes = {{{}}, {{5}}, {{3, 4}}, {{2, 1, 3}}},
                     .empty = {{{0}}, {{2, 0, 3}}},
                     .large = {{{33001}}}}},
          .kinks = std::move(kinks),
          .types = std::move(types),
          .edges = {0, -0.0, 1, -1, 30, -30, 800, -800, 1e-300, 1e300, kInfinity, -kInfinity, kNan}};
}

double half_to_even(double x) {
  const double below = std::floor(x), rest = x - below;
  if (!std::isfinite(x)) return x;
  return rest < 0.5 || (rest == 0.5 && std::fmod(below, 2) == 0) ? below : below + 1;
}

double gelu_tanh_of(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

// By the sum itself, of sixty terms and more, and the integral of the rest with the first corrections of it.
double polygamma_of(int n, double x) {
  const double sign = n % 2 != 0 ? 1 : -1;
  if (x <= 0 && x == std::floor(x) && std::isfinite(x)) {
    return n > 0 ? sign * kInfinity : x == 0 ? std::copysign(kInfinity, -x) : kNan;
  }
  if (!(x < kInfinity) || x == -kInfinity) return x > 0 && n > 0 ? 0 : x > 0 ? x : kNan;
  const double s = n + 1;
  double sum = 0;
  for (; x < 60; ++x) sum += std::pow(x, -s);
  const double all = n == 0 ? -std::log(x) : std::pow(x, -n) / n;
  const double end = std::pow(x, -s) * (0.5 + s / (12 * x) - s * (s + 1) * (s + 2) / (720 * x * x * x));
  return sign * std::tgamma(s) * (sum + all + end);
}

double erfinv_of(double x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? x * kInfinity : kNan;
  double low = 0, high = 6;
  for (int step = 0; step < 100; ++step) {
    const double middle = 0.5 * (low + high);
    (std::erf(middle) < std::fabs(x) ? low : high) = middle;
  }
  return std::copysign(low, x);
}

double sign_of(double x) { return std::isnan(x) ? x : (x > 0) - (x < 0); }

}  // namespace

Rows unary_rows() {
  const Domain positive{0.4, 2.5};
  Rows rows;
  rows.push_back(unary(
      "neg", tern::neg, [](double x) { return -x; }, kAny));
  rows.push_back(unary("abs", tern::abs, [](double x) { return std::fabs(x); }, kAny, {}, {0}));
  rows.push_back(unary(
      "exp", tern::exp, [](double x) { return std::exp(x); }, kReal));
  rows.push_back(unary(
      "log", tern::log, [](double x) { return std::log(x); }, kReal, positive));
  rows.push_back(unary("log1p", tern::log1p, [](double x) { return std::log1p(x); }, kReal, {-0.6, 2}));
  rows.push_back(unary(
      "sqrt", tern::sqrt, [](double x) { return std::sqrt(x); }, kReal, positive));
  rows.push_back(unary(
      "square", tern::square, [](double x) { return x * x; }, kAny));
  rows.push_back(unary(
      "reciprocal", tern::reciprocal, [](double x) { return 1 / x; }, kReal, positive));
  rows.push_back(unary(
      "tanh", tern::tanh, [](double x) { return std::tanh(x); }, kReal));
  rows.push_back(unary(
      "sigmoid", tern::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, kReal));
  rows.push_back(unary("relu", tern::relu, [](double x) { return x < 0 ? 0 : x; }, kAny, {}, {0}));
  rows.push_back(unary(
      "erf", tern::erf, [](double x) { return std::erf(x); }, kReal));
  rows.push_back(unary(
      "softplus", tern::softplus,
      [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, kReal));
  rows.push_back(unary(
      "gelu", static_cast<Tensor (*)(const Tensor&)>(tern::gelu),
      [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }, kReal));
  Case with_tanh = rows.back().cases.front();
  with_tanh.what = "with tanh";
  with_tanh.call = [](const Tensors& in) { return gelu(in[0], tern::GeluForm::tanh); };
  with_tanh.reference = [](const Arrays& in) { return map(in[0], gelu_tanh_of); };
  rows.back().cases.push_back(with_tanh);
  rows.push_back(unary(
      "silu", tern::silu, [](double x) { return x * (1 / (1 + std::exp(-x))); }, kReal));
  rows.push_back(unary("sign", tern::sign, sign_of, kAny, {}, {0}));
  rows.push_back(unary(
      "operator_neg", [](const Tensor& x) { return -x; }, [](double x) { return -x; }, kAny));
  rows.back().where = "neg";
  const auto add = [&](const char* op, Tensor (*f)(const Tensor&), double (*reference)(double), Domain domain = {}) {
    rows.push_back(unary(op, f, reference, kReal, domain));
  };
  add("exp2", tern::exp2, [](double x) { return std::exp2(x); });
  add("expm1", tern::expm1, [](double x) { return std::expm1(x); });
  add(
      "log2", tern::log2, [](double x) { return std::log2(x); }, positive);
  add(
      "log10", tern::log10, [](double x) { return std::log10(x); }, positive);
  add(
      "rsqrt", tern::rsqrt, [](double x) { return 1 / std::sqrt(x); }, positive);
  add("sin", tern::sin, [](double x) { return std::sin(x); });
  add("cos", tern::cos, [](double x) { return std::cos(x); });
  add("tan", tern::tan, [](double x) { return std::tan(x); }, {-1.2, 1.2});
  add("asin", tern::asin, [](double x) { return std::asin(x); }, {-0.8, 0.8});
  add("acos", tern::acos, [](double x) { return std::acos(x); }, {-0.8, 0.8});
  add("atan", tern::atan, [](double x) { return std::atan(x); });
  add("sinh", tern::sinh, [](double x) { return std::sinh(x); });
  add("cosh", tern::cosh, [](double x) { return std::cosh(x); });
  add("asinh", tern::asinh, [](double x) { return std::asinh(x); });
  add("acosh", tern::acosh, [](double x) { return std::acosh(x); }, {1.5, 4});
  add("atanh", tern::atanh, [](double x) { return std::atanh(x); }, {-0.8, 0.8});
  add("logit", tern::logit, [](double x) { return std::log(x / (1 - x)); }, {0.1, 0.9});
  rows.push_back(unary(
      "nan_to_num",
      [](const Tensor& x) { return tern::nan_to_num(x, {.nan = 1, .infinity = 2, .minus_infinity = -2}); },
      [](double x) { return std::isnan(x)   ? 1
                            : std::isinf(x) ? std::copysign(2, x)
                                            : x; },
      {{i64, i64}, {u8, u8}, {boolean, boolean}}));
  add("erfc", tern::erfc, [](double x) { return std::erfc(x); });
  add("erfinv", tern::erfinv, erfinv_of, {-0.8, 0.8});
  add(
      "lgamma", tern::lgamma, [](double x) { return std::lgamma(x); }, positive);
  add(
      "digamma", tern::digamma, [](double x) { return polygamma_of(0, x); }, positive);
  rows.push_back(unary(
      "polygamma", [](const Tensor& x) { return tern::polygamma(1, x); }, [](double x) { return polygamma_of(1, x); },
      kReal, positive));
  const auto of_order = [&](const char* what, auto f, double (*reference)(double), Domain domain) {
    Case c = rows.back().cases.front();
    c.what = what;
    c.inputs = {{.low = domain.low, .high = domain.high}};
    c.call = [f](const Tensors& in) { return f(in[0]); };
    c.reference = [reference](const Arrays& in) { return map(in[0], reference); };
    rows.back().cases.push_back(c);
  };
  of_order(
      "of order 0", [](const Tensor& x) { return tern::polygamma(0, x); }, [](double x) { return polygamma_of(0, x); },
      positive);
  of_order(
      "of order 2", [](const Tensor& x) { return tern::polygamma(2, x); }, [](double x) { return polygamma_of(2, x); },
      positive);
  of_order(
      "between poles", [](const Tensor& x) { return tern::polygamma(3, x); },
      [](double x) { return polygamma_of(3, x); }, {-1.7, -1.3});
  rows.back().faults.push_back({"a negative order", Raises::value, [] { tern::polygamma(-1, tern::ones({2})); }});
  const std::vector<double> whole{-2, -1, 0, 1, 2};
  rows.push_back(unary(
      "floor", tern::floor, [](double x) { return std::floor(x); }, kAny, {}, whole));
  rows.push_back(unary(
      "ceil", tern::ceil, [](double x) { return std::ceil(x); }, kAny, {}, whole));
  rows.push_back(unary(
      "trunc", tern::trunc, [](double x) { return std::trunc(x); }, kAny, {}, whole));
  rows.push_back(unary(
      "frac", tern::frac, [](double x) { return x - std::trunc(x); }, kAny, {}, whole));
  rows.push_back(unary("round", tern::round, half_to_even, kAny, {}, {-1.5, -0.5, 0.5, 1.5}));
  rows.back().edges.insert(rows.back().edges.end(), {0.5, 1.5, 2.5, -0.5, -1.5, 2.4999999});
  const auto ask = [&](const char* op, Tensor (*f)(const Tensor&), double (*reference)(double)) {
    rows.push_back(unary(op, f, reference, {{i64, boolean}, {u8, boolean}, {boolean, boolean}}));
    rows.back().gradient = Gradient::none;
    rows.back().result = boolean;
  };
  ask("isinf", tern::isinf, [](double x) { return std::isinf(x) ? 1.0 : 0.0; });
  ask("isfinite", tern::isfinite, [](double x) { return std::isfinite(x) ? 1.0 : 0.0; });
  ask("logical_not", tern::logical_not, [](double x) { return x == 0 ? 1.0 : 0.0; });
  ask("isnan", tern::isnan, [](double x) { return std::isnan(x) ? 1.0 : 0.0; });
  return rows;
}

}  // namespace conformance
