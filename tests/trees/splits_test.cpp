#include "trees/splits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "trees/bins.h"
#include "trees/histogram.h"

namespace tern::trees::internal {
namespace {

TEST(Splits, CountedOnesGainNoMoreThanTheOneThatFailed) {
  std::vector<double> x;
  for (int row = 0; row < 40; ++row) x.push_back(row % 8);
  const FeatureValues features[] = {{.f64 = x.data()}};
  const auto bins = find_bins(features, 40, 255);
  const BinnedRows data(features, bins, 40, true);
  std::vector<PairSum> histogram(static_cast<std::size_t>(data.histogram_size()));
  std::vector<std::uint32_t> counts(256);
  PairSum sum = 0;
  const int gradients[] = {-40, -30, -20, 5, 8, 20, 27, 30};
  for (int bin = 0; bin < 8; ++bin) {
    const PairSum pair = gradients[bin] * (PairSum{1} << 32) + 5;
    histogram[static_cast<std::size_t>(data.histogram_offset(0) + bin)] = pair;
    counts[static_cast<std::size_t>(bin)] = 5;
    sum += pair;
  }
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double least : {0.0, 7.0, 60.0}) {
    const SplitOptions options{.min_child_rows = 1, .min_split_gain = least};
    const SplitFinder finder(data, bins, options);
    NodeToSplit facts{.histogram = histogram.data(),
                      .sum = sum,
                      .rows = 40,
                      .low = -infinite,
                      .high = infinite,
                      .counts = counts.data(),
                      .gain_below = infinite};
    std::vector<double> gains;  // of each round the best that is below the one before
    while (true) {
      const Split split = finder.find(facts, std::vector<int>{0});
      if (split.feature < 0) break;
      ASSERT_TRUE(gains.empty() || split.gain < gains.back()) << least;
      EXPECT_GT(split.gain, least);
      gains.push_back(split.gain);
      facts.gain_below = std::nextafter(split.gain, 0);
    }
    EXPECT_GT(gains.size(), 3u) << least;
  }
}

}  // namespace
}  // namespace tern::trees::internal
