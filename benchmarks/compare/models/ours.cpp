// Our side of benchmarks/compare/run models: does one work on rows that lie in a file, tells the seconds as JSON, and
// leaves what it found as doubles beside the rows.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tern/base/parallel.h"
#include "tern/models/models.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;

constexpr std::int64_t kColumns = 784;

struct Images {
  std::vector<float> pixels{};
  std::vector<double> labels{};
  data::Matrix x() const { return {std::span<const float>(pixels), kColumns}; }
};

Images read_images(const std::string& path) {
  const auto bytes = [](const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (all.empty()) {
      std::fprintf(stderr, "expected numbers in %s\n", name.c_str());
      std::exit(2);
    }
    return all;
  };
  const std::string pixels = bytes(path + ".f32"), labels = bytes(path + ".u8");
  Images images{std::vector<float>(pixels.size() / sizeof(float)), {}};
  pixels.copy(reinterpret_cast<char*>(images.pixels.data()), images.pixels.size() * sizeof(float));
  for (const char label : labels) images.labels.push_back(label);
  return images;
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A work takes the images of training and those of testing; gives its seconds and what it found.
using Work = double (*)(const Images& train, const Images& test, std::vector<double>& found);

template <class Model>
double fit_linear(Model model, const Images& train, std::vector<double>& found) {
  const double taken = seconds([&] { model.fit(train.x(), train.labels); });
  found = model.coefficients();
  found.insert(found.end(), model.intercepts().begin(), model.intercepts().end());
  return taken;
}

double ridge(const Images& train, const Images& /*test*/, std::vector<double>& found) {
  return fit_linear(models::Ridge({.alpha = 1}), train, found);
}

double logistic(const Images& train, const Images& /*test*/, std::vector<double>& found) {
  return fit_linear(models::LogisticRegression({.inverse_penalty = 1, .max_iterations = 100}), train, found);
}

double kmeans(const Images& train, const Images& /*test*/, std::vector<double>& found) {
  const std::vector<float> start(train.pixels.begin(), train.pixels.begin() + 10 * kColumns);
  models::KMeans model({.clusters = 10, .centers = from_vector(start, {10, kColumns})});
  const double taken = seconds([&] { model.fit(train.x()); });
  found = model.centers();
  return taken;
}

template <models::Factorisation how>
double pca(const Images& train, const Images& /*test*/, std::vector<double>& found) {
  models::Pca model({.components = 50, .factorisation = how});
  const double taken = seconds([&] { model.fit(train.x()); });
  found = model.components();
  return taken;
}

double knn(const Images& train, const Images& test, std::vector<double>& found) {
  models::KNeighborsClassifier model;
  return seconds([&] {
    model.fit(train.x(), train.labels);
    found = model.predict(test.x());
  });
}

const std::map<std::string, Work> works = {{"ridge", ridge},
                                           {"logistic", logistic},
                                           {"kmeans", kmeans},
                                           {"pca", pca<models::Factorisation::randomised>},
                                           {"pca_exact", pca<models::Factorisation::exact>},
                                           {"knn", knn}};

}  // namespace

// FOLDER WORK THREADS
int main(int argc, char** argv) {
  const auto work = argc == 4 ? works.find(argv[2]) : works.end();
  if (work == works.end()) {
    std::fprintf(stderr, "usage: compare_models FOLDER WORK THREADS\n");
    return 2;
  }
  set_num_threads(std::atoi(argv[3]));
  const std::string folder = argv[1];
  const Images train = read_images(folder + "/train"), test = read_images(folder + "/test");
  std::vector<double> found;
  const double taken = work->second(train, test, found);
  std::ofstream file(folder + "/ours-" + argv[2] + ".f64", std::ios::binary);
  file.write(reinterpret_cast<const char*>(found.data()), static_cast<std::streamsize>(found.size() * sizeof(double)));
  std::printf("{\"seconds\": %.5f}\n", taken);
  return file ? 0 : 2;
}
