#pragma once

#include <cstdint>
#include <vector>

#include "cpu/trees.h"
#include "trees/bins.h"

namespace tern::trees::internal {

using kernels::cpu::PairSum;

inline std::int32_t gradient_sum(PairSum sum) { return static_cast<std::int32_t>(sum >> 32); }
inline std::uint32_t hessian_sum(PairSum sum) { return static_cast<std::uint32_t>(sum); }

/// How gradients are held in whole numbers.
struct Levels {
  std::int32_t gradient = 7;  ///< gradients lie in [-gradient, gradient]
  std::int32_t hessian = 15;  ///< hessians in [0, hessian]
  /// Rows that halves of 16 bits can sum up; 0: sums of 32 bits from the start.
  std::int64_t rows_of_16_bits = 0;
};

/// Levels for so many rows: coarse ones, which sum up faster, or as fine as words of 32 bits allow.
Levels levels_for(std::int64_t rows, bool coarse, bool constant_hessian);

/// Sums of gradients and hessians by feature and bin, over some rows. Whole numbers, so their order is of no account.
class HistogramBuilder {
 public:
  HistogramBuilder(const BinnedRows& data, const Levels& levels) : data_(data), levels_(levels) {}

  /// Fills `histogram` from rows `rows[begin … end - 1]`, or of rows begin … end - 1 where `rows` is null. Blocks whose
  /// byte in `used` is 0 are left alone.
  void build(const std::uint32_t* rows, std::int64_t begin, std::int64_t end, PairSum* histogram,
             const std::vector<char>& used) const;
  /// The same on all threads; `scratch` keeps memory between calls.
  void build_parallel(const std::uint32_t* rows, std::int64_t begin, std::int64_t end, PairSum* histogram,
                      const std::vector<char>& used, std::vector<Buffer<PairSum>>& scratch) const;

 private:
  void build_block(const BinnedRows::Block& block, const std::uint32_t* rows, std::int64_t begin, std::int64_t end,
                   PairSum* histogram) const;

  const BinnedRows& data_;
  Levels levels_;
};

}  // namespace tern::trees::internal
