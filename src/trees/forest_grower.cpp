#include "trees/forest_grower.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "trees/splits.h"

// Trees of a forest are grown whole, one by one thread, on rows of bins. A node's rows lie side by side, with what the
// criterion needs of them. For each drawn feature its rows' bins are gathered, and only bins that have rows are looked
// at, in order: so the last nodes, of a few rows, cost a few steps and not 255 bins.
//
// Impurities are sums that a row changes by a few operations when it moves from the right side to the left:
//   values        SL²/WL + SR²/WR                      (what the squares fall by, but for a constant)
//   Gini          Σ L²/WL + Σ R²/WR, with Σ R² = Σ T² - 2 Σ T L + Σ L²
//   entropy       Σ f(L) + Σ f(R) - f(WL) - f(WR), with f(x) = x ln x
// Gini's impurity of two classes is twice the variance of 0 and 1, so those take the first.
namespace tern::trees::internal {
namespace {

constexpr std::size_t kBins = 256;
constexpr std::uint32_t kNone = 0xFFFFFFFF;
constexpr std::int64_t kChained = 1024;         // rows of a node up to which classes are looked at row by row
constexpr std::int64_t kSparse = 16;            // of a node with a smaller part of the rows, lines of columns hold few
constexpr std::int64_t kCopiedBytes = 1 << 20;  // stay in the second cache
constexpr double kNearly = 1 - 1e-12;           // sums of whole numbers are exact, others nearly
constexpr double kLeastShare = 1e-12;           // of a node's weight, below which a side's sums are rounding errors
constexpr int kDirectionSteps = 12;             // of the power iteration
constexpr double kLargestTable = 1 << 20;       // weights up to which logarithms are looked up

// Which bins have rows.
class Present {
 public:
  void add(std::uint8_t bin) { words_[bin / 64] |= std::uint64_t{1} << (bin % 64); }
  // Writes them in order and forgets them.
  int take(std::uint8_t* out) {
    int count = 0;
    for (std::size_t word = 0; word < words_.size(); ++word) {
      for (std::uint64_t bits = words_[word]; bits != 0; bits &= bits - 1) {
        out[count++] = static_cast<std::uint8_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
      }
      words_[word] = 0;
    }
    return count;
  }

 private:
  std::array<std::uint64_t, 4> words_{};
};

// Sums over values of the rows of a node, by bin and on the left side.
class Values {
 public:
  struct Row {
    double weight, value;
  };
  explicit Values(const ForestRows& forest, const ForestGrowOptions&, std::span<const double>) : forest_(forest) {}

  Row row(std::uint32_t row, double weight) const { return {weight, forest_.values[row]}; }

  // Whether there is anything to divide among rows of a node.
  bool start(const Row* items, std::int64_t count) {
    weight_ = sum_ = best_ = 0;
    bool differ = false;
    for (std::int64_t i = 0; i < count; ++i) {
      const double weight = items[i].weight, value = items[i].value;
      differ |= value != items[0].value;
      weight_ += weight;
      sum_ += weight * value;
      best_ += weight * value * value;
    }
    return differ;
  }
  double weight() const { return weight_; }
  double undivided() const { return sum_ * sum_ / weight_; }
  double perfect() const { return best_ * kNearly; }
  void leaf(double* out) const { *out = forest_.middle + sum_ / weight_; }

  void fill(const std::uint8_t* bins, const Row* items, std::int64_t count, Present& present) {
    for (std::int64_t i = 0; i < count; ++i) {
      Bin& bin = bins_[bins[i]];
      bin.weight += items[i].weight;
      bin.sum += items[i].weight * items[i].value;
      ++bin.rows;
      present.add(bins[i]);
    }
  }
  void clear(std::uint8_t bin) { bins_[bin] = {}; }

  void nothing_left() { left_ = {}; }
  void move(std::uint8_t bin) {
    left_.weight += bins_[bin].weight;
    left_.sum += bins_[bin].sum;
    left_.rows += bins_[bin].rows;
  }
  double score() const {
    const double right = sum_ - left_.sum;
    return left_.sum * left_.sum / left_.weight + right * right / (weight_ - left_.weight);
  }
  double left_weight() const { return left_.weight; }
  std::int64_t left_rows() const { return left_.rows; }

  // Numbers by which levels are put in order.
  void keys(const std::uint8_t* present, int count, double* out) const {
    for (int i = 0; i < count; ++i) out[i] = bins_[present[i]].sum / bins_[present[i]].weight;
  }

 private:
  struct Bin {
    double weight = 0, sum = 0;
    std::int64_t rows = 0;
  };
  const ForestRows& forest_;
  std::array<Bin, kBins> bins_{};
  Bin left_{};
  double weight_ = 0, sum_ = 0, best_ = 0;
};

// x ln x, looked up where weights are whole numbers.
class WeightTimesLog {
 public:
  explicit WeightTimesLog(std::span<const double> weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const auto whole = [](double weight) { return weight == std::floor(weight); };
    if (!(sum <= kLargestTable) || !std::all_of(weights.begin(), weights.end(), whole)) return;
    table_.resize(static_cast<std::size_t>(sum) + 1);
    for (std::size_t i = 1; i < table_.size(); ++i) table_[i] = of(static_cast<double>(i));
  }
  double operator()(double x) const { return table_.empty() ? of(x) : table_[static_cast<std::size_t>(x)]; }

 private:
  static double of(double x) { return x > 0 ? x * std::log(x) : 0; }
  std::vector<double> table_{};
};

class Gini {
 public:
  explicit Gini(std::span<const double>) {}
  void start(const std::vector<double>& totals, double weight) {
    weight_ = weight;
    squares_ = 0;
    for (const double total : totals) squares_ += total * total;
  }
  double undivided() const { return squares_ / weight_; }
  double perfect() const { return weight_ * kNearly; }
  void nothing_left() { left_ = both_ = 0; }
  void move(double left, double total, double weight) {
    left_ += weight * (2 * left + weight);
    both_ += weight * total;
  }
  double score(double weight) const { return left_ / weight + (squares_ - 2 * both_ + left_) / (weight_ - weight); }

 private:
  double weight_ = 0, squares_ = 0, left_ = 0, both_ = 0;
};

class Entropy {
 public:
  explicit Entropy(std::span<const double> weights) : f_(weights) {}
  void start(const std::vector<double>& totals, double weight) {
    weight_ = weight;
    all_ = 0;
    for (const double total : totals) all_ += f_(total);
  }
  double undivided() const { return all_ - f_(weight_); }
  double perfect() const { return weight_ * (kNearly - 1); }
  void nothing_left() { sides_ = all_; }
  void move(double left, double total, double weight) {
    const double right = total - left;
    sides_ += f_(left + weight) - f_(left) + f_(std::max(0.0, right - weight)) - f_(right);
  }
  double score(double weight) const { return sides_ - f_(weight) - f_(weight_ - weight); }

 private:
  WeightTimesLog f_;
  double weight_ = 0, all_ = 0, sides_ = 0;
};

// Weights of classes. Of few rows each bin has a list of them, of many a weight for each class.
template <class Impurity>
class Classes {
 public:
  struct Row {
    double weight;
    std::uint32_t label;
  };
  Classes(const ForestRows& forest, const ForestGrowOptions&, std::span<const double> weights)
      : forest_(forest),
        classes_(static_cast<std::size_t>(forest.classes)),
        many_(std::max<std::int64_t>(kChained, std::int64_t{64} * forest.classes)),
        impurity_(weights),
        totals_(classes_),
        left_(classes_),
        next_(static_cast<std::size_t>(many_)) {
    heads_.fill(kNone);
    if (static_cast<std::int64_t>(weights.size()) > many_) sums_.resize(kBins * classes_);
  }

  Row row(std::uint32_t row, double weight) const { return {weight, forest_.labels[row]}; }

  bool start(const Row* items, std::int64_t count) {
    std::fill(totals_.begin(), totals_.end(), 0.0);
    weight_ = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      totals_[items[i].label] += items[i].weight;
      weight_ += items[i].weight;
    }
    impurity_.start(totals_, weight_);
    chained_ = count <= many_;
    return std::count_if(totals_.begin(), totals_.end(), [](double total) { return total > 0; }) > 1;
  }
  double weight() const { return weight_; }
  double undivided() const { return impurity_.undivided(); }
  double perfect() const { return impurity_.perfect(); }
  void leaf(double* out) const {
    if (classes_ == 2) {
      *out = totals_[1] / weight_;
      return;
    }
    for (std::size_t k = 0; k < classes_; ++k) out[k] = totals_[k] / weight_;
  }

  void fill(const std::uint8_t* bins, const Row* items, std::int64_t count, Present& present) {
    items_ = items;
    if (chained_) {
      for (std::int64_t i = 0; i < count; ++i) {
        next_[static_cast<std::size_t>(i)] = heads_[bins[i]];
        heads_[bins[i]] = static_cast<std::uint32_t>(i);
        present.add(bins[i]);
      }
      return;
    }
    for (std::int64_t i = 0; i < count; ++i) {
      sums_[bins[i] * classes_ + items[i].label] += items[i].weight;
      ++rows_[bins[i]];
    }
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      if (rows_[bin] > 0) present.add(static_cast<std::uint8_t>(bin));
    }
  }
  void clear(std::uint8_t bin) {
    if (chained_) {
      heads_[bin] = kNone;
    } else {
      std::fill_n(sums_.begin() + static_cast<std::ptrdiff_t>(bin * classes_), classes_, 0.0);
      rows_[bin] = 0;
    }
  }

  void nothing_left() {
    std::fill(left_.begin(), left_.end(), 0.0);
    left_weight_ = 0;
    left_rows_ = 0;
    impurity_.nothing_left();
  }
  void move(std::uint8_t bin) {
    if (chained_) {
      for (std::uint32_t i = heads_[bin]; i != kNone; i = next_[i]) {
        move(items_[i].label, items_[i].weight);
        ++left_rows_;
      }
      return;
    }
    const double* sums = sums_.data() + bin * classes_;
    for (std::size_t k = 0; k < classes_; ++k) {
      if (sums[k] > 0) move(k, sums[k]);
    }
    left_rows_ += rows_[bin];
  }
  double score() const { return impurity_.score(left_weight_); }
  double left_weight() const { return left_weight_; }
  std::int64_t left_rows() const { return left_rows_; }

  // Levels are put in order along the direction in which their shares of classes differ most (Coppersmith, Hong and
  // Hosking 1999), which the power iteration finds.
  void keys(const std::uint8_t* present, int count, double* out) const {
    std::vector<double> shares(static_cast<std::size_t>(count) * classes_, 0.0),
        weights(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      double* share = shares.data() + static_cast<std::size_t>(i) * classes_;
      double& weight = weights[static_cast<std::size_t>(i)];
      if (chained_) {
        for (std::uint32_t row = heads_[present[i]]; row != kNone; row = next_[row]) {
          share[items_[row].label] += items_[row].weight;
        }
      } else {
        std::copy_n(sums_.data() + present[i] * classes_, classes_, share);
      }
      for (std::size_t k = 0; k < classes_; ++k) weight += share[k];
      for (std::size_t k = 0; k < classes_; ++k) share[k] = share[k] / weight - totals_[k] / weight_;
    }
    const auto along = [&](const std::vector<double>& direction, int i) {
      const double* share = shares.data() + static_cast<std::size_t>(i) * classes_;
      return std::inner_product(direction.begin(), direction.end(), share, 0.0);
    };
    // From the level that differs most.
    std::vector<double> direction(classes_), next(classes_);
    double most = -1;
    for (int i = 0; i < count; ++i) {
      const double* share = shares.data() + static_cast<std::size_t>(i) * classes_;
      const double size =
          weights[static_cast<std::size_t>(i)] * std::inner_product(share, share + classes_, share, 0.0);
      if (size > most) {
        most = size;
        direction.assign(share, share + classes_);
      }
    }
    for (int step = 0; step < kDirectionSteps; ++step) {
      std::fill(next.begin(), next.end(), 0.0);
      for (int i = 0; i < count; ++i) {
        const double factor = weights[static_cast<std::size_t>(i)] * along(direction, i);
        for (std::size_t k = 0; k < classes_; ++k)
          next[k] += factor * shares[static_cast<std::size_t>(i) * classes_ + k];
      }
      const double size = std::sqrt(std::inner_product(next.begin(), next.end(), next.begin(), 0.0));
      if (!(size > 0)) break;
      for (std::size_t k = 0; k < classes_; ++k) direction[k] = next[k] / size;
    }
    for (int i = 0; i < count; ++i) out[i] = along(direction, i);
  }

 private:
  void move(std::size_t k, double weight) {
    impurity_.move(left_[k], totals_[k], weight);
    left_[k] += weight;
    left_weight_ += weight;
  }

  const ForestRows& forest_;
  std::size_t classes_;
  std::int64_t many_;
  Impurity impurity_;
  std::vector<double> totals_, left_;
  double weight_ = 0, left_weight_ = 0;
  std::int64_t left_rows_ = 0;
  bool chained_ = true;
  const Row* items_ = nullptr;
  std::array<std::uint32_t, kBins> heads_{};
  std::vector<std::uint32_t> next_;
  std::vector<double> sums_{};
  std::array<std::int64_t, kBins> rows_{};
};

template <class Target>
class ForestGrower {
 public:
  ForestGrower(const ForestRows& forest, const ForestGrowOptions& options, std::span<const std::uint32_t> rows,
               std::span<const double> weights, const Philox& random)
      : forest_(forest),
        options_(options),
        target_(forest, options, weights),
        random_(random),
        rows_(rows.begin(), rows.end()),
        spare_rows_(rows.size()),
        spare_items_(rows.size()),
        bins_(rows.size()),
        features_(forest.bins.size()),
        leaf_(static_cast<std::size_t>(forest.classes > 2 ? forest.classes : 1)),
        copied_rows_(forest.by_row != nullptr ? std::min(kCopiedBytes / static_cast<std::int64_t>(features_.size()),
                                                         forest.data.rows() / kSparse)
                                              : 0),
        copy_(static_cast<std::size_t>(copied_rows_) * features_.size()) {
    items_.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) items_.push_back(target_.row(rows[i], weights[i]));
    std::iota(features_.begin(), features_.end(), 0);
  }

  Tree grow() {
    const bool best_first = options_.max_leaves > 0;
    const auto add = [&](Node node) {
      if (best_first && !find_split(node)) return;
      open_.push_back(node);
      if (best_first) std::push_heap(open_.begin(), open_.end(), comes_later);
    };
    add({.begin = 0, .end = static_cast<std::int64_t>(rows_.size())});
    std::int64_t leaves = 1, number = 0;
    while (!open_.empty()) {
      if (best_first) std::pop_heap(open_.begin(), open_.end(), comes_later);
      Node node = open_.back();
      open_.pop_back();
      if (best_first && leaves == options_.max_leaves) {
        target_.start(items_.data() + node.begin, node.rows());
        add_leaf(node);
        continue;
      }
      if (!best_first) {
        if (!node.copied && node.rows() <= copied_rows_) copy_bins(node);
        if (!find_split(node)) continue;
      }
      ++leaves;
      const std::int32_t parent =
          add_split(tree_, node.split, forest_.bins[static_cast<std::size_t>(node.split.feature)], node.weight);
      link(node, parent);
      const std::int64_t middle = node.begin + partition(node);
      for (const bool left : {false, true}) {
        add({.begin = left ? node.begin : middle,
             .end = left ? middle : node.end,
             .depth = node.depth + 1,
             .parent = parent,
             .left = left,
             .copied = node.copied,
             .number = ++number});
      }
    }
    return std::move(tree_);
  }

 private:
  struct Node {
    std::int64_t begin = 0, end = 0;
    int depth = 0;
    std::int32_t parent = -1;
    bool left = false;
    bool copied = false;  // its rows' bins lie in `copy_`
    std::int64_t number = 0;
    double weight = 0;
    Split split{};

    std::int64_t rows() const { return end - begin; }
  };

  static bool comes_later(const Node& a, const Node& b) {
    return a.split.gain != b.split.gain ? a.split.gain < b.split.gain : a.number > b.number;
  }

  void link(const Node& node, std::int32_t child) {
    if (node.parent < 0) return;
    (node.left ? tree_.left : tree_.right)[static_cast<std::size_t>(node.parent)] = child;
  }
  void add_leaf(const Node& node) {
    target_.leaf(leaf_.data());
    link(node, ~tree_.add_leaf(leaf_, target_.weight()));
  }

  // Puts the bins of a node's rows side by side, where the nodes below find them near.
  void copy_bins(Node& node) {
    const std::size_t width = features_.size();
    for (std::int64_t i = 0; i < node.rows(); ++i) {
      std::uint32_t& row = rows_[static_cast<std::size_t>(node.begin + i)];
      const std::size_t to = static_cast<std::size_t>(i) * width;
      std::copy_n(forest_.by_row + row * width, width, copy_.data() + to);
      row = static_cast<std::uint32_t>(to);
    }
    node.copied = true;
  }

  // Where a feature's bins begin; a row's lies as far behind as `rows_` says.
  const std::uint8_t* bins_of(const Node& node, int feature) const {
    return node.copied ? copy_.data() + feature : forest_.data.column(feature);
  }

  // Finds the node's split; or makes a leaf of it.
  bool find_split(Node& node) {
    const bool differ = target_.start(items_.data() + node.begin, node.rows());
    node.weight = target_.weight();
    const bool divisible = differ && node.rows() >= options_.min_split_rows &&
                           node.rows() >= 2 * options_.min_child_rows &&
                           (options_.max_depth <= 0 || node.depth < options_.max_depth);
    if (divisible) search(node);
    if (!divisible || best_.feature < 0) {
      add_leaf(node);
      return false;
    }
    finish_split();
    node.split = best_;
    return true;
  }

  std::uint64_t below(std::size_t bound) { return random_.below(drawn_++, bound); }

  // Draws features until enough were looked at and one of them at least has two bins here, as scikit-learn does.
  void search(const Node& node) {
    best_ = {};
    best_score_ = -std::numeric_limits<double>::infinity();
    bool any = false;
    const double perfect = target_.perfect();
    const std::uint32_t* rows = rows_.data() + node.begin;
    for (std::size_t looked = 0; looked < features_.size(); ++looked) {
      if (static_cast<int>(looked) >= options_.max_features && any) break;
      std::swap(features_[looked], features_[looked + below(features_.size() - looked)]);
      const int feature = features_[looked];
      const std::uint8_t* bins = bins_of(node, feature);
      unsigned differ = 0;
      const std::uint8_t first = bins[rows[0]];
      for (std::int64_t i = 0; i < node.rows(); ++i) {
        const std::uint8_t bin = bins[rows[i]];
        bins_[static_cast<std::size_t>(i)] = bin;
        differ |= bin ^ first;
      }
      if (differ == 0) continue;
      any = true;
      look_at(feature, node.begin, node.rows());
      if (best_score_ >= perfect) break;
    }
  }

  void look_at(int feature, std::int64_t begin, std::int64_t count) {
    const FeatureBins& bins = forest_.bins[static_cast<std::size_t>(feature)];
    Present present;
    target_.fill(bins_.data(), items_.data() + begin, count, present);
    present_ = present.take(order_.data());
    missing_ = order_[static_cast<std::size_t>(present_ - 1)] == bins.missing_bin();
    if (missing_) --present_;
    // Boundary i lies behind the bin at i; the last one leaves missing values alone.
    int first = 0, last = present_ - 1, threshold = -1;
    const bool drawn = options_.random_thresholds && present_ > 1;
    if (drawn) {
      first = bins.categorical ? shuffle() : draw_threshold(threshold);
      last = first + 1;
    } else if (bins.categorical && present_ > 1) {
      put_in_order();
    }
    for (const bool missing_left : {false, true}) {
      if (missing_left && !missing_) break;
      target_.nothing_left();
      if (missing_left) target_.move(bins.missing_bin());
      const int end = missing_ && !missing_left && !drawn ? present_ : last;
      for (int i = 0; i < end; ++i) {
        target_.move(order_[static_cast<std::size_t>(i)]);
        if (i < first) continue;
        const std::int64_t left_rows = target_.left_rows();
        if (left_rows < options_.min_child_rows || count - left_rows < options_.min_child_rows) continue;
        const double least = kLeastShare * target_.weight(), left_weight = target_.left_weight();
        if (left_weight < least || target_.weight() - left_weight < least) continue;
        const double score = target_.score();
        if (score > best_score_) {
          best_score_ = score;
          take(feature, bins, i, threshold, missing_left);
        }
      }
    }
    for (int i = 0; i < present_; ++i) target_.clear(order_[static_cast<std::size_t>(i)]);
    if (missing_) target_.clear(bins.missing_bin());
  }

  // A threshold between the first and the last bin of the node, and the boundary that it stands for.
  int draw_threshold(int& threshold) {
    const int low = order_[0], high = order_[static_cast<std::size_t>(present_ - 1)];
    threshold = low + static_cast<int>(below(static_cast<std::size_t>(high - low)));
    const auto above = std::upper_bound(order_.begin(), order_.begin() + present_, threshold);
    return static_cast<int>(above - order_.begin()) - 1;
  }

  // Levels in any order, and a boundary among them.
  int shuffle() {
    const auto count = static_cast<std::size_t>(present_);
    for (std::size_t i = count - 1; i > 0; --i) std::swap(order_[i], order_[below(i + 1)]);
    return static_cast<int>(below(count - 1));
  }

  void put_in_order() {
    std::array<double, kBins> keys, by_bin;
    target_.keys(order_.data(), present_, keys.data());
    for (int i = 0; i < present_; ++i) by_bin[order_[static_cast<std::size_t>(i)]] = keys[static_cast<std::size_t>(i)];
    std::stable_sort(order_.begin(), order_.begin() + present_,
                     [&](std::uint8_t a, std::uint8_t b) { return by_bin[a] < by_bin[b]; });
  }

  void take(int feature, const FeatureBins& bins, int boundary, int threshold, bool missing_left) {
    best_ = {.feature = feature, .missing_left = missing_left};
    best_missing_ = missing_;
    best_left_weight_ = target_.left_weight();
    if (bins.categorical) {
      best_present_ = {};
      for (int i = 0; i < present_; ++i) {
        best_present_.insert(order_[static_cast<std::size_t>(i)]);
        if (i <= boundary) best_.left.insert(order_[static_cast<std::size_t>(i)]);
      }
    } else if (threshold >= 0) {
      best_.bin = threshold;
    } else if (boundary + 1 == present_) {
      best_.bin = bins.bins - 1;
    } else {
      // Amid the bins without rows: what a monotone transform leaves as it is.
      const auto at = static_cast<std::size_t>(boundary);
      best_.bin = (order_[at] + order_[at + 1] - 1) / 2;
    }
  }

  void finish_split() {
    const FeatureBins& bins = forest_.bins[static_cast<std::size_t>(best_.feature)];
    best_.gain = std::max(0.0, best_score_ - target_.undivided()) * forest_.gain_factor;
    // No row of the node lacks the value: those that will go where most rows go, levels not seen here as well.
    if (!best_missing_) best_.missing_left = best_left_weight_ * 2 > target_.weight();
    for (int bin = 0; bin < bins.bins; ++bin) {
      if (bins.categorical ? best_.missing_left && !best_present_.has(static_cast<std::uint8_t>(bin))
                           : bin <= best_.bin) {
        best_.left.insert(bin);
      }
    }
    if (best_.missing_left) best_.left.insert(bins.missing_bin());
  }

  // Moves the rows that go left before the others, both in their order, and returns how many there are.
  std::int64_t partition(const Node& node) {
    const std::uint8_t* column = bins_of(node, node.split.feature);
    std::uint32_t* rows = rows_.data() + node.begin;
    Row* items = items_.data() + node.begin;
    std::size_t left = 0, right = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(node.end - node.begin); ++i) {
      const std::uint32_t row = rows[i];
      const Row item = items[i];
      const bool goes_left = node.split.left.has(column[row]);
      rows[left] = spare_rows_[right] = row;
      items[left] = spare_items_[right] = item;
      left += goes_left ? 1 : 0;
      right += goes_left ? 0 : 1;
    }
    std::copy_n(spare_rows_.data(), right, rows + left);
    std::copy_n(spare_items_.data(), right, items + left);
    return static_cast<std::int64_t>(left);
  }

  using Row = typename Target::Row;

  const ForestRows& forest_;
  const ForestGrowOptions& options_;
  Target target_;
  Philox random_;
  std::uint64_t drawn_ = 0;
  std::vector<std::uint32_t> rows_, spare_rows_;
  std::vector<Row> items_{}, spare_items_;
  std::vector<std::uint8_t> bins_;
  std::vector<int> features_;
  std::vector<double> leaf_;
  std::vector<Node> open_{};
  Tree tree_{};
  std::int64_t copied_rows_;  // of a node whose bins are copied
  std::vector<std::uint8_t> copy_;

  // Of the feature that is looked at: bins with rows, in order.
  std::array<std::uint8_t, kBins> order_{};
  int present_ = 0;
  bool missing_ = false;
  // Of the node.
  Split best_{};
  double best_score_ = 0, best_left_weight_ = 0;
  bool best_missing_ = false;
  BinSet best_present_{};
};

template <class Target>
Tree grow(const ForestRows& forest, const ForestGrowOptions& options, std::span<const std::uint32_t> rows,
          std::span<const double> weights, const Philox& random) {
  return ForestGrower<Target>(forest, options, rows, weights, random).grow();
}

}  // namespace

Tree grow_forest_tree(const ForestRows& forest, const ForestGrowOptions& options, std::span<const std::uint32_t> rows,
                      std::span<const double> weights, const Philox& random) {
  if (!forest.values.empty()) return grow<Values>(forest, options, rows, weights, random);
  return options.entropy ? grow<Classes<Entropy>>(forest, options, rows, weights, random)
                         : grow<Classes<Gini>>(forest, options, rows, weights, random);
}

}  // namespace tern::trees::internal
