#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "tern/base/file.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::trees {
namespace {

using tern::internal::Json;

GradientBoostingOptions options_of_case(const Json& one, int leaves) {
  GradientBoostingOptions options{.objective = parse_objective(one.at("name").get<std::string>()),
                                  .rounds = one.at("rounds").get<int>(),
                                  .learning_rate = 0.2,
                                  .max_leaves = leaves,
                                  .min_child_rows = 0};
  const Json& told = one.at("options");
  if (told.contains("huber_delta")) options.huber_delta = told.at("huber_delta").get<double>();
  if (told.contains("quantile")) options.quantile = told.at("quantile").get<double>();
  if (told.contains("monotone")) {
    int feature = 0;
    for (const int direction : told.at("monotone").get<std::vector<int>>()) {
      options.monotone.emplace_back("f" + std::to_string(feature++), direction);
    }
  }
  return options;
}

// How much less the gamma deviance of predictions is than that of the mean.
double deviance_explained(const std::vector<double>& p, const std::vector<double>& y,
                          const std::vector<double>& weights) {
  double total = 0, mean = 0, left = 0, whole = 0;
  const auto weight = [&](std::size_t row) { return weights.empty() ? 1 : weights[row]; };
  for (std::size_t i = 0; i < y.size(); ++i) {
    total += weight(i);
    mean += weight(i) * y[i];
  }
  mean /= total;
  const auto deviance = [](double y, double p) { return y / p - 1 - std::log(y / p); };
  for (std::size_t i = 0; i < y.size(); ++i) {
    left += weight(i) * deviance(y[i], p[i]);
    whole += weight(i) * deviance(y[i], mean);
  }
  return 1 - left / whole;
}

// The peers' models of the same rows, settings, weights and objective, to the digits that floats of gradients leave.
TEST(Golden, ObjectivesWeightsAndConstraintsAreThoseOfThePeers) {
  const Json golden =
      tern::internal::parse_json(read_file(std::string(TERN_TEST_DATA) + "/objectives.json"), "objectives");
  const auto x = golden.at("x").get<std::vector<double>>(), weights = golden.at("weight").get<std::vector<double>>();
  const Matrix rows(x, golden.at("columns").get<std::int64_t>());
  const auto query = golden.at("query").get<std::int64_t>();
  const std::vector<std::int64_t> queries(static_cast<std::size_t>(rows.rows() / query), query);
  int cases = 0;
  for (const Json& one : golden.at("cases")) {
    const GradientBoostingOptions options = options_of_case(one, golden.at("leaves").get<int>());
    const auto y = golden.at("targets").at(one.at("target").get<std::string>()).get<std::vector<double>>();
    MatrixFitOptions how;
    const auto own = one.contains("weight") ? one.at("weight").get<std::vector<double>>() : weights;
    if (one.at("weighted").get<bool>()) how.weights = own;
    if (options.objective == Objective::lambdarank) how.queries = queries;
    GradientBoosting model(options);
    model.fit(rows, y, how);
    const std::vector<double> got =
        options.objective == Objective::binary ? model.predict_probability(rows) : model.predict(rows);
    const std::string what =
        one.at("name").get<std::string>() + " " + one.at("options").dump() + " as " + one.at("peer").get<std::string>();
    if (options.objective == Objective::gamma) {
      // What a leaf adds differs by the third order of what is left to explain.
      const double explained = deviance_explained(got, y, how.weights.empty() ? std::vector<double>() : weights);
      EXPECT_NEAR(explained, one.at("explained").get<double>(), 0.02) << what;
    } else {
      const auto expected = one.at("predictions").get<std::vector<double>>();
      ASSERT_EQ(got.size(), expected.size()) << what;
      const auto [least, most] = std::minmax_element(expected.begin(), expected.end());
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], 1e-5 * (*most - *least)) << what << ", row " << i;
      }
    }
    ++cases;
  }
  EXPECT_EQ(cases, 15);
}

}  // namespace
}  // namespace tern::trees
