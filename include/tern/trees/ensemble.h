#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"

/// Decision trees, boosted and of forests: the trained model here and in its neighbours; training in
/// gradient_boosting.h, forest.h and isolation_forest.h.
namespace tern::trees {

/// What turns a margin (the sum over the trees, or their mean) into a prediction.
enum class Link : std::uint8_t {
  identity,  ///< the margin itself
  sigmoid,   ///< 1 / (1 + exp(-scale x margin)), each output for itself
  softmax,   ///< over the outputs of a row
  exp,       ///< exp(margin)
};

/// The link's name: "identity", "sigmoid", "softmax", "exp".
TERN_API std::string_view to_string(Link link);
/// The link of a name. Throws ValueError, listing the names.
TERN_API Link parse_link(std::string_view name);

/// What a feature's levels are in the data of training. Their texts do not tell, and LightGBM looks levels up by value.
enum class LevelType : std::uint8_t {
  text,    ///< texts, as those of a table
  number,  ///< numbers or truth values
  code,    ///< the codes themselves, as those of a matrix, or values of several types: nothing to look up
};

/// One input of the trees. What it says of values holds before any split looks at them.
struct Feature {
  std::string name{};
  /// Values are codes of levels, as whole doubles 0, 1, … (fractions are cut off); negative ones are missing.
  bool categorical = false;
  /// Text of each code; a code beyond them is an unseen level and goes as a missing value. Empty: codes have no names
  /// and no bound.
  std::vector<std::string> levels{};
  LevelType level_type = LevelType::text;
  /// A number of magnitude up to 1e-35f counts as missing, as with LightGBM's `zero_as_missing`.
  bool zero_is_missing = false;
  /// Type of its column in the table of training, where that is known: times are not read for numbers, numbers not for
  /// times, and none but 0 and 1 for a boolean.
  std::optional<data::ColumnType> type{};
};

/// One tree as parallel arrays. Inner nodes are numbered from 0, the root, parents before their children; a child c >=
/// 0 is inner node c, c < 0 is leaf ~c. A tree without inner nodes is leaf 0 alone. At an inner node a number x goes
/// left when x <= threshold, a code when it is in the node's set, and a missing value (NaN) goes to the default side.
struct Tree {
  std::vector<std::int32_t> feature{};     ///< position in Ensemble::features
  std::vector<double> threshold{};         ///< of numeric splits; 0 at others
  std::vector<std::int32_t> set{};         ///< position in `sets` of a categorical split; -1 at numeric ones
  std::vector<std::uint8_t> left_default;  ///< 1: a missing value goes left
  std::vector<std::int32_t> left{}, right{};
  std::vector<double> gain{};   ///< what the split gained in the objective; 0 where unknown
  std::vector<double> cover{};  ///< sum of hessians (or rows) of the training rows that passed; 0 where unknown
  /// Of each leaf one value, or one for each output (Ensemble::vector_leaves), leaf by leaf.
  std::vector<double> leaf_value{};
  std::vector<double> leaf_cover{};  ///< as `cover`
  /// Bit sets of level codes that go left: code c is bit c % 64 of word c / 64; codes beyond the words are not in it.
  std::vector<std::vector<std::uint64_t>> sets{};

  std::int64_t nodes() const { return static_cast<std::int64_t>(feature.size()); }
  std::int64_t leaves() const { return static_cast<std::int64_t>(leaf_cover.size()); }
  /// Appends an inner node with its children still to be set, and returns its number.
  std::int32_t add_node(std::int32_t feature_index, double split, bool missing_left, double split_gain,
                        double node_cover);
  /// The same for a categorical split: codes in `codes` (a bit set) go left.
  std::int32_t add_node(std::int32_t feature_index, std::vector<std::uint64_t> codes, bool missing_left,
                        double split_gain, double node_cover);
  /// Appends a leaf and returns its number l; as a child it is ~l.
  std::int32_t add_leaf(double value, double cover);
  /// The same with a value for each output.
  std::int32_t add_leaf(std::span<const double> values, double cover);
  /// Edges on the longest way from the root to a leaf; 0 for a single leaf. The tree must be sound (Ensemble::check).
  std::int64_t depth() const;
};

/// Whether code `c` is in a bit set.
inline bool in_set(std::span<const std::uint64_t> set, std::uint64_t code) {
  return code / 64 < set.size() && ((set[code / 64] >> (code % 64)) & 1) != 0;
}

/// A trained model: what it reads, its trees, and what becomes of their sum or mean. Plain data, to be checked
/// (`check`) before it is used: Predictor (predictor.h), the savers and the explainers all do.
struct Ensemble {
  std::vector<Feature> features{};
  /// Round by round, and within a round one tree for each output: tree t adds to output t % outputs. With
  /// `vector_leaves` a round is one tree that adds to all.
  std::vector<Tree> trees{};
  std::int32_t outputs = 1;
  bool vector_leaves = false;     ///< each leaf holds a value for every output
  bool average = false;           ///< rounds are averaged, as in a forest, not added up
  std::vector<double> base{0.0};  ///< margin of each output before the first tree
  Link link = Link::identity;
  double link_scale = 1;  ///< of Link::sigmoid
  /// What was minimised: "squared", "absolute", "huber", "quantile", "poisson", "gamma", "tweedie", "binary",
  /// "multiclass", "lambdarank", "gini", "entropy", or a name of the user's own.
  std::string objective{"squared"};
  /// What the objective was told: Huber's delta, the quantile, Tweedie's power; 0: nothing, or not known.
  double objective_parameter = 0;
  std::vector<std::string> classes{};  ///< names of the classes: empty; two when outputs is 1, the second is predicted
  bool float32_inputs = false;         ///< numbers are rounded to float before they are compared, as XGBoost does
  std::int32_t best_round = -1;        ///< last round that predictions use (0-based); -1: all of them

  std::int32_t trees_of_round() const { return vector_leaves || outputs < 1 ? 1 : outputs; }
  std::int64_t rounds() const { return static_cast<std::int64_t>(trees.size()) / trees_of_round(); }
  /// Rounds that predictions use: those up to `best_round`.
  std::int64_t used_rounds() const { return best_round < 0 ? rounds() : best_round + std::int64_t{1}; }
  std::int64_t used_trees() const { return used_rounds() * trees_of_round(); }
  /// Position of a feature, -1 when there is none of the name.
  std::int64_t find(std::string_view feature) const;

  /// Looks at every bound that using the model relies on: lengths, node and feature numbers, that each tree is one tree
  /// with parents before children, numbers that are finite, names that are distinct. Throws ValueError that says which
  /// tree and node, beginning with `[where]`.
  void check(std::string_view where = "ensemble") const;
};

}  // namespace tern::trees
