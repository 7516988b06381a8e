#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// Rows that trees are walked for at a time.
inline constexpr std::int64_t kTreeRows = 128;

/// Trees that one row is walked through at a time.
inline constexpr std::int32_t kWalkTrees = 512;

/// Trees that one row goes through side by side, and the most leaves that they may have.
inline constexpr std::int32_t kSideBySide = 32, kMaskLeaves = 32;

/// Codes of one row.
inline constexpr std::int64_t kRowCodes = 64;

/// One inner node for a block of rows, parents before children. Masks of the rows that reach a node stand in places:
/// the root's is place 0, inner nodes follow, then the leaves.
struct TreeStep {
  std::uint16_t column = 0;           ///< of codes; a categorical split reads three from here on
  std::uint8_t cut = 0;               ///< codes up to it go left
  std::uint8_t categorical = 0;       ///< 1: the next of the tree's sets decides
  std::uint16_t left = 0, right = 0;  ///< places
};

/// A tree of at most 256 leaves as a list of steps.
struct TreeProgram {
  const TreeStep* steps;
  std::int32_t nodes;
  const std::uint8_t (*sets)[32];  ///< 256 bits for each categorical step, in their order
};

/// The inner loops of predicting with trees, for blocks of kTreeRows rows.
struct TreePredictTable {
  /// Number of cuts below each of n values; 0xFFFF for NaN. Cuts ascend; behind them stand infinities up to
  /// 16 · (blocks + 1), where `blocks`, at most 16, is the number of blocks of 16 with cuts. `heads` has the last cut
  /// of each block and infinities up to 16.
  void (*count)(const double* values, std::int64_t n, const double* cuts, const double* heads, std::uint16_t* codes);
  /// The leaf of each row. `codes` has columns of kTreeRows bytes. A categorical column is three: the byte of the
  /// level's bit in the lower or in the upper half of the set (0x80 where it is in the other one), and the bit.
  void (*leaves)(const TreeProgram& tree, const std::uint8_t* codes, std::uint8_t* leaf);
  /// For one row, whose codes are kRowCodes numbers, the node at which each of up to kWalkTrees trees ends; null where
  /// the target has no fast way. A node is cut | column << 8 | (left child - root) << 16, the right child stands behind
  /// the left one, and a leaf has cut 255 and leads to itself. `at` has room for kWalkTrees.
  void (*walk)(const std::uint32_t* nodes, const std::int32_t* roots, std::int32_t count, const std::uint16_t* codes,
               std::int32_t* at);
  /// For one row, whose codes are kRowCodes numbers, the leaves of kSideBySide trees that remain when every node that
  /// the row passes on the right has taken those on its left; bit 0 is the leftmost leaf, and the lowest bit that
  /// remains is where the row ends (QuickScorer: Lucchese et al., SIGIR 2015, doi:10.1145/2766462.2767733). No node
  /// waits for another. `nodes`, cut | column << 8, and `keep`, the bits of a tree's leaves that its node leaves, have
  /// the trees' first nodes, then their second ones, to `slots`; what stands for no node has cut 255. Null where the
  /// target has no fast way.
  void (*remaining_leaves)(const std::uint16_t* nodes, const std::uint32_t* keep, std::int32_t slots,
                           const std::uint16_t* codes, std::uint32_t* leaves);
};
TERN_TARGET_TABLES(TreePredictTable, tree_predict)

}  // namespace tern::kernels::cpu
