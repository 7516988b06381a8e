// Our side of benchmarks/compare/run trees: trains on rows that lie in a file and tells what it took, as JSON.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tern/base/parallel.h"
#include "tern/metrics/binary.h"
#include "tern/trees/gradient_boosting.h"

namespace {

std::vector<float> read_floats(const std::string& path, std::size_t count) {
  std::vector<float> values(count);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  if (!file) {
    std::fprintf(stderr, "expected %zu floats in %s\n", count, path.c_str());
    std::exit(2);
  }
  return values;
}

}  // namespace

// FOLDER ROWS TEST_ROWS COLUMNS ROUNDS LEAVES THREADS
int main(int argc, char** argv) {
  using namespace tern;
  if (argc != 8) {
    std::fprintf(stderr, "usage: compare_trees FOLDER ROWS TEST_ROWS COLUMNS ROUNDS LEAVES THREADS\n");
    return 2;
  }
  const std::string folder = argv[1];
  const auto rows = static_cast<std::size_t>(std::atoll(argv[2])),
             test_rows = static_cast<std::size_t>(std::atoll(argv[3]));
  const auto columns = static_cast<std::size_t>(std::atoll(argv[4]));
  set_num_threads(std::atoi(argv[7]));
  const std::vector<float> x = read_floats(folder + "/x.f32", (rows + test_rows) * columns);
  const std::vector<float> labels = read_floats(folder + "/y.f32", rows + test_rows);
  const std::vector<double> y(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(rows));
  const std::vector<std::uint8_t> test(labels.begin() + static_cast<std::ptrdiff_t>(rows), labels.end());
  rusage before{};
  getrusage(RUSAGE_SELF, &before);

  trees::GradientBoosting model(
      {.objective = trees::Objective::binary, .rounds = std::atoi(argv[5]), .max_leaves = std::atoi(argv[6])});
  const auto width = static_cast<std::int64_t>(columns);
  model.fit(trees::Matrix(std::span(x).first(rows * columns), width), y);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<double> p = model.predict_probability(trees::Matrix(std::span(x).subspan(rows * columns), width));
  const double predicting = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto [binning, training] = model.seconds();
  std::printf("{\"binning\": %.4f, \"training\": %.4f, \"predicting\": %.4f, \"auc\": %.6f, \"memory\": %ld}\n",
              binning, training, predicting, metrics::auroc(p, test), (after.ru_maxrss - before.ru_maxrss) * 1024);
  return 0;
}
