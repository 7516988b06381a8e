// Factors against alternating least squares in NumPy and against implicit (golden/make_factors.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tern/models/recommend.h"

namespace tern::models {
namespace {

// The pairs of a matrix [users, items] that are not 0.
Interactions interactions_of(const nlohmann::json& golden, const char* what) {
  Interactions rows;
  const auto users = golden.at("users").get<int>(), items = golden.at("items").get<int>();
  const auto values = golden.at(what).get<std::vector<float>>();
  for (int user = 0; user < users; ++user) rows.user_names.push_back("u" + std::to_string(user));
  for (int item = 0; item < items; ++item) rows.item_names.push_back("i" + std::to_string(item));
  for (int at = 0; at < users * items; ++at) {
    if (values[static_cast<std::size_t>(at)] == 0) continue;
    rows.users.push_back(at / items);
    rows.items.push_back(at % items);
    rows.values.push_back(values[static_cast<std::size_t>(at)]);
  }
  return rows;
}

// At its own draws, step by step in double (golden/make_draws.py); ours are floats.
TEST(Bpr, StepsAreThoseOfTheFormula) {
  const auto golden = nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/draws.json"));
  const auto users = golden.at("users").get<int>(), items = golden.at("items").get<int>();
  const auto pairs = golden.at("pairs").get<std::vector<std::int32_t>>();
  const auto& how = golden.at("bpr");
  Interactions rows;
  for (int user = 0; user < users; ++user) rows.user_names.push_back("u" + std::to_string(user));
  for (int item = 0; item < items; ++item) rows.item_names.push_back("i" + std::to_string(item));
  for (std::size_t at = 0; at < pairs.size(); at += 2) {
    rows.users.push_back(pairs[at]);
    rows.items.push_back(pairs[at + 1]);
    rows.values.push_back(1);
  }
  Bpr model({.factors = how.at("factors").get<int>(),
             .learning_rate = how.at("learning_rate").get<double>(),
             .regularization = how.at("regularization").get<double>(),
             .epochs = how.at("epochs").get<int>(),
             .seed = how.at("seed").get<std::uint64_t>()});
  model.fit(rows);
  const auto expected = how.at("scores").get<std::vector<double>>();
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(users * items));
  for (int user = 0; user < users; ++user) {
    const std::vector<float> scores = model.scores(user);
    for (int item = 0; item < items; ++item) {
      EXPECT_NEAR(static_cast<double>(scores[static_cast<std::size_t>(item)]),
                  expected[static_cast<std::size_t>(user * items + item)], 2e-5)
          << user << " " << item;
    }
  }
}

// Factors are floats and may be turned together; what they predict, at the minimum, may not.
TEST(Als, EndsWhereExactSolutionsEnd) {
  const auto golden = nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/factors.json"));
  const auto users = golden.at("users").get<int>(), items = golden.at("items").get<int>();
  const auto factors = golden.at("factors").get<int>();
  const auto rated = golden.at("explicit").get<std::vector<double>>();
  const auto counted = golden.at("implicit").get<std::vector<double>>();
  Als ratings(
      {.factors = factors, .regularization = golden.at("rated").at("regularization").get<double>(), .iterations = 300});
  ratings.fit(interactions_of(golden, "ratings"));
  Als counts({.factors = factors,
              .regularization = golden.at("counted").at("regularization").get<double>(),
              .iterations = 300,
              .implicit = true,
              .alpha = golden.at("counted").at("alpha").get<double>()});
  counts.fit(interactions_of(golden, "counts"));
  Interactions all;
  for (int user = 0; user < users; ++user) {
    const std::vector<float> scores = counts.scores(user);
    for (int item = 0; item < items; ++item) {
      all.users.push_back(user);
      all.items.push_back(item);
      all.values.push_back(0);
      EXPECT_NEAR(static_cast<double>(scores[static_cast<std::size_t>(item)]),
                  counted[static_cast<std::size_t>(user * items + item)], 1e-5)
          << user << " " << item;
    }
  }
  const std::vector<double> predicted = ratings.predict(all);
  for (std::size_t i = 0; i < predicted.size(); ++i) EXPECT_NEAR(predicted[i], rated[i], 1e-5) << i;
}

}  // namespace
}  // namespace tern::models
