#include "hints.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <unordered_map>

#include "model.h"

using namespace tern;

namespace {

// A date of birth is no time at which a row was made.
bool tells_of_birth(const std::string& name) {
  std::string low;
  for (const char c : name) low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low.find("birth") != std::string::npos || low.find("born") != std::string::npos || low == "dob";
}

}  // namespace

void warn_of_random_split(const data::Table& rows, const data::Table& training, const TrainOptions& options,
                          const std::vector<FoundLeak>& leaks, Journey& journey) {
  for (const std::string& name : training.names()) {
    const data::Column& column = training.column(name);
    if (column.type() != data::ColumnType::timestamp || column.null_count() == column.size()) continue;
    if (name == options.target || name == options.id || tells_of_birth(name)) continue;
    if (std::any_of(leaks.begin(), leaks.end(), [&](const FoundLeak& found) { return found.leak.column == name; })) {
      continue;
    }
    const std::int64_t blank = rows.column(name).null_count();
    journey.warn("\"" + name +
                 "\" is a time: a random split trains on rows that are later than test rows, and the figures may be "
                 "optimistic; --split " +
                 shell_quoted("time:" + name) + " tests on the latest rows" +
                 (blank > 0 ? ", and drops " + counted(blank, "row") + " without one" : ""));
  }
  for (const data::RepeatingKey& key :
       data::find_repeating_keys(rows, {.target = options.target, .id = options.id, .formats = false})) {
    journey.warn("\"" + key.name + "\" repeats, with " + std::to_string(key.values) + " values in " +
                 std::to_string(rows.rows()) + " rows (" + key.reason +
                 "): if each is one customer, a random split puts it into training and test, and the figures may be "
                 "optimistic; --split " +
                 shell_quoted("group:" + key.name) + " keeps them together");
  }
}

void note_spellings(const data::Table& rows, const std::vector<std::string>& columns, Journey& journey) {
  for (const std::string& name : columns) {
    std::vector<std::string> values;
    for (const data::Spellings& spellings : data::find_spellings(rows.column(name))) {
      std::string value;
      for (const auto& [text, count] : spellings) {
        value += (value.empty() ? "\"" : " and \"") + text + "\" (" + std::to_string(count) +
                 (count == 1 ? " row)" : " rows)");
      }
      values.push_back(std::move(value));
    }
    if (values.empty()) continue;
    journey.note("column \"" + name + "\": " + join(values, 3) +
                 " differ only in case or blanks and are levels of their own; written alike in the file they are one");
  }
}

bool is_text(const data::Column& column) {
  return column.type() == data::ColumnType::string || column.type() == data::ColumnType::categorical;
}

Levels count_levels(const data::Column& column) {
  std::unordered_map<std::string, std::int64_t> rows;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (!column.is_null(row)) ++rows[column.text(row)];
  }
  Levels found;
  for (const auto& [level, count] : rows) {
    const bool rare = count < min_level_rows;
    found.own += !rare;
    found.rare += rare;
    found.rare_rows += rare ? count : 0;
  }
  return found;
}

void note_rare_levels(const data::Table& training, const std::vector<std::string>& columns, const std::string& model,
                      Journey& journey) {
  for (const std::string& name : columns) {
    const data::Column& column = training.column(name);
    // It should be numbers, as a note of its values says, or is a key that repeats.
    const auto said = [](const std::vector<std::string>& texts, const std::string& begin, const char* what) {
      return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return text.starts_with(begin) && text.find(what) != std::string::npos;
      });
    };
    if (!is_text(column) || said(journey.notes(), "column \"" + name + "\": ", "kept as text for the others")) continue;
    if (said(journey.warnings(), "\"" + name + "\" has ", "")) continue;
    const Levels levels = count_levels(column);
    const std::int64_t rows = column.size() - column.null_count();
    if (levels.rare < 2 || levels.rare_rows * 2 < rows) continue;
    journey.note(
        "column \"" + name + "\": " + std::to_string(levels.rare_rows) + " of " + std::to_string(rows) +
        " training rows have a value that fewer than " + std::to_string(min_level_rows) + " share; these " +
        std::to_string(levels.rare) +
        (model == "gbdt" ? " values are taken as missing, beside " : " values are one level, <other>, beside ") +
        std::to_string(levels.own) + " of their own: the column says little, and --drop " +
        shell_quoted(list_item(name)) + " leaves it out");
  }
}
