#pragma once

#include <functional>
#include <span>
#include <vector>

namespace tern::models::internal {

struct MinimiseOptions {
  int max_iterations = 100;
  double tolerance = 0;           ///< ends when no element of the gradient is larger than this times its unit
  std::span<const double> units;  ///< for each parameter, above 0
  std::span<const double> scale;  ///< about the inverse of the second derivatives, for each parameter; 0: it stays
  std::span<const double> l1;     ///< a penalty on |parameter|, for each; empty: none
};

struct Minimum {
  std::vector<double> at;
  int iterations = 0;
  bool converged = false;
  double slope = 0;  ///< where it has not: the gradient's largest element, in its unit
};

/// The smooth part: its value, and its gradient into the second argument.
using Smooth = std::function<double(const std::vector<double>& at, std::vector<double>& gradient)>;

/// Limited-memory BFGS (Liu and Nocedal 1989), or with `l1` its orthant-wise form (Andrew and Gao, ICML 2007). Ends,
/// too, where no step along the direction is lower as far as the numbers tell; that counts as converged.
Minimum minimise(const Smooth& smooth, std::vector<double> start, const MinimiseOptions& options);

}  // namespace tern::models::internal
