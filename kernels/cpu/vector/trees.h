#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// A pair of sums in one word, as histograms of boosted trees hold them: gradients, signed, in the upper half, and
/// hessians, not negative, in the lower. Words add and subtract as they are, as long as neither half overflows.
using PairSum = std::int64_t;

/// What the best threshold of a feature is looked for with, in the units of the histogram.
struct ThresholdSearch {
  double g = 0, h = 0;    ///< sums of all rows of the node
  double lambda = 0;      ///< added to the hessian of a side
  double least = 0;       ///< the smallest hessian of a side
  PairSum beside = 0;     ///< of rows that go left whatever the threshold
  std::int64_t bins = 0;  ///< thresholds 0 … bins - 1 are tried: bins up to that one go left
};

/// gl²/(hl + lambda) + gr²/(hr + lambda) as a fraction, the largest there is; the lowest threshold of equals, or -1.
struct BestThreshold {
  double numerator = 0, denominator = 1;
  std::int64_t bin = -1;
};

/// Inner loops of boosted trees. No function uses a fused multiply-add, so that every target gives the same bits.
struct TreesTable {
  /// histogram[i] += sums[i], whose halves of 16 bits become halves of 32; sums[i] = 0.
  void (*flush)(std::int32_t* sums, PairSum* histogram, std::int64_t n);
  void (*add)(PairSum* to, const PairSum* what, std::int64_t n);
  void (*subtract)(PairSum* from, const PairSum* what, std::int64_t n);
  /// Puts rows whose bin is in a set (bit b % 32 of word b / 32) into `left` and the others into `right`, in their
  /// order, and returns how many are left. They are rows[begin … end - 1], or begin … end - 1 themselves where `rows`
  /// is null; `left` may be rows + begin. Up to three bytes past a row's bin are read.
  std::int64_t (*partition)(const std::uint8_t* column, const std::uint32_t (&set)[8], const std::uint32_t* rows,
                            std::int64_t begin, std::int64_t end, std::uint32_t* left, std::uint32_t* right);
  BestThreshold (*best_threshold)(const PairSum* histogram, const ThresholdSearch& search);
  /// Gradient and hessian of the log loss, in turn, from margins and labels 0 or 1.
  void (*logistic)(const double* margins, const float* labels, std::int64_t n, float* pairs);
  /// Pairs as multiples of 1/g_scale and 1/h_scale, g · 65536 + h, rounded up or down by a hash of (seed, row): each
  /// is right in the mean. Rows are first … first + n - 1.
  void (*quantise)(const float* pairs, std::int64_t n, std::uint32_t seed, std::uint32_t first, float g_scale,
                   float h_scale, std::int32_t* packed);
  /// The same by a hash of (seed, key, gradient), whatever the rows' numbers.
  void (*quantise_keyed)(const float* pairs, std::int64_t n, std::uint32_t seed, const std::uint32_t* keys,
                         float g_scale, float h_scale, std::int32_t* packed);
  /// The number of thresholds below each of n values `step` apart, `missing` for a NaN; there are 255 thresholds,
  /// ascending.
  void (*bins_f32)(const float* values, std::int64_t step, std::int64_t n, const float* thresholds,
                   std::uint8_t missing, std::uint8_t* bins);
  void (*bins_f64)(const double* values, std::int64_t step, std::int64_t n, const double* thresholds,
                   std::uint8_t missing, std::uint8_t* bins);
};
TERN_TARGET_TABLES(TreesTable, trees)

}  // namespace tern::kernels::cpu
