#include "tern/metrics/report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/quantile.h"
#include "metrics/check.h"
#include "metrics/groups.h"
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
  ece,
  slope,
  intercept,
  figure_count
};

void write_row(const FigureValues& values, double* row) {
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
  row[ece] = values.ece;
  row[slope] = values.calibration.slope;
  row[intercept] = values.calibration.intercept;
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
}

/// Adds the rows of one resample to `mass`. Draw i is Philox::below(i, rows), two draws a block.
void draw(const Philox& random, std::span<const std::uint32_t> slot, std::span<const double> weights, double* mass) {
  const std::uint64_t rows = slot.size();
  for (std::uint64_t i = 0; i < rows; i += 2) {
    const auto words = random.block(i / 2);
    const std::uint64_t end = std::min<std::uint64_t>(2, rows - i);
    for (std::uint64_t k = 0; k < end; ++k) {
      const std::uint64_t bits = words[2 * k] | std::uint64_t{words[2 * k + 1]} << 32;
      const auto row = static_cast<std::size_t>((static_cast<unsigned __int128>(bits) * rows) >> 64);
      mass[slot[row]] += weights.empty() ? 1.0 : weights[row];
    }
  }
}

}  // namespace

BinaryReport binary_report(std::span<const double> probabilities, std::span<const std::uint8_t> labels,
                           const BinaryReportOptions& options) {
  constexpr const char* where = "binary_report";
  constexpr std::int64_t resamples_per_block = 8;
  internal::check_binary(where, probabilities, labels, options.weights, internal::Domain::probability);
  check_options(where, options);
  const auto groups = internal::group_scores(where, probabilities, labels, options.weights);
  const auto edges = internal::bin_edges(where, probabilities, options.binning, options.bins);
  const BinaryEngine engine(groups, options.threshold, edges);

  BinaryEngine::Scratch scratch;
  const FigureValues values = engine.evaluate(groups.mass, scratch);
  double point[figure_count];
  write_row(values, point);

  const auto resamples = static_cast<std::size_t>(options.resamples);
  std::vector<double> rows(resamples * figure_count, undefined);
  std::vector<std::uint8_t> one_class(resamples);
  parallel_for(options.resamples, resamples_per_block, [&](std::int64_t begin, std::int64_t end) {
    BinaryEngine::Scratch own;
    std::vector<double> mass(groups.mass.size());
    for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r) {
      std::fill(mass.begin(), mass.end(), 0.0);
      draw(Philox(options.seed, r), groups.slot, options.weights, mass.data());
      const FigureValues drawn = engine.evaluate(mass, own, &values.calibration);
      // Where every drawn row has weight 0 there is nothing to judge, and the row stays undefined.
      if (!own.points.empty()) write_row(drawn, &rows[r * figure_count]);
      one_class[r] = std::isnan(drawn.auroc);
    }
  });

  const auto interval = [&](std::size_t figure) {
    Interval result{.value = point[figure]};
    if (std::isnan(result.value)) {
      result.reason = figure == slope || figure == intercept ? to_string(values.calibration.status) : reason_of(figure);
    }
    std::vector<double> sorted;
    sorted.reserve(resamples);
    for (std::size_t r = 0; r < resamples; ++r) {
      const double value = rows[r * figure_count + figure];
      if (!std::isnan(value)) sorted.push_back(value);
    }
    result.undefined_resamples = static_cast<std::int64_t>(resamples - sorted.size());
    if (!sorted.empty() && !std::isnan(result.value)) {
      std::sort(sorted.begin(), sorted.end());
      result.low = tern::internal::quantile_of(sorted, (1 - options.confidence) / 2);
      result.high = tern::internal::quantile_of(sorted, (1 + options.confidence) / 2);
    }
    return result;
  };

  BinaryReport report;
  report.rows = static_cast<std::int64_t>(labels.size());
  report.positives = std::count(labels.begin(), labels.end(), std::uint8_t{1});
  report.confidence = options.confidence;
  report.resamples = options.resamples;
  report.one_class_resamples = std::count(one_class.begin(), one_class.end(), std::uint8_t{1});
  report.seed = options.seed;
  report.note = options.note;
  report.at_threshold = {options.threshold,   values.at_threshold, interval(accuracy),
                         interval(precision), interval(recall),    interval(f1)};
  report.at_half = {
      0.5, values.at_half, interval(half_accuracy), interval(half_precision), interval(half_recall), interval(half_f1)};
  report.auroc = interval(auroc_figure);
  report.average_precision = interval(average_precision_figure);
  report.log_loss = interval(log_loss_figure);
  report.brier = interval(brier_figure);
  CalibrationError error = expected_calibration_error(
      probabilities, labels, {.binning = options.binning, .bins = options.bins, .weights = options.weights});
  report.calibration = {interval(slope), interval(intercept), interval(ece), options.binning, std::move(error.bins)};
  return report;
}

}  // namespace tern::metrics
