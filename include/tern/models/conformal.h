#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"

/// Intervals and sets that hold the truth in a stated share of new rows, whatever the model: split conformal prediction
/// (Vovk, Gammerman & Shafer 2005). They are calibrated on rows that no model, stopping rule or setting was fitted on,
/// and hold in the mean over rows like those, not for each kind of row. What each learned is a number or two, kept as
/// JSON beside the model.
namespace tern::models {

/// Intervals of one width: prediction ± the quantile of the absolute errors.
class ConformalIntervals {
 public:
  /// Of predictions [n] and targets [n] of calibration rows. `scales` [n], finite and above 0, make intervals wider
  /// where errors are: the width is then a multiple of the scale (normalised scores). Throws ShapeError when lengths
  /// differ, ValueError for no rows, numbers that are not finite, or a coverage outside (0, 1).
  TERN_API ConformalIntervals(std::span<const double> predictions, std::span<const double> targets, double coverage,
                              std::span<const double> scales = {});

  /// Half of an interval's width, in units of y or of the scale; infinite where the calibration rows are too few.
  double radius() const { return radius_; }
  /// {low, high} of a prediction. Throws ValueError for a scale that is not finite and above 0.
  TERN_API std::pair<double, double> interval(double prediction, double scale = 1) const;

  TERN_API std::string to_json() const;
  /// Throws FormatError.
  TERN_API static ConformalIntervals from_json(std::string_view text);

 private:
  ConformalIntervals() = default;
  double radius_ = 0;
};

/// Intervals between two predicted quantiles, moved outwards or inwards by one number (Romano, Patterson & Candès
/// 2019).
class ConformalQuantiles {
 public:
  /// Of predicted low and high quantiles [n] and targets [n] of calibration rows. Throws as ConformalIntervals.
  TERN_API ConformalQuantiles(std::span<const double> low, std::span<const double> high,
                              std::span<const double> targets, double coverage);

  double shift() const { return shift_; }
  /// {low, high}; they meet in the middle where the shift crosses them.
  TERN_API std::pair<double, double> interval(double low, double high) const;

  TERN_API std::string to_json() const;
  /// Throws FormatError.
  TERN_API static ConformalQuantiles from_json(std::string_view text);

 private:
  ConformalQuantiles() = default;
  double shift_ = 0;
};

/// How ConformalSets judge a class.
enum class SetScore : std::uint8_t {
  least_ambiguous,  ///< 1 - its probability (Sadinle, Lei & Wasserman 2019): the smallest sets, sometimes empty
  adaptive          ///< the probability of it and of all likelier ones (Romano, Sesia & Candès 2020): never empty
};

/// Sets of classes.
class ConformalSets {
 public:
  /// Of probabilities [n * classes], row by row, and classes [n] of calibration rows. Throws ShapeError when lengths
  /// do not fit, ValueError for no rows, fewer than 2 or more than 10,000 classes, a class that is not there,
  /// probabilities that are not in [0, 1], a row of them whose sum is not 1 (within 0.001), or a coverage outside
  /// (0, 1).
  TERN_API ConformalSets(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                         std::int64_t classes, double coverage, SetScore score = SetScore::least_ambiguous);

  /// The largest score of a class in the set; infinite where the calibration rows are too few.
  double limit() const { return limit_; }
  /// The classes of a row of probabilities [classes], ascending. Throws ShapeError, ValueError for one outside [0, 1]
  /// and a sum that is not 1.
  TERN_API std::vector<std::int64_t> set(std::span<const double> probabilities) const;

  TERN_API std::string to_json() const;
  /// Throws FormatError.
  TERN_API static ConformalSets from_json(std::string_view text);

 private:
  ConformalSets() = default;
  double limit_ = 0;
  std::int64_t classes_ = 2;
  SetScore score_ = SetScore::least_ambiguous;
};

}  // namespace tern::models
