#include "trees/flat.h"

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "tern/base/error.h"

namespace tern::trees::internal {
namespace {

constexpr std::int32_t kChunk = 254;  // cuts of one byte column; bytes 0 and 255 are below and above them all
constexpr std::size_t kCounted = 256;
constexpr std::int64_t kProgramLeaves = 256;
constexpr std::size_t kOtherCode = 254;  // stands for all codes from here on
// Trees from which on a row's values become bytes first, which takes half as long for a column as a tree's walk.
constexpr std::int64_t kWorthGroups = 32, kWorthWalk = 128;

double split_of(const Ensemble& ensemble, const Tree& tree, std::size_t node) {
  return ensemble.float32_inputs ? before_rounding(tree.threshold[node]) : tree.threshold[node];
}

bool narrow(const std::vector<std::uint64_t>& set) {
  for (std::size_t word = kOtherCode / 64; word < set.size(); ++word) {
    const std::uint64_t allowed = word == kOtherCode / 64 ? (std::uint64_t{1} << (kOtherCode % 64)) - 1 : 0;
    if ((set[word] & ~allowed) != 0) return false;
  }
  return true;
}

bool fits_program(const Tree& tree) {
  return tree.leaves() <= kProgramLeaves && std::all_of(tree.sets.begin(), tree.sets.end(), narrow);
}

}  // namespace

double before_rounding(double threshold) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  auto low = static_cast<float>(threshold);
  if (static_cast<double>(low) > threshold) low = std::nextafter(low, -infinity);
  if (low == infinity) return threshold;
  const float high = std::nextafter(low, infinity);
  // Beyond the largest float rounding goes on as if there were a next one, 2^128.
  const double from = low == -infinity ? -0x1p128 : low, to = high == infinity ? 0x1p128 : high;
  const double middle = (from + to) / 2;
  return static_cast<float>(middle) <= low ? middle : std::nextafter(middle, -std::numeric_limits<double>::infinity());
}

Flat::Flat(const Ensemble& ensemble)
    : inputs(ensemble.features),
      features(static_cast<std::int64_t>(ensemble.features.size())),
      outputs(ensemble.outputs),
      base(ensemble.base),
      vectors_of_leaves(ensemble.vector_leaves),
      divisor(ensemble.average ? static_cast<double>(std::max<std::int64_t>(1, ensemble.used_rounds())) : 0),
      link(ensemble.link),
      link_scale(ensemble.link_scale) {
  if (features > Node::feature_mask) throw ValueError("[Predictor] expected fewer than 2^29 features");
  for (const Feature& feature : ensemble.features) {
    const double bound = static_cast<double>(feature.levels.size());
    levels.push_back(feature.levels.empty() ? std::numeric_limits<double>::infinity() : bound);
  }
  const auto used = ensemble.used_trees();
  for (std::int64_t t = 0; t < used; ++t) add_nodes(ensemble, ensemble.trees[static_cast<std::size_t>(t)]);
  add_programs(ensemble);
  add_forms_of_a_row();
}

void Flat::add_nodes(const Ensemble& ensemble, const Tree& tree) {
  const auto room = std::numeric_limits<std::int32_t>::max() - static_cast<std::int64_t>(nodes.size());
  if (2 * tree.leaves() > room) throw ValueError("[Predictor] expected fewer than 2^31 nodes in all trees together");
  FlatTree flat{.root = static_cast<std::int32_t>(nodes.size()), .depth = static_cast<std::int32_t>(tree.depth())};
  std::vector<std::int32_t> order{tree.nodes() > 0 ? 0 : ~0};  // what stands at root + i, level by level
  nodes.resize(nodes.size() + static_cast<std::size_t>(2 * tree.leaves() - 1));
  facts.resize(nodes.size());
  if (vectors_of_leaves) {
    flat.first_value = static_cast<std::int64_t>(vectors.size());
    vectors.insert(vectors.end(), tree.leaf_value.begin(), tree.leaf_value.end());
  } else {
    node_values.resize(nodes.size());
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto at = static_cast<std::size_t>(flat.root) + i;
    Node& node = nodes[at];
    if (order[i] < 0) {
      node.left = static_cast<std::int32_t>(at);
      facts[at].leaf = ~order[i];
      if (!vectors_of_leaves) node_values[at] = tree.leaf_value[static_cast<std::size_t>(~order[i])];
      continue;
    }
    const auto from = static_cast<std::size_t>(order[i]);
    const auto feature = static_cast<std::uint32_t>(tree.feature[from]);
    node.feature = feature | (tree.left_default[from] != 0 ? Node::missing_left : 0);
    node.left = flat.root + static_cast<std::int32_t>(order.size());
    order.push_back(tree.left[from]);
    order.push_back(tree.right[from]);
    if (tree.set[from] >= 0) {
      const auto& set = tree.sets[static_cast<std::size_t>(tree.set[from])];
      node.feature |= Node::categorical;
      facts[at].set = static_cast<std::uint32_t>(set_words.size());
      facts[at].words = static_cast<std::uint32_t>(set.size());
      set_words.insert(set_words.end(), set.begin(), set.end());
      if (set_words.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw ValueError("[Predictor] expected categorical splits of fewer than 2^38 bits");
      }
      plain = false;
    } else {
      node.threshold = split_of(ensemble, tree, from);
      if (ensemble.features[feature].zero_is_missing) {
        node.feature |= Node::zero_missing;
        plain = false;
      }
    }
  }
  roots.push_back(flat.root);
  trees.push_back(flat);
}

void Flat::add_programs(const Ensemble& ensemble) {
  // Cuts and columns that the small trees need, feature by feature.
  std::vector<std::vector<double>> cuts_of(static_cast<std::size_t>(features));
  std::vector<bool> codes_of(static_cast<std::size_t>(features), false);
  std::vector<bool> fits(trees.size());
  for (std::size_t t = 0; t < trees.size(); ++t) {
    const Tree& tree = ensemble.trees[t];
    fits[t] = fits_program(tree);
    for (std::size_t node = 0; fits[t] && node < tree.feature.size(); ++node) {
      const auto feature = static_cast<std::size_t>(tree.feature[node]);
      if (tree.set[node] >= 0) {
        codes_of[feature] = true;
      } else {
        cuts_of[feature].push_back(split_of(ensemble, tree, node));
      }
    }
  }
  std::map<std::pair<std::size_t, std::pair<std::int32_t, bool>>, std::int64_t> places;  // feature, chunk, side
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (std::size_t feature = 0; feature < cuts_of.size(); ++feature) {
    auto& own = cuts_of[feature];
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
  }
  const auto cut_of = [&](const Tree& tree, std::size_t node) {
    const auto& own = cuts_of[static_cast<std::size_t>(tree.feature[node])];
    return static_cast<std::int32_t>(std::lower_bound(own.begin(), own.end(), split_of(ensemble, tree, node)) -
                                     own.begin());
  };
  for (std::size_t t = 0; t < trees.size(); ++t) {
    const Tree& tree = ensemble.trees[t];
    for (std::size_t node = 0; fits[t] && node < tree.feature.size(); ++node) {
      if (tree.set[node] >= 0) continue;
      const std::pair<std::int32_t, bool> kind{cut_of(tree, node) / kChunk, tree.left_default[node] != 0};
      places[{static_cast<std::size_t>(tree.feature[node]), kind}] = 0;
    }
  }
  for (std::size_t feature = 0; feature < cuts_of.size(); ++feature) {
    if (codes_of[feature]) {
      places[{feature, {0, false}}] = columns;
      coders.push_back({.feature = static_cast<std::int32_t>(feature),
                        .categorical = true,
                        .place = static_cast<std::int32_t>(columns)});
      columns += 3;
    } else if (!cuts_of[feature].empty()) {
      const auto& own = cuts_of[feature];
      Coder coder{.feature = static_cast<std::int32_t>(feature),
                  .zero_missing = ensemble.features[feature].zero_is_missing,
                  .first_cut = static_cast<std::int32_t>(cuts.size()),
                  .cuts = static_cast<std::int32_t>(own.size()),
                  .place = static_cast<std::int32_t>(columns)};
      cuts.insert(cuts.end(), own.begin(), own.end());
      if (own.size() <= kCounted) {
        cuts.resize(static_cast<std::size_t>(coder.first_cut) + (own.size() + 15) / 16 * 16 + 16, infinity);
        coder.heads = static_cast<std::int32_t>(heads.size());
        for (std::size_t head = 15; head < 16 * 16; head += 16) {
          heads.push_back(cuts[static_cast<std::size_t>(coder.first_cut) + std::min(head, own.size() / 16 * 16 + 15)]);
        }
      }
      for (auto place = places.lower_bound({feature, {0, false}});
           place != places.end() && place->first.first == feature; ++place) {
        place->second = columns++;
        coder.columns.push_back({place->first.second.first * kChunk, place->first.second.second});
      }
      coders.push_back(std::move(coder));
    }
  }
  if (columns > std::numeric_limits<std::uint16_t>::max()) {
    columns = 0;
    coders.clear();
    return;
  }
  for (std::size_t t = 0; t < trees.size(); ++t) {
    if (!fits[t]) continue;
    const Tree& tree = ensemble.trees[t];
    trees[t].first_step = static_cast<std::int32_t>(steps.size());
    trees[t].first_set = static_cast<std::int32_t>(sets.size());
    if (!vectors_of_leaves) {
      trees[t].first_value = static_cast<std::int64_t>(values.size());
      values.insert(values.end(), tree.leaf_value.begin(), tree.leaf_value.end());
    }
    trees[t].nodes = static_cast<std::int32_t>(tree.nodes());
    // Level by level: a mask that was written just before it is read would make each node wait for the last one.
    std::vector<std::int32_t> order{tree.nodes() > 0 ? 0 : ~0};
    std::vector<std::uint16_t> place(tree.feature.size());
    for (std::size_t i = 0, inner = 0; i < order.size(); ++i) {
      if (order[i] < 0) continue;
      const auto node = static_cast<std::size_t>(order[i]);
      place[node] = static_cast<std::uint16_t>(inner++);
      order.push_back(tree.left[node]);
      order.push_back(tree.right[node]);
    }
    const auto place_of = [&](std::int32_t child) {
      return child >= 0 ? place[static_cast<std::size_t>(child)] : static_cast<std::uint16_t>(tree.nodes() + ~child);
    };
    for (const std::int32_t each : order) {
      if (each < 0) continue;
      const auto node = static_cast<std::size_t>(each);
      kernels::cpu::TreeStep step{.left = place_of(tree.left[node]), .right = place_of(tree.right[node])};
      const auto feature = static_cast<std::size_t>(tree.feature[node]);
      if (tree.set[node] >= 0) {
        step.categorical = 1;
        step.column = static_cast<std::uint16_t>(places[{feature, {0, false}}]);
        std::array<std::uint8_t, 32> bits{};
        for (std::size_t code = 0; code < kOtherCode; ++code) {
          if (in_set(tree.sets[static_cast<std::size_t>(tree.set[node])], code)) bits[code / 8] |= 1U << (code % 8);
        }
        if (tree.left_default[node] != 0) bits[31] |= 0x80;  // code 255 is a missing one
        sets.push_back(bits);
      } else {
        const std::int32_t cut = cut_of(tree, node);
        // Byte 0 is below all cuts and missing values that go left; cut i lets bytes up to i pass.
        step.cut = static_cast<std::uint8_t>(cut % kChunk);
        step.column = static_cast<std::uint16_t>(places[{feature, {cut / kChunk, tree.left_default[node] != 0}}]);
      }
      steps.push_back(step);
    }
  }
}

void Flat::add_forms_of_a_row() {
  const kernels::cpu::TreePredictTable& kernels = kernels::cpu::tree_predict_kernels();
  const auto fits = [](const FlatTree& tree) { return tree.first_step >= 0; };
  const auto small = [](const FlatTree& tree) { return tree.nodes < kernels::cpu::kMaskLeaves; };
  const std::int64_t count = std::ssize(trees);
  if (columns == 0 || columns > kernels::cpu::kRowCodes || !std::all_of(trees.begin(), trees.end(), fits)) return;
  if (kernels.remaining_leaves != nullptr && std::all_of(trees.begin(), trees.end(), small)) {
    if (count >= std::max(kWorthGroups, columns)) add_groups();
  } else if (kernels.walk != nullptr && count >= kWorthWalk && sets.empty()) {
    add_walk();
  }
}

/// The step of each node from the root on, -1 for a leaf: nodes and steps both go level by level.
std::vector<std::int32_t> Flat::steps_of(const FlatTree& tree) const {
  std::vector<std::int32_t> found(static_cast<std::size_t>(2 * tree.nodes + 1), -1);
  std::int32_t step = tree.first_step;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (facts[static_cast<std::size_t>(tree.root) + i].leaf < 0) found[i] = step++;
  }
  return found;
}

void Flat::add_walk() {
  walk_nodes.resize(nodes.size());
  for (const FlatTree& tree : trees) {
    std::size_t at = static_cast<std::size_t>(tree.root);
    for (const std::int32_t number : steps_of(tree)) {
      std::uint32_t low = 255;
      if (number >= 0) {
        const kernels::cpu::TreeStep& step = steps[static_cast<std::size_t>(number)];
        low = step.cut | static_cast<std::uint32_t>(step.column) << 8;
      }
      walk_nodes[at] = low | static_cast<std::uint32_t>(nodes[at].left - tree.root) << 16;
      ++at;
    }
  }
}

void Flat::add_groups() {
  constexpr auto width = static_cast<std::size_t>(kernels::cpu::kSideBySide);
  constexpr auto room = static_cast<std::size_t>(kernels::cpu::kMaskLeaves);
  leaf_nodes.resize(room * trees.size());
  for (std::size_t first = 0; first < trees.size(); first += width) {
    const std::span<const FlatTree> some = std::span(trees).subspan(first, std::min(width, trees.size() - first));
    TreeGroup group{.first = static_cast<std::int64_t>(group_nodes.size())};
    for (const FlatTree& tree : some) {
      const auto of_numbers =
          std::count_if(steps.begin() + tree.first_step, steps.begin() + tree.first_step + tree.nodes,
                        [](const kernels::cpu::TreeStep& step) { return step.categorical == 0; });
      group.slots = std::max(group.slots, static_cast<std::int32_t>(of_numbers));
    }
    group_nodes.resize(group_nodes.size() + width * static_cast<std::size_t>(group.slots), 255);
    group_keep.resize(group_nodes.size(), ~std::uint32_t{0});
    for (std::size_t t = 0; t < some.size(); ++t)
      add_to_group(group, t, some[t], leaf_nodes.data() + room * (first + t));
    group.end = group_splits.size();
    groups.push_back(group);
  }
}

void Flat::add_to_group(const TreeGroup& group, std::size_t t, const FlatTree& tree, std::uint8_t* leaf_node) {
  const std::vector<std::int32_t> step_of = steps_of(tree);
  std::vector<std::int32_t> place_of;  // of each step: among sets, or among the slots
  std::int32_t set = tree.first_set, slot = 0;
  for (std::int32_t step = 0; step < tree.nodes; ++step) {
    place_of.push_back(steps[static_cast<std::size_t>(tree.first_step + step)].categorical != 0 ? set++ : slot++);
  }
  // From the left. A node comes twice: before its left leaves, and between them and its right ones.
  struct Visit {
    std::int32_t place;  ///< from the root on
    std::int32_t first_leaf = -1;
  };
  std::vector<Visit> stack{{0}};
  std::uint32_t leaves = 0;
  while (!stack.empty()) {
    const Visit visit = stack.back();
    stack.pop_back();
    const std::int32_t number = step_of[static_cast<std::size_t>(visit.place)];
    if (number < 0) {
      leaf_node[leaves++] = static_cast<std::uint8_t>(visit.place);
      continue;
    }
    const std::int32_t left = nodes[static_cast<std::size_t>(tree.root + visit.place)].left - tree.root;
    if (visit.first_leaf < 0) {
      stack.push_back({visit.place, static_cast<std::int32_t>(leaves)});
      stack.push_back({left});
      continue;
    }
    const auto before = [](std::uint32_t leaf) { return (std::uint32_t{1} << leaf) - 1; };  // of at most 31
    const std::uint32_t keep = ~(before(leaves) & ~before(static_cast<std::uint32_t>(visit.first_leaf)));
    const kernels::cpu::TreeStep& step = steps[static_cast<std::size_t>(number)];
    const std::int32_t place = place_of[static_cast<std::size_t>(number - tree.first_step)];
    if (step.categorical != 0) {
      group_splits.push_back({place, keep, static_cast<std::uint8_t>(t), static_cast<std::uint8_t>(step.column)});
    } else {
      const auto at = static_cast<std::size_t>(group.first) +
                      static_cast<std::size_t>(kernels::cpu::kSideBySide) * static_cast<std::size_t>(place) + t;
      group_nodes[at] = static_cast<std::uint16_t>(step.cut | step.column << 8);
      group_keep[at] = keep;
    }
    stack.push_back({left + 1});
  }
}

}  // namespace tern::trees::internal
