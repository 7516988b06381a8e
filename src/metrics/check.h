#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/number_text.h"

namespace tern::metrics::internal {

using tern::internal::number_text;

/// What a score may be.
enum class Domain { finite, probability };

/// Throws ValueError "[where] expected WHAT, got WHAT".
[[noreturn]] void refuse_value(const char* where, const std::string& expected, const std::string& got);

/// At least one row; as many labels as predictions and, when there are weights, as many of those.
void check_lengths(const char* where, std::size_t predictions, std::size_t labels, std::size_t weights);
/// Finite numbers, in [0, 1] when they are probabilities. `what` names one of them.
void check_numbers(const char* where, const char* what, std::span<const double> values, Domain domain);
/// None, or finite weights that are not negative; not all 0 unless `allow_zero_sum`.
void check_weights(const char* where, std::span<const double> weights, bool allow_zero_sum = false);
/// Classes 0 … classes-1.
void check_classes(const char* where, const char* what, std::span<const std::int64_t> values, std::int64_t classes);
/// All rules for two-class rows.
void check_binary(const char* where, std::span<const double> scores, std::span<const std::uint8_t> labels,
                  std::span<const double> weights, Domain domain, bool allow_zero_sum = false);

}  // namespace tern::metrics::internal
