#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trees/buffer.h"

namespace tern::trees::internal {

/// Bins of a feature, the one for missing values not counted: its number is that of the bins.
inline constexpr int kMostBins = 255;

/// Values of one feature, row by row: numbers `step` apart, or codes of levels (-1 is missing).
struct FeatureValues {
  const float* f32 = nullptr;
  const double* f64 = nullptr;
  std::int64_t step = 1;
  const std::int32_t* codes = nullptr;
  std::int64_t levels = 0;
};

/// How the values of a feature become bins.
struct FeatureBins {
  bool categorical = false;
  /// Ascending; the bin of a number is how many of them lie below it. Floats where floats part the values on either
  /// side.
  std::vector<double> thresholds;
  /// Of each level: its bin, or `bins` for one that is too rare to have one of its own.
  std::vector<std::uint8_t> bin_of_level;
  int bins = 1;
  std::int64_t present = 0;  ///< levels that rows have, counted where there are more than bins

  std::uint8_t missing_bin() const { return static_cast<std::uint8_t>(bins); }
};

/// Finds the bins of each feature: a bin for each value or level if there are at most `max_bins` (2 … 255), else bins
/// of about equally many rows and the most frequent levels. Of more rows than `sample`, so many are looked at.
std::vector<FeatureBins> find_bins(std::span<const FeatureValues> features, std::int64_t rows, int max_bins,
                                   std::int64_t sample = 200'000);

/// Where there is one, the float t nearest to the middle with a <= t < b that parts them as floats too: float(b) lies
/// above it. Else such a double, which does not pass for a float (`means_float`) unless b is one or two doubles above
/// one: so it tells that floats would not do.
double threshold_between(double a, double b);

/// Rows as bins: a column of bytes for each feature, and records for histograms.
class BinnedRows {
 public:
  /// Features of similar numbers of bins whose bins lie side by side in a record of `width` bytes, the last four of
  /// which hold the row's packed gradient.
  struct Block {
    std::vector<int> features;
    int width = 0;
    int stride = 0;           ///< words of the histogram from feature to feature
    std::int64_t offset = 0;  ///< of the block in the histogram
    Buffer<std::uint8_t> records{};
  };

  /// Bins of the rows; with records if they are to be trained on.
  BinnedRows(std::span<const FeatureValues> features, const std::vector<FeatureBins>& bins, std::int64_t rows,
             bool records);

  std::int64_t rows() const { return rows_; }
  const std::uint8_t* column(int feature) const { return columns_.data() + feature * rows_; }
  std::vector<Block>& blocks() { return blocks_; }
  const std::vector<Block>& blocks() const { return blocks_; }
  /// Words of a histogram of all features.
  std::int64_t histogram_size() const { return histogram_size_; }
  /// Where a feature's bins begin in a histogram.
  std::int64_t histogram_offset(int feature) const { return offsets_[static_cast<std::size_t>(feature)]; }

 private:
  void make_blocks(const std::vector<FeatureBins>& bins);

  std::int64_t rows_, histogram_size_ = 0;
  Buffer<std::uint8_t> columns_;
  std::vector<Block> blocks_;
  std::vector<std::int64_t> offsets_;
};

}  // namespace tern::trees::internal
