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
  bool binary = false;
  std::int64_t rows = 0;
  Judged model;
  std::vector<Judged> baselines;
};

/// A table of the model beside the baselines.
TERN_API std::string to_string(const Report& report);

/// {"rows", "note", figures of the model …, "baselines": {name: figures …}} as JSON.
TERN_API std::string to_json(const Report& report);

}  // namespace tern::train
