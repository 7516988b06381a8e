#pragma once

#include <cstdint>
#include <span>

namespace tern::metrics::internal {

/// All rules for row-major class probabilities [N x classes] and labels [N].
void check_multiclass(const char* where, std::span<const double> probabilities, std::span<const std::int64_t> labels,
                      std::span<const double> weights, std::int64_t classes, bool allow_zero_sum);
/// Weighted sum of the clipped log losses of checked rows.
double multiclass_loss_sum(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                           std::span<const double> weights, std::int64_t classes);
/// Sum of the weights, or the number of rows when there are none.
double weight_sum(std::size_t rows, std::span<const double> weights);

}  // namespace tern::metrics::internal
