#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

// Factors of users and items: floats, those of each member together.
namespace tern::models::internal {

/// Numbers in [-0.1, 0.1).
inline std::vector<float> first_factors(std::size_t size, std::uint64_t seed, std::uint64_t stream) {
  const Philox random(seed, stream);
  std::vector<float> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = 0.2f * (random.uniform_float(i) - 0.5f);
  return out;
}

/// Throws NumericError where a solution has run away.
inline void check_factors(const char* type, const std::vector<float>& users, const std::vector<float>& items) {
  for (const auto* side : {&users, &items}) {
    for (const float value : *side) {
      if (std::isfinite(value)) continue;
      throw NumericError("[" + std::string(type) + "] expected finite factors, got " +
                         tern::internal::number_text(value) + "; more regularization, or a smaller step, keeps them");
    }
  }
}

inline Tensor matrix(const std::vector<float>& values, std::int64_t width) {
  return from_span<float>(values, {static_cast<std::int64_t>(values.size()) / width, width});
}

/// The array of that name of a file of `what`, of `rows` rows of `width` finite numbers. Throws FormatError.
inline std::vector<float> matrix_of(const std::string& what, const std::vector<std::pair<std::string, Tensor>>& arrays,
                                    const std::string& name, std::int64_t rows, std::int64_t width) {
  for (const auto& [each, tensor] : arrays) {
    if (each != name || tensor.dtype() != f32 || tensor.shape() != Shape{rows, width}) continue;
    std::vector<float> values = tensor.to_vector<float>();
    for (const float value : values) {
      if (!std::isfinite(value)) throw FormatError("[" + what + "] expected finite factors, got others");
    }
    return values;
  }
  throw FormatError("[" + what + "] expected an array \"" + name + "\" of f32 [" + std::to_string(rows) + ", " +
                    std::to_string(width) + "], got none");
}

}  // namespace tern::models::internal
