#include "tern/metrics/report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "base/quantile.h"
#include "metrics/check.h"
#include "metrics/groups.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::metrics {

using internal::BinaryEngine;
using internal::FigureValues;
using internal::undefined;

namespace {

// The figures of a report in one row of numbers, so that each resample is one row.
enum Figure : std::size_t {
  accuracy,
  precision,
  recall,
  f1,
  half_accuracy,
  half_precision,
  half_recall,
  half_f1,
  auroc_figure,
  average_precision_figure,
  log_loss_figure,
  brier_figure,
  ece_below,  // how far noise may have raised the ece
  ece_above,  // how far it may have lowered it
  slope,
  intercept,
  cost_per_row,
  cost_always_negative,
  cost_always_positive,
  figure_count
};

void write_row(const FigureValues& values, const BinaryReportOptions& options, double* row) {
  std::size_t at = 0;
  for (const BinaryConfusion* confusion : {&values.at_threshold, &values.at_half}) {
    row[at++] = confusion->accuracy();
    row[at++] = confusion->precision();
    row[at++] = confusion->recall();
    row[at++] = confusion->f1();
  }
  row[auroc_figure] = values.auroc;
  row[average_precision_figure] = values.average_precision;
  row[log_loss_figure] = values.log_loss;
  row[brier_figure] = values.brier;
  row[slope] = values.calibration.slope;
  row[intercept] = values.calibration.intercept;
  const BinaryConfusion& c = values.at_threshold;
  const double missed = options.false_negative_cost, alarm = options.false_positive_cost;
  const double positives = c.true_positive + c.false_negative, negatives = c.false_positive + c.true_negative;
  row[cost_per_row] = (missed * c.false_negative + alarm * c.false_positive) / (positives + negatives);
  row[cost_always_negative] = missed * positives / (positives + negatives);
  row[cost_always_positive] = alarm * negatives / (positives + negatives);
}

const char* reason_of(std::size_t figure) {
  switch (figure) {
    case precision:
    case half_precision:
      return "no row is predicted positive";
    case recall:
    case half_recall:
    case average_precision_figure:
      return "no row is positive";
    case f1:
    case half_f1:
      return "no row is positive or predicted positive";
    case auroc_figure:
      return "one class is absent";
    default:
      return "the rows do not define it";
  }
}

void check_options(const char* where, const BinaryReportOptions& options) {
  if (!std::isfinite(options.threshold)) {
    internal::refuse_value(where, "a finite threshold", internal::number_text(options.threshold));
  }
  if (!(options.confidence > 0 && options.confidence < 1)) {
    internal::refuse_value(where, "a confidence between 0 and 1", internal::number_text(options.confidence));
  }
  if (options.resamples < 0 || options.resamples > 1'000'000) {
    internal::refuse_value(where, "0 to 1000000 resamples", std::to_string(options.resamples));
  }
  for (const double cost : {options.false_negative_cost, options.false_positive_cost}) {
    if (!(cost >= 0 && std::isfinite(cost))) {
      internal::refuse_value(where, "finite costs that are not negative", internal::number_text(cost));
    }
  }
}

/// Rows gathered by group, groups in the order in which they appear; without groups, each row by itself.
class Resampler {
 public:
  Resampler(std::span<const std::uint32_t> slot, const BinaryReportOptions& options)
      : slot_(slot), weights_(options.weights) {
    if (options.groups.empty()) return;
    std::unordered_map<std::int64_t, std::size_t> number;
    std::vector<std::size_t> group;
    for (const std::int64_t id : options.groups) group.push_back(number.emplace(id, number.size()).first->second);
    begin_.assign(number.size() + 1, 0);
    for (const std::size_t g : group) ++begin_[g + 1];
    for (std::size_t g = 1; g < begin_.size(); ++g) begin_[g] += begin_[g - 1];
    rows_.resize(group.size());
    std::vector<std::size_t> at(begin_.begin(), begin_.end() - 1);
    for (std::size_t i = 0; i < group.size(); ++i) rows_[at[group[i]]++] = i;
  }

  std::size_t groups() const { return begin_.empty() ? 0 : begin_.size() - 1; }
  /// How many groups have a row of the class.
  std::int64_t groups_with(std::span<const std::uint8_t> labels, std::uint8_t label) const {
    std::int64_t count = 0;
    for (std::size_t g = 0; g < groups(); ++g) {
      const auto has = [&](std::size_t row) { return labels[row] == label; };
      count += std::any_of(&rows_[begin_[g]], &rows_[begin_[g]] + (begin_[g + 1] - begin_[g]), has);
    }
    return count;
  }
  /// Adds the rows of one resample to `mass`.
  void add(const Philox& random, double* mass) const {
    const auto add_row = [&](std::size_t row) { mass[slot_[row]] += weights_.empty() ? 1.0 : weights_[row]; };
    if (begin_.empty()) return random.each_below(slot_.size(), slot_.size(), add_row);
    random.each_below(groups(), groups(), [&](std::size_t g) {
      std::for_each(&rows_[begin_[g]], &rows_[begin_[g]] + (begin_[g + 1] - begin_[g]), add_row);
    });
  }

 private:
  std::span<const std::uint32_t> slot_;
  std::span<const double> weights_;
  std::vector<std::size_t> begin_, rows_;
};

// Why these rows, or groups, are too few for intervals, or nothing.
std::string too_few(const BinaryReport& report, std::int64_t least) {
  const bool grouped = report.groups > 0;
  std::string few;
  for (const auto& [name, count] :
       {std::pair("positive", grouped ? report.positive_groups : report.positives),
        std::pair("negative", grouped ? report.negative_groups : report.rows - report.positives)}) {
    if (count >= least) continue;
    few += (few.empty() ? "" : " and ") + std::to_string(count) + (grouped ? count == 1 ? " group" : " groups" : "") +
           (grouped ? " with a " : " ") + name + (grouped || count == 1 ? " row" : " rows");
  }
  return few.empty() ? few : few + ", fewer than " + std::to_string(least);
}

/// Each bin's mean probability less its observed rate, times its share of the rows.
void bin_gaps(const std::vector<double>& bins, std::vector<double>& gaps) {
  double total = 0;
  for (std::size_t b = 0; b < bins.size(); b += 3) total += bins[b];
  gaps.clear();
  for (std::size_t b = 0; b < bins.size(); b += 3) gaps.push_back((bins[b + 1] - bins[b + 2]) / total);
}

}  // namespace

BinaryReport binary_report(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                           const BinaryReportOptions& options) {
  constexpr const char* where = "binary_report";
  constexpr std::int64_t resamples_per_block = 8;
  internal::check_binary(where, probabilities, labels, options.weights, internal::Domain::probability);
  check_options(where, options);
  if (!options.groups.empty() && options.groups.size() != labels.size()) {
    throw ShapeError("[binary_report] expected a group for each of " + std::to_string(labels.size()) + " rows, got " +
                     std::to_string(options.groups.size()));
  }
  const auto groups = internal::group_scores(where, probabilities, labels, options.weights);
  const auto edges = internal::bin_edges(where, probabilities, options.binning, options.bins);
  const BinaryEngine engine(groups, options.threshold, edges);

  BinaryEngine::Scratch scratch;
  const FigureValues values = engine.evaluate(groups.mass, scratch);
  double point[figure_count];
  write_row(values, options, point);
  std::vector<double> gaps;
  bin_gaps(scratch.bins, gaps);
  const Resampler resampler(groups.slot, options);

  BinaryReport report;
  report.rows = static_cast<std::int64_t>(labels.size());
  report.positives = std::count(labels.begin(), labels.end(), std::uint8_t{1});
  report.groups = static_cast<std::int64_t>(resampler.groups());
  report.positive_groups = resampler.groups_with(labels, 1);
  report.negative_groups = resampler.groups_with(labels, 0);
  if (options.resamples > 0) report.no_intervals = too_few(report, options.min_per_class);
  report.resamples = report.no_intervals.empty() ? options.resamples : 0;

  const auto resamples = static_cast<std::size_t>(report.resamples);
  std::vector<double> rows(resamples * figure_count, undefined);
  std::vector<std::uint8_t> one_class(resamples);
  parallel_for(report.resamples, resamples_per_block, [&](std::int64_t begin, std::int64_t end) {
    BinaryEngine::Scratch own;
    std::vector<double> mass(groups.mass.size()), drawn_gaps;
    for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r) {
      std::fill(mass.begin(), mass.end(), 0.0);
      resampler.add(Philox(options.seed, r), mass.data());
      const FigureValues drawn = engine.evaluate(mass, own, &values.calibration);
      // Where every drawn row has weight 0 there is nothing to judge, and the row stays undefined.
      if (!own.points.empty()) {
        double* row = &rows[r * figure_count];
        write_row(drawn, options, row);
        bin_gaps(own.bins, drawn_gaps);
        row[ece_below] = row[ece_above] = 0;
        for (std::size_t b = 0; b < gaps.size(); ++b) {
          row[ece_below] += std::fabs(drawn_gaps[b] - gaps[b]);
          row[ece_above] += std::copysign(1.0, gaps[b]) * (gaps[b] - drawn_gaps[b]);
        }
      }
      one_class[r] = std::isnan(drawn.auroc);
    }
  });

  const auto sorted_figure = [&](std::size_t figure) {
    std::vector<double> sorted;
    sorted.reserve(resamples);
    for (std::size_t r = 0; r < resamples; ++r) {
      const double value = rows[r * figure_count + figure];
      if (!std::isnan(value)) sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  const double upper = (1 + options.confidence) / 2;
  const auto interval = [&](std::size_t figure) {
    Interval result{.value = point[figure], .reason = report.no_intervals};
    if (std::isnan(result.value)) {
      result.reason = figure == slope || figure == intercept ? to_string(values.calibration.status) : reason_of(figure);
    }
    const std::vector<double> sorted = sorted_figure(figure);
    result.undefined_resamples = static_cast<std::int64_t>(resamples - sorted.size());
    if (!sorted.empty() && !std::isnan(result.value)) {
      result.low = tern::internal::quantile_of(sorted, (1 - options.confidence) / 2);
      result.high = tern::internal::quantile_of(sorted, upper);
    }
    return result;
  };
  const auto decided_positive = [&](double threshold) {
    return static_cast<double>(
        std::count_if(probabilities.begin(), probabilities.end(), [&](double p) { return p >= threshold; }));
  };
  const auto ece_interval = [&] {
    Interval result{.value = values.ece, .reason = report.no_intervals};
    const std::vector<double> below = sorted_figure(ece_below), above = sorted_figure(ece_above);
    result.undefined_resamples = static_cast<std::int64_t>(resamples - below.size());
    if (!below.empty()) {
      result.low = std::max(0.0, values.ece - tern::internal::quantile_of(below, upper));
      result.high = values.ece + std::max(0.0, tern::internal::quantile_of(above, upper));
    }
    return result;
  };

  report.confidence = options.confidence;
  report.one_class_resamples = std::count(one_class.begin(), one_class.end(), std::uint8_t{1});
  report.seed = options.seed;
  report.note = options.note;
  const auto precision_interval = [&](std::size_t figure, double decided) {
    Interval result = interval(figure);
    if (!(result.low <= result.high) || decided >= static_cast<double>(options.min_per_class)) return result;
    result.low = result.high = std::numeric_limits<double>::quiet_NaN();
    result.reason = "no interval of fewer than " + std::to_string(options.min_per_class) + " rows decided positive";
    return result;
  };
  report.at_threshold = {options.threshold,  values.at_threshold,
                         interval(accuracy), precision_interval(precision, decided_positive(options.threshold)),
                         interval(recall),   interval(f1)};
  report.at_half = {0.5,
                    values.at_half,
                    interval(half_accuracy),
                    precision_interval(half_precision, decided_positive(0.5)),
                    interval(half_recall),
                    interval(half_f1)};
  report.auroc = interval(auroc_figure);
  report.average_precision = interval(average_precision_figure);
  report.log_loss = interval(log_loss_figure);
  report.brier = interval(brier_figure);
  CalibrationError error = expected_calibration_error(
      probabilities, labels, {.binning = options.binning, .bins = options.bins, .weights = options.weights});
  report.calibration = {interval(slope), interval(intercept), ece_interval(), options.binning, std::move(error.bins)};
  if (options.false_negative_cost > 0 || options.false_positive_cost > 0) {
    report.cost = {options.false_negative_cost, options.false_positive_cost, interval(cost_per_row),
                   interval(cost_always_negative), interval(cost_always_positive)};
  }
  return report;
}

}  // namespace tern::metrics
