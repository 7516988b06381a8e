#include "tern/trees/predictor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "trees/flat.h"
#include "trees/inputs.h"
#include "trees/link.h"

namespace tern::trees {
namespace {

using internal::Coder;
using internal::Flat;
using internal::FlatTree;
using internal::Node;
using internal::NodeFacts;
using kernels::cpu::kTreeRows;

constexpr std::int64_t kGrain = 1024;
constexpr std::int64_t kFewRows = 32;  // below it a block of kTreeRows would do too much
constexpr std::size_t kTogether = 8;   // walks at a time, so that one's wait for memory is the others' time

/// What a walk must expect.
enum class Walk {
  finite,   ///< numbers only
  missing,  ///< NaN too
  special,  ///< codes, and zeros that are missing
};

template <Walk kind>
inline std::int32_t step(const Flat& flat, std::int32_t at, const double* row) {
  const Node& node = flat.nodes[static_cast<std::size_t>(at)];
  double x = row[node.feature & Node::feature_mask];
  int right = x <= node.threshold ? 0 : 1;
  if constexpr (kind == Walk::special) {
    if ((node.feature & Node::categorical) != 0) {
      const NodeFacts& facts = flat.facts[static_cast<std::size_t>(at)];
      const std::int64_t code = internal::code_of(x, flat.levels[node.feature & Node::feature_mask]);
      if (code < 0) return node.left + ((node.feature & Node::missing_left) != 0 ? 0 : 1);
      return node.left +
             (in_set({flat.set_words.data() + facts.set, facts.words}, static_cast<std::uint64_t>(code)) ? 0 : 1);
    }
    if ((node.feature & Node::zero_missing) != 0 && internal::is_zero(x)) {
      x = std::numeric_limits<double>::quiet_NaN();
      right = 1;
    }
  }
  if constexpr (kind != Walk::finite) {
    right &= x != x ? static_cast<int>(~node.feature >> 31) : 1;
  }
  return node.left + right;
}

/// Takes some steps in `real` trees together, from where(tree) to at[tree], and appends those that go on to `going`.
template <Walk kind, class Which, class Where>
inline void walk_together(const Flat& flat, const double* row, std::size_t real, Which which, Where where,
                          std::int32_t* at, std::uint16_t* going, std::size_t& left) {
  std::array<std::int32_t, kTogether> now, before;
  std::array<std::uint16_t, kTogether> trees;
  for (std::size_t j = 0; j < kTogether; ++j) {
    trees[j] = static_cast<std::uint16_t>(which(std::min(j, real - 1)));
    now[j] = where(trees[j]);
  }
  for (int steps = 0; steps < 3; ++steps) {
    for (std::size_t j = 0; j < kTogether; ++j) now[j] = step<kind>(flat, now[j], row);
  }
  before = now;
  for (std::size_t j = 0; j < kTogether; ++j) now[j] = step<kind>(flat, now[j], row);
  for (std::size_t j = 0; j < real; ++j) {
    at[trees[j]] = now[j];
    going[left] = trees[j];
    left += now[j] != before[j] ? 1 : 0;
  }
}

/// Walks trees first … first + count - 1 for one row. All take some steps; then those go on that have not arrived, for
/// leaf-wise trees are deep where few rows go.
template <Walk kind>
void walk_trees(const Flat& flat, std::int64_t first, std::size_t count, const double* row, std::int32_t* at) {
  std::array<std::uint16_t, Flat::kKept> going;
  std::size_t left = 0;
  const std::int32_t* roots = flat.roots.data() + first;
  for (std::size_t i = 0; i < count; i += kTogether) {
    // The last ones stand for those that are not there.
    walk_together<kind>(
        flat, row, std::min(kTogether, count - i), [&](std::size_t j) { return i + j; },
        [&](std::size_t tree) { return roots[tree]; }, at, going.data(), left);
  }
  while (left > 0) {
    const std::size_t still = left;
    left = 0;
    for (std::size_t i = 0; i < still; i += kTogether) {
      walk_together<kind>(
          flat, row, std::min(kTogether, still - i), [&](std::size_t j) { return going[i + j]; },
          [&](std::size_t tree) { return at[tree]; }, at, going.data(), left);
    }
  }
}

/// Walks one tree for kTogether rows until all have arrived.
template <Walk kind>
void walk_rows(const Flat& flat, const FlatTree& tree, const double* const* rows, std::int32_t* at) {
  std::array<std::int32_t, kTogether> now, before;
  now.fill(tree.root);
  if (tree.depth > 0) {
    do {
      before = now;
      for (int steps = 0; steps < 4; ++steps) {
        for (std::size_t i = 0; i < kTogether; ++i) now[i] = step<kind>(flat, now[i], rows[i]);
      }
    } while (now != before);
  }
  std::copy(now.begin(), now.end(), at);
}

/// Calls take(tree, node of the leaf) for every tree in order.
template <Walk kind, class Take>
void each_leaf(const Flat& flat, const double* row, Take take) {
  std::array<std::int32_t, Flat::kKept> kept;
  const auto count = static_cast<std::int64_t>(flat.trees.size());
  for (std::int64_t first = 0; first < count; first += Flat::kKept) {
    const std::int64_t last = std::min(first + Flat::kKept, count);
    walk_trees<kind>(flat, first, static_cast<std::size_t>(last - first), row, kept.data());
    for (std::int64_t t = first; t < last; ++t) take(t, kept[static_cast<std::size_t>(t - first)]);
  }
}

/// The byte of a value in each column of its feature; `below` is the number of cuts below it, -1 for a missing one.
inline std::uint8_t byte_of(const internal::ByteColumn& column, std::int32_t below) {
  if (below < 0) return column.missing_left ? 0 : 255;
  return static_cast<std::uint8_t>(std::clamp(below - column.first_cut, 0, 254));
}

inline std::int32_t count_below(const Flat& flat, const Coder& coder, double value) {
  if (value != value || (coder.zero_missing && internal::is_zero(value))) return -1;
  const double* cuts = flat.cuts.data() + coder.first_cut;
  return static_cast<std::int32_t>(std::lower_bound(cuts, cuts + coder.cuts, value) - cuts);
}

using RowCodes = std::array<std::uint16_t, static_cast<std::size_t>(kernels::cpu::kRowCodes)>;

/// The bytes of a row, as the kernels for one row read them.
RowCodes codes_of(const Flat& flat, const kernels::cpu::TreePredictTable& kernels, const double* row) {
  RowCodes codes{};
  for (const Coder& coder : flat.coders) {
    const double value = row[coder.feature];
    auto place = static_cast<std::size_t>(coder.place);
    if (coder.categorical) {
      codes[place] = internal::code_byte(value, flat.levels[static_cast<std::size_t>(coder.feature)]);
      continue;
    }
    std::int32_t below;
    if (coder.heads >= 0 && !coder.zero_missing) {
      std::uint16_t counted;
      kernels.count(&value, 1, flat.cuts.data() + coder.first_cut, flat.heads.data() + coder.heads, &counted);
      below = counted == 0xFFFF ? -1 : counted;
    } else {
      below = count_below(flat, coder, value);
    }
    for (const internal::ByteColumn& column : coder.columns) codes[place++] = byte_of(column, below);
  }
  return codes;
}

template <class Take>
void each_leaf_of_groups(const Flat& flat, const double* row, Take take) {
  constexpr auto width = kernels::cpu::kSideBySide;
  const kernels::cpu::TreePredictTable& kernels = kernels::cpu::tree_predict_kernels();
  const RowCodes codes = codes_of(flat, kernels, row);
  const auto code = kernels.remaining_leaves;
  const std::uint8_t* leaf_nodes = flat.leaf_nodes.data();
  const auto count = static_cast<std::int64_t>(flat.trees.size());
  std::int64_t tree = 0;
  std::size_t split = 0;
  for (const internal::TreeGroup& group : flat.groups) {
    std::array<std::uint32_t, width> leaves;
    code(flat.group_nodes.data() + group.first, flat.group_keep.data() + group.first, group.slots, codes.data(),
         leaves.data());
    for (; split < group.end; ++split) {
      const internal::GroupSplit& of = flat.group_splits[split];
      const unsigned byte = codes[of.column];
      const std::uint32_t inside = (flat.sets[static_cast<std::size_t>(of.set)][byte / 8] >> (byte % 8)) & 1U;
      leaves[of.tree] &= of.keep | (0 - inside);
    }
    const std::int64_t some = std::min<std::int64_t>(width, count - tree);
    for (std::int64_t i = 0; i < some; ++i, ++tree, leaf_nodes += kernels::cpu::kMaskLeaves) {
      const int leaf = std::countr_zero(leaves[static_cast<std::size_t>(i)]);
      take(tree, flat.roots[static_cast<std::size_t>(tree)] + leaf_nodes[leaf]);
    }
  }
}

template <class Take>
void each_leaf_of_walk(const Flat& flat, const double* row, Take take) {
  const kernels::cpu::TreePredictTable& kernels = kernels::cpu::tree_predict_kernels();
  const RowCodes codes = codes_of(flat, kernels, row);
  const auto code = kernels.walk;
  std::array<std::int32_t, Flat::kKept> at;
  const auto count = static_cast<std::int64_t>(flat.trees.size());
  for (std::int64_t first = 0; first < count; first += Flat::kKept) {
    const std::int64_t some = std::min(Flat::kKept, count - first);
    code(flat.walk_nodes.data(), flat.roots.data() + first, static_cast<std::int32_t>(some), codes.data(), at.data());
    for (std::int64_t t = 0; t < some; ++t) take(first + t, at[static_cast<std::size_t>(t)]);
  }
}

template <class Take>
void each_leaf(const Flat& flat, const double* row, Take take) {
  if (!flat.groups.empty()) return each_leaf_of_groups(flat, row, take);
  if (!flat.walk_nodes.empty()) return each_leaf_of_walk(flat, row, take);
  if (!flat.plain) return each_leaf<Walk::special>(flat, row, take);
  double sum = 0;                                                      // NaN where there is one
  for (std::int64_t f = 0; f < flat.features; ++f) sum += row[f] * 0;  // so is infinity · 0: slower, not wrong
  if (sum == 0) return each_leaf<Walk::finite>(flat, row, take);
  each_leaf<Walk::missing>(flat, row, take);
}

/// The sum that an output begins with.
double first_sum(const Flat& flat, std::int64_t output) {
  return flat.divisor > 0 ? 0 : flat.base[static_cast<std::size_t>(output)];
}

/// The margin that a sum stands for.
double margin_of_sum(const Flat& flat, std::int64_t output, double sum) {
  return flat.divisor > 0 ? flat.base[static_cast<std::size_t>(output)] + sum / flat.divisor : sum;
}

/// The values of a leaf, one for each output.
const double* vector_of(const Flat& flat, const FlatTree& tree, std::int32_t leaf) {
  return flat.vectors.data() + tree.first_value + leaf * flat.outputs;
}

void margin_of(const Flat& flat, const double* row, double* out) {
  if (flat.outputs == 1 && !flat.vectors_of_leaves) {
    double sum = first_sum(flat, 0);
    each_leaf(flat, row,
              [&](std::int64_t, std::int32_t leaf) { sum += flat.node_values[static_cast<std::size_t>(leaf)]; });
    *out = margin_of_sum(flat, 0, sum);
    return;
  }
  for (std::int64_t o = 0; o < flat.outputs; ++o) out[o] = first_sum(flat, o);
  std::int64_t output = 0;
  each_leaf(flat, row, [&](std::int64_t t, std::int32_t leaf) {
    const auto at = static_cast<std::size_t>(leaf);
    if (flat.vectors_of_leaves) {
      const double* values = vector_of(flat, flat.trees[static_cast<std::size_t>(t)], flat.facts[at].leaf);
      for (std::int64_t o = 0; o < flat.outputs; ++o) out[o] += values[o];
      return;
    }
    out[output] += flat.node_values[at];
    output = output + 1 == flat.outputs ? 0 : output + 1;
  });
  for (std::int64_t o = 0; o < flat.outputs; ++o) out[o] = margin_of_sum(flat, o, out[o]);
}

/// Predicts blocks of rows; has the memory that this takes.
class Blocks {
 public:
  explicit Blocks(const Flat& flat)
      : flat_(flat),
        kernels_(kernels::cpu::tree_predict_kernels()),
        codes_(static_cast<std::size_t>(flat.columns * kTreeRows)),
        sums_(static_cast<std::size_t>(flat.outputs * kTreeRows)) {}

  /// Margins of up to kTreeRows rows.
  void margins(const double* rows, std::int64_t count, double* out) {
    for (const Coder& coder : flat_.coders) code(coder, rows, count);
    for (std::int64_t output = 0; output < flat_.outputs; ++output) {
      std::fill_n(sums_.begin() + output * kTreeRows, kTreeRows, first_sum(flat_, output));
    }
    std::int64_t output = 0;
    for (const FlatTree& tree : flat_.trees) {
      double* sums = sums_.data() + output * kTreeRows;
      if (tree.first_step >= 0) {
        by_steps(tree, sums);
      } else {
        by_nodes(tree, rows, count, sums);
      }
      output = output + 1 == flat_.outputs ? 0 : output + 1;
    }
    for (std::int64_t row = 0; row < count; ++row) {
      for (std::int64_t o = 0; o < flat_.outputs; ++o)
        out[row * flat_.outputs + o] = margin_of_sum(flat_, o, sums_[static_cast<std::size_t>(o * kTreeRows + row)]);
    }
  }

 private:
  void code(const Coder& coder, const double* rows, std::int64_t count) {
    const double* from = rows + coder.feature;
    for (std::int64_t i = 0; i < count; ++i) values_[static_cast<std::size_t>(i)] = from[i * flat_.features];
    std::fill(values_.begin() + count, values_.end(), 0.0);
    std::uint8_t* column = codes_.data() + coder.place * kTreeRows;
    if (coder.categorical) {
      const double levels = flat_.levels[static_cast<std::size_t>(coder.feature)];
      for (std::size_t i = 0; i < kTreeRows; ++i) {
        const int code = internal::code_byte(values_[i], levels);
        column[i] = static_cast<std::uint8_t>(code < 128 ? code / 8 : 0x80);
        column[kTreeRows + i] = static_cast<std::uint8_t>(code < 128 ? 0x80 : code / 8 - 16);
        column[2 * kTreeRows + i] = static_cast<std::uint8_t>(1 << (code % 8));
      }
      return;
    }
    if (coder.zero_missing) {
      for (double& value : values_) {
        if (internal::is_zero(value)) value = std::numeric_limits<double>::quiet_NaN();
      }
    }
    const double* cuts = flat_.cuts.data() + coder.first_cut;
    if (coder.heads >= 0) {
      std::array<std::uint16_t, kTreeRows> below;
      kernels_.count(values_.data(), kTreeRows, cuts, flat_.heads.data() + coder.heads, below.data());
      for (std::size_t i = 0; i < kTreeRows; ++i) below_[i] = below[i] == 0xFFFF ? -1 : below[i];
    } else {
      for (std::size_t i = 0; i < kTreeRows; ++i) {
        below_[i] = count_below(flat_, coder, values_[i]);
      }
    }
    for (const internal::ByteColumn& part : coder.columns) {
      for (std::size_t i = 0; i < kTreeRows; ++i) column[i] = byte_of(part, below_[i]);
      column += kTreeRows;
    }
  }

  void by_steps(const FlatTree& tree, double* sums) {
    const kernels::cpu::TreeProgram program{
        .steps = flat_.steps.data() + tree.first_step,
        .nodes = tree.nodes,
        .sets = reinterpret_cast<const std::uint8_t(*)[32]>(flat_.sets.data() + tree.first_set)};
    alignas(64) std::array<std::uint8_t, kTreeRows> leaf;
    kernels_.leaves(program, codes_.data(), leaf.data());
    if (flat_.vectors_of_leaves) {
      for (std::size_t i = 0; i < kTreeRows; ++i) add_vector(tree, leaf[i], i);
      return;
    }
    const double* values = flat_.values.data() + tree.first_value;
    for (std::size_t i = 0; i < kTreeRows; ++i) sums[i] += values[leaf[i]];
  }

  void by_nodes(const FlatTree& tree, const double* rows, std::int64_t count, double* sums) {
    for (std::int64_t i = 0; i < count; i += kTogether) {
      std::array<const double*, kTogether> together;
      std::array<std::int32_t, kTogether> at;
      for (std::size_t j = 0; j < kTogether; ++j) {
        together[j] = rows + std::min(i + static_cast<std::int64_t>(j), count - 1) * flat_.features;
      }
      if (flat_.plain) {
        walk_rows<Walk::missing>(flat_, tree, together.data(), at.data());
      } else {
        walk_rows<Walk::special>(flat_, tree, together.data(), at.data());
      }
      for (std::size_t j = 0; j < kTogether; ++j) {
        const auto row = static_cast<std::size_t>(i) + j, leaf = static_cast<std::size_t>(at[j]);
        if (flat_.vectors_of_leaves) {
          add_vector(tree, flat_.facts[leaf].leaf, row);
        } else {
          sums[row] += flat_.node_values[leaf];
        }
      }
    }
  }

  void add_vector(const FlatTree& tree, std::int32_t leaf, std::size_t row) {
    const double* values = vector_of(flat_, tree, leaf);
    for (std::int64_t o = 0; o < flat_.outputs; ++o) sums_[static_cast<std::size_t>(o * kTreeRows) + row] += values[o];
  }

  const Flat& flat_;
  const kernels::cpu::TreePredictTable& kernels_;
  std::array<double, kTreeRows> values_{};
  std::array<std::int32_t, kTreeRows> below_{};
  std::vector<std::uint8_t> codes_;
  std::vector<double> sums_;
};

/// Margins of `count` rows.
void margins_of(const Flat& flat, const double* rows, std::int64_t count, double* out) {
  if (count < kFewRows) {
    for (std::int64_t i = 0; i < count; ++i) margin_of(flat, rows + i * flat.features, out + i * flat.outputs);
    return;
  }
  Blocks blocks(flat);
  for (std::int64_t i = 0; i < count; i += kTreeRows) {
    blocks.margins(rows + i * flat.features, std::min(kTreeRows, count - i), out + i * flat.outputs);
  }
}

void leaves_of(const Flat& flat, const double* rows, std::int64_t count, std::int32_t* out) {
  for (std::int64_t i = 0; i < count; ++i) {
    each_leaf(flat, rows + i * flat.features,
              [&](std::int64_t, std::int32_t leaf) { *out++ = flat.facts[static_cast<std::size_t>(leaf)].leaf; });
  }
}

std::int64_t rows_in(const Flat& flat, std::span<const double> rows) {
  const auto size = static_cast<std::int64_t>(rows.size());
  if (flat.features == 0 ? size != 0 : size % flat.features != 0) {
    throw ShapeError("[Predictor] expected rows of " + std::to_string(flat.features) + " features, got " +
                     std::to_string(size) + " values");
  }
  return flat.features == 0 ? 0 : size / flat.features;
}

void check_row(const Flat& flat, std::span<const double> row, std::span<double> out) {
  if (static_cast<std::int64_t>(row.size()) == flat.features && static_cast<std::int64_t>(out.size()) == flat.outputs) {
    return;
  }
  throw ShapeError("[Predictor] expected a row of " + std::to_string(flat.features) + " features and room for " +
                   std::to_string(flat.outputs) + " outputs, got " + std::to_string(row.size()) + " and " +
                   std::to_string(out.size()));
}

/// `width` results a row by `work(rows, count, out)`, over a matrix or over a table in stretches.
template <class T, class Work>
std::vector<T> each_row(const Flat& flat, std::span<const double> rows, std::int64_t width, Work work) {
  const std::int64_t count = rows_in(flat, rows);
  std::vector<T> out(static_cast<std::size_t>(count * width));
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    work(flat, rows.data() + begin * flat.features, end - begin, out.data() + begin * width);
  });
  return out;
}

template <class T, class Work>
std::vector<T> each_row(const Flat& flat, const data::Table& table, std::int64_t width, Work work) {
  const internal::Inputs inputs("Predictor", flat.inputs, table);
  std::vector<T> out(static_cast<std::size_t>(inputs.rows() * width));
  parallel_for(inputs.rows(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> rows(static_cast<std::size_t>((end - begin) * flat.features));
    inputs.fill(begin, end - begin, rows.data());
    work(flat, rows.data(), end - begin, out.data() + begin * width);
  });
  return out;
}

void predictions_of(const Flat& flat, const double* rows, std::int64_t count, double* out) {
  margins_of(flat, rows, count, out);
  internal::apply_link(flat.link, flat.link_scale, flat.outputs, {out, static_cast<std::size_t>(count * flat.outputs)});
}

}  // namespace

Predictor::Predictor(const Ensemble& ensemble) {
  ensemble.check("Predictor");
  flat_ = std::make_shared<const Flat>(ensemble);
  kernels::cpu::tree_predict_kernels();  // looks at the processor when first called, which takes memory: not of a row
}

std::int64_t Predictor::features() const { return flat_->features; }
std::int64_t Predictor::outputs() const { return flat_->outputs; }
std::int64_t Predictor::trees() const { return static_cast<std::int64_t>(flat_->trees.size()); }

std::vector<double> Predictor::margins(std::span<const double> rows) const {
  return each_row<double>(*flat_, rows, flat_->outputs, margins_of);
}

std::vector<double> Predictor::margins(const data::Matrix& rows) const {
  if (rows.columns() != flat_->features) {
    throw ShapeError("[Predictor] expected rows of " + std::to_string(flat_->features) + " features, got " +
                     std::to_string(rows.columns()));
  }
  const auto size = static_cast<std::size_t>(rows.rows() * rows.columns());
  if (rows.f64() != nullptr) return margins(std::span(rows.f64(), size));
  std::vector<double> out(static_cast<std::size_t>(rows.rows() * flat_->outputs));
  parallel_for(rows.rows(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    const float* from = rows.f32() + begin * flat_->features;
    const std::vector<double> part(from, from + (end - begin) * flat_->features);
    margins_of(*flat_, part.data(), end - begin, out.data() + begin * flat_->outputs);
  });
  return out;
}

std::vector<double> Predictor::margins(const data::Table& table) const {
  return each_row<double>(*flat_, table, flat_->outputs, margins_of);
}

std::vector<double> Predictor::predict(std::span<const double> rows) const {
  return each_row<double>(*flat_, rows, flat_->outputs, predictions_of);
}

std::vector<double> Predictor::predict(const data::Table& table) const {
  return each_row<double>(*flat_, table, flat_->outputs, predictions_of);
}

std::vector<std::int32_t> Predictor::leaves(std::span<const double> rows) const {
  return each_row<std::int32_t>(*flat_, rows, trees(), leaves_of);
}

std::vector<std::int32_t> Predictor::leaves(const data::Table& table) const {
  return each_row<std::int32_t>(*flat_, table, trees(), leaves_of);
}

void Predictor::margin(std::span<const double> row, std::span<double> out) const {
  check_row(*flat_, row, out);
  margin_of(*flat_, row.data(), out.data());
}

void Predictor::predict(std::span<const double> row, std::span<double> out) const {
  margin(row, out);
  internal::apply_link(flat_->link, flat_->link_scale, flat_->outputs, out);
}

void apply_link(const Ensemble& ensemble, std::span<double> margins) {
  if (ensemble.outputs < 1 || margins.size() % static_cast<std::size_t>(ensemble.outputs) != 0) {
    throw ShapeError("[apply_link] expected rows of " + std::to_string(ensemble.outputs) + " margins, got " +
                     std::to_string(margins.size()));
  }
  internal::apply_link(ensemble.link, ensemble.link_scale, ensemble.outputs, margins);
}

}  // namespace tern::trees
