#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/data/matrix.h"
#include "tern/tensor/tensor.h"

namespace tern::models::internal {

/// The greatest directions of rows: unit vectors [k, d], whose element of greatest size is positive, and the squares
/// [k] of the singular values, descending. Where they come on the way, the columns' Σ weight (x - mean)² [d]; else
/// none.
struct Directions {
  std::vector<double> vectors{}, squares{}, column_squares{};
};

/// Of Σ weight (x - means)ᵀ (x - means), k ≤ min(n, d).
Directions exact_directions(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                            std::int64_t k);
Directions random_directions(const data::Matrix& x, std::span<const double> weights, std::span<const double> means,
                             std::int64_t k, int power_iterations, std::uint64_t seed);

/// (x - means) · vectorsᵀ for vectors [k, d]: [n, k] of the type of x.
Tensor project(const data::Matrix& x, std::span<const double> means, std::span<const double> vectors);
/// coordinates · vectors + means, [n, d] of f64. Throws ShapeError unless the coordinates are [n, k].
Tensor expand(const char* where, const data::Matrix& coordinates, std::span<const double> vectors,
              std::span<const double> means);
/// xᵀ · w for w [n, k]: [d, k].
std::vector<double> transposed_product(const data::Matrix& x, std::span<const double> w, std::int64_t k);

}  // namespace tern::models::internal
