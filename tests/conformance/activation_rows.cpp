#include "conformance/row.h"
#include "tern/ops/activation.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::u8;
using tern::zeros;

Case one(const char* what, std::function<Tensor(const Tensor&)> f, std::function<double(double)> reference) {
  return {.what = what,
          .inputs = {{.low = -5, .high = 8}},
          .call = [f = std::move(f)](const Tensors& in) { return f(in[0]); },
          .reference = [reference = std::move(reference)](const Arrays& in) { return map(in[0], reference); },
          .shapes = {{{}}, {{9}}, {{2, 1, 3}}},
          .empty = {{{2, 0, 3}}},
          .large = {{{33001}}}};
}

Row activation(const char* op, std::vector<Case> cases, std::vector<double> kinks = {}) {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  return {.op = op,
          .cases = std::move(cases),
          .tolerance = 1e-6,
          .kinks = std::move(kinks),
          .types = kReal,
          .edges = {0, -0.0, 30, -30, 800, -800, 1e-300, 1e300, infinity, nan}};
}

double leaky(double x, double slope) { return x > 0 ? x : slope * x; }
double elu_of(double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); }
double celu_of(double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x / alpha); }
double held(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
double softplus_of(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

Row prelu_row() {
  Row row{.op = "prelu", .kinks = {0}};
  const auto of = [](const char* what, bool channels) {
    return Case{.what = what,
                .inputs = {{}, {.low = 0.1, .high = 0.9}},
                .call = [](const Tensors& in) { return prelu(in[0], in[1]); },
                .reference =
                    [=](const Arrays& in) {
                      return build(in[0].sizes,
                                   [&](const Index& i) { return leaky(in[0].at(i), in[1][channels ? i[1] : 0]); });
                    }};
  };
  row.cases = {of("one weight", false), of("a weight a channel", true)};
  row.cases[0].shapes = {{{}, {1}}, {{5}, {1}}, {{2, 3}, {1}}};
  row.cases[0].empty = {{{0, 3}, {1}}};
  row.cases[0].large = {{{33001}, {1}}};
  row.cases[1].shapes = {{{2, 3}, {3}}, {{2, 3, 2}, {3}}};
  row.cases[1].empty = {{{2, 3, 0}, {3}}};
  row.faults = {{"a weight of another size", Raises::shape,
                 [] {
                   prelu(zeros({2, 3}), zeros({2}));
                 }},
                {"a weight of two dimensions", Raises::shape,
                 [] {
                   prelu(zeros({2, 3}), zeros({1, 3}));
                 }},
                {"a weight of another type", Raises::dtype, [] { prelu(zeros({2}), zeros({1}, f64)); }},
                {"integers", Raises::dtype, [] { prelu(zeros({2}, i64), zeros({1}, i64)); }}};
  return row;
}

Row glu_row() {
  Row row{.op = "glu", .types = kReal};
  for (int dim : {-1, 0}) {
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}},
                         .call = [=](const Tensors& in) { return glu(in[0], dim); },
                         .reference =
                             [=](const Arrays& in) {
                               const std::size_t d = dim < 0 ? in[0].sizes.size() - 1 : 0;
                               Index sizes = in[0].sizes;
                               sizes[d] /= 2;
                               return build(sizes, [&](const Index& i) {
                                 Index gate = i;
                                 gate[d] += sizes[d];
                                 return in[0].at(i) / (1 + std::exp(-in[0].at(gate)));
                               });
                             },
                         .shapes = {{{4, 6}}, {{2}}, {{2, 3, 2}}},
                         .empty = {{{0, 2}}, {{2, 0}}},
                         .large = {{{222, 302}}}});
  }
  row.faults = {{"an odd size", Raises::shape,
                 [] {
                   tern::glu(zeros({2, 3}));
                 }},
                {"a dimension that is not there", Raises::index, [] {
                   tern::glu(zeros({2, 2}), 2);
                 }}};
  return row;
}

}  // namespace

Rows activation_rows() {
  Rows rows;
  rows.push_back(
      activation("leaky_relu",
                 {one(
                      "", [](const Tensor& x) { return tern::leaky_relu(x); }, [](double x) { return leaky(x, 0.01); }),
                  one(
                      "slope 0.3", [](const Tensor& x) { return tern::leaky_relu(x, 0.3); },
                      [](double x) { return leaky(x, 0.3); })},
                 {0}));
  rows.push_back(activation(
      "elu",
      {one(
           "", [](const Tensor& x) { return tern::elu(x); }, [](double x) { return elu_of(x, 1); }),
       one(
           "alpha 0.5", [](const Tensor& x) { return tern::elu(x, 0.5); }, [](double x) { return elu_of(x, 0.5); })},
      {0}));
  rows.push_back(activation(
      "selu", {one("", tern::selu, [](double x) { return 1.0507009873554805 * elu_of(x, 1.6732632423543772); })}, {0}));
  rows.push_back(activation(
      "celu",
      {one(
           "", [](const Tensor& x) { return tern::celu(x); }, [](double x) { return celu_of(x, 1); }),
       one(
           "alpha 2", [](const Tensor& x) { return tern::celu(x, 2); }, [](double x) { return celu_of(x, 2); })},
      {0}));
  rows.back().faults = {{"alpha of 0", Raises::value, [] { tern::celu(zeros({1}), 0); }}};
  rows.push_back(
      activation("hardtanh",
                 {one(
                      "", [](const Tensor& x) { return tern::hardtanh(x); }, [](double x) { return held(x, -1, 1); }),
                  one(
                      "bounds", [](const Tensor& x) { return tern::hardtanh(x, -2, 3); },
                      [](double x) { return held(x, -2, 3); })},
                 {-2, -1, 1, 3}));
  rows.back().faults = {{"bounds the wrong way round", Raises::value, [] { tern::hardtanh(zeros({1}), 1, 0); }}};
  rows.push_back(activation("relu6", {one("", tern::relu6, [](double x) { return held(x, 0, 6); })}, {0, 6}));
  rows.push_back(
      activation("hardsigmoid", {one("", tern::hardsigmoid, [](double x) { return held(x + 3, 0, 6) / 6; })}, {-3, 3}));
  rows.push_back(
      activation("hardswish", {one("", tern::hardswish, [](double x) { return x * held(x + 3, 0, 6) / 6; })}, {-3, 3}));
  rows.push_back(activation("mish", {one("", tern::mish, [](double x) { return x * std::tanh(softplus_of(x)); })}));
  rows.push_back(
      activation("softsign", {one("", tern::softsign, [](double x) { return x / (1 + std::fabs(x)); })}, {0}));
  rows.push_back(activation("logsigmoid", {one("", tern::logsigmoid, [](double x) { return -softplus_of(-x); })}));
  rows.push_back(activation(
      "threshold",
      {one(
          "", [](const Tensor& x) { return tern::threshold(x, 0.5, -2); }, [](double x) { return x <= 0.5 ? -2 : x; })},
      {0.5}));
  rows.push_back(prelu_row());
  rows.push_back(glu_row());
  return rows;
}

}  // namespace conformance
