#include "bundle/card.h"

#include <cstdio>
#include <functional>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace tern::internal {
namespace {

// A name of the data within Markdown: one line of code, whatever it holds.
std::string code(const std::string& text) {
  std::string clean;
  for (const char c : text) clean += c == '`' ? '\'' : c == '|' ? '/' : static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return "`" + clean + "`";
}

std::string number(const Json& value) {
  if (!value.is_number()) return "undefined";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value.get<double>());
  return text;
}

std::string figure(const Json& judged, const std::string& name) {
  const auto found = judged.find(name);
  if (found == judged.end() || !found->is_object() || !found->contains("value")) return "";
  std::string text = number(found->at("value"));
  if (found->contains("low") && found->at("low").is_number()) {
    text += " [" + number(found->at("low")) + ", " + number(found->value("high", Json())) + "]";
  }
  return text;
}

void add_cell(std::string& line, const std::string& cell) {
  line += ' ';
  line += cell;
  line += " |";
}

// A table of the figures that have a value, the model beside its baselines.
std::string figures(const std::string& report) {
  const Json judged = parse_json(report, "report");
  const Json baselines = judged.value("baselines", Json::object());
  std::string text = "| figure | model |", rule = "|---|---|";
  for (const auto& [name, unused] : baselines.items()) {
    add_cell(text, name);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  const auto add_row = [&](const std::string& name, const std::function<std::string(const Json&)>& value_of) {
    const std::string value = value_of(judged);
    if (value.empty()) return;
    text += '|';
    add_cell(text, name);
    add_cell(text, value);
    for (const auto& [baseline, values] : baselines.items()) add_cell(text, value_of(values));
    text += '\n';
  };
  for (const auto& [name, unused] : judged.items()) {
    add_row(name, [&, &key = name](const Json& from) { return figure(from, key); });
  }
  add_row("cost per row", [](const Json& from) { return figure(from.value("cost", Json::object()), "per_row"); });
  for (const char* key : {"slope", "intercept", "ece"}) {
    add_row(std::string("calibration ") + key,
            [&](const Json& from) { return figure(from.value("calibration", Json::object()), key); });
  }
  return text;
}

std::string note_of(const std::string& report) {
  const Json judged = parse_json(report, "report");
  const auto note = judged.find("note");
  return note != judged.end() && note->is_string() ? note->get<std::string>() : "";
}

// A text of the data within a list: no Markdown, no line of its own.
std::string plain(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    if (std::string_view("\\`*_[]<>#|").find(c) != std::string_view::npos) clean += '\\';
    clean += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return clean;
}

// What was said against the figures, by the program when it trained and by the reports.
std::string warnings(const CardFacts& facts) {
  std::string text;
  const Json settings = parse_json(facts.provenance.settings, "settings");
  if (const auto told = settings.find("warnings"); told != settings.end() && told->is_array()) {
    for (const Json& warning : *told) {
      if (warning.is_string()) text += "- " + plain(warning.get<std::string>()) + "\n";
    }
  }
  for (const auto& [rows, report] : {std::pair("validation rows", &facts.validation), {"test rows", &facts.test}}) {
    if (report->empty()) continue;
    const Json judged = parse_json(*report, "report");
    const auto warning = judged.find("warning");
    if (warning == judged.end() || !warning->is_string() || warning->get<std::string>().empty()) continue;
    const std::string line = "- " + std::string(rows) + ": " + plain(warning->get<std::string>()) + "\n";
    if (text.find(line) == std::string::npos) text += line;  // few rows may have been warned of when it trained
  }
  return text;
}

std::string rows_of(const std::string& report) {
  const Json judged = parse_json(report, "report");
  const auto rows = judged.find("rows");
  return rows != judged.end() && rows->is_number_integer() ? std::to_string(rows->get<std::int64_t>()) : "unknown";
}

const char* kind_of(const train::Task& task) {
  switch (task.kind()) {
    case train::TaskKind::binary:
      return "two classes";
    case train::TaskKind::multiclass:
      return "several classes";
    case train::TaskKind::regression:
      return "regression";
  }
  return "";
}

}  // namespace

std::string model_card(const CardFacts& facts) {
  const train::Task& task = facts.task;
  const Provenance& provenance = facts.provenance;
  const bool regression = task.kind() == train::TaskKind::regression;
  std::string text = "---\nlibrary_name: tern\npipeline_tag: ";
  text += regression ? "tabular-regression" : "tabular-classification";
  text += "\ntags:\n  - tabular\n---\n\n# Model for " + code(task.target()) + "\n\n";
  text += "Made on " + provenance.created +
          " with Tern (`environment.json`). Only facts that this bundle holds stand here.\n";

  text += "\n## What it predicts\n\n- target: " + code(task.target()) + " (" + kind_of(task) + ")\n";
  if (!regression) {
    text += "- classes: ";
    for (std::size_t i = 0; i < task.classes().size(); ++i) text += (i ? ", " : "") + code(task.classes()[i]);
    text += "\n";
  }
  if (task.kind() == train::TaskKind::binary) {
    char threshold[32];
    std::snprintf(threshold, sizeof threshold, "%.6g", task.threshold());
    text += "- positive class: " + code(task.positive()) + ", decided from probability " + threshold + " on (rule " +
            code(metrics::to_string(task.threshold_rule())) + ")\n";
  }
  text += "- " + facts.model + ", features: " + std::to_string(facts.pipeline.width()) +
          "\n\n| column read | type |\n|---|---|\n";
  for (const data::InputColumn& input : facts.pipeline.inputs()) {
    text += "| " + code(input.name) + " | " + std::string(to_string(input.type)) + " |\n";
  }

  text += "\n## Data\n\n";
  if (!provenance.input_file.empty()) text += "- file: " + code(provenance.input_file) + "\n";
  if (!provenance.input_sha256.empty()) text += "- SHA-256: " + code(provenance.input_sha256) + "\n";
  text += "- rows: " + std::to_string(provenance.train_rows.size()) + " train, " +
          std::to_string(provenance.validation_rows.size()) + " validation, " +
          (provenance.test_rows.empty() ? std::string("no test rows recorded")
                                        : std::to_string(provenance.test_rows.size()) + " test") +
          "; their ids stand in `splits.safetensors`\n- seed: " + std::to_string(provenance.seed) + "\n";

  const bool judged = facts.validation != "{}";
  text += "\n## Figures\n\n";
  if (judged) {
    text += "Validation, " + rows_of(facts.validation) + " rows, used for selection:\n\n" + figures(facts.validation);
  } else {
    text += "None of validation rows: the model was put into the bundle without a report.\n";
  }
  const std::int64_t opened = times_opened(facts.ledger);
  text += "\nTest rows: opened " + std::to_string(opened) + (opened == 1 ? " time" : " times") + " (`ledger.jsonl`).\n";
  if (!facts.test.empty()) {
    text += "Figures when they were last opened, " + rows_of(facts.test) + " rows (" + note_of(facts.test) + "):\n\n" +
            figures(facts.test);
  }

  if (const std::string told = warnings(facts); !told.empty()) text += "\n## Warnings\n\n" + told;
  text += "\n## Limits\n\n";
  if (judged) {
    text += "- Validation figures were used to select the ";
    text += facts.module ? "epoch" : "model";
    text += " and the threshold: they lean to the good side.\n";
  }
  if (opened == 0) text += "- The model has not been judged on test rows.\n";
  if (opened > 1)
    text += "- Test rows opened more than once lose their independence if choices were made in between.\n";
  text +=
      "- 95 % bootstrap intervals in brackets cover the sampling of the judged rows only, without refitting.\n"
      "- The rows come from the file above; other times, places and populations have not been judged.\n";
  return text;
}

}  // namespace tern::internal
