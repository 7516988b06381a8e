#include "conformance/index_inputs.h"
#include "tern/autograd/autograd.h"
#include "tern/ops/index.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// x[{…}], and what writes through it.
namespace conformance {
namespace {

using tern::boolean;
using tern::ellipsis;
using tern::f64;
using tern::i64;
using tern::new_axis;
using tern::Slice;
using tern::tensor;
using tern::zeros;

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
       [](const Tensor& x) { return x[{1}]; },
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
                {"a number too large", Raises::index, [=] { x[{2}]; }},
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
          .types = kSame,
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
                {"a number out of bounds", Raises::index, [=] { f(x, 2, zeros({3})); }},
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

}  // namespace

Rows subscript_rows() { return {subscript_row(), index_put_row(false), index_put_row(true)}; }

}  // namespace conformance
