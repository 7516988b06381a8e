#include "models/directions.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "cpu/decompositions.h"
#include "models/blocks.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"

namespace tern::models::internal {
namespace {

constexpr std::int64_t kOversampled = 10;

double dot(const double* a, const double* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// Makes rows [k, d] orthonormal, twice over; one that the others before it span, or that is 0, becomes another
// direction.
void orthonormalise(double* rows, std::int64_t k, std::int64_t d) {
  for (std::int64_t i = 0; i < k; ++i) {
    double* row = rows + i * d;
    const double before = std::sqrt(dot(row, row, d));
    std::int64_t unit = 0;
    for (double after = 0;;) {
      for (int turn = 0; turn < 2; ++turn) {
        for (std::int64_t j = 0; j < i; ++j) {
          const double along = dot(row, rows + j * d, d);
          for (std::int64_t p = 0; p < d; ++p) row[p] -= along * rows[j * d + p];
        }
      }
      after = std::sqrt(dot(row, row, d));
      if (after > 1e-10 * (unit > 0 ? 1 : before)) {
        for (std::int64_t p = 0; p < d; ++p) row[p] /= after;
        break;
      }
      std::fill_n(row, d, 0);
      row[unit++] = 1;
    }
  }
}

void turn_positive(std::vector<double>& vectors, std::int64_t d) {
  for (auto row = vectors.begin(); row != vectors.end(); row += d) {
    const auto largest = std::max_element(row, row + d, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (*largest < 0) std::transform(row, row + d, row, [](double value) { return -value; });
  }
}

// Rows less the means, times the roots of their weights, in double.
void take_rows(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
               std::int64_t begin, std::int64_t end, double* to) {
  const std::int64_t d = x.columns();
  for (std::int64_t row = begin; row < end; ++row, to += d) {
    shifted_row(x, row, means.data(), to);
    if (weights.empty()) continue;
    const double root = std::sqrt(weights[static_cast<std::size_t>(row)]);
    for (std::int64_t j = 0; j < d; ++j) to[j] *= root;
  }
}

std::int64_t block_rows(std::int64_t d) { return std::clamp<std::int64_t>((1 << 16) / d, 8, 256); }

// c [m, n] += a · b, each as its strides say.
void add_product(std::int64_t m, std::int64_t n, std::int64_t k, const double* a, std::int64_t a_row,
                 std::int64_t a_column, const double* b, std::int64_t b_row, std::int64_t b_column, double* c) {
  products<double>().block({.m = m,
                            .n = n,
                            .k = k,
                            .a = a,
                            .a_row = a_row,
                            .a_column = a_column,
                            .b = b,
                            .b_row = b_row,
                            .b_column = b_column,
                            .c = c,
                            .c_row = n,
                            .accumulate = true});
}

}  // namespace

Directions exact_directions(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                            std::int64_t k) {
  const std::int64_t n = x.rows(), d = x.columns();
  Directions found{
      std::vector<double>(static_cast<std::size_t>(k * d)), std::vector<double>(static_cast<std::size_t>(k)), {}};
  if (d <= n) {
    const std::vector<double> inner = gram(x, weights, means);
    for (std::int64_t j = 0; j < d; ++j) found.column_squares.push_back(inner[static_cast<std::size_t>(j * d + j)]);
    kernels::greatest_eigen(inner.data(), d, k, found.squares.data(), found.vectors.data());
  } else {
    Tensor rows = empty({n, d}, DType::f64);
    take_rows(x, weights, means, 0, n, rows.mutable_span<double>().data());
    std::vector<double> left(static_cast<std::size_t>(k * n));
    kernels::greatest_eigen(matmul(rows, rows.t()).span<double>().data(), n, k, found.squares.data(), left.data());
    const Tensor right = matmul(from_vector(left, {k, n}), rows);
    const auto values = right.span<double>();
    std::copy(values.begin(), values.end(), found.vectors.begin());
    orthonormalise(found.vectors.data(), k, d);
  }
  for (double& square : found.squares) square = std::max(square, 0.0);
  turn_positive(found.vectors, d);
  return found;
}

Directions random_directions(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                             std::int64_t k, int power_iterations, std::uint64_t seed) {
  const std::int64_t n = x.rows(), d = x.columns(), l = std::min(k + kOversampled, std::min(n, d));
  const Philox random(seed);
  std::vector<double> basis(static_cast<std::size_t>(l * d));  // of a space that turns to the greatest directions
  for (std::size_t i = 0; i < basis.size(); ++i) basis[i] = normal(random, i);
  orthonormalise(basis.data(), l, d);
  const auto pass = [&](bool last) {
    // Σ xᵀ (x · basisᵀ), transposed: [l, d]; at last Σ (x · basisᵀ)ᵀ (x · basisᵀ): [l, l].
    const std::int64_t width = last ? l : d;
    return sum_blocks(n, l * width, [&](std::int64_t begin, std::int64_t end, double* sums) {
      const std::int64_t step = block_rows(d);
      const auto rows = room_for<double>(step * d), along = room_for<double>(step * l);
      for (std::int64_t first = begin; first < end; first += step) {
        const std::int64_t count = std::min(step, end - first);
        take_rows(x, weights, means, first, first + count, rows.get());
        std::fill_n(along.get(), count * l, 0);
        add_product(count, l, d, rows.get(), d, 1, basis.data(), 1, d, along.get());
        add_product(l, width, count, along.get(), 1, l, last ? along.get() : rows.get(), width, 1, sums);
      }
    });
  };
  for (int i = 0; i < power_iterations; ++i) {
    basis = pass(false);
    orthonormalise(basis.data(), l, d);
  }
  const std::vector<double> inner = pass(true);
  Directions found{
      std::vector<double>(static_cast<std::size_t>(k * d)), std::vector<double>(static_cast<std::size_t>(k)), {}};
  std::vector<double> turn(static_cast<std::size_t>(k * l));
  kernels::greatest_eigen(inner.data(), l, k, found.squares.data(), turn.data());
  add_product(k, d, l, turn.data(), l, 1, basis.data(), d, 1, found.vectors.data());
  for (double& square : found.squares) square = std::max(square, 0.0);
  turn_positive(found.vectors, d);
  return found;
}

namespace {

template <class T>
Tensor project_as(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors, DType type) {
  const std::int64_t d = x.columns(), k = static_cast<std::int64_t>(vectors.size()) / d;
  const std::vector<T> to(vectors.begin(), vectors.end());
  Tensor out = empty({x.rows(), k}, type);
  T* coordinates = out.mutable_span<T>().data();
  parallel_for(x.rows(), 2 * block_rows(d), [&](std::int64_t begin, std::int64_t end) {
    const auto rows = room_for<T>((end - begin) * d);
    for (std::int64_t row = begin; row < end; ++row) shifted_row(x, row, means.data(), rows.get() + (row - begin) * d);
    products<T>().block({.m = end - begin,
                         .n = k,
                         .k = d,
                         .a = rows.get(),
                         .a_row = d,
                         .a_column = 1,
                         .b = to.data(),
                         .b_row = 1,
                         .b_column = d,
                         .c = coordinates + begin * k,
                         .c_row = k});
  });
  return out;
}

}  // namespace

Tensor project(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors) {
  return x.f32() ? project_as<float>(x, means, vectors, DType::f32) : project_as<double>(x, means, vectors, DType::f64);
}

Tensor expand(const char* where, const data::Matrix& coordinates, std::span<const double> vectors,
              std::span<const double> means) {
  const std::size_t d = means.size(), k = vectors.size() / d;
  if (coordinates.columns() != static_cast<std::int64_t>(k)) {
    throw ShapeError("[" + std::string(where) + "] expected " + std::to_string(k) + " columns, got " +
                     std::to_string(coordinates.columns()));
  }
  std::vector<double> columns(vectors.size());  // [d, k]
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < d; ++j) columns[j * k + i] = vectors[i * d + j];
  }
  return from_vector(scores(coordinates, columns, means), {coordinates.rows(), static_cast<std::int64_t>(d)});
}

std::vector<double> transposed_product(const data::Matrix& x, std::span<const double> w, std::int64_t k) {
  const std::int64_t d = x.columns();
  const std::vector<double> none(static_cast<std::size_t>(d));
  return sum_blocks(x.rows(), d * k, [&](std::int64_t begin, std::int64_t end, double* sums) {
    const std::int64_t step = block_rows(d);
    const auto rows = room_for<double>(step * d);
    for (std::int64_t first = begin; first < end; first += step) {
      const std::int64_t count = std::min(step, end - first);
      take_rows(x, {}, none, first, first + count, rows.get());
      add_product(d, k, count, rows.get(), 1, d, w.data() + first * k, k, 1, sums);
    }
  });
}

}  // namespace tern::models::internal
