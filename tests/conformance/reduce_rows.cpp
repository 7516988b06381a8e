#include "conformance/row.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::Dims;
using tern::f32;
using tern::i64;
using tern::u8;
using tern::zeros;

using ReduceOp = Tensor (*)(const Tensor&, const Dims&, bool);
using Reference = double (*)(const Numbers&);

std::vector<int> list(const Dims& dims) { return std::vector<int>(dims.begin(), dims.end()); }

// Over no dimension named, one, several; kept or not.
Row reduction(const char* op, ReduceOp f, Reference reference, std::vector<TypeRule> types, bool of_nothing) {
  Row row{.op = op, .tolerance = 1e-6, .tolerance_f64 = 1e-12, .types = std::move(types)};
  for (const Dims& dims : {Dims{}, Dims{0}, Dims{-1}, Dims{0, 2}, Dims{1, -1, 0}}) {
    for (bool keep : {false, true}) {
      Case c{.what = "dims " + to_string(dims) + (keep ? " kept" : ""),
             .inputs = {{}},
             .call = [=](const Tensors& in) { return f(in[0], dims, keep); },
             .reference = [=](const Arrays& in) { return reduce(in[0], list(dims), keep, reference); }};
      c.shapes = {{{2, 3, 2}}, {{1, 2, 1}}};
      c.empty = {{{2, 0, 3}}, {{0, 2, 0}}};
      if (dims.empty()) {
        c.shapes.push_back({{}});
        c.shapes.push_back({{5}});
        c.large = {{{70000}}};
      } else if (dims.size() < 3 && !keep) {
        c.large = {{dims == Dims{-1} ? Shape{3, 2, 6000} : dims == Dims{0} ? Shape{6000, 2, 3} : Shape{90, 5, 60}}};
      }
      if (!of_nothing) c.empty = dims == Dims{-1} ? std::vector<Shapes>{{{2, 0, 3}}} : std::vector<Shapes>{};
      row.cases.push_back(c);
    }
  }
  row.faults = {{"a dimension that is not there", Raises::index, [f] { f(zeros({2, 3}), {2}, false); }}};
  if (!of_nothing) {
    row.faults.push_back({"no element", Raises::shape, [f] { f(zeros({2, 0}), {1}, false); }});
    row.faults.push_back({"no element at all", Raises::shape, [f] { f(zeros({0}), {}, true); }});
  }
  return row;
}

// The methods of Tensor: without dimensions, with one, with several.
template <class All, class One>
Row method(const char* op, const char* where, All all, One one, Reference reference, bool of_nothing) {
  Row row{.op = op, .tolerance = 1e-6, .tolerance_f64 = 1e-12, .where = where};
  row.cases.push_back({.what = "all",
                       .inputs = {{}},
                       .call = [all](const Tensors& in) { return all(in[0]); },
                       .reference = [=](const Arrays& in) { return reduce(in[0], {}, false, reference); },
                       .shapes = {{{}}, {{2, 3}}},
                       .empty = of_nothing ? std::vector<Shapes>{{{0}}} : std::vector<Shapes>{}});
  for (bool keep : {false, true}) {
    row.cases.push_back({.what = keep ? "kept" : "one",
                         .inputs = {{}},
                         .call = [=](const Tensors& in) { return one(in[0], 1, keep); },
                         .reference = [=](const Arrays& in) { return reduce(in[0], {1}, keep, reference); },
                         .shapes = {{{2, 3, 2}}},
                         .empty = {{{0, 2, 2}}}});
  }
  row.faults = {{"a dimension that is not there", Raises::index, [one] { one(zeros({2, 3}), -3, false); }}};
  return row;
}

double average(const Numbers& x) { return total(x) / static_cast<double>(x.size()); }
double largest(const Numbers& x) { return *std::max_element(x.begin(), x.end()); }
double smallest(const Numbers& x) { return *std::min_element(x.begin(), x.end()); }
double first_largest(const Numbers& x) { return static_cast<double>(std::max_element(x.begin(), x.end()) - x.begin()); }
double log_sum_exp(const Numbers& x) {
  double sum = 0;
  for (double value : x) sum += std::exp(value);
  return std::log(sum);
}

// Whole values, so that the largest often comes twice.
Row argmax_row() {
  Row row{.op = "argmax", .gradient = Gradient::none, .result = i64, .types = {{i64, i64}, {u8, i64}, {boolean, i64}}};
  for (int dim : {0, 1, -1}) {
    for (bool keep : {false, true}) {
      row.cases.push_back({.what = "dim " + std::to_string(dim) + (keep ? " kept" : ""),
                           .inputs = {{.low = 0, .high = 3, .whole = true}},
                           .call = [=](const Tensors& in) { return argmax(in[0], dim, keep); },
                           .reference = [=](const Arrays& in) { return reduce(in[0], {dim}, keep, first_largest); },
                           .shapes = {{{2, 3, 4}}, {{1, 1, 1}}},
                           .empty = {dim == 0 ? Shapes{{2, 0, 3}} : Shapes{{0, 2, 3}}},
                           .large = {keep ? std::vector<Shapes>{} : std::vector<Shapes>{{{90, 11, 40}}}}});
    }
  }
  row.faults = {{"a dimension that is not there", Raises::index,
                 [] {
                   argmax(zeros({2, 3}), 2);
                 }},
                {"no element", Raises::shape, [] {
                   argmax(zeros({2, 0}), 1);
                 }}};
  return row;
}

Row argmax_method() {
  Row row{.op = "Tensor_argmax", .gradient = Gradient::none, .result = i64, .where = "argmax"};
  row.cases.push_back({.what = "all",
                       .inputs = {{.low = 0, .high = 9, .whole = true}},
                       .call = [](const Tensors& in) { return in[0].argmax(); },
                       .reference = [](const Arrays& in) { return reduce(in[0], {}, false, first_largest); },
                       .shapes = {{{}}, {{2, 3}}}});
  row.cases.push_back({.what = "one",
                       .inputs = {{}},
                       .call = [](const Tensors& in) { return in[0].argmax(1, true); },
                       .reference = [](const Arrays& in) { return reduce(in[0], {1}, true, first_largest); },
                       .shapes = {{{2, 3}}},
                       .empty = {{{0, 3}}}});
  row.faults = {{"no element", Raises::shape, [] { zeros({0}).argmax(); }}};
  return row;
}

Row sum_to_row() {
  Row row{.op = "sum_to", .tolerance = 1e-6, .tolerance_f64 = 1e-12, .types = {{i64, i64}}};
  for (const Shape& to : {Shape{3, 1}, Shape{1, 1, 2}, Shape{2}, Shape{}, Shape{2, 3, 2}}) {
    row.cases.push_back({.what = "to " + to_string(to),
                         .inputs = {{}},
                         .call = [=](const Tensors& in) { return sum_to(in[0], to); },
                         .reference =
                             [=](const Arrays& in) {
                               Array out = build(Index(to.begin(), to.end()), [](const Index&) { return 0.0; });
                               build(in[0].sizes, [&](const Index& i) {
                                 std::int64_t offset = 0;
                                 for (std::size_t d = 0; d < out.sizes.size(); ++d) {
                                   const std::int64_t at = i[d + i.size() - out.sizes.size()];
                                   offset = offset * out.sizes[d] + (out.sizes[d] == 1 ? 0 : at);
                                 }
                                 out.values[static_cast<std::size_t>(offset)] += in[0].at(i);
                                 return 0.0;
                               });
                               return out;
                             },
                         .shapes = {{{2, 3, 2}}},
                         .empty = to == Shape{} ? std::vector<Shapes>{{{0, 3}}} : std::vector<Shapes>{}});
  }
  row.faults = {{"no broadcast of it", Raises::shape,
                 [] {
                   sum_to(zeros({2, 3}), {2});
                 }},
                {"more dimensions", Raises::shape, [] {
                   sum_to(zeros({3}), {1, 3});
                 }}};
  return row;
}

}  // namespace

Rows reduce_rows() {
  Rows rows;
  rows.push_back(reduction("sum", tern::sum, total, {{i64, i64}, {u8, i64}, {boolean, i64}}, true));
  rows.push_back(reduction("mean", tern::mean, average, {{i64, f32}, {u8, f32}, {boolean, f32}}, true));
  rows.push_back(reduction("max", tern::max, largest, {{i64, i64}, {u8, u8}, {boolean, boolean}}, false));
  rows.push_back(reduction("min", tern::min, smallest, {{i64, i64}, {u8, u8}, {boolean, boolean}}, false));
  rows.push_back(reduction("logsumexp", tern::logsumexp, log_sum_exp, {{i64, f32}, {u8, f32}, {boolean, f32}}, false));
  rows.push_back(argmax_row());
  rows.push_back(sum_to_row());
  Row sum = method(
      "Tensor_sum", "sum", [](const Tensor& x) { return x.sum(); },
      [](const Tensor& x, int dim, bool keep) { return x.sum(dim, keep); }, total, true);
  sum.cases.push_back({.what = "several",
                       .inputs = {{}},
                       .call =
                           [](const Tensors& in) {
                             return in[0].sum(Dims{0, -1});
                           },
                       .reference =
                           [](const Arrays& in) {
                             return reduce(in[0], {0, -1}, false, total);
                           },
                       .shapes = {{{2, 3, 2}}}});
  rows.push_back(sum);
  Row mean = method(
      "Tensor_mean", "mean", [](const Tensor& x) { return x.mean(); },
      [](const Tensor& x, int dim, bool keep) { return x.mean(dim, keep); }, average, true);
  mean.cases.push_back({.what = "several",
                        .inputs = {{}},
                        .call =
                            [](const Tensors& in) {
                              return in[0].mean(Dims{0, -1}, true);
                            },
                        .reference =
                            [](const Arrays& in) {
                              return reduce(in[0], {0, -1}, true, average);
                            },
                        .shapes = {{{2, 3, 2}}}});
  rows.push_back(mean);
  rows.push_back(method(
      "Tensor_max", "max", [](const Tensor& x) { return x.max(); },
      [](const Tensor& x, int dim, bool keep) { return x.max(dim, keep); }, largest, false));
  rows.push_back(method(
      "Tensor_min", "min", [](const Tensor& x) { return x.min(); },
      [](const Tensor& x, int dim, bool keep) { return x.min(dim, keep); }, smallest, false));
  rows.push_back(argmax_method());
  return rows;
}

}  // namespace conformance
