#include <algorithm>
#include <cmath>
#include <cstdint>
#include <variant>

#include "base/number_text.h"
#include "data/step_base.h"
#include "tern/data/column_builder.h"

// Missing values: filling them, and saying where they were.
namespace tern::data {
namespace internal {
namespace {

// A number fills f64, i64 and boolean columns, a count of microseconds timestamps, a word text and categories.
using FillValue = std::variant<double, std::int64_t, std::string>;

std::string name_of(Fill fill) {
  switch (fill) {
    case Fill::mean:
      return "mean";
    case Fill::median:
      return "median";
    case Fill::most_frequent:
      break;
  }
  return "most_frequent";
}

Column filled_text(const Column& column, const std::string& word) {
  if (column.type() == ColumnType::string) {
    ColumnBuilder builder(ColumnType::string);
    builder.reserve(column.size());
    for (std::int64_t i = 0; i < column.size(); ++i) builder.add_string(column.is_null(i) ? word : column.string(i));
    return builder.finish();
  }
  std::vector<std::string> levels = column.levels();
  const auto at = std::find(levels.begin(), levels.end(), word);
  const auto code = static_cast<std::int32_t>(at - levels.begin());
  if (at == levels.end()) levels.push_back(word);
  std::vector<std::int32_t> codes(column.codes().begin(), column.codes().end());
  std::replace(codes.begin(), codes.end(), -1, code);
  return Column::from_codes(std::move(codes), std::move(levels), column.ordered());
}

class Impute final : public ColumnStep<FillValue> {
 public:
  // Either a rule or, when it is null, a constant.
  Impute(Selector selector, const Fill* fill, FillValue constant)
      : ColumnStep(std::move(selector), Output::in_place),
        learns_(fill != nullptr),
        fill_(fill ? *fill : Fill::mean),
        constant_(std::move(constant)) {
    if (const double* number = std::get_if<double>(&constant_); number && !std::isfinite(*number)) {
      throw ValueError("[impute] expected a finite constant, got " + tern::internal::number_text(*number));
    }
  }
  std::string_view type() const override { return "impute"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Impute>(*this); }

 protected:
  FillValue fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    const Column& column = table.column(name);
    const bool text = column.type() == ColumnType::string || column.type() == ColumnType::categorical;
    if (!learns_) {
      if (text != std::holds_alternative<std::string>(constant_) || column.type() == ColumnType::timestamp) {
        wrong_type(name, column, "a type that the constant fits");
      }
      return constant_;
    }
    if (column.is_numeric()) {
      std::vector<double> values = present_numbers(table, name, "impute");
      if (fill_ == Fill::mean) return checked_mean(table, name, values);
      std::sort(values.begin(), values.end());
      if (fill_ == Fill::median) {
        const std::size_t half = values.size() / 2;
        return values.size() % 2 ? values[half] : values[half - 1] / 2 + values[half] / 2;
      }
      return most_frequent(values);
    }
    if (column.null_count() == column.size()) {
      fail_column(table, name, "impute",
                  "expected a value to learn from, got a column that is all missing; drop it, or impute a constant");
    }
    if (column.type() == ColumnType::timestamp) {
      if (fill_ == Fill::mean) wrong_type(name, column, "a number for the mean");
      std::vector<std::int64_t> values;
      for (std::int64_t i = 0; i < column.size(); ++i) {
        if (!column.is_null(i)) values.push_back(column.timestamp(i));
      }
      std::sort(values.begin(), values.end());
      return fill_ == Fill::median ? values[(values.size() - 1) / 2] : most_frequent(values);
    }
    if (fill_ != Fill::most_frequent) wrong_type(name, column, "a number for the " + name_of(fill_));
    const LevelCounts found = count_levels(column, name, "impute");
    const auto top = std::max_element(found.counts.begin(), found.counts.end());
    return found.levels[static_cast<std::size_t>(top - found.counts.begin())];
  }

  std::vector<Column> apply(const Table&, const std::string&, const Column& column,
                            const FillValue& state) const override {
    if (const double* number = std::get_if<double>(&state)) {
      std::vector<double> values = column.numeric();
      for (double& value : values) {
        if (std::isnan(value)) value = *number;
      }
      return {Column::from_f64(std::move(values))};
    }
    if (column.null_count() == 0) return {column};
    if (const std::int64_t* time = std::get_if<std::int64_t>(&state)) {
      std::vector<std::int64_t> values(column.i64_values().begin(), column.i64_values().end());
      for (std::int64_t i = 0; i < column.size(); ++i) {
        if (column.is_null(i)) values[static_cast<std::size_t>(i)] = *time;
      }
      return {Column::from_timestamps(std::move(values))};
    }
    return {filled_text(column, std::get<std::string>(state))};
  }

  std::vector<std::string> output_names(const std::string& name, const FillValue&) const override { return {name}; }

  Json save_options() const override {
    if (learns_) return {{"fill", name_of(fill_)}};
    Json json = {{"fill", "constant"}};
    std::visit([&json](const auto& value) { json["constant"] = value; }, constant_);
    return json;
  }
  Json save_state(const FillValue& state) const override {
    Json json = Json::object();
    std::visit([&json](const auto& value) { json["value"] = value; }, state);
    return json;
  }
  FillValue load_state(const Json& json) const override {
    const ColumnType type = load_type(json_get<std::string>(json, "column", "impute"), "impute");
    if (type <= ColumnType::boolean) return get_finite(json, "value", "impute");
    if (type == ColumnType::timestamp) return json_get<std::int64_t>(json, "value", "impute");
    return json_get<std::string>(json, "value", "impute");
  }

 private:
  [[noreturn]] static void wrong_type(const std::string& name, const Column& column, const std::string& wanted) {
    throw DTypeError("[impute] column \"" + name + "\": expected " + wanted + ", got " +
                     std::string(to_string(column.type())));
  }

  static double checked_mean(const Table& table, const std::string& name, const std::vector<double>& values) {
    const double mean = mean_of(values);
    if (!std::isfinite(mean))
      fail_column(table, name, "impute", "expected numbers with a finite mean, got larger ones");
    return mean;
  }

  // The smallest of those that occur most often in sorted values.
  template <class T>
  static T most_frequent(const std::vector<T>& sorted) {
    T best = sorted.front();
    std::size_t most = 0;
    for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
      while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
      if (end - begin > most) {
        most = end - begin;
        best = sorted[begin];
      }
    }
    return best;
  }

  bool learns_;
  Fill fill_;
  FillValue constant_;
};

// Whether the column had missing values when it was fitted.
class MissingIndicator final : public ColumnStep<bool> {
 public:
  MissingIndicator(Selector selector, MissingIndicatorOptions options)
      : ColumnStep(std::move(selector), Output::beside), options_(options) {}
  std::string_view type() const override { return "missing_indicator"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<MissingIndicator>(*this); }

 protected:
  bool fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    return options_.all_columns || count_missing(table.column(name)) > 0;
  }
  std::vector<Column> apply(const Table&, const std::string&, const Column& column, const bool& used) const override {
    if (!used) return {};
    std::vector<bool> missing(static_cast<std::size_t>(column.size()));
    for (std::int64_t i = 0; i < column.size(); ++i) missing[static_cast<std::size_t>(i)] = is_missing(column, i);
    return {Column::from_booleans(missing)};
  }
  std::vector<std::string> output_names(const std::string& name, const bool& used) const override {
    return used ? std::vector<std::string>{name + "_missing"} : std::vector<std::string>{};
  }
  Json save_options() const override { return {{"all_columns", options_.all_columns}}; }
  Json save_state(const bool& used) const override { return {{"used", used}}; }
  bool load_state(const Json& json) const override { return json_get<bool>(json, "used", "missing_indicator"); }

 private:
  static bool is_missing(const Column& column, std::int64_t i) {
    return column.is_null(i) || (column.type() == ColumnType::f64 && std::isnan(column.f64(i)));
  }
  static std::int64_t count_missing(const Column& column) {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < column.size(); ++i) count += is_missing(column, i);
    return count;
  }

  MissingIndicatorOptions options_;
};

}  // namespace

StepPtr load_impute(const Json& json) {
  const auto name = json_get<std::string>(json, "fill", "impute");
  for (const Fill fill : {Fill::mean, Fill::median, Fill::most_frequent}) {
    if (name == name_of(fill)) {
      return loaded(std::make_shared<Impute>(selector_of(json, "impute"), &fill, FillValue()), json);
    }
  }
  if (name != "constant") throw FormatError("[impute] expected a known fill, got \"" + name + "\"");
  FillValue constant;
  if (json_member(json, "constant", "impute").is_string()) {
    constant = json_get<std::string>(json, "constant", "impute");
  } else {
    constant = get_finite(json, "constant", "impute");
  }
  return loaded(std::make_shared<Impute>(selector_of(json, "impute"), nullptr, std::move(constant)), json);
}

StepPtr load_missing_indicator(const Json& json) {
  const MissingIndicatorOptions options{.all_columns = json_get<bool>(json, "all_columns", "missing_indicator")};
  return loaded(std::make_shared<MissingIndicator>(selector_of(json, "missing_indicator"), options), json);
}

}  // namespace internal

StepPtr impute(Selector columns, Fill fill) {
  return std::make_shared<internal::Impute>(std::move(columns), &fill, internal::FillValue());
}
StepPtr impute(Selector columns, double constant) {
  return std::make_shared<internal::Impute>(std::move(columns), nullptr, constant);
}
StepPtr impute(Selector columns, std::string constant) {
  return std::make_shared<internal::Impute>(std::move(columns), nullptr, std::move(constant));
}
StepPtr missing_indicator(Selector columns, MissingIndicatorOptions options) {
  return std::make_shared<internal::MissingIndicator>(std::move(columns), options);
}

}  // namespace tern::data
