#include "tern/train/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <tuple>

#include "base/json.h"

namespace tern::train {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

// A sum of costs: all of its digits, and no more.
std::string amount(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

std::string counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

bool has_cost(const metrics::BinaryReport& report) {
  return report.cost.false_negative > 0 || report.cost.false_positive > 0;
}

double total_cost(const metrics::CostFigures& cost, double missed, double alarms) {
  return cost.false_negative * missed + cost.false_positive * alarms;
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
  const metrics::BinaryConfusion& c = r.at_threshold.confusion;
  const auto decided = [](double right, double wrong) {
    return amount(right + wrong) + ", " + amount(right) + " right";
  };
  std::vector<std::pair<std::string, std::string>> rows = {
      {"AUROC", with_interval(r.auroc)},
      {"average precision", with_interval(r.average_precision)},
      {"log loss", with_interval(r.log_loss)},
      {"Brier score", with_interval(r.brier)},
      {"threshold", number(r.at_threshold.threshold)},
      {"accuracy", with_interval(r.at_threshold.accuracy)},
      {"precision", with_interval(r.at_threshold.precision)},
      {"recall", with_interval(r.at_threshold.recall)},
      {"F1", with_interval(r.at_threshold.f1)},
      {"decided positive", decided(c.true_positive, c.false_positive)},
      {"decided negative", decided(c.true_negative, c.false_negative)}};
  if (has_cost(r)) {
    rows.emplace_back("cost per row", with_interval(r.cost.per_row));
    rows.emplace_back("cost in all", amount(total_cost(r.cost, c.false_negative, c.false_positive)));
  }
  rows.emplace_back("calibration slope", with_interval(r.calibration.slope));
  rows.emplace_back("calibration intercept", with_interval(r.calibration.intercept));
  rows.emplace_back("ECE", with_interval(r.calibration.ece));
  return rows;
}

internal::OrderedJson figures_json(const Judged& judged, bool binary) {
  if (binary) return internal::parse_ordered_json(metrics::to_json(judged.binary));
  internal::OrderedJson json = internal::OrderedJson::object();
  for (const auto& [name, value] : judged.figures) {
    json[name]["value"] = std::isnan(value) ? internal::OrderedJson(nullptr) : internal::OrderedJson(value);
  }
  return json;
}

// Why figures of the table are undefined, each reason once.
std::string undefined(const Report& report) {
  std::vector<std::string> reasons;
  const auto look = [&](const Judged& judged) {
    const metrics::BinaryReport& r = judged.binary;
    for (const metrics::Interval* figure : {&r.auroc, &r.average_precision, &r.at_threshold.precision,
                                            &r.at_threshold.recall, &r.at_threshold.f1, &r.calibration.slope}) {
      const std::string& reason = figure->reason;
      if (!std::isnan(figure->value) || std::find(reasons.begin(), reasons.end(), reason) != reasons.end()) continue;
      reasons.push_back(reason);
    }
  };
  look(report.model);
  for (const Judged& baseline : report.baselines) look(baseline);
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "  -: undefined, because " : "; ") + reason;
  return text.empty() ? text : text + '\n';
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
  } else if (!judged.no_intervals.empty()) {
    text += "  no intervals: " + judged.no_intervals + '\n';
  }
  text += undefined(report);
  const bool own = std::any_of(report.baselines.begin(), report.baselines.end(), [&](const Judged& baseline) {
    return baseline.binary.at_threshold.threshold != judged.at_threshold.threshold;
  });
  if (own) {
    text += "  threshold: each predictor's own, chosen on validation rows by the same rule" +
            (report.threshold_rule.empty() ? "" : " (" + report.threshold_rule + ")") + '\n';
  }
  if (has_cost(judged)) {
    const metrics::CostFigures& cost = judged.cost;
    const auto negatives = static_cast<double>(judged.rows - judged.positives);
    const auto always = [&](const std::string& name, const metrics::Interval& per_row, double missed, double alarms) {
      return "always \"" + name + "\" would cost " + with_interval(per_row) + " a row, " +
             amount(total_cost(cost, missed, alarms)) + " in all";
    };
    text += "  cost: " + amount(cost.false_negative) + " a missed \"" + report.positive + "\", " +
            amount(cost.false_positive) + " a false alarm; " +
            always(report.negative, cost.always_negative, static_cast<double>(judged.positives), 0) + "; " +
            always(report.positive, cost.always_positive, 0, negatives) + '\n';
  }
  if (!report.baselines.empty()) text += "  prior: everybody gets the training rows' share of positives\n";
  return text + "  ECE: mean gap between probability and observed rate, over " +
         std::to_string(judged.calibration.bins.size()) + " " + to_string(judged.calibration.binning) + " bins\n";
}

}  // namespace

RowCounts count_rows(std::span<const std::uint8_t> labels, std::span<const std::int64_t> groups) {
  RowCounts counts{.rows = static_cast<std::int64_t>(labels.size()),
                   .positives = std::count(labels.begin(), labels.end(), std::uint8_t{1})};
  if (groups.empty()) return counts;
  std::set<std::int64_t> all, with[2];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    all.insert(groups[i]);
    with[labels[i] == 1].insert(groups[i]);
  }
  counts.groups = std::ssize(all);
  counts.negative_groups = std::ssize(with[0]);
  counts.positive_groups = std::ssize(with[1]);
  return counts;
}

std::string few_rows(const RowCounts& counts) {
  constexpr std::int64_t least_rows = 100, least_of_a_class = 30, least_groups = 30;
  std::string few;
  bool hopeless = false;
  const auto add = [&](const std::string& text) { few += (few.empty() ? "" : ", ") + text; };
  if (counts.rows < least_rows) add(counted(counts.rows, "row"));
  if (counts.groups > 0 && counts.groups < least_groups) add(counted(counts.groups, "group"));
  if (counts.positives >= 0) {
    for (const auto& [name, rows, groups] :
         {std::tuple("positive", counts.positives, counts.positive_groups),
          std::tuple("negative", counts.rows - counts.positives, counts.negative_groups)}) {
      if (rows < least_of_a_class) add(counted(rows, std::string(name) + " row"));
      const bool few_groups = counts.groups > 0 && groups >= 0 && groups < min_rows_to_judge;
      if (few_groups && groups < counts.groups) add(counted(groups, "group") + " with a " + name + " row");
      hopeless = hopeless || few_groups || rows < min_rows_to_judge;
    }
  }
  if (few.empty()) return few;
  return "only " + few +
         (hopeless
              ? ": too few to judge a model by; other rows may give quite other figures, and no intervals are given"
              : ": the figures are uncertain, and their intervals rough");
}

std::string beaten_by_prior(const Report& report) {
  const auto prior = std::find_if(report.baselines.begin(), report.baselines.end(),
                                  [](const Judged& judged) { return judged.name == "prior"; });
  if (!report.binary || prior == report.baselines.end()) return {};
  const metrics::BinaryReport& model = report.model.binary;
  if (!(model.log_loss.value > prior->binary.log_loss.value * (1 + 1e-9))) return {};
  // Without an interval the value itself has to do.
  const double order = std::isnan(model.auroc.low) ? model.auroc.value : model.auroc.low;
  const bool close = number(model.log_loss.value) == number(prior->binary.log_loss.value);
  return "the log loss of the model, " + number(model.log_loss.value) + ", is " + (close ? "barely " : "") +
         "above that of the prior, " + number(prior->binary.log_loss.value) +
         ": its probabilities are worth less than the training rows' share given to everybody" +
         (order > 0.5 ? ", though it orders rows better than chance does"
                      : ", and nothing shows that it orders rows better than chance does");
}

std::string to_string(const Report& report) {
  std::string text = report.rows_name + ": " + counted(report.rows, "row");
  if (report.binary) {
    text += ", " + std::to_string(report.model.binary.positives) + " positive";
    if (!report.positive.empty()) text += " (" + report.target + " \"" + report.positive + "\")";
  }
  if (!report.note.empty()) text += "; " + report.note;
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
  if (!report.target.empty()) json["target"] = report.target;
  if (report.binary && !report.positive.empty()) {
    json["positive_class"] = report.positive;
    json["negative_class"] = report.negative;
    json["threshold_rule"] = report.threshold_rule;
  }
  internal::OrderedJson baselines = internal::OrderedJson::object();
  for (const Judged& baseline : report.baselines) baselines[baseline.name] = figures_json(baseline, report.binary);
  json["baselines"] = std::move(baselines);
  return internal::json_text(json, {.indent = 2});
}

}  // namespace tern::train
