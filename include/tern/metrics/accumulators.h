#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/export.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/calibration.h"
#include "tern/metrics/multiclass.h"

/// Figures of rows that arrive in pieces. An `add` that throws (as the figures do, binary.h) adds nothing.
namespace tern::metrics {

/// Figures of two-class probabilities; NaN where undefined (binary.h).
struct BinaryFigures {
  std::int64_t rows = 0;
  std::int64_t positives = 0;
  BinaryConfusion confusion{};  ///< at the threshold asked for
  double auroc = 0;
  double average_precision = 0;
  double log_loss = 0;
  double brier = 0;
  CalibrationFit calibration{};
  double ece = 0;  ///< over ten equal-width bins
};

/// Keeps every row (17 bytes each), so its figures are exact: pieces merged in the order of their rows give the same
/// bits as one `add` of them all.
class TERN_API BinaryAccumulator {
 public:
  /// Adds probabilities [N], labels [N] and weights [N] or none (1 each).
  void add(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
           std::span<const double> weights = {});
  /// Appends the other's rows after these.
  void merge(const BinaryAccumulator& other);
  std::int64_t rows() const { return static_cast<std::int64_t>(labels_.size()); }
  std::span<const double> probabilities() const { return probabilities_; }
  std::span<const std::uint8_t> labels() const { return labels_; }
  std::span<const double> weights() const { return weights_; }
  /// The figures of all rows so far. Throws ValueError when there are none.
  BinaryFigures result(double threshold = 0.5) const;

 private:
  std::vector<double> probabilities_;
  std::vector<std::uint8_t> labels_;
  std::vector<double> weights_;
};

/// Precision, recall and F1 under one average.
struct AveragedFigures {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

/// Figures of class probabilities; NaN where undefined (multiclass.h).
struct ClassificationFigures {
  std::int64_t rows = 0;
  double accuracy = 0;
  double balanced_accuracy = 0;
  double log_loss = 0;
  AveragedFigures macro{};
  AveragedFigures micro{};
  AveragedFigures weighted{};
};

/// Keeps the confusion matrix and the sum of log losses: memory does not grow with the rows. Unweighted counts are
/// exact in any order; the log loss depends on the order of merging in its last bits.
class TERN_API ClassificationAccumulator {
 public:
  /// Throws ValueError unless `classes` is 2 to 4096.
  explicit ClassificationAccumulator(std::int64_t classes) : confusion_(classes) {}
  /// Adds row-major probabilities [N x classes], labels [N] and weights [N] or none; the prediction is the most
  /// probable class, the lowest of equals.
  void add(std::span<const double> probabilities, std::span<const std::int64_t> labels,
           std::span<const double> weights = {});
  /// Throws ShapeError when the number of classes differs.
  void merge(const ClassificationAccumulator& other);
  std::int64_t rows() const { return rows_; }
  const ConfusionMatrix& confusion() const { return confusion_; }
  /// The figures of all rows so far. Throws ValueError when there are none.
  ClassificationFigures result() const;

 private:
  ConfusionMatrix confusion_;
  std::int64_t rows_ = 0;
  double weight_ = 0;
  double loss_ = 0;
};

/// Figures of real-valued predictions; NaN where undefined (regression.h).
struct RegressionFigures {
  std::int64_t rows = 0;
  double mse = 0;
  double rmse = 0;
  double mae = 0;
  double mape = 0;
  double r2 = 0;
};

/// Keeps weighted means and sums of squared deviations, merged by the formulas of Chan, Golub and LeVeque (1983):
/// stable for targets far from 0, memory does not grow with the rows.
class TERN_API RegressionAccumulator {
 public:
  /// Adds predictions [N], targets [N] and weights [N] or none.
  void add(std::span<const double> predictions, std::span<const double> targets, std::span<const double> weights = {});
  void merge(const RegressionAccumulator& other);
  std::int64_t rows() const { return rows_; }
  /// The figures of all rows so far. Throws ValueError when there are none.
  RegressionFigures result() const;

 private:
  std::int64_t rows_ = 0;
  double weight_ = 0;
  double origin_ = 0;     // a target: means are kept as offsets from it, where they have all their digits
  double mean_ = 0;       // of the targets, less origin_
  double deviation_ = 0;  // sum of weighted squared deviations from the mean
  double squared_ = 0, absolute_ = 0, relative_ = 0;
  double lowest_ = 0, highest_ = 0;  // targets of positive weight; valid when weight_ > 0
  bool zero_target_ = false;
};

}  // namespace tern::metrics
