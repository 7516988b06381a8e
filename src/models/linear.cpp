#include "tern/models/linear.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "cpu/decompositions.h"
#include "data/rows.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "tern/base/error.h"

namespace tern::models {

using internal::Fields;
using tern::internal::class_name;

namespace {

// Takes from w what of it lies in the span of `free`, directions [k, d], which are made orthonormal for it.
void leave_out(std::vector<double>& free, std::vector<double>& w) {
  const std::size_t d = w.size();
  const auto direction = [&](std::size_t k) { return std::span(free).subspan(k * d, d); };
  const auto shorten = [&](std::span<double> from, std::span<const double> along) {
    const double by = internal::dot(from, along);
    for (std::size_t j = 0; j < d; ++j) from[j] -= by * along[j];
  };
  const auto normalise = [&](std::span<double> of) {
    const double length = std::sqrt(internal::dot(of, of));
    for (double& each : of) each = length > 0 ? each / length : 0;
  };
  for (std::size_t k = 0; k * d < free.size(); ++k) {
    normalise(direction(k));
    for (int twice = 0; twice < 2; ++twice) {
      for (std::size_t before = 0; before < k; ++before) shorten(direction(k), direction(before));
      normalise(direction(k));
    }
    shorten(w, direction(k));
  }
}

// Solves A w = right for a symmetric A [d, d] of no negative eigenvalues; of several solutions, the least. What has no
// say is judged of an A whose diagonal is scaled to ones, so that a column is not one for its units alone.
void solve(std::string_view type, std::vector<double>& a, std::vector<double>& right) {
  const std::size_t d = right.size();
  std::vector<double> units(d);
  for (std::size_t i = 0; i < d; ++i) {
    if (!std::isfinite(a[i * d + i])) {
      throw ValueError("[" + class_name(type) + "] expected numbers whose squares have finite sums, got others");
    }
    units[i] = a[i * d + i] > 0 ? 1 / std::sqrt(a[i * d + i]) : 1;
  }
  for (std::size_t i = 0; i < d; ++i) {
    right[i] *= units[i];
    for (std::size_t j = 0; j < d; ++j) a[i * d + j] = a[i * d + j] * units[i] * units[j];
  }
  std::vector<double> solution = right;
  if (kernels::cholesky_solve(a.data(), static_cast<std::int64_t>(d), solution.data(), 1)) {
    for (std::size_t i = 0; i < d; ++i) right[i] = units[i] * solution[i];
    return;
  }
  std::vector<double> values(d), vectors(d * d), free;
  kernels::symmetric_eigen(a.data(), static_cast<std::int64_t>(d), values.data(), vectors.data());
  const double least = values.back() * static_cast<double>(d) * 1e-15;
  solution.assign(d, 0);
  for (std::size_t i = 0; i < d; ++i) {
    const double* vector = vectors.data() + i * d;
    if (!(values[i] > least)) {
      for (std::size_t j = 0; j < d; ++j) free.push_back(units[j] * vector[j]);
      continue;
    }
    const double along = internal::dot(vector, right.data(), static_cast<std::int64_t>(d));
    for (std::size_t j = 0; j < d; ++j) solution[j] += along / values[i] * vector[j];
  }
  for (std::size_t j = 0; j < d; ++j) solution[j] *= units[j];
  leave_out(free, solution);
  right = std::move(solution);
}

// Makes a column that differs from its mean in rounding alone one of zeros.
void clear_constants(internal::NormalEquations& of, double total) {
  const std::size_t d = of.cross.size();
  for (std::size_t j = 0; j < d; ++j) {
    if (std::sqrt(of.gram[j * d + j] / total) > 1e-15 * std::abs(of.means[j])) continue;
    of.cross[j] = 0;
    for (std::size_t k = 0; k < d; ++k) of.gram[j * d + k] = of.gram[k * d + j] = 0;
  }
}

}  // namespace

std::vector<double> LinearModel::scores(const data::Matrix& x) const {
  check_input(x);
  return internal::scores(x, coefficients_, intercepts_);
}

std::vector<double> LinearModel::scores(const data::Table& table) const {
  if (names().empty()) {
    throw StateError("[" + class_name(type()) + "] expected a model that was fitted on a table, got one that was not");
  }
  const std::vector<double> x = data::internal::numbers_of(table, names(), class_name(type()), takes_missing());
  return scores(data::Matrix(x, static_cast<std::int64_t>(names().size())));
}

std::vector<double> LinearModel::respond(const data::Matrix& x, bool /*probability*/) const {
  return internal::scores(x, coefficients_, intercepts_);
}

std::vector<double> LinearModel::greatest(const data::Matrix& x) const {
  const std::vector<double> scores = internal::scores(x, coefficients_, intercepts_);
  const std::size_t outputs = intercepts_.size();
  std::vector<double> classes(static_cast<std::size_t>(x.rows()));
  for (std::size_t row = 0; row < classes.size(); ++row) {
    const double* of = scores.data() + row * outputs;
    classes[row] = outputs == 1 ? of[0] > 0 : static_cast<double>(std::max_element(of, of + outputs) - of);
  }
  return classes;
}

std::int64_t LinearModel::width() const {
  return intercepts_.empty() ? 0 : static_cast<std::int64_t>(coefficients_.size() / intercepts_.size());
}

void LinearModel::fields(Fields& fields) {
  fields("coefficients", coefficients_);
  fields("intercepts", intercepts_);
}

void LinearModel::check() const {
  const std::size_t outputs = intercepts_.size();
  if (outputs == 0 ? !coefficients_.empty() : coefficients_.empty() || coefficients_.size() % outputs != 0) {
    throw ValueError("[" + class_name(type()) + "] expected coefficients [outputs, d], got " +
                     std::to_string(coefficients_.size()) + " for " + std::to_string(outputs) + " outputs");
  }
}

Ridge::Ridge(RidgeOptions options) : options_(options) { Ridge::check(); }

void Ridge::check() const {
  LinearModel::check();
  if (!(options_.alpha >= 0) || !std::isfinite(options_.alpha)) {
    throw ValueError("[Ridge] expected a finite alpha of at least 0, got " +
                     tern::internal::number_text(options_.alpha));
  }
}

void Ridge::fields(Fields& fields) {
  fields("alpha", options_.alpha);
  fields("fit_intercept", options_.fit_intercept);
  LinearModel::fields(fields);
}

std::unique_ptr<data::Estimator> Ridge::clone() const { return std::make_unique<Ridge>(*this); }
Ridge Ridge::load(const std::string& path) { return internal::load_as<Ridge>("ridge", path); }

std::unique_ptr<data::Estimator> LinearRegression::clone() const { return std::make_unique<LinearRegression>(*this); }
LinearRegression LinearRegression::load(const std::string& path) {
  return internal::load_as<LinearRegression>("linear_regression", path);
}

void Ridge::learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) {
  const std::int64_t d = train.x.columns();
  const auto width = static_cast<std::size_t>(d);
  std::vector<double> means(width), y(train.y.begin(), train.y.end());
  double mean_y = 0;
  if (options_.fit_intercept) {
    mean_y = internal::weighted_mean(y, train.weights);
    for (double& value : y) value -= mean_y;
  }
  const internal::Sums sums = options_.alpha > 0 ? internal::Sums::fast : internal::Sums::wide;
  std::vector<double> w;
  const auto n = static_cast<std::size_t>(train.x.rows());
  if (width <= n) {
    internal::NormalEquations equations =
        internal::normal_equations(train.x, train.weights, y, options_.fit_intercept, sums);
    clear_constants(equations, internal::total_weight(train.x.rows(), train.weights));
    for (std::size_t j = 0; j < width; ++j) equations.gram[j * width + j] += options_.alpha;
    solve(type(), equations.gram, equations.cross);
    w = std::move(equations.cross);
    means = std::move(equations.means);
  } else {  // by the products of rows: w is a sum of rows
    if (options_.fit_intercept) means = internal::column_means(train.x, train.weights);
    const std::vector<double> columns = internal::centred_columns(train.x, train.weights, means);
    std::vector<double> gram = internal::gram(data::Matrix(columns, train.x.rows()), {}, std::vector<double>(n), sums);
    for (std::size_t row = 0; row < n; ++row) {
      gram[row * n + row] += options_.alpha;
      if (!train.weights.empty()) y[row] *= std::sqrt(train.weights[row]);
    }
    solve(type(), gram, y);
    for (std::size_t j = 0; j < width; ++j) {
      w.push_back(internal::dot(columns.data() + j * n, y.data(), train.x.rows()));
    }
  }
  intercepts_ = {mean_y};
  for (std::size_t j = 0; j < width; ++j) intercepts_[0] -= w[j] * means[j];
  coefficients_ = std::move(w);
}

}  // namespace tern::models
