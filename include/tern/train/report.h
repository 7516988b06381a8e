#pragma once

#include <cstdint>
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
  std::string warning{};    ///< that the rows are few (few_rows), or empty
  bool binary = false;
  std::int64_t rows = 0;
  Judged model;
  std::vector<Judged> baselines;
};

/// How many rows a set has.
struct RowCounts {
  std::int64_t rows = 0;
  std::int64_t positives = -1;  ///< of two classes; -1: not two classes
  std::int64_t groups = 0;      ///< resampled whole; 0: rows are
};

/// Says that figures on so few rows are uncertain: fewer than 100, 30 of either class, or 30 groups; else empty.
TERN_API std::string few_rows(const RowCounts& counts);

/// A table of the model beside the baselines; one whose figures are the model's to the last digit shown is a line.
TERN_API std::string to_string(const Report& report);

/// {"rows", "note", "warning" if there is one, figures of the model …, "baselines": {name: figures …}} as JSON.
TERN_API std::string to_json(const Report& report);

}  // namespace tern::train
