#include "tern/models/svm.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/retell.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "models/files.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::models {
namespace {

constexpr std::string_view kSvmLosses[] = {"squared_hinge", "hinge"};

// One class against the others: `w` [d + 1] becomes the coefficients and the constant. Gives how far the projected
// gradients of the last pass are from 0 and from one another.
template <class T>
double train_class(const T* x, std::span<const double> y, std::span<const double> weights, double positive,
                   const LinearSvmOptions& options, std::span<double> w) {
  const auto n = static_cast<std::int64_t>(y.size()), d = static_cast<std::int64_t>(w.size()) - 1;
  const bool squared = options.loss == HingeLoss::squared_hinge;
  const double constant = options.fit_intercept ? 1 : 0;
  std::vector<double> alpha(y.size()), norms(y.size());
  for (std::int64_t row = 0; row < n; ++row) {
    norms[static_cast<std::size_t>(row)] = internal::dot(x + row * d, x + row * d, d) + constant;
    if (!std::isfinite(norms[static_cast<std::size_t>(row)])) {
      throw ValueError("[LinearSvm] expected numbers whose squares have finite sums, got others in row " +
                       std::to_string(row));
    }
  }
  double apart = 0;
  for (int pass = 0; pass < options.max_iterations; ++pass) {
    double highest = -std::numeric_limits<double>::infinity(), lowest = -highest;
    for (const std::int64_t row : permutation(n, Philox(options.seed, static_cast<std::uint64_t>(pass)))) {
      const auto i = static_cast<std::size_t>(row);
      const double c = options.inverse_penalty * (weights.empty() ? 1 : weights[i]);
      if (c == 0) continue;
      const double side = y[i] == positive ? 1 : -1, most = squared ? std::numeric_limits<double>::infinity() : c;
      const double ridge = squared ? 0.5 / c : 0, curvature = norms[i] + ridge;
      const double gradient =
          side * (internal::dot(w.data(), x + row * d, d) + constant * w[w.size() - 1]) - 1 + ridge * alpha[i];
      const double projected = alpha[i] == 0      ? std::min(gradient, 0.0)
                               : alpha[i] == most ? std::max(gradient, 0.0)
                                                  : gradient;
      highest = std::max(highest, projected);
      lowest = std::min(lowest, projected);
      if (projected == 0) continue;
      const double before = alpha[i];
      alpha[i] = curvature > 0 ? std::clamp(before - gradient / curvature, 0.0, most) : most;
      const double step = side * (alpha[i] - before);
      for (std::int64_t j = 0; j < d; ++j) w[static_cast<std::size_t>(j)] += step * static_cast<double>(x[row * d + j]);
      w[w.size() - 1] += step * constant;
    }
    apart = std::max({highest - lowest, highest, -lowest});
    if (apart <= options.tolerance) break;
  }
  return apart;
}

}  // namespace

LinearSvm::LinearSvm(LinearSvmOptions options) : options_(options) { LinearSvm::check(); }

void LinearSvm::check() const {
  LinearModel::check();
  const auto must = [](bool holds, const char* expected, double got) {
    internal::require("LinearSvm", holds, expected, got);
  };
  must(options_.inverse_penalty > 0 && std::isfinite(options_.inverse_penalty), "a finite inverse_penalty above 0",
       options_.inverse_penalty);
  must(options_.max_iterations >= 1, "max_iterations of at least 1", options_.max_iterations);
  must(options_.tolerance >= 0, "tolerance of at least 0", options_.tolerance);
}

void LinearSvm::fields(internal::Fields& fields) {
  fields("inverse_penalty", options_.inverse_penalty);
  fields("loss", options_.loss, kSvmLosses);
  fields("fit_intercept", options_.fit_intercept);
  fields("max_iterations", options_.max_iterations);
  fields("tolerance", options_.tolerance);
  fields("seed", options_.seed);
  fields("converged", converged_);
  LinearModel::fields(fields);
}

std::unique_ptr<data::Estimator> LinearSvm::clone() const { return std::make_unique<LinearSvm>(*this); }
LinearSvm LinearSvm::load(const std::string& path) { return internal::load_as<LinearSvm>("linear_svm", path); }

void LinearSvm::learn(const Rows& train, const Rows& /*validation*/, std::int64_t classes) {
  const std::int64_t outputs = classes == 2 ? 1 : classes, d = train.x.columns();
  std::vector<double> w(static_cast<std::size_t>(outputs * (d + 1)));
  std::vector<double> apart(static_cast<std::size_t>(outputs));
  parallel_for(outputs, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const auto part = std::span(w).subspan(static_cast<std::size_t>(k * (d + 1)), static_cast<std::size_t>(d + 1));
      const double positive = outputs == 1 ? 1 : static_cast<double>(k);
      apart[static_cast<std::size_t>(k)] =
          train.x.f32() ? train_class(train.x.f32(), train.y, train.weights, positive, options_, part)
                        : train_class(train.x.f64(), train.y, train.weights, positive, options_, part);
    }
  });
  coefficients_.clear();
  intercepts_.clear();
  for (std::int64_t k = 0; k < outputs; ++k) {
    const auto begin = w.begin() + k * (d + 1);
    coefficients_.insert(coefficients_.end(), begin, begin + d);
    intercepts_.push_back(*(begin + d));
  }
  const double most = *std::max_element(apart.begin(), apart.end());
  converged_ = most <= options_.tolerance;
  if (!converged_) {
    internal::warn_unconverged(tern::internal::class_name(type()), options_.max_iterations, "projected gradients", most,
                               options_.tolerance);
  }
}

std::vector<double> LinearSvm::respond(const data::Matrix& x, bool probability) const {
  if (probability) throw StateError("[LinearSvm] expected a model with probabilities, got one of margins alone");
  return greatest(x);
}

}  // namespace tern::models
