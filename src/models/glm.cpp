#include "tern/models/glm.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "models/links.h"
#include "models/minimise.h"
#include "tern/base/error.h"

namespace tern::models {
namespace {

using internal::Fields;
using internal::require;

enum class Loss { logistic, multinomial, poisson };

constexpr double kFar = 16;  // deviations from 0 to a mean of f32 rows, from which on products would lose digits

struct GlmOptions {
  const char* type;
  Loss loss;
  std::int64_t outputs = 1;
  bool fit_intercept = true;
  double l1 = 0, l2 = 0;  // penalties l1 |w|₁ + l2 |w|² / 2
  double tolerance = 0;   // of the gradient, times the deviation of a column where that is below 1
  int max_iterations = 100;
};

// The loss of a row, and its derivatives by the scores in their place.
double row_loss(Loss loss, double* scores, std::int64_t outputs, double y) {
  if (loss == Loss::multinomial) {
    const auto k = static_cast<std::int64_t>(y);
    const double of_class = scores[k], all = internal::softmax(scores, outputs);
    scores[k] -= 1;
    return all - of_class;
  }
  const double z = scores[0];
  if (loss == Loss::logistic) {
    scores[0] = internal::sigmoid(z) - y;
    return internal::softplus(y > 0 ? -z : z);
  }
  const double mean = std::exp(z);
  scores[0] = mean - y;
  return mean - y * z;
}

// Σ weight · loss + penalty in |w|². Parameters are the coefficients [outputs, d] of columns less their means, which
// a large mean makes no harder to find, and the constants behind them. A constant column, whose gradient would be
// rounding alone, stays at weight 0; f32 rows with a mean far from 0 are looked at less that mean.
class Objective {
 public:
  Objective(const data::Matrix& x, std::span<const double> y, std::span<const double> weights,
            const GlmOptions& options)
      : x_(x),
        y_(y),
        weights_(weights),
        options_(options),
        d_(x.columns()),
        total_(internal::total_weight(x.rows(), weights)) {
    means_ =
        options.fit_intercept ? internal::column_means(x, weights) : std::vector<double>(static_cast<std::size_t>(d_));
    variances_ = internal::column_variances(x, weights, means_);
    bool far = false;
    for (std::size_t j = 0; j < means_.size(); ++j) {
      if (!std::isfinite(variances_[j])) {
        throw ValueError("[" + std::string(options.type) +
                         "] expected numbers whose squares have finite sums, got others");
      }
      const double deviation = std::sqrt(variances_[j]);
      constant_.push_back(deviation <= 1e-15 * std::abs(means_[j]));
      far = far || (!constant_[j] && std::abs(means_[j]) > kFar * deviation);
    }
    offsets_ = means_;
    if (!far || !x.f32()) return;
    shift_.assign(means_.begin(), means_.end());
    for (std::size_t j = 0; j < means_.size(); ++j) offsets_[j] -= static_cast<double>(shift_[j]);
  }

  double total() const { return total_; }
  const std::vector<double>& means() const { return means_; }
  std::size_t coefficients() const { return static_cast<std::size_t>(options_.outputs * d_); }

  // About the inverse of the second derivatives, where those of the loss by a score are `curvature`.
  std::vector<double> scale(double curvature) const {
    std::vector<double> scale(coefficients() + static_cast<std::size_t>(options_.outputs));
    for (std::size_t i = 0; i < scale.size(); ++i) {
      const bool free = i >= coefficients();
      const std::size_t j = i % static_cast<std::size_t>(d_);
      const double bent = total_ * curvature * (free ? 1 : variances_[j]) + (free ? 0 : options_.l2);
      if (!std::isfinite(bent)) {
        throw ValueError("[" + std::string(options_.type) +
                         "] expected numbers whose squares have finite sums, got others");
      }
      scale[i] = bent > 0 && (free ? options_.fit_intercept : !constant_[j]) ? 1 / bent : 0;
    }
    return scale;
  }

  // By what the gradient of a parameter is judged: of a column with a deviation below 1, as if that were 1.
  std::vector<double> units() const {
    std::vector<double> units(coefficients() + static_cast<std::size_t>(options_.outputs), 1.0);
    for (std::size_t i = 0; i < coefficients(); ++i) {
      const std::size_t j = i % static_cast<std::size_t>(d_);
      if (!constant_[j]) units[i] = std::min(1.0, std::sqrt(variances_[j]));
    }
    return units;
  }

  double operator()(const std::vector<double>& at, std::vector<double>& gradient) const {
    return x_.f32() ? evaluate(x_.f32(), at, gradient) : evaluate(x_.f64(), at, gradient);
  }

 private:
  template <class T>
  double evaluate(const T* x, const std::vector<double>& at, std::vector<double>& gradient) const {
    const std::int64_t k = options_.outputs, d = d_;
    const auto width = static_cast<std::size_t>(k * d), outputs = static_cast<std::size_t>(k);
    const std::vector<T> w(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(width));
    std::vector<double> constants(at.begin() + static_cast<std::ptrdiff_t>(width), at.end());
    for (std::size_t i = 0; i < width; ++i)
      constants[i / static_cast<std::size_t>(d)] -=
          static_cast<double>(w[i]) * offsets_[i % static_cast<std::size_t>(d)];

    const kernels::cpu::GemmCode<T>& product = internal::products<T>();
    const std::int64_t stretch = std::clamp<std::int64_t>((1 << 19) / (d * std::int64_t{sizeof(T)}), 16, 512);
    std::vector<double> sums =
        internal::sum_blocks(x_.rows(), k * d + k + 1, [&](std::int64_t begin, std::int64_t end, double* out) {
          std::vector<T> products(static_cast<std::size_t>(stretch * k)), part(static_cast<std::size_t>(k * d));
          std::vector<T> near(shift_.empty() ? 0 : static_cast<std::size_t>(stretch * d));
          std::vector<double> scores(outputs);
          for (std::int64_t first = begin; first < end; first += stretch) {
            const std::int64_t rows = std::min(stretch, end - first);
            const T* at_first = x + first * d;
            for (std::size_t i = 0; i < near.size() && i < static_cast<std::size_t>(rows * d); i += shift_.size()) {
              for (std::size_t j = 0; j < shift_.size(); ++j) near[i + j] = at_first[i + j] - static_cast<T>(shift_[j]);
            }
            if (!near.empty()) at_first = near.data();
            product.block({.m = rows,
                           .n = k,
                           .k = d,
                           .a = at_first,
                           .a_row = d,
                           .a_column = 1,
                           .b = w.data(),
                           .b_row = 1,
                           .b_column = d,
                           .c = products.data(),
                           .c_row = k});
            for (std::int64_t i = 0; i < rows; ++i) {
              T* row = products.data() + i * k;
              for (std::size_t c = 0; c < outputs; ++c) scores[c] = static_cast<double>(row[c]) + constants[c];
              const auto at_row = static_cast<std::size_t>(first + i);
              const double weight = weights_.empty() ? 1 : weights_[at_row];
              const double loss = row_loss(options_.loss, scores.data(), k, y_[at_row]);
              if (weight > 0) out[k * d + k] += weight * loss;
              for (std::size_t c = 0; c < outputs; ++c) {
                const double slope = weight > 0 ? weight * scores[c] : 0;
                row[c] = static_cast<T>(slope);
                out[width + c] += slope;
              }
            }
            product.block({.m = k,
                           .n = d,
                           .k = rows,
                           .a = products.data(),
                           .a_row = 1,
                           .a_column = k,
                           .b = at_first,
                           .b_row = d,
                           .b_column = 1,
                           .c = part.data(),
                           .c_row = d});
            for (std::size_t i = 0; i < width; ++i) out[i] += static_cast<double>(part[i]);
          }
        });
    double value = sums.back();
    for (std::size_t i = 0; i < width; ++i) {
      const std::size_t j = i % static_cast<std::size_t>(d);
      sums[i] += options_.l2 * at[i] - sums[width + i / static_cast<std::size_t>(d)] * offsets_[j];
      if (constant_[j]) sums[i] = 0;
      value += 0.5 * options_.l2 * at[i] * at[i];
    }
    sums.pop_back();
    if (!options_.fit_intercept) std::fill(sums.begin() + static_cast<std::ptrdiff_t>(width), sums.end(), 0.0);
    gradient = std::move(sums);
    return value;
  }

  const data::Matrix& x_;
  std::span<const double> y_, weights_;
  const GlmOptions& options_;
  std::int64_t d_;
  double total_;
  std::vector<double> means_, variances_, offsets_;  // what the means are further than `shift_`
  std::vector<float> shift_;                         // of f32 rows, or none
  std::vector<bool> constant_;
};

struct Glm {
  std::vector<double> coefficients, intercepts;
  int iterations;
  bool converged;
};

// From the constants that are best without features.
Glm fit_glm(std::string_view type, const Objective& objective, const GlmOptions& options, std::vector<double> constants,
            double curvature) {
  const std::size_t width = objective.coefficients(), d = width / constants.size();
  std::vector<double> start(width);
  if (!options.fit_intercept) std::fill(constants.begin(), constants.end(), 0.0);
  start.insert(start.end(), constants.begin(), constants.end());
  const std::vector<double> scale = objective.scale(curvature), units = objective.units();
  std::vector<double> l1;
  if (options.l1 > 0) {
    l1.assign(start.size(), 0);
    std::fill(l1.begin(), l1.begin() + static_cast<std::ptrdiff_t>(width), options.l1);
  }
  const internal::Smooth smooth = [&](const std::vector<double>& at, std::vector<double>& gradient) {
    return objective(at, gradient);
  };
  internal::Minimum found = internal::minimise(smooth, std::move(start),
                                               {.max_iterations = options.max_iterations,
                                                .tolerance = options.tolerance,
                                                .units = units,
                                                .scale = scale,
                                                .l1 = l1});
  if (!found.converged) {
    const double total = objective.total();
    internal::warn_unconverged(type, options.max_iterations, "a gradient", found.slope / total,
                               options.tolerance / total);
  }
  Glm fitted{
      {}, {found.at.begin() + static_cast<std::ptrdiff_t>(width), found.at.end()}, found.iterations, found.converged};
  found.at.resize(width);
  for (std::size_t i = 0; i < width; ++i) fitted.intercepts[i / d] -= found.at[i] * objective.means()[i % d];
  fitted.coefficients = std::move(found.at);
  return fitted;
}

}  // namespace

LogisticRegression::LogisticRegression(LogisticOptions options) : options_(options) { LogisticRegression::check(); }

void LogisticRegression::check() const {
  LinearModel::check();
  const auto must = [](bool holds, const char* expected, double got) {
    require("LogisticRegression", holds, expected, got);
  };
  must(options_.inverse_penalty > 0, "inverse_penalty above 0", options_.inverse_penalty);
  must(options_.l1_ratio >= 0 && options_.l1_ratio <= 1, "l1_ratio of 0 to 1", options_.l1_ratio);
  must(options_.max_iterations >= 1, "max_iterations of at least 1", options_.max_iterations);
  must(options_.tolerance >= 0, "tolerance of at least 0", options_.tolerance);
}

void LogisticRegression::fields(Fields& fields) {
  fields("inverse_penalty", options_.inverse_penalty);
  fields("l1_ratio", options_.l1_ratio);
  fields("fit_intercept", options_.fit_intercept);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("iterations", iterations_);
  fields("converged", converged_);
  LinearModel::fields(fields);
}

std::unique_ptr<data::Estimator> LogisticRegression::clone() const {
  return std::make_unique<LogisticRegression>(*this);
}
LogisticRegression LogisticRegression::load(const std::string& path) {
  return internal::load_as<LogisticRegression>("logistic_regression", path);
}

void LogisticRegression::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) {
  const double total = internal::total_weight(train.x.rows(), train.weights);
  const GlmOptions options{.type = "LogisticRegression",
                           .loss = classes == 2 ? Loss::logistic : Loss::multinomial,
                           .outputs = classes == 2 ? 1 : classes,
                           .fit_intercept = options_.fit_intercept,
                           .l1 = options_.l1_ratio / options_.inverse_penalty,
                           .l2 = (1 - options_.l1_ratio) / options_.inverse_penalty,
                           .tolerance = options_.tolerance * total,
                           .max_iterations = options_.max_iterations};
  std::vector<double> shares(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < train.y.size(); ++row) {
    shares[static_cast<std::size_t>(train.y[row])] += (train.weights.empty() ? 1 : train.weights[row]) / total;
  }
  std::vector<double> constants;
  double mean = 0, curvature = 0;
  for (double& share : shares) {
    curvature += share * (1 - share) / static_cast<double>(classes);
    constants.push_back(std::log(std::max(share, 1e-6)));
    mean += constants.back() / static_cast<double>(classes);
  }
  if (classes == 2) {
    constants = {constants[1] - constants[0]};
  } else {
    for (double& constant : constants) constant -= mean;
  }
  Glm fitted = fit_glm(options.type, Objective(train.x, train.y, train.weights, options), options, std::move(constants),
                       std::max(curvature, 1e-6));
  coefficients_ = std::move(fitted.coefficients);
  intercepts_ = std::move(fitted.intercepts);
  if (classes > 2) {  // which matter but for their mean
    const double shift = internal::weighted_mean(intercepts_, {});
    for (double& intercept : intercepts_) intercept -= shift;
  }
  iterations_ = fitted.iterations;
  converged_ = fitted.converged;
}

std::vector<double> LogisticRegression::respond(const data::Matrix& x, bool probability) const {
  if (!probability) return greatest(x);
  std::vector<double> p = LinearModel::respond(x, false);
  const auto outputs = static_cast<std::int64_t>(intercepts_.size());
  if (outputs == 1) {
    for (double& z : p) z = internal::sigmoid(z);
  } else {
    for (std::int64_t row = 0; row < x.rows(); ++row) internal::softmax(p.data() + row * outputs, outputs);
  }
  return p;
}

PoissonRegression::PoissonRegression(PoissonOptions options) : options_(options) { PoissonRegression::check(); }

void PoissonRegression::check() const {
  LinearModel::check();
  const auto must = [](bool holds, const char* expected, double got) {
    require("PoissonRegression", holds, expected, got);
  };
  must(options_.alpha >= 0 && std::isfinite(options_.alpha), "a finite alpha of at least 0", options_.alpha);
  must(options_.max_iterations >= 1, "max_iterations of at least 1", options_.max_iterations);
  must(options_.tolerance >= 0, "tolerance of at least 0", options_.tolerance);
}

void PoissonRegression::fields(Fields& fields) {
  fields("alpha", options_.alpha);
  fields("fit_intercept", options_.fit_intercept);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("iterations", iterations_);
  fields("converged", converged_);
  LinearModel::fields(fields);
}

std::unique_ptr<data::Estimator> PoissonRegression::clone() const { return std::make_unique<PoissonRegression>(*this); }
PoissonRegression PoissonRegression::load(const std::string& path) {
  return internal::load_as<PoissonRegression>("poisson_regression", path);
}

void PoissonRegression::learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) {
  double mean = 0;
  const double total = internal::total_weight(train.x.rows(), train.weights);
  for (std::size_t row = 0; row < train.y.size(); ++row) {
    require("PoissonRegression", train.y[row] >= 0, "targets of at least 0", train.y[row]);
    mean += train.y[row] * (train.weights.empty() ? 1 : train.weights[row]) / total;
  }
  require("PoissonRegression", mean > 0, "a target above 0 in some row", mean);
  const GlmOptions options{.type = "PoissonRegression",
                           .loss = Loss::poisson,
                           .fit_intercept = options_.fit_intercept,
                           .l2 = options_.alpha * total,
                           .tolerance = options_.tolerance * total,
                           .max_iterations = options_.max_iterations};
  Glm fitted =
      fit_glm(options.type, Objective(train.x, train.y, train.weights, options), options, {std::log(mean)}, mean);
  coefficients_ = std::move(fitted.coefficients);
  intercepts_ = std::move(fitted.intercepts);
  iterations_ = fitted.iterations;
  converged_ = fitted.converged;
}

std::vector<double> PoissonRegression::respond(const data::Matrix& x, bool /*probability*/) const {
  std::vector<double> means = LinearModel::respond(x, false);
  for (double& z : means) z = std::exp(z);
  return means;
}

}  // namespace tern::models
