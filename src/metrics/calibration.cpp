#include "tern/metrics/calibration.h"

#include <cmath>

#include "metrics/check.h"
#include "metrics/groups.h"
#include "tern/base/error.h"

namespace tern::metrics {

using internal::Domain;

std::string to_string(CalibrationStatus status) {
  switch (status) {
    case CalibrationStatus::ok:
      return "ok";
    case CalibrationStatus::one_class:
      return "all labels are equal";
    case CalibrationStatus::constant:
      return "all probabilities are equal, so no slope is determined";
    case CalibrationStatus::separable:
      return "one probability divides the classes, so the best slope is infinite";
    case CalibrationStatus::not_converged:
      return "Newton's method did not converge";
  }
  throw ValueError("[to_string] expected a CalibrationStatus, got " + std::to_string(static_cast<int>(status)));
}

std::string to_string(Binning binning) {
  switch (binning) {
    case Binning::equal_width:
      return "equal-width";
    case Binning::quantile:
      return "quantile";
  }
  throw ValueError("[to_string] expected a Binning, got " + std::to_string(static_cast<int>(binning)));
}

CalibrationFit calibration_fit(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                               std::span<const double> weights) {
  internal::check_binary("calibration_fit", probabilities, labels, weights, Domain::probability);
  const auto groups = internal::group_scores("calibration_fit", probabilities, labels, weights);
  std::vector<internal::FitPoint> points;
  points.reserve(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups.empty(g)) continue;
    points.push_back(
        {internal::clipped_logit(groups.score[g]), groups.positive(g) + groups.negative(g), groups.positive(g)});
  }
  return internal::fit_logistic(points);
}

CalibrationError expected_calibration_error(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                                            const CalibrationErrorOptions& options) {
  constexpr const char* where = "expected_calibration_error";
  internal::check_binary(where, probabilities, labels, options.weights, Domain::probability);
  const auto edges = internal::bin_edges(where, probabilities, options.binning, options.bins);
  CalibrationError error{0, options.binning, std::vector<CalibrationBin>(edges.edges.size() - 1)};
  for (std::size_t b = 0; b < error.bins.size(); ++b) {
    error.bins[b].low = edges.edges[b];
    error.bins[b].high = edges.edges[b + 1];
  }
  double total = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    CalibrationBin& bin = error.bins[internal::bin_of(edges, probabilities[i])];
    const double weight = options.weights.empty() ? 1.0 : options.weights[i];
    ++bin.rows;
    bin.weight += weight;
    bin.mean_probability += weight * probabilities[i];
    bin.observed_rate += weight * labels[i];
    total += weight;
  }
  for (CalibrationBin& bin : error.bins) {
    error.value += std::fabs(bin.mean_probability - bin.observed_rate) / total;
    bin.mean_probability = bin.weight > 0 ? bin.mean_probability / bin.weight : internal::undefined;
    bin.observed_rate = bin.weight > 0 ? bin.observed_rate / bin.weight : internal::undefined;
  }
  return error;
}

}  // namespace tern::metrics
