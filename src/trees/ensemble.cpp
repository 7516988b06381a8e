#include "tern/trees/ensemble.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "tern/base/error.h"

namespace tern::trees {
namespace {

constexpr std::array<std::string_view, 4> link_names{"identity", "sigmoid", "softmax", "exp"};

/// Throws what is wrong, and where in the ensemble.
struct Checker {
  std::string where;

  [[noreturn]] TERN_COLD void fail(const std::string& expected) const {
    throw ValueError("[" + where + "] expected " + expected);
  }
  void need(bool good, const char* expected) const {
    if (!good) fail(expected);
  }
};

void check_names(const std::vector<std::string>& names, const std::string& what, const Checker& checker) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) checker.fail("distinct " + what + ", got \"" + std::string(*twice) + "\" twice");
}

bool finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

bool not_negative(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value >= 0 && std::isfinite(value); });
}

class TreeChecker {
 public:
  TreeChecker(const Ensemble& ensemble, std::size_t index, const Checker& checker)
      : features_(ensemble.features), tree_(ensemble.trees[index]), index_(index), checker_(checker) {
    if (ensemble.vector_leaves) width_ = static_cast<std::size_t>(ensemble.outputs);
  }

  void check() {
    check_lengths();
    seen_node_.assign(nodes_, 0);
    seen_leaf_.assign(leaves_, 0);
    for (std::size_t node = 0; node < nodes_; ++node) {
      check_split(node);
      check_child(node, tree_.left[node]);
      check_child(node, tree_.right[node]);
    }
    // Each child is reached once and leaves are one more than nodes, so nothing is left over.
    need(finite(tree_.leaf_value), "finite leaf values");
    need(finite(tree_.gain), "finite gains");
    need(not_negative(tree_.cover) && not_negative(tree_.leaf_cover), "covers of 0 and more");
  }

 private:
  void need(bool good, const char* expected) const {
    if (!good) checker_.fail("tree " + std::to_string(index_) + " with " + expected);
  }
  void need(std::size_t node, bool good, const char* expected) const {
    if (good) return;
    checker_.fail("node " + std::to_string(node) + " of tree " + std::to_string(index_) + " with " + expected);
  }

  void check_lengths() {
    nodes_ = tree_.feature.size();
    leaves_ = tree_.leaf_cover.size();
    const auto same = [&](const auto& array) { return array.size() == nodes_; };
    need(same(tree_.threshold) && same(tree_.set) && same(tree_.left_default) && same(tree_.left) &&
             same(tree_.right) && same(tree_.gain) && same(tree_.cover),
         "arrays of one length for its nodes");
    if (width_ == 1) {
      need(tree_.leaf_value.size() == leaves_, "a cover for each leaf");
    } else {
      need(leaves_ <= tree_.leaf_value.size() && tree_.leaf_value.size() == leaves_ * width_,
           "a value of each output and a cover for each leaf");
    }
    need(leaves_ == nodes_ + 1, "one leaf more than it has inner nodes");
    need(leaves_ < std::size_t{1} << 31, "fewer than 2^31 leaves");
  }

  void check_split(std::size_t node) {
    const auto feature = static_cast<std::size_t>(tree_.feature[node]);
    need(node, tree_.feature[node] >= 0 && feature < features_.size(), "a feature that the ensemble has");
    need(node, tree_.left_default[node] <= 1, "a default side of 0 or 1");
    if (tree_.set[node] < 0) {
      need(node, tree_.set[node] == -1 && !features_[feature].categorical, "a set for its categorical feature");
      need(node, !std::isnan(tree_.threshold[node]), "a threshold that is a number");
    } else {
      need(node, features_[feature].categorical, "a threshold for its numeric feature");
      need(node, static_cast<std::size_t>(tree_.set[node]) < tree_.sets.size(), "a set that the tree has");
    }
  }

  void check_child(std::size_t node, std::int32_t child) {
    const bool leaf = child < 0;
    const auto number = static_cast<std::size_t>(leaf ? ~child : child);
    need(node, leaf || number > node, "children behind it");
    need(node, number < (leaf ? leaves_ : nodes_), "children that the tree has");
    std::uint8_t& seen = (leaf ? seen_leaf_ : seen_node_)[number];
    need(node, seen == 0, "children of its own");
    seen = 1;
  }

  const std::vector<Feature>& features_;
  const Tree& tree_;
  std::size_t index_, width_ = 1, nodes_ = 0, leaves_ = 0;
  const Checker& checker_;
  std::vector<std::uint8_t> seen_node_{}, seen_leaf_{};
};

}  // namespace

std::string_view to_string(Link link) { return link_names.at(static_cast<std::size_t>(link)); }

Link parse_link(std::string_view name) {
  const auto* found = std::find(link_names.begin(), link_names.end(), name);
  if (found == link_names.end()) {
    throw ValueError("[parse_link] expected identity, sigmoid, softmax or exp, got \"" + std::string(name) + "\"");
  }
  return static_cast<Link>(found - link_names.begin());
}

std::int32_t Tree::add_node(std::int32_t feature_index, double split, bool missing_left, double split_gain,
                            double node_cover) {
  feature.push_back(feature_index);
  threshold.push_back(split);
  set.push_back(-1);
  left_default.push_back(missing_left ? 1 : 0);
  left.push_back(0);
  right.push_back(0);
  gain.push_back(split_gain);
  cover.push_back(node_cover);
  return static_cast<std::int32_t>(feature.size() - 1);
}

std::int32_t Tree::add_node(std::int32_t feature_index, std::vector<std::uint64_t> codes, bool missing_left,
                            double split_gain, double node_cover) {
  const std::int32_t node = add_node(feature_index, 0.0, missing_left, split_gain, node_cover);
  set.back() = static_cast<std::int32_t>(sets.size());
  sets.push_back(std::move(codes));
  return node;
}

std::int32_t Tree::add_leaf(double value, double cover_of_leaf) {
  leaf_value.push_back(value);
  leaf_cover.push_back(cover_of_leaf);
  return static_cast<std::int32_t>(leaf_value.size() - 1);
}

std::int32_t Tree::add_leaf(std::span<const double> values, double cover_of_leaf) {
  leaf_value.insert(leaf_value.end(), values.begin(), values.end());
  leaf_cover.push_back(cover_of_leaf);
  return static_cast<std::int32_t>(leaf_cover.size() - 1);
}

std::int64_t Tree::depth() const {
  std::vector<std::int64_t> depths(feature.size(), 0);
  std::int64_t deepest = 0;
  for (std::size_t node = 0; node < feature.size(); ++node) {  // parents come first
    deepest = std::max(deepest, depths[node] + 1);
    for (const std::int32_t child : {left[node], right[node]}) {
      if (child >= 0) depths[static_cast<std::size_t>(child)] = depths[node] + 1;
    }
  }
  return deepest;
}

std::int64_t Ensemble::find(std::string_view feature) const {
  const auto found =
      std::find_if(features.begin(), features.end(), [&](const Feature& each) { return each.name == feature; });
  return found == features.end() ? -1 : found - features.begin();
}

void Ensemble::check(std::string_view where) const {
  const Checker checker{std::string(where)};
  checker.need(features.size() < std::size_t{1} << 31, "fewer than 2^31 features");
  std::vector<std::string> names;
  names.reserve(features.size());
  for (const Feature& feature : features) {
    names.push_back(feature.name);
    if (feature.name.empty()) checker.fail("a name for each feature, got an empty one");
    if (!feature.categorical && !feature.levels.empty()) {
      checker.fail("no levels for the numeric feature \"" + feature.name + "\"");
    }
    if (feature.categorical && feature.zero_is_missing) {
      checker.fail("zero to be a level of the categorical feature \"" + feature.name + "\", got it as missing");
    }
    check_names(feature.levels, "levels of \"" + feature.name + "\"", checker);
  }
  check_names(names, "names of features", checker);
  check_names(classes, "names of classes", checker);
  checker.need(outputs >= 1, "at least one output");
  const auto wide = static_cast<std::size_t>(outputs);
  checker.need(vector_leaves || trees.size() % wide == 0, "as many trees for each output");
  checker.need(base.size() == wide && finite(base), "a finite base margin for each output");
  checker.need(link <= Link::exp, "a known link");
  checker.need(std::isfinite(link_scale) && link_scale > 0, "a positive scale of the link");
  checker.need(std::isfinite(objective_parameter), "a finite parameter of the objective");
  checker.need(classes.empty() || classes.size() == (outputs == 1 ? 2 : wide),
               "no names of classes, two for one output, or one for each output");
  checker.need(best_round >= -1 && best_round < rounds(), "a best round among the rounds, or -1");
  for (std::size_t tree = 0; tree < trees.size(); ++tree) TreeChecker(*this, tree, checker).check();
}

}  // namespace tern::trees
