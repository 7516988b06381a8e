#include <algorithm>

#include "conformance/index_inputs.h"
#include "tern/autograd/autograd.h"
#include "tern/ops/index.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// What takes indices of rows, or masks (ops/index.h).
namespace conformance {
namespace {

using tern::boolean;
using tern::f32;
using tern::f64;
using tern::i64;
using tern::tensor;
using tern::u8;
using tern::zeros;

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
  Row row{.op = "index_add", .types = kSums};
  // Sums of many terms: of whole ones, which are exact in any order, and of others.
  const Input whole{.low = -8, .high = 8, .whole = true};
  for (int dim : {0, 1}) {
    const auto d = static_cast<std::size_t>(dim);
    const Case small{.what = "dim " + std::to_string(dim),
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
                     .empty = {dim == 0 ? Shapes{{3, 2}, {0}, {0, 2}} : Shapes{{0, 3}, {2}, {0, 2}}}};
    Case large = small;
    large.what += ", many terms";
    large.shapes.clear();
    large.empty.clear();
    large.large = {dim == 0 ? Shapes{{3, 40}, {1000}, {1000, 40}} : Shapes{{900, 3}, {9}, {900, 9}}};
    large.terms = dim == 0 ? 400 : 9;
    Case exact = large;
    exact.what += ", whole numbers";
    exact.inputs = {whole, index_below(3), whole};
    exact.terms = 1;
    row.cases.insert(row.cases.end(), {small, large, exact});
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
                .empty = {{{2, 3}, {0}}},
                .large = {{{300, 3, 41}, {2}}}}};
  row.faults = {
      {"an index too large", Raises::index, [] { index_fill(zeros({2}), 0, tensor({2}, i64), 1); }},
      {"a fraction in integers", Raises::dtype, [] { index_fill(zeros({2}, i64), 0, tensor({1}, i64), 0.5); }}};
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
                .large = {{{513, 65}, {65}}}},
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
                .empty = {{{0, 3}, {3}, {0}}},
                .large = {{{513, 65}, {65}, {40000}}}}};
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
                .empty = {{{0}}},
                .large = {{{9001}}}},
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
  row.first = false;
  row.types = {{i64, i64}, {u8, i64}, {boolean, i64}};
  for (bool right : {false, true}) {
    for (bool rows : {false, true}) {
      row.cases.push_back(
          {.what = std::string(right ? "right" : "left") + (rows ? ", rows" : ""),
           .inputs = {{.low = 0, .high = 3, .whole = true}, {.low = -1, .high = 4, .whole = true}},
           .call =
               [=](const Tensors& in) {
                 // Sorted here, by the reference's own means.
                 Tensor wide = in[0].detach().clone().to(f64).to(tern::cpu());
                 auto all = wide.mutable_span<double>();
                 const std::int64_t n = wide.size(-1);
                 for (std::int64_t at = 0; at < wide.numel(); at += n) {
                   std::sort(all.begin() + at, all.begin() + at + n);
                 }
                 return tern::searchsorted(wide.to(in[0].dtype()).to(in[0].device()), in[1], right);
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
  return {index_select_row(),   index_add_row(),
          index_copy_row(),     index_fill_row(),
          masked_fill_row(),    masked_select_row(),
          masked_scatter_row(), nonzero_row(),
          where_row(),          one_hot_row(),
          bincount_row(false),  bincount_row(true),
          searchsorted_row(),   masked_fill_in_place_row()};
}

}  // namespace conformance
