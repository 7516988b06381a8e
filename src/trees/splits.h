#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/trees/ensemble.h"
#include "trees/bins.h"
#include "trees/histogram.h"

namespace tern::trees::internal {

/// A set of bins.
struct BinSet {
  std::uint32_t words[8] = {};
  void insert(int bin) { words[bin / 32] |= std::uint32_t{1} << (bin % 32); }
  bool has(std::uint8_t bin) const { return (words[bin / 32] >> (bin % 32)) & 1; }
};

/// How a node is divided.
struct Split {
  double gain = 0;  ///< in the objective, above 0
  int feature = -1;
  int bin = -1;  ///< of a number: bins up to it go left; -1 of a category
  bool missing_left = false;
  PairSum left_sum = 0;
  BinSet left{};  ///< the one for missing values included
};

/// Appends the node of a split to a tree, its children still to be set, and returns its number.
std::int32_t add_split(Tree& tree, const Split& split, const FeatureBins& bins, double cover);

/// Settings of the search, and of leaves.
struct SplitOptions {
  std::int64_t min_child_rows = 20;
  double min_child_weight = 1e-3;
  double lambda_l1 = 0, lambda_l2 = 0;
  double min_split_gain = 0;
  double max_delta_step = 0;  ///< 0: no bound
  double categorical_smoothing = 10, categorical_l2 = 10;
  int max_categories = 32;
  int one_against_rest = 4;
  std::vector<signed char> monotone{};  ///< of each feature, or empty
  bool random_thresholds = false;       ///< one threshold a feature, drawn from those of the node
};

/// What is known of a node whose split is looked for.
struct NodeToSplit {
  const PairSum* histogram = nullptr;
  PairSum sum = 0;
  std::int64_t rows = 0;
  double low = 0, high = 0;  ///< bounds of the leaf's value, by monotone constraints
  std::uint64_t path = 1;    ///< hash of the way from the root, the same in every run
  /// Rows by feature and bin (256 each) where they have been counted, else estimated by the hessians.
  const std::uint32_t* counts = nullptr;
  double gain_below = 0;  ///< with counts: splits of a higher gain, as Split has it, are left out
};

/// Looks for the best split in histograms whose gradients are multiples of `g_unit`, hessians of `h_unit`.
class SplitFinder {
 public:
  SplitFinder(const BinnedRows& data, const std::vector<FeatureBins>& bins, const SplitOptions& options)
      : data_(data), bins_(bins), options_(options) {}

  void set_units(double g_unit, double h_unit) { g_unit_ = g_unit, h_unit_ = h_unit; }

  /// The best split among `features`, the lowest feature and then the lowest bin of equals.
  Split find(const NodeToSplit& node, std::span<const int> features) const;
  /// The value of a leaf with these sums of gradients and hessians, within bounds.
  double leaf_value(double g, double h, double low, double high) const;

 private:
  struct Search;
  void numeric(const Search& search, int feature, Split& best) const;
  void numeric_fast(const Search& search, int feature, Split& best) const;
  void categorical(const Search& search, int feature, Split& best) const;
  double score(double g, double h, double l2, double low, double high) const;
  void consider(const Search& search, PairSum left, std::int64_t left_rows, double l2, int feature, Split& best,
                bool& better) const;

  const BinnedRows& data_;
  const std::vector<FeatureBins>& bins_;
  const SplitOptions& options_;
  double g_unit_ = 1, h_unit_ = 1;
};

}  // namespace tern::trees::internal
