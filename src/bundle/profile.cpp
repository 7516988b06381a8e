#include "tern/bundle/profile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/quantile.h"
#include "tern/base/error.h"
#include "tern/data/formats.h"

namespace tern {
namespace {

using internal::Json;
using internal::OrderedJson;
using internal::quantile_of;

constexpr std::size_t few = profile_min_rows;
constexpr std::size_t max_levels = 1000;  // of a column; the rest is summed with the rare ones

// Bins between the deciles, each of at least ten rows; the outer two are open, so that no extreme is told.
OrderedJson histogram(const std::vector<double>& sorted) {
  std::vector<double> edges;
  for (int i = 1; i < 10; ++i) edges.push_back(quantile_of(sorted, i / 10.0));
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::vector<double> kept;
  std::vector<std::size_t> counts;
  std::size_t begin = 0;
  for (const double edge : edges) {
    const auto end = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), edge) - sorted.begin());
    if (end - begin < few || sorted.size() - end < few) continue;
    kept.push_back(edge);
    counts.push_back(end - begin);
    begin = end;
  }
  counts.push_back(sorted.size() - begin);
  return {{"edges", kept}, {"counts", counts}};
}

// Who each row is of: a person may have several, and what fewer than ten persons share is told of nobody.
using Groups = std::span<const std::int64_t>;

// The value up to which `few` persons lie, from one end on; none where there are fewer.
template <class Iterator>
std::optional<double> end_of(Iterator begin, Iterator end) {
  std::unordered_set<std::int64_t> persons;
  for (; begin != end; ++begin) {
    persons.insert(begin->second);
    if (persons.size() == few) return begin->first;
  }
  return std::nullopt;
}

void add_numbers(OrderedJson& column, const std::vector<double>& numbers, Groups groups, bool moments) {
  std::vector<std::pair<double, std::int64_t>> rows;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::isfinite(numbers[i]))
      rows.emplace_back(numbers[i], groups.empty() ? static_cast<std::int64_t>(i) : groups[i]);
  }
  if (rows.size() < 2 * few) return;  // below, the 10th smallest would lie above the 10th largest
  std::sort(rows.begin(), rows.end());
  const auto lowest = end_of(rows.begin(), rows.end()), highest = end_of(rows.rbegin(), rows.rend());
  if (!lowest || !highest || *lowest > *highest) return;
  const double low = *lowest, high = *highest;
  std::vector<double> values;
  for (const auto& row : rows) values.push_back(row.first);
  column["low"] = low;
  column["high"] = high;
  for (double& v : values) v = std::clamp(v, low, high);  // or the mean would tell of a single extreme
  if (moments) {
    double sum = 0, squares = 0;
    for (const double v : values) sum += v;
    const double mean = sum / static_cast<double>(values.size());
    for (const double v : values) squares += (v - mean) * (v - mean);
    column["mean"] = mean;
    column["sd"] = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  OrderedJson& quantiles = column["quantiles"] = OrderedJson::object();
  for (const auto& [name, q] :
       {std::pair("0.01", 0.01), std::pair("0.05", 0.05), std::pair("0.25", 0.25), std::pair("0.5", 0.5),
        std::pair("0.75", 0.75), std::pair("0.95", 0.95), std::pair("0.99", 0.99)}) {
    quantiles[name] = quantile_of(values, q);
  }
  column["histogram"] = histogram(values);
}

void add_levels(OrderedJson& column, const data::Column& values, Groups groups) {
  struct Level {
    std::size_t rows = 0;
    std::unordered_set<std::int64_t> persons{};
  };
  std::map<std::string, Level> found;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (values.is_null(i)) continue;
    Level& level = found[values.text(i)];
    ++level.rows;
    if (!groups.empty() && level.persons.size() < few) level.persons.insert(groups[static_cast<std::size_t>(i)]);
  }
  std::vector<std::pair<std::string, Level>> levels(found.begin(), found.end());
  std::stable_sort(levels.begin(), levels.end(),
                   [](const auto& a, const auto& b) { return a.second.rows > b.second.rows; });
  OrderedJson& list = column["levels"] = OrderedJson::array();
  std::size_t other = 0, others = 0;
  for (const auto& [name, level] : levels) {
    if ((groups.empty() ? level.rows : level.persons.size()) >= few && list.size() < max_levels) {
      list.push_back({{"level", name}, {"count", level.rows}});
    } else {
      other += level.rows;
      ++others;
    }
  }
  column["other"] = {{"levels", others}, {"count", other}};
}

// Numbers, percentages and dates that a file has as text are profiled as what they are; `format` says how they are
// read.
std::optional<std::string> written_format(const data::Column& values) {
  if (values.type() != data::ColumnType::string) return std::nullopt;
  try {
    return data::detect_format(values);
  } catch (const DataError&) {
    return std::nullopt;  // two formats fit: text, as long as nobody says which
  }
}

void add_values(OrderedJson& column, const data::Column& values, Groups groups) {
  switch (values.type()) {
    case data::ColumnType::f64:
    case data::ColumnType::i64:
      add_numbers(column, values.numeric(), groups, true);
      break;
    case data::ColumnType::timestamp:  // microseconds since 1970
      add_numbers(column, values.numeric(), groups, false);
      break;
    case data::ColumnType::boolean:
    case data::ColumnType::string:
    case data::ColumnType::categorical:
      if (const auto format = written_format(values)) {
        column["format"] = *format;
        add_values(column, data::apply_format(values, *format), groups);
      } else {
        add_levels(column, values, groups);
      }
      break;
  }
}

// A number or time as a file of the column's type would have it, in percent where the file has percent.
std::string text_of(double value, data::ColumnType type, const std::string& format) {
  if (format.starts_with("number:")) {
    if (const data::NumberFormat written = data::parse_number_format(format); written.percent) {
      char text[32];
      std::snprintf(text, sizeof text, "%.12g%%", 100 * value);
      std::replace(text, text + sizeof text, '.', written.decimal);
      return text;
    }
  }
  if (type == data::ColumnType::timestamp) {
    return data::Column::from_timestamps({static_cast<std::int64_t>(value)}).text(0);
  }
  return data::Column::from_f64({value}).text(0);
}

void find_far(Unfamiliar& found, const data::Column& values, double low, double high, const std::string& format) {
  const double reach = high - low;
  double smallest = HUGE_VAL, largest = -HUGE_VAL;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    const double v = values.is_null(i) ? low : values.numeric(i);
    if (!(v < low - reach || v > high + reach)) continue;
    ++found.far;
    smallest = std::min(smallest, v);
    largest = std::max(largest, v);
  }
  if (found.far == 0) return;
  found.low = text_of(low, values.type(), format);
  found.high = text_of(high, values.type(), format);
  found.smallest = text_of(smallest, values.type(), format);
  found.largest = text_of(largest, values.type(), format);
}

void keep_levels(Unfamiliar& found, const std::map<std::string, std::int64_t>& unknown) {
  found.levels.assign(unknown.begin(), unknown.end());
  std::stable_sort(found.levels.begin(), found.levels.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
}

void find_levels(Unfamiliar& found, const data::Column& values, const Json& known) {
  if (known.size() >= max_levels) return;
  std::unordered_set<std::string> levels;
  for (const Json& entry : known) {
    if (!entry.is_object() || !entry.value("level", Json()).is_string()) return;
    levels.insert(entry.at("level").get<std::string>());
  }
  std::map<std::string, std::int64_t> unknown;
  for (std::int64_t i = 0; i < values.size(); ++i) {
    if (values.is_null(i)) continue;
    std::string level = values.text(i);
    if (!levels.contains(level)) ++unknown[std::move(level)];
  }
  keep_levels(found, unknown);
}

// Words in a column of yes and no that are neither, in any spelling.
void find_words(Unfamiliar& found, const data::Column& text, const data::Column& truths) {
  std::map<std::string, std::int64_t> unknown;
  for (std::int64_t i = 0; i < text.size(); ++i) {
    if (text.is_null(i) || !truths.is_null(i)) continue;
    std::string word(text.string(i));
    if (word.find_first_not_of(" \t") != std::string::npos) ++unknown[std::move(word)];
  }
  found.beside_truth = !unknown.empty();
  keep_levels(found, unknown);
}

// The column as it was profiled: text in a written form as what it is. Nothing where these rows have no such form.
std::optional<data::Column> as_profiled(const data::Column& values, const Json& profiled) {
  const Json format = profiled.value("format", Json());
  if (!format.is_string()) return values;
  if (values.type() != data::ColumnType::string) return std::nullopt;
  try {
    const auto name = format.get<std::string>();
    if (data::format_type(name) == data::ColumnType::boolean) {
      return data::parse_known_booleans(values, data::parse_boolean_format(name));
    }
    return data::apply_format(values, name);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::vector<Unfamiliar> unfamiliar_values(const std::string& profile, const data::Table& rows,
                                          const data::Schema& schema) {
  const Json json = internal::parse_json(profile, "profile");
  const auto columns = json.is_object() ? json.find("columns") : json.end();
  std::vector<Unfamiliar> all;
  if (!json.is_object() || columns == json.end() || !columns->is_array()) return all;
  std::map<std::string, const Json*> profiled;
  for (const Json& column : *columns) {
    if (!column.is_object() || !column.value("name", Json()).is_string()) continue;
    profiled.emplace(column.at("name").get<std::string>(), &column);
  }
  for (const std::string& name : rows.names()) {
    const auto at = profiled.find(name);
    if (at == profiled.end()) continue;
    const Json& column = *at->second;
    const std::optional<data::Column> values = as_profiled(rows.column(name), column);
    if (!values) continue;
    Unfamiliar found{.column = name};
    const Json low = column.value("low", Json()), high = column.value("high", Json()),
               levels = column.value("levels", Json());
    const bool number = values->type() == data::ColumnType::f64 || values->type() == data::ColumnType::i64 ||
                        values->type() == data::ColumnType::timestamp;
    if (number && low.is_number() && high.is_number()) {
      const data::SchemaColumn* const read = schema.find(name);
      const Json written = column.value("format", Json());
      find_far(found, *values, low.get<double>(), high.get<double>(),
               read != nullptr && !read->format.empty() ? read->format
               : written.is_string()                    ? written.get<std::string>()
                                                        : std::string());
    } else if (values->type() == data::ColumnType::boolean && rows.column(name).type() == data::ColumnType::string) {
      find_words(found, rows.column(name), *values);
    } else if (!number && levels.is_array()) {
      find_levels(found, *values, levels);
    }
    if (found.far > 0 || !found.levels.empty()) all.push_back(std::move(found));
  }
  return all;
}

std::string profile_of(const data::Table& training, std::span<const std::int64_t> groups) {
  if (!groups.empty() && static_cast<std::int64_t>(groups.size()) != training.rows()) {
    throw ShapeError("[profile_of] expected a group for each of " + std::to_string(training.rows()) + " rows, got " +
                     std::to_string(groups.size()));
  }
  OrderedJson json;
  json["version"] = 1;
  json["rows"] = training.rows();
  json["min_rows"] = profile_min_rows;
  OrderedJson& list = json["columns"] = OrderedJson::array();
  for (std::int64_t c = 0; c < training.width(); ++c) {
    const data::Column& values = training.column(c);
    OrderedJson column;
    column["name"] = training.names()[static_cast<std::size_t>(c)];
    column["type"] = to_string(values.type());
    column["missing"] = values.null_count();
    add_values(column, values, groups);
    list.push_back(std::move(column));
  }
  return internal::json_text(json, {.indent = 1}) + "\n";
}

}  // namespace tern
