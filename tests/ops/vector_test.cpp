#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "cpu/vector/gemm.h"
#include "cpu/vector/random.h"
#include "functors/random.h"
#include "slots/gemm.h"
#include "tern/autograd/autograd.h"
#include "tern/base/random.h"
#include "tern/ops/compare.h"
#include "tern/ops/matmul.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

using kernels::cpu::gemm_tables;
using kernels::cpu::GemmBlock;
using kernels::cpu::GemmCode;
using kernels::cpu::kTargets;
using kernels::cpu::random_tables;
using kernels::cpu::runs;
using kernels::cpu::Target;

template <class T>
std::vector<T> numbers_of(std::size_t count, std::uint64_t stream) {
  static std::map<std::uint64_t, std::vector<T>> drawn;
  std::vector<T>& values = drawn[stream];
  const Philox random(7, stream);
  for (std::size_t i = values.size(); i < count; ++i) values.push_back(static_cast<T>(normal(random, i)));
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)};
}

#if defined(__x86_64__)
#define TERN_HAS_FMA __attribute__((target("avx2,fma")))
#else
#define TERN_HAS_FMA
#endif

// The next link of a row's chains, sums[j] + a * b[j]: rounded once where the target multiplies and adds in one
// instruction, which this needs then as well.
template <class T>
TERN_HAS_FMA void fused_links(T a, const T* b, std::int64_t step, std::int64_t count, T* sums) {
  for (std::int64_t j = 0; j < count; ++j) sums[j] = std::fma(a, b[j * step], sums[j]);
}

template <class T>
void links(Target target, T a, const T* b, std::int64_t step, std::int64_t count, T* sums) {
  if (target != Target::baseline) return fused_links(a, b, step, count, sums);
  for (std::int64_t j = 0; j < count; ++j) {
    const T product = a * b[j * step];
    sums[j] += product;
  }
}

/// How a matrix lies: rows or columns contiguous, neither, or every row the same.
enum class Lies { rows, columns, apart, repeated };
constexpr Lies kLies[] = {Lies::rows, Lies::columns, Lies::apart, Lies::repeated};

template <class T>
struct Matrix {
  std::vector<T> elements;
  std::int64_t row, column;

  Matrix(std::int64_t rows, std::int64_t columns, Lies lies, std::uint64_t stream)
      : row(lies == Lies::rows      ? columns + 3
            : lies == Lies::columns ? 1
            : lies == Lies::apart   ? 2 * columns + 1
                                    : 0),
        column(lies == Lies::columns ? rows + 2
               : lies == Lies::apart ? 2
                                     : 1) {
    // No element more than the matrix has: the address sanitizer then sees each one read past the end. But memory of
    // its own in any case, as a tensor without elements has.
    elements = numbers_of<T>(
        rows == 0 || columns == 0 ? 1 : static_cast<std::size_t>((rows - 1) * row + (columns - 1) * column + 1),
        stream);
  }
  T operator()(std::int64_t i, std::int64_t j) const {
    return elements[static_cast<std::size_t>(i * row + j * column)];
  }
};

struct Finish {
  bool accumulate = false, bias = false, relu = false;
};

// Every element against its chain, bit by bit; what lies between the rows of C stays as it was.
template <class T>
void expect_chains(Target target, const GemmCode<T>& code, std::int64_t m, std::int64_t n, std::int64_t k, Lies a_lies,
                   Lies b_lies, Finish finish, bool packed) {
  const Matrix<T> a(m, k, a_lies, 1), b(k, n, b_lies, 2);
  const std::int64_t c_row = n + 2;
  const std::vector<T> before = numbers_of<T>(static_cast<std::size_t>(m * c_row), 3);
  const std::vector<T> bias = numbers_of<T>(static_cast<std::size_t>(n), 4);
  std::vector<T> c = before;
  GemmBlock<T> block{.m = m,
                     .n = n,
                     .k = k,
                     .a = a.elements.data(),
                     .a_row = a.row,
                     .a_column = a.column,
                     .b = b.elements.data(),
                     .b_row = b.row,
                     .b_column = b.column,
                     .c = c.data(),
                     .c_row = c_row,
                     .bias = finish.bias ? bias.data() : nullptr,
                     .accumulate = finish.accumulate,
                     .relu = finish.relu,
                     .packed = false};
  struct alignas(64) Line {
    T elements[64 / sizeof(T)];
  };
  std::vector<Line> room;
  if (packed) {
    const std::int64_t columns = (n + code.columns - 1) / code.columns * code.columns;
    room.resize(static_cast<std::size_t>(k * columns) * sizeof(T) / sizeof(Line) + 1);
    code.pack(block, room[0].elements);
    block.b = room[0].elements;
    block.packed = true;
  }
  std::vector<T> packed_a;
  if (packed && m > 1 && n % 2 != 0) {
    packed_a.resize(static_cast<std::size_t>(m * k));
    for (const int part : {1, 0, 2}) code.pack_a(block, part, 3, packed_a.data());
    block.a_packed = packed_a.data();
    block.a = nullptr;
  }
  code.block(block);
  std::vector<T> sums(static_cast<std::size_t>(c_row));
  for (std::int64_t i = 0; i < m; ++i) {
    std::copy_n(before.begin() + i * c_row, c_row, sums.begin());
    if (!finish.accumulate) std::fill_n(sums.begin(), n, T(0));
    for (std::int64_t p = 0; p < k; ++p) {
      links(target, a(i, p), b.elements.data() + p * b.row, b.column, n, sums.data());
    }
    for (std::int64_t j = 0; j < c_row; ++j) {
      const auto at = static_cast<std::size_t>(i * c_row + j);
      T expected = sums[static_cast<std::size_t>(j)];
      if (j < n) {
        if (finish.bias) expected += bias[static_cast<std::size_t>(j)];
        if (finish.relu && expected <= 0) expected = 0;
      }
      ASSERT_EQ(c[at], expected) << kernels::cpu::name(target) << " " << m << "x" << n << "x" << k << " A "
                                 << static_cast<int>(a_lies) << " B " << static_cast<int>(b_lies)
                                 << (packed ? " packed" : "") << " at " << i << ", " << j;
    }
  }
}

template <class T>
void expect_chains(Target target, const GemmCode<T>& code) {
  const std::int64_t c = code.columns;
  for (const std::int64_t m : {1, 2, 3, 5, 8, 9, 17}) {
    for (const std::int64_t n : {std::int64_t{1}, c / 3 - 1, c / 3, c - 1, c, c + 1, 3 * c + 5}) {
      for (const std::int64_t k : {1, 2, 19, 37}) {
        for (const Lies a : kLies) {
          for (const Lies b : kLies) {
            expect_chains(target, code, m, n, k, a, b, {}, false);
            if (::testing::Test::HasFatalFailure()) return;
          }
        }
        expect_chains(target, code, m, n, k, Lies::rows, Lies::columns, {}, true);
        expect_chains(target, code, m, n, k, Lies::rows, Lies::rows, {.accumulate = true}, false);
        expect_chains(target, code, m, n, k, Lies::rows, Lies::columns, {.bias = true, .relu = true}, false);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
  // One and two rows take wider tiles: each width of them, full and with a rest.
  for (const std::int64_t m : {1, 2}) {
    const std::int64_t step = std::max<std::int64_t>(c / 6, 1);  // of a vector, a half at most
    for (std::int64_t n = step; n <= 4 * c; n += step) {
      for (const Lies a : kLies) expect_chains(target, code, m, n, 5, a, Lies::rows, {}, false);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
  // Cuts of k, of the columns, and of the rows of a packed A.
  for (const Lies a : kLies) {
    for (const Lies b : kLies) {
      expect_chains(target, code, 33, c + 7, 1100, a, b, {.bias = true, .relu = true}, false);
      expect_chains(target, code, 300, 13, 70, a, b, {.accumulate = true}, false);
    }
    expect_chains(target, code, 33, 3 * c + 7, 1100, a, Lies::rows, {.bias = true}, true);
    expect_chains(target, code, 530, 11, 2100, a, Lies::columns, {}, false);
    expect_chains(target, code, 3, 420, 13, a, Lies::columns, {}, false);
    expect_chains(target, code, 1, 420, 600, a, Lies::rows, {}, false);
    expect_chains(target, code, 330, 300, 70, a, Lies::rows, {.accumulate = true}, false);  // a large C ...
    expect_chains(target, code, 1450, 11, 1450, a, Lies::rows, {}, false);                  // ... and A: fetched ahead
    if (::testing::Test::HasFatalFailure()) return;
  }
  for (const bool accumulate : {false, true}) {
    expect_chains(target, code, 3, 5, 0, Lies::rows, Lies::rows, {.accumulate = accumulate, .bias = true}, false);
    expect_chains(target, code, 0, 5, 3, Lies::rows, Lies::rows, {.accumulate = accumulate}, false);
    expect_chains(target, code, 3, 0, 3, Lies::rows, Lies::columns, {.accumulate = accumulate}, false);
  }
}

// Matrices larger than are read as they lie: several blocks of columns and of k, packed in each call or before, fetched
// ahead.
TEST(Vector, LargeProductsAreTheirChains) {
  const Target target = kernels::cpu::target();
  const GemmCode<float>& code = gemm_tables[static_cast<int>(target)]->f32;
  for (const Lies a : {Lies::rows, Lies::columns}) {
    expect_chains(target, code, 65, 500, 1100, a, Lies::rows, {.relu = true}, false);
    expect_chains(target, code, 65, 500, 800, a, Lies::columns, {.accumulate = true}, false);
    expect_chains(target, code, 65, 501, 800, a, Lies::columns, {.bias = true}, true);
  }
  // Rows of A that lie 4,096 bytes apart are packed.
  expect_chains(target, code, 65, 517, 1021, Lies::rows, Lies::rows, {.bias = true}, false);
  expect_chains(target, code, 65, 516, 1021, Lies::rows, Lies::columns, {.accumulate = true}, true);
}

TEST(Vector, TheForcedTargetIsTaken) {
  const char* forced = std::getenv("TERN_CPU_TARGET");
  if (forced) {
    EXPECT_STREQ(kernels::cpu::name(kernels::cpu::target()), forced);
  }
  EXPECT_TRUE(runs(kernels::cpu::target()));
  EXPECT_TRUE(runs(Target::baseline));
}

TEST(Vector, EveryTargetMultipliesByItsChain) {
  for (int t = 0; t < kTargets; ++t) {
    const auto target = static_cast<Target>(t);
    if (!runs(target) || (t > 0 && gemm_tables[t] == gemm_tables[t - 1])) continue;
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

template <class T>
void expect_draws(Target target) {
  const kernels::cpu::RandomTable& table = *random_tables[static_cast<int>(target)];
  constexpr bool kDouble = sizeof(T) == 8;
  const Philox random(5, 9);
  std::vector<std::uint32_t> words;
  for (std::uint64_t i = 0; i < 4 * 50; ++i) words.push_back(random.bits32(i));
  words[3] = words[5] = words[8] = words[9] = 0xFFFFFFFF;  // the largest uniforms
  const auto single = [&](std::size_t i) { return static_cast<float>(words[i] >> 8) * 0x1p-24f; };
  const auto pair = [&](std::size_t i) {
    return static_cast<double>((words[2 * i] | std::uint64_t{words[2 * i + 1]} << 32) >> 11) * 0x1p-53;
  };
  const std::vector<T> x = numbers_of<T>(50, 3);
  for (const std::int64_t count : {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 50}) {
    const auto n = static_cast<std::size_t>(count);
    const auto expect = [&](const char* what, auto run, auto scalar) {
      std::vector<T> out(n + 1, T(99));
      run(out.data());
      for (std::size_t i = 0; i < n; ++i) {
        const T expected = scalar(i);
        ASSERT_EQ(out[i], expected) << kernels::cpu::name(target) << " " << what << " " << i << " of " << n;
        ASSERT_EQ(std::signbit(out[i]), std::signbit(expected)) << what;
      }
      ASSERT_EQ(out.back(), T(99)) << what << " written past the end";
    };
    const T low = T(-3), width = T(4.5), end = T(1.5), last = std::nextafter(end, low);
    expect(
        "uniform",
        [&](T* out) {
          if constexpr (kDouble) {
            table.uniform_f64(words.data(), count, low, width, end, last, out);
          } else {
            table.uniform_f32(words.data(), count, low, width, end, last, out);
          }
        },
        [&](std::size_t i) {
          const T value = low + width * static_cast<T>(kDouble ? pair(i) : static_cast<double>(single(i)));
          return value < end ? value : last;
        });
    expect(
        "normal",
        [&](T* out) {
          if constexpr (kDouble) {
            table.normal_f64(words.data(), count, out);
          } else {
            table.normal_f32(words.data(), count, out);
          }
        },
        [&](std::size_t i) { return static_cast<T>(kernels::Normal::forward(pair(2 * i), pair(2 * i + 1))); });
    for (const double p : {0.0, 0.3, 1.0}) {
      const auto least = static_cast<std::int32_t>(std::ceil(p * 0x1p24));
      expect(
          "dropout",
          [&](T* out) {
            if constexpr (kDouble) {
              table.dropout_f64(words.data(), count, x.data(), T(1.25), least, out);
            } else {
              table.dropout_f32(words.data(), count, x.data(), T(1.25), least, out);
            }
          },
          [&](std::size_t i) { return static_cast<double>(single(i)) >= p ? x[i] * T(1.25) : T(0); });
    }
  }
}

TEST(Vector, EveryTargetDrawsTheSameNumbers) {
  for (int t = 0; t < kTargets; ++t) {
    if (!runs(static_cast<Target>(t))) continue;
    expect_draws<float>(static_cast<Target>(t));
    expect_draws<double>(static_cast<Target>(t));
  }
}

// That of the C library, in extended precision.
TEST(Vector, NormalsAreThoseOfTheLogarithmAndTheCosine) {
  const Philox random(7, 1);
  double worst = 0;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const double u = random.uniform(2 * i), v = random.uniform(2 * i + 1);
    const long double exact = cosl(2 * 3.14159265358979323846264338328L * static_cast<long double>(v));
    const double found = kernels::Normal::cos_of_turns(v);
    worst = std::max(worst, static_cast<double>(std::fabs(static_cast<long double>(found) - exact)));
    ASSERT_NEAR(kernels::Normal::forward(u, v), normal(random, i), 4e-15);
  }
  EXPECT_LT(worst, 2.5e-16);
  const double turns[] = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1 - 0x1p-53};
  const double root = std::sqrt(0.5), exact[] = {1, root, 0, -root, -1, -root, 0, root, 1};
  for (std::size_t i = 0; i < std::size(turns); ++i) {
    EXPECT_NEAR(kernels::Normal::cos_of_turns(turns[i]), exact[i], 2.5e-16) << turns[i];
  }
}

// Products in bf16: of operands rounded to it, with an error of the order of sums in f32; a row alone has its bits.
void expect_bf16(std::int64_t m, std::int64_t n, std::int64_t k, Lies a_lies, Lies b_lies, Finish finish) {
  const Matrix<float> a(m, k, a_lies, 1), b(k, n, b_lies, 2);
  const std::int64_t c_row = n + 1;
  const std::vector<float> before = numbers_of<float>(static_cast<std::size_t>(m * c_row), 3);
  const std::vector<float> bias = numbers_of<float>(static_cast<std::size_t>(n), 4);
  std::vector<float> c = before, last = before;
  kernels::GemmArgs args{};
  args.m = m;
  args.n = n;
  args.k = k;
  args.a = a.elements.data();
  args.a_row = a.row;
  args.a_column = a.column;
  args.b = b.elements.data();
  args.b_row = b.row;
  args.b_column = b.column;
  args.c = c.data();
  args.c_row = c_row;
  args.accumulate = finish.accumulate;
  args.bias = finish.bias ? bias.data() : nullptr;
  args.activation = finish.relu ? Activation::relu : Activation::none;
  kernels::gemm_bf16(cpu(), f32, args);
  const std::string what = std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + " A " +
                           std::to_string(static_cast<int>(a_lies)) + " B " + std::to_string(static_cast<int>(b_lies));
  const auto rounded = [](float x) { return static_cast<double>(static_cast<float>(BFloat16(x))); };
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < c_row; ++j) {
      const auto at = static_cast<std::size_t>(i * c_row + j);
      if (j == n) {
        ASSERT_EQ(c[at], before[at]) << what << ": written past the end of row " << i;
        continue;
      }
      double sum = finish.accumulate ? static_cast<double>(before[at]) : 0, size = 1;
      for (std::int64_t p = 0; p < k; ++p) {
        const double product = rounded(a(i, p)) * rounded(b(p, j));
        sum += product;
        size += std::abs(product);
      }
      if (finish.bias) sum += static_cast<double>(bias[static_cast<std::size_t>(j)]);
      if (finish.relu && sum < 0) sum = 0;
      ASSERT_NEAR(static_cast<double>(c[at]), sum, 1e-6 * size) << what << " at " << i << ", " << j;
    }
  }
  args.m = 1;
  args.a = a.elements.data() + (m - 1) * a.row;
  args.c = last.data() + (m - 1) * c_row;
  kernels::gemm_bf16(cpu(), f32, args);
  for (std::int64_t j = 0; j < n; ++j) {
    const auto at = static_cast<std::size_t>((m - 1) * c_row + j);
    ASSERT_EQ(last[at], c[at]) << what << ", the last row alone, column " << j;
  }
}

TEST(Vector, ProductsInBf16) {
  if (!kernels::gemm_bf16.has(cpu(), f32)) GTEST_SKIP() << "the processor does not multiply bf16";
  for (const std::int64_t m : {1, 3, 9, 70}) {
    for (const std::int64_t n : {1, 16, 47, 130}) {
      for (const std::int64_t k : {1, 2, 33, 64, 1100}) {
        const auto lies = static_cast<std::size_t>(m + n + k);
        for (const Lies a : {kLies[lies % 4], kLies[(lies + 1) % 4]}) {
          for (const Lies b : {kLies[lies / 2 % 4], kLies[(lies / 2 + 1) % 4]}) {
            const Finish finish{.accumulate = m == 3, .bias = m == 9, .relu = n == 47 && m != 3};
            expect_bf16(m, n, k, a, b, finish);
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  }
  expect_bf16(70, 420, 1100, Lies::rows, Lies::columns, {});  // several blocks of columns
  expect_bf16(530, 20, 4100, Lies::rows, Lies::columns, {});
  expect_bf16(530, 20, 4100, Lies::columns, Lies::rows, {.accumulate = true});
}

TEST(Vector, PrecisionOfF32ProductsIsAChoice) {
  manual_seed(3);
  const Tensor x = randn({9, 70}), bias = randn({33});
  Tensor w = randn({70, 33}).requires_grad_();
  EXPECT_EQ(float32_matmul_precision(), MatmulPrecision::highest);
  const auto products = [&] {
    w.clear_grad();
    (matmul(x, w) + linear(x, w.t(), bias)).sum().backward();
    return std::vector<std::vector<float>>{matmul(x, w).to_vector<float>(), linear(x, w.t()).to_vector<float>(),
                                           w.grad().to_vector<float>()};
  };
  const auto highest = products();
  set_float32_matmul_precision(MatmulPrecision::medium);
  const auto medium = products();
  const std::vector<double> in_f64 = matmul(x.to(f64), w.to(f64)).to_vector<double>();
  set_float32_matmul_precision(MatmulPrecision::highest);
  EXPECT_EQ(products(), highest);
  if (kernels::gemm_bf16.has(cpu(), f32)) {
    EXPECT_NE(medium, highest);
    const Tensor rounded = matmul(x.to(bf16).to(f32), w.detach().to(bf16).to(f32));
    EXPECT_TRUE(allclose(from_vector(medium[0], {9, 33}), rounded, {.rtol = 1e-5, .atol = 1e-4}));
    for (std::size_t i = 0; i < in_f64.size(); ++i) EXPECT_NEAR(medium[0][i], in_f64[i], 0.3);
  } else {
    EXPECT_EQ(medium, highest);
  }
}

// Of tensors in 16 bits: computed in f32 and rounded once, batches and gradients too.
TEST(Vector, ProductsOfHalves) {
  for (const DType dtype : {f16, bf16}) {
    const double unit = dtype == f16 ? 0x1p-11 : 0x1p-8;
    const Tensor a = from_vector(numbers_of<float>(2 * 5 * 7, 1), {2, 5, 7}).to(dtype).requires_grad_();
    const Tensor b = from_vector(numbers_of<float>(2 * 7 * 19, 2), {2, 7, 19}).to(dtype).requires_grad_();
    const Tensor bias = from_vector(numbers_of<float>(5, 3), {5}).to(dtype),
                 w = from_vector(numbers_of<float>(35, 4), {5, 7}).to(dtype);
    const Tensor c = matmul(a, b), y = linear(a, w, bias, Activation::tanh);
    EXPECT_EQ(c.dtype(), dtype);
    const auto expect_rounded = [&](const Tensor& got, const Tensor& exact) {
      const auto found = got.to(f64).to_vector<double>(), expected = exact.to_vector<double>();
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_NEAR(found[i], expected[i], unit * std::abs(expected[i]) + 1e-5) << name(dtype) << " at " << i;
      }
    };
    const Tensor wide_a = a.detach().to(f64).requires_grad_(), wide_b = b.detach().to(f64).requires_grad_();
    const Tensor wide_c = matmul(wide_a, wide_b);
    expect_rounded(c.detach(), wide_c.detach());
    expect_rounded(y.detach(), linear(wide_a, w.to(f64), bias.to(f64), Activation::tanh).detach());
    c.backward({.gradient = ones({2, 5, 19}, dtype)});
    wide_c.backward({.gradient = ones({2, 5, 19}, f64)});
    expect_rounded(a.grad(), wide_a.grad());
    expect_rounded(b.grad(), wide_b.grad());
  }
}

// Tiles of every width meet at the edges of these.
TEST(Vector, ProductsOfAnySizeAreOneChainAnElement) {
  for (const std::int64_t m : {1, 5, 8, 13, 70}) {
    for (const std::int64_t n : {1, 7, 16, 31, 32, 33, 67, 130}) {
      for (const std::int64_t k : {1, 35}) {
        const std::vector<float> a = numbers_of<float>(static_cast<std::size_t>(m * k), 4);
        const std::vector<float> b = numbers_of<float>(static_cast<std::size_t>(k * n), 5);
        const Tensor left = from_vector(a, {m, k}), right = from_vector(b, {k, n});
        const Tensor turned = right.t().contiguous().t();  // the same matrix, columns far apart
        const std::vector<float> found = matmul(left, right).to_vector<float>();
        EXPECT_EQ(matmul(left, turned).to_vector<float>(), found) << m << " " << n << " " << k;
        for (std::int64_t i = 0; i < m; ++i) {
          std::vector<float> sums(static_cast<std::size_t>(n), 0);
          for (std::int64_t p = 0; p < k; ++p) {
            links(kernels::cpu::target(), a[static_cast<std::size_t>(i * k + p)], b.data() + p * n, 1, n, sums.data());
          }
          for (std::int64_t j = 0; j < n; ++j) {
            ASSERT_EQ(found[static_cast<std::size_t>(i * n + j)], sums[static_cast<std::size_t>(j)])
                << m << " " << n << " " << k << " at " << i << ", " << j;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace tern
