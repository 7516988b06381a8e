#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/metrics/report.h"

namespace tern::train {

/// One predictor judged on one set of rows.
struct Judged {
  std::string name{};                                   ///< "model", "prior", "logistic regression"
  metrics::BinaryReport binary;                         ///< two classes only
  std::vector<std::pair<std::string, double>> figures;  ///< multiclass and regression: name and value
};

/// The model beside its baselines on one set of rows.
struct Report {
  std::string rows_name{};  ///< "validation", "test"
  std::string note{};       ///< "used for selection", how often the rows have been opened
  std::string warning{};  ///< that the rows are few (few_rows), that the prior does better (beaten_by_prior), or empty
  std::string target{};   ///< the column that is predicted
  bool binary = false;
  std::string positive{}, negative{};  ///< the two classes
  std::string threshold_rule{};        ///< how thresholds were chosen, as metrics::parse_threshold_rule reads it
  std::int64_t rows = 0;
  Judged model;
  std::vector<Judged> baselines;
};

/// Intervals are given, and a model can be judged at all, from so many rows of either class on (groups with a row of
/// it, where whole groups are resampled).
inline constexpr std::int64_t min_rows_to_judge = 10;

/// How many rows a set has.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t positives = -1;  ///< of two classes; -1: not two classes
  std::int64_t groups = 0;      ///< resampled whole; 0: rows are
  std::int64_t positive_groups = -1,
               negative_groups = -1;  ///< of the groups, those with a row of the class; -1: unknown
};

/// Counts the rows of two classes, with the group of each, or none.
TERN_API RowCounts count_rows(std::span<const std::uint8_t> labels, std::span<const std::int64_t> groups = {});

/// Says that figures on so few rows are uncertain: fewer than 100, 30 of either class, or 30 groups; below
/// `min_rows_to_judge` that they are too few to judge by; else empty.
TERN_API std::string few_rows(const RowCounts& counts);

/// Says that a model of two classes has a greater log loss than the prior, so that its probabilities are worth less
/// than the same one for everybody; else empty.
TERN_API std::string beaten_by_prior(const Report& report);

/// A table of the model beside the baselines; one whose figures are the model's to the last digit shown is a line.
TERN_API std::string to_string(const Report& report);

/// {figures of the model …, "rows", "note", "warning" if there is one, "target", of two classes "positive_class",
/// "negative_class" and "threshold_rule", "baselines": {name: figures …}} as JSON.
TERN_API std::string to_json(const Report& report);

}  // namespace tern::train
