// Our side of the rows of benchmarks/compare/run trees that use a trained model: reads the peers' models and rows of
// doubles that lie in a folder, and tells as JSON the seconds that a batch, one row and TreeSHAP took.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/trees/trees.h"

namespace {

template <class Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// FOLDER COLUMNS SINGLE_ROWS SHAP_ROWS THREADS
int main(int argc, char** argv) {
  using namespace tern;
  if (argc != 6) {
    std::fprintf(stderr, "usage: compare_trees_use FOLDER COLUMNS SINGLE_ROWS SHAP_ROWS THREADS\n");
    return 2;
  }
  const std::string folder = argv[1];
  const auto columns = static_cast<std::size_t>(std::atoll(argv[2]));
  const auto single_rows = static_cast<std::size_t>(std::atoll(argv[3]));
  const auto shap_rows = static_cast<std::size_t>(std::atoll(argv[4]));
  set_num_threads(std::atoi(argv[5]));
  const std::string bytes = read_file(folder + "/rows.f64");
  std::vector<double> rows(bytes.size() / sizeof(double));
  std::memcpy(rows.data(), bytes.data(), rows.size() * sizeof(double));

  const trees::Ensemble large = trees::import_lightgbm(folder + "/large.txt");
  const trees::Predictor lightgbm(large), xgboost(trees::import_xgboost(folder + "/large.json"));
  const trees::Predictor many(trees::import_lightgbm(folder + "/many.txt"));
  const trees::TreeShap shap(large);
  lightgbm.margins(rows);  // all sides have done it once
  const double batch = seconds([&] { lightgbm.margins(rows); }), other = seconds([&] { xgboost.margins(rows); });
  double sum = 0;
  const double single = seconds([&] {
    for (std::size_t row = 0; row < single_rows; ++row) {
      double margin = 0;
      many.margin({rows.data() + row * columns, columns}, {&margin, 1});
      sum += margin;
    }
  });
  const double explaining = seconds([&] { shap.values(std::span(rows).first(shap_rows * columns)); });
  std::printf("{\"lightgbm\": %.6f, \"xgboost\": %.6f, \"single\": %.9f, \"shap\": %.6f, \"sum\": %.17g}\n", batch,
              other, single / static_cast<double>(single_rows), explaining, sum);
  return 0;
}
