#include "tern/ops/matmul.h"

#include <Eigen/Core>

#include "conformance/row.h"
#include "tern/tensor/creation.h"

namespace conformance {
namespace {

using tern::Activation;
using tern::f64;
using tern::i64;
using tern::zeros;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix matrix(const Array& a, std::int64_t rows, std::int64_t columns) {
  return Eigen::Map<const Matrix>(a.values.data(), rows, columns);
}

Array array(const Matrix& m, Index sizes) { return {std::move(sizes), Numbers(m.data(), m.data() + m.size())}; }

Row matmul_row() {
  Row row{.op = "matmul", .tolerance = 5e-5, .tolerance_f64 = 1e-12};
  row.cases = {{.inputs = {{}, {}},
                .call = [](const Tensors& in) { return matmul(in[0], in[1]); },
                .reference =
                    [](const Arrays& in) {
                      const std::int64_t m = in[0].sizes[0], k = in[0].sizes[1], n = in[1].sizes[1];
                      return array(matrix(in[0], m, k) * matrix(in[1], k, n), {m, n});
                    },
                .shapes = {{{3, 4}, {4, 2}}, {{1, 1}, {1, 1}}, {{1, 5}, {5, 3}}, {{4, 1}, {1, 3}}, {{9, 2}, {2, 10}}},
                .empty = {{{0, 3}, {3, 2}}, {{2, 0}, {0, 3}}, {{2, 3}, {3, 0}}},
                .large = {{{130, 300}, {300, 71}}, {{1, 257}, {257, 129}}, {{67, 131}, {131, 1}}, {{8, 8}, {8, 8}}}}};
  row.faults = {{"sizes that differ", Raises::shape,
                 [] {
                   matmul(zeros({2, 3}), zeros({2, 3}));
                 }},
                {"a vector", Raises::shape,
                 [] {
                   matmul(zeros({2, 3}), zeros({3}));
                 }},
                {"types that differ", Raises::dtype,
                 [] {
                   matmul(zeros({2, 3}), zeros({3, 2}, f64));
                 }},
                {"integers", Raises::dtype, [] {
                   matmul(zeros({2, 3}, i64), zeros({3, 2}, i64));
                 }}};
  return row;
}

double activated(double x, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::none:
      break;
  }
  return x;
}

Array linear_of(const Arrays& in, Activation activation) {
  const std::int64_t outputs = in[1].sizes[0], inputs = in[1].sizes[1];
  Index sizes = in[0].sizes;
  sizes.back() = 1;
  const std::int64_t rows = product(sizes);
  sizes.back() = outputs;
  Matrix out = matrix(in[0], rows, inputs) * matrix(in[1], outputs, inputs).transpose();
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < outputs; ++c) {
      out(r, c) = activated(out(r, c) + (in.size() > 2 ? in[2][c] : 0), activation);
    }
  }
  return array(out, sizes);
}

Row linear_row() {
  Row row{.op = "linear", .tolerance = 5e-5, .tolerance_f64 = 1e-12};
  const std::pair<const char*, Activation> activations[]{{"none", Activation::none},
                                                         {"relu", Activation::relu},
                                                         {"tanh", Activation::tanh},
                                                         {"sigmoid", Activation::sigmoid}};
  for (const auto& [what, activation] : activations) {
    row.cases.push_back({.what = what,
                         .inputs = {{}, {}, {}},
                         .call = [a = activation](const Tensors& in) { return linear(in[0], in[1], in[2], a); },
                         .reference = [a = activation](const Arrays& in) { return linear_of(in, a); },
                         .shapes = {{{3, 4}, {2, 4}, {2}}, {{4}, {3, 4}, {3}}, {{2, 2, 3}, {2, 3}, {2}}},
                         .empty = {{{0, 3}, {2, 3}, {2}}, {{2, 0}, {3, 0}, {3}}, {{2, 3}, {0, 3}, {0}}},
                         .large = {{{133, 61}, {67, 61}, {67}}, {{1000, 19}, {64, 19}, {64}}}});
    row.cases.back().inputs[2].optional = true;
  }
  row.cases.push_back({.what = "without bias",
                       .inputs = {{}, {}},
                       .call = [](const Tensors& in) { return linear(in[0], in[1]); },
                       .reference = [](const Arrays& in) { return linear_of(in, Activation::none); },
                       .shapes = {{{3, 4}, {2, 4}}},
                       .empty = {{{2, 3, 0}, {2, 0}}, {{2, 0, 3}, {4, 3}}, {{0}, {2, 0}}},
                       .large = {{{9, 300}, {1, 300}}}});
  const Tensor x = zeros({2, 3}), w = zeros({4, 3});
  row.faults = {{"another number of inputs", Raises::shape,
                 [=] {
                   linear(zeros({2, 4}), w);
                 }},
                {"no dimension", Raises::shape, [=] { linear(zeros({}), w); }},
                {"a weight of one dimension", Raises::shape, [=] { linear(x, zeros({3})); }},
                {"a bias of another size", Raises::shape, [=] { linear(x, w, zeros({3})); }},
                {"types that differ", Raises::dtype,
                 [=] {
                   linear(x, zeros({4, 3}, f64));
                 }},
                {"a bias of another type", Raises::dtype, [=] { linear(x, w, zeros({4}, f64)); }},
                {"integers", Raises::dtype, [=] { linear(x.to(i64), w.to(i64)); }}};
  return row;
}

}  // namespace

Rows matmul_rows() { return {matmul_row(), linear_row()}; }

}  // namespace conformance
