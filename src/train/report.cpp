#include "tern/train/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/json.h"

namespace tern::train {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

std::string with_interval(const metrics::Interval& figure) {
  std::string text = number(figure.value);
  if (!std::isnan(figure.low)) text += " [" + number(figure.low) + ", " + number(figure.high) + "]";
  return text;
}

std::vector<std::pair<std::string, std::string>> cells(const Judged& judged, bool binary) {
  if (!binary) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const auto& [name, value] : judged.figures) rows.emplace_back(name, number(value));
    return rows;
  }
  const metrics::BinaryReport& r = judged.binary;
  return {{"AUROC", with_interval(r.auroc)},
          {"average precision", with_interval(r.average_precision)},
          {"log loss", with_interval(r.log_loss)},
          {"Brier score", with_interval(r.brier)},
          {"threshold", number(r.at_threshold.threshold)},
          {"accuracy", with_interval(r.at_threshold.accuracy)},
          {"precision", with_interval(r.at_threshold.precision)},
          {"recall", with_interval(r.at_threshold.recall)},
          {"F1", with_interval(r.at_threshold.f1)},
          {"calibration slope", with_interval(r.calibration.slope)},
          {"calibration intercept", with_interval(r.calibration.intercept)},
          {"ECE", with_interval(r.calibration.ece)}};
}

internal::OrderedJson figures_json(const Judged& judged, bool binary) {
  if (binary) return internal::OrderedJson::parse(metrics::to_json(judged.binary));
  internal::OrderedJson json = internal::OrderedJson::object();
  for (const auto& [name, value] : judged.figures) {
    json[name]["value"] = std::isnan(value) ? internal::OrderedJson(nullptr) : internal::OrderedJson(value);
  }
  return json;
}

// What the words of the table mean, a line each.
std::string explained(const Report& report) {
  const metrics::BinaryReport& judged = report.model.binary;
  std::string text;
  if (judged.resamples > 0) {
    char confidence[16];
    std::snprintf(confidence, sizeof confidence, "%g", 100 * judged.confidence);
    text += "  [low, high]: " + std::string(confidence) + " % bootstrap" +
            (judged.groups > 0 ? " of " + std::to_string(judged.groups) + " whole groups" : "") + ", " +
            std::string(metrics::interval_label) + '\n';
  }
  const bool own = std::any_of(report.baselines.begin(), report.baselines.end(), [&](const Judged& baseline) {
    return baseline.binary.at_threshold.threshold != judged.at_threshold.threshold;
  });
  if (own) text += "  threshold: each predictor's own, chosen on validation rows by the same rule\n";
  if (!report.baselines.empty()) text += "  prior: everybody gets the training rows' share of positives\n";
  return text + "  ECE: mean gap between probability and observed rate, over " +
         std::to_string(judged.calibration.bins.size()) + " " + to_string(judged.calibration.binning) + " bins\n";
}

}  // namespace

std::string few_rows(const RowCounts& counts) {
  constexpr std::int64_t least_rows = 100, least_of_a_class = 30, least_groups = 30;
  std::string few;
  const auto add = [&](const std::string& text) { few += (few.empty() ? "" : ", ") + text; };
  if (counts.rows < least_rows) add(std::to_string(counts.rows) + " rows");
  if (counts.positives >= 0 && counts.positives < least_of_a_class) {
    add(std::to_string(counts.positives) + " positive rows");
  }
  if (counts.positives >= 0 && counts.rows - counts.positives < least_of_a_class) {
    add(std::to_string(counts.rows - counts.positives) + " negative rows");
  }
  if (counts.groups > 0 && counts.groups < least_groups) add(std::to_string(counts.groups) + " groups");
  return few.empty() ? "" : "only " + few + ": the figures are uncertain, and their intervals rough";
}

std::string to_string(const Report& report) {
  std::string text = report.rows_name + ": " + std::to_string(report.rows) + " rows";
  if (report.binary) text += ", " + std::to_string(report.model.binary.positives) + " positive";
  if (!report.note.empty()) text += " (" + report.note + ")";
  text += '\n';
  if (!report.warning.empty()) text += "  warning: " + report.warning + '\n';
  std::vector<std::vector<std::string>> columns{{""}};
  for (const auto& [name, value] : cells(report.model, report.binary)) columns[0].push_back(name);
  const auto add = [&](const Judged& judged) {
    columns.push_back({judged.name});
    for (const auto& [name, value] : cells(judged, report.binary)) columns.back().push_back(value);
  };
  add(report.model);
  std::string same;
  for (const Judged& baseline : report.baselines) {
    if (cells(baseline, report.binary) == cells(report.model, report.binary)) {
      same += "  " + baseline.name + ": the same figures as the model\n";
    } else {
      add(baseline);
    }
  }
  std::vector<std::size_t> widths;
  for (const auto& column : columns) {
    std::size_t width = 0;
    for (const std::string& cell : column) width = std::max(width, cell.size());
    widths.push_back(width);
  }
  for (std::size_t row = 0; row < columns[0].size(); ++row) {
    std::string line = " ";
    for (std::size_t c = 0; c < columns.size(); ++c) {
      line += " " + columns[c][row] + std::string(widths[c] - columns[c][row].size() + 1, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  text += same;
  if (report.binary) text += explained(report);
  return text;
}

std::string to_json(const Report& report) {
  internal::OrderedJson json = figures_json(report.model, report.binary);
  json["rows"] = report.rows;
  json["note"] = report.note;
  if (!report.warning.empty()) json["warning"] = report.warning;
  internal::OrderedJson baselines = internal::OrderedJson::object();
  for (const Judged& baseline : report.baselines) baselines[baseline.name] = figures_json(baseline, report.binary);
  json["baselines"] = std::move(baselines);
  return json.dump(2);
}

}  // namespace tern::train
