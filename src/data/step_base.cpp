#include "data/step_base.h"

#include <map>
#include <numeric>

#include "data/scalar.h"
#include "tern/base/log.h"

namespace tern::data::internal {
namespace {

bool is_text(ColumnType type) { return type == ColumnType::string || type == ColumnType::categorical; }
bool is_number(ColumnType type) { return type <= ColumnType::boolean; }

}  // namespace

void fail_column(const Table& table, const std::string& name, const std::string& where, const std::string& message) {
  throw DataError(where, message, DataLocation{.file = table.source_file(), .row = -1, .line = -1, .column = name});
}

void fail_row(const Table& table, std::int64_t row, const std::string& name, const std::string& where,
              const std::string& message) {
  throw DataError(where, message, table.location(row, name));
}

Column conform(const Table& table, const std::string& name, ColumnType type, const std::string& where) {
  const std::int64_t at = table.find(name);
  if (at < 0) {
    fail_column(table, name, where, "expected a column of type " + std::string(to_string(type)) + ", got none");
  }
  const Column& column = table.column(at);
  if (column.type() == type) return column;
  if (column.null_count() == column.size()) return Column::nulls(type, column.size());
  if (is_text(type) && is_text(column.type())) return column.cast(type);
  if (is_number(type) && is_number(column.type())) {
    try {
      return column.cast(type);
    } catch (const DataError& error) {
      fail_row(table, error.row(), name, where,
               "expected " + std::string(to_string(type)) + " as it was fitted on, got " + column.text(error.row()));
    }
  }
  std::int64_t first = 0;
  while (column.is_null(first)) ++first;
  fail_row(table, first, name, where,
           "expected a column of type " + std::string(to_string(type)) + ", got " +
               std::string(to_string(column.type())) + " (\"" + column.text(first).substr(0, 40) + "\")");
}

std::vector<double> present_numbers(const Table& table, const std::string& name, const std::string& where) {
  const Column& column = table.column(name);
  if (!column.is_numeric()) {
    throw DTypeError("[" + where + "] column \"" + name + "\": expected f64, i64 or boolean, got " +
                     std::string(to_string(column.type())));
  }
  std::vector<double> values = column.numeric();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isinf(values[i])) {
      fail_row(table, static_cast<std::int64_t>(i), name, where,
               "expected a finite number, got " + column.text(static_cast<std::int64_t>(i)));
    }
    if (!std::isnan(values[i])) values[kept++] = values[i];
  }
  values.resize(kept);
  if (values.empty()) {
    fail_column(table, name, where, "expected a value to learn from, got a column that is all missing; drop it");
  }
  return values;
}

double accurate_sum(const std::vector<double>& values) {
  double sum = 0, carried = 0;
  for (const double value : values) {
    const double next = sum + value;
    carried += std::fabs(sum) >= std::fabs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return sum + carried;
}

double mean_of(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = accurate_sum(values) / n;
  if (std::isfinite(mean)) return mean;
  std::vector<double> scaled(values);
  for (double& value : scaled) value /= n;
  return accurate_sum(scaled);
}

LevelCounts count_levels(const Column& column, const std::string& name, const std::string& where) {
  LevelCounts result;
  result.missing = column.null_count();
  const auto keep = [&result](std::string level, std::int64_t count) {
    result.levels.push_back(std::move(level));
    result.counts.push_back(count);
  };
  switch (column.type()) {
    case ColumnType::categorical: {
      std::vector<std::int64_t> counts(column.levels().size());
      for (const std::int32_t code : column.codes()) {
        if (code >= 0) ++counts[static_cast<std::size_t>(code)];
      }
      std::vector<std::size_t> order(counts.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      if (!column.ordered()) {
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return column.levels()[a] < column.levels()[b]; });
      }
      for (const std::size_t k : order) {
        if (counts[k] > 0) keep(column.levels()[k], counts[k]);
      }
      break;
    }
    case ColumnType::string: {
      std::unordered_map<std::string_view, std::int64_t> counts;
      for (std::int64_t i = 0; i < column.size(); ++i) {
        if (!column.is_null(i)) ++counts[column.string(i)];
      }
      std::vector<std::pair<std::string_view, std::int64_t>> sorted(counts.begin(), counts.end());
      std::sort(sorted.begin(), sorted.end());
      for (const auto& [level, count] : sorted) keep(std::string(level), count);
      break;
    }
    case ColumnType::boolean:
    case ColumnType::i64: {
      std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> counts;  // value: first row, rows
      const bool whole = column.type() == ColumnType::i64;
      for (std::int64_t i = 0; i < column.size(); ++i) {
        if (column.is_null(i)) continue;
        ++counts.try_emplace(whole ? column.i64(i) : column.boolean(i), i, 0).first->second.second;
      }
      for (const auto& [value, found] : counts) keep(column.text(found.first), found.second);
      break;
    }
    default:
      throw DTypeError("[" + where + "] column \"" + name + "\": expected text, categories, boolean or i64, got " +
                       std::string(to_string(column.type())));
  }
  return result;
}

std::vector<std::string> common_levels(const LevelCounts& found, std::int64_t min_count) {
  std::vector<std::string> levels;
  for (std::size_t k = 0; k < found.levels.size(); ++k) {
    if (found.counts[k] >= min_count) levels.push_back(found.levels[k]);
  }
  return levels;
}

LevelIndex::LevelIndex(const std::vector<std::string>& levels) {
  index_.reserve(levels.size());
  for (std::size_t k = 0; k < levels.size(); ++k) index_.try_emplace(levels[k], static_cast<std::int32_t>(k));
}

std::vector<std::int32_t> LevelIndex::of(const Column& column) const {
  std::vector<std::int32_t> found(static_cast<std::size_t>(column.size()), missing);
  const bool categorical = column.type() == ColumnType::categorical;
  if (categorical && static_cast<std::int64_t>(column.levels().size()) <= column.size()) {
    std::vector<std::int32_t> by_code(column.levels().size());
    for (std::size_t k = 0; k < by_code.size(); ++k) by_code[k] = find(column.levels()[k]);
    const auto codes = column.codes();
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (codes[i] >= 0) found[i] = by_code[static_cast<std::size_t>(codes[i])];
    }
    return found;
  }
  const bool text = categorical || column.type() == ColumnType::string;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) found[static_cast<std::size_t>(i)] = text ? find(column.string(i)) : find(column.text(i));
  }
  return found;
}

std::string FreshNames::get(const std::string& wanted, const std::string& where) {
  std::string name = wanted;
  for (std::int64_t k = 2; !taken_.insert(name).second; ++k) name = wanted + "_" + std::to_string(k);
  if (name != wanted) {
    log(LogLevel::info, "[" + where + "] the name " + shown(wanted) + " is taken: the new column is " + shown(name));
  }
  return name;
}

double get_finite(const Json& json, const char* key, const std::string& what) {
  const auto value = json_get<double>(json, key, what);
  if (!std::isfinite(value)) {
    throw FormatError("[" + what + "] member \"" + key + "\": expected a finite number, got another");
  }
  return value;
}

}  // namespace tern::data::internal
