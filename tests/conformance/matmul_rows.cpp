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

// PyTorch's rules, matrix by matrix: a vector gets the dimension that it lacks, which the result then loses.
Array matmul_of(const Arrays& in) {
  Array a = in[0], b = in[1];
  const bool row = a.sizes.size() == 1, column = b.sizes.size() == 1;
  if (row) a.sizes.insert(a.sizes.begin(), 1);
  if (column) b.sizes.push_back(1);
  const std::int64_t m = a.sizes[a.sizes.size() - 2], k = a.sizes.back(), n = b.sizes.back();
  const Index a_batch(a.sizes.begin(), a.sizes.end() - 2), b_batch(b.sizes.begin(), b.sizes.end() - 2);
  // The number of each operand's matrix, looked up where the result's batch index points.
  const auto numbers = [](const Index& sizes) {
    double next = 0;
    return build(sizes, [&](const Index&) { return next++; });
  };
  const Array a_numbers = numbers(a_batch), b_numbers = numbers(b_batch);
  Array out{broadcast(a_batch, b_batch), {}};
  build(out.sizes, [&](const Index& i) {
    const auto matrix_of = [&](const Array& x, const Array& at, std::int64_t rows, std::int64_t columns) {
      const auto number = static_cast<std::int64_t>(at.at(i));
      return Matrix(Eigen::Map<const Matrix>(x.values.data() + number * rows * columns, rows, columns));
    };
    const Matrix product = matrix_of(a, a_numbers, m, k) * matrix_of(b, b_numbers, k, n);
    out.values.insert(out.values.end(), product.data(), product.data() + product.size());
    return 0.0;
  });
  if (!row) out.sizes.push_back(m);
  if (!column) out.sizes.push_back(n);
  return out;
}

Row matmul_row() {
  Row row{.op = "matmul", .tolerance = 5e-5, .tolerance_f64 = 1e-12};
  row.cases = {{.inputs = {{}, {}},
                .call = [](const Tensors& in) { return matmul(in[0], in[1]); },
                .reference = matmul_of,
                .shapes = {{{3, 4}, {4, 2}}, {{1, 1}, {1, 1}}, {{1, 5}, {5, 3}}, {{4, 1}, {1, 3}}, {{9, 2}, {2, 10}}},
                .empty = {{{0, 3}, {3, 2}}, {{2, 0}, {0, 3}}, {{2, 3}, {3, 0}}},
                .large = {{{130, 300}, {300, 71}},
                          {{1, 257}, {257, 129}},
                          {{67, 131}, {131, 1}},
                          {{8, 8}, {8, 8}},
                          {{200, 700}, {700, 150}}}},
               {.what = "vectors",
                .inputs = {{}, {}},
                .call = [](const Tensors& in) { return matmul(in[0], in[1]); },
                .reference = matmul_of,
                .shapes = {{{4}, {4}}, {{3, 4}, {4}}, {{4}, {4, 2}}, {{4}, {2, 4, 3}}, {{2, 3, 4}, {4}}},
                .empty = {{{0}, {0}}, {{0, 4}, {4}}, {{0}, {0, 2}}},
                .large = {{{300, 500}, {500}}, {{500}, {500, 300}}}},
               {.what = "batches",
                .inputs = {{}, {}},
                .call = [](const Tensors& in) { return matmul(in[0], in[1]); },
                .reference = matmul_of,
                .shapes = {{{2, 3, 2}, {2, 2, 4}},
                           {{2, 3, 2}, {2, 4}},
                           {{3, 2}, {2, 2, 4}},
                           {{2, 1, 3, 2}, {3, 2, 2}},
                           {{1, 3, 2}, {2, 2, 4}},
                           {{2, 1, 2, 2}, {1, 2, 2, 1}}},
                .empty = {{{0, 3, 2}, {0, 2, 4}}, {{2, 0, 2}, {2, 2, 4}}, {{2, 3, 0}, {2, 0, 4}}, {{0, 3, 2}, {2, 4}}},
                .large = {{{7, 33, 65}, {7, 65, 31}},
                          {{64, 8, 9}, {64, 9, 7}},
                          {{3, 130, 70}, {70, 140}},
                          {{5, 1, 60, 40}, {3, 40, 50}}}}};
  row.faults = {{"sizes that differ", Raises::shape,
                 [] {
                   matmul(zeros({2, 3}), zeros({2, 3}));
                 }},
                {"a vector of another size", Raises::shape,
                 [] {
                   matmul(zeros({2, 3}), zeros({2}));
                 }},
                {"no dimension", Raises::shape, [] { matmul(zeros({}), zeros({3})); }},
                {"batches that do not broadcast", Raises::shape,
                 [] {
                   matmul(zeros({2, 2, 3}), zeros({3, 3, 2}));
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
