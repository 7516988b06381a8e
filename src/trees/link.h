#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "tern/trees/ensemble.h"

namespace tern::trees::internal {

/// Turns rows of `outputs` margins into predictions, in place.
inline void apply_link(Link link, double scale, std::int64_t outputs, std::span<double> margins) {
  switch (link) {
    case Link::identity:
      return;
    case Link::sigmoid:
      for (double& value : margins) value = 1 / (1 + std::exp(-scale * value));
      return;
    case Link::exp:
      for (double& value : margins) value = std::exp(value);
      return;
    case Link::softmax:
      for (double* row = margins.data(); row != margins.data() + margins.size(); row += outputs) {
        const double largest = *std::max_element(row, row + outputs);
        double sum = 0;
        for (std::int64_t i = 0; i < outputs; ++i) sum += row[i] = std::exp(row[i] - largest);
        for (std::int64_t i = 0; i < outputs; ++i) row[i] /= sum;
      }
      return;
  }
}

}  // namespace tern::trees::internal
