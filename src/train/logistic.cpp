#include "tern/train/logistic.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "tern/base/error.h"
#include "tern/models/glm.h"

namespace tern::train {

Logistic fit_logistic(std::span<const float> features, std::span<const std::uint8_t> labels,
                      const LogisticOptions& options) {
  if (labels.empty() || features.size() % labels.size() != 0) {
    throw ShapeError("[fit_logistic] expected features [rows, width] and labels [rows], got " +
                     std::to_string(features.size()) + " features and " + std::to_string(labels.size()) + " labels");
  }
  // In double: products of f32 would end before `tolerance`.
  const std::vector<double> x(features.begin(), features.end());
  std::vector<double> y;
  for (const std::uint8_t label : labels) y.push_back(label != 0);
  models::LogisticRegression model({.inverse_penalty = options.inverse_penalty,
                                    .max_iterations = options.max_iterations,
                                    .tolerance = options.tolerance});
  model.fit(data::Matrix(x, static_cast<std::int64_t>(features.size() / labels.size())), y,
            {.weights = options.weights});
  return {model.coefficients(), model.intercept(), model.iterations(), model.converged()};
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
    result[i] = 1 / (1 + std::exp(-z));
  }
  return result;
}

}  // namespace tern::train
