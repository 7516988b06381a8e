#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tern/data/matrix.h"
#include "tern/data/table.h"
#include "tern/trees/ensemble.h"
#include "trees/bins.h"

namespace tern::trees::internal {

/// Columns of a table or a matrix as features, and what had to be made for them. Lives as long as its values are used.
struct FeatureColumns {
  std::vector<Feature> features;
  std::vector<FeatureValues> values;
  std::deque<std::vector<double>> numbers;
  std::deque<std::vector<std::int32_t>> codes;
  std::vector<data::Column> columns;
};

// `name`, or `type`, begins the messages.

/// All columns but those of `left_out`, with the levels that at least so many of their rows have, and of more than
/// `most_levels`, which is logged, the most frequent.
FeatureColumns features_of(const char* name, const data::Table& table, const std::vector<std::string>& left_out,
                           std::int64_t min_level_rows, std::size_t most_levels);
/// Logs the same of features, those of a matrix too, of which not every level has a bin.
void warn_of_levels(const char* name, const std::vector<Feature>& features, const std::vector<FeatureBins>& bins);
/// The columns of these features, found by name; levels become the codes that they have there, others -1. Throws
/// DataError for one that is not there or is of another kind.
FeatureColumns features_like(const char* name, const data::Table& table, const std::vector<Feature>& features);

/// The features of a matrix under these names, or "f0", "f1", …; those of `categorical` have no levels yet. Throws
/// ShapeError, IndexError.
std::vector<Feature> features_of(const data::Matrix& x, const std::vector<std::string>& names,
                                 const std::vector<std::int64_t>& categorical, std::string_view type);
/// The columns of a matrix as these features: whole numbers are levels, negative and missing ones -1. The levels that
/// the matrix has become those of categorical features without any, and those that fewer rows have than told are
/// missing then. Throws ShapeError, and ValueError for a level of 2^20 or more.
FeatureColumns features_like(const data::Matrix& x, std::vector<Feature> features, std::string_view type,
                             std::int64_t min_level_rows = 1);

}  // namespace tern::trees::internal
