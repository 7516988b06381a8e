#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tern/data/table.h"
#include "tern/trees/ensemble.h"
#include "trees/bins.h"

namespace tern::trees::internal {

/// Columns of a table as features, and what had to be made for them. Lives as long as its values are used.
struct TableFeatures {
  std::vector<Feature> features;
  std::vector<FeatureValues> values;
  std::deque<std::vector<double>> numbers;
  std::deque<std::vector<std::int32_t>> codes;
  std::vector<data::Column> columns;
};

/// All columns but those of `left_out`, with the levels that at least so many of their rows have.
TableFeatures features_of(const data::Table& table, const std::vector<std::string>& left_out,
                          std::int64_t min_level_rows);
/// The columns of these features, found by name; levels become the codes that they have there, others -1. Throws
/// DataError for one that is not there or is of another kind.
TableFeatures features_like(const data::Table& table, const std::vector<Feature>& features);

}  // namespace tern::trees::internal
