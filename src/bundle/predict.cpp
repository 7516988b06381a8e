#include <algorithm>

#include "bundle/state.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
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

// Runs `features(begin, end)` of each block of rows through the model, on all threads.
template <class Features>
std::vector<double> forward(nn::Module& model, DType dtype, const train::Task& task, std::int64_t rows,
                            Features features) {
  const std::int64_t width = values_per_row(task);
  std::vector<double> values(static_cast<std::size_t>(rows * width));
  parallel_for(rows, block, [&](std::int64_t begin, std::int64_t end) {
    const NoGrad no_grad;
    const std::vector<double> part = task.predict(model(features(begin, end).to(dtype)));
    if (static_cast<std::int64_t>(part.size()) != (end - begin) * width) {
      throw ShapeError("[bundle] expected " + std::to_string((end - begin) * width) + " outputs of the model, got " +
                       std::to_string(part.size()));
    }
    std::copy(part.begin(), part.end(), values.begin() + begin * width);
  });
  return values;
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

// Text is read as a file's would be.
Column parse(const std::string& text, const data::SchemaColumn& wanted) {
  const Column column = Column::from_strings({text});
  return wanted.format.empty() ? column.cast(wanted.type) : data::apply_format(column, wanted.format);
}

Column one_value(const Value& value, const data::SchemaColumn& wanted) {
  if (std::holds_alternative<std::monostate>(value)) return Column::nulls(wanted.type, 1);
  const bool text = std::holds_alternative<std::string>(value);
  const auto fail = [&](const char* got) -> Column {
    throw DataError("bundle", "expected a value of type " + std::string(to_string(wanted.type)) + ", got " + got,
                    {.column = wanted.name});
  };
  try {
    if (wanted.type == ColumnType::string || wanted.type == ColumnType::categorical) {
      if (!text) return fail("a number or a boolean; give the text that a file would hold, such as \"25,45\"");
      return Column::from_strings({std::get<std::string>(value)}).cast(wanted.type);
    }
    if (text) return parse(std::get<std::string>(value), wanted);
    if (const bool* truth = std::get_if<bool>(&value)) {
      return wanted.type == ColumnType::boolean ? Column::from_booleans({*truth}) : fail("a boolean");
    }
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      if (wanted.type == ColumnType::timestamp) return Column::from_timestamps({*whole});
      return wanted.type == ColumnType::boolean ? fail("a number") : Column::from_i64({*whole}).cast(wanted.type);
    }
    if (wanted.type != ColumnType::f64 && wanted.type != ColumnType::i64) return fail("a number");
    return Column::from_f64({std::get<double>(value)}).cast(wanted.type);
  } catch (const DataError& error) {
    if (error.column() == wanted.name) throw;
    throw DataError("bundle", error.message(), {.column = wanted.name});
  }
}

}  // namespace

std::vector<double> Bundle::State::predict(const Tensor& x) const {
  return forward(*model, dtype, task, x.size(0),
                 [&](std::int64_t begin, std::int64_t end) { return x.slice(0, begin, end).contiguous(); });
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
    state.pipeline.transform(inputs, {.scoring = true});  // says what is missing, even without rows
    return predictions;
  }
  predictions.values =
      forward(*state.model, state.dtype, state.task, table.rows(), [&](std::int64_t begin, std::int64_t end) {
        return state.pipeline.transform(inputs.slice(begin, end - begin), {.scoring = true}).x();
      });
  predictions.decisions = decide(state.task, predictions.values);
  return predictions;
}

Predictions Bundle::predict(const Row& row) const {
  const State& state = *state_;
  data::Table table;
  for (const data::InputColumn& input : state.pipeline.inputs()) {
    const auto named = [&](const auto& entry) { return entry.first == input.name; };
    const auto found = std::find_if(row.begin(), row.end(), named);
    if (found == row.end()) {
      throw DataError("bundle", "expected a value (std::monostate for a missing one), got none",
                      {.column = input.name});
    }
    if (std::find_if(found + 1, row.end(), named) != row.end()) {
      throw DataError("bundle", "expected one value, got two", {.column = input.name});
    }
    table.add(input.name, one_value(found->second, *state.provenance.schema.find(input.name)));
  }
  return predict(table);
}

data::Table Bundle::read(const std::string& csv_path, bool with_target, data::CsvReport* report) const {
  const State& state = *state_;
  const Provenance& facts = state.provenance;
  data::CsvOptions options{.schema = facts.schema};
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
