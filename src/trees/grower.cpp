#include "trees/grower.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <thread>

#include "tern/base/parallel.h"
#include "trees/hash.h"

namespace tern::trees::internal {
namespace {

// Nodes of so many bins or more, and of more rows than a thread's share of all, are divided by all threads together,
// smaller ones each by one: for the former the others are woken several times.
constexpr std::int64_t kManyBins = std::int64_t{1} << 21;
constexpr std::int64_t kFewBins = std::int64_t{1} << 16;  // a tree over less is one thread's work
constexpr std::int64_t kPartitionRows = 1 << 14;

std::uint64_t child_path(std::uint64_t path, std::uint64_t side) {
  path = (path * 2 + side) * 0x9e3779b97f4a7c15;
  return path ^ (path >> 32);
}

}  // namespace

Grower::Grower(const BinnedRows& data, const std::vector<FeatureBins>& bins, const GrowOptions& options)
    : data_(data), bins_(bins), options_(options), finder_(data, bins, options.split) {
  monotone_ = std::any_of(options.split.monotone.begin(), options.split.monotone.end(), [](auto m) { return m != 0; });
  const auto rows = static_cast<std::size_t>(data.rows());
  rows_ = Buffer<std::uint32_t>(rows);
  spare_ = Buffer<std::uint32_t>(rows);
}

Grower::Node* Grower::new_node(std::int64_t begin, std::int64_t end, PairSum sum, int depth) {
  Node& node = nodes_.emplace_back();
  node.begin = begin;
  node.end = end;
  node.sum = sum;
  node.depth = depth;
  return &node;
}

PairSum* Grower::take_histogram() {
  const std::lock_guard lock(mutex_);
  if (free_histograms_.empty()) {
    histograms_.emplace_back(static_cast<std::size_t>(data_.histogram_size()));
    return histograms_.back().data();
  }
  PairSum* histogram = free_histograms_.back();
  free_histograms_.pop_back();
  return histogram;
}

void Grower::give_histogram_locked(PairSum* histogram) {
  if (histogram) free_histograms_.push_back(histogram);
}

void Grower::give_histogram(PairSum* histogram) {
  const std::lock_guard lock(mutex_);
  give_histogram_locked(histogram);
}

bool Grower::is_large(const Node& node) const {
  const std::int64_t threads = num_threads(), bins = node.rows() * static_cast<std::int64_t>(features_.size());
  return threads > 1 && bins >= kManyBins && node.rows() * threads > nodes_.front().rows();
}

bool Grower::may_split(const Node& node) const {
  const std::int64_t least = std::max<std::int64_t>(1, options_.split.min_child_rows);
  return node.rows() >= 2 * least && (options_.max_depth <= 0 || node.depth < options_.max_depth);
}

std::vector<int> Grower::features_of(const Node& node) const {
  std::vector<int> features = features_;
  if (!options_.together.empty()) {
    std::vector<char> allowed(bins_.size(), 0);
    for (const auto& group : options_.together) {
      const auto in_group = [&](int feature) { return std::find(group.begin(), group.end(), feature) != group.end(); };
      if (!std::all_of(node.divided_by.begin(), node.divided_by.end(), in_group)) continue;
      for (const int feature : group) allowed[static_cast<std::size_t>(feature)] = 1;
    }
    std::erase_if(features, [&](int feature) { return !allowed[static_cast<std::size_t>(feature)]; });
  }
  const double share = options_.column_share_of_node;
  if (share >= 1 || features.size() < 2) return features;
  // Those whose hash is smallest, so many as the share asks for.
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(share * static_cast<double>(features.size()))));
  const std::uint32_t salt = mixed(static_cast<std::uint32_t>(node.path) ^ mixed(seed_ ^ 0x5bd1e995u));
  const auto key = [salt](int feature) { return mixed(static_cast<std::uint32_t>(feature) ^ salt); };
  std::nth_element(features.begin(), features.begin() + static_cast<std::ptrdiff_t>(count - 1), features.end(),
                   [&](int a, int b) { return std::pair(key(a), a) < std::pair(key(b), b); });
  features.resize(count);
  std::sort(features.begin(), features.end());
  return features;
}

void Grower::find_split(Node& node, bool parallel) {
  const std::vector<int> features = features_of(node);
  const NodeToSplit facts{.histogram = node.histogram,
                          .sum = node.sum,
                          .rows = node.rows(),
                          .low = node.low,
                          .high = node.high,
                          .path = node.path ^ seed_};
  const auto count = static_cast<std::int64_t>(features.size());
  const std::int64_t grain = 4;
  if (!parallel || count <= grain) {
    node.split = finder_.find(facts, features);
    return;
  }
  std::vector<Split> found(static_cast<std::size_t>((count + grain - 1) / grain));
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    found[static_cast<std::size_t>(begin / grain)] = finder_.find(
        facts, std::span(features).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  });
  node.split = Split{};
  for (const Split& split : found) {
    if (split.feature >= 0 && split.gain > node.split.gain) node.split = split;
  }
}

void Grower::build_histogram(Node& node, bool parallel) {
  node.histogram = take_histogram();
  const std::uint32_t* rows = node.whole ? nullptr : rows_.data();
  if (parallel) {
    builder_->build_parallel(rows, node.begin, node.end, node.histogram, used_blocks_, scratch_);
  } else {
    builder_->build(rows, node.begin, node.end, node.histogram, used_blocks_);
  }
}

// Once in a while the hessians' estimate of how many rows a side has is too high: then rows are counted.
Split Grower::find_counted_split(Node& node) {
  if (!node.histogram) build_histogram(node, false);
  std::vector<std::uint32_t> counts(bins_.size() * 256);
  const std::vector<int> features = features_of(node);
  for (const int feature : features) {
    const std::uint8_t* column = data_.column(feature);
    std::uint32_t* count = counts.data() + feature * 256;
    for (std::int64_t i = node.begin; i < node.end; ++i) ++count[column[rows_[static_cast<std::size_t>(i)]]];
  }
  const NodeToSplit facts{.histogram = node.histogram,
                          .sum = node.sum,
                          .rows = node.rows(),
                          .low = node.low,
                          .high = node.high,
                          .path = node.path ^ seed_,
                          .counts = counts.data(),
                          .gain_below = node.split.gain};
  node.counted = true;
  return finder_.find(facts, features);
}

// Moves the rows that go left before the others, both in their order, and returns how many there are.
std::int64_t Grower::partition(Node& node, bool parallel) {
  const std::uint8_t* column = data_.column(node.split.feature);
  const std::uint32_t* rows = node.whole ? nullptr : rows_.data();
  const auto divide = [&](std::int64_t begin, std::int64_t end, std::uint32_t* left, std::uint32_t* right) {
    return kernels::cpu::trees_table().partition(column, node.split.left.words, rows, begin, end, left, right);
  };
  const std::int64_t n = node.rows();
  if (!parallel || n <= kPartitionRows) {
    const std::int64_t left = divide(node.begin, node.end, rows_.data() + node.begin, spare_.data() + node.begin);
    std::copy_n(spare_.data() + node.begin, n - left, rows_.data() + node.begin + left);
    return left;
  }
  // Each part's rows lie in the spare list, those that go left first, until it is known where they belong.
  std::vector<std::int64_t> lefts(static_cast<std::size_t>((n + kPartitionRows - 1) / kPartitionRows) + 1);
  parallel_for(n, kPartitionRows, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = node.begin + begin;
    const std::int64_t here = divide(at, node.begin + end, rows_.data() + at, spare_.data() + at);
    lefts[static_cast<std::size_t>(begin / kPartitionRows) + 1] = here;
    std::copy_backward(spare_.data() + at, spare_.data() + at + (end - begin - here), spare_.data() + node.begin + end);
    std::copy_n(rows_.data() + at, here, spare_.data() + at);
  });
  std::partial_sum(lefts.begin(), lefts.end(), lefts.begin());
  const std::int64_t left = lefts.back();
  parallel_for(n, kPartitionRows, [&](std::int64_t begin, std::int64_t end) {
    const std::size_t part = static_cast<std::size_t>(begin / kPartitionRows);
    const std::int64_t before = lefts[part], here = lefts[part + 1] - before;
    const std::uint32_t* from = spare_.data() + node.begin + begin;
    std::copy_n(from, here, rows_.data() + node.begin + before);
    std::copy_n(from + here, end - begin - here, rows_.data() + node.begin + left + begin - before);
  });
  return left;
}

// Divides a node's rows and looks for its children's splits. Where the split did not hold, the one to take its place:
// other threads read the node's split, so that only `publish` may change it.
std::optional<Split> Grower::expand(Node& node, bool parallel) {
  const std::int64_t left_rows = partition(node, parallel);
  node.whole = false;
  const std::int64_t least = std::max<std::int64_t>(1, options_.split.min_child_rows);
  if (!node.counted && std::min(left_rows, node.rows() - left_rows) < least) {
    return find_counted_split(node);
  }
  const std::int64_t middle = node.begin + left_rows;
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    last = limit_ - accepted_ == 1;
    node.left = new_node(node.begin, middle, node.split.left_sum, node.depth + 1);
    node.right = new_node(middle, node.end, node.sum - node.split.left_sum, node.depth + 1);
  }
  node.left->path = child_path(node.path, 0);
  node.right->path = child_path(node.path, 1);
  for (Node* child : {node.left, node.right}) {
    child->low = node.low;
    child->high = node.high;
    if (!options_.together.empty()) {
      child->divided_by = node.divided_by;
      child->divided_by.push_back(node.split.feature);
    }
  }
  if (monotone_) {
    const auto direction = options_.split.monotone[static_cast<std::size_t>(node.split.feature)];
    if (direction != 0) {
      const auto value = [&](const Node& child) {
        return finder_.leaf_value(gradient_sum(child.sum) * g_unit_, hessian_sum(child.sum) * h_unit_, node.low,
                                  node.high);
      };
      const double middle_value = (value(*node.left) + value(*node.right)) / 2;
      (direction > 0 ? node.left : node.right)->high = middle_value;
      (direction > 0 ? node.right : node.left)->low = middle_value;
    }
  }
  Node* small = node.left->rows() <= node.right->rows() ? node.left : node.right;
  Node* large = small == node.left ? node.right : node.left;
  if (last || !may_split(*large)) {  // the children stay leaves
    give_histogram(std::exchange(node.histogram, nullptr));
    return std::nullopt;
  }
  build_histogram(*small, parallel);
  if (node.histogram) {
    large->histogram = std::exchange(node.histogram, nullptr);
    for (std::size_t b = 0; b < data_.blocks().size(); ++b) {
      const BinnedRows::Block& block = data_.blocks()[b];
      if (!used_blocks_[b]) continue;
      kernels::cpu::trees_table().subtract(large->histogram + block.offset, small->histogram + block.offset,
                                           std::int64_t{block.width - 4} * block.stride);
    }
  } else {
    build_histogram(*large, parallel);  // that of the node had been given up
  }
  for (Node* child : {small, large}) {
    if (may_split(*child)) find_split(*child, parallel);
    if (child->split.feature < 0) give_histogram(std::exchange(child->histogram, nullptr));
  }
  return std::nullopt;
}

// The order in which nodes become inner ones: by gain, or level by level; of equals the one whose rows come first.
bool Grower::comes_later(const Ticket& a, const Ticket& b) const {
  if (a.depth != b.depth) {
    if (options_.depth_wise) return a.depth > b.depth;
    // Without a limit every node is divided in the end: deep ones first, so that few histograms are held.
    if (options_.max_leaves <= 0) return a.depth < b.depth;
  }
  if (a.gain != b.gain) return a.gain < b.gain;
  return a.begin > b.begin;
}

void Grower::push(std::vector<Ticket>& queue, Ticket ticket) const {
  queue.push_back(ticket);
  std::push_heap(queue.begin(), queue.end(), [this](const Ticket& a, const Ticket& b) { return comes_later(a, b); });
}

Grower::Ticket Grower::pop(std::vector<Ticket>& queue) const {
  std::pop_heap(queue.begin(), queue.end(), [this](const Ticket& a, const Ticket& b) { return comes_later(a, b); });
  const Ticket ticket = queue.back();
  queue.pop_back();
  return ticket;
}

// Makes nodes that are divided inner ones, as long as the next in order is; their children may then be divided. Nodes
// may be divided in any order, and some in vain, but the tree depends on this order alone.
void Grower::accept() {
  while (!done_) {
    if (accepted_ == limit_ || to_accept_.empty()) {
      done_ = true;
      return;
    }
    const Ticket next = to_accept_.front();
    Node& node = *next.node;
    if (node.split.feature < 0 || node.split.gain != next.gain) {  // the split did not hold
      pop(to_accept_);
      if (node.split.feature >= 0) push(to_accept_, ticket(node));
      continue;
    }
    if (!node.expanded) return;
    pop(to_accept_);
    node.inner = true;
    ++accepted_;
    --ahead_;
    for (Node* child : {node.left, node.right}) {
      if (child->split.feature < 0) continue;
      push(to_accept_, ticket(*child));
      push(to_expand_, ticket(*child));
    }
  }
}

// After a node was divided, or is to get another split.
void Grower::publish(Node& node, const std::optional<Split>& other) {
  node.expanded = !other;
  if (!other) {
    ++ahead_;
  } else {
    node.split = *other;
    if (node.split.feature >= 0) {
      push(to_expand_, ticket(node));
    } else {
      give_histogram_locked(std::exchange(node.histogram, nullptr));
    }
  }
  accept();
  give_up_histograms();
}

// Of more nodes than splits are left, the last in order will hardly be divided: if one is after all, its children's
// histograms are made from rows.
void Grower::give_up_histograms() {
  const auto left = static_cast<std::size_t>(limit_ - accepted_), waiting = to_expand_.size();
  if (options_.max_leaves <= 0 || done_ || waiting <= left || accepted_ % 16 != 0) return;
  std::vector<Ticket> order = to_expand_;
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(left), order.end(),
                   [this](const Ticket& a, const Ticket& b) { return comes_later(b, a); });
  for (std::size_t i = left; i < waiting; ++i) {
    give_histogram_locked(std::exchange(order[i].node->histogram, nullptr));
  }
}

// One of several threads that divide small nodes, the most promising first, until the next in order is large.
void Grower::work() {
  std::unique_lock lock(mutex_);
  while (!done_) {
    const bool none = to_expand_.empty() || is_large(*to_expand_.front().node);
    if (none && working_ == 0) return;
    // Of nodes beyond as many as are still to be divided, hardly one will be in the tree.
    if (none || (working_ > 0 && ahead_ + working_ >= limit_ - accepted_)) {
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      continue;
    }
    Node& node = *pop(to_expand_).node;
    ++working_;
    lock.unlock();
    std::optional<Split> other;
    try {
      other = expand(node, false);
    } catch (...) {  // of memory
      lock.lock();
      done_ = true;
      throw;
    }
    lock.lock();
    --working_;
    publish(node, other);
  }
}

void Grower::expand_all() {
  const bool few = nodes_.front().rows() * static_cast<std::int64_t>(features_.size()) < kFewBins;
  while (!done_) {
    if (!to_expand_.empty() && is_large(*to_expand_.front().node)) {
      Node& node = *pop(to_expand_).node;
      publish(node, expand(node, true));
    } else {
      parallel_for(few ? 1 : num_threads(), 1, [this](std::int64_t, std::int64_t) { work(); });
    }
  }
}

GrownTree Grower::grow(std::span<const std::uint32_t> sample, std::span<const int> features, const Levels& levels,
                       double g_unit, double h_unit, std::uint32_t seed, std::vector<LeafRows>& leaves) {
  finder_.set_units(g_unit, h_unit);
  g_unit_ = g_unit;
  h_unit_ = h_unit;
  seed_ = seed;
  features_.assign(features.begin(), features.end());
  used_blocks_.assign(data_.blocks().size(), 0);
  std::vector<char> chosen(bins_.size(), 0);
  for (const int feature : features) chosen[static_cast<std::size_t>(feature)] = 1;
  for (std::size_t b = 0; b < used_blocks_.size(); ++b) {
    for (const int feature : data_.blocks()[b].features) used_blocks_[b] |= chosen[static_cast<std::size_t>(feature)];
  }
  const HistogramBuilder builder(data_, levels);
  builder_ = &builder;
  nodes_.clear();
  to_accept_.clear();
  to_expand_.clear();
  free_histograms_.clear();
  for (const auto& histogram : histograms_) free_histograms_.push_back(histogram.data());
  accepted_ = ahead_ = working_ = 0;
  done_ = false;
  limit_ = options_.max_leaves > 0 ? options_.max_leaves - 1 : std::numeric_limits<std::int64_t>::max();

  const bool whole = sample.empty();
  const std::int64_t rows = whole ? data_.rows() : static_cast<std::int64_t>(sample.size());
  if (!whole) std::copy(sample.begin(), sample.end(), rows_.data());
  Node& root = *new_node(0, rows, 0, 0);
  root.whole = whole;
  if (may_split(root) && !features_.empty()) {
    const bool parallel = is_large(root);
    build_histogram(root, parallel);
    const PairSum* first = root.histogram + data_.histogram_offset(features_.front());
    for (int bin = 0; bin <= bins_[static_cast<std::size_t>(features_.front())].bins; ++bin) root.sum += first[bin];
    find_split(root, parallel);
    if (root.split.feature >= 0) {
      push(to_expand_, ticket(root));
      push(to_accept_, ticket(root));
      expand_all();
    }
  }
  return collect(leaves);
}

// The tree of the inner nodes. A leaf may have been divided in vain, which changed the order of its rows alone.
GrownTree Grower::collect(std::vector<LeafRows>& leaves) {
  GrownTree tree;
  leaves.clear();
  std::vector<std::pair<Node*, int>> stack{{&nodes_.front(), -1}};  // with the number of the place that points to it
  while (!stack.empty()) {
    const auto [node, place] = stack.back();
    stack.pop_back();
    const auto number = static_cast<int>(tree.nodes.size());
    if (place >= 0) {
      auto& parent = tree.nodes[static_cast<std::size_t>(place / 2)];
      (place % 2 == 0 ? parent.left : parent.right) = number;
    }
    tree.nodes.push_back({.split = node->split});
    if (node->inner) {
      stack.emplace_back(node->right, 2 * number + 1);
      stack.emplace_back(node->left, 2 * number);
      continue;
    }
    if (node->whole) std::iota(rows_.data(), rows_.data() + node->rows(), 0u);
    leaves.push_back({.node = number,
                      .rows = {rows_.data() + node->begin, static_cast<std::size_t>(node->rows())},
                      .low = node->low,
                      .high = node->high});
  }
  return tree;
}

}  // namespace tern::trees::internal
