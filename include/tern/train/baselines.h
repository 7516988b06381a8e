#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/train/logistic.h"
#include "tern/train/report.h"
#include "tern/train/task.h"

namespace tern::data {
class Table;
}

namespace tern::train {

/// Simple predictors that a model has to beat, fitted on the training rows.
struct Baselines {
  std::vector<double> prior;  ///< rate of each class; regression: the mean target, one value
  Logistic logistic{};        ///< two classes only; without coefficients otherwise
  /// Decision thresholds of the two (two classes only); NaN: none was chosen, and the task's is taken.
  double prior_threshold = std::numeric_limits<double>::quiet_NaN();
  double logistic_threshold = std::numeric_limits<double>::quiet_NaN();
  /// Pipeline::to_json of the steps that make the logistic regression's features of those of an estimator, which may be
  /// no numbers; empty: they are the model's.
  std::string features{};
};

/// Fits the baselines of a fitted task; where it balances classes, the logistic regression too weighs them so.
TERN_API Baselines fit_baselines(const Task& task, const data::Dataset& training);

/// The same beside an estimator, on the features that it was fitted with and the target: for the logistic regression
/// gaps are filled and marked, numbers standardized, times taken apart, and levels that ten rows have become columns.
TERN_API Baselines fit_baselines(const Task& task, const data::Table& training);

/// The rows that the baselines of an estimator are scored on, of its features and the target.
TERN_API data::Dataset baseline_rows(const Baselines& baselines, const Task& task, const data::Table& features);

/// Chooses a threshold for each baseline on validation rows by the task's rule, as the model's is. Nothing to choose
/// unless the task is binary.
TERN_API void choose_thresholds(Baselines& baselines, const Task& task, const data::Dataset& validation);

TERN_API std::string to_json(const Baselines& baselines);
/// Throws FormatError.
TERN_API Baselines baselines_from_json(std::string_view text);

struct JudgeOptions {
  std::string rows_name = "validation";
  std::string note{};
  int resamples = 1000;  ///< bootstrap behind the intervals; 0: none
  std::uint64_t seed = 0;
  std::span<const std::int64_t> groups = {};  ///< of each row, or none: whole groups are resampled
};

/// Judges predictions (`Task::predict`) on labelled rows beside the baselines' predictions for the same rows, each at
/// its own threshold.
TERN_API Report judge(const Task& task, const std::vector<double>& predictions, const data::Dataset& dataset,
                      const Baselines& baselines, const JudgeOptions& options = {});

}  // namespace tern::train
