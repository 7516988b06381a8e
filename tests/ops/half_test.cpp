#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "cpu/vector/half.h"
#include "tern/tensor/half.h"

// The conversions of every target that this processor runs have the bits of tensor/half.h.
namespace tern {
namespace {

using namespace kernels::cpu;

template <class T>
void check(const HalfCode& code) {
  std::vector<std::uint16_t> all(0x10000);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::vector<float> wide(all.size());
  code.widen(all.data(), wide.data(), static_cast<std::int64_t>(all.size()));
  std::vector<float> hard{0.5f, 65504, 65519.996f, 65520, 3e38f, 1e-45f, 0x1p-24f, 0x1.8p-25f, INFINITY, NAN};
  for (const std::uint16_t bits : all) {
    const auto expected = static_cast<float>(T::from_bits(bits));
    const float got = wide[bits];
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(got)) << bits;
      ASSERT_EQ(T(got).bits, T(expected).bits);
    } else {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(got), std::bit_cast<std::uint32_t>(expected)) << bits;
      hard.push_back(expected);
      hard.push_back((expected + static_cast<float>(T::from_bits(static_cast<std::uint16_t>(bits + 1)))) / 2);
    }
  }
  std::mt19937 random(3);
  for (int i = 0; i < 100000; ++i) hard.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  const std::size_t count = hard.size();
  for (std::size_t i = 0; i < count; ++i) hard.push_back(-std::nextafter(hard[i], 1.0f));
  std::vector<std::uint16_t> narrow(hard.size());
  code.narrow(hard.data(), narrow.data(), static_cast<std::int64_t>(hard.size()));
  for (std::size_t i = 0; i < hard.size(); ++i) ASSERT_EQ(narrow[i], T(hard[i]).bits) << hard[i];
  // Lengths that fill no vector; what lies behind stays as it was.
  for (std::int64_t n = 0; n < 40; ++n) {
    std::vector<std::uint16_t> to(41, 7);
    code.narrow(hard.data() + 100, to.data(), n);
    std::vector<float> back(41, 7);
    code.widen(all.data() + 100, back.data(), n);
    for (std::int64_t i = 0; i < 41; ++i) {
      ASSERT_EQ(to[i], i < n ? narrow[100 + i] : 7);
      ASSERT_EQ(back[i], i < n ? wide[100 + i] : 7);
    }
  }
}

TEST(HalfCode, HasTheSameBitsOnEveryTarget) {
  for (int i = 0; i < kTargets; ++i) {
    const auto target = static_cast<Target>(i);
    if (!runs(target)) continue;
    SCOPED_TRACE(kernels::cpu::name(target));
    check<Half>(half_tables[i]->f16);
    check<BFloat16>(half_tables[i]->bf16);
  }
}

}  // namespace
}  // namespace tern
