#include <algorithm>
#include <cmath>
#include <limits>

#include "base/number_text.h"
#include "data/step_base.h"

// Scaling: each learns (center, scale) or two bounds of a column and maps its numbers.
namespace tern::data {
namespace internal {
namespace {

// y = (x - center) / scale, or 0 where scale is 0.
struct Affine {
  double center = 0, scale = 1;
};

// Lower and upper bound.
struct Range {
  double low = 0, high = 0;
};

Json save(const Affine& state) { return {{"center", state.center}, {"scale", state.scale}}; }
Json save(const Range& state) { return {{"low", state.low}, {"high", state.high}}; }

void read(const Json& json, const std::string& what, Affine& state) {
  state = {get_finite(json, "center", what), get_finite(json, "scale", what)};
}
void read(const Json& json, const std::string& what, Range& state) {
  state = {get_finite(json, "low", what), get_finite(json, "high", what)};
}

template <class State>
class NumericStep : public ColumnStep<State> {
 public:
  explicit NumericStep(Selector selector) : ColumnStep<State>(std::move(selector), Output::in_place) {}

 protected:
  virtual double value(double x, const State& state) const = 0;

  std::vector<Column> apply(const Table&, const std::string&, const Column& column, const State& state) const override {
    std::vector<double> values = column.numeric();
    std::vector<bool> valid;
    if (column.null_count() > 0) valid.assign(values.size(), true);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isnan(values[i])) values[i] = value(values[i], state);
    }
    for (std::size_t i = 0; i < valid.size(); ++i) valid[i] = !column.is_null(static_cast<std::int64_t>(i));
    return {Column::from_f64(std::move(values), valid)};
  }
  std::vector<std::string> output_names(const std::string& name, const State&) const override { return {name}; }
  Json save_state(const State& state) const override { return save(state); }
  State load_state(const Json& json) const override {
    State state;
    read(json, std::string(this->type()), state);
    return state;
  }
  Json save_options() const override { return Json::object(); }

  void need_finite(const Table& table, const std::string& name, double number) const {
    if (std::isfinite(number)) return;
    const Column& column = table.column(name);
    std::int64_t largest = -1;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      const double size = std::abs(column.numeric(i));  // NaN is none
      if (!std::isnan(size) && (largest < 0 || size > std::abs(column.numeric(largest)))) largest = i;
    }
    fail_row(table, largest, name, std::string(this->type()),
             "expected numbers whose spread is finite, got larger ones, such as " + column.text(largest) +
                 "; correct such values, or leave the column out");
  }
};

double scaled(double x, const Affine& state) { return state.scale == 0 ? 0.0 : (x - state.center) / state.scale; }

class Standardize final : public NumericStep<Affine> {
 public:
  using NumericStep::NumericStep;
  std::string_view type() const override { return "standardize"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Standardize>(*this); }

 protected:
  double value(double x, const Affine& state) const override { return scaled(x, state); }

  Affine fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    std::vector<double> values = present_numbers(table, name, "standardize");
    const auto n = static_cast<double>(values.size());
    const double mean = mean_of(values);
    for (double& v : values) v -= mean;
    const double drift = accurate_sum(values);
    for (double& v : values) v *= v;
    // Corrected two-pass variance (Chan, Golub, LeVeque 1983).
    const double squares = accurate_sum(values) - drift * drift / n;
    need_finite(table, name, squares);
    const double variance = std::max(0.0, squares) / n;
    // Below this a variance is rounding of a constant.
    const double eps = std::numeric_limits<double>::epsilon();
    const double noise = n * eps * variance + (n * mean * eps) * (n * mean * eps);
    return {mean, variance <= noise ? 0.0 : std::sqrt(variance)};
  }
};

class MinMax final : public NumericStep<Range> {
 public:
  MinMax(Selector selector, MinMaxOptions options) : NumericStep(std::move(selector)), options_(options) {
    if (!(options.low < options.high) || !std::isfinite(options.low) || !std::isfinite(options.high)) {
      throw ValueError("[min_max] expected finite low < high, got " + tern::internal::number_text(options.low) +
                       " and " + tern::internal::number_text(options.high));
    }
  }
  std::string_view type() const override { return "min_max"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<MinMax>(*this); }

 protected:
  double value(double x, const Range& state) const override {
    if (state.low == state.high) return options_.low;
    const double y = options_.low + (x - state.low) / (state.high - state.low) * (options_.high - options_.low);
    return options_.clip ? std::clamp(y, options_.low, options_.high) : y;
  }
  Range fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    const std::vector<double> values = present_numbers(table, name, "min_max");
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    need_finite(table, name, *high - *low);
    return {*low, *high};
  }
  Json save_options() const override {
    return {{"low", options_.low}, {"high", options_.high}, {"clip", options_.clip}};
  }

 private:
  MinMaxOptions options_;
};

class Robust final : public NumericStep<Affine> {
 public:
  Robust(Selector selector, RobustOptions options) : NumericStep(std::move(selector)), options_(options) {
    if (!(options.low >= 0 && options.low < options.high && options.high <= 1)) {
      throw ValueError("[robust] expected quantiles 0 <= low < high <= 1, got " +
                       tern::internal::number_text(options.low) + " and " + tern::internal::number_text(options.high));
    }
  }
  std::string_view type() const override { return "robust"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Robust>(*this); }

 protected:
  double value(double x, const Affine& state) const override { return scaled(x, state); }
  Affine fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    std::vector<double> values = present_numbers(table, name, "robust");
    std::sort(values.begin(), values.end());
    const double spread = quantile_of(values, options_.high) - quantile_of(values, options_.low);
    need_finite(table, name, spread);
    const bool constant = values.front() == values.back();
    return {quantile_of(values, 0.5), constant ? 0.0 : spread == 0 ? 1.0 : spread};
  }
  Json save_options() const override { return {{"low", options_.low}, {"high", options_.high}}; }

 private:
  RobustOptions options_;
};

class Clip final : public NumericStep<Range> {
 public:
  Clip(Selector selector, ClipOptions options) : NumericStep(std::move(selector)), options_(options) {
    if (!(options.low_quantile >= 0 && options.low_quantile <= options.high_quantile && options.high_quantile <= 1)) {
      throw ValueError("[clip] expected quantiles 0 <= low <= high <= 1, got " +
                       tern::internal::number_text(options.low_quantile) + " and " +
                       tern::internal::number_text(options.high_quantile));
    }
    if (!(options.low <= options.high)) {
      throw ValueError("[clip] expected low <= high, got " + tern::internal::number_text(options.low) + " and " +
                       tern::internal::number_text(options.high));
    }
  }
  std::string_view type() const override { return "clip"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Clip>(*this); }

 protected:
  double value(double x, const Range& state) const override { return std::clamp(x, state.low, state.high); }
  Range fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    std::vector<double> values = present_numbers(table, name, "clip");
    // An open end becomes the largest number, which JSON can hold.
    constexpr double largest = std::numeric_limits<double>::max();
    if (std::isfinite(options_.low) || std::isfinite(options_.high)) {
      return {std::max(options_.low, -largest), std::min(options_.high, largest)};
    }
    std::sort(values.begin(), values.end());
    return {quantile_of(values, options_.low_quantile), quantile_of(values, options_.high_quantile)};
  }
  Range load_state(const Json& json) const override {
    const Range range = NumericStep::load_state(json);
    if (range.low > range.high) throw FormatError("[clip] expected low <= high, got the reverse");
    return range;
  }
  Json save_options() const override {
    Json json = {{"low_quantile", options_.low_quantile}, {"high_quantile", options_.high_quantile}};
    if (std::isfinite(options_.low)) json["low"] = options_.low;
    if (std::isfinite(options_.high)) json["high"] = options_.high;
    return json;
  }

 private:
  ClipOptions options_;
};

struct Nothing {};

class Log final : public ColumnStep<Nothing> {
 public:
  explicit Log(Selector selector) : ColumnStep(std::move(selector), Output::in_place) {}
  std::string_view type() const override { return "log"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Log>(*this); }

 protected:
  Nothing fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    present_numbers(table, name, "log");
    apply(table, name, table.column(name), {});  // throws on values that have no logarithm
    return {};
  }
  std::vector<Column> apply(const Table& table, const std::string& name, const Column& column,
                            const Nothing&) const override {
    std::vector<double> values = column.numeric();
    std::vector<bool> valid;
    if (column.null_count() > 0) valid.assign(values.size(), true);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (!valid.empty()) valid[i] = !column.is_null(row);
      if (std::isnan(values[i])) continue;
      if (values[i] <= -1) {
        fail_row(table, row, name, "log", "expected a value above -1, got " + column.text(row));
      }
      values[i] = std::log1p(values[i]);
    }
    return {Column::from_f64(std::move(values), valid)};
  }
  std::vector<std::string> output_names(const std::string& name, const Nothing&) const override { return {name}; }
  Json save_options() const override { return Json::object(); }
  Json save_state(const Nothing&) const override { return Json::object(); }
  Nothing load_state(const Json&) const override { return {}; }
};

}  // namespace

StepPtr load_standardize(const Json& json) {
  return loaded(std::make_shared<Standardize>(selector_of(json, "standardize")), json);
}

StepPtr load_min_max(const Json& json) {
  MinMaxOptions options;
  options.low = get_finite(json, "low", "min_max");
  options.high = get_finite(json, "high", "min_max");
  options.clip = json_get<bool>(json, "clip", "min_max");
  return loaded(std::make_shared<MinMax>(selector_of(json, "min_max"), options), json);
}

StepPtr load_robust(const Json& json) {
  RobustOptions options;
  options.low = get_finite(json, "low", "robust");
  options.high = get_finite(json, "high", "robust");
  return loaded(std::make_shared<Robust>(selector_of(json, "robust"), options), json);
}

StepPtr load_log(const Json& json) { return loaded(std::make_shared<Log>(selector_of(json, "log")), json); }

StepPtr load_clip(const Json& json) {
  ClipOptions options;
  options.low_quantile = get_finite(json, "low_quantile", "clip");
  options.high_quantile = get_finite(json, "high_quantile", "clip");
  options.low = tern::internal::json_get_or(json, "low", options.low, "clip");
  options.high = tern::internal::json_get_or(json, "high", options.high, "clip");
  return loaded(std::make_shared<Clip>(selector_of(json, "clip"), options), json);
}

}  // namespace internal

StepPtr standardize(Selector columns) { return std::make_shared<internal::Standardize>(std::move(columns)); }
StepPtr min_max(Selector columns, MinMaxOptions options) {
  return std::make_shared<internal::MinMax>(std::move(columns), options);
}
StepPtr robust(Selector columns, RobustOptions options) {
  return std::make_shared<internal::Robust>(std::move(columns), options);
}
StepPtr log(Selector columns) { return std::make_shared<internal::Log>(std::move(columns)); }
StepPtr clip(Selector columns, ClipOptions options) {
  return std::make_shared<internal::Clip>(std::move(columns), options);
}

}  // namespace tern::data
