#include "conformance/row.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::boolean;
using tern::i64;
using tern::u8;
using tern::zeros;

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
                .call = [](const Tensors& in) { return tern::flatten(in[0], 1); },
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
                .large = {{{300, 71}, {201, 71}}}},
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

Rows shape_rows() { return {reshape_row(), flatten_row(), cat_row(), stack_row(), slice_scatter_row()}; }

}  // namespace conformance
