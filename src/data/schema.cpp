#include "tern/data/schema.h"

#include <algorithm>
#include <unordered_set>

#include "base/json.h"
#include "data/scalar.h"
#include "tern/base/error.h"
#include "tern/data/formats.h"

namespace tern::data {
namespace {

using tern::internal::json_get;
using tern::internal::json_get_or;
using Json = tern::internal::Json;

constexpr int version = 1;
const std::string what = "schema";

[[noreturn]] TERN_COLD void fail(const std::string& expected, const std::string& got) {
  throw FormatError("[schema] expected " + expected + ", got " + got);
}

SchemaColumn read_column(const Json& json) {
  SchemaColumn column;
  column.name = json_get<std::string>(json, "name", what);
  if (column.name.empty()) fail("a column name", "an empty one");
  const auto type = json_get<std::string>(json, "type", what);
  column.format = json_get_or<std::string>(json, "format", {}, what);
  column.levels = json_get_or<std::vector<std::string>>(json, "levels", {}, what);
  column.ordered = json_get_or<bool>(json, "ordered", false, what);
  column.only_blank_missing = json_get_or<bool>(json, "only_blank_missing", false, what);
  try {
    column.type = parse_column_type(type);
    if (!column.format.empty() && format_type(column.format) != column.type) {
      fail("a format of type " + type, internal::shown(column.format));
    }
  } catch (const ValueError& error) {
    throw FormatError("[schema] column " + internal::shown(column.name) + ": " + error.what());
  }
  if (!column.levels.empty() && column.type != ColumnType::categorical) {
    fail("levels of categorical columns only", "some of " + internal::shown(column.name));
  }
  const std::unordered_set<std::string> distinct(column.levels.begin(), column.levels.end());
  if (distinct.size() != column.levels.size()) fail("distinct levels", "repeats in " + internal::shown(column.name));
  return column;
}

}  // namespace

const SchemaColumn* Schema::find(std::string_view name) const {
  const auto at = std::find_if(columns.begin(), columns.end(), [&](const SchemaColumn& c) { return c.name == name; });
  return at == columns.end() ? nullptr : &*at;
}

std::string Schema::to_json() const {
  tern::internal::OrderedJson json;
  json["version"] = version;
  json["missing"] = missing;
  json["quoted_missing"] = quoted_missing;
  auto& list = json["columns"] = tern::internal::OrderedJson::array();
  for (const SchemaColumn& column : columns) {
    tern::internal::OrderedJson one;
    one["name"] = column.name;
    one["type"] = to_string(column.type);
    if (!column.format.empty()) one["format"] = column.format;
    if (!column.levels.empty()) one["levels"] = column.levels;
    if (column.ordered) one["ordered"] = true;
    if (column.only_blank_missing) one["only_blank_missing"] = true;
    list.push_back(std::move(one));
  }
  try {
    return tern::internal::json_text(json, {.indent = 1});
  } catch (const Json::exception& error) {
    throw FormatError("[schema] expected UTF-8 names and words, got others: " + std::string(error.what()));
  }
}

Schema Schema::from_json(std::string_view text) {
  const Json json = tern::internal::parse_json(text, what);
  if (const int got = json_get<int>(json, "version", what); got != version) {
    fail("version " + std::to_string(version), std::to_string(got));
  }
  Schema schema;
  schema.missing = json_get<std::vector<std::string>>(json, "missing", what);
  schema.quoted_missing = json_get<bool>(json, "quoted_missing", what);
  const auto list = json.find("columns");
  if (list == json.end() || !list->is_array()) fail("a list of columns", "none");
  std::unordered_set<std::string> seen;
  for (const Json& one : *list) {
    schema.columns.push_back(read_column(one));
    const std::string& name = schema.columns.back().name;
    if (!seen.insert(name).second) fail("each column once", internal::shown(name) + " again");
  }
  return schema;
}

std::vector<std::string> default_missing_words() {
  return {"",     "NA",   "N/A",    "n/a",     "N/a",     "<NA>",     "#N/A", "#N/A N/A", "#NA",  "NaN", "nan",
          "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "null", "NULL",     "None", "?"};
}

Schema schema_of(const Table& table) {
  Schema schema;
  schema.missing = default_missing_words();
  for (std::int64_t c = 0; c < table.width(); ++c) {
    SchemaColumn column;
    column.name = table.names()[static_cast<std::size_t>(c)];
    column.type = table.column(c).type();
    if (column.type == ColumnType::categorical) {
      column.levels = table.column(c).levels();
      column.ordered = table.column(c).ordered();
    }
    schema.columns.push_back(std::move(column));
  }
  return schema;
}

}  // namespace tern::data
