#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/json.h"
#include "tern/base/file.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::trees {
namespace {

std::vector<double> numbers(const tern::internal::Json& from) {
  std::vector<double> out;
  for (const auto& each : from)
    out.push_back(each.is_null() ? std::numeric_limits<double>::quiet_NaN() : each.get<double>());
  return out;
}

// The peers' models of the same rows, settings and objective: the same but for splits that gain as much, and rounding.
TEST(Golden, PredictionsAreThoseOfThePeers) {
  const auto golden = tern::internal::parse_json(read_file(std::string(TERN_TEST_DATA) + "/peers.json"), "peers");
  const std::vector<double> x = numbers(golden.at("x"));
  const Matrix rows(x, golden.at("columns").get<std::int64_t>());
  for (const auto& [name, peers] : golden.at("predictions").items()) {
    const std::vector<double> y = numbers(golden.at("targets").at(name));
    for (const auto& [peer, predicted] : peers.items()) {
      const bool sklearn = peer == "sklearn";
      GradientBoosting model({.objective = parse_objective(name),
                              .rounds = golden.at("rounds").get<int>(),
                              .learning_rate = 0.2,
                              .max_leaves = golden.at("leaves").get<int>(),
                              .min_child_rows = sklearn ? 10 : 1,
                              .min_child_weight = sklearn ? 1e-3 : 2,
                              .lambda_l2 = 1});
      model.fit(rows, y);
      const std::vector<double> expected = numbers(predicted);
      const std::vector<double> got =
          model.ensemble().classes.empty() ? model.predict(rows) : model.predict_probability(rows);
      ASSERT_EQ(got.size(), expected.size());
      double size = 0, near = 0;
      for (const double each : expected) size = std::max(size, std::fabs(each));
      for (std::size_t i = 0; i < got.size(); ++i) near += std::fabs(got[i] - expected[i]) <= 2e-3 * size;
      EXPECT_GE(near / static_cast<double>(got.size()), 0.95) << name << " as " << peer;
    }
  }
}

}  // namespace
}  // namespace tern::trees
