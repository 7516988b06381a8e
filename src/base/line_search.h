#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

// The line search of quasi-Newton methods: Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6, by cubic
// interpolation. A point P has the step's length `t`, `loss`, and `slope` along the direction. Private to the sources.
namespace tern::internal {

/// Where the cubic through two points with their slopes is least, held within [low, high]; its middle where it has no
/// minimum.
template <class P>
double cubic_minimum(const P& a, const P& b, double low, double high) {
  const P &left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
  const double width = right.t - left.t;
  const double d1 = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t);
  const double square = d1 * d1 - left.slope * right.slope;
  const double d2 = std::sqrt(square);
  const double at = right.t - width * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return square >= 0 && std::isfinite(at) ? std::clamp(at, low, high) : (low + high) / 2;
}

/// A point along the direction at which the strong Wolfe conditions hold, or the best that was found in `most`
/// evaluations beside the first. `first` is the length to try first, `reach` the largest element of the direction.
template <class P, class Evaluate>
P strong_wolfe(const P& start, double first, double reach, Evaluate evaluate, std::int64_t most = 25) {
  constexpr double c1 = 1e-4, c2 = 0.9, narrowest = 1e-9;
  const auto falls_enough = [&](const P& p) { return p.loss <= start.loss + c1 * p.t * start.slope; };
  const auto is_flat = [&](const P& p) { return std::fabs(p.slope) <= -c2 * start.slope; };

  // Goes on until a minimum is bracketed.
  P low = start, high = evaluate(first);
  std::int64_t evaluations = 0;
  bool found = false;
  for (;; ++evaluations) {
    if (evaluations == most) {
      low = start;
      break;
    }
    if (!falls_enough(high) || (evaluations > 1 && high.loss >= low.loss)) break;
    if (is_flat(high)) {
      found = true;
      break;
    }
    if (high.slope >= 0) break;
    const double next = cubic_minimum(low, high, high.t + 0.01 * (high.t - low.t), 10 * high.t);
    low = std::exchange(high, evaluate(next));
  }
  // Not <=: a loss that is no number is never the lower one.
  if (found || high.loss < low.loss) std::swap(low, high);

  // Narrows the bracket; `low` is its better end.
  bool stalled = false;
  while (!found && evaluations < most && std::fabs(high.t - low.t) * reach >= narrowest) {
    const double left = std::min(low.t, high.t), right = std::max(low.t, high.t), margin = 0.1 * (right - left);
    double next = cubic_minimum(low, high, left, right);
    if (std::min(right - next, next - left) < margin) {
      if (stalled || next >= right || next <= left) {
        next = std::fabs(next - right) < std::fabs(next - left) ? right - margin : left + margin;
        stalled = false;
      } else {
        stalled = true;
      }
    } else {
      stalled = false;
    }
    P point = evaluate(next);
    ++evaluations;
    if (!falls_enough(point) || point.loss >= low.loss) {
      high = std::move(point);
      if (high.loss < low.loss) std::swap(low, high);
    } else {
      found = is_flat(point);
      if (!found && point.slope * (high.t - low.t) >= 0) high = low;
      low = std::move(point);
    }
  }
  return low;
}

}  // namespace tern::internal
