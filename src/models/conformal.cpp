#include "tern/models/conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/number_text.h"
#include "models/blocks.h"
#include "models/fields.h"
#include "tern/base/error.h"

namespace tern::models {
namespace {

constexpr std::string_view kScores[] = {"least_ambiguous", "adaptive"};
constexpr std::int64_t kMostClasses = 10'000;

data::EstimatorState state_of(const char* where, std::string_view text) {
  return {.type = where, .json = std::string(text)};
}

// What comes first in each text.
void head(internal::Fields& fields, std::string_view format) {
  int only = 0, version = 1;
  fields("format", only, std::span(&format, 1));
  fields("version", version);
  if (version != 1) {
    throw FormatError("[" + std::string(format) + "] expected version 1, got " + std::to_string(version));
  }
}

void check_read(const char* where, bool good, const char* expected) {
  if (!good) throw FormatError("[" + std::string(where) + "] expected " + expected + ", got others");
}

void check_coverage(const char* where, double coverage) {
  if (coverage > 0 && coverage < 1) return;
  throw ValueError("[" + std::string(where) + "] expected a coverage in (0, 1), got " +
                   tern::internal::number_text(coverage));
}

void check_length(const char* where, const char* what, std::size_t expected, std::size_t got) {
  if (expected == got) return;
  throw ShapeError("[" + std::string(where) + "] expected " + std::to_string(expected) + " " + what + ", got " +
                   std::to_string(got));
}

void check_finite(const char* where, std::span<const double> numbers) {
  for (const double number : numbers) {
    if (std::isfinite(number)) continue;
    throw ValueError("[" + std::string(where) + "] expected finite numbers, got " +
                     tern::internal::number_text(number));
  }
}

// The ceil((n + 1) coverage)-th smallest score: a new one is at most that with the coverage's probability.
double quantile(const char* where, std::vector<double> scores, double coverage) {
  if (scores.empty()) throw ValueError("[" + std::string(where) + "] expected calibration rows, got none");
  check_finite(where, scores);
  const double n = static_cast<double>(scores.size());
  const double rank = std::max(1.0, std::ceil((n + 1) * coverage - 1e-9));
  if (rank > n) return std::numeric_limits<double>::infinity();
  const auto place = scores.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(scores.begin(), place, scores.end());
  return *place;
}

double checked_scale(double scale) {
  if (scale > 0 && std::isfinite(scale)) return scale;
  throw ValueError("[ConformalIntervals] expected finite scales above 0, got " + tern::internal::number_text(scale));
}

// Rows of probabilities of all classes, whose sums may be a little off.
void check_rows_of(std::span<const double> probabilities, std::size_t width) {
  internal::check_probabilities("ConformalSets", probabilities);
  for (std::size_t i = 0; i < probabilities.size(); i += width) {
    double sum = 0;
    for (const double p : probabilities.subspan(i, width)) sum += p;
    if (std::abs(sum - 1) <= 1e-3) continue;
    throw ValueError("[ConformalSets] expected probabilities of all classes whose sum is 1, got " +
                     tern::internal::number_text(sum) + " in row " + std::to_string(i / width));
  }
}

double score_of(SetScore kind, std::span<const double> p, std::int64_t label) {
  const double own = p[static_cast<std::size_t>(label)];
  if (kind == SetScore::least_ambiguous) return 1 - own;
  double sum = 0;  // of ties the smaller number is the likelier
  for (std::size_t k = 0; k < p.size(); ++k) {
    if (p[k] > own || (p[k] == own && static_cast<std::int64_t>(k) <= label)) sum += p[k];
  }
  return sum;
}

}  // namespace

ConformalIntervals::ConformalIntervals(std::span<const double> predictions, std::span<const double> targets,
                                       double coverage, std::span<const double> scales) {
  const char* where = "ConformalIntervals";
  check_coverage(where, coverage);
  check_length(where, "targets", predictions.size(), targets.size());
  if (!scales.empty()) check_length(where, "scales", predictions.size(), scales.size());
  std::vector<double> errors;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    errors.push_back(std::abs(targets[i] - predictions[i]) / checked_scale(scales.empty() ? 1 : scales[i]));
  }
  radius_ = quantile(where, std::move(errors), coverage);
}

std::pair<double, double> ConformalIntervals::interval(double prediction, double scale) const {
  const double half = radius_ * checked_scale(scale);
  return {prediction - half, prediction + half};
}

std::string ConformalIntervals::to_json() const {
  internal::Fields fields;
  head(fields, "tern.conformal_intervals");
  double radius = radius_;
  fields("radius", radius);
  return fields.json();
}

ConformalIntervals ConformalIntervals::from_json(std::string_view text) {
  const char* where = "ConformalIntervals";
  ConformalIntervals made;
  internal::Fields fields(state_of(where, text));
  head(fields, "tern.conformal_intervals");
  fields("radius", made.radius_);
  fields.end();
  check_read(where, made.radius_ >= 0, "a radius of at least 0");
  return made;
}

ConformalQuantiles::ConformalQuantiles(std::span<const double> low, std::span<const double> high,
                                       std::span<const double> targets, double coverage) {
  const char* where = "ConformalQuantiles";
  check_coverage(where, coverage);
  check_length(where, "high quantiles", low.size(), high.size());
  check_length(where, "targets", low.size(), targets.size());
  std::vector<double> outside;
  for (const auto& numbers : {low, high, targets}) check_finite(where, numbers);
  for (std::size_t i = 0; i < low.size(); ++i) outside.push_back(std::max(low[i] - targets[i], targets[i] - high[i]));
  shift_ = quantile(where, std::move(outside), coverage);
}

std::pair<double, double> ConformalQuantiles::interval(double low, double high) const {
  const double from = low - shift_, to = high + shift_;
  if (from <= to) return {from, to};
  const double middle = from + (to - from) / 2;
  return {middle, middle};
}

std::string ConformalQuantiles::to_json() const {
  internal::Fields fields;
  head(fields, "tern.conformal_quantiles");
  double shift = shift_;
  fields("shift", shift);
  return fields.json();
}

ConformalQuantiles ConformalQuantiles::from_json(std::string_view text) {
  ConformalQuantiles made;
  internal::Fields fields(state_of("ConformalQuantiles", text));
  head(fields, "tern.conformal_quantiles");
  fields("shift", made.shift_);
  fields.end();
  return made;
}

ConformalSets::ConformalSets(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                             std::int64_t classes, double coverage, SetScore score)
    : classes_(classes), score_(score) {
  const char* where = "ConformalSets";
  check_coverage(where, coverage);
  if (classes < 2 || classes > kMostClasses) {
    throw ValueError("[ConformalSets] expected 2 to 10000 classes, got " + std::to_string(classes));
  }
  const auto width = static_cast<std::size_t>(classes);
  check_length(where, "probabilities", labels.size() * width, probabilities.size());
  check_rows_of(probabilities, width);
  std::vector<double> scores;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      throw ValueError("[ConformalSets] expected classes 0 to " + std::to_string(classes - 1) + ", got " +
                       std::to_string(labels[i]));
    }
    scores.push_back(score_of(score, probabilities.subspan(i * width, width), labels[i]));
  }
  limit_ = quantile(where, std::move(scores), coverage);
}

std::vector<std::int64_t> ConformalSets::set(std::span<const double> probabilities) const {
  check_length("ConformalSets", "probabilities", static_cast<std::size_t>(classes_), probabilities.size());
  check_rows_of(probabilities, probabilities.size());
  std::vector<std::int64_t> out;
  for (std::int64_t k = 0; k < classes_; ++k) {
    if (score_of(score_, probabilities, k) <= limit_) out.push_back(k);
  }
  if (out.empty() && score_ == SetScore::adaptive) {
    out.push_back(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  }
  return out;
}

std::string ConformalSets::to_json() const {
  ConformalSets copy = *this;
  internal::Fields fields;
  head(fields, "tern.conformal_sets");
  fields("limit", copy.limit_);
  fields("classes", copy.classes_);
  fields("score", copy.score_, kScores);
  return fields.json();
}

ConformalSets ConformalSets::from_json(std::string_view text) {
  const char* where = "ConformalSets";
  ConformalSets made;
  internal::Fields fields(state_of(where, text));
  head(fields, "tern.conformal_sets");
  fields("limit", made.limit_);
  fields("classes", made.classes_);
  fields("score", made.score_, kScores);
  fields.end();
  check_read(where, made.classes_ >= 2 && made.classes_ <= kMostClasses, "2 to 10000 classes");
  const double most = made.score_ == SetScore::adaptive ? static_cast<double>(made.classes_) : 1;
  check_read(where, made.limit_ >= 0 && (made.limit_ <= most || std::isinf(made.limit_)),
             "a limit that is a sum of probabilities, or infinity");
  return made;
}

}  // namespace tern::models
