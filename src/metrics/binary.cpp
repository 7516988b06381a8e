#include "tern/metrics/binary.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"
#include "metrics/groups.h"
#include "metrics/sums.h"

namespace tern::metrics {

using internal::Domain;
using internal::undefined;

namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : undefined; }

template <class F>
double weighted_mean(std::size_t rows, std::span<const double> weights, const F& value) {
  const auto n = static_cast<std::int64_t>(rows);
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  if (weights.empty()) {
    return internal::pairwise_sum(0, n, [&](std::int64_t i) { return value(at(i)); }) / static_cast<double>(n);
  }
  const double sum = internal::pairwise_sum(0, n, [&](std::int64_t i) { return weights[at(i)] * value(at(i)); });
  return sum / internal::pairwise_sum(0, n, [&](std::int64_t i) { return weights[at(i)]; });
}

}  // namespace

double BinaryConfusion::accuracy() const {
  return ratio(true_positive + true_negative, true_positive + true_negative + false_positive + false_negative);
}

double BinaryConfusion::balanced_accuracy() const {
  return 0.5 *
         (ratio(true_positive, true_positive + false_negative) + ratio(true_negative, true_negative + false_positive));
}

double BinaryConfusion::precision() const { return ratio(true_positive, true_positive + false_positive); }

double BinaryConfusion::recall() const { return ratio(true_positive, true_positive + false_negative); }

double BinaryConfusion::f_beta(double beta) const {
  const double square = beta * beta;
  if (!(beta > 0) || !std::isfinite(square)) {
    internal::refuse_value("f_beta", "a positive, finite beta", internal::number_text(beta));
  }
  return ratio((1 + square) * true_positive, (1 + square) * true_positive + square * false_negative + false_positive);
}

BinaryConfusion binary_confusion(std::span<const double> scores, std::span<const std::uint8_t> labels,
                                 const BinaryOptions& options) {
  constexpr const char* where = "binary_confusion";
  internal::check_binary(where, scores, labels, options.weights, Domain::finite);
  if (std::isnan(options.threshold)) internal::refuse_value(where, "a threshold that is a number", "nan");
  BinaryConfusion counts;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double weight = options.weights.empty() ? 1.0 : options.weights[i];
    if (scores[i] >= options.threshold) {
      (labels[i] == 1 ? counts.true_positive : counts.false_positive) += weight;
    } else {
      (labels[i] == 1 ? counts.false_negative : counts.true_negative) += weight;
    }
  }
  return counts;
}

double auroc(std::span<const double> scores, std::span<const std::uint8_t> labels, std::span<const double> weights) {
  internal::check_binary("auroc", scores, labels, weights, Domain::finite);
  const auto groups = internal::group_scores("auroc", scores, labels, weights);
  double area = 0, positives = 0, negatives = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    area += groups.negative(g) * (positives + 0.5 * groups.positive(g));
    positives += groups.positive(g);
    negatives += groups.negative(g);
  }
  return positives > 0 && negatives > 0 ? area / (positives * negatives) : undefined;
}

double average_precision(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const double> weights) {
  internal::check_binary("average_precision", scores, labels, weights, Domain::finite);
  const auto groups = internal::group_scores("average_precision", scores, labels, weights);
  double gain = 0, positives = 0, all = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    positives += groups.positive(g);
    all += groups.positive(g) + groups.negative(g);
    if (groups.positive(g) > 0) gain += groups.positive(g) * (positives / all);
  }
  return ratio(gain, positives);
}

double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                std::span<const double> weights) {
  internal::check_binary("log_loss", probabilities, labels, weights, Domain::probability);
  return weighted_mean(probabilities.size(), weights,
                       [&](std::size_t i) { return internal::clipped_loss(probabilities[i], labels[i]); });
}

double brier(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
             std::span<const double> weights) {
  internal::check_binary("brier", probabilities, labels, weights, Domain::probability);
  return weighted_mean(probabilities.size(), weights, [&](std::size_t i) {
    const double distance = probabilities[i] - labels[i];
    return distance * distance;
  });
}

RocCurve roc_curve(std::span<const double> scores, std::span<const std::uint8_t> labels,
                   std::span<const double> weights) {
  internal::check_binary("roc_curve", scores, labels, weights, Domain::finite);
  const auto groups = internal::group_scores("roc_curve", scores, labels, weights);
  RocCurve curve{{0}, {0}, {HUGE_VAL}};
  double positives = 0, negatives = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups.empty(g)) continue;
    positives += groups.positive(g);
    negatives += groups.negative(g);
    curve.true_positive_rate.push_back(positives);
    curve.false_positive_rate.push_back(negatives);
    curve.thresholds.push_back(groups.score[g]);
  }
  if (!(positives > 0) || !(negatives > 0)) internal::refuse_value("roc_curve", "rows of both classes", "one class");
  for (double& rate : curve.true_positive_rate) rate /= positives;
  for (double& rate : curve.false_positive_rate) rate /= negatives;
  return curve;
}

PrecisionRecallCurve precision_recall_curve(std::span<const double> scores, std::span<const std::uint8_t> labels,
                                            std::span<const double> weights) {
  internal::check_binary("precision_recall_curve", scores, labels, weights, Domain::finite);
  const auto groups = internal::group_scores("precision_recall_curve", scores, labels, weights);
  PrecisionRecallCurve curve{{1}, {0}, {}};
  double positives = 0, all = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups.empty(g)) continue;
    positives += groups.positive(g);
    all += groups.positive(g) + groups.negative(g);
    curve.precision.push_back(positives / all);
    curve.recall.push_back(positives);
    curve.thresholds.push_back(groups.score[g]);
  }
  if (!(positives > 0)) internal::refuse_value("precision_recall_curve", "a positive row", "none");
  for (double& share : curve.recall) share /= positives;
  std::reverse(curve.precision.begin(), curve.precision.end());
  std::reverse(curve.recall.begin(), curve.recall.end());
  std::reverse(curve.thresholds.begin(), curve.thresholds.end());
  return curve;
}

}  // namespace tern::metrics
