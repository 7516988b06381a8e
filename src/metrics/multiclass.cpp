#include "tern/metrics/multiclass.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "metrics/check.h"
#include "metrics/groups.h"
#include "metrics/multiclass_loss.h"
#include "metrics/sums.h"
#include "tern/base/error.h"

namespace tern::metrics {

using internal::Domain;
using internal::undefined;

namespace {

void check_beta(double beta) {
  if (!(beta > 0) || !std::isfinite(beta * beta)) {
    internal::refuse_value("f_beta", "a positive, finite beta", internal::number_text(beta));
  }
}

}  // namespace

/// One class against all others.
struct ConfusionMatrix::OneClass {
  double hit = 0, predicted = 0, occurring = 0;

  static double ratio(double part, double whole) { return whole > 0 ? part / whole : undefined; }
  double precision() const { return ratio(hit, predicted); }
  double recall() const { return ratio(hit, occurring); }
  double f_beta(double beta) const {
    const double square = beta * beta;
    return ratio((1 + square) * hit, square * occurring + predicted);
  }
};

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes) {
  if (classes < 2 || classes > 4096) {
    internal::refuse_value("ConfusionMatrix", "2 to 4096 classes", std::to_string(classes));
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::add(std::span<const std::int64_t> predictions, std::span<const std::int64_t> labels,
                          std::span<const double> weights) {
  constexpr const char* where = "confusion_matrix";
  internal::check_lengths(where, predictions.size(), labels.size(), weights.size());
  internal::check_classes(where, "prediction", predictions, classes_);
  internal::check_classes(where, "label", labels, classes_);
  internal::check_weights(where, weights, true);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    counts_[static_cast<std::size_t>(labels[i] * classes_ + predictions[i])] += weights.empty() ? 1.0 : weights[i];
  }
}

void ConfusionMatrix::merge(const ConfusionMatrix& other) {
  if (other.classes_ != classes_) {
    throw ShapeError("[ConfusionMatrix.merge] expected " + std::to_string(classes_) + " classes, got " +
                     std::to_string(other.classes_));
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

double ConfusionMatrix::count(std::int64_t label, std::int64_t prediction) const {
  if (label < 0 || label >= classes_ || prediction < 0 || prediction >= classes_) {
    throw IndexError("[ConfusionMatrix.count] expected classes from 0 to " + std::to_string(classes_ - 1) +
                     ", got label " + std::to_string(label) + ", prediction " + std::to_string(prediction));
  }
  return counts_[static_cast<std::size_t>(label * classes_ + prediction)];
}

double ConfusionMatrix::total() const { return std::accumulate(counts_.begin(), counts_.end(), 0.0); }

ConfusionMatrix::OneClass ConfusionMatrix::one_class(std::int64_t index) const {
  if (index < 0 || index >= classes_) {
    throw IndexError("[ConfusionMatrix] expected a class from 0 to " + std::to_string(classes_ - 1) + ", got " +
                     std::to_string(index));
  }
  OneClass result;
  for (std::int64_t other = 0; other < classes_; ++other) {
    result.occurring += counts_[static_cast<std::size_t>(index * classes_ + other)];
    result.predicted += counts_[static_cast<std::size_t>(other * classes_ + index)];
  }
  result.hit = counts_[static_cast<std::size_t>(index * classes_ + index)];
  return result;
}

template <class F>
double ConfusionMatrix::average(Average kind, const F& figure) const {
  OneClass all;
  double sum = 0, weight = 0;
  for (std::int64_t index = 0; index < classes_; ++index) {
    const OneClass one = one_class(index);
    all.hit += one.hit;
    all.predicted += one.predicted;
    all.occurring += one.occurring;
    const double value = figure(one);
    if (std::isnan(value)) continue;
    const double share = kind == Average::weighted ? one.occurring : 1.0;
    sum += share * value;
    weight += share;
  }
  return kind == Average::micro ? figure(all) : OneClass::ratio(sum, weight);
}

double ConfusionMatrix::accuracy() const {
  double hits = 0;
  for (std::int64_t index = 0; index < classes_; ++index) {
    hits += counts_[static_cast<std::size_t>(index * classes_ + index)];
  }
  return OneClass::ratio(hits, total());
}

double ConfusionMatrix::precision(Average kind) const {
  return average(kind, [](const OneClass& one) { return one.precision(); });
}

double ConfusionMatrix::recall(Average kind) const {
  return average(kind, [](const OneClass& one) { return one.recall(); });
}

double ConfusionMatrix::f_beta(double beta, Average kind) const {
  check_beta(beta);
  return average(kind, [beta](const OneClass& one) { return one.f_beta(beta); });
}

double ConfusionMatrix::precision(std::int64_t index) const { return one_class(index).precision(); }

double ConfusionMatrix::recall(std::int64_t index) const { return one_class(index).recall(); }

double ConfusionMatrix::f_beta(double beta, std::int64_t index) const {
  check_beta(beta);
  return one_class(index).f_beta(beta);
}

ConfusionMatrix confusion_matrix(std::span<const std::int64_t> predictions, std::span<const std::int64_t> labels,
                                 std::int64_t classes, std::span<const double> weights) {
  ConfusionMatrix matrix(classes);
  matrix.add(predictions, labels, weights);
  internal::check_weights("confusion_matrix", weights);
  return matrix;
}

namespace internal {

void check_multiclass(const char* where, std::span<const double> probabilities, std::span<const std::int64_t> labels,
                      std::span<const double> weights, std::int64_t classes, bool allow_zero_sum) {
  const std::size_t n = labels.size(), width = static_cast<std::size_t>(classes);
  if (n == 0 && probabilities.empty()) refuse_value(where, "at least one row", "none");
  if (probabilities.size() != n * width) {
    throw ShapeError(std::string("[") + where + "] expected " + std::to_string(n) + " x " + std::to_string(classes) +
                     " probabilities, got " + std::to_string(probabilities.size()));
  }
  check_lengths(where, n, n, weights.size());
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (const double p : probabilities.subspan(i * width, width)) {
      if (!std::isfinite(p)) {
        throw NumericError(std::string("[") + where + "] expected finite probabilities, got " + number_text(p) +
                           " at row " + std::to_string(i));
      }
      if (p < 0 || p > 1) {
        refuse_value(where, "probabilities from 0 to 1", number_text(p) + " at row " + std::to_string(i));
      }
      sum += p;
    }
    if (!(std::fabs(sum - 1) <= 1e-4)) {
      refuse_value(where, "probabilities that sum to 1 within 1e-4",
                   "a sum of " + number_text(sum) + " at row " + std::to_string(i));
    }
  }
  check_classes(where, "label", labels, classes);
  check_weights(where, weights, allow_zero_sum);
}

double multiclass_loss_sum(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                           std::span<const double> weights, std::int64_t classes) {
  return pairwise_sum(0, static_cast<std::int64_t>(labels.size()), [&](std::int64_t i) {
    const auto row = static_cast<std::size_t>(i);
    const double loss = clipped_loss(probabilities[static_cast<std::size_t>(i * classes + labels[row])], 1);
    return weights.empty() ? loss : weights[row] * loss;
  });
}

double weight_sum(std::size_t rows, std::span<const double> weights) {
  if (weights.empty()) return static_cast<double>(rows);
  return pairwise_sum(0, static_cast<std::int64_t>(rows),
                      [&](std::int64_t i) { return weights[static_cast<std::size_t>(i)]; });
}

}  // namespace internal

double log_loss(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                std::span<const double> weights) {
  constexpr const char* where = "log_loss";
  if (labels.empty()) internal::refuse_value(where, "at least one row", "none");
  if (probabilities.size() % labels.size() != 0 || probabilities.size() / labels.size() < 2) {
    throw ShapeError("[log_loss] expected two or more probabilities for each of " + std::to_string(labels.size()) +
                     " labels, got " + std::to_string(probabilities.size()));
  }
  const auto classes = static_cast<std::int64_t>(probabilities.size() / labels.size());
  internal::check_multiclass(where, probabilities, labels, weights, classes, false);
  return internal::multiclass_loss_sum(probabilities, labels, weights, classes) /
         internal::weight_sum(labels.size(), weights);
}

std::vector<std::int64_t> most_probable(std::span<const double> probabilities, std::int64_t classes) {
  constexpr const char* where = "most_probable";
  if (classes < 1) internal::refuse_value(where, "at least one class", std::to_string(classes));
  const auto width = static_cast<std::size_t>(classes);
  if (probabilities.size() % width != 0) {
    throw ShapeError("[most_probable] expected a multiple of " + std::to_string(classes) + " probabilities, got " +
                     std::to_string(probabilities.size()));
  }
  internal::check_numbers(where, "score", probabilities, Domain::finite);
  std::vector<std::int64_t> result;
  result.reserve(probabilities.size() / width);
  for (std::size_t at = 0; at < probabilities.size(); at += width) {
    const auto row = probabilities.subspan(at, width);
    result.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return result;
}

}  // namespace tern::metrics
