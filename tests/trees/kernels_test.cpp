#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "cpu/vector/tree_predict.h"
#include "cpu/vector/trees.h"
#include "tern/base/random.h"

namespace tern::kernels::cpu {
namespace {

// Every target that this processor runs.
template <class F>
void each_target(const F& check) {
  for (int target = 0; target < kTargets; ++target) {
    if (!runs(static_cast<Target>(target))) continue;
    SCOPED_TRACE(name(static_cast<Target>(target)));
    check(*trees_tables[target]);
  }
}

PairSum pair(std::int64_t g, std::int64_t h) { return g * (std::int64_t{1} << 32) + h; }

TEST(TreeKernels, HalvesOfSixteenBitsBecomeHalvesOfThirtyTwo) {
  each_target([](const TreesTable& table) {
    std::vector<std::int32_t> sums;
    std::vector<PairSum> histogram, expected;
    for (int i = 0; i < 37; ++i) {
      const int g = (i - 18) * 1800, h = i * 1770;
      sums.push_back(g * 65536 + h);
      histogram.push_back(pair(i * 100000 - 5, i));
      expected.push_back(pair(i * 100000 - 5 + g, i + h));
    }
    table.flush(sums.data(), histogram.data(), 37);
    EXPECT_EQ(histogram, expected);
    EXPECT_EQ(sums, std::vector<std::int32_t>(37));
  });
}

TEST(TreeKernels, SumsAddAndSubtract) {
  std::vector<PairSum> first, second, both;
  for (std::int64_t i = 0; i < 37; ++i) {
    first.push_back(pair(i - 20, 3 * i));
    second.push_back(pair(5 - 2 * i, i));
    both.push_back(pair(-15 - i, 4 * i));
  }
  each_target([&](const TreesTable& table) {
    for (const std::int64_t n : {0, 1, 7, 16, 37}) {
      std::vector<PairSum> sums = first, expected = first;
      std::copy_n(both.begin(), n, expected.begin());
      table.add(sums.data(), second.data(), n);
      EXPECT_EQ(sums, expected) << n;
      table.subtract(sums.data(), second.data(), n);
      EXPECT_EQ(sums, first) << n;
    }
  });
}

TEST(TreeKernels, PartitionKeepsTheOrder) {
  const Philox random(1);
  for (const std::int64_t n : {1, 15, 16, 33, 500}) {
    std::vector<std::uint8_t> column(1003);
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = static_cast<std::uint8_t>(random.below(i, 256));
    std::uint32_t set[8];
    for (std::uint64_t i = 0; i < 8; ++i) set[i] = random.bits32(i);
    std::vector<std::uint32_t> rows;
    for (std::int64_t i = 0; i < n; ++i) rows.push_back(static_cast<std::uint32_t>(2 * i));
    for (const bool listed : {true, false}) {
      std::vector<std::uint32_t> left, right;
      for (std::int64_t i = 0; i < n; ++i) {
        const std::uint32_t row = listed ? rows[static_cast<std::size_t>(i)] : static_cast<std::uint32_t>(i);
        ((set[column[row] / 32] >> (column[row] % 32)) & 1 ? left : right).push_back(row);
      }
      each_target([&](const TreesTable& table) {
        std::vector<std::uint32_t> list = rows, other(rows.size());
        const std::int64_t count =
            table.partition(column.data(), set, listed ? list.data() : nullptr, 0, n, list.data(), other.data());
        ASSERT_EQ(count, static_cast<std::int64_t>(left.size()));
        EXPECT_TRUE(std::equal(left.begin(), left.end(), list.begin()));
        EXPECT_TRUE(std::equal(right.begin(), right.end(), other.begin()));
      });
    }
  }
}

TEST(TreeKernels, TheBestThresholdIsTheBestOfAll) {
  const Philox random(2);
  for (std::uint64_t trial = 0; trial < 40; ++trial) {
    const std::int64_t bins = 1 + static_cast<std::int64_t>(random.below(1000 * trial, 255));
    std::vector<PairSum> histogram;
    ThresholdSearch search{
        .lambda = trial % 2 ? 3.0 : 0.0, .least = 20, .beside = trial % 3 ? pair(-40, 25) : 0, .bins = bins};
    PairSum all = search.beside + pair(500, 300);  // and what goes right whatever the threshold
    for (std::int64_t i = 0; i < bins; ++i) {
      const auto at = 1000 * trial + 2 * static_cast<std::uint64_t>(i) + 10;
      histogram.push_back(pair(static_cast<std::int64_t>(random.below(at, 2001)) - 1000,
                               static_cast<std::int64_t>(random.below(at + 1, 900))));
      all += histogram.back();
    }
    search.g = static_cast<double>(static_cast<std::int32_t>(all >> 32));
    search.h = static_cast<double>(static_cast<std::uint32_t>(all));
    double best = 0;
    std::int64_t best_bin = -1;
    PairSum left = search.beside;
    for (std::int64_t i = 0; i < bins; ++i) {
      left += histogram[static_cast<std::size_t>(i)];
      const double g = static_cast<double>(static_cast<std::int32_t>(left >> 32)),
                   h = static_cast<double>(static_cast<std::uint32_t>(left));
      if (h < search.least || search.h - h < search.least) continue;
      const double score =
          g * g / (h + search.lambda) + (search.g - g) * (search.g - g) / (search.h - h + search.lambda);
      if (score > best * (1 + 1e-13)) best = score, best_bin = i;
    }
    each_target([&](const TreesTable& table) {
      const BestThreshold found = table.best_threshold(histogram.data(), search);
      ASSERT_EQ(found.bin, best_bin) << trial;
      if (best_bin < 0) return;
      EXPECT_NEAR(found.numerator / found.denominator, best, 1e-9 * best);
    });
  }
}

TEST(TreeKernels, RoundingIsRightInTheMean) {
  const std::int64_t n = 40'000;
  std::vector<float> pairs;
  for (std::int64_t i = 0; i < n; ++i) pairs.insert(pairs.end(), {-0.3f, 0.2f});
  std::vector<std::int32_t> first;
  each_target([&](const TreesTable& table) {
    std::vector<std::int32_t> packed(static_cast<std::size_t>(n));
    table.quantise(pairs.data(), n, 17, 5, 7, 15.5f, packed.data());
    double g = 0, h = 0;
    for (const std::int32_t each : packed) g += each >> 16, h += each & 0xFFFF;
    EXPECT_NEAR(g / static_cast<double>(n), -2.1, 0.01);
    EXPECT_NEAR(h / static_cast<double>(n), 3.1, 0.01);
    if (first.empty()) first = packed;
    EXPECT_EQ(packed, first);
    std::vector<std::int32_t> part(100);  // rows by number, not by place
    table.quantise(pairs.data(), 100, 17, 5 + 200, 7, 15.5f, part.data());
    EXPECT_TRUE(std::equal(part.begin(), part.end(), packed.begin() + 200));
    std::vector<std::uint32_t> keys;  // rows by key, wherever they stand
    for (std::int64_t i = 0; i < n; ++i) keys.push_back(static_cast<std::uint32_t>(n - i));
    table.quantise_keyed(pairs.data(), n, 17, keys.data(), 7, 15.5f, packed.data());
    g = h = 0;
    for (const std::int32_t each : packed) g += each >> 16, h += each & 0xFFFF;
    EXPECT_NEAR(g / static_cast<double>(n), -2.1, 0.01);
    EXPECT_NEAR(h / static_cast<double>(n), 3.1, 0.01);
    std::reverse(keys.begin(), keys.end());
    std::vector<std::int32_t> turned(static_cast<std::size_t>(n));
    table.quantise_keyed(pairs.data(), n, 17, keys.data(), 7, 15.5f, turned.data());
    std::reverse(turned.begin(), turned.end());
    EXPECT_EQ(packed, turned);
  });
}

TEST(TreeKernels, BinsCountThresholdsBelow) {
  std::vector<double> thresholds(255, std::numeric_limits<double>::infinity());
  for (int i = 0; i < 200; ++i) thresholds[static_cast<std::size_t>(i)] = i * 0.5;
  std::vector<double> values;
  for (int i = -5; i < 230; ++i) values.push_back(i * 0.5), values.push_back(i * 0.5 + 0.1);
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  values.push_back(std::numeric_limits<double>::infinity());
  each_target([&](const TreesTable& table) {
    std::vector<std::uint8_t> bins(values.size());
    table.bins_f64(values.data(), 1, static_cast<std::int64_t>(values.size()), thresholds.data(), 201, bins.data());
    for (std::size_t i = 0; i + 2 < values.size(); ++i) {
      const auto below = std::lower_bound(thresholds.begin(), thresholds.end(), values[i]) - thresholds.begin();
      ASSERT_EQ(bins[i], below) << values[i];
    }
    EXPECT_EQ(bins[bins.size() - 2], 201);
    EXPECT_EQ(bins.back(), 200);
  });
}

TEST(TreeKernels, LeavesRemainWhereNoNodeTakesThem) {
  const Philox random(3);
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint64_t n) { return random.below(drawn++, n); };
  const auto bits = [&] { return random.bits32(drawn++); };
  for (const std::int32_t slots : {0, 1, 2, 31, 50}) {
    std::vector<std::uint16_t> codes(64), nodes(static_cast<std::size_t>(slots * kSideBySide));
    std::vector<std::uint32_t> keep(nodes.size()), wanted(kSideBySide, ~std::uint32_t{0});
    for (std::uint16_t& code : codes) code = static_cast<std::uint16_t>(below(256));
    codes[63] = 255, codes[62] = 0, codes[17] = 128;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const std::uint64_t cut = below(256), column = below(64);
      nodes[i] = static_cast<std::uint16_t>(cut | column << 8);
      for (int some = 0; some < 4; ++some) keep[i] |= bits();
      if (codes[column] > cut) wanted[i % kSideBySide] &= keep[i];
    }
    for (int target = 0; target < kTargets; ++target) {
      const auto code = tree_predict_tables[target]->remaining_leaves;
      if (!runs(static_cast<Target>(target)) || code == nullptr) continue;
      SCOPED_TRACE(name(static_cast<Target>(target)));
      std::vector<std::uint32_t> leaves(kSideBySide);
      code(nodes.data(), keep.data(), slots, codes.data(), leaves.data());
      EXPECT_EQ(leaves, wanted);
    }
  }
}

}  // namespace
}  // namespace tern::kernels::cpu
