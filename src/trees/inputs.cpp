#include "trees/inputs.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "data/rows.h"
#include "tern/base/error.h"
#include "tern/trees/predictor.h"

namespace tern::trees {
namespace internal {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

[[noreturn]] TERN_COLD void wrong_type(const char* name, const data::Table& table, const Feature& feature,
                                       const data::Column& column, const std::string& expected) {
  throw DataError(name, "expected " + expected + ", got " + std::string(data::to_string(column.type())),
                  {.file = table.source_file(), .column = feature.name});
}

// The code of each text that a column has.
class Codes {
 public:
  explicit Codes(const Feature& feature) : unseen_(static_cast<double>(feature.levels.size())) {
    for (std::size_t code = 0; code < feature.levels.size(); ++code) {
      codes_.emplace(feature.levels[code], static_cast<double>(code));
    }
  }
  double of(std::string_view text) const {
    const auto found = codes_.find(text);
    return found == codes_.end() ? unseen_ : found->second;
  }
  /// Whether booleans, written out, are among them.
  bool truths() const { return codes_.contains("true") || codes_.contains("false"); }

 private:
  std::unordered_map<std::string_view, double> codes_{};
  double unseen_;
};

}  // namespace

bool all_missing(const data::Column& column) {
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (!column.is_null(row)) return false;
  }
  return column.size() > 0;
}

Inputs::Inputs(const char* name, const std::vector<Feature>& features, const data::Table& table) : rows_(table.rows()) {
  using data::ColumnType;
  bound_.reserve(features.size());
  for (const Feature& feature : features) {
    Bound bound{.column = table[feature.name]};
    const data::Column& column = bound.column;
    const bool text = column.type() == ColumnType::string || column.type() == ColumnType::categorical;
    if (all_missing(column)) {  // of any type: a file cannot say what a blank column would hold
      bound.column = data::Column::from_f64(std::vector<double>(static_cast<std::size_t>(rows_), nan));
      bound_.push_back(std::move(bound));
      continue;
    }
    if (!feature.categorical || feature.levels.empty()) {
      if (text) wrong_type(name, table, feature, column, feature.categorical ? "codes of levels" : "numbers");
      if (feature.type) data::internal::check_type(name, table, feature.name, *feature.type);
      if (column.type() != ColumnType::f64) bound.values = column.numeric();
    } else if (column.type() == ColumnType::categorical) {
      const Codes codes(feature);
      for (const std::string& level : column.levels()) bound.codes.push_back(codes.of(level));
    } else if (column.type() == ColumnType::f64 || column.type() == ColumnType::timestamp) {
      wrong_type(name, table, feature, column, "a categorical, string, i64 or boolean column");
    } else {
      const Codes codes(feature);
      if (column.type() == ColumnType::boolean && !codes.truths()) {  // a file of no other levels
        wrong_type(name, table, feature, column, "levels as in training");
      }
      bound.values.reserve(static_cast<std::size_t>(rows_));
      for (std::int64_t row = 0; row < rows_; ++row) {
        bound.values.push_back(column.is_null(row) ? nan : codes.of(text ? column.string(row) : column.text(row)));
      }
    }
    bound_.push_back(std::move(bound));
  }
}

void Inputs::fill(std::int64_t begin, std::int64_t count, double* out) const {
  if (count == 0) return;
  const std::size_t width = bound_.size();
  for (std::size_t feature = 0; feature < width; ++feature) {
    const Bound& bound = bound_[feature];
    double* to = out + feature;
    if (bound.column.type() == data::ColumnType::categorical) {
      const std::int32_t* codes = bound.column.codes().data() + begin;
      for (std::int64_t i = 0; i < count; ++i, to += width) {
        *to = codes[i] < 0 ? nan : bound.codes[static_cast<std::size_t>(codes[i])];
      }
    } else {
      const double* values =
          (bound.column.type() == data::ColumnType::f64 ? bound.column.f64_values().data() : bound.values.data()) +
          begin;
      for (std::int64_t i = 0; i < count; ++i, to += width) *to = values[i];
    }
  }
}

std::vector<double> inputs(const char* name, const Ensemble& ensemble, const data::Table& table) {
  const Inputs bound(name, ensemble.features, table);
  std::vector<double> rows(static_cast<std::size_t>(bound.rows()) * ensemble.features.size());
  bound.fill(0, bound.rows(), rows.data());
  return rows;
}

std::vector<std::pair<std::string, std::int64_t>> unseen_levels(const char* name, const Ensemble& ensemble,
                                                                const data::Table& table) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  const std::vector<double> rows = inputs(name, ensemble, table);
  const std::size_t width = ensemble.features.size();
  for (std::size_t f = 0; f < width; ++f) {
    const Feature& feature = ensemble.features[f];
    if (!feature.categorical || feature.levels.empty()) continue;
    const auto levels = static_cast<double>(feature.levels.size());
    std::int64_t count = 0;
    for (std::size_t i = f; i < rows.size(); i += width) count += rows[i] >= levels;
    if (count > 0) counts.emplace_back(feature.name, count);
  }
  return counts;
}

}  // namespace internal

std::vector<double> inputs(const Ensemble& ensemble, const data::Table& table) {
  return internal::inputs("inputs", ensemble, table);
}

}  // namespace tern::trees
