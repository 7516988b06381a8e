#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/metrics/ranking.h"
#include "tern/trees/gradient_boosting.h"
#include "trees/objective.h"

namespace tern::trees {
namespace {

using internal::make_loss;
using internal::Targets;

// Margins and targets that suit an objective.
std::vector<double> targets_for(Objective objective, std::size_t rows, std::uint64_t seed) {
  const Philox random(seed);
  std::vector<double> y;
  for (std::size_t row = 0; row < rows; ++row) {
    const double u = random.uniform(row);
    switch (objective) {
      case Objective::binary:
        y.push_back(u < 0.4);
        break;
      case Objective::multiclass:
        y.push_back(std::floor(u * 4));
        break;
      case Objective::poisson:
      case Objective::lambdarank:
        y.push_back(std::floor(u * 5));
        break;
      case Objective::gamma:
        y.push_back(0.1 + u);
        break;
      case Objective::tweedie:
        y.push_back(std::max(0.0, u * 3 - 1));
        break;
      default:
        y.push_back(u * 6 - 3);
    }
  }
  return y;
}

// The sum of losses whose derivatives an objective gives; rmse is its root of a mean.
double total(const internal::Loss& loss, Objective objective, const Targets& targets,
             const std::vector<double>& margins) {
  double weight = 0;
  for (std::int64_t row = 0; row < targets.rows(); ++row) weight += targets.weight(row);
  const double metric = loss.metric(targets, margins);
  if (objective == Objective::squared) return metric * metric / 2 * weight;
  const bool deviance =
      objective == Objective::poisson || objective == Objective::gamma || objective == Objective::tweedie;
  return metric * weight / (deviance ? 2 : 1);
}

TEST(Objectives, GradientsAreThoseOfTheMetric) {
  for (const Objective objective :
       {Objective::squared, Objective::binary, Objective::multiclass, Objective::huber, Objective::absolute,
        Objective::quantile, Objective::poisson, Objective::gamma, Objective::tweedie}) {
    const std::size_t rows = 30;
    const std::vector<double> y = targets_for(objective, rows, 1);
    std::vector<double> weights;
    const Philox random(2);
    for (std::size_t row = 0; row < rows; ++row) weights.push_back(0.5 + random.uniform(row));
    const Targets targets{y, weights, {}};
    const auto loss = make_loss({.objective = objective, .quantile = 0.3, .tweedie_power = 1.3}, 4);
    const auto outputs = static_cast<std::size_t>(loss->outputs());
    std::vector<double> margins;
    for (std::size_t i = 0; i < rows * outputs; ++i) margins.push_back(2 * random.uniform(rows + i) - 1);
    std::vector<float> pairs(2 * margins.size());
    loss->derivatives(targets, margins, 0, static_cast<std::int64_t>(rows), pairs.data());
    for (std::size_t i = 0; i < margins.size(); ++i) {
      const double step = 1e-5;
      std::vector<double> above = margins, below = margins;
      above[i] += step;
      below[i] -= step;
      const double slope =
          (total(*loss, objective, targets, above) - total(*loss, objective, targets, below)) / (2 * step);
      EXPECT_NEAR(pairs[2 * i], slope, 2e-5) << to_string(objective) << " " << i;
      EXPECT_GE(pairs[2 * i + 1], 0);
    }
    std::vector<double> constant;
    for (const double base : loss->base(targets)) constant.insert(constant.end(), rows, base);
    const double least = loss->metric(targets, constant);
    for (const double step : {-0.05, 0.05}) {
      if (outputs > 1) break;  // a shift of all classes changes nothing
      std::vector<double> other = constant;
      for (double& each : other) each += step;
      if (objective == Objective::huber) continue;  // whose base is the median
      EXPECT_LT(least, loss->metric(targets, other)) << to_string(objective);
    }
  }
}

TEST(Objectives, NamesRoundTrip) {
  for (const Objective objective : {Objective::squared, Objective::lambdarank, Objective::custom})
    EXPECT_EQ(parse_objective(to_string(objective)), objective);
  EXPECT_THROW(parse_objective("l2"), ValueError);
}

TEST(Objectives, WeightedQuantile) {
  std::vector<std::pair<double, double>> values{{3, 1}, {1, 1}, {2, 1}, {4, 1}};
  EXPECT_EQ(internal::weighted_quantile(values, 0.5), 2.5);
  values = {{3, 1}, {1, 1}, {2, 5}};
  EXPECT_EQ(internal::weighted_quantile(values, 0.5), 2);
  EXPECT_EQ(internal::weighted_quantile(values, 0.9), 3);
  values = {{0, 1}, {0.9, 0}, {1, 1}};  // what has no weight is nowhere between
  EXPECT_EQ(internal::weighted_quantile(values, 0.5), 0.5);
  values = {{0, 1}, {5, 0}};
  EXPECT_EQ(internal::weighted_quantile(values, 1), 0);
}

TEST(Objectives, RowsWithoutWeightMoveNoMedian) {
  const std::vector<double> x{1, 1, 1, 2, 2}, y{0, 1, 1.5, 4, 6}, weights{1, 1, 0, 1, 1};
  for (const Objective objective : {Objective::absolute, Objective::quantile, Objective::huber}) {
    GradientBoosting model({.objective = objective, .rounds = 1, .learning_rate = 1, .min_child_rows = 1});
    model.fit(Matrix(x, 1), y, {.weights = weights});
    EXPECT_EQ(model.ensemble().base[0], 2.5) << to_string(objective);
    if (objective == Objective::huber) continue;  // whose leaves are steps of bounded gradients
    const std::vector<double> p = model.predict(Matrix(x, 1));
    EXPECT_NEAR(p[0], 0.5, 1e-12) << to_string(objective);
    EXPECT_NEAR(p[3], 5, 1e-12) << to_string(objective);
  }
}

// Rows of one informative number and a target of a step in it.
struct Steps {
  std::vector<double> x, y;
};
Steps steps(std::size_t rows, Objective objective) {
  Steps data;
  const Philox random(5);
  data.y = targets_for(objective, rows, 6);
  std::sort(data.y.begin(), data.y.end());
  for (std::size_t row = 0; row < rows; ++row) data.x.push_back(static_cast<double>(row) + 5 * random.uniform(row));
  return data;
}

TEST(Objectives, TrainingLowersEachLoss) {
  for (const Objective objective :
       {Objective::squared, Objective::binary, Objective::multiclass, Objective::huber, Objective::absolute,
        Objective::quantile, Objective::poisson, Objective::gamma, Objective::tweedie}) {
    const Steps data = steps(400, objective);
    GradientBoosting model({.objective = objective, .rounds = 30, .max_leaves = 8});
    model.fit(Matrix(data.x, 1), data.y, {.validation = Matrix(data.x, 1), .validation_target = data.y});
    const auto& history = model.validation_history();
    ASSERT_EQ(history.size(), 30u);
    EXPECT_LT(history.back(), history.front() * (history.front() > 0 ? 0.7 : 1.3)) << to_string(objective);
    model.ensemble().check();
  }
}

TEST(Objectives, AbsoluteLeavesAreMediansAndQuantilesCover) {
  Steps data = steps(1000, Objective::squared);
  data.y[10] = 1e6;  // which moves no median
  GradientBoosting absolute(
      {.objective = Objective::absolute, .rounds = 1, .learning_rate = 1, .max_leaves = 2, .min_child_rows = 100});
  absolute.fit(Matrix(data.x, 1), data.y);
  const Tree& tree = absolute.ensemble().trees[0];
  const double base = absolute.ensemble().base[0];
  ASSERT_EQ(tree.leaves(), 2);
  for (const bool left : {true, false}) {
    std::vector<double> in_leaf;
    for (std::size_t row = 0; row < data.x.size(); ++row) {
      if ((data.x[row] <= tree.threshold[0]) == left) in_leaf.push_back(data.y[row]);
    }
    std::sort(in_leaf.begin(), in_leaf.end());
    const std::size_t n = in_leaf.size();
    const double median = n % 2 ? in_leaf[n / 2] : (in_leaf[n / 2 - 1] + in_leaf[n / 2]) / 2;
    const std::int32_t child = left ? tree.left[0] : tree.right[0];
    EXPECT_NEAR(base + tree.leaf_value[static_cast<std::size_t>(~child)], median, 1e-9);
  }
  for (const double q : {0.1, 0.5, 0.9}) {
    GradientBoosting model({.objective = Objective::quantile, .rounds = 20, .quantile = q});
    const Philox random(3);
    std::vector<double> noise;
    for (std::size_t row = 0; row < data.x.size(); ++row) noise.push_back(random.uniform(row));
    model.fit(Matrix(data.x, 1), noise);
    const std::vector<double> p = model.predict(Matrix(data.x, 1));
    double below = 0;
    for (std::size_t row = 0; row < p.size(); ++row) below += noise[row] <= p[row];
    EXPECT_NEAR(below / static_cast<double>(p.size()), q, 0.08);
  }
}

TEST(Objectives, LambdaRankOrdersQueries) {
  const Philox random(7);
  std::vector<double> x, y;
  std::vector<std::int64_t> queries;
  for (std::uint64_t q = 0; q < 60; ++q) {
    queries.push_back(5 + static_cast<std::int64_t>(q % 7));
    for (std::int64_t i = 0; i < queries.back(); ++i) {
      const std::uint64_t at = q * 100 + static_cast<std::uint64_t>(i) * 3;
      x.push_back(random.uniform(at));
      x.push_back(random.uniform(at + 1) + static_cast<double>(q));  // tells queries apart, not rows
      y.push_back(std::floor(4 * std::min(0.99, 0.8 * x[x.size() - 2] + 0.2 * random.uniform(at + 2))));
    }
  }
  GradientBoosting model({.objective = Objective::lambdarank, .rounds = 30, .max_leaves = 6, .min_child_rows = 5});
  model.fit(Matrix(x, 2), y,
            {.queries = queries, .validation = Matrix(x, 2), .validation_target = y, .validation_queries = queries});
  EXPECT_EQ(model.metric_name(), "ndcg");
  EXPECT_GT(model.validation_history().back(), 0.95);
  GradientBoosting none({.objective = Objective::lambdarank});
  EXPECT_THROW(none.fit(Matrix(x, 2), y), ValueError);
  data::Estimator& base = none;  // whose options have no queries
  EXPECT_EQ(message_of<ValueError>([&] { base.fit(Matrix(x, 2), y); }),
            "[GradientBoosting] expected queries for lambdarank (.query of a table, .queries of a matrix), got none");
  queries.back() += 1;
  EXPECT_THROW(none.fit(Matrix(x, 2), y, {.queries = queries}), ShapeError);
  const data::Table scattered{{"x", data::Column::from_f64({1, 2, 3, 4})},
                              {"y", data::Column::from_f64({0, 1, 0, 1})},
                              {"q", data::Column::from_strings({"a", "b", "a", "b"})}};
  EXPECT_NE(message_of<DataError>([&] { none.fit(scattered, "y", {.query = "q"}); }).find("got a again"),
            std::string::npos);
}

// Equal scores are in no order: that of the rows, say, in which the best may come first.
TEST(Objectives, TheMetricOfRanksIsThatOfEqualScoresToo) {
  std::vector<double> x, grades;
  for (int query = 0; query < 40; ++query) {
    for (int row = 0; row < 6; ++row) {
      grades.push_back(row < 2 ? 2 : row < 3 ? 1 : 0);
      x.push_back((row + query) % 3 == 0 ? 1 : grades.back() / 2);
    }
  }
  const std::vector<std::int64_t> queries(40, 6);
  GradientBoosting model({.objective = Objective::lambdarank, .rounds = 30, .early_stopping_rounds = 10});
  model.fit(
      Matrix(x, 1), grades,
      {.queries = queries, .validation = Matrix(x, 1), .validation_target = grades, .validation_queries = queries});
  const double best = model.validation_history()[static_cast<std::size_t>(model.ensemble().best_round)];
  EXPECT_NEAR(best, metrics::ndcg(model.predict(Matrix(x, 1)), grades, queries, 10), 1e-12);
  EXPECT_LT(best, 0.99);
}

TEST(Objectives, OfOnesOwn) {
  const Steps data = steps(300, Objective::squared);
  GradientBoosting own({.objective = Objective::custom,
                        .rounds = 10,
                        .custom_objective = {.name = "mine",
                                             .derivatives =
                                                 [](auto margins, auto targets, auto g, auto h) {
                                                   for (std::size_t i = 0; i < margins.size(); ++i)
                                                     g[i] = margins[i] - targets[i], h[i] = 1;
                                                 },
                                             .base = 0},
                        .metric = {.name = "worst", .value = [](auto p, auto y, auto) {
                                     double worst = 0;
                                     for (std::size_t i = 0; i < p.size(); ++i)
                                       worst = std::max(worst, std::fabs(p[i] - y[i]));
                                     return worst;
                                   }}});
  own.fit(Matrix(data.x, 1), data.y, {.validation = Matrix(data.x, 1), .validation_target = data.y});
  EXPECT_EQ(own.metric_name(), "worst");
  EXPECT_EQ(own.ensemble().objective, "mine");
  ASSERT_EQ(own.validation_history().size(), 10u);
  EXPECT_LT(own.validation_history().back(), own.validation_history().front());
  GradientBoosting broken({.objective = Objective::custom,
                           .custom_objective = {.derivatives = [](auto, auto, auto, auto h) { h[0] = -1; }}});
  EXPECT_THROW(broken.fit(Matrix(data.x, 1), data.y), ValueError);
  EXPECT_THROW(GradientBoosting({.objective = Objective::custom}), ValueError);
}

TEST(Objectives, EarlyStoppingKeepsTheBestRound) {
  const Steps data = steps(300, Objective::squared);
  std::vector<double> noise;
  const Philox random(11);
  for (std::size_t row = 0; row < data.x.size(); ++row) noise.push_back(data.y[row] + 8 * random.uniform(row));
  GradientBoosting model({.rounds = 500, .learning_rate = 0.3, .min_child_rows = 2, .early_stopping_rounds = 10});
  model.fit(Matrix(data.x, 1), noise, {.validation = Matrix(data.x, 1), .validation_target = data.y});
  const auto& history = model.validation_history();
  const auto best = std::min_element(history.begin(), history.end()) - history.begin();
  EXPECT_LT(history.size(), 500u);
  EXPECT_EQ(model.ensemble().best_round, best);
  EXPECT_EQ(static_cast<std::ptrdiff_t>(history.size()), best + 11);
  const std::vector<double> p = model.predict(Matrix(data.x, 1));
  double sum = 0;
  for (std::size_t row = 0; row < p.size(); ++row) sum += (p[row] - data.y[row]) * (p[row] - data.y[row]);
  EXPECT_NEAR(std::sqrt(sum / static_cast<double>(p.size())), *std::min_element(history.begin(), history.end()), 1e-9);
}

TEST(Objectives, ALaterRoundHasToGainByMinDelta) {
  const Steps data = steps(300, Objective::squared);
  std::vector<double> noise;
  const Philox random(11);
  for (std::size_t row = 0; row < data.x.size(); ++row) noise.push_back(data.y[row] + 8 * random.uniform(row));
  for (const bool larger : {false, true}) {
    const double least = larger ? 0.5 : 0.05;
    GradientBoostingOptions options{.rounds = 500,
                                    .learning_rate = 0.3,
                                    .min_child_rows = 2,
                                    .early_stopping_rounds = 10,
                                    .early_stopping_min_delta = least};
    if (larger) {
      options.metric = {.name = "minus_mse",
                        .value =
                            [](std::span<const double> p, std::span<const double> y, std::span<const double>) {
                              double sum = 0;
                              for (std::size_t i = 0; i < p.size(); ++i) sum -= (p[i] - y[i]) * (p[i] - y[i]);
                              return sum / static_cast<double>(p.size());
                            },
                        .larger_is_better = true};
    }
    GradientBoosting model(options);
    model.fit(Matrix(data.x, 1), noise, {.validation = Matrix(data.x, 1), .validation_target = data.y});
    const auto& history = model.validation_history();
    std::size_t best = 0, passed = 0;  // better rounds that gain too little
    for (std::size_t round = 1; round < history.size(); ++round) {
      const double gain = (larger ? 1 : -1) * (history[round] - history[best]);
      if (gain > least) best = round;
      passed += gain > 0 && gain <= least ? 1 : 0;
    }
    EXPECT_EQ(model.ensemble().best_round, static_cast<std::int32_t>(best));
    EXPECT_EQ(history.size(), best + 11);
    EXPECT_GT(passed, 0u);
    EXPECT_GT(best, 0u);
  }
  EXPECT_THROW(GradientBoosting({.early_stopping_min_delta = -1}), ValueError);
}

TEST(Objectives, EarlyStoppingNeedsSomethingToWatch) {
  const Steps data = steps(100, Objective::squared);
  const Matrix x(data.x, 1);
  GradientBoosting model({.rounds = 50, .early_stopping_rounds = 5});
  EXPECT_THROW(model.fit(x, data.y), ValueError);
  const data::Table table{{"x", data::Column::from_f64(data.x)}, {"y", data::Column::from_f64(data.y)}};
  EXPECT_THROW(model.fit(table, "y"), ValueError);
  model.fit(table, "y", {.validation = table});
  GradientBoostingOptions own{.objective = Objective::custom,
                              .rounds = 3,
                              .custom_objective = {.derivatives = [](auto margins, auto targets, auto g, auto h) {
                                for (std::size_t i = 0; i < margins.size(); ++i)
                                  g[i] = margins[i] - targets[i], h[i] = 1;
                              }}};
  const MatrixFitOptions with{.validation = x, .validation_target = data.y};
  GradientBoosting(own).fit(x, data.y, with);  // nothing is asked for, and nothing watched
  own.early_stopping_rounds = 5;
  EXPECT_THROW(GradientBoosting(own).fit(x, data.y, with), ValueError);
  EXPECT_THROW(GradientBoosting({.metric = {.name = "auc"}}), ValueError) << "no value";
  EXPECT_THROW(GradientBoosting({.metric = {.value = [](auto, auto, auto) { return 0.0; }}}), ValueError) << "no name";
  own.metric = {.name = "none", .value = [](auto, auto, auto) { return 0.0; }};
  GradientBoosting(own).fit(x, data.y, with);
}

TEST(Objectives, HuberWithinALargeDeltaIsTheSquaredError) {
  const Steps data = steps(2000, Objective::huber);
  for (const double delta : {1e3, 1e9, 1e39, 1e300}) {
    GradientBoosting model({.objective = Objective::huber, .rounds = 60, .huber_delta = delta});
    model.fit(Matrix(data.x, 1), data.y);
    const std::vector<double> p = model.predict(Matrix(data.x, 1));
    for (std::size_t row = 0; row < p.size(); ++row) ASSERT_NEAR(p[row], data.y[row], 0.2) << delta;
  }
}

TEST(Objectives, WeightsStayWithinFloats) {
  const Steps data = steps(300, Objective::squared);
  std::vector<double> labels;
  for (const double y : data.y) labels.push_back(y > 0);
  for (const Objective objective : {Objective::squared, Objective::binary, Objective::absolute}) {
    const std::vector<double>& y = objective == Objective::binary ? labels : data.y;
    GradientBoosting plain({.objective = objective, .rounds = 5}), heavy = plain;
    plain.fit(Matrix(data.x, 1), y, {.weights = std::vector<double>(y.size(), 1)});
    heavy.fit(Matrix(data.x, 1), y, {.weights = std::vector<double>(y.size(), 0x1p99)});
    const auto p = plain.predict_margin(Matrix(data.x, 1)), q = heavy.predict_margin(Matrix(data.x, 1));
    for (std::size_t row = 0; row < p.size(); ++row) EXPECT_NEAR(p[row], q[row], 1e-9) << to_string(objective);
    for (const double weight : {1e39, 1e300}) {
      const std::vector<double> weights(y.size(), weight);
      EXPECT_THROW(heavy.fit(Matrix(data.x, 1), y, {.weights = weights}), ValueError) << to_string(objective);
      EXPECT_THROW(heavy.fit(Matrix(data.x, 1), y,
                             {.validation = Matrix(data.x, 1), .validation_target = y, .validation_weights = weights}),
                   ValueError);
    }
  }
}

TEST(Objectives, MetricsOfOnesOwnGetProbabilitiesAsPredictProbabilityGivesThem) {
  for (const int classes : {2, 3}) {
    Steps data = steps(120, Objective::multiclass);
    for (double& y : data.y) y = std::min<double>(y, classes - 1);
    std::vector<double> last;
    GradientBoosting model({.objective = Objective::multiclass,
                            .rounds = 3,
                            .min_child_rows = 5,
                            .metric = {.name = "own", .value = [&](auto p, auto, auto) {
                                         last.assign(p.begin(), p.end());
                                         return 0.0;
                                       }}});
    model.fit(Matrix(data.x, 1), data.y, {.validation = Matrix(data.x, 1), .validation_target = data.y});
    const std::vector<double> p = model.predict_probability(Matrix(data.x, 1));
    ASSERT_EQ(last.size(), p.size());
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(last[i], p[i], 1e-12);
  }
}

TEST(Objectives, ClassesOfAMatrixAreBounded) {
  const std::vector<double> x{1, 2, 3, 4};
  GradientBoosting model({.objective = Objective::multiclass, .rounds = 1});
  for (const double y : {10'000.0, 999'999.0, 1e300, -1.0, std::nan("")})
    EXPECT_THROW(model.fit(Matrix(x, 1), std::vector<double>{0, 1, 0, y}), ValueError) << y;
}

TEST(Objectives, GossBearsTheSmallestLearningRate) {
  const Steps data = steps(200, Objective::squared);
  GradientBoosting model({.rounds = 2, .learning_rate = 1e-12, .goss_top = 0.2, .goss_other = 0.2});
  GradientBoosting plain({.rounds = 2, .learning_rate = 1e-12});
  model.fit(Matrix(data.x, 1), data.y);
  plain.fit(Matrix(data.x, 1), data.y);
  // Sampling sets in after 1 / learning_rate rounds, which are never reached.
  for (std::size_t t = 0; t < 2; ++t) {
    double rows = 0, all = 0;
    for (const double cover : model.ensemble().trees[t].leaf_cover) rows += cover;
    for (const double cover : plain.ensemble().trees[t].leaf_cover) all += cover;
    EXPECT_NEAR(rows, all, 1e-6);
  }
}

TEST(Objectives, GammaFollowsMeansThatLieFarApart) {
  std::vector<double> x, y, mean;
  const Philox random(21);
  for (std::size_t row = 0; row < 4000; ++row) {
    x.push_back(std::floor(8 * random.uniform(2 * row)));
    mean.push_back(std::exp(2 * x.back() - 7));  // from e^-7 to e^7
    y.push_back(-std::log(1 - random.uniform(2 * row + 1)) * mean.back() + 1e-12);
  }
  GradientBoosting model({.objective = Objective::gamma});
  model.fit(Matrix(x, 1), y);
  const std::vector<double> p = model.predict(Matrix(x, 1));
  for (std::size_t row = 0; row < p.size(); ++row) EXPECT_NEAR(std::log(p[row] / mean[row]), 0, 0.25) << x[row];
}

TEST(Objectives, OfAConstantTarget) {
  std::vector<double> x;
  for (int row = 0; row < 120; ++row) x.push_back(row % 30);
  const Matrix rows(x, 1);
  const auto fit = [&](Objective objective, double value) {
    GradientBoosting model({.objective = objective, .rounds = 3, .quantile = 0.3});
    const std::vector<std::int64_t> queries(objective == Objective::lambdarank ? 12 : 0, 10);
    model.fit(rows, std::vector<double>(x.size(), value), {.queries = queries});
    return model.predict(rows);
  };
  for (const Objective objective : {Objective::squared, Objective::absolute, Objective::huber, Objective::quantile,
                                    Objective::poisson, Objective::gamma, Objective::tweedie, Objective::lambdarank}) {
    // Grades that are all the same say nothing about an order.
    const double value = objective == Objective::lambdarank ? 0 : 3;
    for (const double p : fit(objective, 3)) EXPECT_NEAR(p, value, 1e-12) << to_string(objective);
  }
  for (const Objective objective :
       {Objective::squared, Objective::absolute, Objective::huber, Objective::quantile, Objective::lambdarank}) {
    for (const double p : fit(objective, 0)) EXPECT_EQ(p, 0) << to_string(objective);
  }
  for (const Objective objective : {Objective::poisson, Objective::tweedie}) {
    EXPECT_EQ(message_of<ValueError>([&] { fit(objective, 0); }),
              "[GradientBoosting] expected a target whose mean is above 0, got 0");
  }
  EXPECT_EQ(message_of<ValueError>([&] { fit(Objective::gamma, 0); }),
            "[GradientBoosting] expected a target above 0, got 0 in row 0");
}

// Where a class is rare a step of Newton's goes far beyond what is best: 1 / p of log odds.
TEST(Objectives, RareClassesDoNotDiverge) {
  std::vector<double> x, y, three;
  for (int i = 0; i < 20000; ++i) {
    x.push_back(i < 40 ? -1 : i % 50);
    y.push_back(i < 40 && i % 2 == 0);
    three.push_back(i < 40 ? i % 2 * 2 : 1);
  }
  for (const Objective objective : {Objective::binary, Objective::multiclass}) {
    GradientBoosting model({.objective = objective, .rounds = 50});
    model.fit(Matrix(x, 1), objective == Objective::binary ? y : three);
    const std::vector<double> p = model.predict_probability(Matrix(x, 1));
    EXPECT_NEAR(p[0], 0.5, 0.02);
    const std::size_t width = p.size() / x.size();
    EXPECT_NEAR(p[width - 1], 0.5, 0.02);
    EXPECT_LT(p[41 * width - 1], 0.01);
  }
}

TEST(Objectives, AModelOfAnotherObjectiveIsGoneOnFromWhereItsPredictionsMeanTheSame) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6}, y{0, 0, 1, 0, 1, 1};
  const auto derivatives = [](std::span<const double> f, std::span<const double> of, std::span<double> g,
                              std::span<double> h) {
    for (std::size_t i = 0; i < f.size(); ++i) {
      const double p = 1 / (1 + std::exp(-f[i]));
      g[i] = p - of[i];
      h[i] = p * (1 - p);
    }
  };
  const CustomObjective own{.name = "own", .derivatives = derivatives, .link = Link::sigmoid};
  GradientBoosting binary({.objective = Objective::binary, .rounds = 2, .min_child_rows = 1}),
      custom({.objective = Objective::custom, .rounds = 2, .min_child_rows = 1, .custom_objective = own}),
      squared({.rounds = 2, .min_child_rows = 1}),
      quantile({.objective = Objective::quantile, .rounds = 2, .min_child_rows = 1, .quantile = 0.9});
  binary.fit(Matrix(x, 1), y);
  const auto message = [&](GradientBoosting& model, const GradientBoosting& start) {
    return message_of<ValueError>([&] { model.fit(Matrix(x, 1), y, {.start = &start}); });
  };
  EXPECT_NE(message(custom, binary).find("a model of values to go on from, got one of the objective binary"),
            std::string::npos);
  custom.fit(Matrix(x, 1), y);
  EXPECT_NE(message(binary, custom).find("a model of classes to go on from, got one of the objective own"),
            std::string::npos);
  squared.fit(Matrix(x, 1), y);
  quantile.fit(Matrix(x, 1), y, {.start = &squared});
  EXPECT_EQ(quantile.ensemble().trees.size(), 4u);
  EXPECT_EQ(quantile.ensemble().objective, "quantile");
  EXPECT_EQ(quantile.ensemble().objective_parameter, 0.9);
}

TEST(Objectives, TrainingGoesOn) {
  const Steps data = steps(500, Objective::binary);
  const GradientBoostingOptions options{.objective = Objective::binary, .rounds = 6, .max_leaves = 4};
  GradientBoosting first(options), more(options),
      whole({.objective = Objective::binary, .rounds = 12, .max_leaves = 4});
  first.fit(Matrix(data.x, 1), data.y);
  more.fit(Matrix(data.x, 1), data.y, {.start = &first});
  whole.fit(Matrix(data.x, 1), data.y);
  ASSERT_EQ(more.ensemble().rounds(), 12);
  const auto a = more.predict_margin(Matrix(data.x, 1)), b = whole.predict_margin(Matrix(data.x, 1));
  for (std::size_t row = 0; row < a.size(); ++row) EXPECT_NEAR(a[row], b[row], 1e-9);
  EXPECT_THROW(GradientBoosting().fit(Matrix(data.x, 1), data.y, {.start = &first}), ValueError);
}

// Rounds draw by their number in the whole model, so that training in parts is training at once.
TEST(Objectives, TrainingGoesOnWithItsSamples) {
  const Steps data = steps(500, Objective::squared);
  const auto options = [](int rounds, bool goss) {
    GradientBoostingOptions out{.rounds = rounds, .learning_rate = 0.25, .max_leaves = 4};
    if (goss) {
      out.goss_top = 0.2, out.goss_other = 0.2;
    } else {
      out.subsample = 0.5;
    }
    return out;
  };
  for (const bool goss : {false, true}) {
    GradientBoosting whole(options(12, goss)), plain({.rounds = 12, .learning_rate = 0.25, .max_leaves = 4}), part;
    whole.fit(Matrix(data.x, 1), data.y);
    plain.fit(Matrix(data.x, 1), data.y);
    for (int call = 0; call < 4; ++call) {
      GradientBoosting next(options(3, goss));
      next.fit(Matrix(data.x, 1), data.y, {.start = call == 0 ? nullptr : &part});
      part = std::move(next);
    }
    const auto a = part.predict_margin(Matrix(data.x, 1)), b = whole.predict_margin(Matrix(data.x, 1));
    for (std::size_t row = 0; row < a.size(); ++row) EXPECT_NEAR(a[row], b[row], 1e-6) << goss;
    EXPECT_NE(b, plain.predict_margin(Matrix(data.x, 1))) << goss;
  }
}

// Rows that are drawn for others count for them in quantiles of leaves too.
TEST(Objectives, OneSideSamplingKeepsTheQuantile) {
  const Philox random(6);
  std::vector<double> x, y;
  for (std::uint64_t row = 0; row < 8000; ++row) {
    x.push_back(random.uniform(2 * row));
    y.push_back(x.back() - std::log(random.uniform(2 * row + 1) + 1e-12));
  }
  GradientBoosting model(
      {.objective = Objective::quantile, .rounds = 60, .goss_top = 0.2, .goss_other = 0.1, .quantile = 0.9});
  model.fit(Matrix(x, 1), y);
  const std::vector<double> at = model.predict(Matrix(x, 1));
  double below = 0;
  for (std::size_t row = 0; row < y.size(); ++row) below += y[row] <= at[row];
  EXPECT_NEAR(below / static_cast<double>(y.size()), 0.9, 0.02);
}

}  // namespace
}  // namespace tern::trees
