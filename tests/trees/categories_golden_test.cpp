#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "tern/base/file.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::trees {
namespace {

// Which rows share a leaf: each row the number of the first that has its value.
std::vector<std::size_t> shared_leaves(const std::vector<double>& values) {
  std::map<double, std::size_t> first;
  std::vector<std::size_t> out;
  for (std::size_t row = 0; row < values.size(); ++row) out.push_back(first.emplace(values[row], row).first->second);
  return out;
}

// The peers' models of the same rows and settings where sets of levels are found by one rule
// (golden/make_categories.py).
TEST(Golden, SetsOfLevelsAreThoseOfThePeers) {
  using tern::internal::Json;
  const Json golden =
      tern::internal::parse_json(read_file(std::string(TERN_TEST_DATA) + "/categories.json"), "categories");
  const auto x = golden.at("x").get<std::vector<double>>();
  const Matrix rows(x, golden.at("columns").get<std::int64_t>());
  int cases = 0;
  for (const Json& one : golden.at("cases")) {
    const auto objective = one.at("objective").get<std::string>();
    GradientBoosting model({.objective = parse_objective(objective),
                            .rounds = one.at("rounds").get<int>(),
                            .learning_rate = 0.2,
                            .max_leaves = one.at("leaves").get<int>(),
                            .min_child_rows = 0,
                            .one_against_rest_levels = one.at("one_against_rest").get<int>(),
                            .categorical_smoothing = one.at("smoothing").get<double>(),
                            .categorical_l2 = one.at("l2").get<double>()});
    model.fit(rows, golden.at("targets").at(objective).get<std::vector<double>>(),
              {.categorical = golden.at("categorical").get<std::vector<std::int64_t>>()});
    const Tree& tree = model.ensemble().trees[0];
    EXPECT_TRUE(std::any_of(tree.set.begin(), tree.set.end(), [](auto set) { return set >= 0; }));
    const std::string what = one.at("peer").get<std::string>() + " " + objective + " " + std::to_string(cases++);
    if (one.contains("rows_of_leaves")) {
      EXPECT_EQ(shared_leaves(model.predict_margin(rows)),
                shared_leaves(one.at("rows_of_leaves").get<std::vector<double>>()))
          << what;
      continue;
    }
    const std::vector<double> got = objective == "binary" ? model.predict_probability(rows) : model.predict(rows);
    const auto expected = one.at("predictions").get<std::vector<double>>();
    ASSERT_EQ(got.size(), expected.size()) << what;
    double most = 0;
    for (std::size_t i = 0; i < got.size(); ++i) most = std::max(most, std::fabs(got[i] - expected[i]));
    EXPECT_LT(most, 2e-5) << what;
  }
  EXPECT_EQ(cases, 12);
}

}  // namespace
}  // namespace tern::trees
