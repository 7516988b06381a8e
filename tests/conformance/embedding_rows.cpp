#include "conformance/row.h"
#include "tern/autograd/autograd.h"
#include "tern/ops/embedding.h"
#include "tern/ops/optimizer_step.h"
#include "tern/ops/rows.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// embedding, and gradients of rows (ops/rows.h).
namespace conformance {
namespace {

using tern::f64;
using tern::i64;
using tern::tensor;
using tern::zeros;

const Input kIds{.low = 0, .high = 4, .whole = true, .varies = false, .dtype = i64};

std::int64_t whole(double x) { return static_cast<std::int64_t>(x); }

Row embedding_row() {
  Row row{.op = "embedding", .types = kSame};
  for (bool sparse : {false, true}) {
    row.cases.push_back({.what = sparse ? "sparse" : "dense",
                         .inputs = {{}, kIds},
                         .call = [=](const Tensors& in) { return embedding(in[0], in[1], {.sparse = sparse}); },
                         .reference =
                             [](const Arrays& in) {
                               Index sizes = in[1].sizes;
                               sizes.push_back(in[0].sizes[1]);
                               return build(sizes, [&](const Index& i) {
                                 return in[0].at({whole(in[1].at(Index(i.begin(), i.end() - 1))), i.back()});
                               });
                             },
                         .shapes = {{{4, 3}, {5}}, {{4, 2}, {2, 3}}, {{4, 2}, {}}},
                         .empty = {{{4, 2}, {0}}, {{4, 0}, {3}}},
                         .large = {{{4, 100}, {30, 50}}}});
  }
  const Tensor x = zeros({3, 2});
  row.faults = {
      {"an index too large", Raises::index,
       [=] {
         embedding(x, tensor({0, 3}, i64));
       }},
      {"a negative index", Raises::index, [=] { embedding(x, tensor({-1}, i64)); }},
      {"an index of a floating type", Raises::dtype, [=] { embedding(x, tensor({0})); }},
      {"a weight of one dimension", Raises::shape, [=] { embedding(zeros({3}), tensor({0}, i64)); }},
      {"a padding that is not there", Raises::value, [=] { embedding(x, tensor({0}, i64), {.padding_idx = 3}); }}};
  return row;
}

// What backward leaves of sum(embedding · direction) in a leaf of 4 rows, and its rows' numbers: summed by id, without
// the padding.
Row row_gradient_row() {
  Row row{.op = "row_gradient", .gradient = Gradient::none, .first = false};
  for (std::int64_t padding : {-1, 2}) {
    row.cases.push_back({.what = "padding " + std::to_string(padding),
                         .inputs = {{.varies = false}, kIds},
                         .call =
                             [=](const Tensors& in) {
                               Tensor weight = tern::ones({4, in[0].size(1)}, in[0].dtype(), in[0].device());
                               weight.requires_grad_();
                               const Tensor out = embedding(weight, in[1], {.padding_idx = padding, .sparse = true});
                               (out * in[0].detach()).sum().backward();
                               const tern::RowGradient rows = row_gradient(weight);
                               return tern::cat({rows.index.to(in[0].dtype()).unsqueeze(1), rows.values}, 1);
                             },
                         .reference =
                             [=](const Arrays& in) {
                               const std::int64_t width = in[0].sizes[1];
                               Array out;
                               for (std::int64_t id = 0; id < 4; ++id) {
                                 Numbers sums(static_cast<std::size_t>(width), 0);
                                 bool any = false;
                                 for (std::int64_t i = 0; i < in[1].count(); ++i) {
                                   if (whole(in[1][i]) != id || id == padding) continue;
                                   any = true;
                                   for (std::int64_t c = 0; c < width; ++c)
                                     sums[static_cast<std::size_t>(c)] += in[0][i * width + c];
                                 }
                                 if (!any) continue;
                                 out.values.push_back(static_cast<double>(id));
                                 out.values.insert(out.values.end(), sums.begin(), sums.end());
                               }
                               out.sizes = {out.count() / (width + 1), width + 1};
                               return out;
                             },
                         .shapes = {{{6, 3}, {6}}, {{1, 2}, {1}}},
                         .empty = {{{0, 2}, {0}}},
                         .large = {{{100, 300}, {100}}}});
  }
  row.tolerance = 2e-6;
  return row;
}

// Rows 3 and 1 of 4 take a step with momentum; the others stand still, and their buffers.
Row step_rows_row() {
  Row row{.op = "step_rows", .gradient = Gradient::in_place, .half = false, .first = false};
  const Input fixed{.varies = false};
  const auto step = [](const Tensor& value, const Tensor& gradient, const Tensors& states) {
    sgd_step(value, gradient, states[0], {.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01});
  };
  row.cases = {{.inputs = {{}, fixed, fixed},
                .call =
                    [=](const Tensors& in) {
                      step_rows(in[0], {tensor({3, 1}, i64).to(in[0].device()), in[1]}, {in[2]}, step);
                      return tern::cat({in[0].detach(), in[2]});
                    },
                .reference =
                    [](const Arrays& in) {
                      Index sizes = in[0].sizes;
                      sizes[0] = 8;
                      return build(sizes, [&](Index i) {
                        const bool state = i[0] >= 4;
                        i[0] %= 4;
                        const double x = in[0].at(i), b = in[2].at(i);
                        if (i[0] % 2 == 0) return state ? b : x;
                        Index from = i;
                        from[0] = i[0] == 3 ? 0 : 1;
                        const double buffer = 0.9 * b + in[1].at(from) + 0.01 * x;
                        return state ? buffer : x - 0.1 * buffer;
                      });
                    },
                .shapes = {{{4, 3}, {2, 3}, {4, 3}}, {{4}, {2}, {4}}},
                .empty = {{{4, 0}, {2, 0}, {4, 0}}},
                .large = {{{4, 9000}, {2, 9000}, {4, 9000}}},
                .strided = false}};
  const auto f = [=](const Tensor& value, const Tensor& index, const Tensor& values, const Tensor& state) {
    step_rows(value, {index, values}, {state}, step);
  };
  const Tensor x = zeros({3, 2}), index = tensor({2}, i64), g = zeros({1, 2});
  row.faults = {{"a row too large", Raises::index, [=] { f(x, index + 1, g, x.clone()); }},
                {"a gradient of another shape", Raises::shape, [=] { f(x, index, x, x.clone()); }},
                {"a gradient of another type", Raises::dtype, [=] { f(x, index, g.to(f64), x.clone()); }},
                {"a state of another shape", Raises::shape, [=] { f(x, index, g, g); }},
                {"no dimension", Raises::shape, [=] { f(zeros({}), index, g, x); }}};
  return row;
}

}  // namespace

Rows embedding_rows() { return {embedding_row(), row_gradient_row(), step_rows_row()}; }

}  // namespace conformance
