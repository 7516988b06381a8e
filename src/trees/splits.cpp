#include "trees/splits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "trees/hash.h"

namespace tern::trees::internal {

std::int32_t add_split(Tree& tree, const Split& split, const FeatureBins& bins, double cover) {
  if (split.bin >= 0) {
    const auto at = static_cast<std::size_t>(split.bin);
    const double threshold = at < bins.thresholds.size()
                                 ? bins.thresholds[at]
                                 : std::numeric_limits<double>::infinity();  // all but missing ones
    return tree.add_node(split.feature, threshold, split.missing_left, split.gain, cover);
  }
  const std::size_t levels = bins.bin_of_level.size();
  std::vector<std::uint64_t> set((levels + 63) / 64);
  for (std::size_t level = 0; level < levels; ++level) {
    if (split.left.has(bins.bin_of_level[level])) set[level / 64] |= std::uint64_t{1} << (level % 64);
  }
  return tree.add_node(split.feature, std::move(set), split.missing_left, split.gain, cover);
}

constexpr int kFewLevels = 16;  // of a feature, of which there are too few sets to fit noise

struct SplitFinder::Search {
  const NodeToSplit& node;
  double parent;  // score of the node undivided
  double least;   // hessian of a side, in the histogram's units, below which it is too light or has too few rows
  bool plain;     // sides are judged by sums alone
  int monotone = 0;
};

double SplitFinder::leaf_value(double g, double h, double low, double high) const {
  const double shrunk = g > options_.lambda_l1    ? g - options_.lambda_l1
                        : g < -options_.lambda_l1 ? g + options_.lambda_l1
                                                  : 0;
  double value = h + options_.lambda_l2 > 0 ? -shrunk / (h + options_.lambda_l2) : 0;
  if (options_.max_delta_step > 0) value = std::clamp(value, -options_.max_delta_step, options_.max_delta_step);
  return std::clamp(value, low, high);
}

// How much the best value for a side lowers the objective, twice.
double SplitFinder::score(double g, double h, double l2, double low, double high) const {
  const double size = std::max(0.0, std::fabs(g) - options_.lambda_l1);
  const double bottom = h + l2;
  if (!(bottom > 0)) return 0;
  double value = g > 0 ? -size / bottom : size / bottom;
  const double free = value;
  if (options_.max_delta_step > 0) value = std::clamp(value, -options_.max_delta_step, options_.max_delta_step);
  value = std::clamp(value, low, high);
  if (value == free) return size * size / bottom;
  return -(2 * g * value + bottom * value * value + 2 * options_.lambda_l1 * std::fabs(value));
}

void SplitFinder::consider(const Search& search, PairSum left, std::int64_t left_rows, double l2, int feature,
                           Split& best, bool& better) const {
  better = false;
  const NodeToSplit& node = search.node;
  const PairSum right = node.sum - left;
  const double hl = hessian_sum(left), hr = hessian_sum(right);
  if (hl < search.least || hr < search.least) return;
  if (node.counts && (left_rows < options_.min_child_rows || node.rows - left_rows < options_.min_child_rows)) return;
  const double gl = gradient_sum(left) * g_unit_, gr = gradient_sum(right) * g_unit_;
  const double wl = hl * h_unit_, wr = hr * h_unit_;
  if (search.monotone != 0) {
    const double vl = leaf_value(gl, wl, node.low, node.high), vr = leaf_value(gr, wr, node.low, node.high);
    if (search.monotone > 0 ? vl > vr : vl < vr) return;
  }
  const double gain = score(gl, wl, l2, node.low, node.high) + score(gr, wr, l2, node.low, node.high) - search.parent;
  if (!(gain > best.gain) || (node.counts && gain + options_.min_split_gain > node.gain_below)) return;
  best.gain = gain;
  best.feature = feature;
  best.left_sum = left;
  better = true;
}

void SplitFinder::numeric_fast(const Search& search, int feature, Split& best) const {
  const FeatureBins& bins = bins_[static_cast<std::size_t>(feature)];
  const PairSum* histogram = search.node.histogram + data_.histogram_offset(feature);
  const PairSum missing = histogram[bins.bins];
  const double unit = g_unit_ * g_unit_ / h_unit_;
  kernels::cpu::ThresholdSearch threshold{.g = static_cast<double>(gradient_sum(search.node.sum)),
                                          .h = static_cast<double>(hessian_sum(search.node.sum)),
                                          .lambda = options_.lambda_l2 / h_unit_,
                                          .least = search.least};
  for (int side = 0; side < (missing ? 2 : 1); ++side) {
    threshold.beside = side == 0 ? 0 : missing;
    threshold.bins = bins.bins - (missing && side == 0 ? 0 : 1);
    const auto found = kernels::cpu::trees_table().best_threshold(histogram, threshold);
    if (found.bin < 0) continue;
    const double gain = found.numerator / found.denominator * unit - search.parent;
    if (!(gain > best.gain)) continue;
    best = Split{.gain = gain, .feature = feature, .bin = static_cast<int>(found.bin), .missing_left = side == 1};
  }
}

void SplitFinder::numeric(const Search& search, int feature, Split& best) const {
  const FeatureBins& bins = bins_[static_cast<std::size_t>(feature)];
  const PairSum* histogram = search.node.histogram + data_.histogram_offset(feature);
  const std::uint32_t* counts = search.node.counts ? search.node.counts + feature * 256 : nullptr;
  const PairSum missing = histogram[bins.bins];
  const std::int64_t missing_rows = counts ? counts[bins.bins] : 0;
  int first = 0, last = bins.bins;
  if (options_.random_thresholds) {
    int low = 0, high = bins.bins - 1;
    while (low < high && histogram[low] == 0) ++low;
    while (high > low && histogram[high] == 0) --high;
    if (low == high) return;
    const std::uint32_t random =
        mixed(mixed(static_cast<std::uint32_t>(search.node.path)) ^ static_cast<std::uint32_t>(feature) * 0x9e3779b9u);
    first = low + static_cast<int>((std::uint64_t{random} * static_cast<std::uint64_t>(high - low)) >> 32);
    last = first + 1;
  }
  for (const bool missing_left : {false, true}) {
    if (missing_left && !missing && !missing_rows) break;
    PairSum left = missing_left ? missing : 0;
    std::int64_t left_rows = missing_left ? missing_rows : 0;
    const int end = std::min(last, bins.bins - (missing && !missing_left ? 0 : 1));
    for (int bin = 0; bin < end; ++bin) {
      left += histogram[bin];
      if (counts) left_rows += counts[bin];
      if (bin < first) continue;
      bool better;
      consider(search, left, left_rows, options_.lambda_l2, feature, best, better);
      if (better) best.bin = bin, best.missing_left = missing_left;
    }
  }
}

void SplitFinder::categorical(const Search& search, int feature, Split& best) const {
  const FeatureBins& bins = bins_[static_cast<std::size_t>(feature)];
  const PairSum* histogram = search.node.histogram + data_.histogram_offset(feature);
  const std::uint32_t* counts = search.node.counts ? search.node.counts + feature * 256 : nullptr;
  const PairSum missing = histogram[bins.bins];
  const std::int64_t missing_rows = counts ? counts[bins.bins] : 0;
  std::vector<int> order;
  for (int bin = 0; bin < bins.bins; ++bin) {
    if (hessian_sum(histogram[bin]) > 0) order.push_back(bin);
  }
  auto present = static_cast<int>(order.size());
  if (present + (missing ? 1 : 0) < 2) return;
  const bool one = present <= options_.one_against_rest;
  const double l2 = options_.lambda_l2 + (one ? 0 : options_.categorical_l2);
  int most = one ? present : std::min(present, options_.max_categories);
  if (!one) {
    // Of many levels those of few rows, by their hessians, are in no set: the others' sets are up to half of them from
    // either end, so that those few are never divided off alone. The others are drawn to the mean of the node.
    const double least =
        options_.categorical_smoothing * hessian_sum(search.node.sum) / static_cast<double>(search.node.rows);
    if (bins.bins > kFewLevels &&
        std::erase_if(order, [&](int bin) { return hessian_sum(histogram[bin]) < least; }) > 0) {
      present = static_cast<int>(order.size());
      most = std::min(most, (present + 1) / 2);
    }
    const double mean = gradient_sum(search.node.sum) * g_unit_ / (hessian_sum(search.node.sum) * h_unit_);
    std::vector<double> keys(static_cast<std::size_t>(bins.bins));
    for (const int bin : order) {
      const double g = gradient_sum(histogram[bin]) * g_unit_, h = hessian_sum(histogram[bin]) * h_unit_;
      keys[static_cast<std::size_t>(bin)] =
          (g + mean * options_.categorical_smoothing) / (h + options_.categorical_smoothing);
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
    });
  }
  const auto take = [&](int first, int count, bool from_end, bool missing_left) {
    best.bin = -1;
    best.missing_left = missing_left;
    BinSet set;
    for (int i = first; i < first + count; ++i) {
      set.insert(order[static_cast<std::size_t>(from_end ? present - 1 - i : i)]);
    }
    best.left = set;
  };
  for (const bool missing_left : {false, true}) {
    if (missing_left && !missing && !missing_rows) break;
    for (const bool from_end : {false, true}) {
      if (from_end && one) break;
      PairSum left = missing_left ? missing : 0;
      std::int64_t left_rows = missing_left ? missing_rows : 0;
      for (int i = 0; i < most; ++i) {
        const int bin = order[static_cast<std::size_t>(from_end ? present - 1 - i : i)];
        const PairSum sum = one ? (missing_left ? missing : 0) + histogram[bin] : left += histogram[bin];
        if (counts) left_rows = (one ? (missing_left ? missing_rows : 0) : left_rows) + counts[bin];
        bool better;
        consider(search, sum, left_rows, l2, feature, best, better);
        if (better) take(one ? i : 0, one ? 1 : i + 1, from_end, missing_left);
      }
    }
  }
}

Split SplitFinder::find(const NodeToSplit& node, std::span<const int> features) const {
  const double h = hessian_sum(node.sum);
  const double rows_as_hessian =
      node.counts ? 0 : static_cast<double>(options_.min_child_rows) * h / static_cast<double>(node.rows);
  const double infinite = std::numeric_limits<double>::infinity();
  Search search{
      .node = node,
      .parent = score(gradient_sum(node.sum) * g_unit_, h * h_unit_, options_.lambda_l2, node.low, node.high),
      .least = std::max({1.0, options_.min_child_weight / h_unit_ * (1 - 1e-12), rows_as_hessian * (1 - 1e-12)}),
      .plain = !node.counts && options_.lambda_l1 == 0 && options_.max_delta_step == 0 && node.low == -infinite &&
               node.high == infinite && !options_.random_thresholds};
  search.parent += options_.min_split_gain;
  Split best;
  for (const int feature : features) {
    const FeatureBins& bins = bins_[static_cast<std::size_t>(feature)];
    search.monotone = options_.monotone.empty() ? 0 : options_.monotone[static_cast<std::size_t>(feature)];
    Split found{.gain = best.gain};
    if (bins.categorical) {
      categorical(search, feature, found);
    } else if (search.plain && search.monotone == 0) {
      numeric_fast(search, feature, found);
    } else {
      numeric(search, feature, found);
    }
    if (found.feature >= 0) best = found;
  }
  if (best.feature < 0) return best;
  best.gain += options_.min_split_gain;
  const FeatureBins& bins = bins_[static_cast<std::size_t>(best.feature)];
  const PairSum* histogram = node.histogram + data_.histogram_offset(best.feature);
  if (best.bin >= 0) {
    best.left_sum = best.missing_left ? histogram[bins.bins] : 0;
    for (int bin = 0; bin <= best.bin; ++bin) best.left.insert(bin), best.left_sum += histogram[bin];
  }
  if (histogram[bins.bins] == 0) {
    // No row of the node lacks the value: those that will go where most rows go, levels not seen here as well.
    best.missing_left = hessian_sum(best.left_sum) * 2.0 > h;
  }
  if (best.bin < 0 && best.missing_left) {
    for (int bin = 0; bin < bins.bins; ++bin) {
      if (histogram[bin] == 0) best.left.insert(bin);
    }
  }
  if (best.missing_left) best.left.insert(bins.bins);
  return best;
}

}  // namespace tern::trees::internal
