#include "tern/ops/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/vector/reduce.h"
#include "tern/autograd/autograd.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

namespace tables = kernels::cpu;

// The contract of kernels/cpu/reduce.cpp, term by term.
template <class T>
T contract(const std::vector<T>& terms) {
  double total = 0;
  for (std::size_t begin = 0; begin < terms.size(); begin += 4096) {
    double lane[16] = {};
    for (std::size_t r = begin; r < std::min(terms.size(), begin + 4096); ++r) {
      lane[(r - begin) % 16] += static_cast<double>(terms[r]);
    }
    for (int width = 1; width < 16; width *= 2) {
      for (int l = 0; l < 16; l += 2 * width) lane[l] += lane[l + width];
    }
    total += lane[0];
  }
  return static_cast<T>(total);
}

template <class T>
std::vector<T> values(const Tensor& x) {
  return x.contiguous().to_vector<T>();
}

template <class T>
void expect_contract(DType dtype) {
  manual_seed(4);
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1},
                                                                                        {3, 5},
                                                                                        {16, 17},
                                                                                        {33, 4},
                                                                                        {64, 19},
                                                                                        {65, 6},
                                                                                        {40, 300},
                                                                                        {9000, 7},
                                                                                        {5, 9001},
                                                                                        {2, 40000},
                                                                                        {40000, 3}}) {
    const Tensor x = randn({rows, columns}, dtype);
    EXPECT_EQ(x.sum().item<T>(), contract(values<T>(x)));
    EXPECT_EQ(x.t().sum().item<T>(), contract(values<T>(x.t())));
    const std::vector<T> down = values<T>(x.sum(0)), along = values<T>(x.sum(1)), turned = values<T>(x.t().sum(1));
    for (std::int64_t c = 0; c < columns; c += std::max<std::int64_t>(columns / 7, 1)) {
      const T expected = contract(values<T>(x.select(1, static_cast<int>(c))));
      ASSERT_EQ(down[static_cast<std::size_t>(c)], expected) << rows << " x " << columns << " at " << c;
      ASSERT_EQ(turned[static_cast<std::size_t>(c)], expected);
    }
    for (std::int64_t r = 0; r < rows; r += std::max<std::int64_t>(rows / 7, 1)) {
      ASSERT_EQ(along[static_cast<std::size_t>(r)], contract(values<T>(x.select(0, static_cast<int>(r)))));
    }
  }
  const Tensor deep = randn({3, 70, 5, 30}, dtype);
  const std::vector<T> inner = values<T>(deep.sum({1, 3}));
  EXPECT_EQ(inner[7], contract(values<T>(deep.select(2, 2).select(0, 1))));
}

TEST(Reduce, SumsFollowTheirContractHoweverTheTermsLie) {
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    expect_contract<float>(f32);
    expect_contract<double>(f64);
  }
  set_num_threads(0);
}

template <class T>
void expect_target(const tables::Reductions<T>& code) {
  const Philox random(5, 1);
  std::vector<T> x;
  for (std::uint64_t i = 0; i < 4096; ++i) x.push_back(static_cast<T>(normal(random, i)));
  for (const std::int64_t n : {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 200, 4096}) {
    const std::vector<T> first(x.begin(), x.begin() + n);
    EXPECT_EQ(static_cast<T>(code.sum(x.data(), n)), contract(first));
    EXPECT_EQ(code.max(x.data(), n), *std::max_element(first.begin(), first.end()));
    EXPECT_EQ(code.min(x.data(), n), *std::min_element(first.begin(), first.end()));
    for (const std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
      std::vector<T> with_nan = first;
      with_nan[static_cast<std::size_t>(at)] = std::numeric_limits<T>::quiet_NaN();
      EXPECT_TRUE(std::isnan(code.max(with_nan.data(), n)));
      EXPECT_TRUE(std::isnan(code.min(with_nan.data(), n)));
    }
  }
  using Index = typename tables::Reductions<T>::Index;
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{40}}) {
    std::vector<T> with_nan(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n));
    const auto count = static_cast<std::int64_t>(n);
    EXPECT_EQ(code.find(with_nan.data(), count, T(1000)), count);
    EXPECT_EQ(code.find(with_nan.data(), count, std::numeric_limits<T>::quiet_NaN()), count);
    for (std::size_t at = 0; at < n; at += 7) {
      EXPECT_EQ(code.find(with_nan.data(), count, x[at]), static_cast<std::int64_t>(at));
    }
    for (std::size_t at = n; at-- > 0;) {  // the first of many
      with_nan[at] = std::numeric_limits<T>::quiet_NaN();
      EXPECT_EQ(code.find(with_nan.data(), count, with_nan[at]), static_cast<std::int64_t>(at));
    }
    // Row by row: equal ones and a NaN after a NaN change nothing.
    std::vector<T> high(n + 1, T(0)), low(n + 1, T(0)), row(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n + 1));
    std::vector<Index> high_at(n + 1, 7), low_at(n + 1, 7);
    std::vector<double> total(n + 1, 0.5);
    std::vector<T> sums(n + 1, T(99));
    for (const Index r : {1, 2, 3}) {
      code.argmax_columns(row.data(), count, r, high.data(), high_at.data());
      code.argmin_columns(row.data(), count, r, low.data(), low_at.data());
      for (std::size_t c = 0; c < n; c += 3) row[c] = std::numeric_limits<T>::quiet_NaN();
    }
    code.cumulate_columns(x.data(), count, total.data(), sums.data());
    for (std::size_t c = 0; c < n; ++c) {
      EXPECT_EQ(high_at[c], x[c] > T(0) ? (c % 3 == 0 ? 2 : 1) : c % 3 == 0 ? 2 : 7) << c;
      EXPECT_EQ(low_at[c], x[c] < T(0) ? (c % 3 == 0 ? 2 : 1) : c % 3 == 0 ? 2 : 7) << c;
      EXPECT_TRUE(c % 3 == 0 ? std::isnan(high[c]) : high[c] == std::max(x[c], T(0)));
      EXPECT_EQ(total[c], 0.5 + static_cast<double>(x[c]));
      EXPECT_EQ(sums[c], static_cast<T>(total[c]));
    }
    EXPECT_EQ(high_at[n], 7) << "written past the end";
    EXPECT_EQ(sums[n], T(99)) << "written past the end";
  }
  const std::vector<T> low(20, -std::numeric_limits<T>::infinity());
  EXPECT_EQ(code.max(low.data(), 20), low[0]);
}

TEST(Reduce, EveryTargetGivesTheContractsBits) {
  for (int target = 0; target < tables::kTargets; ++target) {
    if (!tables::runs(static_cast<tables::Target>(target))) continue;
    SCOPED_TRACE(tables::name(static_cast<tables::Target>(target)));
    expect_target(tables::reduce_tables[target]->of_f32);
    expect_target(tables::reduce_tables[target]->of_f64);
  }
}

TEST(Reduce, ExtremesOfEveryLayout) {
  manual_seed(6);
  for (const DType dtype : {f32, f64}) {
    const Tensor x = randn({33, 270}, dtype);
    const Tensor flat = x.t().contiguous();
    EXPECT_EQ(x.max(0).to(f64).to_vector<double>(), flat.max(1).to(f64).to_vector<double>());
    EXPECT_EQ(x.min(0).to(f64).to_vector<double>(), flat.min(1).to(f64).to_vector<double>());
    EXPECT_EQ(x.t().max(0).to(f64).to_vector<double>(), x.max(1).to(f64).to_vector<double>());
    EXPECT_EQ(x.max().item<double>(), x.max(0).max().item<double>());
    const Tensor large = randn({100000}, dtype);
    EXPECT_EQ(large.max().item<double>(), large.reshape({100, 1000}).max(1).max().item<double>());
    EXPECT_EQ(large.min().item<double>(), large.reshape({100, 1000}).min(0).min().item<double>());
  }
}

// The index of the first of equals, or of the first NaN, whatever the layout.
TEST(Reduce, IndicesOfExtremesOfEveryLayout) {
  manual_seed(8);
  for (const DType dtype : {f32, f64, f16, i64}) {
    // Few values, so that many are equal.
    Tensor x = (uniform({300, 70}, 0, 40, f64)).to(i64).to(dtype);
    if (is_floating(dtype)) {
      x.select(0, 17).fill_(NAN);
      x.select(1, 3).fill_(NAN);
      x.select(1, 4).fill_(1);
    }
    const Tensor wide = x.to(f64).contiguous();
    const auto all = wide.to_vector<double>();
    const auto expected = [&](bool largest, std::int64_t first, std::int64_t step, std::int64_t n) {
      std::int64_t best = 0;
      const auto at = [&](std::int64_t i) { return all[static_cast<std::size_t>(first + i * step)]; };
      for (std::int64_t i = 1; i < n; ++i) {
        const bool better = largest ? at(i) > at(best) : at(i) < at(best);
        if (better || (std::isnan(at(i)) && !std::isnan(at(best)))) best = i;
      }
      return best;
    };
    for (const bool largest : {true, false}) {
      const auto choose = largest ? &argmax : &argmin;
      std::vector<std::int64_t> of_columns, of_rows;
      for (std::int64_t c = 0; c < 70; ++c) of_columns.push_back(expected(largest, c, 70, 300));
      for (std::int64_t r = 0; r < 300; ++r) of_rows.push_back(expected(largest, r * 70, 1, 70));
      EXPECT_EQ(choose(x, 0, false).to_vector<std::int64_t>(), of_columns);
      EXPECT_EQ(choose(x, 1, false).to_vector<std::int64_t>(), of_rows);
      EXPECT_EQ(choose(x.t().contiguous(), 1, false).to_vector<std::int64_t>(), of_columns);
      EXPECT_EQ(choose(x.t().contiguous().t(), 1, false).to_vector<std::int64_t>(), of_rows);
    }
  }
  // Longer than a stretch, and than a block.
  Tensor x = zeros({150000});
  for (const std::int64_t at : {149999, 100000, 5000, 4096, 1}) {
    x.select(0, at).fill_(2);
    EXPECT_EQ(argmax(x, 0).item<std::int64_t>(), at);
    EXPECT_EQ(argmin(-x, 0).item<std::int64_t>(), at);
  }
  x.select(0, 140000).fill_(NAN);
  EXPECT_EQ(argmax(x, 0).item<std::int64_t>(), 140000);
  x.select(0, 40000).fill_(NAN);
  EXPECT_EQ(argmin(x, 0).item<std::int64_t>(), 40000);
}

// A sum that lies just above the middle of two halves, by less than f32 can tell.
TEST(Reduce, SumsOfHalvesAreRoundedOnce) {
  const Tensor in_f16 = tensor({2048, 1, 0x1p-14}, f16), in_bf16 = tensor({256, 1, 0x1p-20}, bf16);
  EXPECT_EQ(in_f16.sum().to(f64).item<double>(), 2050);
  EXPECT_EQ(in_bf16.sum().to(f64).item<double>(), 258);
  const Tensor rows = in_f16.unsqueeze(1).expand({3, 300});
  EXPECT_EQ(rows.sum({0}).to(f64).to_vector<double>(), std::vector<double>(300, 2050));
  EXPECT_EQ(rows.t().sum({1}, true).shape(), (Shape{300, 1}));
  Tensor x = in_f16.clone().requires_grad_();
  x.sum().backward();
  EXPECT_EQ(x.grad().dtype(), f16);
  EXPECT_EQ(x.grad().to(f64).to_vector<double>(), std::vector<double>(3, 1));
}

// f32 holds the mean of such numbers to about a thousandth, which squared would be as much as their variance.
TEST(Reduce, VarianceFarFromZero) {
  for (const double noise : {1e-2, 1e-1, 1.0}) {
    const Tensor x = (randn({20, 501}, f64) * noise + 1e4).to(f32), exact = x.to(f64);
    const Tensor rows = var(x, {1}), expected = var(exact, {1});
    EXPECT_LT(abs((rows.to(f64) - expected) / expected).max().item<double>(), 1e-6) << noise;
    const double all = tern::std(exact).item<double>();
    EXPECT_NEAR(tern::std(x).item<double>(), all, 1e-6 * all) << noise;
  }
  // And so the derivative: 2 (x - mean) / (n - 1).
  const Tensor near = (randn({501}, f64) * 1e-2 + 1e4).to(f32).requires_grad_(), wide = near.detach().to(f64);
  const Tensor slope = grad(var(near), {near})[0].to(f64), expected = (wide - wide.mean()) / 250;
  EXPECT_LT(abs(slope - expected).max().item<double>(), 1e-6 * abs(expected).max().item<double>());
  const Tensor same = full({7, 3}, 10000.1);
  EXPECT_GE(var(same, {0}).min().item<float>(), 0);
  EXPECT_LT(tern::std(same).item<float>(), 1e-6);
}

TEST(Reduce, RunningSumsSideBySide) {
  manual_seed(9);
  for (const std::int64_t rows : {1, 7, 8, 19}) {
    const Tensor x = randn({rows, 300}), along = cumsum(x, 1);
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto terms = x.select(0, r).to_vector<float>(), sums = along.select(0, r).to_vector<float>();
      double total = 0;
      for (std::size_t i = 0; i < terms.size(); ++i) ASSERT_EQ(sums[i], static_cast<float>(total += terms[i]));
    }
    EXPECT_EQ(cumsum(x.t().contiguous(), 0).t().contiguous().to_vector<float>(), along.to_vector<float>());
  }
}

}  // namespace
}  // namespace tern
