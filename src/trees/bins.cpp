#include "trees/bins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "cpu/trees.h"
#include "tern/base/parallel.h"
#include "trees/flat.h"
#include "trees/hash.h"

namespace tern::trees::internal {
namespace {

constexpr std::int64_t kRowsAtATime = 1024;
constexpr std::int64_t kRowsBinned = 256;    // of which a cache line each, of a matrix, fits into the nearest cache
constexpr std::int64_t kColumnsAtATime = 8;  // of a matrix, where a line holds several
constexpr std::size_t kOverread = 3;         // bytes past a column's end that its gathered words hold
constexpr int kSmallStride = 32, kLargeStride = 256;
constexpr int kBlockFeatures = 28;  // their accumulators, of 256 bins, fit into the nearest cache

// Sorts numbers by their bits, which order as the numbers do once those of negative ones are turned around.
template <class T, class Key>
void sort_numbers(std::vector<T>& values) {
  static_assert(sizeof(T) == sizeof(Key));
  constexpr int kDigit = 11, kBits = sizeof(Key) * 8, kPasses = (kBits + kDigit - 1) / kDigit;
  constexpr Key kSign = Key{1} << (kBits - 1), kMask = (Key{1} << kDigit) - 1;
  const std::size_t n = values.size();
  if (n < 2000) {
    std::sort(values.begin(), values.end());
    return;
  }
  std::vector<Key> keys(n), other(n);
  std::vector<std::array<std::uint32_t, kMask + 1>> counts(kPasses);
  for (auto& count : counts) count.fill(0);
  for (std::size_t i = 0; i < n; ++i) {
    Key key;
    std::memcpy(&key, &values[i], sizeof key);
    key = key & kSign ? ~key : key | kSign;
    keys[i] = key;
    for (int pass = 0; pass < kPasses; ++pass) ++counts[pass][(key >> (pass * kDigit)) & kMask];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    auto& count = counts[pass];
    if (count[(keys[0] >> (pass * kDigit)) & kMask] == n) continue;  // a digit that all share
    std::uint32_t before = 0;
    for (auto& each : count) before += std::exchange(each, before);
    for (const Key key : keys) other[count[(key >> (pass * kDigit)) & kMask]++] = key;
    keys.swap(other);
  }
  for (std::size_t i = 0; i < n; ++i) {
    const Key key = keys[i] & kSign ? keys[i] & ~kSign : ~keys[i];
    std::memcpy(&values[i], &key, sizeof key);
  }
}
void sort_numbers(std::vector<float>& values) { sort_numbers<float, std::uint32_t>(values); }
void sort_numbers(std::vector<double>& values) { sort_numbers<double, std::uint64_t>(values); }

// The row that stands for part `i` of `parts` of the rows.
std::int64_t sampled_row(std::int64_t i, std::int64_t parts, std::int64_t rows) {
  if (rows <= parts) return i;
  const double share = static_cast<double>(rows) / static_cast<double>(parts);
  const double within = static_cast<double>(mixed(static_cast<std::uint32_t>(i))) * 0x1p-32;
  return std::min(rows - 1, static_cast<std::int64_t>((static_cast<double>(i) + within) * share));
}

// Pairs of neighbouring values, the last of a bin and the first of the next, by counts of equal values in order.
template <class T>
std::vector<std::pair<T, T>> cut(const std::vector<T>& sorted, int max_bins) {
  struct Run {
    T value;
    std::int64_t count;
  };
  std::vector<Run> runs;
  for (const T value : sorted) {
    if (runs.empty() || runs.back().value != value) {
      runs.push_back({value, 1});
    } else {
      ++runs.back().count;
    }
  }
  std::vector<std::pair<T, T>> cuts;
  const auto distinct = static_cast<std::int64_t>(runs.size());
  if (distinct <= max_bins) {
    for (std::int64_t i = 1; i < distinct; ++i) cuts.emplace_back(runs[i - 1].value, runs[i].value);
    return cuts;
  }
  // Values that fill a bin alone get one; the others share what is left evenly.
  auto left = static_cast<std::int64_t>(sorted.size());
  std::int64_t bins_left = max_bins;
  double share = static_cast<double>(left) / static_cast<double>(bins_left);
  std::vector<bool> alone(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (static_cast<double>(runs[i].count) < share) continue;
    alone[i] = true;
    left -= runs[i].count;
    --bins_left;
  }
  share = bins_left > 0 ? static_cast<double>(left) / static_cast<double>(bins_left) : share;
  std::int64_t filled = 0;
  for (std::size_t i = 0; i + 1 < runs.size(); ++i) {
    filled += runs[i].count;
    const bool lone = alone[i] || alone[i + 1];
    const double next = static_cast<double>(runs[i + 1].count);
    if (!lone && static_cast<double>(filled) + next / 2 < share) continue;
    if (static_cast<int>(cuts.size()) == max_bins - 1) break;
    cuts.emplace_back(runs[i].value, runs[i + 1].value);
    if (!alone[i]) {
      left -= filled;
      --bins_left;
      if (bins_left > 0) share = static_cast<double>(left) / static_cast<double>(bins_left);
    }
    filled = 0;
  }
  return cuts;
}

template <class T>
const T* numbers(const FeatureValues& values);
template <>
const float* numbers<float>(const FeatureValues& values) {
  return values.f32;
}
template <>
const double* numbers<double>(const FeatureValues& values) {
  return values.f64;
}

// The values of some features in sampled rows, missing ones left out.
template <class T>
std::vector<std::vector<T>> sampled(std::span<const FeatureValues> features, std::int64_t rows, std::int64_t count) {
  std::vector<std::vector<T>> out(features.size());
  for (auto& each : out) each.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = sampled_row(i, count, rows);
    for (std::size_t f = 0; f < features.size(); ++f) {
      const T value = numbers<T>(features[f])[row * features[f].step];
      if (!std::isnan(value)) out[f].push_back(value + T(0));  // -0 is 0
    }
  }
  return out;
}

template <class T>
FeatureBins numeric_bins(std::vector<T>& sorted, std::int64_t rows, int max_bins, std::int64_t count) {
  sort_numbers(sorted);
  FeatureBins bins;
  for (const auto& [a, b] : cut(sorted, max_bins)) {
    // Of a sample, the neighbour above is not known yet: see `settle`.
    bins.thresholds.push_back(count == rows ? threshold_between(a, b) : static_cast<double>(a));
  }
  bins.bins = static_cast<int>(bins.thresholds.size()) + 1;
  return bins;
}

FeatureBins categorical_bins(const FeatureValues& values, std::int64_t rows, int max_bins) {
  FeatureBins bins;
  bins.categorical = true;
  bins.bin_of_level.assign(static_cast<std::size_t>(values.levels), 0);
  if (values.levels <= max_bins) {
    std::iota(bins.bin_of_level.begin(), bins.bin_of_level.end(), std::uint8_t{0});
    bins.bins = std::max(1, static_cast<int>(values.levels));
  } else {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(values.levels)), order(counts.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      if (const std::int32_t code = values.codes[row * values.step]; code >= 0 && code < values.levels)
        ++counts[static_cast<std::size_t>(code)];
    }
    bins.present = std::ssize(counts) - std::count(counts.begin(), counts.end(), 0);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return counts[a] > counts[b]; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      bins.bin_of_level[order[i]] = static_cast<std::uint8_t>(std::min<std::size_t>(i, max_bins));
    }
    bins.bins = max_bins;
  }
  return bins;
}

template <class T>
std::array<T, kMostBins> padded(const FeatureBins& bins) {
  std::array<T, kMostBins> thresholds;
  thresholds.fill(std::numeric_limits<T>::infinity());
  for (std::size_t i = 0; i < bins.thresholds.size(); ++i) thresholds[i] = static_cast<T>(bins.thresholds[i]);
  return thresholds;
}

// Bins of rows by thresholds laid out for the kernels.
class Binner {
 public:
  Binner(std::span<const FeatureValues> features, const std::vector<FeatureBins>& bins)
      : features_(features), bins_(bins) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      floats_.push_back(features[f].f32 ? padded<float>(bins[f]) : std::array<float, kMostBins>{});
      doubles_.push_back(features[f].f64 ? padded<double>(bins[f]) : std::array<double, kMostBins>{});
    }
  }

  void operator()(std::size_t f, std::int64_t first, std::int64_t count, std::uint8_t* out) const {
    const FeatureValues& values = features_[f];
    const FeatureBins& bins = bins_[f];
    const auto& kernels = kernels::cpu::trees_table();
    const std::int64_t at = first * values.step;
    if (values.f32) {
      kernels.bins_f32(values.f32 + at, values.step, count, floats_[f].data(), bins.missing_bin(), out);
    } else if (values.f64) {
      kernels.bins_f64(values.f64 + at, values.step, count, doubles_[f].data(), bins.missing_bin(), out);
    } else {
      const auto levels = static_cast<std::int64_t>(bins.bin_of_level.size());
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t code = values.codes[at + i * values.step];
        out[i] = code >= 0 && code < levels ? bins.bin_of_level[static_cast<std::size_t>(code)] : bins.missing_bin();
      }
    }
  }

 private:
  std::span<const FeatureValues> features_;
  const std::vector<FeatureBins>& bins_;
  std::vector<std::array<float, kMostBins>> floats_;
  std::vector<std::array<double, kMostBins>> doubles_;
};

// Moves thresholds that were taken from a sample to the middle between the values on either side in all rows.
void settle(std::span<const FeatureValues> features, std::int64_t rows, std::vector<FeatureBins>& bins) {
  const Binner binner(features, bins);
  const std::int64_t parts = std::min<std::int64_t>(32, (rows + kRowsAtATime - 1) / kRowsAtATime);
  const std::int64_t grain = (rows + parts - 1) / parts;
  struct Range {
    std::array<double, kMostBins + 1> least;  // of each bin
  };
  std::vector<std::vector<Range>> found(static_cast<std::size_t>(parts));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  parallel_for(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    auto& part = found[static_cast<std::size_t>(begin / grain)];
    part.resize(features.size());
    for (Range& range : part) range.least.fill(kInfinity);
    std::uint8_t out[kRowsAtATime];
    for (std::int64_t first = begin; first < end; first += kRowsAtATime) {
      const std::int64_t count = std::min(kRowsAtATime, end - first);
      for (std::size_t f = 0; f < features.size(); ++f) {
        const FeatureValues& values = features[f];
        if (values.codes) continue;
        binner(f, first, count, out);
        Range& range = part[f];
        for (std::int64_t i = 0; i < count; ++i) {
          const std::int64_t at = (first + i) * values.step;
          const double value = values.f32 ? values.f32[at] : values.f64[at];
          if (value < range.least[out[i]]) range.least[out[i]] = value;
        }
      }
    }
  });
  for (std::size_t f = 0; f < features.size(); ++f) {
    if (features[f].codes) continue;
    for (std::size_t t = 0; t < bins[f].thresholds.size(); ++t) {
      double above = kInfinity;
      for (const auto& part : found) {
        if (!part.empty()) above = std::min(above, part[f].least[t + 1]);
      }
      bins[f].thresholds[t] = threshold_between(bins[f].thresholds[t], above);
    }
  }
}

}  // namespace

double threshold_between(double a, double b) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const double middle = std::isinf(b) ? a : a / 2 + b / 2;
  const auto top = static_cast<float>(b);
  auto nearest = static_cast<float>(middle);
  if (nearest >= top) nearest = std::nextafter(top, -kInfinity);
  if (nearest < a) {
    nearest = static_cast<float>(a);
    if (nearest < a) nearest = std::nextafter(nearest, kInfinity);
  }
  if (nearest >= a && nearest < b && nearest < top) return nearest;
  return middle > a && middle < b && !means_float(middle) ? middle : a;
}

std::vector<FeatureBins> find_bins(std::span<const FeatureValues> features, std::int64_t rows, int max_bins,
                                   std::int64_t sample) {
  std::vector<FeatureBins> bins(features.size());
  const std::int64_t count = std::min(rows, sample);
  const auto all = [&](auto of) { return std::all_of(features.begin(), features.end(), of); };
  const bool f32 = all([](const FeatureValues& values) { return values.f32 && values.step > 1; });
  const bool f64 = all([](const FeatureValues& values) { return values.f64 && values.step > 1; });
  parallel_for(static_cast<std::int64_t>(features.size()), f32 || f64 ? kColumnsAtATime : 1,
               [&](std::int64_t begin, std::int64_t end) {
                 const auto some =
                     features.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
                 FeatureBins* out = bins.data() + begin;
                 if (!some[0].f32 && !some[0].f64) {
                   *out = categorical_bins(some[0], rows, max_bins);
                 } else if (some[0].f32) {
                   for (auto& values : sampled<float>(some, rows, count)) {
                     *out++ = numeric_bins(values, rows, max_bins, count);
                   }
                 } else {
                   for (auto& values : sampled<double>(some, rows, count)) {
                     *out++ = numeric_bins(values, rows, max_bins, count);
                   }
                 }
               });
  if (rows > sample) settle(features, rows, bins);
  return bins;
}

BinnedRows::BinnedRows(std::span<const FeatureValues> features, const std::vector<FeatureBins>& bins, std::int64_t rows,
                       bool records)
    : rows_(rows), columns_(features.size() * static_cast<std::size_t>(rows) + kOverread) {
  if (records) {
    make_blocks(bins);
    for (Block& block : blocks_) block.records = Buffer<std::uint8_t>(static_cast<std::size_t>(block.width * rows));
  }
  const Binner binner(features, bins);
  parallel_for(rows, kRowsBinned, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t f = 0; f < features.size(); ++f) {
      binner(f, begin, end - begin, columns_.data() + static_cast<std::int64_t>(f) * rows + begin);
    }
    for (Block& block : blocks_) {
      std::uint8_t* first = block.records.data() + begin * block.width;
      for (int place = 0; place < block.width - 4; ++place) {
        const bool padding = place >= static_cast<int>(block.features.size());
        const std::uint8_t* from = padding ? nullptr : column(block.features[static_cast<std::size_t>(place)]) + begin;
        for (std::int64_t i = 0; i < end - begin; ++i) first[i * block.width + place] = padding ? 0 : from[i];
      }
    }
  });
}

void BinnedRows::make_blocks(const std::vector<FeatureBins>& bins) {
  offsets_.resize(bins.size());
  for (const int stride : {kSmallStride, kLargeStride}) {
    std::vector<int> features;
    for (std::size_t f = 0; f < bins.size(); ++f) {
      if ((bins[f].bins < kSmallStride) == (stride == kSmallStride)) features.push_back(static_cast<int>(f));
    }
    const auto count = static_cast<int>(features.size());
    const int parts = (count + kBlockFeatures - 1) / kBlockFeatures;
    for (int part = 0; part < parts; ++part) {
      Block block;
      block.features.assign(features.begin() + count * part / parts, features.begin() + count * (part + 1) / parts);
      block.width = (static_cast<int>(block.features.size()) + 3) / 4 * 4 + 4;
      block.stride = stride;
      block.offset = histogram_size_;
      for (std::size_t place = 0; place < block.features.size(); ++place) {
        offsets_[static_cast<std::size_t>(block.features[place])] =
            histogram_size_ + static_cast<std::int64_t>(place) * stride;
      }
      histogram_size_ += static_cast<std::int64_t>(block.width - 4) * stride;
      blocks_.push_back(std::move(block));
    }
  }
}

}  // namespace tern::trees::internal
