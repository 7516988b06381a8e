#include "tern/data/pipeline.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "data/step_base.h"
#include "tern/base/parallel.h"
#include "tern/tensor/creation.h"

namespace tern::data {

using internal::Json;
using internal::json_get;
using internal::json_member;
using tern::internal::json_text;

namespace {

constexpr std::int64_t kPipelineFormat = 1;

std::vector<std::unique_ptr<Step>> copies(const std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<std::unique_ptr<Step>> result;
  result.reserve(steps.size());
  for (const auto& step : steps) result.push_back(step->clone());
  return result;
}

// Which columns before the steps the last columns are made of.
std::unordered_set<std::string> origins(std::span<const std::unique_ptr<Step>> steps,
                                        const std::vector<std::string>& last) {
  std::unordered_set<std::string> live(last.begin(), last.end());
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::unordered_map<std::string, std::vector<std::string>> sources;  // a column may be made of several
    for (auto& [output, source] : (*step)->derived()) sources[std::move(output)].push_back(std::move(source));
    std::unordered_set<std::string> before;
    for (const std::string& name : live) {
      const auto made = sources.find(name);
      if (made == sources.end()) {
        before.insert(name);
      } else {
        before.insert(made->second.begin(), made->second.end());
      }
    }
    live = std::move(before);
  }
  return live;
}

// The column before the steps that a column behind them is made of.
std::string source_of(std::span<const std::unique_ptr<Step>> steps, const std::string& name) {
  return *origins(steps, {name}).begin();
}

std::string advice(ColumnType type) {
  switch (type) {
    case ColumnType::string:
      return "free text; drop it, or encode it (normalize_formats gives text of few values categories)";
    case ColumnType::categorical:
      return "categories; encode it (one_hot, ordinal, target_encoding) or drop it";
    case ColumnType::timestamp:
      return "timestamps; take its date_parts or drop it";
    default:
      return "another type";
  }
}

}  // namespace

Pipeline::Pipeline() = default;

Pipeline::Pipeline(std::initializer_list<StepPtr> steps) : Pipeline(std::vector<StepPtr>(steps)) {}

Pipeline::Pipeline(const std::vector<StepPtr>& steps) {
  for (const StepPtr& step : steps) {
    if (!step) throw ValueError("[Pipeline] expected steps, got a null pointer");
    steps_.push_back(step->clone());
  }
}

Pipeline::Pipeline(const Pipeline& other)
    : steps_(copies(other.steps_)),
      inputs_(other.inputs_),
      features_(other.features_),
      target_(other.target_),
      fitted_(other.fitted_),
      numbers_(other.numbers_) {}

Pipeline& Pipeline::operator=(const Pipeline& other) {
  if (this != &other) *this = Pipeline(other);
  return *this;
}

Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;
Pipeline::~Pipeline() = default;

std::int64_t Pipeline::size() const { return static_cast<std::int64_t>(steps_.size()); }

void Pipeline::need_fitted(const char* what) const {
  if (!fitted_)
    throw StateError(std::string("[Pipeline::") + what + "] expected a fitted pipeline, got one before fit");
}

Table Pipeline::fit_steps(const Table& table, const std::string& target, std::uint64_t seed, bool numbers) {
  if (!target.empty()) table.column(target);  // throws with names like it
  if (table.rows() == 0) {
    throw DataError("Pipeline::fit", "expected rows to learn from, got none", {.file = table.source_file()});
  }
  std::vector<std::unique_ptr<Step>> steps = copies(steps_);
  Table current = table;
  for (std::size_t k = 0; k < steps.size(); ++k) {
    current = steps[k]->fit_transform(current, {.target = target, .seed = seed + 0x9E3779B97F4A7C15u * k});
  }
  std::vector<std::string> features;
  bool all_numbers = true;
  for (const std::string& name : current.names()) {
    if (name == target) continue;
    const Column& column = current.column(name);
    all_numbers = all_numbers && column.is_numeric();
    if (numbers && !column.is_numeric()) {
      internal::fail_column(current, name, "Pipeline::fit",
                            "expected numbers after the last step, got " + advice(column.type()));
    }
    features.push_back(name);
  }
  if (features.empty()) {
    throw DataError("Pipeline::fit", "expected at least one feature after the last step, got none",
                    {.file = table.source_file()});
  }
  const std::unordered_set<std::string> used = origins(steps, features);
  std::vector<Input> inputs;
  for (const std::string& name : table.names()) {
    if (name == target) continue;
    inputs.push_back({{name, table.column(name).type()}, used.count(name) > 0});
  }
  steps_ = std::move(steps);
  inputs_ = std::move(inputs);
  features_ = std::move(features);
  target_ = target;
  fitted_ = true;
  numbers_ = all_numbers;
  return current;
}

void Pipeline::fit(const Table& table, const std::string& target, const PipelineFitOptions& options) {
  fit_steps(table, target, options.seed, true);
}

Table Pipeline::fit_transform_table(const Table& table, const std::string& target, const PipelineFitOptions& options) {
  const Table features = fit_steps(table, target, options.seed, false);
  std::vector<std::string> names = features_;
  if (!target.empty()) names.push_back(target);
  return features.select(names);
}

Dataset Pipeline::fit_transform(const Table& table, const std::string& target, const PipelineFitOptions& options) {
  Pipeline fresh(*this);
  const Table features = fresh.fit_steps(table, target, options.seed, true);
  Dataset dataset = fresh.to_dataset(features, table);
  *this = std::move(fresh);
  return dataset;
}

// The inputs in their fitted order and types. Those that reach no feature are taken as missing, so that neither their
// absence nor their values can stop a row.
Table Pipeline::conform(const Table& table) const {
  const bool with_target = !target_.empty() && table.has(target_);
  Table result = table.select(with_target ? std::vector<std::string>{target_} : std::vector<std::string>{});
  for (const Input& input : inputs_) {
    const auto& [name, type] = input.column;
    result.add(name, input.needed ? internal::conform(table, name, type, "Pipeline::transform")
                                  : Column::nulls(type, table.rows()));
  }
  return result;
}

Table Pipeline::transform_table(const Table& table, const TransformOptions& options) const {
  need_fitted("transform");
  Table current = conform(table);
  for (const auto& step : steps_) {
    current = options.scoring ? step->transform_scored(current) : step->transform(current);
  }
  std::vector<std::string> names = features_;
  if (!target_.empty() && current.has(target_)) names.push_back(target_);
  return current.select(names);
}

Dataset Pipeline::transform(const Table& table, const TransformOptions& options) const {
  if (!numbers_) {
    throw StateError(
        "[Pipeline::transform] expected features that are numbers, got some that are not (transform_table gives them)");
  }
  return to_dataset(transform_table(table, options), table);
}

std::vector<std::pair<std::string, std::int64_t>> Pipeline::unseen(const Table& table) const {
  need_fitted("unseen");
  std::vector<std::pair<std::string, std::int64_t>> counts;
  Table current = conform(table);
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    for (const auto& [name, count] : steps_[k]->unseen(current)) {
      counts.emplace_back(source_of({steps_.data(), k}, name), count);
    }
    if (k + 1 < steps_.size()) current = steps_[k]->transform_scored(current);
  }
  return counts;
}

Dataset Pipeline::to_dataset(const Table& features, const Table& raw) const {
  const std::int64_t rows = features.rows();
  const std::size_t width = features_.size();
  Tensor x = empty({rows, static_cast<std::int64_t>(width)}, f32);
  float* const values = x.mutable_span<float>().data();
  std::vector<const Column*> columns;
  for (const std::string& name : features_) columns.push_back(&features.column(name));
  constexpr std::int64_t block = 1024;  // rows of the row-major matrix that one call fills
  parallel_for(rows, block, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t c = 0; c < width; ++c) {
      const Column& column = *columns[c];
      float* out = values + static_cast<std::size_t>(begin) * width + c;
      for (std::int64_t i = begin; i < end; ++i, out += width) {
        const double value = column.numeric(i);
        *out = static_cast<float>(value);
        if (!std::isfinite(*out)) {
          if (std::isnan(value)) {
            internal::fail_row(features, i, features_[c], "Pipeline",
                               "expected a value, got a missing one that no step fills; impute it");
          }
          const std::string source = source_of(steps_, features_[c]);
          internal::fail_row(raw, i, source, "Pipeline",
                             "expected a value whose feature is within the range of f32, got " +
                                 raw.column(source).text(i) + ", which becomes " + column.text(i));
        }
      }
    }
  });
  if (target_.empty() || !features.has(target_)) return Dataset(x, features_, features.row_ids());
  return Dataset(x, features_, features.row_ids(), features.column(target_));
}

std::int64_t Pipeline::width() const {
  need_fitted("width");
  return static_cast<std::int64_t>(features_.size());
}

const std::vector<std::string>& Pipeline::feature_names() const {
  need_fitted("feature_names");
  return features_;
}

std::vector<InputColumn> Pipeline::inputs() const {
  need_fitted("inputs");
  std::vector<InputColumn> result;
  for (const Input& input : inputs_) {
    if (input.needed) result.push_back(input.column);
  }
  return result;
}

const std::string& Pipeline::target() const {
  need_fitted("target");
  return target_;
}

const Step& Pipeline::step(std::int64_t i) const {
  if (i < 0 || i >= size()) {
    throw IndexError("[Pipeline::step] expected a step in [0, " + std::to_string(size()) + "), got " +
                     std::to_string(i));
  }
  return *steps_[static_cast<std::size_t>(i)];
}

std::string Pipeline::to_json() const {
  need_fitted("to_json");
  Json inputs = Json::array();
  for (const Input& input : inputs_) {
    inputs.push_back(
        {{"name", input.column.name}, {"type", std::string(to_string(input.column.type))}, {"needed", input.needed}});
  }
  Json steps = Json::array();
  for (const auto& step : steps_) {
    const std::string type(step->type());
    steps.push_back({{"type", type}, {"step", tern::internal::parse_json(step->to_json(), type)}});
  }
  Json json = {{"format", "tern.pipeline"}, {"version", kPipelineFormat}, {"inputs", std::move(inputs)},
               {"target", target_},         {"steps", std::move(steps)},  {"features", features_}};
  if (!numbers_) json["numbers"] = false;
  return internal::dump_json(json, "Pipeline::to_json");
}

Pipeline Pipeline::from_json(std::string_view text) {
  const std::string what = "pipeline";
  const Json json = tern::internal::parse_json(text, what);
  if (json_get<std::string>(json, "format", what) != "tern.pipeline") {
    throw FormatError("[pipeline] expected \"format\" to be \"tern.pipeline\", got another");
  }
  if (const auto version = json_get<std::int64_t>(json, "version", what); version != kPipelineFormat) {
    throw FormatError("[pipeline] expected version " + std::to_string(kPipelineFormat) + ", got " +
                      std::to_string(version));
  }
  Pipeline result;
  result.target_ = json_get<std::string>(json, "target", what);
  std::unordered_set<std::string> names;
  const auto array = [&](const char* key) -> const Json& {
    const Json& values = json_member(json, key, what);
    if (!values.is_array())
      throw FormatError("[pipeline] expected an array \"" + std::string(key) + "\", got another value");
    return values;
  };
  for (const Json& input : array("inputs")) {
    Input one;
    one.column.name = json_get<std::string>(input, "name", what);
    try {
      one.column.type = parse_column_type(json_get<std::string>(input, "type", what));
    } catch (const ValueError& error) {
      throw FormatError(std::string("[pipeline] ") + error.what());
    }
    one.needed = json_get<bool>(input, "needed", what);
    if (one.column.name.empty() || one.column.name == result.target_ || !names.insert(one.column.name).second) {
      throw FormatError("[pipeline] expected distinct inputs other than the target, got \"" + one.column.name + "\"");
    }
    result.inputs_.push_back(std::move(one));
  }
  for (const Json& step : array("steps")) {
    const auto type = json_get<std::string>(step, "type", what);
    const StepPtr loaded = load_step(type, json_text(json_member(step, "step", what)));
    result.steps_.push_back(loaded->clone());
  }
  result.features_ = json_get<std::vector<std::string>>(json, "features", what);
  result.numbers_ = tern::internal::json_get_or(json, "numbers", true, what);
  const std::unordered_set<std::string> distinct(result.features_.begin(), result.features_.end());
  if (result.features_.empty() || distinct.size() != result.features_.size() || distinct.count(result.target_) > 0) {
    throw FormatError("[pipeline] expected distinct features other than the target, got one twice or none");
  }
  // No rows through all steps: what cannot work later is found now.
  Table empty;
  for (const Input& input : result.inputs_) empty.add(input.column.name, Column::nulls(input.column.type, 0));
  result.fitted_ = true;
  try {
    const Table made = result.transform_table(empty);
    for (const std::string& name : result.features_) {
      if (result.numbers_ && !made.column(name).is_numeric())
        throw FormatError("[pipeline] expected numbers as features, got others");
    }
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {
    throw FormatError(std::string("[pipeline] expected steps that fit together, got: ") + error.what());
  }
  return result;
}

}  // namespace tern::data
