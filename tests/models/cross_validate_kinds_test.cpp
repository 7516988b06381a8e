// cross_validate of what orders rows, and of what has no target.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/data/pipeline.h"
#include "tern/data/splits.h"
#include "tern/data/steps.h"
#include "tern/metrics/ranking.h"
#include "tern/models/models.h"
#include "tern/trees/gradient_boosting.h"

namespace tern::models {
namespace {

// Queries of five to nine rows; grades 0 to 3 by `match`, which lies elsewhere in each query.
data::Table ranked_rows(std::int64_t queries) {
  const Philox random(11);
  std::vector<double> match, grade, weight;
  std::vector<std::string> query;
  std::uint64_t drawn = 0;
  for (std::int64_t q = 0; q < queries; ++q) {
    for (std::int64_t i = 0; i < 5 + q % 5; ++i) {
      const double good = random.uniform(drawn++);
      match.push_back(good + 0.05 * random.uniform(drawn++));
      grade.push_back(std::floor(3.99 * good));
      weight.push_back(1 + static_cast<double>(i % 2));
      query.push_back("q" + std::to_string(q));
    }
  }
  return {{"match", data::Column::from_f64(match)},
          {"grade", data::Column::from_f64(grade)},
          {"weight", data::Column::from_f64(weight)},
          {"query", data::Column::from_strings(query)}};
}

trees::GradientBoosting ranker(int stopping = 0) {
  return trees::GradientBoosting({.objective = trees::Objective::lambdarank,
                                  .rounds = 15,
                                  .max_leaves = 5,
                                  .min_child_rows = 3,
                                  .early_stopping_rounds = stopping});
}

TEST(CrossValidate, RanksWithinQueries) {
  const data::Table table = ranked_rows(40);
  const data::Pipeline steps({data::standardize(data::columns({"match"}))});
  const CrossValidateOptions options{.folds = 4, .weights = "weight", .group = "query", .ndcg_at = 3};
  const CrossValidation result = cross_validate(ranker(), steps, table, "grade", options);
  EXPECT_EQ(result.metrics, std::vector<std::string>{"ndcg"});
  EXPECT_GT(result.mean("ndcg"), 0.9);
  ASSERT_EQ(std::ssize(result.predictions), table.rows());
  // The first fold's score from its predictions.
  const auto folds = data::k_fold(table, {.folds = 4, .group = "query", .target = "grade", .ignore = {"weight"}});
  std::vector<double> scores, grades;
  std::vector<std::int64_t> queries;
  std::string last;
  for (const std::int64_t row : folds[0].validation) {
    scores.push_back(result.predictions[static_cast<std::size_t>(row)]);
    grades.push_back(table["grade"].numeric(row));
    if (table["query"].text(row) != last) queries.push_back(0);
    last = table["query"].text(row);
    ++queries.back();
  }
  EXPECT_EQ(result.scores[0][0], metrics::ndcg(scores, grades, queries, 3));
  // With early stopping, and as a search.
  const auto made = [](const Settings& s) {
    return std::make_unique<trees::GradientBoosting>(
        trees::GradientBoostingOptions{.objective = trees::Objective::lambdarank,
                                       .rounds = static_cast<int>(s[0].second),
                                       .min_child_rows = 3,
                                       .early_stopping_rounds = 5});
  };
  const Search search =
      grid_search(made, {{"rounds", {1, 10}}}, steps, table, "grade", {.validation = {.folds = 3, .group = "query"}});
  EXPECT_EQ(search.metric, "ndcg");
  EXPECT_EQ(search.results[search.best].mean("ndcg"),
            std::max(search.results[0].mean("ndcg"), search.results[1].mean("ndcg")));
}

TEST(LearningCurve, TrainsARankerOnWholeQueries) {
  const data::Table table = ranked_rows(30);
  const auto points = learning_curve(ranker(3), data::Pipeline(), table.drop({"weight"}), "grade", {0.3, 1},
                                     {.folds = 3, .group = "query"});
  EXPECT_LT(points[0].rows, points[1].rows);
  EXPECT_GT(points[0].rows, 0.1 * static_cast<double>(points[1].rows));
  EXPECT_GT(points[1].held_out.mean("ndcg"), 0.85);
}

TEST(CrossValidate, SaysWhatARankerNeeds) {
  const data::Table table = ranked_rows(12).drop({"weight"});
  EXPECT_EQ(message_of<ValueError>([&] { cross_validate(ranker(), data::Pipeline(), table, "grade"); }),
            "[cross_validate] expected the queries of an estimator that ranks as group, got none");
  EXPECT_THROW(cross_validate(ranker(), data::Pipeline(), table, "grade", {.group = "query", .ndcg_at = 0}),
               ValueError);
  std::vector<std::int64_t> mixed;  // the rows of a query apart
  for (std::int64_t i = 0; i < table.rows(); ++i) mixed.push_back(i * 7 % table.rows());
  EXPECT_THROW(cross_validate(ranker(), data::Pipeline(), table.take(mixed), "grade", {.folds = 3, .group = "query"}),
               DataError);
  Ridge ridge;  // a query is no secret column of weights
  EXPECT_EQ(message_of<ValueError>([&] { ridge.fit(table, "grade", {.query = "query"}); }),
            "[Ridge] expected no query, of which it makes no use, got \"query\"");
}

// Two clouds of different spread, with columns of weights and groups.
data::Table clouds(std::int64_t rows) {
  const Philox random(5);
  std::vector<double> a, b, weight;
  std::vector<std::string> group;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::uint64_t>(2 * i);
    a.push_back((i % 2 == 0 ? -4 : 4) + normal(random, at));
    b.push_back(1000 + 20 * normal(random, at + 1));
    weight.push_back(static_cast<double>(i % 3));
    group.push_back("g" + std::to_string(i % 17));
  }
  return {{"a", data::Column::from_f64(a)},
          {"b", data::Column::from_f64(b)},
          {"weight", data::Column::from_f64(weight)},
          {"group", data::Column::from_strings(group)}};
}

TEST(CrossValidate, MixturesByTheLikelihoodOfUnseenRows) {
  const data::Table table = clouds(240);
  const data::Pipeline steps({data::standardize(data::numeric())});
  const CrossValidateOptions options{.folds = 4, .repeats = 2, .weights = "weight", .group = "group"};
  std::vector<double> means;
  for (const std::int64_t k : {1, 2, 12}) {
    const CrossValidation result = cross_validate(GaussianMixture({.components = k}), steps, table, options);
    EXPECT_EQ(result.metrics, std::vector<std::string>{"log_likelihood"});
    EXPECT_EQ(result.scores.size(), 8u);
    means.push_back(result.mean("log_likelihood"));
  }
  EXPECT_GT(means[1], means[0] + 0.3);
  EXPECT_GT(means[1], means[2]);  // more than there are is worse of rows that were not seen
  // Each fold's score is the mean of its rows', by their weights.
  const CrossValidation once = cross_validate(GaussianMixture({.components = 2}), steps, table,
                                              {.folds = 4, .weights = "weight", .group = "group"});
  const auto folds = data::k_fold(table, {.folds = 4, .group = "group", .ignore = {"weight"}});
  for (std::size_t f = 0; f < folds.size(); ++f) {
    double sum = 0, total = 0;
    for (const std::int64_t row : folds[f].validation) {
      sum += table["weight"].numeric(row) * once.predictions[static_cast<std::size_t>(row)];
      total += table["weight"].numeric(row);
    }
    EXPECT_NEAR(once.scores[f][0], sum / total, 1e-12);
  }
}

TEST(CrossValidate, ClustersByDistance) {
  const data::Table table = clouds(200).select({"a"});
  const auto distance = [&](std::int64_t k) {
    return cross_validate(KMeans({.clusters = k}), data::Pipeline(), table, {.folds = 4}).mean("squared_distance");
  };
  EXPECT_NEAR(distance(2), 1, 0.3);
  EXPECT_GT(distance(1), 10);
  KMeans model({.clusters = 2});
  model.fit(table);
  double inertia = 0;
  for (const double each : model.score(table)) inertia += each;
  EXPECT_NEAR(inertia, model.inertia(), 1e-9 * inertia);
  EXPECT_EQ(message_of<ValueError>([&] { cross_validate(Dbscan(), data::Pipeline(), table); }),
            "[cross_validate] expected a model with a score of rows, got Dbscan, which has none");
  EXPECT_THROW(Pca().score(table), StateError);
  EXPECT_THROW(cross_validate(KMeans({.clusters = 160}), data::Pipeline(), table, {.folds = 4}), ValueError);
}

}  // namespace
}  // namespace tern::models
