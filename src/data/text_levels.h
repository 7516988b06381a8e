#pragma once

#include <cstdint>

#include "tern/data/column.h"

namespace tern::data::internal {

/// In so few rows any text may be categories.
inline constexpr std::int64_t kFewRows = 20;

/// Whether `levels` different values in `rows` that have one are too many for categories.
inline bool too_many_levels(std::int64_t levels, std::int64_t rows, std::int64_t max_levels, double max_share) {
  return levels > max_levels ||
         (rows > kFewRows && static_cast<double>(levels) > max_share * static_cast<double>(rows));
}

}  // namespace tern::data::internal
