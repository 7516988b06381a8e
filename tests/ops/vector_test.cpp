#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "cpu/vector/gemm.h"
#include "cpu/vector/random.h"
#include "tern/base/random.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

using kernels::cpu::gemm_tables;
using kernels::cpu::GemmMicro;
using kernels::cpu::GemmTile;
using kernels::cpu::kTargets;
using kernels::cpu::random_tables;
using kernels::cpu::runs;
using kernels::cpu::Target;

template <class T>
std::vector<T> draws(std::size_t count, std::uint64_t stream) {
  const Philox random(7, stream);
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<T>(normal(random, i)));
  return values;
}

// A link of a product's chain: rounded once where the target multiplies and adds in one instruction.
template <class T>
T link(Target target, T a, T b, T sum) {
  if (target != Target::baseline) return std::fma(a, b, sum);
  const T product = a * b;
  return product + sum;
}

template <class T>
void expect_chains(Target target, const GemmMicro<T>& micro) {
  for (const std::int64_t k : {0, 1, 2, 37}) {
    for (const bool accumulate : {false, true}) {
      for (const int rows : {1, micro.rows}) {
        const int columns = micro.columns;
        const std::vector<T> a = draws<T>(static_cast<std::size_t>(rows * k), 1);
        const std::vector<T> b = draws<T>(static_cast<std::size_t>(k * columns), 2);
        const std::vector<T> before = draws<T>(static_cast<std::size_t>(rows * columns), 3);
        std::vector<T> c = before;
        GemmTile<T> tile{.a = a.data(),
                         .a_row = k,
                         .a_column = 1,
                         .b = b.data(),
                         .b_row = columns,
                         .k = k,
                         .c = c.data(),
                         .c_row = columns,
                         .accumulate = accumulate};
        (rows == 1 ? micro.one_row : micro.full)(tile);
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < columns; ++j) {
            T sum = accumulate ? before[static_cast<std::size_t>(i * columns + j)] : T(0);
            for (std::int64_t p = 0; p < k; ++p) {
              sum = link(target, a[static_cast<std::size_t>(i * k + p)], b[static_cast<std::size_t>(p * columns + j)],
                         sum);
            }
            ASSERT_EQ(c[static_cast<std::size_t>(i * columns + j)], sum)
                << kernels::cpu::name(target) << " k " << k << " at " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST(Vector, TheForcedTargetIsTaken) {
  const char* forced = std::getenv("TERN_CPU_TARGET");
  if (forced) {
    EXPECT_STREQ(kernels::cpu::name(kernels::cpu::target()), forced);
  }
  EXPECT_TRUE(runs(kernels::cpu::target()));
  EXPECT_TRUE(runs(Target::baseline));
}

TEST(Vector, EveryTargetGivesItsChain) {
  for (int t = 0; t < kTargets; ++t) {
    const auto target = static_cast<Target>(t);
    if (!runs(target)) continue;
    expect_chains(target, gemm_tables[t]->f32);
    expect_chains(target, gemm_tables[t]->f64);
  }
}

TEST(Vector, EveryTargetGivesTheWordsOfPhilox) {
  const std::uint64_t seed = 0x123456789ABCDEFull, stream = 0xFEDCBA9876543210ull;
  const Philox random(seed, stream);
  for (int t = 0; t < kTargets; ++t) {
    if (!runs(static_cast<Target>(t))) continue;
    for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 5}) {
      for (const std::int64_t count : {0, 1, 15, 16, 17, 40}) {
        std::vector<std::uint32_t> words(static_cast<std::size_t>(4 * count) + 1, 99);
        random_tables[t]->philox(seed, stream, first, count, words.data());
        for (std::int64_t i = 0; i < 4 * count; ++i) {
          ASSERT_EQ(words[static_cast<std::size_t>(i)], random.bits32(4 * first + static_cast<std::uint64_t>(i)))
              << kernels::cpu::name(static_cast<Target>(t)) << " word " << i << " of " << count << " blocks";
        }
        EXPECT_EQ(words.back(), 99u) << "written past the end";
      }
    }
  }
}

// Tiles of every width meet at the edges of these.
TEST(Vector, ProductsOfAnySizeAreOneChainAnElement) {
  for (const std::int64_t m : {1, 5, 8, 13, 70}) {
    for (const std::int64_t n : {1, 7, 16, 31, 32, 33, 67, 130}) {
      for (const std::int64_t k : {1, 35}) {
        const std::vector<float> a = draws<float>(static_cast<std::size_t>(m * k), 4);
        const std::vector<float> b = draws<float>(static_cast<std::size_t>(k * n), 5);
        const Tensor left = from_vector(a, {m, k}), right = from_vector(b, {k, n});
        const Tensor turned = right.t().contiguous().t();  // the same matrix, columns far apart
        const std::vector<float> found = matmul(left, right).to_vector<float>();
        EXPECT_EQ(matmul(left, turned).to_vector<float>(), found) << m << " " << n << " " << k;
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < n; ++j) {
            float sum = 0;
            for (std::int64_t p = 0; p < k; ++p) {
              sum = link(kernels::cpu::target(), a[static_cast<std::size_t>(i * k + p)],
                         b[static_cast<std::size_t>(p * n + j)], sum);
            }
            ASSERT_EQ(found[static_cast<std::size_t>(i * n + j)], sum)
                << m << " " << n << " " << k << " at " << i << ", " << j;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern
