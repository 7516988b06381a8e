#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"

// Reductions of integers and booleans, beside the C++ library's: in chunks, on several threads, at every layout.
namespace tern {
namespace {

class Whole : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_num_threads(GetParam()); }
  void TearDown() override { set_num_threads(0); }
};
INSTANTIATE_TEST_SUITE_P(Threads, Whole, ::testing::Values(1, 5));

template <class T>
std::vector<T> drawn(std::int64_t n) {
  const Philox random(17);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(random.bits64(i));
  return values;
}

template <class T>
void expect_reductions(const Tensor& x, const std::vector<T>& values) {
  std::uint64_t total = 0;
  for (const T v : values) total += static_cast<std::uint64_t>(v);
  const auto largest = std::max_element(values.begin(), values.end());
  const auto smallest = std::min_element(values.begin(), values.end());
  EXPECT_EQ(x.sum().item<std::int64_t>(), static_cast<std::int64_t>(total));
  EXPECT_EQ(x.max().item<T>(), *largest);
  EXPECT_EQ(x.min().item<T>(), *smallest);
  EXPECT_EQ(x.argmax().item<std::int64_t>(), largest - values.begin());
  EXPECT_EQ(x.argmin().item<std::int64_t>(), smallest - values.begin());
}

// To one number: below, at and beyond a vector, a chunk and a thread's share, adjacent and every third element.
template <class T>
void expect_all_lengths() {
  for (const std::int64_t n : {1, 2, 31, 64, 65, 4096, 4097, 32768, 32769, 200'003}) {
    SCOPED_TRACE(n);
    const auto values = drawn<T>(n);
    expect_reductions(from_span(std::span<const T>(values), {n}), values);
    const auto wide = drawn<T>(3 * n);
    std::vector<T> third;
    for (std::size_t i = 1; i < wide.size(); i += 3) third.push_back(wide[i]);
    expect_reductions(from_span(std::span<const T>(wide), {3 * n}).slice(0, 1, 3 * n, 3), third);
  }
}
TEST_P(Whole, OfI64) { expect_all_lengths<std::int64_t>(); }
TEST_P(Whole, OfI32) { expect_all_lengths<std::int32_t>(); }
TEST_P(Whole, OfU8) { expect_all_lengths<std::uint8_t>(); }

// Rows, and columns of which several chunks are added.
template <class T>
void expect_rows_and_columns() {
  constexpr std::int64_t kRows = 9000, kColumns = 37;
  const auto values = drawn<T>(kRows * kColumns);
  const Tensor x = from_span(std::span<const T>(values), {kRows, kColumns});
  const auto line = [&](std::int64_t first, std::int64_t step, std::int64_t n) {
    std::vector<T> out;
    for (std::int64_t i = 0; i < n; ++i) out.push_back(values[static_cast<std::size_t>(first + i * step)]);
    return out;
  };
  for (const int dim : {0, 1}) {
    const Tensor sums = x.sum({dim}), most = x.max(dim), least = x.min(dim), at = argmax(x, dim), low = argmin(x, dim);
    for (std::int64_t o = 0; o < sums.numel(); o += dim == 0 ? 1 : 500) {
      SCOPED_TRACE(std::to_string(dim) + " " + std::to_string(o));
      const auto v = dim == 0 ? line(o, kColumns, kRows) : line(o * kColumns, 1, kColumns);
      std::uint64_t total = 0;
      for (const T each : v) total += static_cast<std::uint64_t>(each);
      EXPECT_EQ(sums[o].item<std::int64_t>(), static_cast<std::int64_t>(total));
      EXPECT_EQ(most[o].item<T>(), *std::max_element(v.begin(), v.end()));
      EXPECT_EQ(least[o].item<T>(), *std::min_element(v.begin(), v.end()));
      EXPECT_EQ(at[o].item<std::int64_t>(), std::max_element(v.begin(), v.end()) - v.begin());
      EXPECT_EQ(low[o].item<std::int64_t>(), std::min_element(v.begin(), v.end()) - v.begin());
    }
  }
}
TEST_P(Whole, RowsAndColumnsOfI64) { expect_rows_and_columns<std::int64_t>(); }
TEST_P(Whole, RowsAndColumnsOfI32) { expect_rows_and_columns<std::int32_t>(); }
TEST_P(Whole, RowsAndColumnsOfU8) { expect_rows_and_columns<std::uint8_t>(); }

TEST_P(Whole, OneFlagAmongManyDecides) {
  constexpr std::int64_t kMany = 300'001;
  for (const std::int64_t at : {std::int64_t{0}, std::int64_t{32'768}, std::int64_t{77'777}, kMany - 1}) {
    Tensor flags = zeros({kMany}, boolean);
    EXPECT_FALSE(flags.any().item<bool>());
    EXPECT_TRUE((flags == false).all().item<bool>());
    flags.mutable_span<bool>()[static_cast<std::size_t>(at)] = true;
    EXPECT_TRUE(flags.any().item<bool>());
    EXPECT_FALSE((flags == false).all().item<bool>());
    EXPECT_EQ(flags.sum().item<std::int64_t>(), 1);
    EXPECT_EQ(flags.argmax().item<std::int64_t>(), at);
    EXPECT_EQ(count_nonzero(flags).item<std::int64_t>(), 1);
  }
}

}  // namespace
}  // namespace tern
