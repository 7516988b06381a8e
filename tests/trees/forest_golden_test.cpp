#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "sanitized.h"
#include "tern/base/file.h"
#include "tern/metrics/binary.h"
#include "tern/trees/forest.h"
#include "tern/trees/isolation_forest.h"

namespace tern::trees {
namespace {

constexpr int kSeeds = repeats(20, 2);  // the mean of 20 is within about 0.003 of that of all seeds
constexpr double kNear = kSanitized ? 0.05 : 0.015;

nlohmann::json golden() { return nlohmann::json::parse(read_file(std::string(TERN_TEST_DATA) + "/forests.json")); }

double score_of(const std::vector<double>& got, const std::vector<double>& wanted, bool classes) {
  const double count = static_cast<double>(wanted.size());
  const double mean = std::accumulate(wanted.begin(), wanted.end(), 0.0) / count;
  double right = 0, errors = 0, squares = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    right += got[i] == wanted[i] ? 1 : 0;
    errors += (got[i] - wanted[i]) * (got[i] - wanted[i]);
    squares += (wanted[i] - mean) * (wanted[i] - mean);
  }
  return classes ? right / count : 1 - errors / squares;
}

TEST(ForestGolden, ScoresAreThoseOfScikitLearn) {
  const auto peer = golden();
  const auto columns = peer.at("columns").get<std::int64_t>();
  const auto train = peer.at("train").get<std::size_t>(), cut = train * static_cast<std::size_t>(columns);
  const auto x = peer.at("x").get<std::vector<double>>();
  const std::span<const double> all(x);
  const data::Matrix rows(all.first(cut), columns), more(all.subspan(cut), columns);
  for (const auto& [name, scores] : peer.at("scores").items()) {
    const bool extra = name.rfind("extra ", 0) == 0;
    const Criterion criterion = parse_criterion(extra ? name.substr(6) : name);
    const bool classes = criterion != Criterion::squared;
    const auto y = peer.at(classes ? "label" : "value").get<std::vector<double>>();
    const std::vector<double> target(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(train));
    const std::vector<double> wanted(y.begin() + static_cast<std::ptrdiff_t>(train), y.end());
    double score = 0, out_of_bag = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
      const ForestOptions options{
          .criterion = criterion, .bootstrap = true, .oob_score = true, .seed = static_cast<std::uint64_t>(seed)};
      std::unique_ptr<Forest> model = std::make_unique<RandomForest>(options);
      if (extra) model = std::make_unique<ExtraTrees>(options);
      model->fit(rows, target);
      score += score_of(model->predict(more), wanted, classes) / kSeeds;
      out_of_bag += model->oob_score() / kSeeds;
    }
    // Thresholds of extra trees are drawn among bins, not values, which here does better by 0.03.
    EXPECT_GT(score, scores.at(0).get<double>() - kNear) << name;
    EXPECT_GT(out_of_bag, scores.at(1).get<double>() - kNear) << name;
    EXPECT_LT(score, scores.at(0).get<double>() + (extra ? 0.05 : kNear)) << name;
    EXPECT_LT(out_of_bag, scores.at(1).get<double>() + (extra ? 0.05 : kNear)) << name;
  }
}

TEST(ForestGolden, PlantedOutliersAreFoundAsWellAsByScikitLearn) {
  const auto peer = golden();
  const auto x = peer.at("cloud").get<std::vector<double>>();
  const data::Matrix rows(x, 3);
  std::vector<std::uint8_t> outlier(x.size() / 3, 0);
  std::fill_n(outlier.rbegin(), peer.at("outliers").get<std::ptrdiff_t>(), std::uint8_t{1});
  double area = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    IsolationForest model({.seed = static_cast<std::uint64_t>(seed)});
    model.fit(rows);
    area += metrics::auroc(model.score(rows), outlier) / kSeeds;
  }
  EXPECT_NEAR(area, peer.at("isolation").get<double>(), 0.01);
}

}  // namespace
}  // namespace tern::trees
