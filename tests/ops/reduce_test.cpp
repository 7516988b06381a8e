#include "tern/ops/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "cpu/vector/reduce.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

namespace cpu = kernels::cpu;

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
  for (const auto& [rows, columns] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {3, 5}, {16, 17}, {40, 300}, {9000, 7}, {5, 9001}, {2, 40000}, {40000, 3}}) {
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
void expect_target(const cpu::Reductions<T>& code) {
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
  const std::vector<T> low(20, -std::numeric_limits<T>::infinity());
  EXPECT_EQ(code.max(low.data(), 20), low[0]);
}

TEST(Reduce, EveryTargetGivesTheContractsBits) {
  for (int target = 0; target < cpu::kTargets; ++target) {
    if (!cpu::runs(static_cast<cpu::Target>(target))) continue;
    SCOPED_TRACE(cpu::name(static_cast<cpu::Target>(target)));
    expect_target(cpu::reduce_tables[target]->of_f32);
    expect_target(cpu::reduce_tables[target]->of_f64);
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

}  // namespace
}  // namespace tern
