#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/selectors.h"
#include "tern/data/table.h"

namespace tern::data {

/// What a step may know while it is fitted.
struct FitContext {
  std::string target{};    ///< the target's column in the table, which no selector chooses; empty: none
  std::uint64_t seed = 0;  ///< of whatever the step draws (the folds of target_encoding)
};

/// One fitted, savable change of a table. Steps choose their columns when they are fitted, remember what they learned,
/// and then treat each row by itself: a row alone gives the same bits as that row in a table, in any order and on any
/// thread. Columns a step was not fitted for pass through; new columns stand behind the others. Where the name of a new
/// column is taken when the step is fitted, it is the first of NAME_2, NAME_3, … that is free, and stays it.
class TERN_API Step {
 public:
  virtual ~Step() = default;

  /// The name under which it is registered: "standardize".
  virtual std::string_view type() const = 0;
  /// A deep copy.
  virtual std::unique_ptr<Step> clone() const = 0;
  /// Learns from a table. Throws DataError naming the column that cannot be learned from.
  virtual void fit(const Table& table, const FitContext& context) = 0;
  /// Applies what was learned; const and thread-safe. Throws StateError before `fit`, DataError when a fitted column is
  /// missing or of another type.
  virtual Table transform(const Table& table) const = 0;
  /// The same for rows that are scored, not trained on: a step that refuses the rows it was fitted on takes them here.
  virtual Table transform_scored(const Table& table) const { return transform(table); }
  /// Fits, and gives the table as a model may be trained on it: a supervised step answers out of fold here.
  virtual Table fit_transform(const Table& table, const FitContext& context) = 0;
  /// The columns it makes anew, each with a column that it is made from; again for each further one.
  virtual std::vector<std::pair<std::string, std::string>> derived() const = 0;
  /// Of each of its columns that has any, how many values in these rows it does not know (levels that are rare or new)
  /// and takes as others.
  virtual std::vector<std::pair<std::string, std::int64_t>> unseen(const Table& /*table*/) const { return {}; }
  /// Options and what was learned, as a JSON object.
  virtual std::string to_json() const = 0;
};

/// Steps are handed to a Pipeline by these, which copies them; by hand: `step->fit(train, {}); step->transform(test)`.
using StepPtr = std::shared_ptr<Step>;

/// Makes a step again from what `Step::to_json` gave. Throws FormatError.
using StepLoader = std::function<StepPtr(std::string_view json)>;

/// Registers a step type of one's own, so that pipelines with it can be loaded. Throws ValueError when the name is
/// taken.
TERN_API void register_step(std::string type, StepLoader loader);
/// Loads a step of a registered type. Throws FormatError that lists the types when the name is unknown.
TERN_API StepPtr load_step(std::string_view type, std::string_view json);

// ---- cleaning

/// Options of normalize_formats.
struct NormalizeOptions {
  Selector columns = text();       ///< text or categories
  std::int64_t max_levels = 1000;  ///< strings with more different values stay text
  double max_level_share = 0.5;    ///< as do those with more different values than this share of the rows (above 20)
  /// Columns with their written form (formats.h): as detect_formats finds them in a whole file, so that a form does not
  /// hang on the rows that are trained on; or `string` or `categorical`, for what only looks like one.
  std::vector<std::pair<std::string, std::string>> formats{};
  bool find_formats = true;  ///< finds those of the other columns when it is fitted; false: they have none
};
/// Types text columns: those that are numbers written as "$1,234.50", "(20)" or "12%" become f64,
/// yes/no and true/false boolean, dates in one unambiguous format timestamps, and the rest categorical unless it is
/// free text. Formats are found when it is fitted, stored, and the same when serving, where a value that breaks the
/// format of numbers or dates is a DataError, and a word beside yes and no a missing value (`Pipeline::unseen` counts
/// them). An ambiguous date format is a DataError that asks for the type. Throws ValueError for a format of no name.
TERN_API StepPtr normalize_formats(NormalizeOptions options = {});

/// What missing values are filled with.
enum class Fill : std::uint8_t { mean, median, most_frequent };

/// Fills missing values (NaN counts as one). Numbers and booleans become f64. `most_frequent` takes the smallest of the
/// values that tie; text and categories take it alone; timestamps it or the (lower) median. A column all missing when
/// fitted is a DataError.
TERN_API StepPtr impute(Selector columns, Fill fill);
/// Fills missing numbers and booleans with a number; they become f64. Throws ValueError unless it is finite.
TERN_API StepPtr impute(Selector columns, double constant);
/// Fills missing text or categories with a word.
TERN_API StepPtr impute(Selector columns, std::string constant);

/// Options of missing_indicator.
struct MissingIndicatorOptions {
  bool all_columns = false;  ///< also for columns that had no missing value when fitted
};
/// Adds a boolean `NAME_missing` for each of the columns that had missing values when fitted.
TERN_API StepPtr missing_indicator(Selector columns, MissingIndicatorOptions options = {});

// ---- numbers: results are f64, missing values stay missing

/// (x - mean) / sd, sd with n as scikit-learn's StandardScaler; a column that is constant when fitted gives 0.
TERN_API StepPtr standardize(Selector columns);

/// Options of min_max.
struct MinMaxOptions {
  double low = 0, high = 1;  ///< what the fitted minimum and maximum become
  bool clip = false;         ///< hold values outside the fitted range to [low, high]
};
/// To [low, high] by the fitted minimum and maximum; a constant column gives `low`.
TERN_API StepPtr min_max(Selector columns, MinMaxOptions options = {});

/// Options of robust.
struct RobustOptions {
  double low = 0.25, high = 0.75;  ///< quantiles whose distance is the scale
};
/// (x - median) / (q_high - q_low), quantiles interpolated linearly; where they coincide the scale is 1, and a constant
/// column gives 0.
TERN_API StepPtr robust(Selector columns, RobustOptions options = {});

/// log(1 + x). A fitted column with a value <= -1 is a DataError; so is such a value later.
TERN_API StepPtr log(Selector columns);

/// Options of clip: by quantiles of the fitted column unless a bound is given.
struct ClipOptions {
  double low_quantile = 0.01, high_quantile = 0.99;       ///< linear interpolation
  double low = -std::numeric_limits<double>::infinity();  ///< with `high`: fixed bounds, used when one is finite
  double high = std::numeric_limits<double>::infinity();
};
/// Holds values between two bounds.
TERN_API StepPtr clip(Selector columns, ClipOptions options = {});

// ---- categories: text, categorical, boolean and i64 columns

/// Where one_hot puts a level that it does not keep: a rare one, or one that it was not fitted with.
enum class Unseen : std::uint8_t {
  other,  ///< to "other", where the rare levels are, when there are any, else all zeros
  zeros   ///< all zeros, as rare levels then are
};

/// Options of one_hot.
struct OneHotOptions {
  std::int64_t min_count = 1;       ///< levels with fewer rows are not kept: they go where `unseen` says
  Unseen unseen = Unseen::other;    ///< levels met only later
  bool missing_level = true;        ///< missing values are a level of their own where there were any; else all zeros
  bool drop_first = false;          ///< leave the first column out
  std::int64_t max_levels = 10000;  ///< more columns than this from one column is a DataError
};
/// One boolean column `NAME=LEVEL` for each level of a column, sorted by bytes (ordered levels in their order), then
/// `NAME=<missing>` and `NAME=<other>`. The saved pipeline names the levels that are kept, and no others.
TERN_API StepPtr one_hot(Selector columns, OneHotOptions options = {});

/// Options of ordinal.
struct OrdinalOptions {
  double unseen = -1;          ///< for levels met only later
  double missing = -2;         ///< for missing values
  std::int64_t min_count = 1;  ///< levels with fewer rows are not kept: they are unseen
};
/// The position of the level among those kept, as f64: 0 for the first by bytes (or by the order of an ordered
/// categorical). What is kept stands in the saved pipeline: `min_count` 10 keeps out what fewer than ten rows share.
TERN_API StepPtr ordinal(Selector columns, OrdinalOptions options = {});

/// Options of target_encoding.
struct TargetEncodingOptions {
  double smoothing = 10;        ///< rows that the overall mean counts for beside a level's own
  int folds = 5;                ///< of the out-of-fold values that fit_transform gives
  std::int64_t min_count = 10;  ///< levels (and missing values) of fewer rows are not kept: they are unseen
};
/// The smoothed mean of the target over the rows of a level: (sum + smoothing * mean) / (count + smoothing)
/// (Micci-Barreca 2001), missing being a level and unseen levels giving the mean. The target is a number, a boolean, or
/// has two values, the second by bytes counting as 1. `fit_transform` encodes each fold of rows by the others.
/// `transform` refuses a table with any row it was fitted on (`Table::origin` and `row_id`) with StateError, for the
/// row's own target would be in its features; `transform_scored` takes every row. Rows read from text are known by the
/// text, whatever file it lies in, and after saving and loading too; rows of tables made in memory are known in the
/// process that made them, and not saved. A table whose encoded columns are alike in content is no reason to refuse.
TERN_API StepPtr target_encoding(Selector columns, TargetEncodingOptions options = {});

// ---- timestamps

/// Options of date_parts.
struct DatePartsOptions {
  bool year = true, month = true, day = true, weekday = true, hour = true;  ///< weekday: 0 is Monday
  bool days_since = true;  ///< days since the 10th earliest value it was fitted with; of fewer than 20: since 2000
  bool cyclic = false;     ///< month, day, weekday and hour as sine and cosine instead
};
/// UTC parts of timestamps, as f64: `NAME_year`, `NAME_month`, …, `NAME_days`, `NAME_month_sin`; the column goes.
/// Where every value that it is fitted on is at midnight, there is no hour, unless that is all that is asked for. The
/// earliest value itself is not kept: it may be a single row's. A missing value is missing in every part:
/// missing_indicator before this step says it once.
TERN_API StepPtr date_parts(Selector columns, DatePartsOptions options = {});

// ---- columns

/// Leaves columns out.
TERN_API StepPtr drop(Selector columns);
/// Leaves out all columns but these (and the target).
TERN_API StepPtr keep(Selector columns);

}  // namespace tern::data
