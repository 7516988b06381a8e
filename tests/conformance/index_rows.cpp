#include <algorithm>
#include <map>

#include "conformance/row.h"
#include "tern/autograd/autograd.h"
#include "tern/ops/index.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// What takes indices or masks (ops/index.h), and x[{…}].
namespace conformance {
namespace {

using tern::boolean;
using tern::ellipsis;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::new_axis;
using tern::Slice;
using tern::tensor;
using tern::u8;
using tern::zeros;

const std::vector<TypeRule> kSame{{i64, i64}, {u8, u8}, {boolean, boolean}};
const std::vector<TypeRule> kSums{{i64, i64}, {u8, u8}};

Index with(Index index, std::size_t d, std::int64_t value) {
  index[d] = value;
  return index;
}

std::int64_t whole(double x) { return static_cast<std::int64_t>(x); }

Input index_below(double size) { return {.low = 0, .high = size, .whole = true, .varies = false, .dtype = i64}; }

Row index_select_row() {
  Row row{.op = "index_select", .types = kSame};
  for (int dim : {0, 1, -1}) {
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}, index_below(3)},
                         .call = [=](const Tensors& in) { return tern::index_select(in[0], dim, in[1]); },
                         .reference =
                             [=](const Arrays& in) {
                               const std::size_t d = dim < 0 ? in[0].sizes.size() - 1 : static_cast<std::size_t>(dim);
                               return build(with(in[0].sizes, d, in[1].count()), [&](const Index& i) {
                                 return in[0].at(with(i, d, static_cast<std::int64_t>(in[1][i[d]])));
                               });
                             },
                         .shapes = {{{3, 3, 3}, {5}}, {{3, 3}, {1}}},
                         .empty = {{{3, 3}, {0}}},
                         .large = {{{3, 3, 1000}, {9}}}});
  }
  row.cases[0].empty.push_back({{3, 0}, {4}});
  const Tensor x = zeros({3, 3});
  row.faults = {{"an index too large", Raises::index, [=] { index_select(x, 0, tensor({3}, i64)); }},
                {"a negative index", Raises::index, [=] { index_select(x, 0, tensor({-1}, i64)); }},
                {"an index of a floating type", Raises::dtype, [=] { index_select(x, 0, tensor({1})); }},
                {"an index of two dimensions", Raises::shape,
                 [=] {
                   index_select(x, 0, zeros({1, 1}, i64));
                 }},
                {"a dimension that is not there", Raises::index, [=] { index_select(x, 2, tensor({1}, i64)); }}};
  return row;
}

Row index_add_row() {
  Row row{.op = "index_add", .tolerance = 4e-6, .types = kSums};  // in f32, of up to 400 terms
  for (int dim : {0, 1}) {
    const auto d = static_cast<std::size_t>(dim);
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}, index_below(3), {}},
                         .call = [=](const Tensors& in) { return tern::index_add(in[0], dim, in[1], in[2]); },
                         .reference =
                             [=](const Arrays& in) {
                               return build(in[0].sizes, [&](const Index& i) {
                                 double sum = in[0].at(i);
                                 for (std::int64_t r = 0; r < in[1].count(); ++r) {
                                   if (in[1][r] == static_cast<double>(i[d])) sum += in[2].at(with(i, d, r));
                                 }
                                 return sum;
                               });
                             },
                         .shapes = {dim == 0 ? Shapes{{3, 2}, {4}, {4, 2}} : Shapes{{2, 3, 2}, {4}, {2, 4, 2}}},
                         .empty = {dim == 0 ? Shapes{{3, 2}, {0}, {0, 2}} : Shapes{{0, 3}, {2}, {0, 2}}},
                         .large = {dim == 0 ? Shapes{{3, 40}, {1000}, {1000, 40}} : Shapes{{900, 3}, {9}, {900, 9}}}});
  }
  const Tensor x = zeros({3, 2}), index = tensor({0, 2}, i64);
  row.faults = {{"a source of another shape", Raises::shape,
                 [=] {
                   index_add(x, 0, index, zeros({3, 2}));
                 }},
                {"a source of another type", Raises::dtype,
                 [=] {
                   index_add(x, 0, index, zeros({2, 2}, tern::f64));
                 }},
                {"an index too large", Raises::index,
                 [=] {
                   index_add(x, 1, index, zeros({3, 2}));
                 }},
                {"an index of a floating type", Raises::dtype,
                 [=] {
                   index_add(x, 0, tensor({0}), zeros({1, 2}));
                 }},
                {"sums of booleans", Raises::dtype, [=] {
                   index_add(x.to(boolean), 0, index, zeros({2, 2}, boolean));
                 }}};
  return row;
}

const Input kMask{.low = 0, .high = 2, .whole = true, .varies = false, .dtype = boolean};

// Of index_copy with repeats: the last one that counts.
Row index_copy_row() {
  Row row{.op = "index_copy", .types = kSame};
  for (int dim : {0, 1}) {
    const auto d = static_cast<std::size_t>(dim);
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}, index_below(3), {}},
                         .call = [=](const Tensors& in) { return tern::index_copy(in[0], dim, in[1], in[2]); },
                         .reference =
                             [=](const Arrays& in) {
                               return build(in[0].sizes, [&](const Index& i) {
                                 double value = in[0].at(i);
                                 for (std::int64_t r = 0; r < in[1].count(); ++r) {
                                   if (whole(in[1][r]) == i[d]) value = in[2].at(with(i, d, r));
                                 }
                                 return value;
                               });
                             },
                         .shapes = {dim == 0 ? Shapes{{3, 2}, {4}, {4, 2}} : Shapes{{2, 3, 2}, {4}, {2, 4, 2}}},
                         .empty = {dim == 0 ? Shapes{{3, 2}, {0}, {0, 2}} : Shapes{{0, 3}, {2}, {0, 2}}},
                         .large = {dim == 0 ? Shapes{{3, 40}, {1000}, {1000, 40}} : Shapes{{900, 3}, {9}, {900, 9}}}});
  }
  const Tensor x = zeros({3, 2}), index = tensor({0, 2}, i64);
  row.faults = {{"a source of another shape", Raises::shape,
                 [=] {
                   index_copy(x, 0, index, zeros({3, 2}));
                 }},
                {"a source of another type", Raises::dtype,
                 [=] {
                   index_copy(x, 0, index, zeros({2, 2}, f64));
                 }},
                {"an index too large", Raises::index, [=] {
                   index_copy(x, 1, index, zeros({3, 2}));
                 }}};
  return row;
}

Row index_fill_row() {
  Row row{.op = "index_fill", .types = {{i64, i64}, {u8, u8}}};
  row.cases = {{.inputs = {{}, index_below(3)},
                .call = [](const Tensors& in) { return tern::index_fill(in[0], 1, in[1], 2); },
                .reference =
                    [](const Arrays& in) {
                      return build(in[0].sizes, [&](const Index& i) {
                        const Numbers& at = in[1].values;
                        return std::count(at.begin(), at.end(), static_cast<double>(i[1])) > 0 ? 2 : in[0].at(i);
                      });
                    },
                .shapes = {{{2, 3}, {2}}, {{2, 3, 2}, {4}}},
                .empty = {{{2, 3}, {0}}}}};
  row.faults = {
      {"an index too large", Raises::index, [] { index_fill(zeros({2}), 0, tensor({2}, i64), 1); }},
      {"a fraction in integers", Raises::dtype, [] { index_fill(zeros({2}, i64), 0, tensor({1}, i64), 0.5); }}};
  return row;
}

// Indices below the size of `dim` of each small case.
const std::vector<Shapes> kAlong0{{{3, 2}, {4, 2}}, {{3, 3}, {1, 2}}};
const std::vector<Shapes> kAlong1{{{2, 3}, {2, 4}}, {{2, 3, 2}, {1, 2, 2}}, {{3, 3}, {2, 1}}};

Row gather_row() {
  Row row{.op = "gather", .types = kSame};
  for (int dim : {0, 1}) {
    const auto d = static_cast<std::size_t>(dim);
    row.cases.push_back({.what = "dim " + std::to_string(dim),
                         .inputs = {{}, index_below(3)},
                         .call = [=](const Tensors& in) { return tern::gather(in[0], dim, in[1]); },
                         .reference =
                             [=](const Arrays& in) {
                               return build(in[1].sizes,
                                            [&](const Index& i) { return in[0].at(with(i, d, whole(in[1].at(i)))); });
                             },
                         .shapes = dim == 0 ? kAlong0 : kAlong1,
                         .empty = {dim == 0 ? Shapes{{3, 2}, {0, 2}} : Shapes{{0, 3}, {0, 4}}},
                         .large = {dim == 0 ? Shapes{{3, 300}, {70, 300}} : Shapes{{300, 3}, {300, 70}}}});
  }
  const Tensor x = zeros({2, 3});
  row.faults = {{"an index too large", Raises::index,
                 [=] {
                   gather(x, 0, tensor({{0}, {2}}, i64));
                 }},
                {"a negative index", Raises::index, [=] { gather(x, 1, tensor({{-1}}, i64)); }},
                {"an index of another number of dimensions", Raises::shape, [=] { gather(x, 1, tensor({0}, i64)); }},
                {"an index that is longer", Raises::shape,
                 [=] {
                   gather(x, 1, zeros({3, 1}, i64));
                 }},
                {"an index of a floating type", Raises::dtype,
                 [=] {
                   gather(x, 1, zeros({2, 1}));
                 }},
                {"a dimension that is not there", Raises::index, [=] {
                   gather(x, 2, zeros({2, 1}, i64));
                 }}};
  return row;
}

Row take_along_dim_row() {
  Row row{.op = "take_along_dim", .types = kSame};
  row.cases = {{.inputs = {{}, index_below(3)},
                .call = [](const Tensors& in) { return tern::take_along_dim(in[0], in[1], 1); },
                .reference =
                    [](const Arrays& in) {
                      Index sizes = broadcast(with(in[0].sizes, 1, 1), with(in[1].sizes, 1, 1));
                      return build(with(sizes, 1, in[1].sizes[1]),
                                   [&](const Index& i) { return in[0].at(with(i, 1, whole(in[1].at(i)))); });
                    },
                .shapes = {{{2, 3}, {2, 2}}, {{1, 3}, {2, 2}}, {{2, 3, 2}, {1, 1, 2}}},
                .empty = {{{2, 3}, {2, 0}}}}};
  row.faults = {{"an index too large", Raises::index,
                 [] {
                   take_along_dim(zeros({1, 2}), tensor({{2}}, i64), 1);
                 }},
                {"sizes that do not broadcast", Raises::shape,
                 [] {
                   take_along_dim(zeros({2, 2}), zeros({3, 1}, i64), 1);
                 }},
                {"other dimensions", Raises::shape, [] {
                   take_along_dim(zeros({2}), zeros({1, 1}, i64), 0);
                 }}};
  return row;
}

// scatter (the last counts) and scatter_add; sources may be larger than the index.
Row scatter_row(const char* op, Tensor (*f)(const Tensor&, int, const Tensor&, const Tensor&), bool sum) {
  Row row{.op = op, .tolerance = sum ? 4e-6 : 4e-7, .types = sum ? kSums : kSame};
  for (int dim : {0, 1}) {
    const auto d = static_cast<std::size_t>(dim);
    std::vector<Shapes> shapes;
    for (const Shapes& s : dim == 0 ? kAlong0 : kAlong1) {
      Shape source = s[1];
      shapes.push_back({s[0], s[1], source});
      ++source[1];
      shapes.push_back({s[0], s[1], source});
    }
    row.cases.push_back(
        {.what = "dim " + std::to_string(dim),
         .inputs = {{}, index_below(3), {}},
         .call = [=](const Tensors& in) { return f(in[0], dim, in[1], in[2]); },
         .reference =
             [=](const Arrays& in) {
               std::map<Index, double> at;
               build(in[0].sizes, [&](const Index& i) { return at[i] = in[0].at(i); });
               build(in[1].sizes, [&](const Index& i) {
                 double& value = at[with(i, d, whole(in[1].at(i)))];
                 std::int64_t offset = 0;  // the source may be larger than the index
                 for (std::size_t k = 0; k < i.size(); ++k) offset = offset * in[2].sizes[k] + i[k];
                 return value = in[2][offset] + (sum ? value : 0);
               });
               return build(in[0].sizes, [&](const Index& i) { return at[i]; });
             },
         .shapes = shapes,
         .empty = {dim == 0 ? Shapes{{3, 2}, {0, 2}, {0, 2}} : Shapes{{0, 3}, {0, 4}, {0, 4}}},
         .large = {dim == 0 ? Shapes{{3, 900}, {20, 900}, {20, 900}} : Shapes{{900, 3}, {900, 20}, {900, 20}}}});
  }
  const Tensor x = zeros({2, 3}), index = zeros({2, 2}, i64);
  row.faults = {{"an index too large", Raises::index,
                 [=] {
                   f(x, 0, index + 2, zeros({2, 2}));
                 }},
                {"an index that is longer", Raises::shape,
                 [=] {
                   f(x, 1, zeros({3, 1}, i64), zeros({3, 1}));
                 }},
                {"a source that is shorter", Raises::shape,
                 [=] {
                   f(x, 1, index, zeros({2, 1}));
                 }},
                {"a source of another number of dimensions", Raises::shape, [=] { f(x, 1, index, zeros({4})); }},
                {"a source of another type", Raises::dtype, [=] {
                   f(x, 1, index, zeros({2, 2}, f64));
                 }}};
  return row;
}

Row scatter_value_row() {
  Row row{.op = "scatter", .types = {{i64, i64}, {u8, u8}}};
  row.cases = {{.inputs = {{}, index_below(3)},
                .call = [](const Tensors& in) { return tern::scatter(in[0], 1, in[1], 2); },
                .reference =
                    [](const Arrays& in) {
                      Array out = in[0];
                      build(in[1].sizes, [&](const Index& i) {
                        return out.values[static_cast<std::size_t>(i[0] * 3 + whole(in[1].at(i)))] = 2;
                      });
                      return out;
                    },
                .shapes = {{{2, 3}, {2, 2}}, {{2, 3}, {1, 4}}},
                .empty = {{{2, 3}, {2, 0}}}}};
  row.faults = {{"a fraction in integers", Raises::dtype, [] { scatter(zeros({2}, i64), 0, tensor({1}, i64), 0.5); }}};
  return row;
}

Row masked_fill_row() {
  Row row{.op = "masked_fill", .types = {{i64, i64}, {u8, u8}}};
  const auto filled = [](const Arrays& in) {
    return zip(in[0], in[1], [](double x, double mask) { return mask != 0 ? 2 : x; });
  };
  row.cases = {{.what = "number",
                .inputs = {{}, kMask},
                .call = [](const Tensors& in) { return tern::masked_fill(in[0], in[1], 2); },
                .reference = filled,
                .shapes = {{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{2, 3}, {2, 1}}, {{}, {}}},
                .empty = {{{0, 3}, {3}}},
                .large = {{{300, 60}, {60}}}},
               {.what = "tensor",
                .inputs = {{}, kMask, {}},
                .call = [](const Tensors& in) { return tern::masked_fill(in[0], in[1], in[2]); },
                .reference =
                    [](const Arrays& in) {
                      const double value = in[2][0];
                      return zip(in[0], in[1], [=](double x, double mask) { return mask != 0 ? value : x; });
                    },
                .shapes = {{{2, 3}, {3}, {}}}}};
  const Tensor mask = zeros({2}, boolean);
  row.faults = {{"a mask that is larger", Raises::shape, [=] { masked_fill(zeros({1}), mask, 1); }},
                {"a mask of numbers", Raises::dtype, [] { masked_fill(zeros({2}), zeros({2}), 1); }},
                {"a fraction in integers", Raises::dtype, [=] { masked_fill(zeros({2}, i64), mask, 0.5); }},
                {"a value with dimensions", Raises::shape, [=] { masked_fill(zeros({2}), mask, zeros({2})); }},
                {"a value of another type", Raises::dtype, [=] { masked_fill(zeros({2}), mask, zeros({}, f64)); }}};
  return row;
}

Row masked_select_row() {
  Row row{.op = "masked_select", .types = kSame};
  row.cases = {{.inputs = {{}, kMask},
                .call = [](const Tensors& in) { return tern::masked_select(in[0], in[1]); },
                .reference =
                    [](const Arrays& in) {
                      Array out;
                      const Array mask = zip(in[0], in[1], [](double, double m) { return m; });
                      const Array x = zip(in[0], in[1], [](double a, double) { return a; });
                      for (std::int64_t i = 0; i < mask.count(); ++i) {
                        if (mask[i] != 0) out.values.push_back(x[i]);
                      }
                      out.sizes = {out.count()};
                      return out;
                    },
                .shapes = {{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{3}, {4, 3}}},
                .empty = {{{0, 3}, {3}}, {{2, 0}, {2, 1}}},
                .large = {{{300, 200}, {300, 200}}}}};
  row.faults = {{"a mask of numbers", Raises::dtype, [] { masked_select(zeros({2}), zeros({2})); }},
                {"sizes that do not broadcast", Raises::shape, [] { masked_select(zeros({2}), zeros({3}, boolean)); }}};
  return row;
}

Row masked_scatter_row() {
  Row row{.op = "masked_scatter", .types = kSame};
  row.cases = {{.inputs = {{}, kMask, {}},
                .call = [](const Tensors& in) { return tern::masked_scatter(in[0], in[1], in[2]); },
                .reference =
                    [](const Arrays& in) {
                      std::int64_t next = 0;
                      return zip(in[0], in[1], [&](double x, double mask) { return mask != 0 ? in[2][next++] : x; });
                    },
                .shapes = {{{2, 3}, {2, 3}, {7}}, {{2, 3}, {3}, {2, 3}}},
                .empty = {{{0, 3}, {3}, {0}}}}};
  row.faults = {{"a source that is too short", Raises::shape,
                 [] { masked_scatter(zeros({3}), tern::ones({3}, boolean), zeros({2})); }},
                {"a source of another type", Raises::dtype,
                 [] { masked_scatter(zeros({3}), tern::ones({3}, boolean), zeros({3}, f64)); }},
                {"a mask of numbers", Raises::dtype, [] { masked_scatter(zeros({2}), zeros({2}), zeros({2})); }}};
  return row;
}

Row nonzero_row() {
  Row row{.op = "nonzero", .gradient = Gradient::none, .result = i64};
  row.types = {{i64, i64}, {u8, i64}, {boolean, i64}};
  row.cases = {{.inputs = {{.low = 0, .high = 3, .whole = true}},
                .call = [](const Tensors& in) { return tern::nonzero(in[0]); },
                .reference =
                    [](const Arrays& in) {
                      Array out;
                      build(in[0].sizes, [&](const Index& i) {
                        if (in[0].at(i) != 0) out.values.insert(out.values.end(), i.begin(), i.end());
                        return 0;
                      });
                      const auto dims = static_cast<std::int64_t>(in[0].sizes.size());
                      const auto& v = in[0].values;
                      const auto set = static_cast<std::int64_t>(v.size()) - std::count(v.begin(), v.end(), 0.0);
                      out.sizes = {set, dims};
                      return out;
                    },
                .shapes = {{{4}}, {{2, 3}}, {{2, 2, 3}}},
                .empty = {{{0, 3}}, {{}}},
                .large = {{{300, 200}}}}};
  return row;
}

Row where_row() {
  Row row{.op = "where", .gradient = Gradient::none, .result = i64};
  row.cases = {{.inputs = {kMask},
                .call = [](const Tensors& in) { return tern::stack(tern::where(in[0]), 1); },
                .reference = nonzero_row().cases[0].reference,
                .shapes = {{{4}}, {{2, 3}}},
                .empty = {{{0, 3}}}}};
  return row;
}

Row one_hot_row() {
  Row row{.op = "one_hot", .gradient = Gradient::none, .result = i64};
  const auto hot = [](const Array& x, std::int64_t classes) {
    Index sizes = x.sizes;
    sizes.push_back(classes);
    return build(sizes, [&](const Index& i) {
      return x.at(Index(i.begin(), i.end() - 1)) == static_cast<double>(i.back()) ? 1.0 : 0.0;
    });
  };
  row.cases = {{.what = "of 4",
                .inputs = {index_below(3)},
                .call = [](const Tensors& in) { return tern::one_hot(in[0], 4); },
                .reference = [=](const Arrays& in) { return hot(in[0], 4); },
                .shapes = {{{3}}, {{2, 2}}, {{}}},
                .empty = {{{0}}}},
               {.what = "as many as there are",
                .inputs = {index_below(3)},
                .call = [](const Tensors& in) { return tern::one_hot(in[0]); },
                .reference =
                    [=](const Arrays& in) {
                      return hot(in[0], whole(*std::max_element(in[0].values.begin(), in[0].values.end())) + 1);
                    },
                .shapes = {{{3}}}}};
  row.faults = {{"a class too large", Raises::index, [] { tern::one_hot(tensor({3}, i64), 3); }},
                {"a negative class", Raises::index, [] { tern::one_hot(tensor({-1}, i64)); }},
                {"classes of a floating type", Raises::dtype, [] { tern::one_hot(tensor({1})); }},
                {"a negative number of classes", Raises::value, [] { tern::one_hot(tensor({1}, i64), -2); }}};
  return row;
}

Row bincount_row(bool weighted) {
  Row row{.op = "bincount"};
  const auto counted = [=](const Arrays& in, std::int64_t least) {
    for (double x : in[0].values) least = std::max(least, whole(x) + 1);
    Array out{{least}, Numbers(static_cast<std::size_t>(least), 0)};
    for (std::int64_t i = 0; i < in[0].count(); ++i) {
      out.values[static_cast<std::size_t>(whole(in[0][i]))] += weighted ? in[1][i] : 1;
    }
    return out;
  };
  const Tensor x = tensor({0, 2}, i64);
  if (weighted) {
    row.types = kSums;
    row.cases = {{.inputs = {index_below(3), {}},
                  .call = [](const Tensors& in) { return tern::bincount(in[0], in[1], 4); },
                  .reference = [=](const Arrays& in) { return counted(in, 4); },
                  .shapes = {{{5}, {5}}},
                  .empty = {{{0}, {0}}}}};
    row.faults = {{"weights of another shape", Raises::shape, [=] { tern::bincount(x, zeros({3})); }}};
  } else {
    row.gradient = Gradient::none;
    row.result = i64;
    row.cases = {{.inputs = {index_below(3)},
                  .call = [](const Tensors& in) { return tern::bincount(in[0]); },
                  .reference = [=](const Arrays& in) { return counted(in, 0); },
                  .shapes = {{{5}}},
                  .empty = {{{0}}},
                  .large = {{{50000}}}}};
    row.faults = {{"a negative number", Raises::index,
                   [] {
                     tern::bincount(tensor({1, -1}, i64));
                   }},
                  {"a matrix", Raises::shape,
                   [] {
                     tern::bincount(zeros({1, 1}, i64));
                   }},
                  {"a floating type", Raises::dtype, [] { tern::bincount(zeros({1})); }},
                  {"a negative length", Raises::value, [=] { tern::bincount(x, -1); }}};
  }
  return row;
}

Row searchsorted_row() {
  Row row{.op = "searchsorted", .gradient = Gradient::none, .result = i64};
  row.types = {{i64, i64}, {u8, i64}};
  for (bool right : {false, true}) {
    for (bool rows : {false, true}) {
      row.cases.push_back(
          {.what = std::string(right ? "right" : "left") + (rows ? ", rows" : ""),
           .inputs = {{.low = 0, .high = 3, .whole = true}, {.low = -1, .high = 4, .whole = true}},
           .call =
               [=](const Tensors& in) {
                 // Sorted here, by the reference's own means.
                 Tensor wide = in[0].detach().clone().to(f64);
                 auto all = wide.mutable_span<double>();
                 const std::int64_t n = wide.size(-1);
                 for (std::int64_t at = 0; at < wide.numel(); at += n) {
                   std::sort(all.begin() + at, all.begin() + at + n);
                 }
                 return tern::searchsorted(wide.to(in[0].dtype()), in[1], right);
               },
           .reference =
               [=](const Arrays& in) {
                 const std::int64_t n = in[0].sizes.back();
                 return build(in[1].sizes, [&](const Index& i) {
                   double below = 0;
                   for (std::int64_t k = 0; k < n; ++k) {
                     const double x = rows ? in[0].at(with(i, i.size() - 1, k)) : in[0][k];
                     below += x < in[1].at(i) || (right && x == in[1].at(i)) ? 1 : 0;
                   }
                   return below;
                 });
               },
           .shapes = rows ? std::vector<Shapes>{{{2, 4}, {2, 3}}} : std::vector<Shapes>{{{5}, {2, 3}}, {{4}, {}}},
           .empty = {rows ? Shapes{{2, 4}, {2, 0}} : Shapes{{5}, {0}}},
           .large = {rows ? Shapes{{3, 50}, {3, 2000}} : Shapes{{50}, {3000}}}});
    }
  }
  row.faults = {{"other rows", Raises::shape,
                 [] {
                   tern::searchsorted(zeros({2, 3}), zeros({3, 1}));
                 }},
                {"no dimension", Raises::shape, [] { tern::searchsorted(zeros({}), zeros({1})); }},
                {"another type", Raises::dtype, [] { tern::searchsorted(zeros({2}), zeros({2}, f64)); }}};
  return row;
}

// x[{…}] beside the elements that it names, in the words of the reference.
struct Subscript {
  const char* what;
  std::function<Tensor(const Tensor&)> call;
  Index shape;                              // of the result, of x [3, 4, 5]
  std::function<Index(const Index&)> from;  // x's index of a result's
};

std::vector<Subscript> subscripts() {
  const Tensor rows = tensor({2, -3, 2}, i64), columns = tensor({1, -1, 0}, i64), grid = tensor({{0}, {-1}}, i64);
  const Tensor mask = tensor({true, false, true}, boolean);
  const Tensor pairs = tern::tensor({{0, 1, 0, 0}, {0, 0, 0, 0}, {1, 0, 0, 1}}, boolean);  // (0,1) (2,0) (2,3)
  const std::int64_t r[] = {2, 0, 2}, c[] = {1, 4, 0}, c4[] = {1, 3, 0}, kept[] = {0, 2}, g[] = {0, 2};
  const std::int64_t p[] = {0, 2, 2}, q[] = {1, 0, 3};
  const auto at = [](const auto& list, std::int64_t i) { return list[i]; };
  return {
      {"a number",
       [](const Tensor& x) { return x[{tern::Index(1)}]; },
       {4, 5},
       [](const Index& i) {
         return Index{1, i[0], i[1]};
       }},
      {"numbers",
       [](const Tensor& x) {
         return x[{1, -1, 2}];
       },
       {},
       [](const Index&) {
         return Index{1, 3, 2};
       }},
      {"slices",
       [](const Tensor& x) {
         return x[{Slice{0, -1}, Slice{.step = 3}}];
       },
       {2, 2, 5},
       [](const Index& i) {
         return Index{i[0], 3 * i[1], i[2]};
       }},
      {"an ellipsis",
       [](const Tensor& x) {
         return x[{ellipsis, Slice{1, 3}, -1}];
       },
       {3, 2},
       [](const Index& i) {
         return Index{i[0], i[1] + 1, 4};
       }},
      {"an ellipsis that stands for nothing",
       [](const Tensor& x) {
         return x[{0, 1, ellipsis, Slice{2}}];
       },
       {3},
       [](const Index& i) {
         return Index{0, 1, i[0] + 2};
       }},
      {"new axes",
       [](const Tensor& x) {
         return x[{new_axis, 1, new_axis, ellipsis, new_axis}];
       },
       {1, 1, 4, 5, 1},
       [](const Index& i) {
         return Index{1, i[2], i[3]};
       }},
      {"one index of any kind",
       [](const Tensor& x) { return x[Slice{1}]; },
       {2, 4, 5},
       [](const Index& i) {
         return Index{i[0] + 1, i[1], i[2]};
       }},
      {"an index tensor",
       [=](const Tensor& x) { return x[rows]; },
       {3, 4, 5},
       [=](const Index& i) {
         return Index{at(r, i[0]), i[1], i[2]};
       }},
      {"an index tensor in the middle",
       [=](const Tensor& x) {
         return x[{1, columns.slice(0, 0, 3), Slice{.step = 2}}];
       },
       {3, 3},
       [=](const Index& i) {
         return Index{1, at(c4, i[0]), 2 * i[1]};
       }},
      {"neighbouring index tensors, broadcast",
       [=](const Tensor& x) {
         return x[{Slice{}, grid, columns}];
       },
       {3, 2, 3},
       [=](const Index& i) {
         return Index{i[0], i[1] == 0 ? 0 : 3, at(c, i[2])};
       }},
      {"index tensors apart",
       [=](const Tensor& x) {
         return x[{rows, Slice{1, 3}, columns}];
       },
       {3, 2},
       [=](const Index& i) {
         return Index{at(r, i[0]), i[1] + 1, at(c, i[0])};
       }},
      {"index tensors of two dimensions",
       [=](const Tensor& x) {
         return x[{grid, Slice{}, 1}];
       },
       {2, 1, 4},
       [=](const Index& i) {
         return Index{at(g, i[0]), i[2], 1};
       }},
      {"a mask",
       [=](const Tensor& x) { return x[mask]; },
       {2, 4, 5},
       [=](const Index& i) {
         return Index{at(kept, i[0]), i[1], i[2]};
       }},
      {"a mask of two dimensions, and a slice",
       [=](const Tensor& x) {
         return x[{pairs, Slice{.step = 4}}];
       },
       {3, 2},
       [=](const Index& i) {
         return Index{at(p, i[0]), at(q, i[0]), 4 * i[1]};
       }},
  };
}

Row subscript_row() {
  Row row{.op = "Tensor_operator_subscript", .types = kSame, .where = "index"};
  for (const Subscript& s : subscripts()) {
    row.cases.push_back(
        {.what = s.what,
         .inputs = {{}},
         .call = [s](const Tensors& in) { return s.call(in[0]); },
         .reference =
             [s](const Arrays& in) { return build(s.shape, [&](const Index& i) { return in[0].at(s.from(i)); }); },
         .shapes = {{{3, 4, 5}}}});
  }
  row.cases.push_back({.what = "of no elements",
                       .inputs = {{}},
                       .call =
                           [](const Tensors& in) {
                             return in[0][{Slice{}, tensor({1}, i64)}];
                           },
                       .reference =
                           [](const Arrays&) {
                             return Array{{0, 1, 2}, {}};
                           },
                       .empty = {{{0, 3, 2}}}});
  const Tensor x = zeros({2, 3});
  row.faults = {{"more indices than dimensions", Raises::index,
                 [=] {
                   x[{0, 0, 0}];
                 }},
                {"two ellipses", Raises::shape,
                 [=] {
                   x[{ellipsis, ellipsis}];
                 }},
                {"an index too large", Raises::index,
                 [=] {
                   x[tensor({0, 2}, i64)];
                 }},
                {"an index too small", Raises::index, [=] { x[tensor({-3}, i64)]; }},
                {"an index of a floating type", Raises::dtype, [=] { x[tensor({0})]; }},
                {"index tensors that do not broadcast", Raises::shape,
                 [=] {
                   x[{tensor({0, 1}, i64), tensor({0, 1, 2}, i64)}];
                 }},
                {"a mask of another size", Raises::shape, [=] { x[zeros({3}, boolean)]; }},
                {"a mask of no dimensions", Raises::shape, [=] { x[zeros({}, boolean)]; }}};
  return row;
}

// x with the elements that a subscript names replaced, or added to, in order.
Array put(const Array& x, const Index& shape, const std::function<Index(const Index&)>& from, const Array& values,
          bool accumulate) {
  Array out = x;
  build(shape, [&](const Index& i) {
    const Index at = from(i);
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < at.size(); ++d) offset = offset * x.sizes[d] + at[d];
    double& value = out.values[static_cast<std::size_t>(offset)];
    return value = values.at(i) + (accumulate ? value : 0);
  });
  return out;
}

using PutCall = std::function<Tensor(const Tensor& x, const Tensor& values, bool accumulate)>;

struct PutForm {
  PutCall functional, in_place;
  Index shape;
  std::function<Index(const Index&)> from;
};

template <class F>
PutForm put_form(F indices, Index shape, std::function<Index(const Index&)> from) {
  return {[=](const Tensor& x, const Tensor& values, bool accumulate) {
            return indices(
                [&](std::initializer_list<tern::Index> list) { return tern::index_put(x, list, values, accumulate); });
          },
          [=](const Tensor& x, const Tensor& values, bool accumulate) {
            return indices([&](std::initializer_list<tern::Index> list) {
              Tensor target = x;
              return target.index_put_(list, values, accumulate);
            });
          },
          std::move(shape), std::move(from)};
}

// Of x [3, 4].
std::vector<PutForm> put_forms() {
  const Tensor rows = tensor({2, -3, 2}, i64), columns = tensor({1, -1, 1}, i64);
  const Tensor mask = tensor({true, false, true}, boolean);
  const auto row = [](std::int64_t i) { return i == 1 ? std::int64_t{0} : std::int64_t{2}; };
  const auto column = [](std::int64_t i) { return i == 1 ? std::int64_t{3} : std::int64_t{1}; };
  return {put_form(
              [](auto f) {
                return f({1, Slice{.step = 2}});
              },
              {2},
              [](const Index& i) {
                return Index{1, 2 * i[0]};
              }),
          put_form([=](auto f) { return f({rows}); }, {3, 4},
                   [=](const Index& i) {
                     return Index{row(i[0]), i[1]};
                   }),
          put_form(
              [=](auto f) {
                return f({rows, columns});
              },
              {3},
              [=](const Index& i) {
                return Index{row(i[0]), column(i[0])};
              }),
          put_form(
              [=](auto f) {
                return f({Slice{1}, columns});
              },
              {2, 3},
              [=](const Index& i) {
                return Index{i[0] + 1, column(i[1])};
              }),
          put_form(
              [=](auto f) {
                return f({ellipsis, columns});
              },
              {3, 3},
              [=](const Index& i) {
                return Index{i[0], column(i[1])};
              }),
          put_form(
              [=](auto f) {
                return f({rows, new_axis, columns});
              },
              {3, 1},
              [=](const Index& i) {
                return Index{row(i[0]), column(i[0])};
              }),
          put_form([=](auto f) { return f({mask}); }, {2, 4},
                   [=](const Index& i) {
                     return Index{2 * i[0], i[1]};
                   })};
}

Row index_put_row(bool in_place) {
  Row row{.op = in_place ? "Tensor_index_put_" : "index_put",
          .gradient = in_place ? Gradient::in_place : Gradient::smooth,
          .types = kSums,
          .where = in_place ? "index_put_" : ""};
  for (const PutForm& form : put_forms()) {
    for (bool accumulate : {false, true}) {
      Shape one = Shape(form.shape);
      one[0] = 1;
      row.cases.push_back(
          {.what = accumulate ? "added" : "replaced",
           .inputs = {{}, {.varies = !in_place}},
           .call =
               [=](const Tensors& in) {
                 return (in_place ? form.in_place : form.functional)(in[0], in[1], accumulate);
               },
           .reference = [=](const Arrays& in) { return put(in[0], form.shape, form.from, in[1], accumulate); },
           .shapes = {{{3, 4}, Shape(form.shape)}, {{3, 4}, one}, {{3, 4}, {}}}});
    }
  }
  row.cases.push_back({.what = "nothing",
                       .inputs = {{}, {.varies = !in_place}},
                       .call =
                           [=](const Tensors& in) {
                             const Tensor none = zeros({0}, i64);
                             if (!in_place) return tern::index_put(in[0], {none}, in[1]);
                             Tensor target = in[0];
                             return target.index_put_({none}, in[1]);
                           },
                       .reference = [](const Arrays& in) { return in[0]; },
                       .empty = {{{3, 4}, {0, 4}}}});
  const auto f = [=](Tensor x, const tern::Index& index, const Tensor& values) {
    in_place ? x.index_put_({index}, values) : tern::index_put(x, {index}, values);
  };
  const Tensor x = zeros({2, 3}), index = tensor({0, 1}, i64);
  row.faults = {{"values that do not broadcast", Raises::shape, [=] { f(x, index, zeros({2})); }},
                {"values of another type", Raises::dtype, [=] { f(x, index, zeros({3}, f64)); }},
                {"an index too large", Raises::index, [=] { f(x, index + 1, zeros({3})); }},
                {"more indices than dimensions", Raises::index, [=] {
                   f(zeros({2}), zeros({2, 2}, boolean), zeros({1}));
                 }}};
  if (in_place) {
    row.faults.push_back({"a tensor that needs a gradient", Raises::state, [=] {
                            f(zeros({2, 3}).requires_grad_(), index, zeros({3}));
                          }});
  }
  return row;
}

Row masked_fill_in_place_row() {
  Row row{.op = "Tensor_masked_fill_",
          .gradient = Gradient::in_place,
          .cases = masked_fill_row().cases,
          .types = {{i64, i64}, {u8, u8}},
          .faults = masked_fill_row().faults,
          .where = "masked_fill_"};
  row.cases.resize(1);
  row.cases[0].call = [](const Tensors& in) {
    Tensor x = in[0];
    return x.masked_fill_(in[1], 2);
  };
  const Tensor mask = zeros({2}, boolean);
  row.faults = {{"a mask that is larger", Raises::shape, [=] { zeros({1}).masked_fill_(mask, 1); }},
                {"a mask of numbers", Raises::dtype, [] { zeros({2}).masked_fill_(zeros({2}), 1); }},
                {"a fraction in integers", Raises::dtype, [=] { zeros({2}, i64).masked_fill_(mask, 0.5); }},
                {"an expanded view", Raises::value, [=] { zeros({1}).expand({2}).masked_fill_(mask, 1); }}};
  return row;
}

}  // namespace

Rows index_rows() {
  return {index_select_row(),
          index_add_row(),
          index_copy_row(),
          index_fill_row(),
          gather_row(),
          take_along_dim_row(),
          scatter_row(
              "scatter",
              [](const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
                return tern::scatter(x, dim, index, source);
              },
              false),
          scatter_value_row(),
          scatter_row("scatter_add", tern::scatter_add, true),
          masked_fill_row(),
          masked_select_row(),
          masked_scatter_row(),
          nonzero_row(),
          where_row(),
          one_hot_row(),
          bincount_row(false),
          bincount_row(true),
          searchsorted_row(),
          subscript_row(),
          index_put_row(false),
          index_put_row(true),
          masked_fill_in_place_row()};
}

}  // namespace conformance
