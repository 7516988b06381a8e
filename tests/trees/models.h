#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/random.h"
#include "tern/trees/ensemble.h"

// Small models for the tests.
namespace tern::trees {

struct RandomModel {
  int features = 6, categorical = 2, levels = 70, rounds = 5, outputs = 1, leaves = 20;
  std::uint64_t seed = 1;
  bool vector_leaves = false, average = false;
};

/// Trees grown at random: a random leaf of each is split until there are enough. Covers add up from the leaves.
inline Ensemble random_ensemble(const RandomModel& options) {
  Ensemble model;
  std::uint64_t drawn = 0;
  const Philox random(options.seed);
  const auto below = [&](int n) { return static_cast<int>(random.below(drawn++, static_cast<std::uint64_t>(n))); };
  for (int f = 0; f < options.features; ++f) {
    Feature feature{.name = "f" + std::to_string(f), .categorical = f >= options.features - options.categorical};
    for (int level = 0; feature.categorical && level < options.levels; ++level) {
      feature.levels.push_back("level " + std::to_string(level));
    }
    model.features.push_back(feature);
  }
  model.outputs = options.outputs;
  model.vector_leaves = options.vector_leaves;
  model.average = options.average;
  model.base.assign(static_cast<std::size_t>(options.outputs), 0.25);
  for (int t = 0; t < options.rounds * model.trees_of_round(); ++t) {
    Tree tree;
    struct Open {
      std::int32_t parent;
      bool left;
    };
    std::vector<Open> open{{-1, false}};
    const auto link = [&](const Open& slot, std::int32_t child) {
      if (slot.parent < 0) return;
      (slot.left ? tree.left : tree.right)[static_cast<std::size_t>(slot.parent)] = child;
    };
    while (static_cast<int>(open.size()) < options.leaves) {
      const auto pick = static_cast<std::size_t>(below(static_cast<int>(open.size())));
      const Open slot = open[pick];
      const int f = below(options.features);
      std::int32_t node = 0;
      if (model.features[static_cast<std::size_t>(f)].categorical) {
        std::vector<std::uint64_t> set(static_cast<std::size_t>(options.levels + 63) / 64, 0);
        for (int level = 0; level < options.levels; ++level) {
          if (below(2) == 1) set[static_cast<std::size_t>(level) / 64] |= std::uint64_t{1} << (level % 64);
        }
        node = tree.add_node(f, std::move(set), below(2) == 1, below(100), 0);
      } else {
        node = tree.add_node(f, (below(21) - 10) / 4.0, below(2) == 1, below(100), 0);
      }
      link(slot, node);
      open[pick] = {node, true};
      open.push_back({node, false});
    }
    for (const Open& slot : open) {
      std::vector<double> values;
      for (int k = 0; k < (options.vector_leaves ? options.outputs : 1); ++k) {
        values.push_back(below(2001) / 1000.0 - 1.0);
      }
      link(slot, ~tree.add_leaf(values, 1 + below(50)));
    }
    for (std::size_t node = tree.feature.size(); node-- > 0;) {
      for (const std::int32_t child : {tree.left[node], tree.right[node]}) {
        tree.cover[node] +=
            child < 0 ? tree.leaf_cover[static_cast<std::size_t>(~child)] : tree.cover[static_cast<std::size_t>(child)];
      }
    }
    model.trees.push_back(std::move(tree));
  }
  return model;
}

/// The trees of a model with vector leaves for one output alone, to be added up.
inline Ensemble one_output(const Ensemble& model, std::int32_t output) {
  Ensemble one = model;
  one.outputs = 1;
  one.vector_leaves = one.average = false;
  one.base = {model.base[static_cast<std::size_t>(output)]};
  for (Tree& tree : one.trees) {
    std::vector<double> values;
    for (std::int64_t leaf = 0; leaf < tree.leaves(); ++leaf) {
      values.push_back(tree.leaf_value[static_cast<std::size_t>(leaf * model.outputs + output)] /
                       (model.average ? static_cast<double>(model.used_rounds()) : 1));
    }
    tree.leaf_value = values;
  }
  return one;
}

/// Whether two models have the same trees, bit for bit; `with_thresholds` = false leaves out where numbers are split.
inline bool same(const Ensemble& a, const Ensemble& b, bool with_thresholds = true) {
  if (a.trees.size() != b.trees.size() || a.base != b.base) return false;
  for (std::size_t t = 0; t < a.trees.size(); ++t) {
    const Tree &s = a.trees[t], &r = b.trees[t];
    if (s.feature != r.feature || s.left != r.left || s.right != r.right || s.left_default != r.left_default ||
        s.leaf_value != r.leaf_value || s.gain != r.gain || s.sets != r.sets) {
      return false;
    }
    if (with_thresholds && s.threshold != r.threshold) return false;
  }
  return true;
}

}  // namespace tern::trees
