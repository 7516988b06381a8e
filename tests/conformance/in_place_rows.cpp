#include "conformance/row.h"
#include "tern/ops/optimizer_step.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// What writes to its first input.
namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::u8;
using tern::zeros;

const std::vector<Shapes> kShapes{{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{2, 3}, {}}, {{3}, {1}}};
const std::vector<Shapes> kEmpty{{{0, 3}, {3}}, {{0}, {0}}};

Row in_place(const char* name, std::vector<Case> cases, std::vector<TypeRule> types, std::vector<Fault> faults) {
  return {.op = std::string("Tensor_") + name,
          .gradient = Gradient::in_place,
          .cases = std::move(cases),
          .types = std::move(types),
          .faults = std::move(faults),
          .where = name};
}

Case with_tensor(std::function<void(Tensor&, const Tensor&)> write, double (*reference)(double, double)) {
  return {.inputs = {{}, {.varies = false}},
          .call =
              [write = std::move(write)](const Tensors& in) {
                Tensor x = in[0];
                write(x, in[1]);
                return x;
              },
          .reference = [reference](const Arrays& in) { return zip(in[0], in[1], reference); },
          .shapes = kShapes,
          .empty = kEmpty,
          .large = {{{300, 60}, {60}}}};
}

Case with_number(const char* what, std::function<void(Tensor&)> write, std::function<double(double)> reference) {
  return {.what = what,
          .inputs = {{}},
          .call =
              [write = std::move(write)](const Tensors& in) {
                Tensor x = in[0];
                write(x);
                return x;
              },
          .reference = [reference = std::move(reference)](const Arrays& in) { return map(in[0], reference); },
          .shapes = {{{}}, {{2, 3}}},
          .empty = {{{2, 0}}}};
}

template <class F>
std::vector<Fault> faults_of(F write) {
  return {{"a larger shape", Raises::shape,
           [=] {
             write(zeros({2}), zeros({3, 2}));
           }},
          {"a shape that does not broadcast", Raises::shape, [=] { write(zeros({2}), zeros({3})); }},
          {"an expanded view", Raises::value, [=] { write(zeros({1}).expand({3}), zeros({3})); }},
          {"a tensor that needs a gradient", Raises::state, [=] { write(zeros({2}).requires_grad_(), zeros({2})); }}};
}

const std::vector<TypeRule> kSame{{i64, i64}, {u8, u8}, {boolean, boolean}};
const std::vector<TypeRule> kArithmetic{{i64, i64}, {u8, u8}};

// Results of one step side by side: the value, then the states.
Array step_by_element(const Arrays& in, std::function<std::vector<double>(const std::vector<double>&)> f) {
  const std::int64_t n = in[0].count(), results = static_cast<std::int64_t>(in.size()) - 1;
  Array out{{n * results}, Numbers(static_cast<std::size_t>(n * results))};
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<double> at;
    for (const Array& x : in) at.push_back(x[i]);
    const std::vector<double> got = f(at);
    for (std::int64_t r = 0; r < results; ++r) {
      out.values[static_cast<std::size_t>(r * n + i)] = got[static_cast<std::size_t>(r)];
    }
  }
  return out;
}

std::vector<Shapes> repeated(std::size_t inputs, std::vector<Shape> shapes) {
  std::vector<Shapes> out;
  for (const Shape& shape : shapes) out.emplace_back(inputs, shape);
  return out;
}

Row sgd_row() {
  Row row{.op = "sgd_step", .gradient = Gradient::in_place};
  const Input fixed{.varies = false};
  row.cases.push_back({.what = "plain",
                       .inputs = {{}, fixed},
                       .call =
                           [](const Tensors& in) {
                             sgd_step(in[0], in[1], {}, {.lr = 0.1, .weight_decay = 0.01});
                             return in[0];
                           },
                       .reference =
                           [](const Arrays& in) {
                             return step_by_element(in, [](const std::vector<double>& x) {
                               return std::vector<double>{x[0] - 0.1 * (x[1] + 0.01 * x[0])};
                             });
                           },
                       .shapes = repeated(2, {{5}}),
                       .empty = repeated(2, {{0}}),
                       .large = repeated(2, {{20000}}),
                       .strided = false});
  for (bool nesterov : {false, true}) {
    for (bool first : {false, true}) {
      row.cases.push_back(
          {.what = std::string("momentum") + (nesterov ? ", Nesterov" : "") + (first ? ", first" : ""),
           .inputs = {{}, fixed, fixed},
           .call =
               [=](const Tensors& in) {
                 sgd_step(in[0], in[1], in[2],
                          {.lr = 0.1,
                           .momentum = 0.9,
                           .dampening = nesterov ? 0 : 0.2,
                           .weight_decay = 0.01,
                           .nesterov = nesterov,
                           .first = first});
                 return tern::cat({in[0].detach(), in[2]});
               },
           .reference =
               [=](const Arrays& in) {
                 return step_by_element(in, [=](const std::vector<double>& x) {
                   const double g = x[1] + 0.01 * x[0];
                   const double buffer = first ? g : 0.9 * x[2] + (nesterov ? 1 : 0.8) * g;
                   return std::vector<double>{x[0] - 0.1 * (nesterov ? g + 0.9 * buffer : buffer), buffer};
                 });
               },
           .shapes = repeated(3, {{5}}),
           .empty = repeated(3, {{0}}),
           .large = repeated(3, {{20000}}),
           .strided = false});
    }
  }
  row.faults = {{"a gradient of another shape", Raises::shape, [] { sgd_step(zeros({2}), zeros({3}), {}, {}); }},
                {"a gradient of another type", Raises::dtype, [] { sgd_step(zeros({2}), zeros({2}, f64), {}, {}); }},
                {"integers", Raises::dtype, [] { sgd_step(zeros({2}, i64), zeros({2}, i64), {}, {}); }},
                {"a buffer of another shape", Raises::shape,
                 [] { sgd_step(zeros({2}), zeros({2}), zeros({3}), {.momentum = 0.9}); }},
                {"a value that needs a gradient", Raises::state,
                 [] { sgd_step(zeros({2}).requires_grad_(), zeros({2}), {}, {.lr = 1}); }}};
  return row;
}

Row adamw_row() {
  Row row{.op = "adamw_step", .gradient = Gradient::in_place};
  const Input fixed{.varies = false}, square{.low = 0.1, .high = 1, .varies = false};
  for (std::int64_t step : {1, 7}) {
    row.cases.push_back({.what = "step " + std::to_string(step),
                         .inputs = {{}, fixed, fixed, square},
                         .call =
                             [=](const Tensors& in) {
                               adamw_step(in[0], in[1], in[2], in[3], {.lr = 0.1, .weight_decay = 0.01, .step = step});
                               return tern::cat({in[0].detach(), in[2], in[3]});
                             },
                         .reference =
                             [=](const Arrays& in) {
                               return step_by_element(in, [=](const std::vector<double>& x) {
                                 const double m = 0.9 * x[2] + 0.1 * x[1], v = 0.999 * x[3] + 0.001 * x[1] * x[1];
                                 const double corrected = m / (1 - std::pow(0.9, step)),
                                              scale = v / (1 - std::pow(0.999, step));
                                 return std::vector<double>{
                                     x[0] - 0.1 * 0.01 * x[0] - 0.1 * corrected / (std::sqrt(scale) + 1e-8), m, v};
                               });
                             },
                         .shapes = repeated(4, {{5}}),
                         .empty = repeated(4, {{0}}),
                         .large = repeated(4, {{20000}}),
                         .strided = false});
  }
  const Tensor x = zeros({2});
  row.faults = {
      {"a gradient of another shape", Raises::shape, [=] { adamw_step(x, zeros({3}), x, x, {}); }},
      {"a moment of another shape", Raises::shape, [=] { adamw_step(x, x, x, zeros({3}), {}); }},
      {"a moment of another type", Raises::dtype, [=] { adamw_step(x, x, zeros({2}, f64), x, {}); }},
      {"step 0", Raises::value, [=] { adamw_step(x, x, x, x, {.step = 0}); }},
      {"a value that needs a gradient", Raises::state, [=] { adamw_step(zeros({2}).requires_grad_(), x, x, x, {}); }}};
  return row;
}

}  // namespace

Rows in_place_rows() {
  const auto plus = [](double a, double b) { return a + b; };
  const auto times = [](double a, double b) { return a * b; };
  const auto second = [](double, double b) { return b; };
  const auto add = [](Tensor x, const Tensor& y) { x.add_(y); };
  const auto mul = [](Tensor x, const Tensor& y) { x.mul_(y); };
  const auto copy = [](Tensor x, const Tensor& y) { x.copy_(y); };
  const auto fill = [](Tensor x, const Tensor&) { x.fill_(1); };
  const auto zero = [](Tensor x, const Tensor&) { x.zero_(); };
  Rows rows;
  rows.push_back(in_place(
      "add_",
      {with_tensor(add, plus),
       with_tensor([](Tensor& x, const Tensor& y) { x.add_(y, -0.5); }, [](double a, double b) { return a - 0.5 * b; }),
       with_number(
           "number", [](Tensor& x) { x.add_(3); }, [](double x) { return x + 3; })},
      kArithmetic, faults_of(add)));
  rows.push_back(
      in_place("mul_",
               {with_tensor(mul, times), with_number(
                                             "number", [](Tensor& x) { x.mul_(3); }, [](double x) { return 3 * x; })},
               kArithmetic, faults_of(mul)));
  rows.push_back(in_place("copy_", {with_tensor(copy, second)}, kSame, faults_of(copy)));
  const std::vector<Fault> filling = faults_of(fill), zeroing = faults_of(zero);
  rows.push_back(in_place("fill_",
                          {with_number(
                              "", [](Tensor& x) { x.fill_(1); }, [](double) { return 1.0; })},
                          kSame, {filling.begin() + 2, filling.end()}));
  rows.push_back(in_place("zero_",
                          {with_number(
                              "", [](Tensor& x) { x.zero_(); }, [](double) { return 0.0; })},
                          kSame, {zeroing.begin() + 2, zeroing.end()}));
  rows.back().where = "fill_";
  rows.push_back(sgd_row());
  rows.push_back(adamw_row());
  return rows;
}

}  // namespace conformance
