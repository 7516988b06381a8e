#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"

namespace tern::metrics {

/// Why a logistic recalibration has, or has not, an answer.
enum class CalibrationStatus {
  ok,
  one_class,      ///< every row has the same label
  constant,       ///< every row has the same probability: the slope is not determined
  separable,      ///< one probability divides the classes: the best slope is infinite
  not_converged,  ///< Newton's method stopped at its limit of steps
};

/// In words: "ok", or the reason why there is no slope.
TERN_API std::string to_string(CalibrationStatus status);

/// Logistic recalibration: labels fitted by sigmoid(intercept + slope x logit(p)), both free, by maximum likelihood
/// (Cox 1958). A calibrated model has slope 1 and intercept 0; a slope below 1 means probabilities too far from the
/// mean.
struct CalibrationFit {
  double slope = 0;      ///< NaN unless `status` is ok
  double intercept = 0;  ///< NaN unless `status` is ok
  CalibrationStatus status = CalibrationStatus::ok;
};

/// Fits the recalibration of probabilities [N], clipped to [2^-52, 1 - 2^-52] before the logit. What cannot be fitted
/// is told by `status`. Throws as the other figures do (binary.h).
TERN_API CalibrationFit calibration_fit(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                                        std::span<const double> weights = {});

/// How [0, 1] is cut for the expected calibration error.
enum class Binning {
  equal_width,  ///< edges i / bins
  quantile,     ///< edges at the quantiles of the probabilities (linear, weights ignored); equal edges are merged
};

/// "equal-width" or "quantile".
TERN_API std::string to_string(Binning binning);

/// One bin (low, high]; the first includes its low edge.
struct CalibrationBin {
  double low = 0;
  double high = 0;
  std::int64_t rows = 0;
  double weight = 0;            ///< sum of the rows' weights
  double mean_probability = 0;  ///< NaN when `weight` is 0
  double observed_rate = 0;     ///< share of positives; NaN when `weight` is 0
};

struct CalibrationErrorOptions {
  Binning binning = Binning::equal_width;
  int bins = 10;                         ///< 1 to 1000
  std::span<const double> weights = {};  ///< one per row, or none
};

/// Expected calibration error (Naeini et al. 2015): the weighted mean over bins of |mean probability - observed rate|.
struct CalibrationError {
  double value = 0;
  Binning binning = Binning::equal_width;
  std::vector<CalibrationBin> bins;
};

/// The expected calibration error of probabilities [N], with its bins. Throws as the other figures do, and ValueError
/// on `bins` out of range.
TERN_API CalibrationError expected_calibration_error(std::span<const double> probabilities,
                                                     std::span<const std::uint8_t> labels,
                                                     const CalibrationErrorOptions& options = {});

}  // namespace tern::metrics
