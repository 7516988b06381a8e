// Our side of the rows of benchmarks/compare/run trees that train on tables: one training for each line of a file,
// which holds the rows that are left out and predicted; tells as JSON the seconds that they took.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"
#include "tern/trees/gradient_boosting.h"

namespace {

// The numbers of each line.
std::vector<std::vector<std::int64_t>> read_folds(const std::string& path) {
  std::vector<std::vector<std::int64_t>> folds(1);
  const std::string text = tern::read_file(path);
  const char *at = text.data(), *end = at + text.size();
  while (at < end) {
    std::int64_t row = 0;
    const auto found = std::from_chars(at, end, row);
    if (found.ec == std::errc()) folds.back().push_back(row);
    if (found.ptr < end && *found.ptr == '\n') folds.emplace_back();
    at = found.ptr + 1;
  }
  if (folds.back().empty()) folds.pop_back();
  return folds;
}

tern::trees::GradientBoostingOptions options_of(int count, char** arguments) {
  tern::trees::GradientBoostingOptions options;
  for (int i = 0; i < count; ++i) {
    const std::string argument = arguments[i];
    const std::size_t sign = argument.find('=');
    const std::string name = argument.substr(0, sign);
    const double value = std::atof(argument.c_str() + sign + 1);
    if (name == "rounds") {
      options.rounds = static_cast<int>(value);
    } else if (name == "learning_rate") {
      options.learning_rate = value;
    } else if (name == "max_leaves") {
      options.max_leaves = static_cast<int>(value);
    } else if (name == "min_child_rows") {
      options.min_child_rows = static_cast<std::int64_t>(value);
    } else if (name == "lambda_l2") {
      options.lambda_l2 = value;
    } else {
      throw tern::ValueError("[compare_trees_tables] expected a setting, got " + argument);
    }
  }
  return options;
}

}  // namespace

// TABLE.csv FOLDS OBJECTIVE OUT THREADS [SETTING=VALUE…]; the target is the column "target"
int main(int argc, char** argv) {
  using namespace tern;
  if (argc < 6) {
    std::fprintf(stderr, "usage: compare_trees_tables TABLE FOLDS OBJECTIVE OUT THREADS [SETTING=VALUE...]\n");
    return 2;
  }
  const data::Table table = data::read_csv(argv[1], {.missing = {""}});
  set_num_threads(std::atoi(argv[5]));
  trees::GradientBoostingOptions options = options_of(argc - 6, argv + 6);
  options.objective = trees::parse_objective(argv[3]);
  std::string predictions;
  double seconds = 0;
  for (const std::vector<std::int64_t>& out : read_folds(argv[2])) {
    std::vector<bool> left_out(static_cast<std::size_t>(table.rows()));
    for (const std::int64_t row : out) left_out[static_cast<std::size_t>(row)] = true;
    const data::Table train = table.filter([&](std::int64_t row) { return !left_out[static_cast<std::size_t>(row)]; });
    trees::GradientBoosting model(options);
    const auto start = std::chrono::steady_clock::now();
    model.fit(train, "target");
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const data::Table test = table.take(out);
    const std::vector<double> found = model.classifies() ? model.predict_probability(test) : model.predict(test);
    predictions.append(reinterpret_cast<const char*>(found.data()), found.size() * sizeof(double));
  }
  AtomicFile file(argv[4]);
  file.write(predictions);
  file.commit();
  std::printf("{\"seconds\": %.4f}\n", seconds);
  return 0;
}
