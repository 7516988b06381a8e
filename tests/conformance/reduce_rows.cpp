#include <algorithm>
#include <cmath>
#include <limits>

#include "conformance/row.h"
#include "tern/ops/binary.h"
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
using DimReference = double (*)(const Numbers&);

std::vector<int> list(const Dims& dims) { return std::vector<int>(dims.begin(), dims.end()); }

// Over no dimension named, one, several; kept or not.
Row reduction(const char* op, ReduceOp f, DimReference reference, std::vector<TypeRule> types, bool of_nothing) {
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
        c.large = {{{70001}}};
      } else if (dims.size() < 3 && !keep) {
        c.large = {{dims == Dims{-1} ? Shape{7, 1, 6001} : dims == Dims{0} ? Shape{6001, 2, 3} : Shape{91, 7, 61}}};
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
Row method(const char* op, const char* where, All all, One one, DimReference reference, bool of_nothing) {
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

double first_smallest(const Numbers& x) {
  return static_cast<double>(std::min_element(x.begin(), x.end()) - x.begin());
}
double product_of(const Numbers& x) {
  double product = 1;
  for (double value : x) product *= value;
  return product;
}
double any_of(const Numbers& x) {
  return std::any_of(x.begin(), x.end(), [](double value) { return value != 0; }) ? 1 : 0;
}
double all_of(const Numbers& x) {
  return std::all_of(x.begin(), x.end(), [](double value) { return value != 0; }) ? 1 : 0;
}
double variance(const Numbers& x) {
  const double mean = average(x);
  double sum = 0;
  for (double value : x) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(x.size());
}
double euclidean(const Numbers& x) {
  double sum = 0;
  for (double value : x) sum += value * value;
  return std::sqrt(sum);
}

// A reduction that is never taped, of values some of which are 0.
Row asked(Row row, tern::DType result) {
  row.gradient = Gradient::none;
  row.result = result;
  for (Case& c : row.cases) c.inputs[0] = {.low = 0, .high = 3, .whole = true};
  return row;
}

// With every negative element taken as NaN, which the reference leaves out.
Row with_nan(Row row, ReduceOp f, DimReference reference) {
  for (bool keep : {false, true}) {
    row.cases.push_back({.what = keep ? "NaN, kept" : "NaN",
                         .inputs = {{}},
                         .call =
                             [=](const Tensors& in) {
                               const Tensor gaps = where(in[0] < 0, std::numeric_limits<double>::quiet_NaN(), in[0]);
                               return f(gaps, {1}, keep);
                             },
                         .reference =
                             [=](const Arrays& in) {
                               return reduce(in[0], {1}, keep, [=](const Numbers& x) {
                                 Numbers present;
                                 for (double value : x) {
                                   if (!(value < 0)) present.push_back(value);
                                 }
                                 return reference(present);
                               });
                             },
                         .shapes = {{{2, 12}}}});
  }
  row.kinks = {0};
  return row;
}

Case corrected(double correction, bool root) {
  return {.what = "correction " + std::to_string(correction),
          .inputs = {{}},
          .call =
              [=](const Tensors& in) {
                const tern::VarianceOptions options{.correction = correction};
                return root ? tern::std(in[0], {1}, options) : tern::var(in[0], {1}, options);
              },
          .reference =
              [=](const Arrays& in) {
                return reduce(in[0], {1}, false, [=](const Numbers& x) {
                  const double terms = static_cast<double>(x.size()), v = variance(x) * terms / (terms - correction);
                  return root ? std::sqrt(v) : v;
                });
              },
          .shapes = {{{2, 3, 2}}}};
}

template <int Thirds>
Tensor norm_of(const Tensor& x, const Dims& dims, bool keep) {
  return tern::norm(x, dims, {.p = Thirds / 3.0, .keepdim = keep});
}
template <int Thirds>
double norm_reference(const Numbers& x) {
  double sum = 0;
  for (double value : x) sum += std::pow(std::fabs(value), Thirds / 3.0);
  return std::pow(sum, 3.0 / Thirds);
}

Row norm_row() {
  Row row = reduction("norm", norm_of<6>, euclidean, kReal, true);
  const auto add = [&](const char* what, ReduceOp f, DimReference reference, bool of_nothing) {
    for (Case& c : reduction("norm", f, reference, {}, of_nothing).cases) {
      c.what = std::string(what) + ", " + c.what;
      c.large.clear();
      row.cases.push_back(c);
    }
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  add("p 1", norm_of<3>, norm_reference<3>, true);
  add("p 3", norm_of<9>, norm_reference<9>, true);
  add("p 2/3", norm_of<2>, norm_reference<2>, true);
  add(
      "p infinite",
      [](const Tensor& x, const Dims& dims, bool keep) {
        return tern::norm(x, dims, {.p = infinity, .keepdim = keep});
      },
      [](const Numbers& x) { return std::max(largest(x), -smallest(x)); }, false);
  add(
      "p -infinite",
      [](const Tensor& x, const Dims& dims, bool keep) {
        return tern::norm(x, dims, {.p = -infinity, .keepdim = keep});
      },
      [](const Numbers& x) {
        double least = std::fabs(x[0]);
        for (double value : x) least = std::min(least, std::fabs(value));
        return least;
      },
      false);
  add(
      "p 0",
      [](const Tensor& x, const Dims& dims, bool keep) { return tern::norm(x, dims, {.p = 0, .keepdim = keep}); },
      [](const Numbers& x) { return static_cast<double>(x.size()); }, true);
  row.kinks = {0};
  row.faults.push_back({"p that is NaN", Raises::value, [] { tern::norm(zeros({2}), {}, {.p = std::nan("")}); }});
  row.faults.push_back({"no element and an infinite p", Raises::shape, [] {
                          tern::norm(zeros({2, 0}), {1}, {.p = infinity});
                        }});
  return row;
}

Row running(const char* op, Tensor (*f)(const Tensor&, int), double (*next)(double, double), double first) {
  Row row{.op = op, .tolerance = 1e-6, .tolerance_f64 = 1e-12, .types = {{i64, i64}, {u8, i64}, {boolean, i64}}};
  for (int dim : {0, 1, -1}) {
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}},
                         .call = [=](const Tensors& in) { return f(in[0], dim); },
                         .reference =
                             [=](const Arrays& in) {
                               const std::size_t d = dim < 0 ? in[0].sizes.size() - 1 : static_cast<std::size_t>(dim);
                               std::int64_t inner = 1;
                               for (std::size_t after = d + 1; after < in[0].sizes.size(); ++after) {
                                 inner *= in[0].sizes[after];
                               }
                               Array out = in[0];
                               for (std::int64_t i = 0; i < out.count(); ++i) {
                                 const bool starts = i / inner % out.sizes[d] == 0;
                                 const auto at = static_cast<std::size_t>(i);
                                 out.values[at] = next(starts ? first : out[i - inner], in[0][i]);
                               }
                               return out;
                             },
                         .shapes = {{{2, 3, 4}}, {{1, 1}}},
                         .empty = {{{2, 0, 3}}, {{0, 2}}},
                         .large = {{dim == 0 ? Shape{300, 70} : Shape{4, 300, 40}}}});
  }
  row.faults = {{"a dimension that is not there", Raises::index,
                 [f] {
                   f(zeros({2, 3}), 2);
                 }},
                {"dimension 1 of none", Raises::index, [f] { f(zeros({}), 1); }}};
  return row;
}

// Whole values, so that the largest often comes twice.
Row choice(const char* op, Tensor (*f)(const Tensor&, int, bool), DimReference reference) {
  Row row{.op = op, .gradient = Gradient::none, .result = i64, .types = {{i64, i64}, {u8, i64}, {boolean, i64}}};
  for (int dim : {0, 1, -1}) {
    for (bool keep : {false, true}) {
      row.cases.push_back({.what = "dim " + std::to_string(dim) + (keep ? " kept" : ""),
                           .inputs = {{.low = 0, .high = 3, .whole = true}},
                           .call = [=](const Tensors& in) { return f(in[0], dim, keep); },
                           .reference = [=](const Arrays& in) { return reduce(in[0], {dim}, keep, reference); },
                           .shapes = {{{2, 3, 4}}, {{1, 1, 1}}},
                           .empty = {dim == 0 ? Shapes{{2, 0, 3}} : Shapes{{0, 2, 3}}},
                           .large = {keep ? std::vector<Shapes>{} : std::vector<Shapes>{{{90, 11, 40}}}}});
    }
  }
  row.faults = {{"a dimension that is not there", Raises::index,
                 [f] {
                   f(zeros({2, 3}), 2, false);
                 }},
                {"no element", Raises::shape, [f] {
                   f(zeros({2, 0}), 1, false);
                 }}};
  return row;
}

// The methods: of the flattened tensor, and along a dimension.
Row choice_method(const char* op, const char* where, Tensor (*all)(const Tensor&),
                  Tensor (*f)(const Tensor&, int, bool), DimReference reference) {
  Row row{.op = op, .gradient = Gradient::none, .result = i64, .where = where};
  row.cases.push_back({.what = "all",
                       .inputs = {{.low = 0, .high = 9, .whole = true}},
                       .call = [all](const Tensors& in) { return all(in[0]); },
                       .reference = [=](const Arrays& in) { return reduce(in[0], {}, false, reference); },
                       .shapes = {{{}}, {{2, 3}}}});
  row.cases.push_back({.what = "one",
                       .inputs = {{}},
                       .call = [f](const Tensors& in) { return f(in[0], 1, true); },
                       .reference = [=](const Arrays& in) { return reduce(in[0], {1}, true, reference); },
                       .shapes = {{{2, 3}}},
                       .empty = {{{0, 3}}}});
  row.faults = {{"no element", Raises::shape, [all] { all(zeros({0})); }}};
  return row;
}

Row sum_to_row() {
  Row row{.op = "sum_to", .tolerance = 1e-6, .tolerance_f64 = 1e-12, .types = {{i64, i64}, {u8, i64}, {boolean, i64}}};
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
                         .empty = to == Shape{} ? std::vector<Shapes>{{{0, 3}}} : std::vector<Shapes>{},
                         .large = to == Shape{2} ? std::vector<Shapes>{{{20001, 2}}} : std::vector<Shapes>{}});
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
  rows.push_back(choice("argmax", tern::argmax, first_largest));
  rows.push_back(choice("argmin", tern::argmin, first_smallest));
  rows.push_back(reduction("prod", tern::prod, product_of, {{i64, i64}, {u8, i64}, {boolean, i64}}, true));
  rows.push_back(
      asked(reduction("any", tern::any, any_of, {{i64, boolean}, {u8, boolean}, {boolean, boolean}}, true), boolean));
  rows.push_back(
      asked(reduction("all", tern::all, all_of, {{i64, boolean}, {u8, boolean}, {boolean, boolean}}, true), boolean));
  rows.push_back(asked(reduction(
                           "count_nonzero", tern::count_nonzero,
                           [](const Numbers& x) {
                             return static_cast<double>(
                                 std::count_if(x.begin(), x.end(), [](double v) { return v != 0; }));
                           },
                           {{i64, i64}, {u8, i64}, {boolean, i64}}, true),
                       i64));
  rows.push_back(reduction("nansum", tern::nansum, total, {{i64, i64}, {u8, i64}, {boolean, i64}}, true));
  rows.back() = with_nan(rows.back(), tern::nansum, total);
  rows.back().first = false;
  rows.push_back(reduction("nanmean", tern::nanmean, average, {{i64, f32}, {u8, f32}, {boolean, f32}}, true));
  rows.back() = with_nan(rows.back(), tern::nanmean, average);
  rows.back().first = false;
  Row var = reduction(
      "var",
      [](const Tensor& x, const Dims& dims, bool keep) {
        return tern::var(x, dims, {.correction = 0, .keepdim = keep});
      },
      variance, kReal, true);
  Row std = reduction(
      "std",
      [](const Tensor& x, const Dims& dims, bool keep) {
        return tern::std(x, dims, {.correction = 0, .keepdim = keep});
      },
      [](const Numbers& x) { return std::sqrt(variance(x)); }, kReal, true);
  for (double correction : {1.0, 1.5}) {
    var.cases.push_back(corrected(correction, false));
    std.cases.push_back(corrected(correction, true));
  }
  rows.push_back(var);
  rows.push_back(std);
  rows.push_back(norm_row());
  rows.push_back(running(
      "cumsum", tern::cumsum, [](double so_far, double x) { return so_far + x; }, 0));
  rows.push_back(running(
      "cumprod", tern::cumprod, [](double so_far, double x) { return so_far * x; }, 1));
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
  rows.push_back(choice_method(
      "Tensor_argmax", "argmax", [](const Tensor& x) { return x.argmax(); },
      [](const Tensor& x, int dim, bool keep) { return x.argmax(dim, keep); }, first_largest));
  rows.push_back(choice_method(
      "Tensor_argmin", "argmin", [](const Tensor& x) { return x.argmin(); },
      [](const Tensor& x, int dim, bool keep) { return x.argmin(dim, keep); }, first_smallest));
  rows.push_back(method(
      "Tensor_prod", "prod", [](const Tensor& x) { return x.prod(); },
      [](const Tensor& x, int dim, bool keep) { return x.prod(dim, keep); }, product_of, true));
  rows.push_back(asked(method(
                           "Tensor_any", "any", [](const Tensor& x) { return x.any(); },
                           [](const Tensor& x, int dim, bool keep) { return x.any(dim, keep); }, any_of, true),
                       boolean));
  rows.push_back(asked(method(
                           "Tensor_all", "all", [](const Tensor& x) { return x.all(); },
                           [](const Tensor& x, int dim, bool keep) { return x.all(dim, keep); }, all_of, true),
                       boolean));
  const auto sample = [](const Numbers& x) {
    return variance(x) * static_cast<double>(x.size()) / static_cast<double>(x.size() - 1);
  };
  const auto deviation = [](const Numbers& x) {
    return std::sqrt(variance(x) * static_cast<double>(x.size()) / static_cast<double>(x.size() - 1));
  };
  rows.push_back(method(
      "Tensor_var", "var", [](const Tensor& x) { return x.var(); },
      [](const Tensor& x, int dim, bool keep) { return x.var(dim, keep); }, sample, false));
  rows.push_back(method(
      "Tensor_std", "std", [](const Tensor& x) { return x.std(); },
      [](const Tensor& x, int dim, bool keep) { return x.std(dim, keep); }, deviation, false));
  for (std::size_t i = rows.size() - 2; i < rows.size(); ++i)
    rows[i].cases[0].shapes = {{{2, 3}}};  // one has no sample
  rows.push_back(method(
      "Tensor_norm", "norm", [](const Tensor& x) { return x.norm(); }, [](auto&&...) { return Tensor(); }, euclidean,
      true));
  rows.back().cases.resize(1);  // it has no dimensions
  rows.back().faults.clear();
  for (Row& row : rows) {  // a method takes what its function takes
    for (const Row& function : rows) {
      if (row.op == "Tensor_" + function.op) row.types = function.types;
    }
  }
  return rows;
}

}  // namespace conformance
