#include "tern/tensor/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Rounds to a multiple of the last place of a format of `digits` bits: exact in doubles, and nothing of half.h.
template <class T>
double rounded(double x) {
  constexpr bool half = std::is_same_v<T, Half>;
  constexpr int digits = half ? 11 : 8, lowest = half ? -24 : -133;
  constexpr double largest = half ? 65504 : 0x1.FEp127;
  if (x == 0 || !std::isfinite(x)) return x;
  const int place = std::max(std::ilogb(x) - digits + 1, lowest);
  const double near = std::ldexp(std::nearbyint(std::ldexp(x, -place)), place);
  return std::abs(near) > largest ? std::copysign(kInfinity, x) : near;
}

template <class T>
void expect_rounds(double x) {
  const auto got = static_cast<double>(T(x));
  ASSERT_TRUE(got == rounded<T>(x) && std::signbit(got) == std::signbit(x)) << x << " gave " << got;
  if (static_cast<double>(static_cast<float>(x)) == x) {
    ASSERT_EQ(T(static_cast<float>(x)).bits, T(x).bits) << x;
  }
}

template <class T>
class HalfTypes : public ::testing::Test {};
using Both = ::testing::Types<Half, BFloat16>;
TYPED_TEST_SUITE(HalfTypes, Both);

TYPED_TEST(HalfTypes, EveryPatternMeansWhatTheFormatSays) {
  constexpr int fraction = std::is_same_v<TypeParam, Half> ? 10 : 7, bias = fraction == 10 ? 15 : 127;
  for (int bits = 0; bits < 0x10000; ++bits) {
    const auto pattern = TypeParam::from_bits(static_cast<std::uint16_t>(bits));
    const int exponent = (bits & 0x7FFF) >> fraction, rest = bits & ((1 << fraction) - 1);
    double expected =
        std::ldexp(exponent == 0 ? rest : rest + (1 << fraction), std::max(exponent, 1) - bias - fraction);
    if (exponent == 2 * bias + 1) expected = rest == 0 ? kInfinity : kNan;
    if (bits >> 15) expected = -expected;
    const auto value = static_cast<double>(pattern);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_FALSE(pattern == pattern);
      ASSERT_EQ(TypeParam(static_cast<float>(pattern)).bits, bits | 1 << (fraction - 1));  // the payload, made quiet
    } else {
      ASSERT_TRUE(value == expected && std::signbit(value) == bits >> 15) << bits << " gave " << value;
      ASSERT_EQ(TypeParam(value).bits, bits);
    }
  }
}

TYPED_TEST(HalfTypes, RoundsOnceToNearestAndTiesToEven) {
  std::mt19937_64 random(1);
  for (int bits = 0; bits < 0x7FFF; ++bits) {
    const auto at = static_cast<double>(TypeParam::from_bits(static_cast<std::uint16_t>(bits)));
    const auto next = static_cast<double>(TypeParam::from_bits(static_cast<std::uint16_t>(bits + 1)));
    if (!std::isfinite(next)) break;
    const double tie = at + (next - at) / 2, within = at + (next - at) * static_cast<double>(random() >> 11) * 0x1p-53;
    // Beside a tie by less than a float resolves: rounding to f32 first would lose on which side.
    for (double x : {tie, std::nextafter(tie, at), std::nextafter(tie, next), within, next}) {
      expect_rounds<TypeParam>(x);
      expect_rounds<TypeParam>(-x);
    }
  }
  for (double x :
       {0.0, 1e-300, 65519.9999999, 65520.0, 1e6, 0x1.FEp127, 0x1.FEFFFFFFFFp127, 0x1.FFp127, 1e300, kInfinity}) {
    expect_rounds<TypeParam>(x);
    expect_rounds<TypeParam>(-x);
  }
  EXPECT_TRUE(std::isnan(static_cast<float>(TypeParam(kNan))));
  EXPECT_TRUE(TypeParam(0.0) == TypeParam(-0.0));
}

TEST(Half, IntegersRoundOnce) {
  const std::int64_t tie = (std::int64_t{1} << 62) + (std::int64_t{1} << 54);
  EXPECT_EQ(static_cast<double>(BFloat16(tie)), 0x1p62);
  EXPECT_EQ(static_cast<double>(BFloat16(tie + 1)), 0x1p62 + 0x1p55);
  EXPECT_EQ(static_cast<double>(BFloat16(-tie - 1)), -0x1p62 - 0x1p55);
  EXPECT_EQ(static_cast<double>(BFloat16(INT64_MIN)), -0x1p63);
  EXPECT_EQ(static_cast<double>(BFloat16(UINT64_MAX)), 0x1p64);
  EXPECT_EQ(static_cast<double>(Half(2049)), 2048);
  EXPECT_EQ(static_cast<double>(Half(std::int64_t{1} << 40)), kInfinity);
  static_assert(static_cast<int>(Half(-3.75)) == -3 && static_cast<bool>(BFloat16(true)));
  static_assert(std::is_trivially_copyable_v<Half> && std::is_trivially_default_constructible_v<BFloat16>);
  static_assert(!std::is_convertible_v<float, Half> && !std::is_convertible_v<Half, float>);
}

TEST(DType, SizesNamesAndKinds) {
  struct Fact {
    DType dtype;
    const char* name;
    std::size_t size;
    bool floating;
  };
  for (const Fact& fact : {Fact{f64, "f64", 8, true}, Fact{f32, "f32", 4, true}, Fact{f16, "f16", 2, true},
                           Fact{bf16, "bf16", 2, true}, Fact{i64, "i64", 8, false}, Fact{i32, "i32", 4, false},
                           Fact{u8, "u8", 1, false}, Fact{boolean, "bool", 1, false}}) {
    EXPECT_EQ(name(fact.dtype), fact.name);
    EXPECT_EQ(size_of(fact.dtype), fact.size);
    EXPECT_EQ(is_floating(fact.dtype), fact.floating);
    EXPECT_LT(static_cast<int>(fact.dtype), kMaxDTypes);
  }
  static_assert(dtype_of<Half>() == f16 && dtype_of<BFloat16>() == bf16 && dtype_of<int>() == i32);
}

// The whole table of docs/tensors.md.
TEST(DType, Promotion) {
  constexpr DType order[] = {boolean, u8, i32, i64, f16, bf16, f32, f64};
  constexpr DType table[8][8] = {{boolean, u8, i32, i64, f16, bf16, f32, f64},   //
                                 {u8, u8, i32, i64, f16, bf16, f32, f64},        //
                                 {i32, i32, i32, i64, f16, bf16, f32, f64},      //
                                 {i64, i64, i64, i64, f16, bf16, f32, f64},      //
                                 {f16, f16, f16, f16, f16, f32, f32, f64},       //
                                 {bf16, bf16, bf16, bf16, f32, bf16, f32, f64},  //
                                 {f32, f32, f32, f32, f32, f32, f32, f64},       //
                                 {f64, f64, f64, f64, f64, f64, f64, f64}};
  for (int a = 0; a < 8; ++a) {
    for (int b = 0; b < 8; ++b) {
      EXPECT_EQ(name(promote(order[a], order[b])), name(table[a][b])) << name(order[a]) << " with " << name(order[b]);
    }
    EXPECT_EQ(Scalar(true).promoted(order[a]), order[a]);
    EXPECT_EQ(Scalar(2).promoted(order[a]), order[a] == boolean ? i64 : order[a]);
    EXPECT_EQ(Scalar(2.5).promoted(order[a]), is_floating(order[a]) ? order[a] : f32);
  }
}

TEST(DType, NumbersOutsideTheRangeOfIntegersSaturate) {
  EXPECT_EQ(Scalar(1e30).integer(), INT64_MAX);
  EXPECT_EQ(Scalar(-1e30).integer(), INT64_MIN);
  EXPECT_EQ(Scalar(kNan).integer(), 0);
  EXPECT_EQ(tensor({1e10, -1e10, kNan, 2.9}, f64).to(i32).to_vector<std::int32_t>(),
            (std::vector<std::int32_t>{INT32_MAX, INT32_MIN, 0, 2}));
  const Tensor half = from_vector<Half>({Half(kInfinity), Half(-kInfinity), Half(kNan), Half(300.0), Half(-2.5)});
  EXPECT_EQ(half.to(i64).to_vector<std::int64_t>(), (std::vector<std::int64_t>{INT64_MAX, INT64_MIN, 0, 300, -2}));
  EXPECT_EQ(half.to(u8).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{255, 0, 0, 255, 0}));
  EXPECT_EQ(half.to(boolean).to_vector<bool>(), (std::vector<bool>{true, true, true, true, true}));
}

TEST(DType, NumbersThatDoNotFitAreNotWrapped) {
  EXPECT_THROW(tensor({1, 256}, u8), ValueError);
  EXPECT_THROW(tensor({-1}, u8), ValueError);
  EXPECT_THROW(tensor({1e10}, i32), ValueError);
  EXPECT_THROW(tensor({{1, 256}}, u8), ValueError);
  EXPECT_EQ(tensor({0, 255}, u8).to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{0, 255}));
  EXPECT_EQ(tensor({2, 0}, boolean).to_vector<bool>(), (std::vector<bool>{true, false}));
}

TEST(DType, HalfAndI32TensorsAreMadeReadAndPrinted) {
  const Tensor x = tensor({0.1, -2, 70000}, f16), y = tensor({0.1, -2, 70000}, bf16), n = tensor({7, -8}, i32);
  EXPECT_EQ(to_string(x), "f16 [3] [0.09998, -2, inf]");
  EXPECT_EQ(to_string(y), "bf16 [3] [0.1001, -2, 7.014e+04]");
  EXPECT_EQ(to_string(n), "i32 [2] [7, -8]");
  EXPECT_EQ(x[1].item<int>(), -2);
  EXPECT_EQ(y[0].item<double>(), static_cast<double>(BFloat16(0.1)));
  EXPECT_EQ(x[0].item<Half>(), Half(0.1));
  EXPECT_EQ(n[1].item<std::int64_t>(), -8);
  EXPECT_EQ(n[1].item<float>(), -8);
  EXPECT_EQ(x.to_vector<Half>(), (std::vector<Half>{Half(0.1), Half(-2), Half(kInfinity)}));
  EXPECT_EQ(n.span<std::int32_t>()[0], 7);
  EXPECT_THROW(x.span<BFloat16>(), DTypeError);
  EXPECT_EQ(y.to(f16).to(bf16).to_vector<BFloat16>()[1], BFloat16(-2));
  EXPECT_EQ(full({2}, 0.1, bf16)[1].item<BFloat16>(), BFloat16(0.1));
  EXPECT_EQ(full({2}, -7, i32)[1].item<int>(), -7);
  EXPECT_EQ(arange(3, i32).to_vector<std::int32_t>(), (std::vector<std::int32_t>{0, 1, 2}));
  EXPECT_EQ(from_vector<int>({1, 2}).dtype(), i32);
  EXPECT_EQ(arange(6, f16).reshape({2, 3}).t().contiguous().to(f32).to_vector<float>(),
            (std::vector<float>{0, 3, 1, 4, 2, 5}));
  Tensor target = zeros({2, 2}, f16);
  target.copy_(tensor({1.5, 2.5}));
  EXPECT_EQ(target.to(f32).to_vector<float>(), (std::vector<float>{1.5f, 2.5f, 1.5f, 2.5f}));
  target.fill_(0.1);
  EXPECT_EQ(target[1][1].item<Half>(), Half(0.1));
}

// Half draws are those of f32, rounded; rounding does not reach the excluded end.
TEST(DType, RandomHalves) {
  const auto drawn = [](auto make, DType dtype) {
    default_generator() = {.seed = 5};
    return make(dtype).to(f32).template to_vector<float>();
  };
  const auto uniforms = [](DType t) { return uniform({20000}, -1, 3, t); };
  const auto normals = [](DType t) { return randn({2000}, t); };
  const auto wide = drawn(uniforms, f32), narrow = drawn(uniforms, bf16);
  int moved = 0;
  for (std::size_t i = 0; i < wide.size(); ++i) {
    const auto near = static_cast<float>(BFloat16(wide[i]));
    ASSERT_EQ(narrow[i], near < 3 ? near : 2.984375f);
    moved += near >= 3;
  }
  EXPECT_GT(moved, 0);
  const auto exact = drawn(normals, f64), rounded = drawn(normals, f16);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_NEAR(rounded[i], exact[i], std::abs(exact[i]) * 0x1.01p-11);
  }
}

}  // namespace
}  // namespace tern
