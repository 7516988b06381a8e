#include <algorithm>
#include <cmath>
#include <map>

#include "base/json.h"
#include "bundle/state.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"
#include "tern/data/formats.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

using data::Column;
using data::ColumnType;

// Rows that go through pipeline and model together; bounds the memory of a thread.
constexpr std::int64_t block = 1024;

std::int64_t values_per_row(const train::Task& task) {
  return task.kind() == train::TaskKind::multiclass ? static_cast<std::int64_t>(task.classes().size()) : 1;
}

// Puts together what `predict(begin, end)` gives for blocks of rows, on all threads.
template <class Predict>
std::vector<double> in_blocks(const train::Task& task, std::int64_t rows, Predict predict) {
  const std::int64_t width = values_per_row(task);
  std::vector<double> values(static_cast<std::size_t>(rows * width));
  parallel_for(rows, block, [&](std::int64_t begin, std::int64_t end) {
    const std::vector<double> part = predict(begin, end);
    if (static_cast<std::int64_t>(part.size()) != (end - begin) * width) {
      throw ShapeError("[bundle] expected " + std::to_string((end - begin) * width) + " outputs of the model, got " +
                       std::to_string(part.size()));
    }
    std::copy(part.begin(), part.end(), values.begin() + begin * width);
  });
  return values;
}

std::vector<double> forward(nn::Module& model, const train::Task& task, const Tensor& x) {
  const NoGrad no_grad;
  return task.predict(model(x));
}

std::vector<std::string> decide(const train::Task& task, const std::vector<double>& values) {
  std::vector<std::string> decisions;
  const auto& classes = task.classes();
  if (task.kind() == train::TaskKind::binary) {
    for (const double p : values) decisions.push_back(classes[p >= task.threshold() ? 1 : 0]);
  } else if (task.kind() == train::TaskKind::multiclass) {
    const auto width = static_cast<std::ptrdiff_t>(classes.size());
    for (auto row = values.begin(); row != values.end(); row += width) {
      decisions.push_back(classes[static_cast<std::size_t>(std::max_element(row, row + width) - row)]);
    }
  }
  return decisions;
}

std::string in_quotes(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

// The values of a row that are text, as the reader of files reads them: fields in quotes under the schema.
data::Table read_texts(const Row& texts, const data::Schema& schema) {
  data::CsvOptions options{.delimiter = ',',
                           .schema = {.missing = schema.missing, .quoted_missing = schema.quoted_missing}};
  std::string header, record;
  for (const auto& [name, value] : texts) {
    options.schema.columns.push_back(*schema.find(name));
    header += (header.empty() ? "" : ",") + in_quotes(name);
    record += (record.empty() ? "" : ",") + in_quotes(std::get<std::string>(value));
  }
  if (texts.empty()) return {};
  try {
    return data::read_csv_text(header + "\n" + record + "\n", options);
  } catch (const DataError& error) {  // which names a line of no file
    throw DataError("bundle", error.message(), {.column = error.column()});
  }
}

// A value that is no text.
Column one_value(const Value& value, const data::SchemaColumn& wanted) {
  if (std::holds_alternative<std::monostate>(value)) return Column::nulls(wanted.type, 1);
  const bool* const truth = std::get_if<bool>(&value);
  const auto fail = [&](const std::string& got) -> Column {
    throw DataError("bundle", "expected " + data::value_in_words(wanted.type, wanted.format) + ", got " + got,
                    {.column = wanted.name});
  };
  const bool percent = wanted.format.starts_with("number:") && data::parse_number_format(wanted.format).percent;
  if (percent && truth == nullptr) {
    return fail("a number, which may mean percent or a fraction; give the text that a file would hold");
  }
  try {
    switch (wanted.type) {
      case ColumnType::string:
      case ColumnType::categorical:  // true is a word for one of yes and no, if the pipeline takes it as such
        if (truth == nullptr)
          return fail("a number; give the text that a file would hold, in the form of the training file");
        return Column::from_strings({*truth ? "true" : "false"}).cast(wanted.type);
      case ColumnType::boolean:
        return truth != nullptr ? Column::from_booleans({*truth}) : fail("a number");
      case ColumnType::timestamp:
        if (const auto* whole = std::get_if<std::int64_t>(&value)) return Column::from_timestamps({*whole});
        break;
      case ColumnType::f64:
      case ColumnType::i64:
        if (truth != nullptr) break;
        if (const auto* whole = std::get_if<std::int64_t>(&value)) return Column::from_i64({*whole}).cast(wanted.type);
        return Column::from_f64({std::get<double>(value)}).cast(wanted.type);
    }
  } catch (const DataError& error) {
    if (error.column() == wanted.name) throw;
    throw DataError("bundle", error.message(), {.column = wanted.name});
  }
  return fail(truth != nullptr ? "a boolean" : "a number");
}

}  // namespace

std::vector<double> Bundle::State::predict(const Tensor& x) const {
  return in_blocks(task, x.size(0), [&](std::int64_t begin, std::int64_t end) {
    return forward(*model, task, x.slice(0, begin, end).contiguous().to(dtype));
  });
}

std::vector<double> Bundle::State::predict_raw(const data::Table& rows) const {
  return in_blocks(task, rows.rows(), [&](std::int64_t begin, std::int64_t end) {
    const data::Table part = rows.slice(begin, end - begin);
    if (model) return forward(*model, task, pipeline.transform(part, {.scoring = true}).x().to(dtype));
    return train::predict(*estimator, task, pipeline.transform_table(part, {.scoring = true}));
  });
}

std::vector<std::pair<std::string, std::int64_t>> Bundle::State::unseen(const data::Table& rows) const {
  std::vector<std::pair<std::string, std::int64_t>> counts = pipeline.unseen(rows);
  if (!estimator) return counts;
  for (auto& [name, count] : estimator->unseen(pipeline.transform_table(rows, {.scoring = true}))) {
    const auto of_name = [&, &wanted = name](const auto& entry) { return entry.first == wanted; };
    const auto known = std::find_if(counts.begin(), counts.end(), of_name);
    if (known != counts.end()) {
      known->second += count;
    } else if (rows.has(name)) {
      counts.emplace_back(name, count);
    }
  }
  return counts;
}

namespace {

double count_of(const internal::Json& json) {
  const auto count = json.is_object() ? json.find("count") : json.end();
  return count != json.end() && count->is_number() ? count->get<double>() : 0;
}

// The share of training rows whose level was too rare to be told, by the profile; 0 where it says nothing.
double share_of_rare(const std::string& profile, const std::string& name) {
  if (profile.empty()) return 0;
  const internal::Json json = internal::parse_json(profile, "profile");
  const auto columns = json.find("columns");
  if (columns == json.end() || !columns->is_array()) return 0;
  for (const internal::Json& column : *columns) {
    if (!column.is_object() || column.value("name", internal::Json()) != name) continue;
    double told = 0;
    for (const internal::Json& level : column.value("levels", internal::Json::array())) told += count_of(level);
    const double rare = count_of(column.value("other", internal::Json()));
    return told + rare > 0 ? rare / (told + rare) : 0;
  }
  return 0;
}

// "Y" 60, "N" 40
std::string most_frequent_values(const Column& column) {
  std::map<std::string, std::int64_t> counts;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) ++counts[column.text(i)];
  }
  std::vector<std::pair<std::string, std::int64_t>> values(counts.begin(), counts.end());
  std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  constexpr std::size_t most = 5, longest = 40;
  std::string text;
  for (std::size_t k = 0; k < std::min(most, values.size()); ++k) {
    text += (k ? ", \"" : "\"") + values[k].first.substr(0, longest) + "\" " + std::to_string(values[k].second);
  }
  return values.size() > most ? text + ", …" : text;
}

}  // namespace

std::vector<std::string> Bundle::State::all_unknown(const data::Table& rows) const {
  constexpr std::int64_t least = 10;
  constexpr double chance = 1e-6;
  const auto values_of = [](const Column& column) { return column.size() - column.null_count(); };
  const auto columns_of = [&](const data::Table& part) {
    std::vector<std::string> names;
    for (const auto& [name, count] : unseen(part)) {
      if (count == values_of(part.column(name))) names.push_back(name);
    }
    return names;
  };
  // What is true of all rows is true of the first ones; few files go on from there.
  const data::Table first = rows.head(std::min(block, rows.rows()));
  bool blank = false;  // in the first rows alone
  for (const data::InputColumn& input : pipeline.inputs()) {
    if (!rows.has(input.name)) return {};  // the pipeline says so
    blank = blank || (values_of(first.column(input.name)) == 0 && values_of(rows.column(input.name)) > 0);
  }
  std::vector<std::string> warnings, names = columns_of(first);
  if (rows.rows() > first.rows() && (blank || !names.empty())) names = columns_of(rows);
  for (const std::string& name : names) {
    const std::int64_t values = values_of(rows.column(name));
    if (values < least) continue;
    if (std::pow(share_of_rare(provenance.profile, name), static_cast<double>(values)) > chance) continue;
    warnings.push_back("column \"" + name + "\": none of its " + std::to_string(values) +
                       " values is known to the model: " + most_frequent_values(rows.column(name)) +
                       "; those that mean the same as in training are known where they are written the same");
  }
  return warnings;
}

Predictions Bundle::predict(const data::Table& table) const {
  const State& state = *state_;
  std::vector<std::string> wanted;  // with a column that is missing still missed by the pipeline, in its own words
  for (const data::InputColumn& input : state.pipeline.inputs()) {
    if (table.has(input.name)) wanted.push_back(input.name);
  }
  const data::Table inputs = table.select(wanted);
  Predictions predictions;
  predictions.rows = table.rows();
  if (table.rows() == 0) {
    state.pipeline.transform_table(inputs, {.scoring = true});  // says what is missing, even without rows
    return predictions;
  }
  if (table.rows() > 1) predictions.warnings = state.all_unknown(inputs);
  for (const std::string& warning : predictions.warnings) log(LogLevel::warning, "[bundle] " + warning);
  predictions.values = state.predict_raw(inputs);
  predictions.decisions = decide(state.task, predictions.values);
  return predictions;
}

Predictions Bundle::predict(const Row& row) const {
  const State& state = *state_;
  const data::Schema& schema = state.provenance.schema;
  const std::vector<data::InputColumn> inputs = state.pipeline.inputs();
  Row texts;
  std::vector<const Value*> values;
  for (const data::InputColumn& input : inputs) {
    const auto named = [&](const auto& entry) { return entry.first == input.name; };
    const auto found = std::find_if(row.begin(), row.end(), named);
    if (found == row.end()) {
      throw DataError("bundle", "expected a value (std::monostate for a missing one), got none",
                      {.column = input.name});
    }
    if (std::find_if(found + 1, row.end(), named) != row.end()) {
      throw DataError("bundle", "expected one value, got two", {.column = input.name});
    }
    values.push_back(&found->second);
    if (std::holds_alternative<std::string>(found->second)) texts.push_back(*found);
  }
  const data::Table read = read_texts(texts, schema);
  data::Table table;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& name = inputs[i].name;
    const bool text = std::holds_alternative<std::string>(*values[i]);
    table.add(name, text ? read.column(name) : one_value(*values[i], *schema.find(name)));
  }
  Predictions predictions = predict(table);
  for (const auto& unseen : state.unseen(table)) {
    const std::string& name = unseen.first;
    const auto at = std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name == name; });
    const auto position = static_cast<std::size_t>(at - inputs.begin());
    if (position < values.size() && std::holds_alternative<bool>(*values[position])) {
      throw DataError("bundle", "expected text that a file would hold, got a boolean in a column of other words",
                      {.column = name});
    }
    predictions.unknown.push_back(name);
  }
  return predictions;
}

std::vector<std::pair<std::string, std::int64_t>> Bundle::unseen(const data::Table& table) const {
  return state_->unseen(table);
}

data::Table Bundle::read(const std::string& csv_path, bool with_target, data::CsvReport* report) const {
  const State& state = *state_;
  const Provenance& facts = state.provenance;
  data::CsvOptions options{.schema = facts.schema, .allow_no_rows = !with_target};  // of no rows, no predictions
  const auto inputs = state.pipeline.inputs();
  const auto used = [&](const std::string& name) {
    return std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name == name; });
  };
  if (!with_target) {
    std::erase_if(options.schema.columns, [&](const data::SchemaColumn& column) {
      return column.name == state.task.target() ||
             (column.name == facts.group && column.name != facts.id && !used(column.name));
    });
  }
  if (!facts.id.empty() && !used(facts.id)) options.optional_columns.push_back(facts.id);
  if (with_target && !facts.group.empty() && facts.group != facts.id && !used(facts.group)) {
    options.optional_columns.push_back(facts.group);
  }
  return data::read_csv(csv_path, options, report);
}

Predictions Bundle::predict(const std::string& csv_path) const { return predict(read(csv_path, false)); }

}  // namespace tern
