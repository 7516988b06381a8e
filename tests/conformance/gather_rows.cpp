#include <map>

#include "conformance/index_inputs.h"
#include "tern/ops/index.h"
#include "tern/tensor/creation.h"

// What takes an index for each element (ops/index.h).
namespace conformance {
namespace {

using tern::f64;
using tern::i64;
using tern::tensor;
using tern::u8;
using tern::zeros;

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
                .empty = {{{2, 3}, {2, 0}}},
                .large = {{{300, 3}, {300, 71}}}}};
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
                .empty = {{{2, 3}, {2, 0}}},
                .large = {{{300, 3}, {300, 71}}}}};
  row.faults = {{"a fraction in integers", Raises::dtype, [] { scatter(zeros({2}, i64), 0, tensor({1}, i64), 0.5); }}};
  return row;
}

}  // namespace

Rows gather_rows() {
  return {gather_row(), take_along_dim_row(),
          scatter_row(
              "scatter",
              [](const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
                return tern::scatter(x, dim, index, source);
              },
              false),
          scatter_value_row(), scatter_row("scatter_add", tern::scatter_add, true)};
}

}  // namespace conformance
