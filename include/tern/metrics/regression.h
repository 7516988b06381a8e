#pragma once

#include <span>

#include "tern/base/export.h"

/// Figures of real-valued predictions [N] against targets [N], with weights [N] or none. No rows, weights that are
/// negative or sum to 0 throw ValueError, lengths that differ ShapeError, a NaN or infinity NumericError.
namespace tern::metrics {

/// Mean of squared errors, in the target's unit squared.
TERN_API double mean_squared_error(std::span<const double> predictions, std::span<const double> targets,
                                   std::span<const double> weights = {});
/// Square root of the mean of squared errors, in the target's unit.
TERN_API double root_mean_squared_error(std::span<const double> predictions, std::span<const double> targets,
                                        std::span<const double> weights = {});
/// Mean of absolute errors, in the target's unit.
TERN_API double mean_absolute_error(std::span<const double> predictions, std::span<const double> targets,
                                    std::span<const double> weights = {});
/// Mean of |error| / |target|, as a ratio (0.1 is ten percent); NaN, undefined, when a target is 0.
TERN_API double mean_absolute_percentage_error(std::span<const double> predictions, std::span<const double> targets,
                                               std::span<const double> weights = {});
/// Coefficient of determination, 1 - (squared errors) / (squared deviations from the mean); NaN, undefined, when all
/// targets are equal.
TERN_API double r2(std::span<const double> predictions, std::span<const double> targets,
                   std::span<const double> weights = {});

/// Mean of max(q e, (q - 1) e), e being target less prediction, of which the `quantile` q in (0, 1) is the least; in
/// the target's unit. Throws ValueError for another q.
TERN_API double mean_pinball_loss(std::span<const double> predictions, std::span<const double> targets, double quantile,
                                  std::span<const double> weights = {});
/// Twice the mean of target log(target / prediction) - target + prediction, 0 log 0 being 0. Throws ValueError for
/// predictions that are not above 0 and targets below 0.
TERN_API double mean_poisson_deviance(std::span<const double> predictions, std::span<const double> targets,
                                      std::span<const double> weights = {});

}  // namespace tern::metrics
