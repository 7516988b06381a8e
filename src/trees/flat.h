#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/tree_predict.h"
#include "tern/trees/ensemble.h"

// Trees laid out for walking them. Nodes serve all; trees of up to 256 leaves are lists of steps too, which go over
// blocks of rows whose values have become bytes, and where all are such, a row alone takes one of two forms of the same
// bytes (cpu/vector/tree_predict.h). All reach the same leaves.
namespace tern::trees::internal {

/// An inner node, or a leaf, which leads to itself. The right child stands behind the left one.
struct Node {
  double threshold = std::numeric_limits<double>::infinity();
  std::uint32_t feature = missing_left;  ///< and the flags below
  std::int32_t left = 0;

  static constexpr std::uint32_t missing_left = 1U << 31, categorical = 1U << 30, zero_missing = 1U << 29;
  static constexpr std::uint32_t feature_mask = zero_missing - 1;
};

/// What a node has that walking past it does not need.
struct NodeFacts {
  std::int32_t leaf = -1;   ///< its number; -1: an inner node
  std::uint32_t set = 0;    ///< of a categorical split: first word in Flat::set_words
  std::uint32_t words = 0;  ///< and their number
};

struct FlatTree {
  std::int32_t root = 0, depth = 0;
  std::int32_t first_step = -1;  ///< in Flat::steps; -1: the tree is too large for a program
  std::int32_t first_set = 0, nodes = 0;
  std::int64_t first_value = 0;  ///< in Flat::values; with vector leaves in Flat::vectors
};

/// A column of bytes: of a number, how many of up to 254 cuts lie below it, with missing values on the side that its
/// nodes send them to; of a code, three columns as TreePredictTable::leaves reads them.
struct ByteColumn {
  std::int32_t first_cut = 0;
  bool missing_left = false;
};

/// How the values of one feature become bytes.
struct Coder {
  std::int32_t feature = 0;
  bool categorical = false, zero_missing = false;
  std::int32_t first_cut = 0, cuts = 0;  ///< in Flat::cuts, with infinities behind them
  std::int32_t heads = -1;               ///< in Flat::heads; -1: more cuts than the kernel counts
  std::int32_t place = 0;                ///< of its first column among all
  std::vector<ByteColumn> columns{};
};

/// Up to kSideBySide trees, one after another.
struct TreeGroup {
  std::int64_t first = 0;  ///< in Flat::group_nodes and group_keep
  std::int32_t slots = 0;  ///< splits of numbers in the tree that has most
  std::size_t end = 0;     ///< of its categorical splits in Flat::group_splits, which begin where the last group's end
};

/// A categorical split of a tree in a group.
struct GroupSplit {
  std::int32_t set = 0;               ///< in Flat::sets
  std::uint32_t keep = 0;             ///< the tree's leaves that remain for a code outside
  std::uint8_t tree = 0, column = 0;  ///< in the group, and among a row's bytes
};

struct Flat {
  explicit Flat(const Ensemble& ensemble);

  std::vector<Feature> inputs;  ///< as tables are read
  std::int64_t features, outputs;
  std::vector<double> base;
  bool vectors_of_leaves;  ///< a tree adds to all outputs
  double divisor;          ///< of the sums over trees, to which the base is added behind; 0: sums begin with it
  Link link;
  double link_scale;
  std::vector<double> levels{};  ///< of each feature: codes from here on are unseen; infinity where there is no bound
  std::vector<Node> nodes{};
  std::vector<double> node_values{};  ///< of leaves; with vector leaves they stand in `vectors`
  std::vector<double> vectors{};      ///< of leaves by number, `outputs` each, tree by tree
  std::vector<NodeFacts> facts{};
  std::vector<std::uint64_t> set_words{};
  std::vector<FlatTree> trees{};
  std::vector<std::int32_t> roots{};  ///< of the trees
  bool plain = true;                  ///< no node looks at a code or takes zero as missing

  std::vector<kernels::cpu::TreeStep> steps{};
  std::vector<std::array<std::uint8_t, 32>> sets{};
  std::vector<double> values{};  ///< of the leaves of trees with steps and one value a leaf
  std::vector<Coder> coders{};
  std::vector<double> cuts{}, heads{};
  std::int64_t columns = 0;  ///< of bytes; 0: no tree has steps
  // For one row, where all trees have steps: groups of small trees, or else, where all splits are of numbers, nodes for
  // a walk; both empty where the trees are few, the bytes many, or this processor has no kernel.
  std::vector<TreeGroup> groups{};
  std::vector<std::uint16_t> group_nodes{};  ///< as TreePredictTable::remaining_leaves reads them
  std::vector<std::uint32_t> group_keep{};
  std::vector<GroupSplit> group_splits{};
  std::vector<std::uint8_t> leaf_nodes{};   ///< of each leaf from the left its node less the root, kMaskLeaves a tree
  std::vector<std::uint32_t> walk_nodes{};  ///< as TreePredictTable::walk reads them, numbered as `nodes`

  /// Trees whose values wait until they are added up in order.
  static constexpr std::int64_t kKept = kernels::cpu::kWalkTrees;

 private:
  void add_nodes(const Ensemble& ensemble, const Tree& tree);
  void add_programs(const Ensemble& ensemble);
  void add_forms_of_a_row();
  void add_walk();
  void add_groups();
  void add_to_group(const TreeGroup& group, std::size_t t, const FlatTree& tree, std::uint8_t* leaf_node);
  std::vector<std::int32_t> steps_of(const FlatTree& tree) const;
};

/// The largest double that rounds to a float of at most `threshold`.
double before_rounding(double threshold);

/// Whether a threshold is a float, or the double above one: LightGBM moves the middle between two numbers up so.
inline bool means_float(double threshold) {
  const double nearest = static_cast<float>(threshold);
  return threshold == nearest || threshold == std::nextafter(nearest, std::numeric_limits<double>::infinity());
}

/// Whether a number counts as missing where zero does; the bound is LightGBM's.
inline bool is_zero(double value) { return std::fabs(value) <= static_cast<double>(1e-35f); }

/// The code of a level, a number's whole part, or -1 for a missing or unseen one; huge codes without bound become 2^31.
inline std::int64_t code_of(double value, double levels) {
  if (!(value >= 0) || value >= levels) return -1;
  return value < 2147483648.0 ? static_cast<std::int64_t>(value) : std::int64_t{1} << 31;
}

/// Where a code stands in the 256 bits of a set: 255 for a missing or unseen one, 254 for all that no set can have.
inline std::uint8_t code_byte(double value, double levels) {
  const std::int64_t code = code_of(value, levels);
  return static_cast<std::uint8_t>(code < 0 ? 255 : std::min<std::int64_t>(code, 254));
}

}  // namespace tern::trees::internal
