#include "metrics/check.h"

#include <cmath>

#include "tern/base/error.h"

namespace tern::metrics::internal {
namespace {

std::string in_brackets(const char* where) { return std::string("[") + where + "] "; }

}  // namespace

void refuse_value(const char* where, const std::string& expected, const std::string& got) {
  throw ValueError(in_brackets(where) + "expected " + expected + ", got " + got);
}

void check_lengths(const char* where, std::size_t predictions, std::size_t labels, std::size_t weights) {
  if (labels != predictions) {
    throw ShapeError(in_brackets(where) + "expected one label for each of " + std::to_string(predictions) +
                     " predictions, got " + std::to_string(labels));
  }
  if (weights != 0 && weights != predictions) {
    throw ShapeError(in_brackets(where) + "expected no weights or one for each of " + std::to_string(predictions) +
                     " predictions, got " + std::to_string(weights));
  }
  if (predictions == 0) refuse_value(where, "at least one row", "none");
}

void check_numbers(const char* where, const char* what, std::span<const double> values, Domain domain) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    if (!std::isfinite(value)) {
      throw NumericError(in_brackets(where) + "expected finite " + what + "s, got " + number_text(value) + " at row " +
                         std::to_string(i));
    }
    if (domain == Domain::probability && !(value >= 0 && value <= 1)) {
      refuse_value(where, "probabilities from 0 to 1", number_text(value) + " at row " + std::to_string(i));
    }
  }
}

void check_weights(const char* where, std::span<const double> weights, bool allow_zero_sum) {
  if (weights.empty()) return;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) {
      throw NumericError(in_brackets(where) + "expected finite weights, got " + number_text(weights[i]) + " at row " +
                         std::to_string(i));
    }
    if (weights[i] < 0) {
      refuse_value(where, "weights that are not negative", number_text(weights[i]) + " at row " + std::to_string(i));
    }
    sum += weights[i];
  }
  if (!std::isfinite(sum)) throw NumericError(in_brackets(where) + "expected a finite sum of weights, got infinity");
  if (sum <= 0 && !allow_zero_sum) refuse_value(where, "a row of positive weight", "weights that are all 0");
}

void check_classes(const char* where, const char* what, std::span<const std::int64_t> values, std::int64_t classes) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] >= classes) {
      refuse_value(where, std::string(what) + "s from 0 to " + std::to_string(classes - 1),
                   std::to_string(values[i]) + " at row " + std::to_string(i));
    }
  }
}

void check_binary(const char* where, std::span<const double> scores, std::span<const std::uint8_t> labels,
                  std::span<const double> weights, Domain domain, bool allow_zero_sum) {
  check_lengths(where, scores.size(), labels.size(), weights.size());
  check_numbers(where, "score", scores, domain);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] > 1) refuse_value(where, "labels 0 or 1", std::to_string(labels[i]) + " at row " + std::to_string(i));
  }
  check_weights(where, weights, allow_zero_sum);
}

}  // namespace tern::metrics::internal
