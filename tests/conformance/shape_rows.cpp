#include "conformance/row.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::i64;
using tern::tensor;
using tern::u8;
using tern::zeros;

const std::vector<TypeRule> kSame{{i64, i64}, {u8, u8}, {boolean, boolean}};

Index with(Index index, std::size_t d, std::int64_t value) {
  index[d] = value;
  return index;
}

Array reshaped(const Array& x, const Index& sizes) { return {sizes, x.values}; }

Row reshape_row() {
  Row row{.op = "reshape", .types = kSame};
  row.cases = {{.what = "to [2, 6]",
                .inputs = {{}},
                .call =
                    [](const Tensors& in) {
                      return reshape(in[0], {2, 6});
                    },
                .reference =
                    [](const Arrays& in) {
                      return reshaped(in[0], {2, 6});
                    },
                .shapes = {{{3, 4}}, {{12}}, {{2, 3, 2}}, {{2, 6}}}},
               {.what = "with -1",
                .inputs = {{}},
                .call =
                    [](const Tensors& in) {
                      return reshape(in[0], {-1, 2});
                    },
                .reference =
                    [](const Arrays& in) {
                      return reshaped(in[0], {in[0].count() / 2, 2});
                    },
                .shapes = {{{3, 4}}, {{2}}},
                .empty = {{{0, 3}}, {{2, 0}}}}};
  row.faults = {{"another number of elements", Raises::shape, [] { reshape(zeros({3}), {2}); }},
                {"two open sizes", Raises::shape,
                 [] {
                   reshape(zeros({4}), {-1, -1});
                 }},
                {"an open size without a solution", Raises::shape,
                 [] {
                   reshape(zeros({0}), {-1, 0});
                 }},
                {"an open size that does not divide", Raises::shape,
                 [] {
                   reshape(zeros({5}), {-1, 2});
                 }},
                {"a huge size", Raises::shape,
                 [] {
                   reshape(zeros({4}), {-1, INT64_MAX, INT64_MAX});
                 }},
                {"a negative size", Raises::shape, [] {
                   reshape(zeros({4}), {-2, -2});
                 }}};
  return row;
}

Row flatten_row() {
  Row row{.op = "flatten", .types = kSame};
  row.cases = {{.inputs = {{}},
                .call = [](const Tensors& in) { return tern::flatten(in[0]); },
                .reference =
                    [](const Arrays& in) {
                      return reshaped(in[0], {in[0].sizes[0], 6});
                    },
                .shapes = {{{2, 3, 2}}, {{1, 6}}},
                .empty = {{{0, 3, 2}}}}};
  row.faults = {{"a dimension that is not there", Raises::index,
                 [] {
                   tern::flatten(zeros({2, 3}), 0, 2);
                 }},
                {"dimensions the wrong way round", Raises::shape, [] {
                   tern::flatten(zeros({2, 3}), 1, 0);
                 }}};
  return row;
}

Array beside(const Arrays& in, std::size_t dim) {
  Index sizes = in[0].sizes;
  sizes[dim] = 0;
  for (const Array& x : in) sizes[dim] += x.sizes[dim];
  return build(sizes, [&](const Index& i) {
    std::int64_t at = i[dim];
    std::size_t k = 0;
    while (at >= in[k].sizes[dim]) at -= in[k++].sizes[dim];
    return in[k].at(with(i, dim, at));
  });
}

Row cat_row() {
  Row row{.op = "cat", .types = kSame};
  row.cases = {{.what = "rows",
                .inputs = {{}, {}},
                .call =
                    [](const Tensors& in) {
                      return tern::cat({in[0], in[1]});
                    },
                .reference = [](const Arrays& in) { return beside(in, 0); },
                .shapes = {{{2, 3}, {1, 3}}, {{2}, {3}}},
                .empty = {{{0, 3}, {2, 3}}, {{0}, {0}}},
                .large = {{{300, 70}, {200, 70}}}},
               {.what = "columns, one twice",
                .inputs = {{}, {}, {}},
                .call =
                    [](const Tensors& in) {
                      return tern::cat({in[0], in[1], in[2], in[0]}, -1);
                    },
                .reference =
                    [](const Arrays& in) {
                      return beside({in[0], in[1], in[2], in[0]}, 1);
                    },
                .shapes = {{{2, 3}, {2, 1}, {2, 2}}},
                .empty = {{{2, 0}, {2, 1}, {2, 0}}}}};
  row.faults = {{"no tensor", Raises::value, [] { tern::cat({}); }},
                {"sizes that differ", Raises::shape,
                 [] {
                   tern::cat({zeros({2, 3}), zeros({2, 2})});
                 }},
                {"dimensions that differ", Raises::shape,
                 [] {
                   tern::cat({zeros({2, 3}), zeros({2})});
                 }},
                {"a dimension that is not there", Raises::index, [] { tern::cat({zeros({2})}, 1); }},
                {"no dimension", Raises::index, [] { tern::cat({zeros({})}); }}};
  return row;
}

Row stack_row() {
  Row row{.op = "stack", .types = kSame};
  row.cases = {{.what = "first",
                .inputs = {{}, {}},
                .call =
                    [](const Tensors& in) {
                      return tern::stack({in[0], in[1]});
                    },
                .reference =
                    [](const Arrays& in) {
                      Array out{{2}, in[0].values};
                      out.sizes.insert(out.sizes.end(), in[0].sizes.begin(), in[0].sizes.end());
                      out.values.insert(out.values.end(), in[1].values.begin(), in[1].values.end());
                      return out;
                    },
                .shapes = {{{2, 3}, {2, 3}}, {{}, {}}},
                .empty = {{{0, 2}, {0, 2}}}},
               {.what = "last",
                .inputs = {{}, {}},
                .call =
                    [](const Tensors& in) {
                      return tern::stack({in[0], in[1]}, -1);
                    },
                .reference =
                    [](const Arrays& in) {
                      Index sizes = in[0].sizes;
                      sizes.push_back(2);
                      return build(sizes, [&](const Index& i) {
                        return in[static_cast<std::size_t>(i.back())].at(Index(i.begin(), i.end() - 1));
                      });
                    },
                .shapes = {{{2, 3}, {2, 3}}}}};
  row.faults = {{"no tensor", Raises::value, [] { tern::stack({}); }},
                {"shapes that differ", Raises::shape,
                 [] {
                   tern::stack({zeros({2}), zeros({3})});
                 }},
                {"a dimension that is not there", Raises::index, [] { tern::stack({zeros({2})}, 2); }}};
  return row;
}

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
  Row row{.op = "index_add", .types = {{i64, i64}, {u8, u8}}};
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
                         .large = {dim == 0 ? Shapes{{3, 5000}, {7}, {7, 5000}} : Shapes{{900, 3}, {9}, {900, 9}}}});
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

Row slice_scatter_row() {
  Row row{.op = "slice_scatter", .types = kSame};
  row.cases = {{.what = "rows 1 to 3",
                .inputs = {{}, {}},
                .call = [](const Tensors& in) { return tern::slice_scatter(in[0], in[1], 0, 1, 3); },
                .reference =
                    [](const Arrays& in) {
                      return build(in[0].sizes, [&](const Index& i) {
                        return i[0] >= 1 && i[0] < 3 ? in[1].at(with(i, 0, i[0] - 1)) : in[0].at(i);
                      });
                    },
                .shapes = {{{4, 2}, {2, 2}}, {{2, 3}, {1, 3}}},
                .empty = {{{1, 2}, {0, 2}}, {{3, 0}, {2, 0}}}},
               {.what = "every second column from the end",
                .inputs = {{}, {}},
                .call = [](const Tensors& in) { return tern::slice_scatter(in[0], in[1], -1, -4, 100, 2); },
                .reference =
                    [](const Arrays& in) {
                      return build(in[0].sizes, [&](const Index& i) {
                        return i[1] % 2 == 1 ? in[1].at(with(i, 1, i[1] / 2)) : in[0].at(i);
                      });
                    },
                .shapes = {{{2, 5}, {2, 2}}}}};
  const Tensor x = zeros({3, 2});
  row.faults = {{"a source of another shape", Raises::shape,
                 [=] {
                   slice_scatter(x, zeros({3, 2}), 0, 0, 2);
                 }},
                {"a source of another type", Raises::dtype,
                 [=] {
                   slice_scatter(x, zeros({2, 2}, i64), 0, 0, 2);
                 }},
                {"a step of 0", Raises::value, [=] { slice_scatter(x, x, 0, 0, 3, 0); }},
                {"a dimension that is not there", Raises::index, [=] { slice_scatter(x, x, 2, 0, 3); }}};
  return row;
}

}  // namespace

Rows shape_rows() {
  return {reshape_row(),      flatten_row(),   cat_row(),          stack_row(),
          index_select_row(), index_add_row(), slice_scatter_row()};
}

}  // namespace conformance
