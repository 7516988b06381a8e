#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/calibration.h"

namespace tern::metrics {

/// What the intervals of a report cover, and what they do not.
inline constexpr std::string_view interval_label = "test sampling only, without refitting";

/// A figure with its bootstrap interval.
struct Interval {
  double value = std::numeric_limits<double>::quiet_NaN();  ///< NaN: undefined
  double low = std::numeric_limits<double>::quiet_NaN();    ///< NaN: no resample defines the figure, or none was drawn
  double high = std::numeric_limits<double>::quiet_NaN();
  std::int64_t undefined_resamples = 0;  ///< resamples without a value, left out of low and high
  std::string reason{};                  ///< why the value is undefined, or else why a report withholds the interval
};

/// The figures of decisions at one threshold.
struct ThresholdFigures {
  double threshold = 0.5;
  BinaryConfusion confusion;
  Interval accuracy;
  Interval precision;
  Interval recall;
  Interval f1;
};

/// Calibration with intervals; `bins` are those of the rows themselves, and every resample uses their edges.
///
/// The ece adds up absolute gaps, so noise raises it, in the rows and once more in each resample: its percentiles would
/// miss the truth of a calibrated model (the bootstrap fails where a function has a kink: Fang and Santos 2019). Its
/// interval is made of the bins' signed gaps g instead, with g* those of a resample: `low` is ece less the upper
/// quantile of sum |g* - g|, at least 0, and `high` is ece plus that of sum sign(g) (g - g*). It holds the ece, and by
/// the triangle inequality covers the truth at least as often as promised; it is wider than needed.
struct CalibrationFigures {
  Interval slope;
  Interval intercept;
  Interval ece;
  Binning binning = Binning::equal_width;
  std::vector<CalibrationBin> bins;
};

/// What wrong decisions at the threshold cost, a row on average, and what one decision for every row would.
struct CostFigures {
  double false_negative = 0;  ///< cost of a missed positive
  double false_positive = 0;  ///< cost of a false alarm; with both 0 no cost is reported
  Interval per_row;
  Interval always_negative;  ///< per row, with every row decided negative
  Interval always_positive;
};

struct BinaryReportOptions {
  double threshold = 0.5;                ///< chosen elsewhere (threshold.h); kept fixed in every resample
  std::span<const double> weights = {};  ///< one per row, or none; a resampled row brings its weight along
  /// The group of each row, or none: rows of a group are alike, so whole groups are resampled (Field and Welsh 2007).
  std::span<const std::int64_t> groups = {};
  double confidence = 0.95;       ///< of the intervals, between 0 and 1
  std::int64_t resamples = 1000;  ///< 0 gives no intervals; at most 1,000,000
  std::uint64_t seed = 0;         ///< draw i of resample r is row (or group) Philox(seed, r).below(i, rows)
  Binning binning = Binning::equal_width;
  int bins = 10;       ///< of the expected calibration error, 1 to 1000
  std::string note{};  ///< printed and written with the report: "used for selection"
  double false_negative_cost = 0, false_positive_cost = 0;  ///< not negative; both 0: no cost is reported
  /// Intervals are withheld unless so many rows (groups, where these are resampled) hold each class: from a handful a
  /// bootstrap draws the same handful again, and its percentiles promise what nobody knows. So is that of a precision
  /// of fewer rows decided positive.
  std::int64_t min_per_class = 0;
};

/// Everything that judges two-class probabilities on one set of rows.
struct BinaryReport {
  std::int64_t rows = 0;
  std::int64_t positives = 0;
  std::int64_t groups = 0;                                ///< that are resampled whole; 0: rows are
  std::int64_t positive_groups = 0, negative_groups = 0;  ///< of these, those with a row of the class
  double confidence = 0.95;
  std::int64_t resamples = 0;
  std::int64_t one_class_resamples = 0;  ///< resamples in which a class is absent
  std::uint64_t seed = 0;
  std::string note{};
  ThresholdFigures at_threshold;
  ThresholdFigures at_half;  ///< at 0.5
  Interval auroc;
  Interval average_precision;
  Interval log_loss;
  Interval brier;
  CalibrationFigures calibration;
  CostFigures cost;
  std::string no_intervals{};  ///< why there are none although resamples were asked for, or empty
};

/// Judges probabilities [N] against labels [N], with percentile bootstrap intervals (Efron 1979) over resampled rows
/// or groups: low and high are linear quantiles of the resamples that define the figure (ece: CalibrationFigures). The
/// same bits at any number of threads. Throws as the figures do (binary.h), ShapeError for another number of groups
/// than rows, and ValueError on an option out of range or more than 2^31 - 1 rows.
TERN_API BinaryReport binary_report(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                                    const BinaryReportOptions& options = {});

/// A small aligned table.
TERN_API std::string to_string(const BinaryReport& report);

/// The report as a JSON object: accuracy, precision, recall and f1 at the chosen threshold stand at the top and under
/// "at_threshold", those at 0.5 under "at_0.5". Every figure is {"value", "low", "high"}; an undefined number is null,
/// with "reason", and so are low and high where intervals are withheld ("no_intervals" says why); resamples without a
/// value are counted in "undefined_resamples"; "resampled" is "rows" or "groups", of which "groups" is the number.
/// Where costs were given, "cost" has them, and "total" and "per_row" of the decisions, of "always_negative" and of
/// "always_positive".
TERN_API std::string to_json(const BinaryReport& report);

}  // namespace tern::metrics
