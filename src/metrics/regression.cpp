#include "tern/metrics/regression.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"
#include "tern/metrics/accumulators.h"

namespace tern::metrics {
namespace {

void check(const char* where, std::span<const double> predictions, std::span<const double> targets,
           std::span<const double> weights) {
  internal::check_lengths(where, predictions.size(), targets.size(), weights.size());
  internal::check_numbers(where, "prediction", predictions, internal::Domain::finite);
  internal::check_numbers(where, "target", targets, internal::Domain::finite);
  internal::check_weights(where, weights);
}

RegressionFigures figures(const char* where, std::span<const double> predictions, std::span<const double> targets,
                          std::span<const double> weights) {
  check(where, predictions, targets, weights);  // as well as in add, so that the message names the figure
  RegressionAccumulator rows;
  rows.add(predictions, targets, weights);
  return rows.result();
}

/// Mean of loss(prediction, target).
template <class Loss>
double mean_of(std::span<const double> predictions, std::span<const double> targets, std::span<const double> weights,
               Loss loss) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    sum += weight * loss(predictions[i], targets[i]);
    total += weight;
  }
  return sum / total;
}

}  // namespace

double mean_squared_error(std::span<const double> predictions, std::span<const double> targets,
                          std::span<const double> weights) {
  return figures("mean_squared_error", predictions, targets, weights).mse;
}

double root_mean_squared_error(std::span<const double> predictions, std::span<const double> targets,
                               std::span<const double> weights) {
  return figures("root_mean_squared_error", predictions, targets, weights).rmse;
}

double mean_absolute_error(std::span<const double> predictions, std::span<const double> targets,
                           std::span<const double> weights) {
  return figures("mean_absolute_error", predictions, targets, weights).mae;
}

double mean_absolute_percentage_error(std::span<const double> predictions, std::span<const double> targets,
                                      std::span<const double> weights) {
  return figures("mean_absolute_percentage_error", predictions, targets, weights).mape;
}

double r2(std::span<const double> predictions, std::span<const double> targets, std::span<const double> weights) {
  return figures("r2", predictions, targets, weights).r2;
}

double mean_pinball_loss(std::span<const double> predictions, std::span<const double> targets, double quantile,
                         std::span<const double> weights) {
  const char* where = "mean_pinball_loss";
  if (!(quantile > 0 && quantile < 1)) {
    internal::refuse_value(where, "a quantile above 0 and below 1", internal::number_text(quantile));
  }
  check(where, predictions, targets, weights);
  return mean_of(predictions, targets, weights, [&](double prediction, double target) {
    const double error = target - prediction;
    return std::max(quantile * error, (quantile - 1) * error);
  });
}

double mean_poisson_deviance(std::span<const double> predictions, std::span<const double> targets,
                             std::span<const double> weights) {
  const char* where = "mean_poisson_deviance";
  check(where, predictions, targets, weights);
  for (const double prediction : predictions) {
    if (!(prediction > 0)) internal::refuse_value(where, "predictions above 0", internal::number_text(prediction));
  }
  for (const double target : targets) {
    if (target < 0) internal::refuse_value(where, "targets of at least 0", internal::number_text(target));
  }
  return mean_of(predictions, targets, weights, [](double prediction, double target) {
    return 2 * ((target > 0 ? target * std::log(target / prediction) : 0) - target + prediction);
  });
}

}  // namespace tern::metrics
