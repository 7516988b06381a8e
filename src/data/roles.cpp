#include "tern/data/roles.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "data/column_names.h"
#include "data/csv_infer.h"
#include "data/scalar.h"
#include "data/text_levels.h"
#include "data/written_form.h"
#include "tern/base/error.h"
#include "tern/data/formats.h"

namespace tern::data {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"numeric",    "categorical", "boolean",  "timestamp",
                                                    "identifier", "free_text",   "constant", "all_missing"};

// Whether distinct whole numbers lie so close that they count rows, of which these may be a sample of half or more.
bool counts_rows(const Column& column) {
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = std::numeric_limits<std::int64_t>::min();
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) continue;
    low = std::min(low, column.i64(i));
    high = std::max(high, column.i64(i));
  }
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  return span / 2 < static_cast<std::uint64_t>(column.size() - column.null_count());
}

double mean_words(const Column& column) {
  std::int64_t words = 0, values = 0;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) continue;
    ++values;
    bool inside = false;
    for (const char c : column.string(i)) {
      const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
      words += !blank && !inside;
      inside = !blank;
    }
  }
  return values ? static_cast<double>(words) / static_cast<double>(values) : 0;
}

// Whether nine values in ten are numbers or dates, each in a form of its own.
bool mostly_written(const Column& column) {
  const std::int64_t values = column.size() - column.null_count();
  std::int64_t others = 0;
  for (std::int64_t i = 0; i < column.size() && others * 10 <= values; ++i) {
    if (!column.is_null(i)) others += !internal::has_written_form(column.string(i));
  }
  return others * 10 <= values;
}

// Digits alone, some behind a zero that no number needs: postcodes and the like.
bool codes_of_digits(const Column& column) {
  bool zero = false;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) continue;
    const std::string_view text = internal::trim(column.string(i));
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
    zero = zero || internal::leading_zero(text);
  }
  return zero;
}

std::string counted(std::int64_t levels, std::int64_t rows) {
  return std::to_string(levels) + " different values in " + std::to_string(rows) + " rows";
}

using Verdict = std::pair<Role, std::string>;

Verdict judge_text(const Table& table, const std::string& name, const RoleOptions& options, std::int64_t levels,
                   std::int64_t rows) {
  const Column& column = table.column(name);
  if (options.formats && column.type() == ColumnType::string) {
    try {
      if (const auto format = detect_format(column, name)) {
        const ColumnType type = format_type(*format);
        const Role role = type == ColumnType::boolean     ? Role::boolean
                          : type == ColumnType::timestamp ? Role::timestamp
                                                          : Role::numeric;
        return {role, "every value is " + value_in_words(type, *format)};
      }
    } catch (const DataError& error) {
      if (!error.file().empty()) throw;
      throw DataError("infer_roles", error.message(),
                      {.file = table.source_file(), .row = -1, .line = -1, .column = name});
    }
  }
  const double words = mean_words(column);
  constexpr double sentence = 5;  // words from which on a value is prose
  const bool many = rows > internal::kFewRows;
  if (words >= sentence && many && levels * 5 > rows) return {Role::free_text, "sentences, " + counted(levels, rows)};
  const auto with_forms = [&](std::string reason) {
    if (codes_of_digits(column))
      return reason + "; codes of digits, such as postcodes, of which the first few say less";
    if (!mostly_written(column)) return reason;
    return reason +
           "; what looks like numbers or dates is read as such where all have one known form or the type is told";
  };
  if (many && levels == rows && words < 2) {
    return {Role::identifier, with_forms("a different value in each of " + std::to_string(rows) + " rows")};
  }
  if (internal::too_many_levels(levels, rows, options.max_levels, options.max_level_share)) {
    return {Role::free_text, with_forms("too many levels: " + counted(levels, rows))};
  }
  return {Role::categorical, counted(levels, rows)};
}

Verdict judge(const Table& table, const std::string& name, const RoleOptions& options) {
  const Column& column = table.column(name);
  const std::int64_t rows = column.size() - column.null_count();
  const std::int64_t levels = column.distinct_count();
  if (rows == 0) return {Role::all_missing, "no row has a value"};
  if (name == options.id) return {Role::identifier, "told to be the id"};
  if (levels == 1 && rows == column.size())
    return {Role::constant, "every row has the value \"" + column.text(0).substr(0, 40) + "\""};
  const bool keyed = column.type() == ColumnType::i64 || column.type() == ColumnType::string ||
                     column.type() == ColumnType::categorical;
  if (column.type() == ColumnType::i64 && internal::named_like_index(name)) {
    return {Role::identifier, "a column without a name of its own: the index that pandas writes"};
  }
  if (keyed && internal::named_like_id(name)) {
    if (levels == rows) return {Role::identifier, "named like an id, with a different value in each row"};
    if (levels > internal::kFewRows) return {Role::identifier, "named like an id, repeating: " + counted(levels, rows)};
  }
  switch (column.type()) {
    case ColumnType::boolean:
      return {Role::boolean, "true and false"};
    case ColumnType::timestamp:
      return {Role::timestamp, counted(levels, rows)};
    case ColumnType::i64:
      if (rows > internal::kFewRows && levels == rows && counts_rows(column)) {
        return {Role::identifier, "whole numbers close together, each once: it counts the rows"};
      }
      return {Role::numeric, counted(levels, rows)};
    case ColumnType::f64:
      return {Role::numeric, counted(levels, rows)};
    default:
      return judge_text(table, name, options, levels, rows);
  }
}

}  // namespace

std::string_view to_string(Role role) { return kNames[static_cast<std::size_t>(role)]; }

Role parse_role(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at != kNames.end()) return static_cast<Role>(at - kNames.begin());
  std::string names;
  for (const std::string_view known : kNames) names.append(names.empty() ? "" : ", ").append(known);
  throw ValueError("[parse_role] expected one of " + names + ", got \"" + std::string(name) + "\"");
}

std::vector<ColumnRole> infer_roles(const Table& table, const RoleOptions& options) {
  for (const std::string& name : {options.target, options.id}) {
    if (!name.empty()) table.column(name);  // throws with names like it
  }
  std::map<std::string, Role> told_roles;
  for (const auto& [name, role] : options.roles) {
    table.column(name);
    if (!told_roles.emplace(name, role).second) {
      throw ValueError("[infer_roles] expected one told role for " + internal::shown(name) + ", got another");
    }
  }
  std::vector<ColumnRole> result;
  for (const std::string& name : table.names()) {
    if (name == options.target) continue;
    const auto told = told_roles.find(name);
    Verdict verdict = told != told_roles.end() ? Verdict{told->second, "told"} : judge(table, name, options);
    result.push_back({name, verdict.first, std::move(verdict.second)});
  }
  return result;
}

std::vector<std::string> unusable(const std::vector<ColumnRole>& roles) {
  std::vector<std::string> names;
  for (const ColumnRole& role : roles) {
    if (!role.usable()) names.push_back(role.name);
  }
  return names;
}

}  // namespace tern::data
