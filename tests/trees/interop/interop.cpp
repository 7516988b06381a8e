#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/trees/trees.h"

// What interop_test.py asks of Tern:
//   convert MODEL MODEL           formats by name: .txt LightGBM, .json and .ubj XGBoost, .tern Tern's own
//   predict MODEL ROWS RESULT     doubles: margins, then predictions
//   explain MODEL ROWS RESULT     doubles: TreeSHAP's values
//   train MODEL ROWS TARGET       doubles: rows of 6 features, the last two codes, and 0 or 1 a row
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

int run(const std::vector<std::string>& arguments) {
  const std::string& task = arguments.at(0);
  if (task == "train") {
    GradientBoosting gbdt({.objective = Objective::binary, .rounds = 20, .max_leaves = 15});
    const std::vector<double> rows = doubles(arguments.at(2)), target = doubles(arguments.at(3));
    gbdt.fit(Matrix(rows, 6), target, {.categorical = {4, 5}});
    save(gbdt.ensemble(), arguments.at(1));
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
