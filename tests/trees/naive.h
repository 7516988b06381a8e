#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tern/trees/gradient_boosting.h"

namespace tern::trees {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

inline double or_zero(double x) { return std::isnan(x) ? 0 : x; }

// What a trainer does, as simply as it can be said: sums in double over lists of rows, every threshold between two
// values tried, missing values to either side.
struct NaiveTree {
  struct Split {
    double gain = 0;
    std::int64_t feature = -1;
    double threshold = 0;
    bool missing_left = false;
  };
  std::vector<Split> splits;
  std::vector<double> predictions;
};

inline NaiveTree grow_naively(const std::vector<double>& x, std::int64_t columns, const std::vector<double>& g,
                              const std::vector<double>& h, const GradientBoostingOptions& options) {
  struct Leaf {
    std::vector<std::size_t> rows;
    int depth = 0;
    NaiveTree::Split split{};
  };
  const auto width = static_cast<std::size_t>(columns);
  const auto sums = [&](const std::vector<std::size_t>& rows) {
    std::pair<double, double> sum{};
    for (const std::size_t row : rows) sum.first += g[row], sum.second += h[row];
    return sum;
  };
  const auto shrunk = [&](double sum) { return std::copysign(std::max(0.0, std::fabs(sum) - options.lambda_l1), sum); };
  const auto score = [&](std::pair<double, double> sum) {
    return shrunk(sum.first) * shrunk(sum.first) / (sum.second + options.lambda_l2);
  };
  const auto divide = [&](const Leaf& leaf, const NaiveTree::Split& split) {
    std::vector<std::size_t> left, right;
    for (const std::size_t row : leaf.rows) {
      const double value = x[row * width + static_cast<std::size_t>(split.feature)];
      (std::isnan(value) ? split.missing_left : value <= split.threshold) ? left.push_back(row) : right.push_back(row);
    }
    return std::pair(left, right);
  };
  const auto look = [&](Leaf& leaf) {
    if (options.max_depth > 0 && leaf.depth >= options.max_depth) return;
    for (std::int64_t f = 0; f < columns; ++f) {
      std::vector<double> values;
      for (const std::size_t row : leaf.rows) values.push_back(x[row * width + static_cast<std::size_t>(f)]);
      const bool missing = std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
      std::erase_if(values, [](double v) { return std::isnan(v); });
      std::sort(values.begin(), values.end());
      values.erase(std::unique(values.begin(), values.end()), values.end());
      for (const bool missing_left : {false, true}) {
        if (missing_left && !missing) continue;
        for (const double value : values) {
          const NaiveTree::Split split{0, f, value, missing_left};
          const auto [left, right] = divide(leaf, split);
          if (static_cast<std::int64_t>(std::min(left.size(), right.size())) <
              std::max<std::int64_t>(1, options.min_child_rows))
            continue;
          const auto l = sums(left), r = sums(right);
          if (std::min(l.second, r.second) < options.min_child_weight) continue;
          const double gain = score(l) + score(r) - score(sums(leaf.rows));
          if (gain > leaf.split.gain * (1 + 1e-12) + 1e-12) leaf.split = split, leaf.split.gain = gain;
        }
      }
    }
  };
  std::vector<Leaf> leaves(1);
  for (std::size_t row = 0; row < g.size(); ++row) leaves[0].rows.push_back(row);
  look(leaves[0]);
  NaiveTree tree;
  while (options.max_leaves == 0 || static_cast<int>(leaves.size()) < options.max_leaves) {
    const auto next = std::max_element(leaves.begin(), leaves.end(), [&](const Leaf& a, const Leaf& b) {
      const bool may_a = a.split.feature >= 0, may_b = b.split.feature >= 0;
      if (may_a != may_b) return may_b;
      if (options.growth == Growth::depth_wise && a.depth != b.depth) return a.depth > b.depth;
      return a.split.gain < b.split.gain;
    });
    if (next->split.feature < 0) break;
    tree.splits.push_back(next->split);
    const auto [left, right] = divide(*next, next->split);
    Leaf other{right, next->depth + 1, {}};
    *next = Leaf{left, next->depth + 1, {}};
    look(*next);
    look(other);
    leaves.push_back(other);
  }
  tree.predictions.resize(g.size());
  for (const Leaf& leaf : leaves) {
    const auto [sg, sh] = sums(leaf.rows);
    for (const std::size_t row : leaf.rows) tree.predictions[row] = -shrunk(sg) / (sh + options.lambda_l2);
  }
  return tree;
}

// Of the squared error with margins 0.
inline NaiveTree grow_naively(const std::vector<double>& x, std::int64_t columns, const std::vector<double>& y,
                              const GradientBoostingOptions& options) {
  std::vector<double> g;
  for (const double each : y) g.push_back(-each);
  return grow_naively(x, columns, g, std::vector<double>(y.size(), 1), options);
}

inline std::int32_t leaf_of(const Tree& tree, const double* x) {
  std::int32_t at = tree.nodes() == 0 ? -1 : 0;
  while (at >= 0) {
    const auto node = static_cast<std::size_t>(at);
    const double value = x[tree.feature[node]];
    const bool left = tree.set[node] >= 0 ? value >= 0 ? in_set(tree.sets[static_cast<std::size_t>(tree.set[node])],
                                                                static_cast<std::uint64_t>(value))
                                                       : tree.left_default[node] != 0
                      : std::isnan(value) ? tree.left_default[node] != 0
                                          : value <= tree.threshold[node];
    at = left ? tree.left[node] : tree.right[node];
  }
  return ~at;
}

}  // namespace tern::trees
