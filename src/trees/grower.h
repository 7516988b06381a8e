#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "trees/splits.h"

namespace tern::trees::internal {

struct GrowOptions {
  int max_leaves = 31;  ///< 0: no limit
  int max_depth = 0;    ///< 0: no limit
  bool depth_wise = false;
  double column_share_of_node = 1;
  SplitOptions split{};
  /// Groups of features that may stand together on a way from the root; empty: all may.
  std::vector<std::vector<int>> together{};
};

/// A tree over bins. Node 0 is the root, parents stand before their children.
struct GrownTree {
  struct Node {
    Split split{};
    int left = -1, right = -1;  ///< -1: a leaf
    double value = 0;           ///< of a leaf
    double hessian = 0;         ///< sum over the rows of training
  };
  std::vector<Node> nodes;
};

/// A leaf of the tree that was grown last, with the rows of the sample that reached it, in no certain order.
struct LeafRows {
  int node = 0;
  std::span<const std::uint32_t> rows;
  double low = 0, high = 0;  ///< bounds of its value, by monotone constraints
};

/// Grows trees on binned rows, whose records hold the packed gradients of the tree.
class Grower {
 public:
  Grower(const BinnedRows& data, const std::vector<FeatureBins>& bins, const GrowOptions& options);

  /// One tree over rows `sample`, ascending (all rows if empty). Gradients are multiples of `g_unit`, hessians of
  /// `h_unit`; `features` may be split. Leaf values are left to the caller. The tree is the same whatever the number of
  /// threads.
  GrownTree grow(std::span<const std::uint32_t> sample, std::span<const int> features, const Levels& levels,
                 double g_unit, double h_unit, std::uint32_t seed, std::vector<LeafRows>& leaves);

  const SplitFinder& finder() const { return finder_; }

 private:
  struct Node {
    std::int64_t begin = 0, end = 0;
    PairSum sum = 0;
    int depth = 0;
    std::uint64_t path = 1;
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
    std::vector<int> divided_by{};  // features on the way from the root, under constraints of which may stand together
    PairSum* histogram = nullptr;
    Split split{};
    Node *left = nullptr, *right = nullptr;
    bool counted = false;   // the split holds by exact counts of rows
    bool expanded = false;  // its rows are divided
    bool inner = false;     // part of the tree
    bool whole = false;     // holds rows begin … end - 1 themselves, not those of the list

    std::int64_t rows() const { return end - begin; }
  };
  struct Ticket {
    double gain;
    int depth;
    std::int64_t begin;
    Node* node;
  };

  Node* new_node(std::int64_t begin, std::int64_t end, PairSum sum, int depth);
  PairSum* take_histogram();
  void give_histogram(PairSum* histogram);
  void give_histogram_locked(PairSum* histogram);

  std::vector<int> features_of(const Node& node) const;
  bool is_large(const Node& node) const;
  bool may_split(const Node& node) const;
  void find_split(Node& node, bool parallel);
  void build_histogram(Node& node, bool parallel);
  Split find_counted_split(Node& node);
  std::int64_t partition(Node& node, bool parallel);
  std::optional<Split> expand(Node& node, bool parallel);
  void expand_all();
  void work();

  static Ticket ticket(Node& node) { return {node.split.gain, node.depth, node.begin, &node}; }
  bool comes_later(const Ticket& a, const Ticket& b) const;
  void push(std::vector<Ticket>& queue, Ticket ticket) const;
  Ticket pop(std::vector<Ticket>& queue) const;
  void accept();
  void publish(Node& node, const std::optional<Split>& other);
  void give_up_histograms();
  GrownTree collect(std::vector<LeafRows>& leaves);

  const BinnedRows& data_;
  const std::vector<FeatureBins>& bins_;
  const GrowOptions& options_;
  SplitFinder finder_;
  bool monotone_;

  // Of the tree that grows.
  std::uint32_t seed_ = 0;
  double g_unit_ = 1, h_unit_ = 1;
  std::vector<int> features_;
  std::vector<char> used_blocks_;
  const HistogramBuilder* builder_ = nullptr;
  std::int64_t limit_ = 0;     // of splits
  std::int64_t accepted_ = 0;  // splits of the tree so far
  std::int64_t ahead_ = 0;     // nodes that are divided, but not yet inner ones
  bool done_ = false;
  std::deque<Node> nodes_;
  std::vector<Ticket> to_accept_, to_expand_;
  int working_ = 0;
  std::mutex mutex_;

  Buffer<std::uint32_t> rows_, spare_;
  std::vector<Buffer<PairSum>> histograms_, scratch_;
  std::vector<PairSum*> free_histograms_;
};

}  // namespace tern::trees::internal
