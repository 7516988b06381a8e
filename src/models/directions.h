#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/data/matrix.h"
#include "tern/tensor/tensor.h"

namespace tern::models::internal {

/// The greatest directions of rows: unit vectors [k, d], whose element of greatest size is positive, the squares
/// [k] of the singular values, descending, the means (or 0) [d] and the columns' Σ weight (x - mean)² [d]. Where the
/// sums overflow, a square is not finite.
struct Directions {
  std::vector<double> vectors{}, squares{}, column_squares{}, means{};
};

/// Of Σ weight (x - means)ᵀ (x - means), k ≤ min(n, d); of rows that are not `centred` the means count as 0.
Directions exact_directions(const data::Matrix& x, std::span<const double> weights, bool centred, std::int64_t k);
struct RandomOptions {
  std::int64_t components = 1;
  bool centred = false;
  int power_iterations = 7;  ///< passes over all rows after the first, at most
  double tolerance = 0;      ///< of the squares' sum: no further pass when the last one found less more
  std::uint64_t seed = 0;
};
/// The same by passes over samples of the rows, then over all (Halko, Martinsson & Tropp 2011, algorithm 5.5 for what
/// comes of the last); products of many f32 rows are f32.
Directions random_directions(const data::Matrix& x, std::span<const double> weights, const RandomOptions& options);

/// (x - means) · vectorsᵀ for vectors [k, d]: [n, k] of the type of x.
Tensor project(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors);
/// coordinates · vectors + means, [n, d] of f64. Throws ShapeError unless the coordinates are [n, k].
Tensor expand(const char* where, const data::Matrix& coordinates, std::span<const double> vectors,
              std::span<const double> means);
/// xᵀ · w for w [n, k]: [d, k].
std::vector<double> transposed_product(const data::Matrix& x, std::span<const double> w, std::int64_t k);

}  // namespace tern::models::internal
