#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

// What turns scores into predictions, and its losses.
namespace tern::models::internal {

inline double sigmoid(double z) { return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z)); }
/// log(1 + exp(z)) without overflow.
inline double softplus(double z) { return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z)); }
/// Probabilities of `count` scores, in their place; gives the logarithm of the sum of exp(score).
inline double softmax(double* scores, std::int64_t count) {
  const double most = *std::max_element(scores, scores + count);
  double sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += scores[k] = std::exp(scores[k] - most);
  for (std::int64_t k = 0; k < count; ++k) scores[k] /= sum;
  return most + std::log(sum);
}

}  // namespace tern::models::internal
