#include "tern/metrics/regression.h"

#include "metrics/check.h"
#include "tern/metrics/accumulators.h"

namespace tern::metrics {
namespace {

RegressionFigures figures(const char* where, std::span<const double> predictions, std::span<const double> targets,
                          std::span<const double> weights) {
  // Checked here as well as in add, so that the message names the figure.
  internal::check_lengths(where, predictions.size(), targets.size(), weights.size());
  internal::check_numbers(where, "prediction", predictions, internal::Domain::finite);
  internal::check_numbers(where, "target", targets, internal::Domain::finite);
  internal::check_weights(where, weights);
  RegressionAccumulator rows;
  rows.add(predictions, targets, weights);
  return rows.result();
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

}  // namespace tern::metrics
