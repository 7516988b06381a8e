#include "trees/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "base/number_text.h"
#include "base/warnings.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "trees/hash.h"
#include "trees/link.h"
#include "trees/table_features.h"

namespace tern::trees::internal {
namespace {

constexpr std::int64_t kRows = 1 << 13;
constexpr std::int64_t kCoarseRows = 1 << 17;  // from so many on, a few bits of a gradient are enough
constexpr double kWithin = 1 - 2e-6;           // keeps the largest gradient within its level when it is rounded up

std::uint32_t both_halves(std::uint64_t seed) { return static_cast<std::uint32_t>(seed ^ (seed >> 32)); }

GrowOptions grow_options(const GradientBoostingOptions& options, const std::vector<Feature>& features) {
  GrowOptions grow;
  grow.max_leaves = options.max_leaves;
  grow.max_depth = options.max_depth;
  grow.depth_wise = options.growth == Growth::depth_wise;
  grow.column_share_of_node = options.colsample_bynode;
  grow.split.min_child_rows = options.min_child_rows;
  grow.split.min_child_weight = options.min_child_weight;
  grow.split.lambda_l1 = options.lambda_l1;
  grow.split.lambda_l2 = options.lambda_l2;
  grow.split.min_split_gain = options.min_split_gain;
  grow.split.max_delta_step = options.max_delta_step;
  grow.split.random_thresholds = options.extra_trees;
  grow.split.categorical_smoothing = options.categorical_smoothing;
  grow.split.categorical_l2 = options.categorical_l2;
  grow.split.max_categories = options.max_categories_in_set;
  grow.split.one_against_rest = options.one_against_rest_levels;
  const auto find = [&](const std::string& name) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      if (features[f].name == name) return static_cast<int>(f);
    }
    throw ValueError("[GradientBoosting] expected constraints on features of the data, got \"" + name + "\"");
  };
  for (const auto& [name, direction] : options.monotone) {
    grow.split.monotone.resize(features.size());
    const int f = find(name);
    if (direction != 0 && features[static_cast<std::size_t>(f)].categorical) {
      throw ValueError("[GradientBoosting] expected monotone constraints on numbers, got the categorical \"" + name +
                       "\"");
    }
    grow.split.monotone[static_cast<std::size_t>(f)] = static_cast<signed char>(direction);
  }
  if (!options.interactions.empty()) {
    std::vector<int> others(features.size());
    std::iota(others.begin(), others.end(), 0);
    for (const auto& names : options.interactions) {
      if (names.empty()) {
        throw ValueError("[GradientBoosting] expected interactions of one feature at least in each group, got none");
      }
      auto& group = grow.together.emplace_back();
      for (const auto& name : names) {
        group.push_back(find(name));
        std::erase(others, group.back());
      }
    }
    if (!others.empty()) grow.together.push_back(others);
  }
  return grow;
}

// Adds what a tree gives each row, or those that `chosen` leaves out.
void add_tree(const GrownTree& tree, const BinnedRows& data, int features, double factor, double* margins,
              const std::vector<std::uint8_t>* left_out = nullptr) {
  std::vector<const std::uint8_t*> columns;
  for (int f = 0; f < features; ++f) columns.push_back(data.column(f));
  parallel_for(data.rows(), kRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (left_out && !(*left_out)[static_cast<std::size_t>(row)]) continue;
      const GrownTree::Node* node = tree.nodes.data();
      while (node->left >= 0) {
        const std::uint8_t bin = columns[static_cast<std::size_t>(node->split.feature)][row];
        node = tree.nodes.data() + (node->split.left.has(bin) ? node->left : node->right);
      }
      margins[row] += factor * node->value;
    }
  });
}

Tree to_tree(const GrownTree& grown, const std::vector<FeatureBins>& bins) {
  Tree tree;
  std::vector<std::int32_t> number(grown.nodes.size());
  for (std::size_t i = 0; i < grown.nodes.size(); ++i) {
    const GrownTree::Node& node = grown.nodes[i];
    if (node.left < 0) {
      number[i] = ~tree.add_leaf(node.value, node.hessian);
      continue;
    }
    number[i] = add_split(tree, node.split, bins[static_cast<std::size_t>(node.split.feature)], node.hessian);
  }
  for (std::size_t i = 0; i < grown.nodes.size(); ++i) {
    if (grown.nodes[i].left < 0) continue;
    tree.left[static_cast<std::size_t>(number[i])] = number[static_cast<std::size_t>(grown.nodes[i].left)];
    tree.right[static_cast<std::size_t>(number[i])] = number[static_cast<std::size_t>(grown.nodes[i].right)];
  }
  return tree;
}

// Leaves of one side of a node.
std::vector<std::size_t> leaves_below(const GrownTree& tree, int node) {
  std::vector<std::size_t> open{static_cast<std::size_t>(node)}, leaves;
  while (!open.empty()) {
    const std::size_t at = open.back();
    open.pop_back();
    const GrownTree::Node& each = tree.nodes[at];
    if (each.left < 0) {
      leaves.push_back(at);
      continue;
    }
    open.push_back(static_cast<std::size_t>(each.left));
    open.push_back(static_cast<std::size_t>(each.right));
  }
  return leaves;
}

// Makes values that were not found within bounds keep to monotone constraints: where a side that shall be lower reaches
// above the other, both are cut off midway between their means. From the root down, a cut stays between the values
// below its node, so that what holds at nodes above goes on holding.
void keep_monotone(GrownTree& tree, const std::vector<signed char>& monotone) {
  for (const GrownTree::Node& node : tree.nodes) {
    const int direction = node.left < 0 ? 0 : monotone[static_cast<std::size_t>(node.split.feature)];
    if (direction == 0) continue;
    const auto lower = leaves_below(tree, direction > 0 ? node.left : node.right);
    const auto upper = leaves_below(tree, direction > 0 ? node.right : node.left);
    const auto value = [&](std::size_t leaf) -> double& { return tree.nodes[leaf].value; };
    const auto mean = [&](const std::vector<std::size_t>& leaves) {
      double sum = 0, weight = 0;
      for (const std::size_t leaf : leaves) {
        sum += tree.nodes[leaf].hessian * value(leaf);
        weight += tree.nodes[leaf].hessian;
      }
      return weight > 0 ? sum / weight : value(leaves.front());
    };
    double most = -std::numeric_limits<double>::infinity(), least = -most;
    for (const std::size_t leaf : lower) most = std::max(most, value(leaf));
    for (const std::size_t leaf : upper) least = std::min(least, value(leaf));
    if (most <= least) continue;
    const double middle = std::clamp((mean(lower) + mean(upper)) / 2, least, most);
    for (const std::size_t leaf : lower) value(leaf) = std::min(value(leaf), middle);
    for (const std::size_t leaf : upper) value(leaf) = std::max(value(leaf), middle);
  }
}

// What all rows of weight have for a target, if it is one value.
std::optional<double> only_value(const Targets& targets) {
  std::optional<double> found;
  for (std::int64_t row = 0; row < targets.rows(); ++row) {
    const double value = targets.values[static_cast<std::size_t>(row)];
    if (!(targets.weight(row) > 0)) continue;
    if (found && *found != value) return std::nullopt;
    found = value;
  }
  return found;
}

class Trainer {
 public:
  Trainer(const GradientBoostingOptions& options, const Training& training, const Loss& loss)
      : options_(options),
        training_(training),
        loss_(loss),
        rows_(training.train.rows),
        outputs_(loss.outputs()),
        bins_(find_bins(training.train.features, rows_, options.max_bins)),
        data_(training.train.features, bins_, rows_, true),
        validation_(training.validation.features, bins_, training.validation.rows, false),
        grow_(grow_options(options, training.features)),
        grower_(data_, bins_, grow_),
        pairs_(static_cast<std::size_t>(rows_ * outputs_ * 2)) {}

  Ensemble run(std::vector<double>& history);

 private:
  bool goss() const { return options_.goss_top > 0; }
  bool any_order() const { return options_.coarse_gradients.has_value() && !*options_.coarse_gradients; }
  void start(Ensemble& model);
  void name_objective(Ensemble& model) const;
  std::vector<double> base() const;
  void prepare();
  void make_keys();
  void derive();
  void sample(int round);
  void sample_one_side(int round);
  double scale_for(std::int32_t level, double most) const;
  void quantise(int output, std::uint32_t seed);
  template <class F>
  void quantise_rows(int output, std::uint32_t seed, const F& before);
  void settle_leaves(GrownTree& tree, const std::vector<LeafRows>& leaves, int output);
  std::vector<int> features_of_tree(std::uint32_t seed) const;
  std::vector<int> leave_out(int round, int before);
  double metric() const;

  const GradientBoostingOptions& options_;
  const Training& training_;
  const Loss& loss_;
  std::int64_t rows_;
  int outputs_;
  std::vector<FeatureBins> bins_;
  BinnedRows data_, validation_;
  GrowOptions grow_;
  Grower grower_;
  Buffer<float> pairs_;  // [outputs][rows][gradient, hessian]
  std::vector<double> margins_, validation_margins_;
  Levels levels_;
  bool fused_ = false;  // gradients are rounded while they are in the cache, their bounds being known
  double most_g_ = 1, most_h_ = 1, g_scale_ = 1, h_scale_ = 1;
  std::vector<std::uint32_t> keys_;             // of rows that are rounded by what they hold
  std::vector<std::uint32_t> always_, sample_;  // rows of weight; those of this tree. Empty: all.
  std::vector<float> stands_for_;               // rows that each stands for since GOSS set in
  std::vector<std::uint8_t> left_out_;          // rows that the sample lacks, when it lacks any
  std::vector<GrownTree> grown_;                // for DART
  std::vector<double> factors_;
};

// Sums of doubles depend on the order of rows, which for a model of any order is that of targets and weights.
std::vector<double> Trainer::base() const {
  const Targets& targets = training_.train.targets;
  if (!any_order()) return loss_.base(targets);
  std::vector<std::pair<double, double>> rows;
  for (std::int64_t row = 0; row < rows_; ++row) {
    rows.emplace_back(targets.values[static_cast<std::size_t>(row)], targets.weight(row));
  }
  std::sort(rows.begin(), rows.end());
  std::vector<double> values, weights;
  for (const auto& [value, weight] : rows) values.push_back(value), weights.push_back(weight);
  if (targets.weights.empty()) weights.clear();
  return loss_.base({values, weights, targets.queries});
}

void Trainer::name_objective(Ensemble& model) const {
  model.objective = loss_.name();
  model.objective_parameter = options_.objective == Objective::huber      ? options_.huber_delta
                              : options_.objective == Objective::quantile ? options_.quantile
                              : options_.objective == Objective::tweedie  ? options_.tweedie_power
                                                                          : 0;
}

void Trainer::start(Ensemble& model) {
  if (training_.start) {
    model = *training_.start;
    model.best_round = -1;
    name_objective(model);
    model.trees.resize(static_cast<std::size_t>(training_.start->used_trees()));
    margins_ = training_.train.margins;
    validation_margins_ = training_.validation.margins;
    return;
  }
  model.features = training_.features;
  model.outputs = outputs_;
  model.base = base();
  model.link = loss_.link();
  name_objective(model);
  for (const double base : model.base) {
    margins_.insert(margins_.end(), static_cast<std::size_t>(rows_), base);
    validation_margins_.insert(validation_margins_.end(), static_cast<std::size_t>(validation_.rows()), base);
  }
}

// What holds for all trees: levels, bounds of gradients and rows that count.
void Trainer::prepare() {
  const Targets& targets = training_.train.targets;
  double most_weight = 1;
  if (!targets.weights.empty()) most_weight = *std::max_element(targets.weights.begin(), targets.weights.end());
  const auto [g, h] = loss_.bounds(targets);
  most_g_ = g * most_weight;
  most_h_ = (loss_.constant_hessian() ? 1 : h) * most_weight;
  fused_ = g > 0 && outputs_ == 1 && loss_.by_rows() && !goss();
  const bool coarse =
      options_.coarse_gradients.value_or(g > 0 && targets.weights.empty() && !goss() && rows_ >= kCoarseRows);
  levels_ = levels_for(rows_, coarse, loss_.constant_hessian() && targets.weights.empty() && !goss());
  if (any_order()) make_keys();
  if (std::find(targets.weights.begin(), targets.weights.end(), 0.0) != targets.weights.end()) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      if (targets.weight(row) > 0) always_.push_back(static_cast<std::uint32_t>(row));
    }
  }
}

// A hash of each row's bins, so that rows are rounded by what they hold, not by where they stand.
void Trainer::make_keys() {
  keys_.assign(static_cast<std::size_t>(rows_), 0);
  parallel_for(rows_, kRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t f = 0; f < bins_.size(); ++f) {
      const std::uint8_t* column = data_.column(static_cast<int>(f));
      for (std::int64_t row = begin; row < end; ++row) {
        std::uint32_t& key = keys_[static_cast<std::size_t>(row)];
        key = mixed(key ^ (column[row] + 1u));
      }
    }
  });
}

void Trainer::derive() {
  const Targets& targets = training_.train.targets;
  if (loss_.by_rows()) {
    parallel_for(rows_, kRows, [&](std::int64_t begin, std::int64_t end) {
      loss_.derivatives(targets, margins_, begin, end, pairs_.data());
    });
  } else {
    loss_.derivatives(targets, margins_, 0, rows_, pairs_.data());
  }
}

void Trainer::sample(int round) {
  sample_ = always_;
  if (options_.subsample < 1) {
    const std::uint32_t salt = mixed(both_halves(options_.seed) ^ mixed(static_cast<std::uint32_t>(round) + 0x51ed27u));
    const auto below = static_cast<std::uint64_t>(options_.subsample * 0x1p32);
    const std::vector<std::uint32_t> from = std::move(sample_);
    sample_.clear();
    const std::int64_t n = from.empty() ? rows_ : static_cast<std::int64_t>(from.size());
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint32_t row = from.empty() ? static_cast<std::uint32_t>(i) : from[static_cast<std::size_t>(i)];
      if (mixed(row ^ salt) < below) sample_.push_back(row);
    }
    if (sample_.empty()) sample_.push_back(from.empty() ? 0 : from.front());
  }
  if (goss() && round >= std::floor(1 / options_.learning_rate)) sample_one_side(round);
  left_out_.clear();
  if (!sample_.empty()) {
    left_out_.assign(static_cast<std::size_t>(rows_), 1);
    for (const std::uint32_t row : sample_) left_out_[row] = 0;
  }
}

// Keeps the rows of the largest gradients and some of the others, whose gradients are made larger instead.
void Trainer::sample_one_side(int round) {
  std::vector<std::uint32_t> from = std::move(sample_);
  if (from.empty()) {
    from.resize(static_cast<std::size_t>(rows_));
    std::iota(from.begin(), from.end(), 0u);
  }
  std::vector<float> size(static_cast<std::size_t>(rows_));
  for (const std::uint32_t row : from) {
    for (int k = 0; k < outputs_; ++k) {
      const float* pair = pairs_.data() + 2 * (k * rows_ + row);
      size[row] += std::fabs(pair[0] * pair[1]);
    }
  }
  std::vector<std::uint32_t> order = from;
  const auto top = std::clamp<std::size_t>(
      static_cast<std::size_t>(options_.goss_top * static_cast<double>(order.size())), 1, order.size());
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(top - 1), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return size[a] != size[b] ? size[a] > size[b] : a < b; });
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(rows_));
  for (std::size_t i = 0; i < top; ++i) kept[order[i]] = 1;
  const double share = std::min(1.0, options_.goss_other / (1 - options_.goss_top));
  const auto below = static_cast<std::uint64_t>(share * 0x1p32);
  const std::uint32_t salt = mixed(both_halves(options_.seed) ^ mixed(static_cast<std::uint32_t>(round) + 0x2c1b3cu));
  stands_for_.assign(static_cast<std::size_t>(rows_), 1);
  sample_.clear();
  for (const std::uint32_t row : from) {
    if (!kept[row] && mixed(row ^ salt) >= below) continue;
    sample_.push_back(row);
    if (kept[row]) continue;
    for (int k = 0; k < outputs_; ++k) {
      float* pair = pairs_.data() + 2 * (k * rows_ + row);
      pair[0] /= static_cast<float>(share);
      pair[1] /= static_cast<float>(share);
    }
    stands_for_[row] = static_cast<float>(1 / share);
  }
}

// What values of magnitude up to `most` are multiplied with before they are rounded: a float, since the kernel takes
// one. Fine levels are powers of two apart, so that numbers of few digits stay as they are.
double Trainer::scale_for(std::int32_t level, double most) const {
  if (!(most > 0)) return 1;
  const double scale = std::min(level * kWithin / most, 0x1p127);
  return levels_.rows_of_16_bits > 0 ? static_cast<float>(scale) : std::exp2(std::floor(std::log2(scale)));
}

// Writes the rounded gradients of an output into the records; `before` makes those of some rows first.
template <class F>
void Trainer::quantise_rows(int output, std::uint32_t seed, const F& before) {
  g_scale_ = scale_for(levels_.gradient, most_g_);
  h_scale_ = levels_.hessian == 1 ? 1 : scale_for(levels_.hessian, most_h_);
  constexpr std::int64_t kStep = 1024;
  const auto& kernels = kernels::cpu::trees_table();
  parallel_for(rows_, kRows, [&](std::int64_t begin, std::int64_t end) {
    std::int32_t packed[kStep];
    for (std::int64_t first = begin; first < end; first += kStep) {
      const std::int64_t n = std::min(kStep, end - first);
      before(first, first + n);
      const float* pairs = pairs_.data() + 2 * (output * rows_ + first);
      const auto g_scale = static_cast<float>(g_scale_), h_scale = static_cast<float>(h_scale_);
      if (keys_.empty()) {
        kernels.quantise(pairs, n, seed, static_cast<std::uint32_t>(first), g_scale, h_scale, packed);
      } else {
        kernels.quantise_keyed(pairs, n, seed, keys_.data() + first, g_scale, h_scale, packed);
      }
      for (const BinnedRows::Block& block : data_.blocks()) {
        std::uint8_t* to = block.records.data() + first * block.width + block.width - 4;
        for (std::int64_t i = 0; i < n; ++i) std::memcpy(to + i * block.width, packed + i, sizeof *packed);
      }
    }
  });
}

void Trainer::quantise(int output, std::uint32_t seed) {
  if (fused_) {
    quantise_rows(output, seed, [&](std::int64_t begin, std::int64_t end) {
      loss_.derivatives(training_.train.targets, margins_, begin, end, pairs_.data());
    });
    return;
  }
  std::vector<std::pair<float, float>> most(static_cast<std::size_t>((rows_ + kRows - 1) / kRows));
  parallel_for(rows_, kRows, [&](std::int64_t begin, std::int64_t end) {
    float g = 0, h = 0;
    const float* pair = pairs_.data() + 2 * (output * rows_ + begin);
    for (std::int64_t i = begin; i < end; ++i, pair += 2) {
      g = std::max(g, std::fabs(pair[0]));
      h = std::max(h, pair[1]);
    }
    most[static_cast<std::size_t>(begin / kRows)] = {g, h};
  });
  most_g_ = most_h_ = 0;
  for (const auto& [g, h] : most) {
    most_g_ = std::max(most_g_, static_cast<double>(g));
    most_h_ = std::max(most_h_, static_cast<double>(h));
  }
  if (!std::isfinite(most_g_) || !std::isfinite(most_h_)) {
    throw NumericError("[GradientBoosting] expected finite gradients, got one that is not: the margins have diverged");
  }
  quantise_rows(output, seed, [](std::int64_t, std::int64_t) {});
}

// Values of leaves from the gradients as they are. Sums are of whole numbers, so the order of rows is of no account.
void Trainer::settle_leaves(GrownTree& tree, const std::vector<LeafRows>& leaves, int output) {
  const int bits = 61 - static_cast<int>(std::ceil(std::log2(static_cast<double>(rows_) + 1)));
  const auto scale_for = [&](double most) { return std::ldexp(1.0, bits - (most > 0 ? std::ilogb(most) + 1 : 0)); };
  const double g_scale = scale_for(most_g_), h_scale = scale_for(most_h_);
  const float* pairs = pairs_.data() + 2 * output * rows_;
  double* margins = margins_.data() + output * rows_;
  const double quantile = loss_.leaf_quantile(),
               most_step = options_.max_delta_step > 0 ? options_.max_delta_step : loss_.most_step();
  // Bounds that the grower found are in units of gradients, which those of the target have nothing to do with.
  const bool bound_later = !std::isnan(quantile) && !grow_.split.monotone.empty();
  const Targets& targets = training_.train.targets;
  const auto add_value = [&](const LeafRows& leaf) {
    const double value = tree.nodes[static_cast<std::size_t>(leaf.node)].value;
    for (const std::uint32_t row : leaf.rows) margins[row] += value;
  };
  parallel_for(static_cast<std::int64_t>(leaves.size()), 1, [&](std::int64_t l, std::int64_t) {
    const LeafRows& leaf = leaves[static_cast<std::size_t>(l)];
    constexpr std::size_t kAhead = 48;
    const std::size_t n = leaf.rows.size();
    std::int64_t g = 0, h = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t ahead = leaf.rows[std::min(i + kAhead, n - 1)], row = leaf.rows[i];
      __builtin_prefetch(pairs + 2 * ahead);
      __builtin_prefetch(margins + ahead, 1);
      g += static_cast<std::int64_t>(pairs[2 * row] * g_scale);
      h += static_cast<std::int64_t>(pairs[2 * row + 1] * h_scale);
    }
    auto& node = tree.nodes[static_cast<std::size_t>(leaf.node)];
    node.hessian = static_cast<double>(h) / h_scale;
    double value = grower_.finder().leaf_value(static_cast<double>(g) / g_scale, node.hessian, leaf.low, leaf.high);
    if (!std::isnan(quantile)) {
      std::vector<std::pair<double, double>> residuals;
      for (const std::uint32_t row : leaf.rows) {
        const double rows = stands_for_.empty() ? 1 : static_cast<double>(stands_for_[row]);
        residuals.emplace_back(targets.values[row] - margins[row], rows * targets.weight(row));
      }
      value = weighted_quantile(residuals, quantile);
    }
    node.value = std::clamp(value, -most_step, most_step) * options_.learning_rate;
    if (!bound_later) add_value(leaf);
  });
  if (bound_later) {
    keep_monotone(tree, grow_.split.monotone);
    parallel_for(static_cast<std::int64_t>(leaves.size()), 1,
                 [&](std::int64_t l, std::int64_t) { add_value(leaves[static_cast<std::size_t>(l)]); });
  }
  for (std::size_t i = tree.nodes.size(); i-- > 0;) {
    auto& node = tree.nodes[i];
    if (node.left < 0) continue;
    node.hessian = tree.nodes[static_cast<std::size_t>(node.left)].hessian +
                   tree.nodes[static_cast<std::size_t>(node.right)].hessian;
  }
}

std::vector<int> Trainer::features_of_tree(std::uint32_t seed) const {
  std::vector<int> features(bins_.size());
  std::iota(features.begin(), features.end(), 0);
  const double share = options_.colsample_bytree;
  if (share >= 1 || features.size() < 2) return features;
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(share * static_cast<double>(features.size()))));
  const auto key = [salt = mixed(seed ^ 0x6d2b79f5u)](int f) { return mixed(static_cast<std::uint32_t>(f) ^ salt); };
  std::sort(features.begin(), features.end(),
            [&](int a, int b) { return std::pair(key(a), a) < std::pair(key(b), b); });
  features.resize(count);
  std::sort(features.begin(), features.end());
  return features;
}

// Takes some earlier trees of this training out of the margins; their numbers. `before` rounds were trained earlier.
std::vector<int> Trainer::leave_out(int round, int before) {
  std::vector<int> chosen;
  if (options_.dart_rate <= 0 || round == 0) return chosen;
  const Philox random(options_.seed, 0xda47 + static_cast<std::uint64_t>(before + round));
  if (random.uniform(0) < options_.dart_skip) return chosen;
  const auto first = static_cast<int>(random.below(1, static_cast<std::uint64_t>(round)));
  const double rate = std::min(options_.dart_rate, static_cast<double>(options_.dart_most) / round);
  for (int i = 0; i < round && static_cast<int>(chosen.size()) < options_.dart_most; ++i) {
    const int r = (first + i) % round;  // from anywhere: at the most, all are as likely to be left out
    if (random.uniform(static_cast<std::uint64_t>(r) + 2) < rate) chosen.push_back(r);
  }
  if (chosen.empty()) chosen.push_back(first);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

double Trainer::metric() const {
  const Targets& targets = training_.validation.targets;
  if (!options_.metric.value) return loss_.metric(targets, validation_margins_);
  std::vector<double> predictions(validation_margins_.size());
  const auto rows = static_cast<std::size_t>(validation_.rows()), outputs = static_cast<std::size_t>(outputs_);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    predictions[i] = validation_margins_[i % outputs * rows + i / outputs];
  }
  apply_link(loss_.link(), 1, outputs_, predictions);
  if (loss_.link() == Link::softmax && outputs == 2) {  // as of `predict_probability`: the second's alone
    for (std::size_t row = 0; row < rows; ++row) predictions[row] = predictions[2 * row + 1];
    predictions.resize(rows);
  }
  return options_.metric.value(predictions, targets.values, targets.weights);
}

Ensemble Trainer::run(std::vector<double>& history) {
  warn_of_levels("GradientBoosting", training_.features, bins_);
  Ensemble model;
  start(model);
  prepare();
  const auto before = static_cast<std::int32_t>(model.rounds());
  const auto features = static_cast<int>(bins_.size());
  const bool watched = validation_.rows() > 0 && (options_.metric.value || !loss_.metric_name().empty());
  const bool larger = options_.metric.value ? options_.metric.larger_is_better : loss_.larger_is_better();
  const std::uint32_t base_seed =
      mixed(static_cast<std::uint32_t>(options_.seed) ^ mixed(static_cast<std::uint32_t>(options_.seed >> 32)));
  int best = -1;
  std::vector<LeafRows> leaves;
  for (int round = 0; round < options_.rounds; ++round) {
    const std::vector<int> out = leave_out(round, before);
    const auto add_rounds = [&](double sign) {
      for (const int r : out) {
        for (int k = 0; k < outputs_; ++k) {
          const auto t = static_cast<std::size_t>(r * outputs_ + k);
          add_tree(grown_[t], data_, features, sign * factors_[t], margins_.data() + k * rows_);
          add_tree(grown_[t], validation_, features, sign * factors_[t],
                   validation_margins_.data() + k * validation_.rows());
        }
      }
    };
    add_rounds(-1);
    if (!fused_) derive();
    sample(before + round);
    const double factor = out.empty() ? 1 : 1 / (static_cast<double>(out.size()) + options_.learning_rate);
    for (int k = 0; k < outputs_; ++k) {
      const std::uint32_t seed = mixed(base_seed ^ mixed(static_cast<std::uint32_t>((before + round) * outputs_ + k)));
      quantise(k, seed);
      GrownTree tree = grower_.grow(sample_, features_of_tree(seed), levels_, 1 / g_scale_, 1 / h_scale_, seed, leaves);
      settle_leaves(tree, leaves, k);
      double* margins = margins_.data() + k * rows_;
      if (!sample_.empty()) add_tree(tree, data_, features, 1, margins, &left_out_);
      if (factor != 1) add_tree(tree, data_, features, factor - 1, margins);
      add_tree(tree, validation_, features, factor, validation_margins_.data() + k * validation_.rows());
      model.trees.push_back(to_tree(tree, bins_));
      if (options_.dart_rate > 0) {
        grown_.push_back(std::move(tree));
        factors_.push_back(factor);
      }
    }
    for (const int r : out) {
      for (int k = 0; k < outputs_; ++k)
        factors_[static_cast<std::size_t>(r * outputs_ + k)] *= factor * static_cast<double>(out.size());
    }
    add_rounds(1);
    double now = std::numeric_limits<double>::quiet_NaN();
    if (watched) {
      now = metric();
      history.push_back(now);
      const double before = best < 0 ? now : history[static_cast<std::size_t>(best)];
      const double gain = (larger ? 1 : -1) * (now - before);
      const bool first = best < 0 || (std::isnan(before) && !std::isnan(now));
      if (first || gain > options_.early_stopping_min_delta) best = round;
    }
    if (options_.on_round && !options_.on_round(round + 1, now)) break;
    if (watched && options_.early_stopping_rounds > 0 && round - best >= options_.early_stopping_rounds) break;
  }
  if (watched && options_.early_stopping_rounds > 0 && std::isnan(history[static_cast<std::size_t>(best)])) {
    throw NumericError("[GradientBoosting] expected a metric for early_stopping_rounds that is a number, got NaN in " +
                       std::to_string(history.size()) + " rounds");
  }
  for (std::size_t t = 0; t < grown_.size(); ++t) {
    Tree& tree = model.trees[static_cast<std::size_t>(before * outputs_) + t];
    for (double& value : tree.leaf_value) value *= factors_[t];
  }
  if (options_.early_stopping_rounds > 0 && best >= 0) model.best_round = before + best;
  if (std::all_of(model.trees.begin(), model.trees.end(), [](const Tree& tree) { return tree.feature.empty(); })) {
    const std::string all = "[GradientBoosting] no tree has a split, so all rows get one prediction: ";
    if (const auto value = only_value(training_.train.targets)) {
      tern::internal::warn("constant target", all + "the target is " + tern::internal::number_text(*value));
    } else {
      tern::internal::warn("no splits", all + std::to_string(rows_) + " rows, min_child_rows " +
                                            std::to_string(options_.min_child_rows));
    }
  }
  return model;
}

}  // namespace

Trained train(const GradientBoostingOptions& options, const Training& training, const Loss& loss) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  const auto begin = Clock::now();
  Trainer trainer(options, training, loss);
  const auto binned = Clock::now();
  Trained trained;
  trained.model = trainer.run(trained.history);
  trained.binning_seconds = seconds(binned - begin);
  trained.training_seconds = seconds(Clock::now() - binned);
  return trained;
}

}  // namespace tern::trees::internal
