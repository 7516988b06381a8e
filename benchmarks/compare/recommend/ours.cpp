// Our side of benchmarks/compare/run recommend: trains on one file, judges by another, tells seconds and figures
// as JSON.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"
#include "tern/models/recommend.h"

using namespace tern;

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "expected: FOLDER ratings|implicit SEED THREADS\n");
    return 2;
  }
  const std::string folder = argv[1];
  const bool implicit = std::string(argv[2]) == "implicit";
  const auto seed = static_cast<std::uint64_t>(std::atoll(argv[3]));
  set_num_threads(std::atoi(argv[4]));
  const models::InteractionColumns columns{.user = "user", .item = "item", .value = implicit ? "" : "rating"};
  const models::Interactions train = models::interactions(data::read_csv(folder + "/train.csv"), columns);
  const models::Interactions test = models::interactions(data::read_csv(folder + "/test.csv"), columns, train);
  models::AlsOptions options{.factors = 32, .regularization = 0.15, .seed = seed};
  if (implicit) options = {.factors = 64, .regularization = 10, .implicit = true, .alpha = 0, .seed = seed};
  models::Als model(options);
  const auto start = std::chrono::steady_clock::now();
  model.fit(train);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("{\"seconds\": %.6f, \"figures\": {", seconds);
  if (implicit) {
    const models::RankingReport report = models::evaluate_ranking(model, test);
    std::printf("\"NDCG@10\": %.10f, \"MAP@10\": %.10f, \"recall@10\": %.10f}}\n", report.ndcg, report.map,
                report.recall);
  } else {
    double squares = 0;
    const auto predicted = model.predict(test);
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      squares += std::pow(predicted[i] - static_cast<double>(test.values[i]), 2);
    }
    std::printf("\"RMSE\": %.10f}}\n", std::sqrt(squares / static_cast<double>(predicted.size())));
  }
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
