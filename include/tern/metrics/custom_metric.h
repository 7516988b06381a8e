#pragma once

#include <functional>
#include <span>
#include <string>

namespace tern::metrics {

/// A figure of one's own, by which early stopping and searches go: mean_pinball_loss of a quantile, say.
struct CustomMetric {
  std::string name{};
  /// Of predictions [n] or [n, classes], targets [n], values or numbers of classes, and weights [n] or none.
  std::function<double(std::span<const double> predictions, std::span<const double> targets,
                       std::span<const double> weights)>
      value{};
  bool larger_is_better = false;
};

}  // namespace tern::metrics
