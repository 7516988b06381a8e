#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/quantile.h"
#include "data/selector_json.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/steps.h"
#include "tern/data/table.h"

// What the steps share: choosing columns, fitting and applying column by column, saving and loading.
namespace tern::data::internal {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_get_or;
using tern::internal::json_member;
using tern::internal::quantile_of;

/// The column `name` as a `type`: itself, or nulls where it is all missing, or another kind of number, or text as
/// categories and back. Throws DataError naming file and column when it is missing or of another type.
Column conform(const Table& table, const std::string& name, ColumnType type, const std::string& where);

/// DataError about a column, with the table's file.
[[noreturn]] void fail_column(const Table& table, const std::string& name, const std::string& where,
                              const std::string& message);
/// DataError about a row of a column.
[[noreturn]] void fail_row(const Table& table, std::int64_t row, const std::string& name, const std::string& where,
                           const std::string& message);

/// The values that are there, in order. Throws DTypeError when the column is no number, DataError when there is none or
/// one is infinite.
std::vector<double> present_numbers(const Table& table, const std::string& name, const std::string& where);

/// Sum with the error carried along (Neumaier 1974).
double accurate_sum(const std::vector<double>& values);
/// Arithmetic mean; also of values whose sum would overflow.
double mean_of(const std::vector<double>& values);

/// The levels of a column with their counts: by bytes, an ordered categorical by its order, whole numbers by value.
struct LevelCounts {
  std::vector<std::string> levels{};
  std::vector<std::int64_t> counts{};
  std::int64_t missing = 0;
};
/// Throws DTypeError unless the column is text, categorical, boolean or i64.
LevelCounts count_levels(const Column& column, const std::string& name, const std::string& where);
/// Those of at least `min_count` rows.
std::vector<std::string> common_levels(const LevelCounts& found, std::int64_t min_count);

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

/// Levels by their text.
class LevelIndex {
 public:
  static constexpr std::int32_t missing = -1, unseen = -2;

  LevelIndex() = default;
  explicit LevelIndex(const std::vector<std::string>& levels);
  /// Position of the level of each row, `missing` or `unseen`.
  std::vector<std::int32_t> of(const Column& column) const;
  /// How many rows have a level that is not among these.
  std::int64_t count_unseen(const Column& column) const {
    const std::vector<std::int32_t> found = of(column);
    return std::count(found.begin(), found.end(), unseen);
  }

 private:
  std::int32_t find(std::string_view text) const {
    const auto at = index_.find(text);
    return at == index_.end() ? unseen : at->second;
  }
  std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> index_;
};

/// A finite number. Throws FormatError.
double get_finite(const Json& json, const char* key, const std::string& what);

/// Names for new columns beside those that are there.
class FreshNames {
 public:
  explicit FreshNames(const std::vector<std::string>& taken) : taken_(taken.begin(), taken.end()) {}
  /// The wanted name, or the first of NAME_2, NAME_3, … that is free, of which a line is logged; taken from then on.
  std::string get(const std::string& wanted, const std::string& where);

 private:
  std::unordered_set<std::string> taken_;
};

/// Where the columns that a step makes stand.
enum class Output : std::uint8_t {
  in_place,  ///< one for each, in its place
  instead,   ///< behind the others; the fitted column goes
  beside     ///< behind the others; the fitted column stays
};

/// A step that fits and applies each of its columns alone. `State` is what it learns of a column.
template <class State>
class ColumnStep : public Step {
 public:
  ColumnStep(Selector selector, Output output) : selector_(std::move(selector)), output_(output) {}

  void fit(const Table& table, const FitContext& context) override {
    const std::vector<std::string> names = selector_.select(table, context.target);
    std::vector<Fitted> fitted(names.size());
    parallel_for(static_cast<std::int64_t>(names.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        Fitted& one = fitted[static_cast<std::size_t>(i)];
        one.name = names[static_cast<std::size_t>(i)];
        one.column = table.column(one.name).type();
        one.state = fit_column(table, one.name, context);
      }
    });
    if (output_ != Output::in_place) {
      FreshNames fresh((output_ == Output::instead ? table.drop(names) : table).names());
      for (Fitted& one : fitted) {
        one.outputs = output_names(one.name, one.state);
        for (std::string& output : one.outputs) output = fresh.get(output, std::string(type()));
      }
    }
    fitted_ = std::move(fitted);
    is_fitted_ = true;
  }

  Table transform(const Table& table) const override {
    need_fitted();
    return apply_all(table, [this](const Table& t, const Fitted& one, std::size_t) {
      return apply(t, one.name, internal::conform(t, one.name, one.column, std::string(type())), one.state);
    });
  }

  Table fit_transform(const Table& table, const FitContext& context) override {
    fit(table, context);
    return transform(table);
  }

  std::vector<std::pair<std::string, std::int64_t>> unseen(const Table& table) const override {
    need_fitted();
    std::vector<std::pair<std::string, std::int64_t>> counts;
    for (const Fitted& one : fitted_) {
      const std::int64_t count =
          count_unseen(internal::conform(table, one.name, one.column, std::string(type())), one.state);
      if (count > 0) counts.emplace_back(one.name, count);
    }
    return counts;
  }

  std::vector<std::pair<std::string, std::string>> derived() const override {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const Fitted& one : fitted_) {
      for (const std::string& output : one.outputs) pairs.emplace_back(output, one.name);
    }
    return pairs;
  }

  std::string to_json() const override {
    need_fitted();
    Json columns = Json::array();
    for (const Fitted& one : fitted_) {
      Json state = save_state(one.state);
      state["name"] = one.name;
      state["column"] = std::string(to_string(one.column));
      if (output_ != Output::in_place && one.outputs != output_names(one.name, one.state)) {
        state["outputs"] = one.outputs;
      }
      columns.push_back(std::move(state));
    }
    Json json = save_options();
    json["selector"] = save_selector(selector_);
    json["columns"] = std::move(columns);
    return dump_json(json, "Step::to_json");
  }

  /// Takes over what `to_json` gave; options have been read by the loader.
  void load(const Json& json) {
    const std::string what(type());
    const Json& columns = json_member(json, "columns", what);
    if (!columns.is_array()) throw FormatError("[" + what + "] expected an array \"columns\", got another value");
    for (const Json& column : columns) {
      Fitted one;
      one.name = json_get<std::string>(column, "name", what);
      one.column = load_type(json_get<std::string>(column, "column", what), what);
      one.state = load_state(column);
      if (output_ != Output::in_place) {
        one.outputs = output_names(one.name, one.state);
        // Written where a name was taken, and so in no file of before other names were chosen.
        auto chosen = json_get_or(column, "outputs", one.outputs, what);
        if (chosen.size() != one.outputs.size()) {
          throw FormatError("[" + what + "] expected " + std::to_string(one.outputs.size()) + " outputs of \"" +
                            one.name + "\", got " + std::to_string(chosen.size()));
        }
        one.outputs = std::move(chosen);
      }
      fitted_.push_back(std::move(one));
    }
    is_fitted_ = true;
  }

 protected:
  struct Fitted {
    std::string name{};
    ColumnType column = ColumnType::f64;
    State state{};
    std::vector<std::string> outputs{};
  };

  virtual State fit_column(const Table& table, const std::string& name, const FitContext& context) const = 0;
  /// The columns made of one, in the order of `output_names`.
  virtual std::vector<Column> apply(const Table& table, const std::string& name, const Column& column,
                                    const State& state) const = 0;
  /// Values of a column that the state does not know.
  virtual std::int64_t count_unseen(const Column& /*column*/, const State& /*state*/) const { return 0; }
  /// Names of the columns made of one; not called for steps that work in place.
  virtual std::vector<std::string> output_names(const std::string& name, const State& state) const = 0;
  virtual Json save_options() const = 0;
  virtual Json save_state(const State& state) const = 0;
  virtual State load_state(const Json& json) const = 0;

  static ColumnType load_type(const std::string& name, const std::string& what) {
    try {
      return parse_column_type(name);
    } catch (const ValueError& error) {
      throw FormatError("[" + what + "] " + error.what());
    }
  }

  void need_fitted() const {
    if (!is_fitted_) throw StateError("[" + std::string(type()) + "] expected a fitted step, got one before fit");
  }

  // Calls make(table, fitted column, position) for each column and puts the results where they belong.
  template <class Make>
  Table apply_all(const Table& table, Make&& make) const {
    std::vector<std::vector<Column>> made(fitted_.size());
    // Few rows are not worth handing out.
    const std::int64_t grain = table.rows() < 256 ? static_cast<std::int64_t>(fitted_.size()) : 1;
    parallel_for(static_cast<std::int64_t>(fitted_.size()), grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto k = static_cast<std::size_t>(i);
        made[k] = make(table, fitted_[k], k);
      }
    });
    if (output_ == Output::in_place) {
      Table result = table;
      for (std::size_t k = 0; k < fitted_.size(); ++k) result.replace(fitted_[k].name, std::move(made[k][0]));
      return result;
    }
    std::vector<std::string> gone;
    for (const Fitted& one : fitted_) {
      if (output_ == Output::instead) gone.push_back(one.name);
    }
    Table result = table.drop(gone);
    for (std::size_t k = 0; k < fitted_.size(); ++k) {
      for (std::size_t j = 0; j < made[k].size(); ++j) result.add(fitted_[k].outputs[j], std::move(made[k][j]));
    }
    return result;
  }

  const std::vector<Fitted>& fitted() const { return fitted_; }
  const Selector& selector() const { return selector_; }

 private:
  Selector selector_;
  Output output_;
  std::vector<Fitted> fitted_;
  bool is_fitted_ = false;
};

/// Ends a loader: the step reads its columns.
template <class T>
StepPtr loaded(std::shared_ptr<T> step, const Json& json) {
  step->load(json);
  return step;
}

inline Selector selector_of(const Json& json, const char* what) {
  return load_selector(json_member(json, "selector", what));
}

// Loaders of the built-in steps; each reads its options and then its columns.
StepPtr load_impute(const Json& json);
StepPtr load_missing_indicator(const Json& json);
StepPtr load_standardize(const Json& json);
StepPtr load_min_max(const Json& json);
StepPtr load_robust(const Json& json);
StepPtr load_log(const Json& json);
StepPtr load_clip(const Json& json);
StepPtr load_one_hot(const Json& json);
StepPtr load_ordinal(const Json& json);
StepPtr load_target_encoding(const Json& json);
StepPtr load_date_parts(const Json& json);
StepPtr load_drop(const Json& json);
StepPtr load_keep(const Json& json);
StepPtr load_normalize_formats(const Json& json);

}  // namespace tern::data::internal
