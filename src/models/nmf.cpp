#include <algorithm>
#include <cmath>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "models/blocks.h"
#include "models/directions.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/points.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/models/decomposition.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

[[noreturn]] void refuse_nmf(const std::string& expected, const std::string& got) {
  throw ValueError("[Nmf] expected " + expected + ", got " + got);
}

// One step of each coordinate of a row of W, of which `product` is that row of x·Hᵀ and `inner` H·Hᵀ. Gives the sum of
// the sizes of the gradient's elements that could be followed.
double descend(double* w, const double* product, const double* inner, std::int64_t k) {
  double violation = 0;
  for (std::int64_t t = 0; t < k; ++t) {
    double gradient = -product[t];
    for (std::int64_t r = 0; r < k; ++r) gradient += inner[t * k + r] * w[r];
    violation += std::abs(w[t] == 0 ? std::min(0.0, gradient) : gradient);
    if (inner[t * k + t] > 0) w[t] = std::max(0.0, w[t] - gradient / inner[t * k + t]);
  }
  return violation;
}

double descend_rows(std::vector<double>& w, const std::vector<double>& product, const std::vector<double>& inner,
                    std::int64_t k) {
  const auto rows = static_cast<std::int64_t>(w.size()) / k;
  return internal::sum_blocks(rows, 1, [&](std::int64_t begin, std::int64_t end, double* sum) {
    for (std::int64_t row = begin; row < end; ++row) {
      *sum += descend(w.data() + row * k, product.data() + row * k, inner.data(), k);
    }
  })[0];
}

std::vector<double> inner_of(const std::vector<double>& columns, std::int64_t k) {
  return internal::gram(data::Matrix(columns, k), {}, std::vector<double>(static_cast<std::size_t>(k)));
}

std::vector<double> transposed(const std::vector<double>& a, std::int64_t rows) {
  const std::size_t m = static_cast<std::size_t>(rows), n = a.size() / m;
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) out[j * m + i] = a[i * n + j];
  }
  return out;
}

// x · hᵀ for h [k, d]: [n, k].
std::vector<double> product_of(const data::Matrix& x, const std::vector<double>& h, std::int64_t k) {
  return internal::scores(x, h, std::vector<double>(static_cast<std::size_t>(k)));
}

void check_signs(const data::Matrix& x) {
  for (std::int64_t i = 0; i < x.rows() * x.columns(); ++i) {
    const double value = x.f32() ? static_cast<double>(x.f32()[i]) : x.f64()[i];
    if (value < 0) {
      refuse_nmf("numbers of at least 0",
                 tern::internal::number_text(value) + " in row " + std::to_string(i / x.columns()));
    }
  }
}

// The parts of one sign of the singular vectors, whichever is the larger, in the place of each; then no zeros, which
// coordinates would not leave.
void begin_from_singular_vectors(const data::Matrix& x, std::int64_t k, std::vector<double>& w,
                                 std::vector<double>& h) {
  constexpr std::int64_t kExact = 500;
  const std::int64_t n = x.rows(), d = x.columns();
  const internal::Directions found = std::min(n, d) <= kExact ? internal::exact_directions(x, {}, false, k)
                                                              : internal::random_directions(x, {}, {.components = k});
  w = product_of(x, found.vectors, k);  // times the singular values
  h = found.vectors;
  double mean = 0;
  for (const double m : internal::column_means(x, {})) mean += m / static_cast<double>(d);
  for (std::int64_t c = 0; c < k; ++c) {
    const double singular = std::sqrt(found.squares[static_cast<std::size_t>(c)]);
    double left[2] = {0, 0}, right[2] = {0, 0};  // squares of the negative and of the positive part
    const auto left_at = [&](std::int64_t i) -> double& { return w[static_cast<std::size_t>(i * k + c)]; };
    const auto right_at = [&](std::int64_t j) -> double& { return h[static_cast<std::size_t>(c * d + j)]; };
    for (std::int64_t i = 0; i < n; ++i) {
      if (singular > 0) left_at(i) /= singular;
      left[left_at(i) > 0] += left_at(i) * left_at(i);
    }
    for (std::int64_t j = 0; j < d; ++j) right[right_at(j) > 0] += right_at(j) * right_at(j);
    const bool positive = left[1] * right[1] > left[0] * right[0];
    const double sign = positive ? 1 : -1, a = std::sqrt(left[positive]), b = std::sqrt(right[positive]);
    const double size = c == 0 ? std::sqrt(singular) : std::sqrt(singular * a * b);
    const auto put = [&](double& value, double norm) {
      const double part = c == 0 ? std::abs(value) : std::max(0.0, sign * value);
      value = c == 0 ? size * part : norm > 0 ? size * part / norm : 0;
      if (value < 1e-6) value = mean;
    };
    for (std::int64_t i = 0; i < n; ++i) put(left_at(i), a);
    for (std::int64_t j = 0; j < d; ++j) put(right_at(j), b);
  }
}

double error_of(const data::Matrix& x, const std::vector<double>& w, const std::vector<double>& h, std::int64_t k) {
  const std::int64_t d = x.columns();
  return std::sqrt(internal::sum_blocks(x.rows(), 1, [&](std::int64_t begin, std::int64_t end, double* sum) {
    std::vector<double> row(static_cast<std::size_t>(d));
    for (std::int64_t i = begin; i < end; ++i) {
      std::fill(row.begin(), row.end(), 0);
      for (std::int64_t c = 0; c < k; ++c) {
        const double weight = w[static_cast<std::size_t>(i * k + c)];
        const double* part = h.data() + c * d;
        for (std::int64_t j = 0; j < d; ++j) row[static_cast<std::size_t>(j)] += weight * part[j];
      }
      *sum += x.f32() ? internal::squared_distance(x.f32() + i * d, row.data(), d)
                      : internal::squared_distance(x.f64() + i * d, row.data(), d);
    }
  })[0]);
}

}  // namespace

Nmf::Nmf(NmfOptions options) : options_(options) { Nmf::check(); }

void Nmf::check() const {
  const auto k = options_.components;
  if (k < 1) refuse_nmf("at least one component", std::to_string(k));
  if (!(options_.tolerance >= 0))
    refuse_nmf("a tolerance of at least 0", tern::internal::number_text(options_.tolerance));
  if (options_.max_iterations < 1) refuse_nmf("at least one iteration", std::to_string(options_.max_iterations));
  if (components_.size() % static_cast<std::size_t>(k) != 0) refuse_nmf("components [k, d]", "others");
  for (const double value : components_) {
    if (!(value >= 0)) refuse_nmf("components of at least 0", tern::internal::number_text(value));
  }
}

void Nmf::learn(const data::Matrix& x, std::span<const double> /*weights*/) {
  const std::int64_t k = options_.components, n = x.rows(), d = x.columns();
  if (k > std::min(n, d)) {
    refuse_nmf("at most as many components as rows and columns",
               std::to_string(k) + " of " + std::to_string(n) + " rows and " + std::to_string(d) + " columns");
  }
  check_signs(x);
  std::vector<double> w, h;
  begin_from_singular_vectors(x, k, w, h);
  double first = 0, left = 0;  // the last violation, of the first
  int iterations = 1;
  for (;; ++iterations) {
    double violation = descend_rows(w, product_of(x, h, k), inner_of(transposed(h, k), k), k);
    std::vector<double> columns = transposed(h, k);
    violation += descend_rows(columns, internal::transposed_product(x, w, k), inner_of(w, k), k);
    h = transposed(columns, d);
    if (!std::isfinite(violation)) refuse_nmf("numbers whose squares have a finite sum", "larger ones");
    if (iterations == 1) first = violation;
    left = first == 0 ? 0 : violation / first;
    if (left <= options_.tolerance || iterations == options_.max_iterations) break;
  }
  error_ = error_of(x, w, h, k);
  components_ = std::move(h);
  iterations_ = iterations;
  if (left > options_.tolerance) {
    internal::warn_unconverged(tern::internal::class_name(type()), options_.max_iterations,
                               "a share of the first gradients", left, options_.tolerance);
  }
}

std::int64_t Nmf::width() const { return static_cast<std::int64_t>(components_.size()) / options_.components; }

Tensor Nmf::map(const data::Matrix& x) const {
  const std::int64_t k = options_.components;
  check_signs(x);
  const std::vector<double> product = product_of(x, components_, k), inner = inner_of(transposed(components_, k), k);
  Tensor out = zeros({x.rows(), k}, DType::f64);
  double* w = out.mutable_span<double>().data();
  parallel_for(x.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {  // each until its own gradient is small
      double first = 0;
      for (int i = 0; i < options_.max_iterations; ++i) {
        const double violation = descend(w + row * k, product.data() + row * k, inner.data(), k);
        if (i == 0) first = violation;
        if (violation <= options_.tolerance * first) break;
      }
    }
  });
  return out;
}

Tensor Nmf::inverse_transform(const data::Matrix& w) const {
  check_fitted();
  const std::vector<double> origin(static_cast<std::size_t>(width()));
  return internal::expand("Nmf", w, components_, origin);
}

void Nmf::fields(internal::Fields& fields) {
  fields("components", options_.components);
  fields("tolerance", options_.tolerance);
  fields("max_iterations", options_.max_iterations);
  fields("parts", components_);
  fields("error", error_);
  fields("iterations", iterations_);
}

std::unique_ptr<Unsupervised> Nmf::clone() const { return std::make_unique<Nmf>(*this); }
Nmf Nmf::load(const std::string& path) { return internal::load_rows_model<Nmf>(path); }

}  // namespace tern::models
