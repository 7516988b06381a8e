#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/random.h"
#include "tern/trees/ensemble.h"
#include "trees/bins.h"

namespace tern::trees::internal {

/// Settings of the trees of a forest.
struct ForestGrowOptions {
  bool entropy = false;            ///< of classes, instead of Gini's impurity
  bool random_thresholds = false;  ///< one threshold or set of levels a feature, drawn
  int max_features = 1;            ///< drawn for a split
  int max_depth = 0, max_leaves = 0;
  std::int64_t min_child_rows = 1, min_split_rows = 2;
};

/// What the trees of a forest have in common: binned rows and their targets.
struct ForestRows {
  const BinnedRows& data;
  const std::vector<FeatureBins>& bins;
  const std::uint8_t* by_row = nullptr;  ///< the same bins row by row; null: they would not be worth the memory
  /// Values, whose means become the leaves: numbers, or 0 and 1 for two classes. Or empty:
  std::vector<double> values{};
  std::vector<std::uint32_t> labels{};  ///< numbers of classes, whose shares become the leaves
  int classes = 0;
  double middle = 0;       ///< added to a leaf's mean of values
  double gain_factor = 1;  ///< from what splits gain in squares of values to what is told
};

/// Grows one tree on rows `rows`, ascending, whose weights, above 0, are `weights`. `random` is the tree's own stream.
Tree grow_forest_tree(const ForestRows& rows_of_forest, const ForestGrowOptions& options,
                      std::span<const std::uint32_t> rows, std::span<const double> weights, const Philox& random);

}  // namespace tern::trees::internal
