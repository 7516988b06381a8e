#include <charconv>
#include <cmath>

#include "base/json.h"
#include "metrics/check.h"
#include "tern/metrics/report.h"

namespace tern::metrics {
namespace {

using Json = tern::internal::OrderedJson;

std::string fixed(double value) {
  if (std::isnan(value)) return "-";
  char text[340];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 4).ptr;
  return std::string(text, end);
}

std::string line(const std::string& name, const Interval& figure) {
  constexpr std::size_t name_width = 24, number_width = 11;
  std::string text = "  " + name;
  text.resize(std::max(text.size() + 1, name_width), ' ');
  for (const double value : {figure.value, figure.low, figure.high}) {
    const std::string cell = fixed(value);
    text += std::string(number_width > cell.size() ? number_width - cell.size() : 1, ' ') + cell;
  }
  if (std::isnan(figure.value)) text += "  (" + figure.reason + ")";
  if (figure.reason.empty() && figure.undefined_resamples > 0) {
    text += "  (" + std::to_string(figure.undefined_resamples) + " resamples without a value)";
  }
  return text + "\n";
}

std::string decisions(const ThresholdFigures& figures) {
  const auto count = [](double value) { return internal::number_text(value); };
  const BinaryConfusion& c = figures.confusion;
  return "at threshold " + internal::number_text(figures.threshold) + ": " + count(c.true_positive) +
         " true positive, " + count(c.false_positive) + " false positive, " + count(c.false_negative) +
         " false negative, " + count(c.true_negative) + " true negative\n" + line("accuracy", figures.accuracy) +
         line("precision", figures.precision) + line("recall", figures.recall) + line("f1", figures.f1);
}

Json json_of(const Interval& figure) {
  Json json = {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
  if (!figure.reason.empty()) json["reason"] = figure.reason;
  if (figure.undefined_resamples > 0) json["undefined_resamples"] = figure.undefined_resamples;
  return json;
}

void write_decisions(const ThresholdFigures& figures, Json& json) {
  json["accuracy"] = json_of(figures.accuracy);
  json["precision"] = json_of(figures.precision);
  json["recall"] = json_of(figures.recall);
  json["f1"] = json_of(figures.f1);
}

Json json_of(const ThresholdFigures& figures) {
  Json json = {{"threshold", figures.threshold}};
  write_decisions(figures, json);
  json["confusion"] = {{"true_positive", figures.confusion.true_positive},
                       {"false_positive", figures.confusion.false_positive},
                       {"false_negative", figures.confusion.false_negative},
                       {"true_negative", figures.confusion.true_negative}};
  return json;
}

Json json_of(const CalibrationFigures& figures) {
  Json error = json_of(figures.ece);
  error["binning"] = to_string(figures.binning);
  error["bins"] = Json::array();
  for (const CalibrationBin& bin : figures.bins) {
    error["bins"].push_back({{"low", bin.low},
                             {"high", bin.high},
                             {"rows", bin.rows},
                             {"weight", bin.weight},
                             {"mean_probability", bin.mean_probability},
                             {"observed_rate", bin.observed_rate}});
  }
  return {{"slope", json_of(figures.slope)}, {"intercept", json_of(figures.intercept)}, {"ece", std::move(error)}};
}

Json json_of(const CostFigures& cost, const BinaryConfusion& c) {
  const auto priced = [&](const Interval& per_row, double missed, double alarms) {
    return Json{{"total", cost.false_negative * missed + cost.false_positive * alarms}, {"per_row", json_of(per_row)}};
  };
  Json json = {{"false_negative", cost.false_negative}, {"false_positive", cost.false_positive}};
  json.update(priced(cost.per_row, c.false_negative, c.false_positive));
  json["always_negative"] = priced(cost.always_negative, c.true_positive + c.false_negative, 0);
  json["always_positive"] = priced(cost.always_positive, 0, c.false_positive + c.true_negative);
  return json;
}

bool has_cost(const BinaryReport& report) { return report.cost.false_negative > 0 || report.cost.false_positive > 0; }

}  // namespace

std::string to_string(const BinaryReport& report) {
  std::string text = report.note.empty() ? "" : report.note + "\n";
  text += std::to_string(report.rows) + " rows, " + std::to_string(report.positives) + " positive";
  if (report.resamples > 0) {
    text += "; " + internal::number_text(100 * report.confidence) + " % intervals from " +
            std::to_string(report.resamples) + " bootstrap resamples" +
            (report.groups > 0 ? " of " + std::to_string(report.groups) + " whole groups" : std::string()) + " (" +
            std::string(interval_label) + ")";
    if (report.one_class_resamples > 0) {
      text += ", " + std::to_string(report.one_class_resamples) + " of them with one class";
    }
  }
  if (!report.no_intervals.empty()) text += "; no intervals: " + report.no_intervals;
  text += "\n                              value        low       high\n";
  text +=
      line("auroc", report.auroc) + line("average precision", report.average_precision) +
      line("log loss", report.log_loss) + line("brier", report.brier) +
      line("calibration slope", report.calibration.slope) +
      line("calibration intercept", report.calibration.intercept) +
      line("ece (" + std::to_string(report.calibration.bins.size()) + " " + to_string(report.calibration.binning) + ")",
           report.calibration.ece);
  text += decisions(report.at_threshold);
  if (has_cost(report)) {
    text += line("cost per row", report.cost.per_row) + line("always negative", report.cost.always_negative) +
            line("always positive", report.cost.always_positive);
  }
  if (report.at_threshold.threshold != report.at_half.threshold) text += decisions(report.at_half);
  return text;
}

std::string to_json(const BinaryReport& report) {
  Json json = {{"rows", report.rows}, {"positives", report.positives}};
  if (!report.note.empty()) json["note"] = report.note;
  json["threshold"] = report.at_threshold.threshold;
  json["label"] = interval_label;
  json["resampled"] = report.groups > 0 ? "groups" : "rows";
  if (report.groups > 0) json["groups"] = report.groups;
  json["confidence"] = report.confidence;
  json["resamples"] = report.resamples;
  if (!report.no_intervals.empty()) json["no_intervals"] = report.no_intervals;
  json["one_class_resamples"] = report.one_class_resamples;
  json["seed"] = report.seed;
  write_decisions(report.at_threshold, json);
  json["auroc"] = json_of(report.auroc);
  json["average_precision"] = json_of(report.average_precision);
  json["log_loss"] = json_of(report.log_loss);
  json["brier"] = json_of(report.brier);
  json["calibration"] = json_of(report.calibration);
  if (has_cost(report)) json["cost"] = json_of(report.cost, report.at_threshold.confusion);
  json["at_threshold"] = json_of(report.at_threshold);
  json["at_0.5"] = json_of(report.at_half);
  return tern::internal::json_text(json, {.indent = 2, .replace = true});
}

}  // namespace tern::metrics
