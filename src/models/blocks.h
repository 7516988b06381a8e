#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/number_text.h"
#include "cpu/products.h"
#include "tern/base/error.h"
#include "tern/data/matrix.h"

// Sums and products over rows in blocks, so that no copy of all rows is made. Blocks depend on sizes alone and combine
// in order: the same bits at any thread count.
namespace tern::models::internal {

/// This process's products of T.
template <class T>
const kernels::cpu::GemmCode<T>& products() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return kernels::cpu::products_table().f32;
  } else {
    return kernels::cpu::products_table().f64;
  }
}

/// The values of a matrix as T, which is what it holds.
template <class T>
const T* values(const data::Matrix& x) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return x.f32();
  } else {
    return x.f64();
  }
}

/// Σ a b, by four sums that are added up at the end.
template <class A, class B>
double dot(const A* a, const B* b, std::int64_t n) {
  double sums[4] = {0, 0, 0, 0};
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int lane = 0; lane < 4; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  }
  for (; i < n; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

inline double dot(std::span<const double> a, std::span<const double> b) {
  return dot(a.data(), b.data(), static_cast<std::int64_t>(a.size()));
}

/// Memory that is written before it is read.
template <class T>
std::unique_ptr<T[]> room_for(std::int64_t count) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(count));
}

/// The first element of a line of the cache: at most 64 bytes further.
template <class T>
T* aligned(T* at) {
  return reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(at) + 63) / 64 * 64);
}

/// Rows of d columns that together are about so many elements, from 8 to 256.
inline std::int64_t block_rows(std::int64_t d, std::int64_t elements = 1 << 16) {
  return std::clamp<std::int64_t>(elements / d, 8, 256);
}

/// A row of x less `shift`, times the root of its weight. T is at least as wide as what x holds.
template <class T>
void centred_row(const data::Matrix& x, std::span<const double> weights, const T* shift, std::int64_t row, T* to) {
  const std::int64_t d = x.columns();
  const auto take = [&](const auto* from) {
    for (std::int64_t j = 0; j < d; ++j) to[j] = static_cast<T>(from[j]) - shift[j];
  };
  if (x.f32()) {
    take(x.f32() + row * d);
  } else {
    take(x.f64() + row * d);
  }
  if (weights.empty()) return;
  const T root = static_cast<T>(std::sqrt(weights[static_cast<std::size_t>(row)]));
  for (std::int64_t j = 0; j < d; ++j) to[j] *= root;
}

/// About the means of the columns over some rows: those exactly of one that is constant.
template <class T>
std::vector<T> mean_of(const data::Matrix& x, std::span<const std::int64_t> rows) {
  const std::int64_t d = x.columns();
  std::vector<double> sums(static_cast<std::size_t>(d));
  for (const std::int64_t row : rows) {
    for (std::int64_t j = 0; j < d; ++j) sums[static_cast<std::size_t>(j)] += x.at(row, j) - x.at(rows[0], j);
  }
  std::vector<T> means;
  for (std::int64_t j = 0; j < d; ++j) {
    const double further = sums[static_cast<std::size_t>(j)] / static_cast<double>(rows.size());
    means.push_back(static_cast<T>(x.at(rows[0], j) + further));
  }
  return means;
}

/// Throws ValueError "[type] expected …, got …" unless it holds.
inline void require(std::string_view type, bool holds, const char* expected, double got) {
  if (!holds)
    throw ValueError("[" + std::string(type) + "] expected " + expected + ", got " + tern::internal::number_text(got));
}

/// Warns that a fit ended at its limit of iterations: what is `left`, above `limit` where that is not negative.
TERN_COLD void warn_unconverged(std::string_view type, int max_iterations, const char* left, double value,
                                double limit);

inline void check_probabilities(const char* type, std::span<const double> probabilities) {
  for (const double p : probabilities) require(type, p >= 0 && p <= 1, "probabilities in [0, 1]", p);
}

/// Calls f(begin, end, sums) for blocks of rows, `sums` being `width` zeros of the block's own, and adds up what they
/// became, in the order of the blocks.
std::vector<double> sum_blocks(std::int64_t rows, std::int64_t width,
                               const std::function<void(std::int64_t, std::int64_t, double*)>& f);

/// Σ weight, of all rows or of no weights their count.
double total_weight(std::int64_t rows, std::span<const double> weights);
double weighted_mean(std::span<const double> values, std::span<const double> weights);
/// Weighted means of the columns; exactly the value of one that is constant.
std::vector<double> column_means(const data::Matrix& x, std::span<const double> weights);
/// Weighted mean squares of the columns' distances from `means`.
std::vector<double> column_variances(const data::Matrix& x, std::span<const double> weights,
                                     std::span<const double> means);

/// In what products are computed: `fast` those of many f32 rows in f32, of which 1,024 rows at a time are added up in
/// double.
enum class Sums : std::uint8_t { fast, wide };
constexpr double kFastWork = 1e9;  ///< multiply-adds from which time counts

/// Σ weight (x - means)ᵀ (x - means), [d, d], of means that are the weighted ones or 0.
std::vector<double> gram(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                         Sums products = Sums::fast);
/// Σ weight (x - means)ᵀ (x - means) [d, d] and Σ weight (x - means) y [d], where `fast` rows pass once; means are
/// those of the columns where they are `centred`, or 0.
struct NormalEquations {
  std::vector<double> means, gram, cross;
};
NormalEquations normal_equations(const data::Matrix& x, std::span<const double> weights, std::span<const double> y,
                                 bool centred, Sums products);
/// The columns less their means, times the roots of the rows' weights: [d, n], for fewer rows than columns.
std::vector<double> centred_columns(const data::Matrix& x, std::span<const double> weights,
                                    std::span<const double> means);
/// Σ weight (x - means) y, [d], in double.
std::vector<double> cross(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                          std::span<const double> y);
/// x · coefficientsᵀ + intercepts for coefficients [k, d], in double: [n, k].
std::vector<double> scores(const data::Matrix& x, std::span<const double> coefficients,
                           std::span<const double> intercepts);

}  // namespace tern::models::internal
