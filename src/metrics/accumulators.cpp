#include "tern/metrics/accumulators.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"
#include "metrics/groups.h"
#include "metrics/multiclass_loss.h"

namespace tern::metrics {

using internal::Domain;
using internal::undefined;

void BinaryAccumulator::add(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                            std::span<const double> weights) {
  internal::check_binary("BinaryAccumulator.add", probabilities, labels, weights, Domain::probability, true);
  probabilities_.insert(probabilities_.end(), probabilities.begin(), probabilities.end());
  labels_.insert(labels_.end(), labels.begin(), labels.end());
  if (weights.empty()) {
    weights_.resize(labels_.size(), 1.0);
  } else {
    weights_.insert(weights_.end(), weights.begin(), weights.end());
  }
}

void BinaryAccumulator::merge(const BinaryAccumulator& other) {
  if (&other == this) return merge(BinaryAccumulator(other));  // a vector cannot append from itself
  if (other.rows() > 0) add(other.probabilities_, other.labels_, other.weights_);
}

BinaryFigures BinaryAccumulator::result(double threshold) const {
  constexpr const char* where = "BinaryAccumulator.result";
  internal::check_binary(where, probabilities_, labels_, weights_, Domain::probability);
  if (std::isnan(threshold)) internal::refuse_value(where, "a threshold that is a number", "nan");
  const auto groups = internal::group_scores(where, probabilities_, labels_, weights_);
  const auto edges = internal::bin_edges(where, probabilities_, Binning::equal_width, 10);
  internal::BinaryEngine::Scratch scratch;
  const auto values = internal::BinaryEngine(groups, threshold, edges).evaluate(groups.mass, scratch);
  BinaryFigures figures;
  figures.rows = rows();
  figures.positives = std::count(labels_.begin(), labels_.end(), std::uint8_t{1});
  figures.confusion = values.at_threshold;
  figures.auroc = values.auroc;
  figures.average_precision = values.average_precision;
  figures.log_loss = values.log_loss;
  figures.brier = values.brier;
  figures.calibration = values.calibration;
  figures.ece = values.ece;
  return figures;
}

void ClassificationAccumulator::add(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                                    std::span<const double> weights) {
  const std::int64_t classes = confusion_.classes();
  internal::check_multiclass("ClassificationAccumulator.add", probabilities, labels, weights, classes, true);
  confusion_.add(most_probable(probabilities, classes), labels, weights);
  loss_ += internal::multiclass_loss_sum(probabilities, labels, weights, classes);
  weight_ += internal::weight_sum(labels.size(), weights);
  rows_ += static_cast<std::int64_t>(labels.size());
}

void ClassificationAccumulator::merge(const ClassificationAccumulator& other) {
  confusion_.merge(other.confusion_);
  loss_ += other.loss_;
  weight_ += other.weight_;
  rows_ += other.rows_;
}

ClassificationFigures ClassificationAccumulator::result() const {
  if (!(weight_ > 0)) internal::refuse_value("ClassificationAccumulator.result", "a row of positive weight", "none");
  ClassificationFigures figures;
  figures.rows = rows_;
  figures.accuracy = confusion_.accuracy();
  figures.balanced_accuracy = confusion_.balanced_accuracy();
  figures.log_loss = loss_ / weight_;
  const auto averaged = [this](Average kind) {
    return AveragedFigures{confusion_.precision(kind), confusion_.recall(kind), confusion_.f1(kind)};
  };
  figures.macro = averaged(Average::macro);
  figures.micro = averaged(Average::micro);
  figures.weighted = averaged(Average::weighted);
  return figures;
}

void RegressionAccumulator::add(std::span<const double> predictions, std::span<const double> targets,
                                std::span<const double> weights) {
  constexpr const char* where = "RegressionAccumulator.add";
  constexpr std::size_t leaf = 128;
  internal::check_lengths(where, predictions.size(), targets.size(), weights.size());
  internal::check_numbers(where, "prediction", predictions, Domain::finite);
  internal::check_numbers(where, "target", targets, Domain::finite);
  internal::check_weights(where, weights, true);

  const auto run = [&](std::size_t begin, std::size_t end) {
    RegressionAccumulator part;
    part.rows_ = static_cast<std::int64_t>(end - begin);
    part.origin_ = targets[0];
    for (std::size_t i = begin; i < end; ++i) {
      const double weight = weights.empty() ? 1.0 : weights[i], target = targets[i];
      if (weight == 0) continue;
      const double error = target - predictions[i];
      part.lowest_ = part.weight_ > 0 ? std::min(part.lowest_, target) : target;
      part.highest_ = part.weight_ > 0 ? std::max(part.highest_, target) : target;
      part.weight_ += weight;
      const double offset = target - part.origin_, delta = offset - part.mean_;
      part.mean_ += delta * (weight / part.weight_);
      part.deviation_ += weight * delta * (offset - part.mean_);
      part.squared_ += weight * error * error;
      part.absolute_ += weight * std::fabs(error);
      if (target == 0) {
        part.zero_target_ = true;
      } else {
        part.relative_ += weight * std::fabs(error / target);
      }
    }
    return part;
  };
  const auto halve = [&](const auto& self, std::size_t begin, std::size_t end) -> RegressionAccumulator {
    if (end - begin <= leaf) return run(begin, end);
    const std::size_t middle = begin + (end - begin) / 2;
    RegressionAccumulator part = self(self, begin, middle);
    part.merge(self(self, middle, end));
    return part;
  };
  merge(halve(halve, 0, targets.size()));
}

void RegressionAccumulator::merge(const RegressionAccumulator& other) {
  const std::int64_t rows = rows_ + other.rows_;
  if (other.weight_ > 0 && weight_ > 0) {
    const double weight = weight_ + other.weight_, delta = (other.origin_ - origin_) + (other.mean_ - mean_);
    deviation_ += other.deviation_ + delta * delta * (weight_ * (other.weight_ / weight));
    mean_ += delta * (other.weight_ / weight);
    weight_ = weight;
    squared_ += other.squared_;
    absolute_ += other.absolute_;
    relative_ += other.relative_;
    lowest_ = std::min(lowest_, other.lowest_);
    highest_ = std::max(highest_, other.highest_);
    zero_target_ = zero_target_ || other.zero_target_;
  } else if (other.weight_ > 0) {
    *this = other;
  }
  rows_ = rows;
}

RegressionFigures RegressionAccumulator::result() const {
  if (!(weight_ > 0)) internal::refuse_value("RegressionAccumulator.result", "a row of positive weight", "none");
  RegressionFigures figures;
  figures.rows = rows_;
  figures.mse = squared_ / weight_;
  figures.rmse = std::sqrt(figures.mse);
  figures.mae = absolute_ / weight_;
  figures.mape = zero_target_ ? undefined : relative_ / weight_;
  figures.r2 = lowest_ == highest_ ? undefined : 1 - squared_ / deviation_;
  return figures;
}

}  // namespace tern::metrics
