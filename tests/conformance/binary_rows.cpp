#include "conformance/row.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i32;
using tern::i64;
using tern::Scalar;
using tern::u8;
using tern::zeros;

using BinaryOp = Tensor (*)(const Tensor&, const Tensor&);
using BinaryReference = double (*)(double, double);

const std::vector<TypeRule> kArithmetic{{i64, i64}, {u8, u8}, {boolean, i64}};
const std::vector<TypeRule> kWritten{{i64, i64}, {u8, u8}};
const std::vector<TypeRule> kCompare{{i64, boolean}, {u8, boolean}, {boolean, boolean}};

const std::vector<Shapes> kShapes{{{4}, {4}}, {{2, 3}, {2, 3}}, {{2, 1, 3}, {4, 1}}, {{}, {2}},
                                  {{3}, {}},  {{}, {}},         {{2, 3}, {1, 3}}};
const std::vector<Shapes> kEmpty{{{0}, {0}}, {{0, 3}, {1, 3}}, {{2, 0}, {}}, {{1, 2}, {0, 1}}};
// More than a block of a thread, and an odd rest behind the vectors.
const std::vector<Shapes> kLarge{{{33001}, {33001}}, {{513, 65}, {65}}, {{513, 1}, {1, 65}}};

Case both(std::function<Tensor(const Tensor&, const Tensor&)> f, BinaryReference reference, Input input) {
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

Row binary(const char* op, BinaryOp f, BinaryReference reference, std::vector<TypeRule> types, Input input) {
  return {.op = op, .cases = {both(f, reference, input)}, .types = std::move(types), .faults = {unbroadcastable(f)}};
}

// The op beside a number, on either side of it.
template <class F>
void add_numbers(Row& row, F f, Scalar number, BinaryReference reference, Input input) {
  row.cases.push_back(one(
      "number on the right", [=](const Tensor& a) { return f(a, number); },
      [=](double x) { return reference(x, number.real()); }, input));
  row.cases.back().number = number;
  row.cases.push_back(one(
      "number on the left", [=](const Tensor& b) { return f(number, b); },
      [=](double x) { return reference(number.real(), x); }, input));
  row.cases.back().number = number;
}

// Whole values, so that some are equal.
template <class F>
Row comparison(const char* op, F f, BinaryReference reference) {
  const Input whole{.low = 0, .high = 3, .whole = true};
  Row row = binary(op, f, reference, kCompare, whole);
  for (const Scalar number : {Scalar(1.0), Scalar(1), Scalar(-1), Scalar(0)})
    add_numbers(row, f, number, reference, whole);
  row.gradient = Gradient::none;
  row.result = boolean;
  return row;
}

// An operator in its three forms; its error texts name the function behind it.
template <class F>
Row operator_row(const char* op, const char* where, F f, BinaryReference reference, std::vector<TypeRule> types,
                 Input input) {
  Row row{.op = op, .types = std::move(types), .where = where};
  row.cases.push_back(both([f](const Tensor& a, const Tensor& b) { return f(a, b); }, reference, input));
  row.cases.back().large.clear();
  for (const Scalar number : {Scalar(2.0), Scalar(3)}) add_numbers(row, f, number, reference, input);
  row.faults.push_back({"shapes that do not broadcast", Raises::shape, [f] { f(zeros({2, 3}), zeros({2, 4})); }});
  return row;
}

template <class F>
Row compare_operator(const char* op, const char* where, F f, BinaryReference reference) {
  Row row = operator_row(op, where, f, reference, kCompare, {.low = 0, .high = 4, .whole = true});
  row.gradient = Gradient::none;
  row.result = boolean;
  return row;
}

const Input kSigned{};
const Input kPositive{.low = 0.4, .high = 2.5};

double larger(double a, double b) { return a > b ? a : b; }
double smaller(double a, double b) { return a < b ? a : b; }

Row where_of_row() {
  const Input condition{.low = 0, .high = 2, .whole = true, .varies = false, .dtype = boolean};
  const auto reference = [](const Arrays& in) {
    return build(broadcast(broadcast(in[0].sizes, in[1].sizes), in[2].sizes),
                 [&](const Index& i) { return in[0].at(i) != 0 ? in[1].at(i) : in[2].at(i); });
  };
  Row row{.op = "where", .types = {{i64, i64}, {u8, u8}, {boolean, boolean}}, .first = false};
  row.cases.push_back({.inputs = {condition, {}, {}},
                       .call = [](const Tensors& in) { return where(in[0], in[1], in[2]); },
                       .reference = reference,
                       .shapes = {{{2, 3}, {2, 3}, {2, 3}}, {{3}, {2, 1}, {}}, {{2, 1}, {3}, {2, 3}}},
                       .empty = {{{0}, {0}, {0}}, {{2, 0}, {1, 1}, {2, 1}}},
                       .large = {{{33001}, {33001}, {33001}}, {{513, 1}, {65}, {513, 65}}}});
  row.cases.push_back({.what = "number on the right",
                       .inputs = {condition, {}},
                       .call = [](const Tensors& in) { return where(in[0], in[1], 0.5); },
                       .reference =
                           [=](const Arrays& in) {
                             return reference({in[0], in[1], single(0.5)});
                           },
                       .shapes = {{{2, 3}, {3}}},
                       .empty = {{{0}, {1}}},
                       .number = 0.5});
  row.cases.push_back({.what = "number on the left",
                       .inputs = {condition, {}},
                       .call = [](const Tensors& in) { return where(in[0], 0.5, in[1]); },
                       .reference =
                           [=](const Arrays& in) {
                             return reference({in[0], single(0.5), in[1]});
                           },
                       .shapes = {{{2, 3}, {3}}},
                       .empty = {{{0}, {1}}},
                       .number = 0.5});
  for (const std::size_t side : {1, 2}) {
    Case whole = row.cases[side];
    whole.call = [=](const Tensors& in) { return side == 1 ? where(in[0], in[1], 2) : where(in[0], 2, in[1]); };
    whole.reference = [=](const Arrays& in) {
      return side == 1 ? reference({in[0], in[1], single(2)}) : reference({in[0], single(2), in[1]});
    };
    whole.number = 2;
    row.cases.push_back(whole);
  }
  const auto both_numbers = [&](const char* what, Scalar a, Scalar b, DType type) {
    row.cases.push_back({.what = what,
                         .inputs = {condition, {}},
                         .call =
                             [=](const Tensors& in) {
                               const Tensor chosen = where(in[0], a, b);
                               if (chosen.dtype() != type) throw std::logic_error("where of numbers: another type");
                               return in[1] * chosen.to(in[1].dtype());
                             },
                         .reference =
                             [=](const Arrays& in) {
                               return zip(in[0], in[1],
                                          [=](double c, double x) { return x * (c != 0 ? a : b).real(); });
                             },
                         .shapes = {{{2, 3}, {3}}},
                         .empty = {{{0}, {1}}}});
  };
  both_numbers("numbers", 0.5, 2, f32);
  both_numbers("whole numbers", 3, -2, i64);
  both_numbers("truth values", false, true, boolean);
  const Tensor yes = tern::ones({2}, boolean);
  row.faults = {{"a condition that is not boolean", Raises::dtype, [] { where(zeros({2}), zeros({2}), zeros({2})); }},
                {"shapes that do not broadcast", Raises::shape, [=] { where(yes, zeros({2}), zeros({3})); }},
                {"a condition that does not broadcast", Raises::shape, [=] { where(yes, zeros({3}), zeros({3})); }}};
  return row;
}

double clamped(double x, double low, double high) { return x > high || low > high ? high : x < low ? low : x; }

Row clamp_row() {
  Row row{.op = "clamp", .kinks = {-0.5, 0.75, 0}, .types = kArithmetic};
  row.cases.push_back(one(
      "", [](const Tensor& x) { return clamp(x, -0.5, 0.75); }, [](double x) { return clamped(x, -0.5, 0.75); },
      kSigned));
  row.cases.push_back(one(
      "to one value", [](const Tensor& x) { return clamp(x, 0.75, 0.75); }, [](double) { return 0.75; }, kSigned));
  row.cases[0].number = -0.5;
  row.cases[1].number = 0.75;
  row.cases.push_back(one(
      "to whole numbers", [](const Tensor& x) { return clamp(x, 0, 2); }, [](double x) { return clamped(x, 0, 2); },
      kSigned));
  row.cases.back().number = 2;
  row.cases.push_back({.what = "tensors",
                       .inputs = {kSigned, kSigned, kSigned},
                       .call = [](const Tensors& in) { return clamp(in[0], in[1], in[2]); },
                       .reference =
                           [](const Arrays& in) {
                             return build(
                                 broadcast(broadcast(in[0].sizes, in[1].sizes), in[2].sizes),
                                 [&](const Index& i) { return clamped(in[0].at(i), in[1].at(i), in[2].at(i)); });
                           },
                       .shapes = {{{2, 3}, {2, 3}, {2, 3}}, {{3}, {2, 1}, {}}},
                       .empty = {{{0, 3}, {3}, {}}},
                       .large = {{{513, 65}, {65}, {513, 1}}}});
  const Tensor x = zeros({2});
  row.faults = {{"bounds the wrong way round", Raises::value, [] { clamp(zeros({1}), 1, 0); }},
                {"bounds that do not broadcast", Raises::shape, [=] { clamp(x, x, zeros({3})); }},
                {"a bound that does not broadcast", Raises::shape, [=] { clamp(x, zeros({3}), x); }}};
  return row;
}

Row bound_row(const char* op, Tensor (*number)(const Tensor&, Scalar), BinaryOp tensor, BinaryReference reference) {
  Row row{.op = op, .kinks = {0.25}, .faults = {unbroadcastable(tensor)}};
  row.cases.push_back(both(tensor, reference, kSigned));
  row.cases.push_back(one(
      "number", [=](const Tensor& x) { return number(x, 0.25); }, [=](double x) { return reference(x, 0.25); },
      kSigned));
  row.cases.back().number = 0.25;
  row.cases.push_back(one(
      "whole number", [=](const Tensor& x) { return number(x, 2); }, [=](double x) { return reference(x, 2); },
      kSigned));
  row.cases.back().number = 2;
  row.types = kArithmetic;
  return row;
}

// a and b of ranges of their own, and again with a negated: floor(a / b) has no jump near any of them.
template <class F>
Row modulo(const char* op, BinaryOp f, F with_number, BinaryReference reference) {
  Row row{.op = op, .types = kArithmetic, .faults = {unbroadcastable(f)}};
  row.cases = {both(f, reference, {}), both(f, reference, {})};
  row.cases[0].inputs = {{.low = 2.3, .high = 2.7}, {.low = 1, .high = 1.1, .divides = true}};
  row.cases[1].inputs = {{.low = -2.7, .high = -2.3}, {.low = 1, .high = 1.1}};
  row.cases[1].what = "negative";
  row.cases[1].large.clear();
  row.faults.push_back({"integers divided by 0", Raises::value, [f] {
                          f(tern::ones({2}, i64), tern::tensor({1, 0}, i64));
                        }});
  row.faults.push_back(
      {"integers divided by the number 0", Raises::value, [=] { with_number(tern::ones({2}, i64), 0); }});
  add_numbers(row, with_number, 1.25, reference, {.low = 1.5, .high = 2.25});
  row.cases.pop_back();  // which jumps in there
  for (const Scalar number : {Scalar(-2.5), Scalar(5)}) {
    add_numbers(row, with_number, number, reference, {.low = 1.7, .high = 2.4});
    row.cases.back().inputs[0].divides = true;
  }
  return row;
}

using TernaryReference = double (*)(double, double, double);

Row ternary(const char* op, std::function<Tensor(const Tensors&)> call, TernaryReference reference,
            std::vector<TypeRule> types) {
  Row row{.op = op, .types = std::move(types)};
  row.cases.push_back({.inputs = {kSigned, kSigned, kPositive},
                       .call = call,
                       .reference =
                           [reference](const Arrays& in) {
                             return build(
                                 broadcast(broadcast(in[0].sizes, in[1].sizes), in[2].sizes),
                                 [&](const Index& i) { return reference(in[0].at(i), in[1].at(i), in[2].at(i)); });
                           },
                       .shapes = {{{2, 3}, {2, 3}, {2, 3}}, {{3}, {2, 1}, {}}, {{}, {3}, {3}}},
                       .empty = {{{0, 3}, {3}, {}}},
                       .large = {{{513, 65}, {65}, {513, 1}}}});
  row.faults = {{"shapes that do not broadcast", Raises::shape,
                 [call] {
                   call({zeros({2}), zeros({2}), zeros({3})});
                 }},
                {"a first shape that does not broadcast", Raises::shape, [call] {
                   call({zeros({3}), zeros({2}), zeros({2})});
                 }}};
  return row;
}

template <class F>
Row bitwise_row(const char* op, const char* where, F f, std::int64_t (*reference)(std::int64_t, std::int64_t),
                bool booleans) {
  Row row{.op = op, .gradient = Gradient::none, .result = i64, .faults = {}, .where = where};
  const Input left{.low = -9, .high = 12, .whole = true, .dtype = i64};
  const Input right{.low = booleans ? -9.0 : 0, .high = 12, .whole = true, .dtype = i64};
  Case c = both(f, nullptr, left);
  c.inputs[1] = right;
  c.reference = [=](const Arrays& in) {
    return zip(in[0], in[1], [=](double a, double b) {
      return static_cast<double>(reference(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b)));
    });
  };
  row.cases.push_back(c);
  for (Input& input : c.inputs) input.dtype = i32;
  c.what = "i32";
  c.result = i32;
  row.cases.push_back(c);
  for (Input& input : c.inputs) input = {.low = 0, .high = 8, .whole = true, .dtype = u8};
  c.what = "bytes";
  c.result = u8;
  row.cases.push_back(c);
  const auto add_number = [&](Scalar number, Input input, DType result) {
    const std::int64_t n = number.integer();
    row.cases.push_back(one(
        "number on the right", [=](const Tensor& a) { return f(a, number); },
        [=](double a) { return static_cast<double>(reference(static_cast<std::int64_t>(a), n)); }, input));
    row.cases.back().result = result;
    input.low = std::max(input.low, right.low);
    row.cases.push_back(one(
        "number on the left", [=](const Tensor& b) { return f(number, b); },
        [=](double b) { return static_cast<double>(reference(n, static_cast<std::int64_t>(b))); }, input));
    row.cases.back().result = result;
  };
  for (const DType type : {i64, i32, u8}) {
    add_number(3, {.low = type == u8 ? 0 : left.low, .high = left.high, .whole = true, .dtype = type}, type);
  }
  const Tensor x = tern::ones({2}, i64);
  row.faults = {{"shapes that do not broadcast", Raises::shape, [=] { f(x, tern::ones({3}, i64)); }},
                {"floating numbers", Raises::dtype, [=] { f(x, zeros({2})); }}};
  if (booleans) {
    for (Input& input : c.inputs) input = {.low = 0, .high = 2, .whole = true, .dtype = boolean};
    c.what = "booleans";
    c.result = boolean;
    row.cases.push_back(c);
    add_number(true, c.inputs[0], boolean);
    add_number(3, c.inputs[0], i64);
  } else {
    row.faults.push_back({"booleans", Raises::dtype, [=] { f(x.to(boolean), x.to(boolean)); }});
  }
  return row;
}

Row isclose_row() {
  const Input whole{.low = 0, .high = 3, .whole = true};
  Row row{.op = "isclose",
          .gradient = Gradient::none,
          .cases = {both([](const Tensor& a, const Tensor& b) { return isclose(a, b); },
                         [](double a, double b) { return std::fabs(a - b) <= 1e-8 + 1e-5 * std::fabs(b) ? 1.0 : 0.0; },
                         whole),
                    both([](const Tensor& a, const Tensor& b) { return isclose(a, b, {.rtol = 0.1, .atol = 0.05}); },
                         [](double a, double b) { return std::fabs(a - b) <= 0.05 + 0.1 * std::fabs(b) ? 1.0 : 0.0; },
                         kPositive)},
          .result = boolean,
          .types = kCompare};
  row.cases[1].what = "wide";
  row.cases[1].large.clear();
  for (const Scalar number : {Scalar(2.0), Scalar(3)}) {
    add_numbers(
        row, [](const auto& a, const auto& b) { return isclose(a, b, {.rtol = 0.5, .atol = 0}); }, number,
        [](double a, double b) { return std::fabs(a - b) <= 0.5 * std::fabs(b) ? 1.0 : 0.0; }, whole);
  }
  row.faults = {{"shapes that do not broadcast", Raises::shape, [] { isclose(zeros({2}), zeros({3})); }},
                {"a negative tolerance", Raises::value, [] { isclose(zeros({2}), zeros({2}), {.rtol = -1}); }}};
  return row;
}

// Of two tensors one truth; the second input is the first, or it moved at its last element.
Row whole_row(const char* op, bool (*f)(const Tensor&, const Tensor&)) {
  Row row{.op = op, .gradient = Gradient::none, .result = boolean, .types = kCompare};
  for (bool moved : {false, true}) {
    Case c{.what = moved ? "unequal" : "equal",
           .inputs = {kSigned},
           .call =
               [=](const Tensors& in) {
                 Tensor other = in[0].detach().clone();
                 if (moved) other.reshape({-1}).slice(0, -1, in[0].numel()).fill_(7);
                 return tern::scalar(f(in[0], other), boolean);
               },
           .reference = [=](const Arrays& in) { return single(moved && in[0].count() > 0 ? 0 : 1); },
           .shapes = {{{2, 3}}, {{1}}},
           .empty = {{{2, 0}}}};
    if (moved) c.empty.clear();
    row.cases.push_back(c);
  }
  return row;
}

Row combined_operator(const char* op, const char* where, std::function<void(Tensor&, const Tensor&)> with_tensor,
                      std::function<void(Tensor&)> with_two, BinaryReference reference, std::vector<TypeRule> types) {
  Row row{.op = op, .gradient = Gradient::in_place, .types = std::move(types), .where = where};
  row.cases.push_back({.inputs = {{}, {.low = 0.4, .high = 2, .varies = false}},
                       .call =
                           [=](const Tensors& in) {
                             Tensor x = in[0];
                             with_tensor(x, in[1]);
                             return x;
                           },
                       .reference = [=](const Arrays& in) { return zip(in[0], in[1], reference); },
                       .shapes = {{{2, 3}, {2, 3}}, {{2, 3}, {3}}},
                       .empty = {{{0, 3}, {3}}}});
  row.cases.push_back(
      {.what = "number",
       .inputs = {{}},
       .call =
           [=](const Tensors& in) {
             Tensor x = in[0];
             with_two(x);
             return x;
           },
       .reference = [=](const Arrays& in) { return map(in[0], [=](double x) { return reference(x, 2); }); },
       .shapes = {{{2, 3}}},
       .empty = {{{0, 3}}},
       .number = 2});
  row.faults = {{"a larger shape", Raises::shape,
                 [=] {
                   Tensor x = zeros({2});
                   with_tensor(x, zeros({3, 2}));
                 }},
                {"a tensor that needs a gradient", Raises::state, [=] {
                   Tensor x = zeros({2}).requires_grad_();
                   with_two(x);
                 }}};
  return row;
}

}  // namespace

Rows binary_rows() {
  Rows rows;
  const BinaryReference plus = [](double a, double b) { return a + b; };
  const BinaryReference minus = [](double a, double b) { return a - b; };
  const BinaryReference times = [](double a, double b) { return a * b; };
  const BinaryReference over = [](double a, double b) { return a / b; };
  const BinaryReference power = [](double a, double b) { return std::pow(a, b); };
  rows.push_back(binary("add", tern::add, plus, kArithmetic, kSigned));
  rows.push_back(binary("sub", tern::sub, minus, kArithmetic, kSigned));
  rows.push_back(binary("mul", tern::mul, times, kArithmetic, kSigned));
  rows.push_back(binary("div", tern::div, over, kReal, kPositive));
  Row pow_row = binary("pow", static_cast<BinaryOp>(tern::pow), power, kReal, kPositive);
  for (double exponent : {0.0, 1.0, 2.0, 3.0, -2.0}) {
    pow_row.cases.push_back(one(
        "number above", [=](const Tensor& x) { return pow(x, exponent); },
        [=](double x) { return std::pow(x, exponent); }, {.low = -2.5, .high = -0.4}));
    pow_row.cases.back().number = exponent;
  }
  add_numbers(
      pow_row, [](const auto& a, const auto& b) { return tern::pow(a, b); }, 2, power, kSigned);
  rows.push_back(pow_row);
  Row maximum = binary("maximum", static_cast<BinaryOp>(tern::maximum), larger, kArithmetic, kSigned);
  for (const Scalar number : {Scalar(0.25), Scalar(2)}) {
    add_numbers(
        maximum, [](const auto& a, const auto& b) { return tern::maximum(a, b); }, number, larger, kSigned);
  }
  rows.push_back(maximum);
  Row minimum = binary("minimum", static_cast<BinaryOp>(tern::minimum), smaller, kArithmetic, kSigned);
  for (const Scalar number : {Scalar(0.25), Scalar(2)}) {
    add_numbers(
        minimum, [](const auto& a, const auto& b) { return tern::minimum(a, b); }, number, smaller, kSigned);
  }
  rows.push_back(minimum);
  for (std::size_t i = rows.size() - 2; i < rows.size(); ++i) rows[i].kinks = {0.25};

  const BinaryReference equal = [](double a, double b) { return a == b ? 1.0 : 0.0; };
  const BinaryReference unequal = [](double a, double b) { return a != b ? 1.0 : 0.0; };
  const BinaryReference less = [](double a, double b) { return a < b ? 1.0 : 0.0; };
  const BinaryReference less_equal = [](double a, double b) { return a <= b ? 1.0 : 0.0; };
  const BinaryReference greater = [](double a, double b) { return a > b ? 1.0 : 0.0; };
  const BinaryReference greater_equal = [](double a, double b) { return a >= b ? 1.0 : 0.0; };
  rows.push_back(comparison(
      "eq", [](const auto& a, const auto& b) { return tern::eq(a, b); }, equal));
  rows.push_back(comparison(
      "ne", [](const auto& a, const auto& b) { return tern::ne(a, b); }, unequal));
  rows.push_back(comparison(
      "lt", [](const auto& a, const auto& b) { return tern::lt(a, b); }, less));
  rows.push_back(comparison(
      "le", [](const auto& a, const auto& b) { return tern::le(a, b); }, less_equal));
  rows.push_back(comparison(
      "gt", [](const auto& a, const auto& b) { return tern::gt(a, b); }, greater));
  rows.push_back(comparison(
      "ge", [](const auto& a, const auto& b) { return tern::ge(a, b); }, greater_equal));
  rows.push_back(where_of_row());
  rows.push_back(clamp_row());
  rows.push_back(bound_row("clamp_min", tern::clamp_min, tern::clamp_min, larger));
  rows.push_back(bound_row("clamp_max", tern::clamp_max, tern::clamp_max, smaller));

  Row angle = binary(
      "atan2", static_cast<BinaryOp>(tern::atan2), [](double a, double b) { return std::atan2(a, b); }, kReal, kSigned);
  angle.kinks = {0};
  add_numbers(
      angle, [](const auto& a, const auto& b) { return tern::atan2(a, b); }, 2,
      [](double a, double b) { return std::atan2(a, b); }, kSigned);
  rows.push_back(angle);
  const auto hypot = [](const auto& a, const auto& b) { return tern::hypot(a, b); };
  const BinaryReference length = [](double a, double b) { return std::hypot(a, b); };
  rows.push_back(binary("hypot", hypot, length, kReal, kSigned));
  add_numbers(rows.back(), hypot, 0.5, length, kSigned);
  const auto logaddexp = [](const auto& a, const auto& b) { return tern::logaddexp(a, b); };
  const BinaryReference log_of_sum = [](double a, double b) { return std::log(std::exp(a) + std::exp(b)); };
  rows.push_back(binary("logaddexp", logaddexp, log_of_sum, kReal, kSigned));
  add_numbers(rows.back(), logaddexp, 0.5, log_of_sum, kSigned);
  Row log_product = binary(
      "xlogy", static_cast<BinaryOp>(tern::xlogy), [](double a, double b) { return a == 0 ? 0 : a * std::log(b); },
      kReal, kPositive);
  log_product.cases.push_back(one(
      "number on the right", [](const Tensor& x) { return tern::xlogy(x, 3); },
      [](double x) { return x * std::log(3.0); }, kSigned));
  log_product.cases.back().number = 3;
  log_product.cases.push_back(one(
      "0 on the left", [](const Tensor& x) { return tern::xlogy(0, x); }, [](double) { return 0.0; }, kSigned));
  log_product.cases.back().number = 0;
  rows.push_back(log_product);
  const auto copysign = [](const auto& a, const auto& b) { return tern::copysign(a, b); };
  const BinaryReference with_sign = [](double a, double b) { return std::signbit(b) ? -std::fabs(a) : std::fabs(a); };
  rows.push_back(binary("copysign", copysign, with_sign, kReal, kSigned));
  rows.back().kinks = {0};
  for (const Scalar number : {Scalar(0.5), Scalar(-2)}) add_numbers(rows.back(), copysign, number, with_sign, kSigned);
  rows.push_back(modulo(
      "remainder", tern::remainder, [](const auto& a, const auto& b) { return tern::remainder(a, b); },
      [](double a, double b) { return a - b * std::floor(a / b); }));
  rows.push_back(modulo(
      "fmod", tern::fmod, [](const auto& a, const auto& b) { return tern::fmod(a, b); },
      [](double a, double b) { return a - b * std::trunc(a / b); }));
  Row whole_quotient = modulo(
      "floor_divide", tern::floor_divide, [](const auto& a, const auto& b) { return tern::floor_divide(a, b); },
      [](double a, double b) { return std::floor(a / b); });
  whole_quotient.gradient = Gradient::none;
  rows.push_back(whole_quotient);
  rows.push_back(ternary(
      "lerp", [](const Tensors& in) { return lerp(in[0], in[1], in[2]); },
      [](double a, double b, double w) { return a + w * (b - a); }, kReal));
  for (double weight : {0.25, 0.75, 1.0}) {
    rows.back().cases.push_back(
        both([=](const Tensor& a, const Tensor& b) { return lerp(a, b, weight); }, nullptr, kSigned));
    rows.back().cases.back().reference = [=](const Arrays& in) {
      return zip(in[0], in[1], [=](double a, double b) { return a + weight * (b - a); });
    };
    rows.back().cases.back().large.clear();
    rows.back().cases.back().number = weight;
  }
  rows.push_back(ternary(
      "addcmul", [](const Tensors& in) { return addcmul(in[0], in[1], in[2], 2); },
      [](double x, double a, double b) { return x + 2 * a * b; }, kArithmetic));
  rows.back().cases.push_back(rows.back().cases[0]);
  rows.back().cases[1].call = [](const Tensors& in) { return addcmul(in[0], in[1], in[2], 0.5); };
  rows.back().cases[1].reference = [](const Arrays& in) {
    return zip(in[0], zip(in[1], in[2], std::multiplies<double>()), [](double x, double ab) { return x + 0.5 * ab; });
  };
  rows.back().cases[1].large.clear();
  rows.back().cases[1].number = 0.5;
  rows.push_back(ternary(
      "addcdiv", [](const Tensors& in) { return addcdiv(in[0], in[1], in[2], 0.5); },
      [](double x, double a, double b) { return x + 0.5 * a / b; }, kReal));

  const BinaryReference both_true = [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; };
  const BinaryReference one_true = [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; };
  const BinaryReference differ = [](double a, double b) { return (a != 0) != (b != 0) ? 1.0 : 0.0; };
  rows.push_back(comparison(
      "logical_and", [](const auto& a, const auto& b) { return tern::logical_and(a, b); }, both_true));
  rows.push_back(comparison(
      "logical_or", [](const auto& a, const auto& b) { return tern::logical_or(a, b); }, one_true));
  rows.push_back(comparison(
      "logical_xor", [](const auto& a, const auto& b) { return tern::logical_xor(a, b); }, differ));
  const auto bits_and = [](std::int64_t a, std::int64_t b) { return a & b; };
  const auto bits_or = [](std::int64_t a, std::int64_t b) { return a | b; };
  const auto bits_xor = [](std::int64_t a, std::int64_t b) { return a ^ b; };
  rows.push_back(bitwise_row(
      "bitwise_and", "bitwise_and", [](const auto& a, const auto& b) { return bitwise_and(a, b); }, bits_and, true));
  rows.push_back(bitwise_row(
      "bitwise_or", "bitwise_or", [](const auto& a, const auto& b) { return bitwise_or(a, b); }, bits_or, true));
  rows.push_back(bitwise_row(
      "bitwise_xor", "bitwise_xor", [](const auto& a, const auto& b) { return bitwise_xor(a, b); }, bits_xor, true));
  rows.push_back(bitwise_row(
      "operator_and", "bitwise_and", [](const auto& a, const auto& b) { return a & b; }, bits_and, true));
  rows.push_back(bitwise_row(
      "operator_or", "bitwise_or", [](const auto& a, const auto& b) { return a | b; }, bits_or, true));
  rows.push_back(bitwise_row(
      "operator_xor", "bitwise_xor", [](const auto& a, const auto& b) { return a ^ b; }, bits_xor, true));
  rows.push_back(bitwise_row(
      "bitwise_left_shift", "bitwise_left_shift", [](const auto& a, const auto& b) { return bitwise_left_shift(a, b); },
      [](std::int64_t a, std::int64_t b) { return a * (std::int64_t{1} << b); }, false));
  rows.back().cases[2].inputs[1].high = 5;
  rows.back().cases[2].reference = [](const Arrays& in) {
    return zip(in[0], in[1], [](double a, double b) { return std::fmod(a * std::exp2(b), 256); });
  };
  rows.push_back(bitwise_row(
      "bitwise_right_shift", "bitwise_right_shift",
      [](const auto& a, const auto& b) { return bitwise_right_shift(a, b); },
      [](std::int64_t a, std::int64_t b) { return a >> b; }, false));
  for (const char* op : {"bitwise_not", "operator_invert"}) {
    Row row{.op = op, .gradient = Gradient::none, .result = i64, .types = {{u8, u8}}, .where = "bitwise_not"};
    row.cases.push_back(one(
        "", [](const Tensor& x) { return ~x; }, [](double x) { return -x - 1; },
        {.low = -9, .high = 9, .whole = true, .dtype = i64}));
    if (row.op == "bitwise_not") row.cases[0].call = [](const Tensors& in) { return bitwise_not(in[0]); };
    row.types.clear();
    row.cases[0].large = {{{20001}}};
    row.cases.push_back(row.cases[0]);
    row.cases.back().large.clear();
    row.cases.back().what = "i32";
    row.cases.back().inputs[0].dtype = i32;
    row.cases.back().result = i32;
    row.cases.push_back(one(
        "bytes", [](const Tensor& x) { return ~x; }, [](double x) { return 255 - x; },
        {.low = 0, .high = 9, .whole = true, .dtype = u8}));
    row.cases.back().result = u8;
    row.cases.push_back(one(
        "booleans", [](const Tensor& x) { return ~x; }, [](double x) { return 1 - x; },
        {.low = 0, .high = 2, .whole = true, .dtype = boolean}));
    row.cases.back().result = boolean;
    row.faults = {{"floating numbers", Raises::dtype, [] { ~zeros({2}); }}};
    rows.push_back(row);
  }
  rows.push_back(isclose_row());
  rows.push_back(whole_row("allclose", [](const Tensor& a, const Tensor& b) { return allclose(a, b); }));
  rows.back().first = false;
  rows.push_back(whole_row("equal", tern::equal));
  rows.back().first = false;

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
  Row negation{
      .op = "operator_not", .gradient = Gradient::none, .result = boolean, .types = kCompare, .where = "logical_not"};
  negation.cases.push_back(one(
      "", [](const Tensor& x) { return !x; }, [](double x) { return x == 0 ? 1.0 : 0.0; },
      {.low = 0, .high = 3, .whole = true}));
  rows.push_back(negation);
  rows.push_back(combined_operator(
      "Tensor_operator_iadd", "add_", [](Tensor& x, const Tensor& y) { x += y; }, [](Tensor& x) { x += 2; }, plus,
      kWritten));
  rows.push_back(combined_operator(
      "Tensor_operator_isub", "sub_", [](Tensor& x, const Tensor& y) { x -= y; }, [](Tensor& x) { x -= 2; }, minus,
      kWritten));
  rows.push_back(combined_operator(
      "Tensor_operator_imul", "mul_", [](Tensor& x, const Tensor& y) { x *= y; }, [](Tensor& x) { x *= 2; }, times,
      kWritten));
  rows.push_back(combined_operator(
      "Tensor_operator_idiv", "div_", [](Tensor& x, const Tensor& y) { x /= y; }, [](Tensor& x) { x /= 2; }, over, {}));
  return rows;
}

}  // namespace conformance
