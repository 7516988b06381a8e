#include "tern/models/linear.h"

#include <cmath>
#include <utility>

#include "base/json.h"
#include "cpu/decompositions.h"
#include "models/files.h"
#include "tern/base/error.h"

namespace tern::models {

Ridge::Ridge(RidgeOptions options) : options_(options) {
  if (!(options_.alpha >= 0) || !std::isfinite(options_.alpha)) {
    throw ValueError("[Ridge] expected a finite alpha of at least 0, got " + std::to_string(options_.alpha));
  }
}

std::unique_ptr<data::Estimator> Ridge::clone() const { return std::make_unique<Ridge>(*this); }

void Ridge::learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) {
  const std::int64_t n = train.x.rows(), d = train.x.columns();
  const auto width = static_cast<std::size_t>(d);
  std::vector<double> mean(width);
  double mean_y = 0, sum = 0;
  const auto weight = [&](std::int64_t row) {
    return train.weights.empty() ? 1.0 : train.weights[static_cast<std::size_t>(row)];
  };
  if (options_.fit_intercept) {
    for (std::int64_t row = 0; row < n; ++row) {
      const double w = weight(row);
      sum += w;
      mean_y += w * train.y[static_cast<std::size_t>(row)];
      for (std::int64_t j = 0; j < d; ++j) mean[static_cast<std::size_t>(j)] += w * train.x.at(row, j);
    }
    mean_y /= sum;
    for (double& m : mean) m /= sum;
  }
  std::vector<double> gram(width * width), right(width), centred(width);
  for (std::int64_t row = 0; row < n; ++row) {
    const double w = weight(row), y = train.y[static_cast<std::size_t>(row)] - mean_y;
    for (std::size_t j = 0; j < width; ++j) {
      centred[j] = train.x.at(row, static_cast<std::int64_t>(j)) - mean[j];
      right[j] += w * centred[j] * y;
      for (std::size_t k = 0; k <= j; ++k) gram[j * width + k] += w * centred[j] * centred[k];
    }
  }
  for (std::size_t j = 0; j < width; ++j) gram[j * width + j] += options_.alpha;
  if (!kernels::cholesky_solve(gram.data(), d, right.data(), 1)) {
    throw ValueError(
        "[Ridge] expected columns that do not repeat each other, or an alpha above 0, got a singular system");
  }
  double intercept = mean_y;
  for (std::size_t j = 0; j < width; ++j) intercept -= right[j] * mean[j];
  coefficients_ = std::move(right);
  intercept_ = intercept;
}

std::vector<double> Ridge::respond(const data::Matrix& x, bool /*probability*/) const {
  std::vector<double> out(static_cast<std::size_t>(x.rows()), intercept_);
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    for (std::int64_t j = 0; j < x.columns(); ++j) {
      out[static_cast<std::size_t>(row)] += x.at(row, j) * coefficients_[static_cast<std::size_t>(j)];
    }
  }
  return out;
}

std::string Ridge::to_json() const {
  tern::internal::Json json;
  json["alpha"] = options_.alpha;
  json["fit_intercept"] = options_.fit_intercept;
  json["coefficients"] = coefficients_;
  json["intercept"] = intercept_;
  return tern::internal::json_text(json);
}

std::unique_ptr<data::Estimator> Ridge::from_state(const data::EstimatorState& state) {
  using tern::internal::json_get;
  const tern::internal::Json json = tern::internal::parse_json(state.json, "ridge");
  auto made = std::make_unique<Ridge>(RidgeOptions{.alpha = json_get<double>(json, "alpha", "ridge"),
                                                   .fit_intercept = json_get<bool>(json, "fit_intercept", "ridge")});
  made->coefficients_ = json_get<std::vector<double>>(json, "coefficients", "ridge");
  made->intercept_ = json_get<double>(json, "intercept", "ridge");
  if (made->coefficients_.empty()) throw FormatError("[ridge] expected coefficients, got none");
  return made;
}

Ridge Ridge::load(const std::string& path) { return internal::load_as<Ridge>("ridge", path); }

}  // namespace tern::models
