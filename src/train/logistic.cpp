#include "tern/train/logistic.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tern/base/error.h"
#include "tern/base/parallel.h"

namespace tern::train {
namespace {

constexpr std::int64_t block_rows = 512;

double sigmoid(double z) { return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z)); }
// log(1 + exp(z)) without overflow.
double softplus(double z) { return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)); }

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The penalised negative log-likelihood; parameters are the coefficients with the intercept behind them.
class Objective {
 public:
  Objective(std::span<const float> x, std::span<const std::uint8_t> y, const LogisticOptions& options)
      : x_(x),
        y_(y),
        weights_(options.weights),
        rows_(static_cast<std::int64_t>(y.size())),
        width_(x.size() / y.size()),
        penalty_(1 / options.inverse_penalty),
        curvature_(y.size()),
        partial_(static_cast<std::size_t>((rows_ + block_rows - 1) / block_rows) * (width_ + 2)) {}

  std::size_t parameters() const { return width_ + 1; }

  // Value, gradient, and the diagonal of the Hessian; keeps the rows' curvature for `product`.
  double evaluate(const std::vector<double>& at, std::vector<double>& gradient) {
    each_block([&](std::int64_t begin, std::int64_t end, double* out) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* row = this->row(i);
        const double z = score(row, at), p = sigmoid(z), w = weight(i);
        const bool positive = y_[static_cast<std::size_t>(i)] != 0;
        curvature_[static_cast<std::size_t>(i)] = w * p * (1 - p);
        const double slope = w * (p - (positive ? 1 : 0));
        for (std::size_t j = 0; j < width_; ++j) out[j] += slope * static_cast<double>(row[j]);
        out[width_] += slope;
        out[width_ + 1] += w * (positive ? softplus(-z) : softplus(z));
      }
    });
    std::vector<double> sums(width_ + 2);
    combine(sums);
    double value = sums[width_ + 1];
    for (std::size_t j = 0; j < width_; ++j) {
      value += 0.5 * penalty_ * at[j] * at[j];
      sums[j] += penalty_ * at[j];
    }
    gradient.assign(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(width_) + 1);
    return value;
  }

  // Hessian times `direction`, at the point last evaluated.
  void product(const std::vector<double>& direction, std::vector<double>& result) {
    each_block([&](std::int64_t begin, std::int64_t end, double* out) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* row = this->row(i);
        const double s = curvature_[static_cast<std::size_t>(i)] * score(row, direction);
        for (std::size_t j = 0; j < width_; ++j) out[j] += s * static_cast<double>(row[j]);
        out[width_] += s;
      }
    });
    std::vector<double> sums(width_ + 2);
    combine(sums);
    for (std::size_t j = 0; j < width_; ++j) sums[j] += penalty_ * direction[j];
    result.assign(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(width_) + 1);
  }

 private:
  const float* row(std::int64_t i) const { return x_.data() + static_cast<std::size_t>(i) * width_; }
  double weight(std::int64_t i) const { return weights_.empty() ? 1.0 : weights_[static_cast<std::size_t>(i)]; }
  double score(const float* row, const std::vector<double>& w) const {
    double z = w[width_];
    for (std::size_t j = 0; j < width_; ++j) z += w[j] * static_cast<double>(row[j]);
    return z;
  }
  template <class F>
  void each_block(F f) {
    std::fill(partial_.begin(), partial_.end(), 0.0);
    parallel_for(rows_, block_rows, [&](std::int64_t begin, std::int64_t end) {
      f(begin, end, partial_.data() + static_cast<std::size_t>(begin / block_rows) * (width_ + 2));
    });
  }
  void combine(std::vector<double>& sums) const {  // in block order: the same bits at any thread count
    for (std::size_t at = 0; at < partial_.size(); at += width_ + 2) {
      for (std::size_t j = 0; j < width_ + 2; ++j) sums[j] += partial_[at + j];
    }
  }

  std::span<const float> x_;
  std::span<const std::uint8_t> y_;
  std::span<const double> weights_;
  std::int64_t rows_;
  std::size_t width_;
  double penalty_;
  std::vector<double> curvature_, partial_;
};

// Solves H step = -gradient by conjugate gradients, as closely as Newton's method profits from.
std::vector<double> newton_step(Objective& objective, const std::vector<double>& gradient) {
  const std::size_t n = gradient.size();
  std::vector<double> step(n), residual(n), direction(n), image;
  for (std::size_t j = 0; j < n; ++j) residual[j] = direction[j] = -gradient[j];
  double square = dot(residual, residual);
  const double norm = std::sqrt(square);
  const double enough = norm * std::min(0.1, std::sqrt(norm) * 1e-3);
  for (std::size_t k = 0; k < 2 * n + 20 && std::sqrt(square) > enough; ++k) {
    objective.product(direction, image);
    const double curvature = dot(direction, image);
    if (!(curvature > 0)) break;  // an unpenalised direction that no row bends
    const double alpha = square / curvature;
    for (std::size_t j = 0; j < n; ++j) {
      step[j] += alpha * direction[j];
      residual[j] -= alpha * image[j];
    }
    const double next = dot(residual, residual);
    for (std::size_t j = 0; j < n; ++j) direction[j] = residual[j] + next / square * direction[j];
    square = next;
  }
  return step;
}

}  // namespace

Logistic fit_logistic(std::span<const float> features, std::span<const std::uint8_t> labels,
                      const LogisticOptions& options) {
  if (labels.empty() || features.size() % labels.size() != 0) {
    throw ShapeError("[fit_logistic] expected features [rows, width] and labels [rows], got " +
                     std::to_string(features.size()) + " features and " + std::to_string(labels.size()) + " labels");
  }
  if (!options.weights.empty() && options.weights.size() != labels.size()) {
    throw ShapeError("[fit_logistic] expected " + std::to_string(labels.size()) + " weights, got " +
                     std::to_string(options.weights.size()));
  }
  if (!(options.inverse_penalty > 0) || !std::isfinite(options.inverse_penalty)) {
    throw ValueError("[fit_logistic] expected inverse_penalty above 0, got " + std::to_string(options.inverse_penalty));
  }
  const auto positives = std::count_if(labels.begin(), labels.end(), [](std::uint8_t y) { return y != 0; });
  if (positives == 0 || positives == static_cast<std::ptrdiff_t>(labels.size())) {
    throw ValueError("[fit_logistic] expected rows of both classes, got one class only");
  }

  Objective objective(features, labels, options);
  const double rows = static_cast<double>(labels.size()), rate = static_cast<double>(positives) / rows;
  std::vector<double> at(objective.parameters()), gradient, trial_gradient;
  at.back() = std::log(rate / (1 - rate));
  double value = objective.evaluate(at, gradient);
  Logistic fitted;
  for (; fitted.iterations < options.max_iterations; ++fitted.iterations) {
    double largest = 0;
    for (const double g : gradient) largest = std::max(largest, std::abs(g));
    if (largest <= options.tolerance * rows) {
      fitted.converged = true;
      break;
    }
    const std::vector<double> step = newton_step(objective, gradient);
    const double slope = dot(step, gradient);
    double length = 1;
    std::vector<double> trial(at.size());
    double trial_value = 0;
    for (;; length /= 2) {
      for (std::size_t j = 0; j < at.size(); ++j) trial[j] = at[j] + length * step[j];
      trial_value = objective.evaluate(trial, trial_gradient);
      if (trial_value <= value + 1e-4 * length * slope || length < 1e-10) break;
    }
    const bool moved = trial_value < value;
    at.swap(trial);
    gradient.swap(trial_gradient);
    value = trial_value;
    if (!moved) {  // as low as double precision tells
      fitted.converged = length >= 1e-10;
      break;
    }
  }
  fitted.intercept = at.back();
  at.pop_back();
  fitted.coefficients = std::move(at);
  return fitted;
}

std::vector<double> Logistic::predict(std::span<const float> features) const {
  const std::size_t width = coefficients.size();
  if (width == 0 || features.size() % width != 0) {
    throw ShapeError("[Logistic::predict] expected features [rows, " + std::to_string(width) + "], got " +
                     std::to_string(features.size()) + " values");
  }
  std::vector<double> result(features.size() / width);
  for (std::size_t i = 0; i < result.size(); ++i) {
    double z = intercept;
    for (std::size_t j = 0; j < width; ++j) z += coefficients[j] * static_cast<double>(features[i * width + j]);
    result[i] = sigmoid(z);
  }
  return result;
}

}  // namespace tern::train
