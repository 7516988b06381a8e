#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/export.h"

/// Figures of two-class predictions.
///
/// Rules of this module: labels are 0 or 1 (1 is the positive class); a row is predicted positive when its
/// score >= threshold; weights are finite and not negative, none given means 1 each, and a row of weight 0 counts as
/// absent. A figure that the rows do not define (a precision without predicted positives, an AUROC of one class) is
/// NaN, never 0. No rows, or weights that sum to 0, throw ValueError; lengths that differ ShapeError; a NaN or infinity
/// NumericError; a label, weight or probability outside its range ValueError. The message names the figure.
namespace tern::metrics {

/// Weighted counts of the four outcomes at one threshold, and what follows from them.
struct TERN_API BinaryConfusion {
  double true_positive = 0;
  double false_positive = 0;
  double false_negative = 0;
  double true_negative = 0;

  /// Share of rows decided rightly; NaN without rows.
  double accuracy() const;
  /// Mean of the recalls of the two classes; NaN when one class is absent.
  double balanced_accuracy() const;
  /// Share of the predicted positives that are positive; NaN when nothing is predicted positive.
  double precision() const;
  /// Share of the positives that are found; NaN without positives.
  double recall() const;
  /// (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP), van Rijsbergen 1979; 0 when positives exist and none is found, NaN
  /// when there is neither a positive nor a predicted one. Throws ValueError unless beta is positive and finite.
  double f_beta(double beta) const;
  /// `f_beta(1)`.
  double f1() const { return f_beta(1); }
};

struct BinaryOptions {
  double threshold = 0.5;                ///< score >= threshold is predicted positive
  std::span<const double> weights = {};  ///< one per row, or none
};

/// Counts the outcomes of scores [N] against labels [N] at a threshold.
TERN_API BinaryConfusion binary_confusion(std::span<const double> scores, std::span<const std::uint8_t> labels,
                                          const BinaryOptions& options = {});

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counted half (the midrank
/// statistic of Mann and Whitney). NaN when one class is absent.
TERN_API double auroc(std::span<const double> scores, std::span<const std::uint8_t> labels,
                      std::span<const double> weights = {});

/// Average precision: sum over distinct scores, from the highest, of (gain in recall) x precision, without
/// interpolation. NaN without positives.
TERN_API double average_precision(std::span<const double> scores, std::span<const std::uint8_t> labels,
                                  std::span<const double> weights = {});

/// Mean of -log(probability given to the label). Probabilities [N] of the positive class; each side is clipped to
/// [e, 1 - e], e = 2^-52, so a certain mistake costs 36.04 and not infinity.
TERN_API double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                         std::span<const double> weights = {});

/// Mean squared distance between probability and label (Brier 1950, the two-class form in [0, 1]).
TERN_API double brier(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                      std::span<const double> weights = {});

/// Points of a ROC curve from (0, 0) to (1, 1); every distinct score is a point.
struct RocCurve {
  std::vector<double> false_positive_rate;
  std::vector<double> true_positive_rate;
  std::vector<double> thresholds;  ///< descending; the first is infinity: nothing is predicted positive
};

/// The ROC curve of scores [N]. Throws ValueError when one class is absent.
TERN_API RocCurve roc_curve(std::span<const double> scores, std::span<const std::uint8_t> labels,
                            std::span<const double> weights = {});

/// Points of a precision-recall curve, recall descending; a last point (precision 1, recall 0) has no threshold.
struct PrecisionRecallCurve {
  std::vector<double> precision;
  std::vector<double> recall;
  std::vector<double> thresholds;  ///< ascending, one fewer than points
};

/// The precision-recall curve of scores [N]; every distinct score is a point. Throws ValueError without positives.
TERN_API PrecisionRecallCurve precision_recall_curve(std::span<const double> scores,
                                                     std::span<const std::uint8_t> labels,
                                                     std::span<const double> weights = {});

}  // namespace tern::metrics
