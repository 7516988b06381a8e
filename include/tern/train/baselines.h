#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/train/logistic.h"
#include "tern/train/report.h"
#include "tern/train/task.h"

namespace tern::train {

/// Simple predictors that a model has to beat, fitted on the training rows.
struct Baselines {
  std::vector<double> prior;  ///< rate of each class; regression: the mean target, one value
  Logistic logistic{};        ///< two classes only; without coefficients otherwise
};

/// Fits the baselines of a fitted task.
TERN_API Baselines fit_baselines(const Task& task, const data::Dataset& training);

TERN_API std::string to_json(const Baselines& baselines);
/// Throws FormatError.
TERN_API Baselines baselines_from_json(std::string_view text);

struct JudgeOptions {
  std::string rows_name = "validation";
  std::string note{};
  int resamples = 1000;  ///< bootstrap behind the intervals; 0: none
  std::uint64_t seed = 0;
};

/// Judges predictions (`Task::predict`) on labelled rows beside the baselines' predictions for the same rows.
TERN_API Report judge(const Task& task, const std::vector<double>& predictions, const data::Dataset& dataset,
                      const Baselines& baselines, const JudgeOptions& options = {});

}  // namespace tern::train
