// Our side of benchmarks/compare/run forest: trains a forest on rows of floats that lie in a folder and tells as JSON
// the seconds that it took and how well it did.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/metrics/binary.h"
#include "tern/trees/trees.h"

namespace {

constexpr float kShirt = 0, kBoot = 9;
constexpr std::int64_t kPlanted = 300;

std::vector<float> read_floats(const std::string& path) {
  const std::string bytes = tern::read_file(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// random|extra|isolation FOLDER SEED ROWS TEST_ROWS COLUMNS TREES THREADS
int main(int argc, char** argv) {
  using namespace tern;
  if (argc != 9) {
    std::fprintf(stderr, "usage: compare_forest KIND FOLDER SEED ROWS TEST_ROWS COLUMNS TREES THREADS\n");
    return 2;
  }
  const std::string kind = argv[1], folder = argv[2];
  const auto seed = static_cast<std::uint64_t>(std::atoll(argv[3]));
  const auto rows = static_cast<std::size_t>(std::atoll(argv[4])),
             tests = static_cast<std::size_t>(std::atoll(argv[5]));
  const std::int64_t columns = std::atoll(argv[6]);
  const auto width = static_cast<std::size_t>(columns);
  const int trees = std::atoi(argv[7]);
  set_num_threads(std::atoi(argv[8]));
  const std::vector<float> x = read_floats(folder + "/x.f32"), labels = read_floats(folder + "/y.f32");
  const auto row = [&](std::size_t i) { return std::span(x).subspan(i * width, width); };
  double seconds = 0, quality = 0;
  if (kind == "isolation") {
    std::vector<float> some;
    std::vector<std::uint8_t> planted;
    for (const float label : {kShirt, kBoot}) {
      std::int64_t count = 0;
      for (std::size_t i = 0; i < rows; ++i) {
        if (labels[i] != label || (label == kBoot && count++ >= kPlanted)) continue;
        some.insert(some.end(), row(i).begin(), row(i).end());
        planted.push_back(label == kBoot);
      }
    }
    const auto start = std::chrono::steady_clock::now();
    trees::IsolationForest model({.trees = trees, .seed = seed});
    model.fit(data::Matrix(some, columns));
    const std::vector<double> scores = model.score(data::Matrix(some, columns));
    seconds = seconds_since(start);
    quality = metrics::auroc(scores, planted);
  } else {
    const std::vector<double> y(labels.begin(), labels.begin() + static_cast<std::ptrdiff_t>(rows));
    const trees::ForestOptions options{.trees = trees, .seed = seed};
    std::unique_ptr<trees::Forest> model = std::make_unique<trees::RandomForest>(options);
    if (kind == "extra") model = std::make_unique<trees::ExtraTrees>(options);
    const auto start = std::chrono::steady_clock::now();
    model->fit(data::Matrix(std::span(x).first(rows * width), columns), y);
    seconds = seconds_since(start);
    const std::vector<double> got =
        model->predict(data::Matrix(std::span(x).subspan(rows * width, tests * width), columns));
    for (std::size_t i = 0; i < tests; ++i) quality += got[i] == static_cast<double>(labels[rows + i]) ? 1 : 0;
    quality /= static_cast<double>(tests);
  }
  std::printf("{\"seconds\": %.4f, \"quality\": %.6f}\n", seconds, quality);
  return 0;
}
