#include "conformance/row.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::bf16;
using tern::boolean;
using tern::f16;
using tern::f32;
using tern::f64;
using tern::i32;
using tern::i64;
using tern::u8;

Case made(std::string what, DType result, std::function<Tensor()> call, std::function<Array()> reference) {
  const bool empty = reference().values.empty();
  Case c{.what = std::move(what),
         .call = [call = std::move(call)](const Tensors&) { return call(); },
         .reference = [reference = std::move(reference)](const Arrays&) { return reference(); },
         .result = result};
  (empty ? c.empty : c.shapes) = {{}};
  return c;
}

Case large(Case c) {
  std::swap(c.shapes, c.large);
  return c;
}

Array constant(const Shape& shape, double value) {
  return build(sizes_of(shape), [=](const Index&) { return value; });
}

Row creation(const char* op, std::vector<Case> cases, std::vector<Fault> faults = {}, const char* where = "") {
  return {.op = op, .gradient = Gradient::none, .cases = std::move(cases), .faults = std::move(faults), .where = where};
}

// Tensors of one value, at every type and some shapes.
Row filled(const char* op, std::function<Tensor(const Shape&, DType)> f, double value) {
  Row row = creation(op, {},
                     {{"a negative size", Raises::shape,
                       [f] {
                         f({2, -1}, f32);
                       }},
                      {"too many elements", Raises::shape, [f] {
                         f({std::int64_t{1} << 40, std::int64_t{1} << 40}, f32);
                       }}});
  for (DType type : {f32, f64, f16, bf16, i64, i32, u8, boolean}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 3}, Shape{2, 0}}) {
      const double expected = type == boolean ? value != 0 : value;
      row.cases.push_back(made(
          std::string(tern::name(type)) + " " + to_string(shape), type, [=] { return f(shape, type); },
          [=] { return constant(shape, expected); }));
    }
  }
  row.cases.push_back(large(made(
      "large", f32, [=] { return f({33001}, f32); }, [=] { return constant({33001}, value); })));
  return row;
}

Row like(const char* op, Tensor (*f)(const Tensor&), double value) {
  Row row{.op = op, .gradient = Gradient::none, .types = {{i64, i64}, {u8, u8}, {boolean, boolean}}};
  row.cases = {{.inputs = {{}},
                .call = [f](const Tensors& in) { return f(in[0]); },
                .reference = [value](const Arrays& in) { return map(in[0], [=](double) { return value; }); },
                .shapes = {{{}}, {{2, 3}}},
                .empty = {{{2, 0}}},
                .large = {{{33001}}}}};
  return row;
}

// Uninitialised elements are written before they are read.
Tensor written(Tensor x) { return x.fill_(1); }

Row arange_row() {
  using tern::arange;
  const auto line = [](double begin, double step, std::int64_t count) {
    return build({count}, [=](const Index& i) { return begin + static_cast<double>(i[0]) * step; });
  };
  return creation("arange",
                  {made(
                       "count", i64, [] { return arange(4); }, [=] { return line(0, 1, 4); }),
                   made(
                       "none", i64, [] { return arange(0); }, [=] { return line(0, 1, 0); }),
                   large(made(
                       "many", f32, [] { return arange(33001, f32); }, [=] { return line(0, 1, 33001); })),
                   made(
                       "bounds", f32, [] { return arange(1, 3.5); }, [=] { return line(1, 1, 3); }),
                   made(
                       "step", f64, [] { return arange(0, 1, 0.25, f64); }, [=] { return line(0, 0.25, 4); }),
                   made(
                       "down", i64, [] { return arange(5, 0, -2, i64); }, [=] { return line(5, -2, 3); }),
                   made(
                       "past the end", f32, [] { return arange(2, 1); }, [=] { return line(0, 1, 0); })},
                  {{"a step of 0", Raises::value, [] { arange(0, 1, 0); }},
                   {"an infinite bound", Raises::value, [] { arange(0, HUGE_VAL); }},
                   {"too many", Raises::value, [] { arange(0, 1, 1e-300); }},
                   {"a negative count", Raises::shape, [] { arange(-1); }}});
}

Row eye_row() {
  const auto identity = [](std::int64_t n) {
    return build({n, n}, [](const Index& i) { return i[0] == i[1] ? 1.0 : 0.0; });
  };
  return creation("eye",
                  {made(
                       "f32", f32, [] { return tern::eye(3); }, [=] { return identity(3); }),
                   made(
                       "i64", i64, [] { return tern::eye(1, i64); }, [=] { return identity(1); }),
                   made(
                       "none", f32, [] { return tern::eye(0); }, [=] { return identity(0); })},
                  {{"a negative size", Raises::shape, [] { tern::eye(-1); }}});
}

Row from_row(const char* op) {
  const bool vector = std::string(op) == "from_vector";
  const std::vector<double> reals{1.5, -2, 3, 4, 5, 6};
  const std::vector<std::int64_t> wholes{(std::int64_t{1} << 53) + 1, -7};
  Row row =
      creation(op,
               {made(
                    "doubles", f64,
                    [=] {
                      return vector ? tern::from_vector(reals, {2, 3}) : tern::from_span(std::span(reals), {2, 3});
                    },
                    [=] {
                      return Array{{2, 3}, reals};
                    }),
                // Differences from a nearby number, as a double cannot hold these.
                made(
                    "integers", i64,
                    [=] {
                      const std::int64_t big = std::int64_t{1} << 53;
                      return (vector ? tern::from_vector(wholes) : tern::from_span(std::span(wholes), {2})) - big;
                    },
                    [=] {
                      return Array{{2}, {1, -7 - 0x1p53}};
                    }),
                made(
                    "none", f64,
                    [] {
                      return tern::from_vector(std::vector<double>{}, {0, 2});
                    },
                    [] {
                      return Array{{0, 2}, {}};
                    })},
               {{"another number of elements", Raises::shape, [=] {
                   if (vector) {
                     tern::from_vector(reals, {4});
                   } else {
                     tern::from_span(std::span(reals), {4});
                   }
                 }}});
  return row;
}

// Memory of the test's own, which outlives every tensor over it.
Row from_blob_row() {
  static std::vector<double> memory{1.5, -2, 3, 4, 5, 6};
  return creation(
      "from_blob",
      {made(
           "contiguous", f64,
           [] {
             return tern::from_blob(memory.data(), {2, 3}, f64);
           },
           [] {
             return Array{{2, 3}, memory};
           }),
       made(
           "strided", f64,
           [] {
             return tern::from_blob(memory.data() + 1, {2, 2}, f64, {.strides = {1, 2}});
           },
           [] {
             return Array{{2, 2}, {-2, 4, 3, 5}};
           }),
       made(
           "none", f32,
           [] {
             return tern::from_blob(nullptr, {0, 2});
           },
           [] {
             return Array{{0, 2}, {}};
           })},
      {{"a null pointer", Raises::value, [] { tern::from_blob(nullptr, {1}); }},
       {"an address between elements", Raises::value,
        [] { tern::from_blob(reinterpret_cast<char*>(memory.data()) + 1, {1}); }},
       {"a negative stride", Raises::value, [] { tern::from_blob(memory.data(), {2}, f64, {.strides = {-1}}); }},
       {"strides past all memory", Raises::value,
        [] { tern::from_blob(memory.data(), {2}, f64, {.strides = {INT64_MAX}}); }},
       {"another number of strides", Raises::shape,
        [] {
          tern::from_blob(memory.data(), {2}, f64, {.strides = {1, 1}});
        }},
       {"a negative size", Raises::shape, [] { tern::from_blob(memory.data(), {-1}, f64); }}});
}

Row tensor_row() {
  using tern::tensor;
  const int one = 1;
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  return creation("tensor",
                  {made(
                       "f32", f32,
                       [] {
                         return tensor({1, 2.5, -3});
                       },
                       [] {
                         return Array{{3}, {1, 2.5, -3}};
                       }),
                   made(
                       "numbers of several types", f64,
                       [=] {
                         return tensor({one, 2.5, big, true}, f64) - 1;
                       },
                       [] {
                         return Array{{4}, {0, 1.5, 0x1p53 - 1, 0}};
                       }),
                   made(
                       "a list kept", f32,
                       [] {
                         const std::initializer_list<double> values{1, 2};
                         return tensor(values);
                       },
                       [] {
                         return Array{{2}, {1, 2}};
                       }),
                   made(
                       "one", f32, [] { return tensor({4}); },
                       [] {
                         return Array{{1}, {4}};
                       }),
                   made(
                       "variables", f64,
                       [=] {
                         return tensor({one, 2 * one}, f64);
                       },
                       [] {
                         return Array{{2}, {1, 2}};
                       }),
                   made(
                       "large integers", i64,
                       [=] {
                         return tensor({big, -big}, i64) - (big - 1);
                       },
                       [] {
                         return Array{{2}, {1, -1 - 0x1p54}};
                       }),
                   made(
                       "booleans", boolean,
                       [] {
                         return tensor({true, false}, boolean);
                       },
                       [] {
                         return Array{{2}, {1, 0}};
                       }),
                   made(
                       "rows", f64,
                       [] {
                         return tensor({{1, 2, 3}, {4, 5, 6}}, f64);
                       },
                       [] {
                         return Array{{2, 3}, {1, 2, 3, 4, 5, 6}};
                       }),
                   made(
                       "a column", f32,
                       [] {
                         return tensor({{1}, {2}, {3}});
                       },
                       [] {
                         return Array{{3, 1}, {1, 2, 3}};
                       }),
                   made(
                       "two by two", i64,
                       [] {
                         return tensor({{1, 2}, {3, 4}}, i64);
                       },
                       [] {
                         return Array{{2, 2}, {1, 2, 3, 4}};
                       })},
                  {{"ragged rows", Raises::shape, [] {
                      tensor({{1, 2}, {3}});
                    }}});
}

Row scalar_row() {
  return creation("scalar", {made(
                                 "f32", f32, [] { return tern::scalar(2.5); }, [] { return single(2.5); }),
                             made(
                                 "f64", f64, [] { return tern::scalar(0.1, f64); }, [] { return single(0.1); }),
                             made(
                                 "i64", i64, [] { return tern::scalar(7, i64); }, [] { return single(7); })});
}

// The runner puts the generator at word 8 of stream 3 of seed 11: one word a float, two a double, four a normal.
Array random_of(const Shape& shape, std::function<double(std::uint64_t)> at) {
  std::uint64_t i = 0;
  return build(sizes_of(shape), [&](const Index&) { return at(i++); });
}

Row uniform_row(const char* op, double low, double high, std::function<Tensor(const Shape&, DType)> f) {
  Row row = creation(op, {}, {{"integers", Raises::dtype, [f] { f({2}, i64); }}});
  for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{0, 2}, Shape{20001}}) {
    const auto sized = [&](Case c) { return shape == Shape{20001} ? large(c) : c; };
    row.cases.push_back(sized(made(
        "f32 " + to_string(shape), f32, [=] { return f(shape, f32); },
        [=] {
          return random_of(shape, [=](std::uint64_t i) {
            return static_cast<float>(low) + static_cast<float>(high - low) * tern::Philox(11, 3).uniform_float(8 + i);
          });
        })));
    row.cases.push_back(sized(made(
        "f64 " + to_string(shape), f64, [=] { return f(shape, f64); },
        [=] {
          return random_of(shape,
                           [=](std::uint64_t i) { return low + (high - low) * tern::Philox(11, 3).uniform(4 + i); });
        })));
  }
  return row;
}

Row randn_row() {
  Row row = creation("randn", {}, {{"integers", Raises::dtype, [] { tern::randn({2}, i64); }}});
  for (DType type : {f32, f64}) {
    for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{0, 2}, Shape{9001}}) {
      Case c = made(
          std::string(tern::name(type)) + " " + to_string(shape), type, [=] { return tern::randn(shape, type); },
          [=] {
            return random_of(shape, [](std::uint64_t i) {
              const tern::Philox random(11, 3);
              const double u = 1 - random.uniform(2 * (2 + i)), v = random.uniform(2 * (2 + i) + 1);
              return std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
            });
          });
      row.cases.push_back(shape == Shape{9001} ? large(c) : c);
    }
  }
  return row;
}

}  // namespace

Rows creation_rows() {
  Rows rows;
  rows.push_back(filled(
      "empty", [](const Shape& shape, DType type) { return written(tern::empty(shape, type)); }, 1));
  rows.push_back(filled(
      "zeros", [](const Shape& shape, DType type) { return tern::zeros(shape, type); }, 0));
  rows.push_back(filled(
      "ones", [](const Shape& shape, DType type) { return tern::ones(shape, type); }, 1));
  rows.push_back(filled(
      "full", [](const Shape& shape, DType type) { return tern::full(shape, 3, type); }, 3));
  rows.push_back(like(
      "empty_like", [](const Tensor& x) { return written(tern::empty_like(x)); }, 1));
  rows.push_back(like("zeros_like", tern::zeros_like, 0));
  rows.push_back(like("ones_like", tern::ones_like, 1));
  rows.push_back(like(
      "full_like", [](const Tensor& x) { return tern::full_like(x, 1); }, 1));
  rows.push_back(arange_row());
  rows.push_back(eye_row());
  rows.push_back(from_row("from_span"));
  rows.push_back(from_row("from_vector"));
  rows.push_back(from_blob_row());
  rows.push_back(tensor_row());
  rows.push_back(scalar_row());
  rows.push_back(uniform_row("rand", 0, 1, [](const Shape& shape, DType type) { return tern::rand(shape, type); }));
  rows.push_back(
      uniform_row("uniform", -2, 3, [](const Shape& shape, DType type) { return tern::uniform(shape, -2, 3, type); }));
  rows.back().faults.push_back({"bounds the wrong way round", Raises::value, [] { tern::uniform({1}, 1, 1); }});
  rows.push_back(randn_row());
  return rows;
}

}  // namespace conformance
