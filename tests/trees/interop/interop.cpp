#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/data/column.h"
#include "tern/data/table.h"
#include "tern/trees/trees.h"

// What interop_test.py asks of Tern:
//   convert MODEL MODEL           formats by name: .txt LightGBM, .json and .ubj XGBoost, .tern Tern's own
//   predict MODEL ROWS RESULT     doubles: margins, then predictions
//   explain MODEL ROWS RESULT     doubles: TreeSHAP's values
//   train MODEL ROWS TARGET       doubles: rows of 6 features, the last two codes, and 0 or 1 a row
//   train_table MODEL ROWS TARGET the same of a table whose last columns are texts: "3", and "level 3"
//   train_rare MODEL ROWS TARGET  the same without levels of fewer than 10 rows, and of more than 63 the rarest
//   train_forest …                a forest, as train_rare
//   predict_table …               of such a table
namespace {

using namespace tern::trees;

Ensemble read(const std::string& path) {
  if (path.ends_with(".txt")) return import_lightgbm(path);
  if (path.ends_with(".tern")) return load(path);
  return import_xgboost(path);
}

void write(const Ensemble& model, const std::string& path) {
  if (path.ends_with(".txt")) return export_lightgbm(model, path);
  if (path.ends_with(".tern")) return save(model, path);
  export_xgboost(model, path);
}

std::vector<double> doubles(const std::string& path) {
  const std::string bytes = tern::read_file(path);
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

void put(const std::string& path, std::vector<double> values, const std::vector<double>& more) {
  values.insert(values.end(), more.begin(), more.end());
  tern::write_file(path, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)});
}

/// Columns f0, f1, …
tern::data::Table table_of(const std::vector<double>& rows) {
  using tern::data::Column;
  tern::data::Table table;
  for (std::size_t f = 0; f < 6; ++f) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    std::vector<bool> valid;
    for (std::size_t i = f; i < rows.size(); i += 6) {
      numbers.push_back(rows[i]);
      valid.push_back(!std::isnan(rows[i]));
      const std::string code = valid.back() ? std::to_string(std::lround(rows[i])) : "";
      texts.push_back(f == 4 ? code : "level " + code);
    }
    table.add("f" + std::to_string(f), f < 4 ? Column::from_f64(numbers) : Column::from_strings(texts, valid));
  }
  return table;
}

int run(const std::vector<std::string>& arguments) {
  const std::string& task = arguments.at(0);
  if (task.starts_with("train")) {
    GradientBoostingOptions options{.objective = Objective::binary, .rounds = 20, .max_leaves = 15};
    if (task == "train_rare") options.max_bins = 63, options.min_level_rows = 10;
    GradientBoosting gbdt(options);
    RandomForest forest(
        {.criterion = Criterion::squared, .trees = 20, .max_depth = 8, .max_bins = 63, .min_level_rows = 10});
    const std::vector<double> rows = doubles(arguments.at(2)), target = doubles(arguments.at(3));
    if (task == "train") {
      gbdt.fit(Matrix(rows, 6), target, {.categorical = {4, 5}});
    } else {
      tern::data::Table table = table_of(rows);
      table.add("y", tern::data::Column::from_f64(target));
      task == "train_forest" ? forest.fit(table, "y") : gbdt.fit(table, "y");
    }
    save(task == "train_forest" ? forest.ensemble() : gbdt.ensemble(), arguments.at(1));
    return 0;
  }
  const Ensemble model = read(arguments.at(1));
  if (task == "convert") {
    write(model, arguments.at(2));
    return 0;
  }
  const std::vector<double> rows = doubles(arguments.at(2));
  if (task == "explain") {
    put(arguments.at(3), TreeShap(model).values(rows), {});
    return 0;
  }
  const Predictor predictor(model);
  if (task == "predict_table") {
    const tern::data::Table table = table_of(rows);
    put(arguments.at(3), predictor.margins(table), predictor.predict(table));
    return 0;
  }
  if (task == "predict") {
    put(arguments.at(3), predictor.margins(rows), predictor.predict(rows));
    return 0;
  }
  return 2;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run({arguments + 1, arguments + count});
  } catch (const tern::Error& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
