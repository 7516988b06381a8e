#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/trees/explain.h"
#include "trees/flat.h"
#include "trees/inputs.h"

// On the way to a leaf of value v, feature i has o_i, 1 when the row passes all its splits there and else 0, and z_i,
// the share of training rows that do. The leaf's game is v · prod (o_i if i is known, else z_i), and the weights of the
// Shapley value are Beta integrals, |S|! (d - |S| - 1)! / d! = ∫ t^|S| (1 - t)^(d - |S| - 1) dt over [0, 1], so that
//   value of i = v (o_i - z_i) ∫ prod over j ≠ i of g_j(t) dt,    g_j(t) = z_j (1 - t) + o_j t.
// The integrand is a polynomial of degree d - 1: Gauss and Legendre's rule of (d + 1) / 2 points gives it exactly. At
// the points, products go down the tree and their sums over leaves up again: one visit of each node, in place of the
// square of the depth for each leaf (in the manner of Yu et al., Linear TreeShap, NeurIPS 2022, who use roots of
// unity). An interaction value is half of the same integral without two features.
namespace tern::trees {
/// A tree as its values are computed from it.
struct ShapTree {
  /// What leads to a child.
  struct Edge {
    std::int32_t node = 0;   ///< above it
    std::int32_t child = 0;  ///< as Tree has it
    std::int32_t feature = 0;
    std::int32_t above = -1;  ///< edge of the node that hangs above, -1 at the root
    std::int32_t same = -1;   ///< nearest edge above of the same feature
    double share = 1;         ///< z at this edge: the product over the feature's edges down to here
    bool left = false;
  };
  struct Rule {
    std::vector<double> at{}, weight{};
  };
  std::vector<Edge> edges{};  ///< two a node: left, right
  Rule rule{};
  std::vector<double> expected{};  ///< of each value of a leaf
};

namespace {

using Edge = ShapTree::Edge;
using Rule = ShapTree::Rule;

constexpr std::int64_t kMaxDepth = 4096;
constexpr std::int64_t kShapGrain = 16;
constexpr double kLeastShare = 1e-30;  // of a child without cover, so that nothing is divided by 0

// Points and weights of Gauss and Legendre's rule on [0, 1], by Newton's method.
Rule gauss_legendre(int n) {
  Rule rule;
  for (int i = 0; i < n; ++i) {
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5)), slope = 1;
    for (int step = 0; step < 100; ++step) {
      double before = 1, value = x;
      for (int k = 2; k <= n; ++k) {
        const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
        before = std::exchange(value, next);
      }
      slope = n * (x * value - before) / (x * x - 1);
      const double change = value / slope;
      x -= change;
      if (std::abs(change) < 1e-16) break;
    }
    rule.at.push_back((1 + x) / 2);
    rule.weight.push_back(1 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

bool goes_left(const Ensemble& ensemble, const Tree& tree, std::size_t node, const double* row) {
  const Feature& feature = ensemble.features[static_cast<std::size_t>(tree.feature[node])];
  double x = row[tree.feature[node]];
  if (feature.categorical) {
    const double levels =
        feature.levels.empty() ? std::numeric_limits<double>::infinity() : static_cast<double>(feature.levels.size());
    const std::int64_t code = internal::code_of(x, levels);
    if (code < 0) return tree.left_default[node] != 0;
    return in_set(tree.sets[static_cast<std::size_t>(tree.set[node])], static_cast<std::uint64_t>(code));
  }
  if (ensemble.float32_inputs) x = static_cast<float>(x);
  if (std::isnan(x) || (feature.zero_is_missing && internal::is_zero(x))) return tree.left_default[node] != 0;
  return x <= tree.threshold[node];
}

ShapTree prepare(const Tree& tree, std::size_t index, std::size_t width) {
  ShapTree made;
  if (tree.nodes() == 0) {
    made.expected = tree.leaf_value;
    return made;
  }
  made.expected.resize(width);
  if (tree.depth() > kMaxDepth) throw ValueError("[TreeShap] expected trees of a depth up to 4096");
  std::vector<std::int32_t> edge_of(tree.feature.size(), -1), distinct(2 * tree.feature.size(), 0);
  std::vector<double> reach(tree.feature.size(), 1);
  int most = 1;
  made.edges.resize(2 * tree.feature.size());
  for (std::size_t node = 0; node < tree.feature.size(); ++node) {
    if (!(tree.cover[node] > 0)) {
      throw ValueError("[TreeShap] expected a cover for each inner node, got none at node " + std::to_string(node) +
                       " of tree " + std::to_string(index));
    }
    for (const bool left : {true, false}) {
      const std::size_t number = 2 * node + (left ? 0 : 1);
      Edge& edge = made.edges[number];
      edge.node = static_cast<std::int32_t>(node);
      edge.child = left ? tree.left[node] : tree.right[node];
      edge.feature = tree.feature[node];
      edge.left = left;
      edge.above = edge_of[node];
      edge.same = edge.above;
      while (edge.same >= 0 && made.edges[static_cast<std::size_t>(edge.same)].feature != edge.feature) {
        edge.same = made.edges[static_cast<std::size_t>(edge.same)].above;
      }
      const double cover = edge.child >= 0 ? tree.cover[static_cast<std::size_t>(edge.child)]
                                           : tree.leaf_cover[static_cast<std::size_t>(~edge.child)];
      const double share = std::max(cover / tree.cover[node], kLeastShare);
      edge.share = share * (edge.same >= 0 ? made.edges[static_cast<std::size_t>(edge.same)].share : 1);
      distinct[number] =
          (edge.above >= 0 ? distinct[static_cast<std::size_t>(edge.above)] : 0) + (edge.same < 0 ? 1 : 0);
      most = std::max(most, static_cast<int>(distinct[number]));
      if (edge.child >= 0) {
        edge_of[static_cast<std::size_t>(edge.child)] = static_cast<std::int32_t>(number);
        reach[static_cast<std::size_t>(edge.child)] = reach[node] * share;
      } else {
        const double* value = tree.leaf_value.data() + static_cast<std::size_t>(~edge.child) * width;
        for (std::size_t k = 0; k < width; ++k) made.expected[k] += reach[node] * share * value[k];
      }
    }
  }
  made.rule = gauss_legendre((most + 1) / 2);
  return made;
}

}  // namespace

struct TreeShap::State {
  Ensemble ensemble{};
  std::vector<ShapTree> trees{};
  std::vector<double> expected{};  ///< margin of each output
  double factor = 1;               ///< of what trees give
  std::size_t width = 1;           ///< values of a leaf

  /// The output of a tree's value `k`.
  std::size_t output(std::size_t tree, std::size_t k) const { return width > 1 ? k : tree % expected.size(); }
};

namespace {

/// Walks one tree for rows; has the memory that this takes.
class Walker {
 public:
  Walker(const Ensemble& ensemble, const Tree& tree, const ShapTree& shap, std::size_t width)
      : ensemble_(ensemble),
        tree_(tree),
        shap_(shap),
        width_(width),
        points_(shap.rule.at.size()),
        passes_(shap.edges.size()),
        factor_(shap.edges.size() * points_),
        inverse_(shap.edges.size() * points_),
        product_(shap.edges.size() * points_) {}

  /// Adds each feature's part of value `k` of the leaves to `out` [features + 1].
  void values(const double* row, std::size_t k, double* out) {
    descend(row);
    const double* weight = shap_.rule.weight.data();
    for (std::size_t i = shap_.edges.size(); i-- > 0;) {  // children come behind, so their sums are ready
      const Edge& edge = shap_.edges[i];
      double* sum = product_.data() + i * points_;
      if (edge.child >= 0) {
        const double* left = product_.data() + 2 * static_cast<std::size_t>(edge.child) * points_;
        for (std::size_t q = 0; q < points_; ++q) sum[q] = left[q] + left[points_ + q];
      } else {
        const double value = leaf_value(edge.child, k);
        for (std::size_t q = 0; q < points_; ++q) sum[q] *= value;
      }
      double change = (passes_[i] - edge.share) * integral(weight, sum, inverse_.data() + i * points_);
      if (edge.same >= 0) {  // what lies below here counts by this edge, not by that one
        const auto same = static_cast<std::size_t>(edge.same);
        change -= (passes_[same] - shap_.edges[same].share) * integral(weight, sum, inverse_.data() + same * points_);
      }
      out[edge.feature] += change;
    }
  }

  /// Adds half of each pair's interaction to both its places in `out` [(features + 1) x (features + 1)].
  void interactions(const double* row, std::size_t k, double* out) {
    descend(row);
    const std::size_t width = ensemble_.features.size() + 1;
    std::vector<std::size_t> own;  // the edges that count for the leaf
    for (std::size_t i = 0; i < shap_.edges.size(); ++i) {
      if (shap_.edges[i].child >= 0) continue;
      own.clear();
      for (auto at = static_cast<std::int32_t>(i); at >= 0; at = shap_.edges[static_cast<std::size_t>(at)].above) {
        const std::int32_t feature = shap_.edges[static_cast<std::size_t>(at)].feature;
        const bool seen =
            std::any_of(own.begin(), own.end(), [&](std::size_t edge) { return shap_.edges[edge].feature == feature; });
        if (!seen) own.push_back(static_cast<std::size_t>(at));
      }
      const double value = leaf_value(shap_.edges[i].child, k);
      for (std::size_t a = 0; a < own.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
          double sum = 0;
          for (std::size_t q = 0; q < points_; ++q) {
            sum += shap_.rule.weight[q] * product_[i * points_ + q] * inverse_[own[a] * points_ + q] *
                   inverse_[own[b] * points_ + q];
          }
          const Edge &one = shap_.edges[own[a]], &other = shap_.edges[own[b]];
          const double half = 0.5 * value * (passes_[own[a]] - one.share) * (passes_[own[b]] - other.share) * sum;
          const auto f = static_cast<std::size_t>(one.feature), g = static_cast<std::size_t>(other.feature);
          out[f * width + g] += half;
          out[g * width + f] += half;
        }
      }
    }
  }

 private:
  double leaf_value(std::int32_t child, std::size_t k) const {
    return tree_.leaf_value[static_cast<std::size_t>(~child) * width_ + k];
  }

  double integral(const double* weight, const double* sum, const double* inverse) const {
    double total = 0;
    for (std::size_t q = 0; q < points_; ++q) total += weight[q] * sum[q] * inverse[q];
    return total;
  }

  // What each edge multiplies by, and the products down to it.
  void descend(const double* row) {
    const double* at = shap_.rule.at.data();
    for (std::size_t i = 0; i < shap_.edges.size(); ++i) {
      const Edge& edge = shap_.edges[i];
      if (edge.left) left_ = goes_left(ensemble_, tree_, static_cast<std::size_t>(edge.node), row);
      const double before = edge.same >= 0 ? passes_[static_cast<std::size_t>(edge.same)] : 1;
      const double passes = left_ == edge.left ? before : 0;
      passes_[i] = passes;
      double *factor = factor_.data() + i * points_, *inverse = inverse_.data() + i * points_;
      double* product = product_.data() + i * points_;
      const double share = edge.share, rise = passes - share;
      for (std::size_t q = 0; q < points_; ++q) {
        factor[q] = share + rise * at[q];
        inverse[q] = 1 / factor[q];
      }
      if (edge.above >= 0) {
        const double* above = product_.data() + static_cast<std::size_t>(edge.above) * points_;
        for (std::size_t q = 0; q < points_; ++q) product[q] = above[q] * factor[q];
      } else {
        std::copy(factor, factor + points_, product);
      }
      if (edge.same >= 0) {
        const double* same = inverse_.data() + static_cast<std::size_t>(edge.same) * points_;
        for (std::size_t q = 0; q < points_; ++q) product[q] *= same[q];
      }
    }
  }

  const Ensemble& ensemble_;
  const Tree& tree_;
  const ShapTree& shap_;
  std::size_t width_, points_;
  bool left_ = false;
  std::vector<double> passes_, factor_, inverse_, product_;
};

std::int64_t rows_in(const Ensemble& ensemble, std::span<const double> rows) {
  const std::size_t width = ensemble.features.size();
  if (width == 0 ? !rows.empty() : rows.size() % width != 0) {
    throw ShapeError("[TreeShap] expected rows of " + std::to_string(width) + " features, got " +
                     std::to_string(rows.size()) + " values");
  }
  return width == 0 ? 0 : static_cast<std::int64_t>(rows.size() / width);
}

}  // namespace

TreeShap::TreeShap(const Ensemble& ensemble) {
  ensemble.check("TreeShap");
  auto state = std::make_shared<State>();
  state->ensemble = ensemble;
  state->ensemble.trees.resize(static_cast<std::size_t>(ensemble.used_trees()));
  if (ensemble.vector_leaves) state->width = static_cast<std::size_t>(ensemble.outputs);
  if (ensemble.average) state->factor = 1 / static_cast<double>(std::max<std::int64_t>(1, ensemble.used_rounds()));
  state->expected = ensemble.base;
  for (std::size_t t = 0; t < state->ensemble.trees.size(); ++t) {
    state->trees.push_back(prepare(state->ensemble.trees[t], t, state->width));
    for (std::size_t k = 0; k < state->width; ++k) {
      state->expected[state->output(t, k)] += state->factor * state->trees.back().expected[k];
    }
  }
  state_ = std::move(state);
}

std::vector<double> TreeShap::values(std::span<const double> rows) const {
  const Ensemble& ensemble = state_->ensemble;
  const std::int64_t count = rows_in(ensemble, rows);
  const std::size_t features = ensemble.features.size(), outputs = ensemble.base.size();
  std::vector<double> out(static_cast<std::size_t>(count) * outputs * (features + 1), 0.0);
  parallel_for(count, kShapGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto place = [&](std::int64_t row, std::size_t output) {
      return out.data() + (static_cast<std::size_t>(row) * outputs + output) * (features + 1);
    };
    for (std::size_t t = 0; t < state_->trees.size(); ++t) {
      Walker walker(ensemble, ensemble.trees[t], state_->trees[t], state_->width);
      for (std::int64_t row = begin; row < end; ++row) {
        const double* at = rows.data() + static_cast<std::size_t>(row) * features;
        for (std::size_t k = 0; k < state_->width; ++k) walker.values(at, k, place(row, state_->output(t, k)));
      }
    }
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::size_t output = 0; output < outputs; ++output) {
        double* values = place(row, output);
        for (std::size_t f = 0; f < features; ++f) values[f] *= state_->factor;
        values[features] = state_->expected[output];
      }
    }
  });
  return out;
}

std::vector<double> TreeShap::interactions(std::span<const double> rows) const {
  const Ensemble& ensemble = state_->ensemble;
  const std::int64_t count = rows_in(ensemble, rows);
  const std::size_t features = ensemble.features.size(), outputs = ensemble.base.size(), width = features + 1;
  const std::vector<double> single = values(rows);
  std::vector<double> out(static_cast<std::size_t>(count) * outputs * width * width, 0.0);
  parallel_for(count, kShapGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t t = 0; t < state_->trees.size(); ++t) {
      Walker walker(ensemble, ensemble.trees[t], state_->trees[t], state_->width);
      for (std::int64_t row = begin; row < end; ++row) {
        for (std::size_t k = 0; k < state_->width; ++k) {
          const std::size_t at = static_cast<std::size_t>(row) * outputs + state_->output(t, k);
          walker.interactions(rows.data() + static_cast<std::size_t>(row) * features, k,
                              out.data() + at * width * width);
        }
      }
    }
    for (std::size_t at = static_cast<std::size_t>(begin) * outputs; at < static_cast<std::size_t>(end) * outputs;
         ++at) {
      double* matrix = out.data() + at * width * width;
      for (std::size_t f = 0; f < width; ++f) {  // the diagonal holds what the pairs leave over
        double rest = single[at * width + f];
        for (std::size_t g = 0; g < width; ++g) {
          if (g == f) continue;
          matrix[f * width + g] *= state_->factor;
          rest -= matrix[f * width + g];
        }
        matrix[f * width + f] = rest;
      }
    }
  });
  return out;
}

std::vector<double> TreeShap::values(const data::Table& table) const {
  return values(internal::inputs("TreeShap", state_->ensemble, table));
}

std::vector<double> TreeShap::interactions(const data::Table& table) const {
  return interactions(internal::inputs("TreeShap", state_->ensemble, table));
}

}  // namespace tern::trees
