#include <limits>

#include "conformance/row.h"
#include "tern/ops/unary.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::i64;
using tern::u8;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const std::vector<TypeRule> kReal{{i64, f32}, {u8, f32}, {boolean, f32}};
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
                     .large = {{{20000}}}}},
          .kinks = std::move(kinks),
          .types = std::move(types),
          .edges = {0, -0.0, 1, -1, 30, -30, 800, -800, 1e-300, 1e300, kInfinity, -kInfinity, kNan}};
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
      "gelu", tern::gelu, [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }, kReal));
  rows.push_back(unary(
      "silu", tern::silu, [](double x) { return x * (1 / (1 + std::exp(-x))); }, kReal));
  rows.push_back(unary("sign", tern::sign, sign_of, kAny, {}, {0}));
  rows.push_back(unary(
      "operator_neg", [](const Tensor& x) { return -x; }, [](double x) { return -x; }, kAny));
  Row isnan = unary("isnan", tern::isnan, [](double x) { return std::isnan(x) ? 1.0 : 0.0; },
                    {{i64, boolean}, {u8, boolean}, {boolean, boolean}});
  isnan.gradient = Gradient::none;
  isnan.result = boolean;
  rows.push_back(isnan);
  return rows;
}

}  // namespace conformance
