#include "conformance/row.h"
#include "tern/tensor/creation.h"

// What writes to its first input.
namespace conformance {
namespace {

using tern::boolean;
using tern::i64;
using tern::u8;
using tern::zeros;

const std::vector<Shapes> kOntoShapes{{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{2, 3}, {}}, {{3}, {1}}};
const std::vector<Shapes> kOntoEmpty{{{0, 3}, {3}}, {{0}, {0}}};

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
          .shapes = kOntoShapes,
          .empty = kOntoEmpty,
          .large = {{{513, 65}, {65}}}};
}

// Beside 3, or nothing: what is in place does not promote.
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
          .empty = {{{2, 0}}},
          .number = 3};
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

template <class F>
std::vector<Fault> number_faults(F write, std::function<void()> floating) {
  std::vector<Fault> faults = faults_of(write);
  faults.push_back({"a floating number for integers", Raises::dtype, std::move(floating)});
  return faults;
}

const std::vector<TypeRule> kWhole{{i64, i64}, {u8, u8}};

}  // namespace

Rows in_place_rows() {
  const auto plus = [](double a, double b) { return a + b; };
  const auto minus = [](double a, double b) { return a - b; };
  const auto over = [](double a, double b) { return a / b; };
  const auto times = [](double a, double b) { return a * b; };
  const auto second = [](double, double b) { return b; };
  const auto add = [](Tensor x, const Tensor& y) { x.add_(y); };
  const auto sub = [](Tensor x, const Tensor& y) { x.sub_(y); };
  const auto div = [](Tensor x, const Tensor& y) { x.div_(y); };
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
      kWhole, number_faults(add, [] { zeros({2}, i64).add_(0.5); })));
  rows.push_back(
      in_place("mul_",
               {with_tensor(mul, times), with_number(
                                             "number", [](Tensor& x) { x.mul_(3); }, [](double x) { return 3 * x; })},
               kWhole, number_faults(mul, [] { zeros({2}, i64).mul_(0.5); })));
  rows.push_back(
      in_place("sub_",
               {with_tensor(sub, minus), with_number(
                                             "number", [](Tensor& x) { x.sub_(3); }, [](double x) { return x - 3; })},
               kWhole, number_faults(sub, [] { zeros({2}, i64).sub_(0.5); })));
  std::vector<Fault> dividing = faults_of(div);
  dividing.push_back({"integers", Raises::dtype, [=] { div(zeros({2}, i64), zeros({2}, i64)); }});
  dividing.push_back({"integers by a number", Raises::dtype, [] { zeros({2}, i64).div_(2); }});
  rows.push_back(
      in_place("div_",
               {with_tensor(div, over), with_number(
                                            "number", [](Tensor& x) { x.div_(3); }, [](double x) { return x / 3; })},
               {}, dividing));
  rows.push_back(in_place("copy_", {with_tensor(copy, second)}, kSame, faults_of(copy)));
  rows.back().mixes_devices = true;
  const std::vector<Shapes> large{{{33001}}};
  const std::vector<Fault> filling = faults_of(fill), zeroing = faults_of(zero);
  rows.push_back(in_place("fill_",
                          {with_number(
                              "", [](Tensor& x) { x.fill_(1); }, [](double) { return 1.0; })},
                          kSame, {filling.begin() + 2, filling.end()}));
  rows.back().cases[0].large = large;
  rows.push_back(in_place("zero_",
                          {with_number(
                              "", [](Tensor& x) { x.zero_(); }, [](double) { return 0.0; })},
                          kSame, {zeroing.begin() + 2, zeroing.end()}));
  rows.back().cases[0].large = large;
  rows.back().where = "fill_";
  return rows;
}

}  // namespace conformance
