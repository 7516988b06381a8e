#include "tern/metrics/threshold.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "metrics/check.h"
#include "metrics/groups.h"
#include "tern/base/error.h"

namespace tern::metrics {

using internal::number_text;

namespace {

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

void check_rule(const ThresholdRule& rule) {
  constexpr const char* where = "choose_threshold";
  const double missed = rule.false_negative_cost, alarm = rule.false_positive_cost;
  switch (rule.kind) {
    case ThresholdRule::Kind::f1:
      return;
    case ThresholdRule::Kind::fixed:
      if (!std::isfinite(rule.value)) internal::refuse_value(where, "a finite threshold", number_text(rule.value));
      return;
    case ThresholdRule::Kind::recall:
      if (!(rule.value > 0 && rule.value <= 1)) {
        internal::refuse_value(where, "a recall above 0, up to 1", number_text(rule.value));
      }
      return;
    case ThresholdRule::Kind::cost:
      if (!(missed >= 0 && alarm >= 0 && missed + alarm > 0 && std::isfinite(missed + alarm))) {
        internal::refuse_value(where, "finite costs that are not negative and not both 0",
                               number_text(missed) + " and " + number_text(alarm));
      }
      return;
  }
  internal::refuse_value(where, "a kind of rule", std::to_string(static_cast<int>(rule.kind)));
}

}  // namespace

ThresholdRule parse_threshold_rule(std::string_view text) {
  using Kind = ThresholdRule::Kind;
  constexpr std::string_view recall = "recall>=", cost = "cost:";
  if (text == "f1") return {.kind = Kind::f1};
  if (text.starts_with(recall)) {
    const auto value = read_number(text.substr(recall.size()));
    if (value && *value > 0 && *value <= 1) return {.kind = Kind::recall, .value = *value};
  } else if (text.starts_with(cost)) {
    const auto rest = text.substr(cost.size());
    if (const auto comma = rest.find(','); comma != rest.npos) {
      const auto missed = read_number(rest.substr(0, comma)), alarm = read_number(rest.substr(comma + 1));
      if (missed && alarm && *missed >= 0 && *alarm >= 0 && *missed + *alarm > 0 && std::isfinite(*missed + *alarm)) {
        return {.kind = Kind::cost, .false_negative_cost = *missed, .false_positive_cost = *alarm};
      }
    }
  } else if (const auto value = read_number(text); value && *value >= 0 && *value <= 1) {
    return {.kind = Kind::fixed, .value = *value};
  }
  std::string got(1, '"');
  got.append(text).append(1, '"');
  internal::refuse_value("threshold",
                         "f1, a number from 0 to 1, recall>=R with R above 0 and up to 1, or cost:FN,FP with costs "
                         "that are finite, not negative and not both 0",
                         got);
}

std::string to_string(const ThresholdRule& rule) {
  switch (rule.kind) {
    case ThresholdRule::Kind::f1:
      return "f1";
    case ThresholdRule::Kind::fixed:
      return number_text(rule.value);
    case ThresholdRule::Kind::recall:
      return "recall>=" + number_text(rule.value);
    case ThresholdRule::Kind::cost:
      return "cost:" + number_text(rule.false_negative_cost) + "," + number_text(rule.false_positive_cost);
  }
  internal::refuse_value("to_string", "a kind of threshold rule", std::to_string(static_cast<int>(rule.kind)));
}

double choose_threshold(const ThresholdRule& rule, std::span<const double> scores, std::span<const std::uint8_t> labels,
                        std::span<const double> weights) {
  constexpr const char* where = "choose_threshold";
  using Kind = ThresholdRule::Kind;
  check_rule(rule);
  internal::check_binary(where, scores, labels, weights, internal::Domain::finite);
  if (rule.kind == Kind::fixed) return rule.value;

  const auto groups = internal::group_scores(where, scores, labels, weights);
  double positives = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) positives += groups.positive(g);
  if (rule.kind != Kind::cost && !(positives > 0)) internal::refuse_value(where, "a positive row", "none");

  // Scores descend, so keeping the first of equals keeps the highest threshold.
  double best = HUGE_VAL, chosen = std::nextafter(groups.score.front(), HUGE_VAL);
  if (rule.kind == Kind::cost) best = rule.false_negative_cost * positives;
  double hits = 0, alarms = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups.empty(g)) continue;
    hits += groups.positive(g);
    alarms += groups.negative(g);
    double loss = HUGE_VAL;
    bool better = false;
    switch (rule.kind) {
      case Kind::f1:
        loss = -2 * hits / (positives + hits + alarms);
        better = loss < best;
        break;
      case Kind::recall:
        if (hits / positives >= rule.value) {
          loss = -hits / (hits + alarms);
          better = loss <= best;  // equal precision further down means a higher recall
        }
        break;
      case Kind::cost:
        loss = rule.false_negative_cost * (positives - hits) + rule.false_positive_cost * alarms;
        better = loss < best;
        break;
      case Kind::fixed:
        break;
    }
    if (better) {
      best = loss;
      chosen = groups.score[g];
    }
  }
  return chosen;
}

}  // namespace tern::metrics
