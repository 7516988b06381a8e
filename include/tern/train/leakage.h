#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/table.h"

namespace tern::train {

struct LeakageOptions {
  double auroc = 0.98;     ///< a column at or above it is suspected
  int folds = 5;           ///< of the out-of-fold scores
  int bins = 32;           ///< quantile bins of a numeric column
  std::uint64_t seed = 0;  ///< assigns rows to folds
  /// A number for each row's group, or none: whole groups go to a fold, so that a column that only names the group, or
  /// is the same for all of its rows, tells nothing that a row of another group could use.
  std::vector<std::int64_t> groups{};
};

/// A column that alone tells the target.
struct Leak {
  std::string column{};
  double auroc = 0;                ///< out of fold, on the rows given
  bool missingness_alone = false;  ///< whether "is missing" does it, without the values
};

/// Finds columns that separate a two-valued target by themselves. Each row is scored by the rate of positives among the
/// rows of the other folds that share its value (numbers: quantile bins; text: levels; missing is a value of its own),
/// so a column with a level per row tells nothing. `labels` [rows] are 0 or 1. Columns in `except` are passed over.
/// Give training rows only. Throws ShapeError when lengths differ.
TERN_API std::vector<Leak> find_leaks(const data::Table& table, std::span<const std::uint8_t> labels,
                                      const std::vector<std::string>& except = {}, const LeakageOptions& options = {});

}  // namespace tern::train
