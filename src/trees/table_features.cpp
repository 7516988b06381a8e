#include "trees/table_features.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/number_text.h"
#include "base/warnings.h"
#include "data/rows.h"
#include "tern/base/error.h"
#include "trees/inputs.h"

namespace tern::trees::internal {
namespace {

constexpr double kMostLevels = 1 << 20;  // of a column of a matrix

TERN_COLD void warn_of_levels(const std::string& type, const std::string& name, std::size_t levels, std::size_t most) {
  tern::internal::warn("levels of " + name, "[" + type + "] \"" + name + "\" has " + std::to_string(levels) +
                                                " levels: the " + std::to_string(most) +
                                                " most frequent are kept, the others go as unseen ones");
}

bool has_levels(data::ColumnType type) {
  return type == data::ColumnType::categorical || type == data::ColumnType::string;
}

void add_numbers(FeatureColumns& out, const data::Column& column) {
  FeatureValues values;
  if (column.type() == data::ColumnType::f64) {
    values.f64 = column.f64_values().data();
  } else {
    values.f64 = out.numbers.emplace_back(column.numeric()).data();
  }
  out.columns.push_back(column);
  out.values.push_back(values);
}

// The levels of a column that at least `least` rows have, of more than `most` the most frequent, and the codes of its
// rows among them.
std::vector<std::string> kept_levels(const std::string& type, const std::string& name, const data::Column& column,
                                     std::int64_t least, std::size_t most, std::vector<std::int32_t>& codes) {
  std::vector<std::int64_t> rows(column.levels().size());
  for (const std::int32_t code : column.codes()) {
    if (code >= 0) ++rows[static_cast<std::size_t>(code)];
  }
  std::vector<std::size_t> order;
  for (std::size_t level = 0; level < rows.size(); ++level) {
    if (rows[level] >= std::max<std::int64_t>(1, least)) order.push_back(level);
  }
  if (order.size() > most) {
    warn_of_levels(type, name, order.size(), most);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows[a] > rows[b]; });
    order.resize(most);
    std::sort(order.begin(), order.end());
  }
  std::vector<std::string> kept;
  std::vector<std::int32_t> code_of(rows.size(), -1);
  for (const std::size_t level : order) {
    code_of[level] = static_cast<std::int32_t>(kept.size());
    kept.push_back(column.levels()[level]);
  }
  for (const std::int32_t code : column.codes()) {
    codes.push_back(code < 0 ? -1 : code_of[static_cast<std::size_t>(code)]);
  }
  return kept;
}

}  // namespace

void warn_of_levels(const char* name, const std::vector<Feature>& features, const std::vector<FeatureBins>& bins) {
  for (std::size_t f = 0; f < bins.size(); ++f) {
    const auto present = static_cast<std::size_t>(bins[f].present), most = static_cast<std::size_t>(bins[f].bins);
    if (present > most) warn_of_levels(name, features[f].name, present, most);
  }
}

FeatureColumns features_of(const char* type, const data::Table& table, const std::vector<std::string>& left_out,
                           std::int64_t min_level_rows, std::size_t most_levels) {
  FeatureColumns out;
  for (const std::string& name : table.names()) {
    if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
    data::Column column = table[name];
    Feature& feature = out.features.emplace_back();
    feature.name = name;
    feature.type = column.type();
    feature.categorical = has_levels(column.type());
    if (!feature.categorical) {
      add_numbers(out, column);
      continue;
    }
    if (column.type() == data::ColumnType::string) column = column.cast(data::ColumnType::categorical);
    if (!data::internal::written_numbers(column, name).empty()) {
      tern::internal::warn("numbers of " + name,
                           "[" + std::string(type) + "] \"" + name +
                               "\" is text, all of it written numbers, which count " +
                               "as levels in no order: normalize_formats of a Pipeline reads them");
    }
    FeatureValues values;
    if (min_level_rows > 1 || column.levels().size() > most_levels) {
      auto& codes = out.codes.emplace_back();
      feature.levels = kept_levels(type, name, column, min_level_rows, most_levels, codes);
      values.codes = codes.data();
    } else {
      feature.levels = column.levels();
      values.codes = column.codes().data();
    }
    // A feature without levels is one of codes; this one is never split, and any level of it is unseen.
    if (feature.levels.empty()) feature.levels.emplace_back("<other>");
    values.levels = static_cast<std::int64_t>(feature.levels.size());
    out.columns.push_back(std::move(column));
    out.values.push_back(values);
  }
  return out;
}

FeatureColumns features_like(const char* name, const data::Table& table, const std::vector<Feature>& features) {
  FeatureColumns out;
  out.features = features;
  for (const Feature& feature : features) {
    data::Column column = table[feature.name];
    if (feature.type) data::internal::check_type(name, table, feature.name, *feature.type);
    if (has_levels(column.type()) != feature.categorical && all_missing(column)) {
      column = column.cast(feature.categorical ? data::ColumnType::categorical : data::ColumnType::f64);
    }
    if (has_levels(column.type()) != feature.categorical) {
      throw DataError(name,
                      std::string("expected ") + (feature.categorical ? "levels" : "numbers") + ", got " +
                          std::string(data::to_string(column.type())),
                      {.column = feature.name});
    }
    if (!feature.categorical) {
      add_numbers(out, column);
      continue;
    }
    if (column.type() == data::ColumnType::string) column = column.cast(data::ColumnType::categorical);
    FeatureValues values;
    values.levels = static_cast<std::int64_t>(feature.levels.size());
    if (column.levels() == feature.levels) {
      values.codes = column.codes().data();
    } else {
      std::unordered_map<std::string_view, std::int32_t> known;
      for (std::size_t level = 0; level < feature.levels.size(); ++level) {
        known.emplace(feature.levels[level], static_cast<std::int32_t>(level));
      }
      std::vector<std::int32_t> codes_of;
      for (const std::string& level : column.levels()) {
        const auto found = known.find(level);
        codes_of.push_back(found == known.end() ? -1 : found->second);
      }
      auto& codes = out.codes.emplace_back();
      for (const std::int32_t code : column.codes())
        codes.push_back(code < 0 ? -1 : codes_of[static_cast<std::size_t>(code)]);
      values.codes = codes.data();
    }
    out.columns.push_back(std::move(column));
    out.values.push_back(values);
  }
  return out;
}

std::vector<Feature> features_of(const data::Matrix& x, const std::vector<std::string>& names,
                                 const std::vector<std::int64_t>& categorical, std::string_view type) {
  const std::string columns = std::to_string(x.columns());
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != x.columns()) {
    throw ShapeError("[" + std::string(type) + "] expected " + columns + " names, got " + std::to_string(names.size()));
  }
  std::vector<Feature> features(static_cast<std::size_t>(x.columns()));
  for (std::size_t f = 0; f < features.size(); ++f) {
    features[f].name = names.empty() ? "f" + std::to_string(f) : names[f];
  }
  for (const std::int64_t f : categorical) {
    if (f < 0 || f >= x.columns()) {
      throw IndexError("[" + std::string(type) + "] expected categorical columns below " + columns + ", got " +
                       std::to_string(f));
    }
    features[static_cast<std::size_t>(f)].categorical = true;
  }
  return features;
}

FeatureColumns features_like(const data::Matrix& x, std::vector<Feature> features, std::string_view type,
                             std::int64_t min_level_rows) {
  if (x.columns() != static_cast<std::int64_t>(features.size())) {
    throw ShapeError("[" + std::string(type) + "] expected " + std::to_string(features.size()) + " columns, got " +
                     std::to_string(x.columns()));
  }
  FeatureColumns out;
  for (std::int64_t f = 0; f < x.columns(); ++f) {
    FeatureValues& values = out.values.emplace_back();
    Feature& feature = features[static_cast<std::size_t>(f)];
    if (!feature.categorical) {
      values.step = x.columns();
      values.f32 = x.f32() ? x.f32() + f : nullptr;
      values.f64 = x.f64() ? x.f64() + f : nullptr;
      continue;
    }
    auto& codes = out.codes.emplace_back();
    codes.reserve(static_cast<std::size_t>(x.rows()));
    std::int32_t most = -1;
    for (std::int64_t row = 0; row < x.rows(); ++row) {
      const double value = x.at(row, f);
      if (value >= kMostLevels) {
        throw ValueError("[" + std::string(type) + "] expected levels below 2^20, got " +
                         tern::internal::number_text(value));
      }
      codes.push_back(value >= 0 ? static_cast<std::int32_t>(value) : -1);
      most = std::max(most, codes.back());
    }
    values.codes = codes.data();
    if (feature.levels.empty()) {
      feature.level_type = LevelType::code;
      for (std::int32_t level = 0; level <= most; ++level) feature.levels.push_back(std::to_string(level));
      std::vector<std::int64_t> rows(feature.levels.size());
      for (const std::int32_t code : codes) {
        if (code >= 0) ++rows[static_cast<std::size_t>(code)];
      }
      for (std::int32_t& code : codes) {
        if (code >= 0 && rows[static_cast<std::size_t>(code)] < min_level_rows) code = -1;
      }
    }
    values.levels = static_cast<std::int64_t>(feature.levels.size());
  }
  out.features = std::move(features);
  return out;
}

}  // namespace tern::trees::internal
