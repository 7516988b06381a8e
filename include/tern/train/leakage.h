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
  double purity = 0.98;    ///< a value with at least this share of one class is suspected of telling it
  /// A number for each row's group, or none: whole groups go to a fold, so that a column that only names the group, or
  /// is the same for all of its rows, tells nothing that a row of another group could use.
  std::vector<std::int64_t> groups{};
};

/// A value whose rows are of one class, or nearly.
struct PureValue {
  enum class Kind { level, filled, missing };
  Kind kind = Kind::level;
  std::string text{};       ///< of a level: the value
  std::int64_t rows = 0;    ///< that have it
  std::int64_t others = 0;  ///< of these, the rows of the other class
  bool positive = false;    ///< the class
};

/// A column that alone tells the target, of all rows or of those with one value.
struct Leak {
  std::string column{};
  double auroc = 0;                ///< out of fold, on the rows given
  bool missingness_alone = false;  ///< whether "is missing" does it, without the values
  PureValue pure{};                ///< where `auroc` is below the limit: the value that tells; else of no rows
};

/// Finds columns that separate a two-valued target by themselves. Each row is scored by the rate of positives among the
/// rows of the other folds that share its value (numbers: quantile bins, and where rows are enough finer ones or single
/// values; text: levels; missing is a value of its own), so a column with a level per row tells nothing. Also finds
/// columns of which one value does it for its rows: a level of text or of at most twenty numbers, being missing, or
/// being there, of at least 30 rows (and 30 groups, where there are groups) and 5 % of a class, when the class has
/// `purity` of these rows but no more than 75 % of all. `labels` [rows] are 0 or 1. Columns in `except` are passed
/// over. Give training rows only. Throws ShapeError when lengths differ.
TERN_API std::vector<Leak> find_leaks(const data::Table& table, std::span<const std::uint8_t> labels,
                                      const std::vector<std::string>& except = {}, const LeakageOptions& options = {});

}  // namespace tern::train
