#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tern/base/export.h"

namespace tern::metrics {

/// How a decision threshold is chosen from scored, labelled rows.
///
/// Candidates are the distinct scores; a row is positive when score >= threshold. `cost` also tries "nobody": the
/// smallest double above every score. Equals are settled thus: f1 and cost take the highest threshold, recall the one
/// of highest recall.
struct ThresholdRule {
  enum class Kind {
    fixed,   ///< `value` itself
    f1,      ///< highest F1
    recall,  ///< highest precision among thresholds whose recall is at least `value`
    cost,    ///< lowest false_negative_cost x FN + false_positive_cost x FP
  };
  Kind kind = Kind::fixed;
  double value = 0.5;  ///< the threshold (any finite number) or the recall (above 0, up to 1)
  double false_negative_cost = 1;
  double false_positive_cost = 1;
};

/// Reads "f1", a number from 0 to 1 ("0.5"), "recall>=R" with 0 < R <= 1, or "cost:FN,FP" with costs that are finite,
/// not negative and not both 0. Throws ValueError that lists these.
TERN_API ThresholdRule parse_threshold_rule(std::string_view text);

/// The text that `parse_threshold_rule` reads back.
TERN_API std::string to_string(const ThresholdRule& rule);

/// The threshold that the rule picks on scores [N], labels [N] and weights [N] or none. A fixed rule gives its value
/// whatever the rows. Throws ValueError when the rule is out of range, or is f1 or recall and no row is positive;
/// otherwise as the figures do (binary.h).
TERN_API double choose_threshold(const ThresholdRule& rule, std::span<const double> scores,
                                 std::span<const std::uint8_t> labels, std::span<const double> weights = {});

}  // namespace tern::metrics
