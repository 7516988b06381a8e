#include "tern/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace tern {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox(0, 0).block(0), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~std::uint64_t{0}, ~std::uint64_t{0}).block(~std::uint64_t{0}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822, 0x0370734413198a2e).block(0x85a308d3243f6a88),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformMomentsAndRange) {
  const Philox random(3, 1);
  double sum = 0, squares = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 0.003);
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.003);
}

TEST(Philox, EachBelowIsBelowIndexByIndex) {
  const Philox random(7, 11);
  for (const std::uint64_t count : {0, 1, 2, 7, 64}) {
    std::vector<std::uint64_t> drawn, one_by_one;
    random.each_below(count, 1000003, [&](std::uint64_t value) { drawn.push_back(value); });
    for (std::uint64_t i = 0; i < count; ++i) one_by_one.push_back(random.below(i, 1000003));
    EXPECT_EQ(drawn, one_by_one);
  }
  EXPECT_EQ(random.below(3, std::uint64_t{1} << 63), random.bits64(3) >> 1);
}

TEST(Philox, NormalMoments) {
  const Philox random(9);
  double sum = 0, squares = 0, fourth = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    const double z = normal(random, static_cast<std::uint64_t>(i));
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(squares / n, 1, 0.015);
  EXPECT_NEAR(fourth / n, 3, 0.1);
}

TEST(Philox, PermutationHoldsEachIndexOnceAndRepeats) {
  const auto order = permutation(1000, Philox(5, 2));
  EXPECT_EQ(order, permutation(1000, Philox(5, 2)));
  EXPECT_NE(order, permutation(1000, Philox(5, 3)));
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(sorted[static_cast<std::size_t>(i)], i);
}

TEST(Generator, ScopeRestoresAndReserves) {
  manual_seed(4);
  default_generator().reserve(10);
  {
    const GeneratorScope scope({.seed = 8});
    EXPECT_EQ(default_generator().reserve(3), 0u);
    EXPECT_EQ(default_generator().offset, 3u);
  }
  EXPECT_EQ(default_generator().seed, 4u);
  EXPECT_EQ(default_generator().offset, 10u);
  manual_seed(0);
}

}  // namespace
}  // namespace tern
