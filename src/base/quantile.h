#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace tern::internal {

/// Quantile of at least one sorted value, interpolated linearly (type 7 of Hyndman and Fan 1996); `q` in [0, 1].
inline double quantile_of(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double t = position - static_cast<double>(below);
  const double a = sorted[below], b = sorted[above];
  if (a == b || t == 0) return a;
  return std::isfinite(b - a) ? a + (b - a) * t : a * (1 - t) + b * t;
}

}  // namespace tern::internal
