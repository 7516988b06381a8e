#include <algorithm>
#include <cmath>
#include <utility>

#include "conformance/row.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

// Evenly spaced numbers, and what is drawn. The runner puts the generator at word 8 of stream 3 of seed 11: two words
// an integer or a double, four a normal.
namespace conformance {
namespace {

using tern::f32;
using tern::f64;
using tern::i64;
using tern::Philox;
using tern::tensor;

const Philox kRandom(11, 3);

Case made(std::string what, DType result, std::function<Tensor()> call, Array reference) {
  const bool empty = reference.values.empty();
  Case c{.what = std::move(what),
         .call = [call = std::move(call)](const Tensors&) { return call(); },
         .reference = [reference = std::move(reference)](const Arrays&) { return reference; },
         .result = result};
  (empty ? c.empty : c.shapes) = {{}};
  return c;
}

Row drawn(const char* op, std::vector<Case> cases, std::vector<Fault> faults) {
  return {.op = op, .gradient = Gradient::none, .cases = std::move(cases), .faults = std::move(faults)};
}

Array counted(const Shape& shape, const std::function<double(std::uint64_t)>& at) {
  std::uint64_t i = 0;
  return build(Index(shape.begin(), shape.end()), [&](const Index&) { return at(i++); });
}

Row spaced_row(bool powers) {
  const auto f = powers ? tern::logspace : tern::linspace;
  const auto line = [=](double begin, double step, std::int64_t count) {
    return build({count}, [=](const Index& i) {
      const double x = begin + static_cast<double>(i[0]) * step;
      return powers ? std::pow(10, x) : x;
    });
  };
  return drawn(powers ? "logspace" : "linspace",
               {made(
                    "f32", f32, [=] { return f(-1, 2, 7, f32); }, line(-1, 0.5, 7)),
                made(
                    "down", f64, [=] { return f(1, 0, 5, f64); }, line(1, -0.25, 5)),
                made(
                    "one", f64, [=] { return f(0.5, 2, 1, f64); }, line(0.5, 0, 1)),
                made(
                    "none", f32, [=] { return f(0, 1, 0, f32); }, line(0, 0, 0))},
               {{"a negative count", Raises::value, [=] { f(0, 1, -1, f32); }}});
}

Row randint_row() {
  Row row = drawn("randint", {}, {{"bounds that are equal", Raises::value, [] { tern::randint(3, 3, {2}); }}});
  for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{0, 2}, Shape{20001}}) {
    for (DType type : {i64, f32}) {
      Case c = made(
          std::string(tern::name(type)) + " " + to_string(shape), type,
          [=] { return tern::randint(-2, 5, shape, type); },
          counted(shape, [](std::uint64_t i) { return static_cast<double>(kRandom.below(4 + i, 7)) - 2; }));
      if (shape == Shape{20001}) std::swap(c.shapes, c.large);
      row.cases.push_back(c);
    }
  }
  row.cases.push_back(made(
      "sign over the whole range", f64, [] { return (tern::randint(INT64_MIN, INT64_MAX, {9}) < 0).to(f64); },
      counted({9}, [](std::uint64_t i) { return kRandom.bits64(4 + i) >> 63 == 0 ? 1.0 : 0.0; })));
  return row;
}

Row randperm_row() {
  const auto order = [](std::int64_t n) {
    std::vector<std::pair<std::int64_t, double>> keys;
    for (std::int64_t i = 0; i < n; ++i) {
      keys.emplace_back(static_cast<std::int64_t>(kRandom.bits64(4 + static_cast<std::uint64_t>(i))),
                        static_cast<double>(i));
    }
    std::sort(keys.begin(), keys.end());
    return build({n}, [&](const Index& i) { return keys[static_cast<std::size_t>(i[0])].second; });
  };
  return drawn("randperm",
               {made(
                    "7", i64, [] { return tern::randperm(7); }, order(7)),
                made(
                    "2000", i64, [] { return tern::randperm(2000); }, order(2000)),
                made(
                    "none", i64, [] { return tern::randperm(0); }, order(0))},
               {{"a negative number", Raises::value, [] { tern::randperm(-1); }}});
}

Row normal_row() {
  return drawn(
      "normal",
      {made(
           "f64", f64,
           [] {
             return tern::normal({3, 2}, 2, 0.5, f64);
           },
           counted({3, 2},
                   [](std::uint64_t i) {
                     const double u = 1 - kRandom.uniform(2 * (2 + i)), v = kRandom.uniform(2 * (2 + i) + 1);
                     return 2 + 0.5 * std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
                   })),
       made(
           "constant", f32, [] { return tern::normal({3}, 2, 0); }, counted({3}, [](std::uint64_t) { return 2.0; })),
       made(
           "none", f32, [] { return tern::normal({0}, 2, 1); }, counted({0}, [](std::uint64_t) { return 2.0; }))},
      {{"a negative deviation", Raises::value, [] { tern::normal({2}, 0, -1); }},
       {"an infinite mean", Raises::value, [] { tern::normal({2}, HUGE_VAL, 1); }},
       {"integers", Raises::dtype, [] { tern::normal({2}, 0, 1, i64); }}});
}

// The draws of rand or randn.
Row like_row(const char* op, Tensor (*f)(const Tensor&), Tensor (*plain)(const Shape&, DType, tern::Device),
             const char* where) {
  Row row{.op = op, .gradient = Gradient::none, .where = where};
  row.cases = {{.inputs = {{}},
                .call =
                    [=](const Tensors& in) {
                      const Tensor got = f(in[0]);
                      tern::default_generator() = {.seed = 11, .stream = 3, .offset = 8};
                      return got - plain(in[0].shape(), in[0].dtype(), in[0].device());
                    },
                .reference = [](const Arrays& in) { return map(in[0], [](double) { return 0.0; }); },
                .shapes = {{{}}, {{2, 3}}},
                .empty = {{{2, 0}}},
                .large = {{{20001}}}}};
  row.faults = {{"integers", Raises::dtype, [=] { f(tern::zeros({2}, i64)); }}};
  return row;
}

Row bernoulli_row() {
  Row row{.op = "bernoulli", .gradient = Gradient::none};
  row.cases = {{.inputs = {{.low = 0, .high = 1}},
                .call = [](const Tensors& in) { return tern::bernoulli(in[0]); },
                .reference =
                    [](const Arrays& in) {
                      std::uint64_t i = 4;
                      return map(in[0], [&](double p) { return kRandom.uniform(i++) < p ? 1.0 : 0.0; });
                    },
                .shapes = {{{2, 3}}, {{}}},
                .empty = {{{0}}},
                .large = {{{200, 100}}}}};
  row.faults = {{"a probability above 1", Raises::value, [] { tern::bernoulli(tern::full({2}, 1.5)); }},
                {"a probability that is no number", Raises::value, [] { tern::bernoulli(tern::full({2}, NAN)); }},
                {"integers", Raises::dtype, [] { tern::bernoulli(tern::ones({2}, i64)); }}};
  return row;
}

// With replacement: the index at which the running sum passes the drawn share of the whole.
Array drawn_again(const Array& p, std::int64_t count) {
  const std::int64_t n = p.sizes.back();
  Index sizes = p.sizes;
  sizes.back() = count;
  std::uint64_t next = 4;
  return build(sizes, [&](Index at) {
    double sum = 0, running = 0;
    for (at.back() = 0; at.back() < n; ++at.back()) sum += p.at(at);
    const double passed = kRandom.uniform(next++) * sum;
    for (at.back() = 0; at.back() < n - 1; ++at.back()) {
      running += p.at(at);
      if (running > passed) break;
    }
    return static_cast<double>(at.back());
  });
}

// Without: the indices of the first arrivals, each at a rate of its weight.
Array drawn_once(const Array& p, std::int64_t count) {
  const std::int64_t n = p.sizes.back(), rows = p.count() / n;
  Array out{p.sizes, {}};
  out.sizes.back() = count;
  std::uint64_t next = 4;
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<std::pair<double, double>> arrivals;
    for (std::int64_t k = 0; k < n; ++k) {
      arrivals.emplace_back(-std::log(1 - kRandom.uniform(next++)) / p[r * n + k], static_cast<double>(k));
    }
    std::sort(arrivals.begin(), arrivals.end());
    for (std::int64_t k = 0; k < count; ++k) out.values.push_back(arrivals[static_cast<std::size_t>(k)].second);
  }
  return out;
}

Row multinomial_row() {
  Row row{
      .op = "multinomial", .gradient = Gradient::none, .result = i64, .types = {{i64, i64}, {u8, i64}, {boolean, i64}}};
  row.cases = {{.what = "without replacement",
                .inputs = {{.low = 0, .high = 1, .divides = true}},
                .call = [](const Tensors& in) { return tern::multinomial(in[0], 2); },
                .reference = [](const Arrays& in) { return drawn_once(in[0], 2); },
                .shapes = {{{4}}, {{2, 3}}},
                .empty = {{{0, 3}}}},
               {.what = "with replacement",
                .inputs = {{.low = 0, .high = 1}},
                .call = [](const Tensors& in) { return tern::multinomial(in[0], 9, true); },
                .reference = [](const Arrays& in) { return drawn_again(in[0], 9); },
                .shapes = {{{4}}, {{2, 3}}}}};
  row.faults = {{"a negative weight", Raises::value,
                 [] {
                   tern::multinomial(tensor({1, -1}), 1);
                 }},
                {"a weight that is no number", Raises::value, [] { tern::multinomial(tern::full({2}, NAN), 1); }},
                {"too few above 0", Raises::value,
                 [] {
                   tern::multinomial(tensor({1, 0, 0}), 2);
                 }},
                {"none above 0", Raises::value,
                 [] {
                   tern::multinomial(tensor({0, 0}), 1, true);
                 }},
                {"a negative count", Raises::value, [] { tern::multinomial(tensor({1}), -1); }},
                {"no weights", Raises::shape, [] {
                   tern::multinomial(tern::zeros({2, 0}), 1);
                 }}};
  return row;
}

}  // namespace

Rows random_rows() {
  return {spaced_row(false),
          spaced_row(true),
          randint_row(),
          randperm_row(),
          normal_row(),
          like_row("rand_like", tern::rand_like, tern::rand, "rand"),
          like_row("randn_like", tern::randn_like, tern::randn, "randn"),
          bernoulli_row(),
          multinomial_row()};
}

}  // namespace conformance
