#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tern/base/random.h"
#include "tern/data/dataset.h"
#include "tern/tensor/creation.h"

namespace tern::train {

/// Two-class rows that a small network can learn: an interaction, a slope and noise.
inline data::Dataset two_classes(std::int64_t rows, std::uint64_t seed, std::int64_t width = 5) {
  const Philox random(seed);
  std::vector<float> x;
  std::vector<std::string> y, names;
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto base = static_cast<std::uint64_t>(i * (width + 1));
    for (std::int64_t j = 0; j < width; ++j) {
      x.push_back(static_cast<float>(normal(random, base + static_cast<std::uint64_t>(j))));
    }
    const float* row = x.data() + i * width;
    const double z = 1.5 * row[0] * row[1] + row[2] - 0.5;
    y.push_back(random.uniform(base * 2 + 1000003) < 1 / (1 + std::exp(-z)) ? "Yes" : "No");
    ids.push_back(i);
  }
  for (std::int64_t j = 0; j < width; ++j) names.push_back("x" + std::to_string(j));
  return data::Dataset(from_vector(x, {rows, width}), std::move(names), std::move(ids), data::Column::from_strings(y));
}

}  // namespace tern::train
