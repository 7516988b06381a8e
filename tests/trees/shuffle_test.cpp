#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "tern/base/random.h"
#include "tern/trees/forest.h"
#include "tern/trees/gradient_boosting.h"
#include "trees/models.h"

namespace tern::trees {
namespace {

// Numbers with missing ones, whole numbers with ties, and codes; a target for each objective.
struct Deck {
  std::vector<double> x, y, weights;
  std::vector<std::int64_t> queries;
  Matrix matrix() const { return Matrix(x, 4); }
};

Deck deck_for(Objective objective, std::size_t rows) {
  Deck deck;
  const Philox random(31);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const auto draw = [&](std::uint64_t k) { return random.uniform(8 * row + k); };
    const double a = draw(0), b = std::floor(6 * draw(1)), c = std::floor(9 * draw(2)), d = std::floor(3 * draw(3));
    deck.x.insert(deck.x.end(), {row % 11 == 0 ? std::nan("") : a, b, c, d});
    const double clean = 1 + a + std::sin(b) + (c == 3 || c == 5 ? 1 : 0), noise = draw(4) - 0.5;
    switch (objective) {
      case Objective::binary:
        deck.y.push_back(clean + noise > 2);
        break;
      case Objective::multiclass:
      case Objective::lambdarank:
        deck.y.push_back(std::min(2.0, std::floor(std::fabs(clean + noise))));
        break;
      case Objective::poisson:
        deck.y.push_back(std::floor(3 * std::fabs(clean) * (1 + noise)));
        break;
      case Objective::gamma:
      case Objective::tweedie:
        deck.y.push_back(std::fabs(clean) * (1 + noise) + 0.01);
        break;
      default:
        deck.y.push_back(clean + noise);
    }
    deck.weights.push_back(std::floor(4 * draw(5)) / 2 + (row % 3 == 0 ? 0.1 : 0));
  }
  deck.queries.assign(rows / 10, 10);
  return deck;
}

// The rows, or blocks of them that stay together, in another order.
Deck shuffled(const Deck& deck, std::size_t block) {
  const std::size_t blocks = deck.y.size() / block;
  std::vector<std::size_t> order(blocks);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const Philox random(32);
  for (std::size_t i = blocks - 1; i > 0; --i) std::swap(order[i], order[random.below(i, i + 1)]);
  Deck out{.x = {}, .y = {}, .weights = {}, .queries = deck.queries};
  for (const std::size_t from : order) {
    for (std::size_t row = from * block; row < (from + 1) * block; ++row) {
      for (std::size_t k = 0; k < 4; ++k) out.x.push_back(deck.x[4 * row + k]);
      out.y.push_back(deck.y[row]);
      out.weights.push_back(deck.weights[row]);
    }
  }
  return out;
}

TEST(Shuffled, FineGradientsGiveTheSameBits) {
  for (const Objective objective : {Objective::squared, Objective::binary, Objective::multiclass, Objective::absolute,
                                    Objective::huber, Objective::quantile, Objective::poisson, Objective::gamma,
                                    Objective::tweedie, Objective::lambdarank, Objective::custom}) {
    const bool ranks = objective == Objective::lambdarank;
    const Deck deck = deck_for(objective, 3000), other = shuffled(deck, ranks ? 10 : 1);
    GradientBoostingOptions options{.objective = objective, .rounds = 40, .quantile = 0.3, .coarse_gradients = false};
    if (objective == Objective::custom) {
      options.custom_objective.derivatives = [](auto margins, auto targets, auto g, auto h) {
        for (std::size_t i = 0; i < margins.size(); ++i) g[i] = std::tanh(margins[i] - targets[i]), h[i] = 0.5;
      };
    }
    for (const bool weighted : {false, true}) {
      const auto fit = [&](const Deck& rows) {
        GradientBoosting model(options);
        MatrixFitOptions how{.categorical = {2}};
        if (weighted) how.weights = rows.weights;
        if (ranks) how.queries = rows.queries;
        model.fit(rows.matrix(), rows.y, how);
        return model;
      };
      const GradientBoosting a = fit(deck), b = fit(other);
      EXPECT_TRUE(same(a.ensemble(), b.ensemble())) << to_string(objective) << (weighted ? ", weighted" : "");
      EXPECT_EQ(a.predict_margin(deck.matrix()), b.predict_margin(deck.matrix())) << to_string(objective);
      for (std::size_t t = 0; t < a.ensemble().trees.size(); ++t) {
        ASSERT_EQ(a.ensemble().trees[t].leaf_cover, b.ensemble().trees[t].leaf_cover);
      }
    }
  }
}

TEST(Shuffled, WhateverShapesTheTrees) {
  const Deck deck = deck_for(Objective::binary, 3000), other = shuffled(deck, 1);
  GradientBoostingOptions kinds[] = {{.growth = Growth::depth_wise, .max_leaves = 0, .max_depth = 5},
                                     {.min_child_rows = 1, .colsample_bytree = 0.8, .colsample_bynode = 0.6},
                                     {.extra_trees = true},
                                     {.dart_rate = 0.3, .dart_skip = 0},
                                     {.lambda_l1 = 0.5, .max_delta_step = 0.5, .monotone = {{"f0", 1}}}};
  for (GradientBoostingOptions& options : kinds) {
    options.objective = Objective::binary;
    options.rounds = 30;
    options.coarse_gradients = false;
    GradientBoosting a(options), b(options), more_a(options), more_b(options);
    a.fit(deck.matrix(), deck.y, {.categorical = {2}});
    b.fit(other.matrix(), other.y, {.categorical = {2}});
    EXPECT_TRUE(same(a.ensemble(), b.ensemble()));
    if (options.dart_rate > 0) continue;
    more_a.fit(deck.matrix(), deck.y, {.categorical = {2}, .start = &a});
    more_b.fit(other.matrix(), other.y, {.categorical = {2}, .start = &b});
    EXPECT_TRUE(same(more_a.ensemble(), more_b.ensemble()));
  }
}

TEST(Shuffled, SmallGradientsAreRoundedRightInTheMean) {
  // A few targets far out, beside which all others are a fiftieth of a level: their step is found all the same.
  const std::uint64_t rows = 200'000, width = 5;
  std::vector<double> x, y;
  const Philox random(33);
  for (std::uint64_t row = 0; row < rows; ++row) {
    const bool far_out = row % 50'000 == 7;
    for (std::uint64_t k = 0; k < width; ++k) x.push_back(far_out ? 0.25 : random.uniform(width * row + k));
    y.push_back(far_out ? (row % 100'000 == 7 ? 3e5 : -3e5) : x[x.size() - width] > 0.5);
  }
  GradientBoosting model({.rounds = 1, .max_leaves = 2, .coarse_gradients = false});
  model.fit(Matrix(x, width), y);
  const Tree& tree = model.ensemble().trees[0];
  ASSERT_EQ(tree.nodes(), 1);
  EXPECT_EQ(tree.feature[0], 0);
  EXPECT_NEAR(tree.threshold[0], 0.5, 0.02);
}

TEST(Shuffled, ForestsOfClassesByGiniWhereNoRowIsDrawn) {
  for (const Objective classes : {Objective::binary, Objective::multiclass}) {
    Deck deck = deck_for(classes, 3000);
    for (double& weight : deck.weights) weight = std::floor(2 * weight);
    const Deck other = shuffled(deck, 1);
    for (const std::int64_t least : {1, 5}) {
      const ForestOptions options{.trees = 20, .min_child_rows = least, .bootstrap = false, .categorical = {2}};
      RandomForest forest(options), forest_of_other(options);
      forest.fit(deck.matrix(), deck.y);
      forest_of_other.fit(other.matrix(), other.y);
      EXPECT_TRUE(same(forest.ensemble(), forest_of_other.ensemble())) << to_string(classes);
      ExtraTrees extra(options), extra_of_other(options);
      extra.fit(deck.matrix(), deck.y, data::MatrixFit{.weights = deck.weights});
      extra_of_other.fit(other.matrix(), other.y, data::MatrixFit{.weights = other.weights});
      EXPECT_TRUE(same(extra.ensemble(), extra_of_other.ensemble())) << to_string(classes);
    }
  }
}

}  // namespace
}  // namespace tern::trees
