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

}  // namespace

std::string to_string(const Report& report) {
  std::string text = report.rows_name + ": " + std::to_string(report.rows) + " rows";
  if (report.binary) {
    text += ", " + std::to_string(report.model.binary.positives) + " positive, threshold " +
            number(report.model.binary.at_threshold.threshold);
  }
  if (!report.note.empty()) text += " (" + report.note + ")";
  text += '\n';
  std::vector<std::vector<std::string>> columns{{""}};
  for (const auto& [name, value] : cells(report.model, report.binary)) columns[0].push_back(name);
  const auto add = [&](const Judged& judged) {
    columns.push_back({judged.name});
    for (const auto& [name, value] : cells(judged, report.binary)) columns.back().push_back(value);
  };
  add(report.model);
  for (const Judged& baseline : report.baselines) add(baseline);
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
  if (report.binary && !report.baselines.empty()) text += "  the baselines decide at the model's threshold\n";
  if (report.binary && report.model.binary.resamples > 0) {
    text += "  [low, high]: 95 % bootstrap, " + std::string(metrics::interval_label) + '\n';
  }
  return text;
}

std::string to_json(const Report& report) {
  internal::OrderedJson json = figures_json(report.model, report.binary);
  json["rows"] = report.rows;
  json["note"] = report.note;
  internal::OrderedJson baselines = internal::OrderedJson::object();
  for (const Judged& baseline : report.baselines) baselines[baseline.name] = figures_json(baseline, report.binary);
  json["baselines"] = std::move(baselines);
  return json.dump(2);
}

}  // namespace tern::train
