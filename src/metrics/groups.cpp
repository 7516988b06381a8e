#include "metrics/groups.h"

#include <algorithm>
#include <cmath>

#include "metrics/check.h"

namespace tern::metrics::internal {

ScoreGroups group_scores(const char* where, std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const double> weights) {
  constexpr std::size_t most = (std::size_t{1} << 31) - 1;  // slots are 32 bits, two a row
  const std::size_t n = scores.size();
  if (n > most) refuse_value(where, "at most 2147483647 rows", std::to_string(n));
  struct Row {
    double score;
    std::uint32_t index;
  };
  std::vector<Row> rows(n);
  for (std::size_t i = 0; i < n; ++i) rows[i] = {scores[i], static_cast<std::uint32_t>(i)};
  // Ties in the order of the rows: sums of weights then have one order.
  std::sort(rows.begin(), rows.end(),
            [](const Row& a, const Row& b) { return a.score != b.score ? a.score > b.score : a.index < b.index; });

  ScoreGroups groups;
  groups.slot.resize(n);
  for (const Row& row : rows) {
    if (groups.score.empty() || groups.score.back() != row.score) {
      groups.score.push_back(row.score);
      groups.mass.insert(groups.mass.end(), {0.0, 0.0});
    }
    const std::size_t slot = 2 * (groups.score.size() - 1) + labels[row.index];
    groups.slot[row.index] = static_cast<std::uint32_t>(slot);
    groups.mass[slot] += weights.empty() ? 1.0 : weights[row.index];
  }
  return groups;
}

double clipped_logit(double probability) {
  const double p = std::clamp(probability, probability_epsilon, 1 - probability_epsilon);
  return std::log(p) - std::log1p(-p);
}

double clipped_loss(double probability, unsigned label) {
  const double given = label == 1 ? probability : 1 - probability;
  return -std::log(std::clamp(given, probability_epsilon, 1 - probability_epsilon));
}

CalibrationFit fit_logistic(std::span<const FitPoint> points, const CalibrationFit* start) {
  constexpr int max_steps = 200;
  double total = 0, positive = 0, center = 0;
  double positive_low = HUGE_VAL, positive_high = -HUGE_VAL, negative_low = HUGE_VAL, negative_high = -HUGE_VAL;
  for (const FitPoint& point : points) {
    total += point.total;
    positive += point.positive;
    center += point.total * point.x;
    if (point.positive > 0) {
      positive_low = std::min(positive_low, point.x);
      positive_high = std::max(positive_high, point.x);
    }
    if (point.positive < point.total) {
      negative_low = std::min(negative_low, point.x);
      negative_high = std::max(negative_high, point.x);
    }
  }
  const auto no_answer = [](CalibrationStatus status) { return CalibrationFit{undefined, undefined, status}; };
  if (positive_low > positive_high || negative_low > negative_high) return no_answer(CalibrationStatus::one_class);
  const double low = std::min(positive_low, negative_low), high = std::max(positive_high, negative_high);
  if (low == high) return no_answer(CalibrationStatus::constant);
  // In one dimension the maximum exists exactly when the classes overlap by more than a point (Albert, Anderson 1984).
  if (positive_low >= negative_high || negative_low >= positive_high) return no_answer(CalibrationStatus::separable);

  // Offsets from the mean keep the two parameters nearly independent.
  center /= total;
  const double z_low = low - center, z_high = high - center;
  double a = std::log(positive / (total - positive)), b = 0;
  if (start != nullptr && start->status == CalibrationStatus::ok) {
    a = start->intercept + start->slope * center;
    b = start->slope;
  }
  double positive_z = 0;
  for (const FitPoint& point : points) positive_z += point.positive * (point.x - center);
  for (int step = 0; step < max_steps; ++step) {
    double m0 = 0, m1 = 0, v0 = 0, v1 = 0, v2 = 0;
    for (const FitPoint& point : points) {
      const double z = point.x - center;
      const double mean = 1 / (1 + std::exp(-(a + b * z)));
      const double expected = point.total * mean, variance = expected * (1 - mean);
      m0 += expected;
      m1 += expected * z;
      v0 += variance;
      v1 += variance * z;
      v2 += variance * z * z;
    }
    const double shift = v1 / v0, spread = v2 - v1 * shift;
    if (!(v0 > 0) || !(spread > 0)) break;
    const double g0 = positive - m0, g1 = positive_z - m1;
    const double db = (g1 - shift * g0) / spread;
    const double da = g0 / v0 - shift * db;
    // The third derivative along the step is at most `change` times the second, so the likelihood cannot fall over a
    // full step while (exp(c) - 1 - c) / c^2 < 1, and over a step of log(1 + c) / c at any c.
    const double change = std::max(std::fabs(da + db * z_low), std::fabs(da + db * z_high));
    if (!std::isfinite(change)) break;
    const double length = change <= 1.5 ? 1.0 : std::log1p(change) / change;
    a += length * da;
    b += length * db;
    if (change <= 1e-8) return {b, a - b * center, CalibrationStatus::ok};
  }
  return no_answer(CalibrationStatus::not_converged);
}

BinEdges bin_edges(const char* where, std::span<const double> probabilities, Binning binning, int bins) {
  if (bins < 1 || bins > 1000) refuse_value(where, "1 to 1000 bins", std::to_string(bins));
  BinEdges result{binning, {}};
  if (binning == Binning::equal_width) {
    for (int i = 0; i <= bins; ++i) result.edges.push_back(static_cast<double>(i) / bins);
    return result;
  }
  std::vector<double> sorted(probabilities.begin(), probabilities.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t last = sorted.size() - 1;
  for (int i = 0; i <= bins; ++i) {
    const double at = static_cast<double>(last) * i / bins;
    const auto below = static_cast<std::size_t>(at);
    const double next = sorted[std::min(below + 1, last)];
    const double edge = sorted[below] + (next - sorted[below]) * (at - static_cast<double>(below));
    if (result.edges.empty() || edge > result.edges.back()) result.edges.push_back(edge);
  }
  if (result.edges.size() == 1) result.edges.push_back(result.edges[0]);  // a constant: one bin, a point wide
  return result;
}

std::size_t bin_of(const BinEdges& edges, double probability) {
  const auto first = edges.edges.begin() + 1, last = edges.edges.end() - 1;
  return static_cast<std::size_t>(std::lower_bound(first, last, probability) - first);
}

BinaryEngine::BinaryEngine(const ScoreGroups& groups, double threshold, const BinEdges& edges)
    : groups_(groups), bins_(edges.edges.size() - 1) {
  const std::size_t n = groups.size();
  logit_.reserve(n);
  loss_.reserve(2 * n);
  bin_.reserve(n);
  for (const double p : groups.score) {
    logit_.push_back(clipped_logit(p));
    loss_.push_back(clipped_loss(p, 0));
    loss_.push_back(clipped_loss(p, 1));
    bin_.push_back(static_cast<std::uint32_t>(bin_of(edges, p)));
    if (p >= threshold) ++above_threshold_;
    if (p >= 0.5) ++above_half_;
  }
}

FigureValues BinaryEngine::evaluate(std::span<const double> mass, Scratch& scratch, const CalibrationFit* start) const {
  const std::size_t n = groups_.size();
  scratch.points.clear();
  scratch.bins.assign(3 * bins_, 0.0);
  FigureValues values;
  double negatives = 0, positives = 0, area = 0, gain = 0, loss = 0, square = 0;
  const auto mark = [&](BinaryConfusion& confusion) {
    confusion.true_positive = positives;
    confusion.false_positive = negatives;
  };
  for (std::size_t g = 0; g < n; ++g) {
    if (g == above_threshold_) mark(values.at_threshold);
    if (g == above_half_) mark(values.at_half);
    const double negative = mass[2 * g], positive = mass[2 * g + 1], both = negative + positive;
    if (both == 0) continue;
    const double p = groups_.score[g];
    area += negative * (positives + 0.5 * positive);
    negatives += negative;
    positives += positive;
    if (positive > 0) gain += positive * (positives / (positives + negatives));
    loss += negative * loss_[2 * g] + positive * loss_[2 * g + 1];
    square += negative * (p * p) + positive * ((1 - p) * (1 - p));
    double* bin = &scratch.bins[3 * bin_[g]];
    bin[0] += both;
    bin[1] += both * p;
    bin[2] += positive;
    scratch.points.push_back({logit_[g], both, positive});
  }
  if (above_threshold_ == n) mark(values.at_threshold);
  if (above_half_ == n) mark(values.at_half);
  for (BinaryConfusion* confusion : {&values.at_threshold, &values.at_half}) {
    confusion->false_negative = positives - confusion->true_positive;
    confusion->true_negative = negatives - confusion->false_positive;
  }
  const double total = negatives + positives;
  if (negatives > 0 && positives > 0) values.auroc = area / (negatives * positives);
  if (positives > 0) values.average_precision = gain / positives;
  values.log_loss = loss / total;
  values.brier = square / total;
  values.ece = 0;
  for (std::size_t b = 0; b < bins_; ++b) {
    values.ece += std::fabs(scratch.bins[3 * b + 1] - scratch.bins[3 * b + 2]) / total;
  }
  values.calibration = fit_logistic(scratch.points, start);
  return values;
}

}  // namespace tern::metrics::internal
