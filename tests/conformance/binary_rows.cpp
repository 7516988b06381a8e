#include "conformance/row.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::Scalar;
using tern::u8;
using tern::zeros;

using BinaryOp = Tensor (*)(const Tensor&, const Tensor&);
using Reference = double (*)(double, double);

const std::vector<TypeRule> kArithmetic{{i64, i64}, {u8, u8}, {boolean, i64}};
const std::vector<TypeRule> kReal{{i64, f32}, {u8, f32}, {boolean, f32}};
const std::vector<TypeRule> kCompare{{i64, boolean}, {u8, boolean}, {boolean, boolean}};

const std::vector<Shapes> kShapes{{{4}, {4}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {4, 1}}, {{}, {2}},
                                  {{3}, {}},  {{}, {}},         {{2, 3}, {1, 3}}};
const std::vector<Shapes> kEmpty{{{0}, {0}}, {{0, 3}, {1, 3}}, {{2, 0}, {}}, {{1, 2}, {0, 1}}};
const std::vector<Shapes> kLarge{{{20000}, {20000}}, {{300, 60}, {60}}, {{300, 1}, {1, 60}}};

Case both(std::function<Tensor(const Tensor&, const Tensor&)> f, Reference reference, Input input) {
  return {.inputs = {input, input},
          .call = [f = std::move(f)](const Tensors& in) { return f(in[0], in[1]); },
          .reference = [reference](const Arrays& in) { return zip(in[0], in[1], reference); },
          .shapes = kShapes,
          .empty = kEmpty,
          .large = kLarge};
}

Case one(const char* what, std::function<Tensor(const Tensor&)> f, std::function<double(double)> reference,
         Input input) {
  return {.what = what,
          .inputs = {input},
          .call = [f = std::move(f)](const Tensors& in) { return f(in[0]); },
          .reference = [reference = std::move(reference)](const Arrays& in) { return map(in[0], reference); },
          .shapes = {{{}}, {{2, 3}}},
          .empty = {{{2, 0}}}};
}

Fault unbroadcastable(BinaryOp f) {
  return {"shapes that do not broadcast", Raises::shape, [f] { f(zeros({2, 3}), zeros({2, 4})); }};
}

Row binary(const char* op, BinaryOp f, Reference reference, std::vector<TypeRule> types, Input input) {
  return {.op = op, .cases = {both(f, reference, input)}, .types = std::move(types), .faults = {unbroadcastable(f)}};
}

// Whole values, so that some are equal.
Row comparison(const char* op, BinaryOp f, Reference reference) {
  Row row = binary(op, f, reference, kCompare, {.low = 0, .high = 3, .whole = true});
  row.gradient = Gradient::none;
  row.result = boolean;
  return row;
}

// An operator in its three forms; its error texts name the function behind it.
template <class F>
Row operator_row(const char* op, const char* where, F f, Reference reference, std::vector<TypeRule> types,
                 Input input) {
  Row row{.op = op, .types = std::move(types), .where = where};
  row.cases.push_back(both([f](const Tensor& a, const Tensor& b) { return f(a, b); }, reference, input));
  row.cases.back().large.clear();
  row.cases.push_back(one(
      "number on the right", [f](const Tensor& a) { return f(a, Scalar(2)); },
      [reference](double x) { return reference(x, 2); }, input));
  row.cases.push_back(one(
      "number on the left", [f](const Tensor& b) { return f(Scalar(2), b); },
      [reference](double x) { return reference(2, x); }, input));
  row.faults.push_back({"shapes that do not broadcast", Raises::shape, [f] { f(zeros({2, 3}), zeros({2, 4})); }});
  return row;
}

template <class F>
Row compare_operator(const char* op, const char* where, F f, Reference reference) {
  Row row = operator_row(op, where, f, reference, kCompare, {.low = 0, .high = 4, .whole = true});
  row.gradient = Gradient::none;
  row.result = boolean;
  return row;
}

const Input kSigned{};
const Input kPositive{.low = 0.4, .high = 2.5};

double larger(double a, double b) { return a > b ? a : b; }
double smaller(double a, double b) { return a < b ? a : b; }

Row where_row() {
  const Input condition{.low = 0, .high = 2, .whole = true, .varies = false, .dtype = boolean};
  const auto reference = [](const Arrays& in) {
    return build(broadcast(broadcast(in[0].sizes, in[1].sizes), in[2].sizes),
                 [&](const Index& i) { return in[0].at(i) != 0 ? in[1].at(i) : in[2].at(i); });
  };
  Row row{.op = "where", .types = {{i64, i64}, {u8, u8}, {boolean, boolean}}};
  row.cases.push_back({.inputs = {condition, {}, {}},
                       .call = [](const Tensors& in) { return where(in[0], in[1], in[2]); },
                       .reference = reference,
                       .shapes = {{{2, 3}, {2, 3}, {2, 3}}, {{3}, {2, 1}, {}}, {{2, 1}, {3}, {2, 3}}},
                       .empty = {{{0}, {0}, {0}}, {{2, 0}, {1, 1}, {2, 1}}},
                       .large = {{{20000}, {20000}, {20000}}, {{300, 1}, {60}, {300, 60}}}});
  row.cases.push_back({.what = "number on the right",
                       .inputs = {condition, {}},
                       .call = [](const Tensors& in) { return where(in[0], in[1], 0.5); },
                       .reference =
                           [=](const Arrays& in) {
                             return reference({in[0], in[1], single(0.5)});
                           },
                       .shapes = {{{2, 3}, {3}}},
                       .empty = {{{0}, {1}}}});
  row.cases.push_back({.what = "number on the left",
                       .inputs = {condition, {}},
                       .call = [](const Tensors& in) { return where(in[0], 0.5, in[1]); },
                       .reference =
                           [=](const Arrays& in) {
                             return reference({in[0], single(0.5), in[1]});
                           },
                       .shapes = {{{2, 3}, {3}}},
                       .empty = {{{0}, {1}}}});
  const Tensor yes = tern::ones({2}, boolean);
  row.faults = {{"a condition that is not boolean", Raises::dtype, [] { where(zeros({2}), zeros({2}), zeros({2})); }},
                {"shapes that do not broadcast", Raises::shape, [=] { where(yes, zeros({2}), zeros({3})); }},
                {"a condition that does not broadcast", Raises::shape, [=] { where(yes, zeros({3}), zeros({3})); }}};
  return row;
}

Row clamp_row() {
  Row row{.op = "clamp", .kinks = {-0.5, 0.75}};
  row.cases.push_back(one(
      "", [](const Tensor& x) { return clamp(x, -0.5, 0.75); },
      [](double x) { return x < -0.5   ? -0.5
                            : x > 0.75 ? 0.75
                                       : x; }, kSigned));
  row.cases.push_back(one(
      "to one value", [](const Tensor& x) { return clamp(x, 0.75, 0.75); }, [](double) { return 0.75; }, kSigned));
  row.faults = {{"bounds the wrong way round", Raises::value, [] { clamp(zeros({1}), 1, 0); }}};
  return row;
}

}  // namespace

Rows binary_rows() {
  Rows rows;
  const Reference plus = [](double a, double b) { return a + b; };
  const Reference minus = [](double a, double b) { return a - b; };
  const Reference times = [](double a, double b) { return a * b; };
  const Reference over = [](double a, double b) { return a / b; };
  const Reference power = [](double a, double b) { return std::pow(a, b); };
  rows.push_back(binary("add", tern::add, plus, kArithmetic, kSigned));
  rows.push_back(binary("sub", tern::sub, minus, kArithmetic, kSigned));
  rows.push_back(binary("mul", tern::mul, times, kArithmetic, kSigned));
  rows.push_back(binary("div", tern::div, over, kReal, kPositive));
  Row pow_row = binary("pow", static_cast<BinaryOp>(tern::pow), power, kReal, kPositive);
  for (double exponent : {0.0, 1.0, 2.0, 3.0, -2.0}) {
    pow_row.cases.push_back(one(
        "number above", [=](const Tensor& x) { return pow(x, exponent); },
        [=](double x) { return std::pow(x, exponent); }, {.low = -2.5, .high = -0.4}));
  }
  pow_row.cases.push_back(one(
      "number below", [](const Tensor& x) { return pow(2, x); }, [](double x) { return std::exp2(x); }, kSigned));
  rows.push_back(pow_row);
  Row maximum = binary("maximum", static_cast<BinaryOp>(tern::maximum), larger, kArithmetic, kSigned);
  maximum.cases.push_back(one(
      "number", [](const Tensor& x) { return tern::maximum(x, 0.25); }, [](double x) { return larger(x, 0.25); },
      kSigned));
  rows.push_back(maximum);
  Row minimum = binary("minimum", static_cast<BinaryOp>(tern::minimum), smaller, kArithmetic, kSigned);
  minimum.cases.push_back(one(
      "number", [](const Tensor& x) { return tern::minimum(x, 0.25); }, [](double x) { return smaller(x, 0.25); },
      kSigned));
  rows.push_back(minimum);
  for (std::size_t i = rows.size() - 2; i < rows.size(); ++i) rows[i].kinks = {0.25};

  const Reference equal = [](double a, double b) { return a == b ? 1.0 : 0.0; };
  const Reference unequal = [](double a, double b) { return a != b ? 1.0 : 0.0; };
  const Reference less = [](double a, double b) { return a < b ? 1.0 : 0.0; };
  const Reference less_equal = [](double a, double b) { return a <= b ? 1.0 : 0.0; };
  const Reference greater = [](double a, double b) { return a > b ? 1.0 : 0.0; };
  const Reference greater_equal = [](double a, double b) { return a >= b ? 1.0 : 0.0; };
  rows.push_back(comparison("eq", tern::eq, equal));
  rows.push_back(comparison("ne", tern::ne, unequal));
  rows.push_back(comparison("lt", tern::lt, less));
  rows.push_back(comparison("le", tern::le, less_equal));
  rows.push_back(comparison("gt", tern::gt, greater));
  rows.push_back(comparison("ge", tern::ge, greater_equal));
  rows.push_back(where_row());
  rows.push_back(clamp_row());

  const auto add = [](const auto& a, const auto& b) { return a + b; };
  const auto sub = [](const auto& a, const auto& b) { return a - b; };
  const auto mul = [](const auto& a, const auto& b) { return a * b; };
  const auto div = [](const auto& a, const auto& b) { return a / b; };
  rows.push_back(operator_row("operator_add", "add", add, plus, kArithmetic, kSigned));
  rows.push_back(operator_row("operator_sub", "sub", sub, minus, kArithmetic, kSigned));
  rows.push_back(operator_row("operator_mul", "mul", mul, times, kArithmetic, kSigned));
  rows.push_back(operator_row("operator_div", "div", div, over, kReal, kPositive));
  rows.push_back(compare_operator(
      "operator_eq", "eq", [](const auto& a, const auto& b) { return a == b; }, equal));
  rows.push_back(compare_operator(
      "operator_ne", "ne", [](const auto& a, const auto& b) { return a != b; }, unequal));
  rows.push_back(compare_operator(
      "operator_lt", "lt", [](const auto& a, const auto& b) { return a < b; }, less));
  rows.push_back(compare_operator(
      "operator_le", "le", [](const auto& a, const auto& b) { return a <= b; }, less_equal));
  rows.push_back(compare_operator(
      "operator_gt", "gt", [](const auto& a, const auto& b) { return a > b; }, greater));
  rows.push_back(compare_operator(
      "operator_ge", "ge", [](const auto& a, const auto& b) { return a >= b; }, greater_equal));
  return rows;
}

}  // namespace conformance
