#include "tern/models/elastic_net.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <utility>

#include "base/retell.h"
#include "base/warnings.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "tern/base/error.h"

namespace tern::models {
namespace {

using internal::dot;
using internal::Fields;
using internal::require;
using tern::internal::class_name;
using tern::internal::speaking_as;

// |y - X w|² for centred columns and rows times the roots of their weights, as coordinate descent looks at it: by the
// columns' products where there are fewer columns than rows, else by the columns themselves.
class Squares {
 public:
  Squares(const data::Matrix& x, std::span<const double> weights, std::span<const double> means, std::vector<double> y)
      : d_(static_cast<std::size_t>(x.columns())), n_(static_cast<std::size_t>(x.rows())), by_products_(d_ <= n_) {
    to_y_ = internal::cross(x, weights, means, y);
    for (std::size_t row = 0; row < n_; ++row) square_y_ += y[row] * y[row] * (weights.empty() ? 1 : weights[row]);
    norms_.resize(d_);
    if (by_products_) {
      columns_ = internal::gram(x, weights, means, internal::Sums::wide);
      for (std::size_t j = 0; j < d_; ++j) norms_[j] = columns_[j * d_ + j];
      left_ = to_y_;
      return;
    }
    columns_ = internal::centred_columns(x, weights, means);
    for (std::size_t row = 0; row < n_; ++row) y[row] *= weights.empty() ? 1 : std::sqrt(weights[row]);
    for (std::size_t j = 0; j < d_; ++j) norms_[j] = dot(column(j), column(j));
    left_ = std::move(y);
  }

  std::size_t columns() const { return d_; }
  // Throws ValueError where sums have overflowed, of which a weight of 0 would tell nothing.
  void check(std::string_view type) const {
    bool finite = std::isfinite(square_y_);
    for (std::size_t j = 0; j < d_; ++j) finite = finite && std::isfinite(norms_[j]) && std::isfinite(to_y_[j]);
    if (!finite)
      throw ValueError("[" + class_name(type) + "] expected numbers whose squares have finite sums, got others");
  }

  double square_y() const { return square_y_; }
  double norm(std::size_t j) const { return norms_[j]; }
  const std::vector<double>& to_y() const { return to_y_; }
  // The product of a column with what is left of y.
  double left(std::size_t j) const { return by_products_ ? left_[j] : dot(column(j), left_); }
  void move(std::size_t j, double by) {
    const std::span<const double> of = column(j);
    for (std::size_t i = 0; i < left_.size(); ++i) left_[i] -= by * of[i];
  }
  // |y - X w|², and its product with y.
  std::pair<double, double> squares(const std::vector<double>& w) const {
    const double explained = dot(w, to_y_);
    if (!by_products_) {
      const double square = dot(left_, left_);
      return {square, square_y_ - explained};
    }
    return {std::max(0.0, square_y_ - explained - dot(w, left_)), square_y_ - explained};
  }

 private:
  std::span<const double> column(std::size_t j) const {
    const std::size_t size = by_products_ ? d_ : n_;
    return std::span(columns_).subspan(j * size, size);
  }

  std::size_t d_, n_;
  bool by_products_;
  double square_y_ = 0;
  std::vector<double> to_y_, columns_, norms_;
  std::vector<double> left_;  // the columns' products with what is left of y, or that itself
};

// l1 |w|₁ + l2 |w|² / 2, beside |y - X w|² / 2.
struct Penalty {
  double l1, l2;
};

double duality_gap(const Squares& squares, const std::vector<double>& w, const Penalty& penalty) {
  double most = 0, absolute = 0, square = 0;
  for (std::size_t j = 0; j < w.size(); ++j) {
    most = std::max(most, std::abs(squares.left(j) - penalty.l2 * w[j]));
    absolute += std::abs(w[j]);
    square += w[j] * w[j];
  }
  const double shrink = most > penalty.l1 ? penalty.l1 / most : 1;
  const auto [left, with_y] = squares.squares(w);
  return 0.5 * (1 + shrink * shrink) * (left + penalty.l2 * square) + penalty.l1 * absolute - shrink * with_y;
}

struct Descent {
  int iterations = 0;
  double gap = 0;
  bool converged = true;
};

// Goes on from `w`, for which `squares` stands.
Descent descend(Squares& squares, std::vector<double>& w, const Penalty& penalty, int max_iterations,
                double tolerance) {
  Descent found;
  while (true) {
    double most = 0, change = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const double norm = squares.norm(j);
      if (norm == 0) continue;  // a constant
      const double before = w[j], target = squares.left(j) + norm * before;
      const double shrunk = std::max(0.0, std::abs(target) - penalty.l1);
      w[j] = shrunk == 0 ? 0 : std::copysign(shrunk, target) / (norm + penalty.l2);
      if (w[j] != before) squares.move(j, w[j] - before);
      most = std::max(most, std::abs(w[j]));
      change = std::max(change, std::abs(w[j] - before));
    }
    ++found.iterations;
    const bool last = found.iterations == max_iterations;
    if (!last && change > tolerance * most) continue;
    found.gap = duality_gap(squares, w, penalty);
    found.converged = change == 0 || found.gap <= tolerance * squares.square_y();
    if (last || found.converged) return found;
  }
}

// What is minimised, for any penalty.
struct Problem {
  std::vector<double> means;
  double mean_y = 0, total = 0;
  std::vector<double> y;  // less its mean
};

Problem problem(const data::Matrix& x, std::span<const double> y, std::span<const double> weights, bool fit_intercept) {
  Problem made{std::vector<double>(static_cast<std::size_t>(x.columns())), 0, internal::total_weight(x.rows(), weights),
               std::vector<double>(y.begin(), y.end())};
  if (!fit_intercept) return made;
  made.means = internal::column_means(x, weights);
  made.mean_y = internal::weighted_mean(y, weights);
  for (double& value : made.y) value -= made.mean_y;
  return made;
}

double constant_of(const Problem& problem, const std::vector<double>& w) {
  return problem.mean_y - dot(w, problem.means);
}

}  // namespace

ElasticNet::ElasticNet(ElasticNetOptions options) : options_(options) { ElasticNet::check(); }

void ElasticNet::check() const {
  LinearModel::check();
  const auto must = [this](bool holds, const char* expected, double got) {
    require(class_name(type()), holds, expected, got);
  };
  must(options_.alpha > 0 && std::isfinite(options_.alpha), "a finite alpha above 0", options_.alpha);
  must(options_.l1_ratio >= 0 && options_.l1_ratio <= 1, "l1_ratio of 0 to 1", options_.l1_ratio);
  must(options_.max_iterations >= 1, "max_iterations of at least 1", options_.max_iterations);
  must(options_.tolerance >= 0, "tolerance of at least 0", options_.tolerance);
}

void ElasticNet::fields(Fields& fields) {
  fields("alpha", options_.alpha);
  fields("l1_ratio", options_.l1_ratio);
  fields("fit_intercept", options_.fit_intercept);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("iterations", iterations_);
  fields("gap", gap_);
  LinearModel::fields(fields);
}

std::unique_ptr<data::Estimator> ElasticNet::clone() const { return std::make_unique<ElasticNet>(*this); }
ElasticNet ElasticNet::load(const std::string& path) { return internal::load_as<ElasticNet>("elastic_net", path); }

Lasso::Lasso(const LassoOptions& options) try
    : ElasticNet({.alpha = options.alpha,
                  .l1_ratio = 1,
                  .fit_intercept = options.fit_intercept,
                  .max_iterations = options.max_iterations,
                  .tolerance = options.tolerance}) {
} catch (const Error&) {
  tern::internal::rethrow_as("Lasso");
}
std::unique_ptr<data::Estimator> Lasso::clone() const { return std::make_unique<Lasso>(*this); }
Lasso Lasso::load(const std::string& path) { return internal::load_as<Lasso>("lasso", path); }

void ElasticNet::learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) {
  if (options_.l1_ratio == 0) {  // has no gap that ends, but a solution
    speaking_as(class_name(type()), [&] {
      Ridge ridge({.alpha = options_.alpha * internal::total_weight(train.x.rows(), train.weights),
                   .fit_intercept = options_.fit_intercept});
      ridge.fit(train.x, train.y, {.weights = train.weights});
      coefficients_ = ridge.coefficients();
      intercepts_ = ridge.intercepts();
    });
    iterations_ = 1;
    gap_ = 0;
    return;
  }
  Problem problem = models::problem(train.x, train.y, train.weights, options_.fit_intercept);
  Squares squares(train.x, train.weights, problem.means, problem.y);
  squares.check(type());
  std::vector<double> w(squares.columns());
  const double strength = options_.alpha * problem.total;
  const Descent found = descend(squares, w, {strength * options_.l1_ratio, strength * (1 - options_.l1_ratio)},
                                options_.max_iterations, options_.tolerance);
  intercepts_ = {constant_of(problem, w)};
  coefficients_ = std::move(w);
  iterations_ = found.iterations;
  gap_ = found.gap / problem.total;
  if (!found.converged) {
    internal::warn_unconverged(class_name(type()), options_.max_iterations, "a duality gap", gap_,
                               options_.tolerance * squares.square_y() / problem.total);
  }
}

namespace {

// Learns a path instead of a model; `fit` checks what it is given.
class Path : public ElasticNet {
 public:
  explicit Path(const PathOptions& options)
      : ElasticNet({.l1_ratio = options.l1_ratio,
                    .fit_intercept = options.fit_intercept,
                    .max_iterations = options.max_iterations,
                    .tolerance = options.tolerance}),
        path_options_(options) {}
  LassoPath path{};

 protected:
  void learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) override {
    const Problem problem = models::problem(train.x, train.y, train.weights, options().fit_intercept);
    Squares squares(train.x, train.weights, problem.means, problem.y);
    squares.check(type());
    path.alphas = path_options_.alphas;
    if (path.alphas.empty()) {
      double most = 0;
      for (const double product : squares.to_y()) most = std::max(most, std::abs(product));
      most = std::max(most / (problem.total * options().l1_ratio), 1e-12);  // of a constant target any will do
      const int count = path_options_.count;
      for (int i = 0; i < count; ++i) {
        path.alphas.push_back(count == 1 ? most : most * std::pow(path_options_.shortest, i / (count - 1.0)));
      }
    }
    std::sort(path.alphas.begin(), path.alphas.end(), std::greater<>());
    std::vector<double> w(squares.columns());
    const tern::internal::FewWarnings one;  // of all alphas
    for (const double alpha : path.alphas) {
      const double strength = alpha * problem.total;
      const Penalty penalty{strength * options().l1_ratio, strength * (1 - options().l1_ratio)};
      const Descent found = descend(squares, w, penalty, options().max_iterations, options().tolerance);
      path.coefficients.insert(path.coefficients.end(), w.begin(), w.end());
      path.intercepts.push_back(constant_of(problem, w));
      path.gaps.push_back(found.gap / problem.total);
      if (!found.converged) {
        internal::warn_unconverged("lasso_path", options().max_iterations, "a duality gap", path.gaps.back(),
                                   options().tolerance * squares.square_y() / problem.total);
      }
    }
  }

 private:
  const PathOptions& path_options_;
};

}  // namespace

LassoPath lasso_path(const data::Matrix& x, const data::Vector& y, const PathOptions& options) {
  require("lasso_path", options.l1_ratio > 0, "l1_ratio above 0", options.l1_ratio);
  require("lasso_path", options.count >= 1, "a count of at least 1", options.count);
  require("lasso_path", options.shortest > 0 && options.shortest < 1, "shortest between 0 and 1", options.shortest);
  for (const double alpha : options.alphas) {
    require("lasso_path", alpha > 0 && std::isfinite(alpha), "finite alphas above 0", alpha);
  }
  return speaking_as("lasso_path", [&] {
    Path path(options);
    path.fit(x, y, {.weights = options.weights});
    return std::move(path.path);
  });
}

}  // namespace tern::models
