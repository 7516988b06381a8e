#include "tern/models/cross_validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/random.h"
#include "tern/data/splits.h"
#include "tern/data/steps.h"
#include "tern/metrics/regression.h"
#include "tern/models/models.h"
#include "tern/trees/trees.h"

namespace tern::models {
namespace {

// y = 2 a - b, exactly or with noise, beside a number that names the row.
data::Table lines(std::int64_t n, double noise = 0) {
  const Philox random(3);
  std::vector<double> row, a, b, y;
  std::vector<std::string> group;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    row.push_back(static_cast<double>(i));
    a.push_back(random.uniform(at));
    b.push_back(random.uniform(at + 1));
    y.push_back(2 * a.back() - b.back() + noise * (random.uniform(at + 2) - 0.5));
    group.push_back("g" + std::to_string(i % 11));
  }
  return {{"row", data::Column::from_f64(row)},
          {"a", data::Column::from_f64(a)},
          {"b", data::Column::from_f64(b)},
          {"y", data::Column::from_f64(y)},
          {"group", data::Column::from_strings(group)}};
}

// Remembers by their first column which rows it was fitted on, stopped by and asked about.
struct Seen {
  std::set<double> fitted, stopping, scored;
};
class Recorder : public data::Estimator {
 public:
  explicit Recorder(std::vector<Seen>* log, bool stops = true) : log_(log), stops_(stops) {}
  std::string_view type() const override { return "recorder"; }
  std::unique_ptr<data::Estimator> clone() const override { return std::make_unique<Recorder>(*this); }
  bool classifies() const override { return false; }
  bool takes_validation() const override { return true; }
  bool stops_early() const override { return stops_; }

 protected:
  static std::set<double> rows(const data::Matrix& x) {
    std::set<double> out;
    for (std::int64_t i = 0; i < x.rows(); ++i) out.insert(x.at(i, 0));
    return out;
  }
  void learn(const Rows& train, const Rows& validation, std::int64_t /*classes*/) override {
    log_->push_back({rows(train.x), rows(validation.x), {}});
    width_ = train.x.columns();
  }
  std::vector<double> respond(const data::Matrix& x, bool /*probability*/) const override {
    log_->back().scored = rows(x);
    return std::vector<double>(static_cast<std::size_t>(x.rows()), 0.0);
  }
  std::int64_t width() const override { return width_; }
  std::string to_json() const override { return "{}"; }

 private:
  std::vector<Seen>* log_;
  bool stops_;
  std::int64_t width_ = 0;
};

bool disjoint(const std::set<double>& a, const std::set<double>& b) {
  return std::none_of(a.begin(), a.end(), [&](double x) { return b.contains(x); });
}

TEST(Estimator, SaysThatTheValidationIsWrong) {
  std::vector<Seen> log;
  Recorder model(&log);
  const data::Table rows = {{"x", data::Column::from_f64({0, 1})}, {"y", data::Column::from_f64({0, 1})}};
  data::Table words = rows, missing = rows;
  words.replace("x", data::Column::from_strings({"a", "b"}));
  missing.replace("y", data::Column::from_f64({0, std::nan("")}));
  for (const data::Table& wrong : {words, missing, rows.drop({"x"}), rows.drop({"y"})}) {
    const std::string text = message_of<Error>([&] { model.fit(rows, "y", {.validation = wrong}); });
    EXPECT_NE(text.find("in validation: "), std::string::npos) << text;
  }
}

TEST(CrossValidate, NoRowsAreKeptFromWhatDoesNotStopEarly) {
  std::vector<Seen> log;
  cross_validate(Recorder(&log, false), data::Pipeline(), lines(110).drop({"group"}), "y", {.folds = 4});
  ASSERT_EQ(log.size(), 4u);
  for (const Seen& seen : log) {
    EXPECT_TRUE(seen.stopping.empty());
    EXPECT_EQ(seen.fitted.size() + seen.scored.size(), 110u);
  }
  EXPECT_FALSE(trees::GradientBoosting({.objective = trees::Objective::squared}).stops_early());
  EXPECT_TRUE(
      trees::GradientBoosting({.objective = trees::Objective::squared, .early_stopping_rounds = 5}).stops_early());
  EXPECT_TRUE(trees::GradientBoosting({.objective = trees::Objective::squared}).takes_validation());
}

TEST(CrossValidate, ScoredRowsNeverReachTheirModel) {
  const data::Table table = lines(110);
  for (const char* group : {"", "group"}) {
    std::vector<Seen> log;
    const data::Table rows = *group ? table : table.drop({"group"});
    const CrossValidation result =
        cross_validate(Recorder(&log), data::Pipeline(), rows, "y", {.folds = 4, .repeats = 2, .group = group});
    ASSERT_EQ(log.size(), 8u);
    std::set<double> all;
    for (std::size_t fold = 0; fold < 8; ++fold) {
      const Seen& seen = log[fold];
      EXPECT_TRUE(disjoint(seen.fitted, seen.scored) && disjoint(seen.stopping, seen.scored) &&
                  disjoint(seen.fitted, seen.stopping));
      EXPECT_FALSE(seen.stopping.empty());
      EXPECT_EQ(seen.fitted.size() + seen.stopping.size() + seen.scored.size(), 110u);
      if (fold < 4) all.insert(seen.scored.begin(), seen.scored.end());
      if (!*group) continue;
      std::set<int> here, there;
      for (const double row : seen.scored) here.insert(static_cast<int>(row) % 11);
      for (const double row : seen.fitted) there.insert(static_cast<int>(row) % 11);
      for (const int each : here) EXPECT_FALSE(there.contains(each));
    }
    EXPECT_EQ(all.size(), 110u) << "each row is scored once a repeat";
    EXPECT_EQ(result.scores.size(), 8u);
    EXPECT_NE(log[0].scored, log[4].scored) << "repeats cut anew";
  }
}

TEST(CrossValidate, WhatTheSplitsForStoppingWarnOfIsLoggedOnce) {
  std::vector<double> x, y;
  for (int i = 0; i < 400; ++i) {
    x.push_back(i % 5);
    y.push_back(i % 5);
  }
  const data::Table blocks{{"x", data::Column::from_f64(x)}, {"y", data::Column::from_f64(y)}};
  std::vector<std::string> warnings;
  const LogSink before = set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) warnings.emplace_back(text);
  });
  std::vector<Seen> seen;
  cross_validate(Recorder(&seen), data::Pipeline(), blocks, "y", {.folds = 4, .repeats = 2});
  set_log_sink(before);

  ASSERT_EQ(seen.size(), 8u);
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(CrossValidate, WeightsAreNamedInErrors) {
  data::Table table = lines(20).drop({"group"});
  table.add("w", data::Column::from_f64(std::vector<double>(20, 1), [] {
              std::vector<bool> valid(20, true);
              valid[3] = false;
              return valid;
            }()));
  const std::string expected = "expected a finite weight of at least 0 in every row, got none";
  const auto contains = [&](const std::string& message) { return message.find(expected) != std::string::npos; };
  EXPECT_TRUE(contains(
      message_of<DataError>([&] { cross_validate(Ridge(), data::Pipeline(), table, "y", {.weights = "w"}); })));
  EXPECT_TRUE(contains(message_of<DataError>([&] { Ridge().fit(table, "y", {.weights = "w"}); })));
  EXPECT_TRUE(contains(message_of<DataError>([&] { trees::GradientBoosting().fit(table, "y", {.weights = "w"}); })));
  EXPECT_EQ(message_of<ValueError>([&] { cross_validate(Ridge(), data::Pipeline(), table, "y", {.weights = "y"}); }),
            "[cross_validate] expected weights, group and time other than the target, got \"y\"");
}

TEST(CrossValidate, ScoresWhatTheModelCanDo) {
  const data::Table table = lines(90).drop({"group"});
  const CrossValidation exact = cross_validate(Ridge({.alpha = 0}), data::Pipeline(), table, "y");
  EXPECT_EQ(exact.metrics, (std::vector<std::string>{"rmse", "mae", "r2"}));
  EXPECT_NEAR(exact.mean("rmse"), 0, 1e-9);
  EXPECT_NEAR(exact.mean("r2"), 1, 1e-9);
  for (std::int64_t i = 0; i < 90; ++i) {
    EXPECT_NEAR(exact.predictions[static_cast<std::size_t>(i)], table["y"].f64(i), 1e-9);
  }
  EXPECT_THROW(exact.mean("auroc"), ValueError);
  const CrossValidation again = cross_validate(Ridge({.alpha = 0}), data::Pipeline(), table, "y");
  EXPECT_EQ(again.scores, exact.scores);
  EXPECT_THROW(cross_validate(Ridge(), data::Pipeline(), table, "y", {.folds = 1}), ValueError);
  EXPECT_THROW(cross_validate(Ridge(), data::Pipeline(), table, "z"), DataError);
}

// A level for each row, encoded by the target: out of fold there is nothing in it.
TEST(CrossValidate, PipelinesAreFittedInTheFold) {
  const Philox random(9);
  std::vector<double> y;
  std::vector<std::string> level;
  for (std::uint64_t i = 0; i < 400; ++i) {
    y.push_back(random.uniform(i));
    level.push_back("L" + std::to_string(i / 2));
  }
  data::Table table{{"level", data::Column::from_strings(level)}, {"y", data::Column::from_f64(y)}};
  const data::Pipeline steps({data::target_encoding(data::columns({"level"}))});
  const CrossValidation result = cross_validate(Ridge(), steps, table, "y", {.folds = 5});
  EXPECT_LT(result.mean("r2"), 0.05);
}

// Three classes of numbers from 0 to 1, in the order of a time, and groups that are of one class.
data::Table three_kinds(std::int64_t n, bool words = true) {
  const Philox random(17);
  std::vector<double> a, b, time, number;
  std::vector<std::string> kind, group;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    const auto k = static_cast<int>(random.below(at, 3));
    a.push_back(0.3 * k + 0.4 * random.uniform(at + 1));
    b.push_back((k == 1 ? 0.6 : 0) + 0.4 * random.uniform(at + 2));
    time.push_back(static_cast<double>(i));
    number.push_back(k);
    kind.push_back(std::string(1, static_cast<char>('p' + k)));
    group.push_back(kind.back() + std::to_string(i % 2));
  }
  return {{"a", data::Column::from_f64(a)},
          {"b", data::Column::from_f64(b)},
          {"time", data::Column::from_f64(time)},
          {"group", data::Column::from_strings(group)},
          {"kind", words ? data::Column::from_strings(kind) : data::Column::from_f64(number)}};
}

std::int64_t likeliest(const std::vector<double>& p, std::size_t row) {
  const auto begin = p.begin() + static_cast<std::ptrdiff_t>(3 * row);
  return std::max_element(begin, begin + 3) - begin;
}

TEST(CrossValidate, EveryEstimatorOfSeveralClasses) {
  trees::register_estimators();
  const data::Table table = three_kinds(90).drop({"time", "group"});
  const LogisticRegression curve;
  const LinearSvm svm({.inverse_penalty = 10});
  const trees::RandomForest forest({.trees = 5});
  const SgdClassifier hinge({.loss = SgdLoss::hinge, .max_iterations = 20});
  const Calibrated honest(svm, {.folds = 2});
  const Voting votes({&curve, &forest});
  const Stacking stack({&curve, &forest}, curve, {.folds = 2});
  const trees::ExtraTrees extra({.trees = 5});
  const trees::GradientBoosting boosting({.objective = trees::Objective::multiclass, .rounds = 5, .min_child_rows = 2});
  const SgdClassifier sgd({.max_iterations = 20});
  const GaussianNaiveBayes gaussian;
  const MultinomialNaiveBayes multinomial;
  const BernoulliNaiveBayes bernoulli({.threshold = 0.5});
  const KNeighborsClassifier neighbors;
  const std::vector<const data::Estimator*> all = {&curve,    &svm,         &forest,    &hinge,    &honest,
                                                   &votes,    &stack,       &extra,     &boosting, &sgd,
                                                   &gaussian, &multinomial, &bernoulli, &neighbors};
  for (const data::Estimator* each : all) {
    const CrossValidation result = cross_validate(*each, data::Pipeline(), table, "kind", {.folds = 3});
    const bool shares = each->has_probability();
    EXPECT_EQ(result.metrics, shares ? (std::vector<std::string>{"log_loss", "accuracy", "f1_macro"})
                                     : (std::vector<std::string>{"accuracy", "f1_macro"}))
        << each->type();
    EXPECT_EQ(result.classes, (std::vector<std::string>{"p", "q", "r"}));
    ASSERT_EQ(result.predictions.size(), shares ? 270u : 90u) << each->type();
    double right = 0;
    for (std::size_t row = 0; row < 90; ++row) {
      const auto told =
          shares ? likeliest(result.predictions, row) : static_cast<std::int64_t>(result.predictions[row]);
      right += table["kind"].text(static_cast<std::int64_t>(row)) == result.classes[static_cast<std::size_t>(told)];
      if (!shares) continue;
      const double* p = &result.predictions[3 * row];
      EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-12) << each->type();
    }
    const bool few = each == &multinomial || each == &bernoulli;  // their features are counts, or true and false
    EXPECT_NEAR(result.mean("accuracy"), right / 90, 1e-12) << each->type() << ": folds of 30 rows each";
    EXPECT_GT(right / 90, few ? 0.3 : 0.75) << each->type();
    EXPECT_NEAR(result.mean("f1_macro"), right / 90, few ? 0.25 : 0.05) << each->type();
    if (shares) {
      EXPECT_LT(result.mean("log_loss"), few ? 1.2 : std::log(3.0)) << each->type();
    }
  }
}

// Scores of each fold from its predictions, by the formulas.
TEST(CrossValidate, EveryEstimatorOfTwoClassesAndOfValues) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  trees::register_estimators();
  const data::Table three = three_kinds(90).drop({"time", "group"});
  const data::Table two = three.filter([&](std::int64_t row) { return three["kind"].text(row) != "r"; });
  const data::Table values = lines(90, 0.2).drop({"row", "group"});
  const LogisticRegression curve;
  const Calibrated honest(LinearSvm(), {.folds = 2});
  const KNeighborsClassifier near_class;
  const trees::RandomForest forest({.trees = 5}), of_values({.criterion = trees::Criterion::squared, .trees = 10});
  const Voting votes({&curve, &forest});
  const Ridge line({.alpha = 0.01});
  const Lasso lasso({.alpha = 0.01});
  const SgdRegressor sgd;
  const KNeighborsRegressor near;
  const trees::GradientBoosting boosting({.rounds = 30, .max_leaves = 4, .min_child_rows = 3});
  const Voting mean({&line, &near});
  const Stacking stack({&line, &near}, line, {.folds = 2});
  const data::Estimator* all[] = {&curve, &honest, &near_class, &forest,   &votes, &of_values, &line,
                                  &lasso, &sgd,    &near,       &boosting, &mean,  &stack};
  for (const data::Estimator* each : all) {
    const bool of_classes = each->classifies();
    const data::Table& table = of_classes ? two : values;
    const char* target = of_classes ? "kind" : "y";
    const auto folds = data::k_fold(table, {.folds = 3, .stratify = of_classes ? target : "", .target = target});
    const CrossValidation result = cross_validate(*each, data::Pipeline(), table, target, {.folds = 3});
    EXPECT_EQ(result.metrics,
              of_classes ? (std::vector<std::string>{"log_loss", "brier", "auroc", "average_precision", "accuracy"})
                         : (std::vector<std::string>{"rmse", "mae", "r2"}));
    for (std::size_t f = 0; f < 3; ++f) {
      const auto n = static_cast<double>(folds[f].validation.size());
      double squares = 0, apart = 0, right = 0, sum = 0, square_sum = 0, loss = 0, pairs = 0, before = 0, precision = 0;
      const auto truth = [&](std::int64_t row) -> double {
        return of_classes ? table[target].text(row) == "q" : table[target].f64(row);
      };
      const auto told = [&](std::int64_t row) { return result.predictions[static_cast<std::size_t>(row)]; };
      for (const std::int64_t row : folds[f].validation) {
        const double y = truth(row), p = told(row);
        squares += (p - y) * (p - y) / n;
        apart += std::abs(p - y) / n;
        right += ((p >= 0.5) == (y == 1)) / n;
        sum += y / n;
        square_sum += y * y / n;
        if (!of_classes) continue;
        loss -= std::log(std::clamp(y == 1 ? p : 1 - p, kEpsilon, 1 - kEpsilon)) / n;
        if (y == 0) continue;
        double above = 0, positives_above = 0;  // of rows told at least p
        for (const std::int64_t other : folds[f].validation) {
          above += told(other) >= p;
          positives_above += told(other) >= p && truth(other) == 1;
          pairs += truth(other) == 0;
          if (truth(other) == 0) before += p > told(other) ? 1 : p == told(other) ? 0.5 : 0;
        }
        precision += positives_above / above;
      }
      const std::vector<double>& scores = result.scores[f];
      if (of_classes) {
        EXPECT_NEAR(scores[0], loss, 1e-12) << each->type();
        EXPECT_NEAR(scores[1], squares, 1e-12) << each->type();
        EXPECT_NEAR(scores[2], before / pairs, 1e-12) << each->type();
        EXPECT_GT(scores[2], 0.85) << each->type();
        EXPECT_NEAR(scores[3], precision / (sum * n), 1e-12) << each->type();
        EXPECT_NEAR(scores[4], right, 1e-12) << each->type();
      } else {
        EXPECT_NEAR(scores[0], std::sqrt(squares), 1e-12) << each->type();
        EXPECT_NEAR(scores[1], apart, 1e-12) << each->type();
        EXPECT_NEAR(scores[2], 1 - squares / (square_sum - sum * sum), 1e-10) << each->type();
        EXPECT_GT(scores[2], 0.5) << each->type();
      }
    }
  }
}

// Scores of the first fold by their formulas, from a model that is fitted on it by hand.
TEST(CrossValidate, ScoresAreThoseOfTheFold) {
  const data::Table table = three_kinds(90).drop({"time", "group"});
  const data::Fold fold = data::k_fold(table, {.folds = 3, .stratify = "kind", .target = "kind"})[0];
  for (const bool shares : {true, false}) {
    const LogisticRegression curve;
    const LinearSvm svm;
    const data::Estimator& estimator = shares ? static_cast<const data::Estimator&>(curve) : svm;
    const CrossValidation result = cross_validate(estimator, data::Pipeline(), table, "kind", {.folds = 3});
    const std::unique_ptr<data::Estimator> model = estimator.clone();
    model->fit(table.take(fold.train), "kind");
    const data::Table held = table.take(fold.validation);
    const std::vector<double> decided = model->predict(held);
    double right = 0, loss = 0, f1 = 0;
    for (double k = 0; k < 3; ++k) {
      double hit = 0, told = 0, there = 0;
      for (std::int64_t row = 0; row < held.rows(); ++row) {
        const bool is = held["kind"].text(row)[0] - 'p' == static_cast<int>(k);
        const bool says = decided[static_cast<std::size_t>(row)] == k;
        hit += is && says;
        told += says;
        there += is;
        if (is && shares) {
          loss -= std::log(
              model->predict_probability(held)[static_cast<std::size_t>(3 * row) + static_cast<std::size_t>(k)]);
        }
      }
      right += hit;
      f1 += 2 * hit / (told + there) / 3;
    }
    const auto n = static_cast<double>(held.rows());
    const std::vector<double> expected =
        shares ? std::vector<double>{loss / n, right / n, f1} : std::vector<double>{right / n, f1};
    ASSERT_EQ(result.scores[0].size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(result.scores[0][i], expected[i], 1e-12) << result.metrics[i];
    }
  }
}

// Each stretch by what was before, stopping on the last of that; the first has no predictions.
TEST(CrossValidate, ByTimeTrainsOnWhatWasBefore) {
  data::Table table = lines(100).drop({"group"});
  table.add("when", table["row"]);
  std::vector<Seen> log;
  const CrossValidation result =
      cross_validate(Recorder(&log), data::Pipeline(), table, "y", {.folds = 4, .validation = 0.25, .time = "when"});
  ASSERT_EQ(log.size(), 4u);
  for (std::size_t fold = 0; fold < 4; ++fold) {
    const double begin = 20 * static_cast<double>(fold + 1);
    const Seen& seen = log[fold];
    EXPECT_EQ(*seen.fitted.begin(), 0);
    EXPECT_LT(*seen.fitted.rbegin(), *seen.stopping.begin());
    EXPECT_EQ(*seen.stopping.rbegin(), begin - 1);
    EXPECT_EQ(seen.fitted.size() + seen.stopping.size(), 20 * (fold + 1));
    EXPECT_EQ(*seen.scored.begin(), begin);
    EXPECT_EQ(seen.scored.size(), 20u);
    EXPECT_EQ(*seen.scored.rbegin(), begin + 19);
  }
  for (std::size_t row = 0; row < 100; ++row) EXPECT_EQ(std::isnan(result.predictions[row]), row < 20) << row;
  EXPECT_THROW(cross_validate(Recorder(&log), data::Pipeline(), table, "y", {.repeats = 2, .time = "when"}),
               ValueError);
}

data::Table in_order_of(const data::Table& table, const char* column) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(table.rows()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return table[column].text(a) < table[column].text(b); });
  data::Table out = table.take(order);
  out.replace("time", table["time"]);
  return out;
}

// Words are refused where a class is missing from a part, by name.
TEST(CrossValidate, OneClassInAFoldOfWordsIsAnError) {
  const LogisticRegression curve;
  const auto said = [&](const data::Table& table, const CrossValidateOptions& how) {
    return message_of<DataError>([&] { cross_validate(curve, data::Pipeline(), table, "kind", how); });
  };
  const data::Table table = three_kinds(60);
  EXPECT_NE(said(in_order_of(table, "kind").drop({"group"}), {.folds = 3, .time = "time"})
                .find("rows of class \"p\" in stretch"),
            std::string::npos);
  EXPECT_NE(said(table.drop({"time"}), {.folds = 6, .group = "group"}).find("in few groups of \"group\""),
            std::string::npos);
  data::Table two = table.drop({"time", "group"}).filter([&](std::int64_t row) {
    return table["kind"].text(row) != "q" || row < 10;
  });
  two = two.filter([&](std::int64_t row) { return two["kind"].text(row) != "r"; });
  const std::int64_t rare = two.filter([&](std::int64_t row) { return two["kind"].text(row) == "q"; }).rows();
  ASSERT_TRUE(rare > 0 && rare < 8);
  EXPECT_NE(said(two, {.folds = 8}).find("each of 8 parts needs one"), std::string::npos);
}

// Several classes that are numbers may be missing from a fold that is scored; not all but one from what trains.
TEST(CrossValidate, OneClassInAFoldOfNumbersIsScored) {
  const LogisticRegression curve({.inverse_penalty = 10});
  const data::Table table = three_kinds(60, false);
  const CrossValidation by_group =
      cross_validate(curve, data::Pipeline(), table.drop({"time"}), "kind", {.folds = 6, .group = "group"});
  for (const auto& scores : by_group.scores) {
    for (const double score : scores) EXPECT_TRUE(std::isfinite(score));
    EXPECT_GT(scores[1], 0.5) << "of a class that five other groups teach";
  }
  const data::Table sorted = in_order_of(table, "kind").drop({"group"});
  EXPECT_NE(message_of<ValueError>([&] {
              cross_validate(curve, data::Pipeline(), sorted, "kind", {.folds = 8, .time = "time"});
            }).find("two classes"),
            std::string::npos);
  // The last stretch is of a class that was not there before: probability 0, clipped as metrics::log_loss says.
  std::vector<double> a, time, kind;
  for (int i = 0; i < 30; ++i) {
    kind.push_back(i < 20 ? i % 2 : 2);
    a.push_back(kind.back() + 0.01 * i);
    time.push_back(i);
  }
  const data::Table late{
      {"a", data::Column::from_f64(a)}, {"time", data::Column::from_f64(time)}, {"kind", data::Column::from_f64(kind)}};
  const CrossValidation unknown = cross_validate(curve, data::Pipeline(), late, "kind", {.folds = 2, .time = "time"});
  EXPECT_NEAR(unknown.scores[1][0], 52 * std::log(2.0), 1e-9);
  EXPECT_EQ(unknown.scores[1][1], 0);
  for (std::size_t row = 20; row < 30; ++row) {
    EXPECT_EQ(unknown.predictions[3 * row + 2], 0);
    EXPECT_NEAR(unknown.predictions[3 * row] + unknown.predictions[3 * row + 1], 1, 1e-12);
  }
}

// What a fold leaves undefined is NaN there, and no part of the mean.
TEST(CrossValidate, UndefinedScoresAreNoPartOfTheMean) {
  data::Table table = lines(110, 0.5);
  std::vector<double> y = table["y"].numeric();
  for (std::size_t row = 3; row < y.size(); row += 11) y[row] = 1;  // all of a group
  table.replace("y", data::Column::from_f64(y));
  const CrossValidation values = cross_validate(Ridge(), data::Pipeline(), table, "y", {.folds = 11, .group = "group"});
  double sum = 0;
  int none = 0;
  for (const auto& scores : values.scores) {
    EXPECT_TRUE(std::isfinite(scores[0]) && std::isfinite(scores[1]));
    none += std::isnan(scores[2]);
    if (!std::isnan(scores[2])) sum += scores[2];
  }
  EXPECT_EQ(none, 1);
  EXPECT_NEAR(values.mean("r2"), sum / 10, 1e-12);
  EXPECT_TRUE(std::isfinite(values.standard_deviation("r2")));

  const data::Table all = three_kinds(60).drop({"time", "group"});
  data::Table two = all.filter([&](std::int64_t row) { return all["kind"].text(row) != "r"; });
  const data::Fold first = data::k_fold(two, {.folds = 3, .stratify = "kind", .target = "kind"})[0];
  std::vector<double> weights(static_cast<std::size_t>(two.rows()), 1);
  for (const std::int64_t row : first.validation) {
    if (two["kind"].text(row) == "q") weights[static_cast<std::size_t>(row)] = 0;
  }
  two.add("w", data::Column::from_f64(weights));
  const CrossValidation weighed =
      cross_validate(LogisticRegression(), data::Pipeline(), two, "kind", {.folds = 3, .weights = "w"});
  EXPECT_TRUE(std::isnan(weighed.scores[0][2]) && std::isfinite(weighed.scores[0][0]));
  EXPECT_EQ(weighed.mean("auroc"), (weighed.scores[1][2] + weighed.scores[2][2]) / 2);
  for (const std::int64_t row : first.validation) weights[static_cast<std::size_t>(row)] = 0;
  two.replace("w", data::Column::from_f64(weights));
  EXPECT_THROW(cross_validate(LogisticRegression(), data::Pipeline(), two, "kind", {.folds = 3, .weights = "w"}),
               ValueError);
}

TEST(CrossValidate, WeightsCountInFitAndScore) {
  data::Table table = lines(80, 1).drop({"group"});
  std::vector<double> weights(80, 1), y = table["y"].numeric();
  for (std::size_t i = 0; i < 80; i += 4) {
    weights[i] = 0;
    y[i] = 1e6;  // would spoil both
  }
  table.replace("y", data::Column::from_f64(y));
  table.add("w", data::Column::from_f64(weights));
  EXPECT_LT(cross_validate(Ridge(), data::Pipeline(), table, "y", {.weights = "w"}).mean("rmse"), 1);
}

TEST(LearningCurve, MoreRowsScoreBetter) {
  const data::Table table = lines(300, 0.5).drop({"group", "row"});
  const auto points = learning_curve(Ridge({.alpha = 1e-6}), data::Pipeline(), table, "y", {0.02, 0.2, 1});
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[2].rows, 240);
  EXPECT_EQ(points[0].rows, 5);
  EXPECT_GT(points[0].held_out.mean("rmse"), points[2].held_out.mean("rmse"));
  EXPECT_LT(points[0].train.mean("rmse"), points[0].held_out.mean("rmse"));
  EXPECT_THROW(learning_curve(Ridge(), data::Pipeline(), table, "y", {0}), ValueError);
}

// Ten of 1,000 rows are of the class, eight of a fold's: a tenth of them is one, and is there.
TEST(LearningCurve, EachShareHasRowsOfARareClass) {
  const Philox random(5);
  std::vector<double> a;
  std::vector<std::string> kind;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const bool rare = i % 100 == 37;
    a.push_back(random.uniform(i) + (rare ? 0.5 : 0));
    kind.push_back(rare ? "rare" : "usual");
  }
  const data::Table table{{"a", data::Column::from_f64(a)}, {"kind", data::Column::from_strings(kind)}};
  const auto points = learning_curve(LogisticRegression(), data::Pipeline(), table, "kind");
  ASSERT_EQ(points.size(), 5u);
  EXPECT_EQ(points[0].rows, 80);
  EXPECT_EQ(points[4].rows, 800);
  for (const LearningPoint& point : points) EXPECT_TRUE(std::isfinite(point.held_out.mean("log_loss"))) << point.share;
  const auto few = learning_curve(LogisticRegression(), data::Pipeline(), table, "kind", {0.001});
  EXPECT_EQ(few[0].rows, 2) << "one of each";
}

TEST(LearningCurve, SmallerSharesArePartsOfLargerOnes) {
  const data::Table table = lines(200);
  for (const char* group : {"", "group"}) {
    std::vector<Seen> log;
    const data::Table rows = *group ? table : table.drop({"group"});
    learning_curve(Recorder(&log), data::Pipeline(), rows, "y", {0.1, 0.5, 1}, {.folds = 3, .group = group});
    ASSERT_EQ(log.size(), 9u);
    for (std::size_t fold = 0; fold < 3; ++fold) {
      for (const std::size_t smaller : {fold, fold + 3}) {
        const Seen &part = log[smaller], &whole = log[smaller + 3];
        EXPECT_LT(part.fitted.size(), whole.fitted.size());
        EXPECT_TRUE(std::includes(whole.fitted.begin(), whole.fitted.end(), part.fitted.begin(), part.fitted.end()));
        EXPECT_TRUE(
            std::includes(whole.stopping.begin(), whole.stopping.end(), part.stopping.begin(), part.stopping.end()));
      }
    }
  }
}

// The folds behind a stack's predictions know no groups: it learns the same with the column as without.
TEST(CrossValidate, AStackDealsItsOwnFolds) {
  const data::Table table = lines(110, 0.5);
  const Ridge line, flat({.alpha = 100});
  const Stacking stack({&line, &flat}, Ridge(), {.folds = 4});
  const data::Fold first = data::k_fold(table, {.folds = 3, .group = "group", .target = "y"})[0];
  const CrossValidation result = cross_validate(stack, data::Pipeline(), table, "y", {.folds = 3, .group = "group"});
  Stacking alone = stack;
  const data::Table features = table.drop({"group"});
  alone.fit(features.take(first.train), "y");
  const std::vector<double> expected = alone.predict(features.take(first.validation));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(result.predictions[static_cast<std::size_t>(first.validation[i])], expected[i]);
  }
}

TEST(Search, FindsThePenaltyThatHelps) {
  const data::Table table = lines(60, 0.2).drop({"group", "row"});
  const MakeEstimator make = [](const Settings& settings) {
    return std::make_unique<Ridge>(RidgeOptions{.alpha = settings[0].second, .fit_intercept = settings[1].second > 0});
  };
  const Search grid =
      grid_search(make, {{"alpha", {1e4, 1e-3, 1e3}}, {"intercept", {0, 1}}}, data::Pipeline(), table, "y");
  ASSERT_EQ(grid.settings.size(), 6u);
  EXPECT_EQ(grid.settings[1], (Settings{{"alpha", 1e4}, {"intercept", 1}}));
  EXPECT_EQ(grid.settings[grid.best][0].second, 1e-3);
  const auto at_random = [&](std::uint64_t seed) {
    return random_search(make, {{.name = "alpha", .low = 1e-4, .high = 1e4, .log = true}, {.name = "i", .whole = true}},
                         8, data::Pipeline(), table, "y", {.metric = "r2", .validation = {.seed = seed}});
  };
  const Search drawn = at_random(1);
  EXPECT_EQ(drawn.settings, at_random(1).settings);
  EXPECT_NE(drawn.settings, at_random(2).settings);
  for (const Settings& settings : drawn.settings) {
    EXPECT_TRUE(settings[0].second >= 1e-4 && settings[0].second <= 1e4);
    EXPECT_TRUE(settings[1].second == 0 || settings[1].second == 1);
  }
  for (const CrossValidation& result : drawn.results)
    EXPECT_LE(result.mean("r2"), drawn.results[drawn.best].mean("r2"));
  const auto whole = [&](double low, double high) {
    return random_search(make, {{.name = "alpha", .low = low, .high = high, .whole = true}, {.name = "i"}}, 20,
                         data::Pipeline(), table, "y");
  };
  for (const Settings& settings : whole(0.5, 3.7).settings) {
    const double drawn_alpha = settings[0].second;
    EXPECT_TRUE(drawn_alpha == 1 || drawn_alpha == 2 || drawn_alpha == 3) << drawn_alpha;
  }
  EXPECT_THROW(whole(1.2, 1.8), ValueError);
  EXPECT_THROW(whole(-1e308, 1e308), ValueError);
  const data::Table few = table.head(4);  // a fold of one row has no r2
  EXPECT_THROW(grid_search(make, {{"alpha", {1, 2}}, {"intercept", {1}}}, data::Pipeline(), few, "y",
                           {.metric = "r2", .validation = {.folds = 4}}),
               ValueError);
  EXPECT_THROW(grid_search(make, {{"alpha", {}}}, data::Pipeline(), table, "y"), ValueError);
  EXPECT_THROW(random_search(make, {{.name = "alpha", .low = 0, .log = true}}, 1, data::Pipeline(), table, "y"),
               ValueError);
}

TEST(Search, NamesTheCandidateThatFails) {
  const data::Table table = lines(60).drop({"group", "row"});
  const MakeEstimator make = [](const Settings& settings) {
    return std::make_unique<Ridge>(RidgeOptions{.alpha = settings[0].second});
  };
  std::vector<Seen> seen;
  const MakeEstimator record = [&](const Settings&) { return std::make_unique<Recorder>(&seen, false); };
  EXPECT_EQ(message_of<ValueError>([&] {
              grid_search(record, {{"alpha", {1, 2}}}, data::Pipeline(), table, "y", {.metric = "auroc"});
            }),
            "[CrossValidation] expected one of rmse, mae, r2, got \"auroc\"");
  EXPECT_TRUE(seen.empty());
  EXPECT_EQ(message_of<ValueError>([&] {
              grid_search(make, {{"alpha", {1, -0.5}}}, data::Pipeline(), table, "y");
            }).find("of alpha = -0.5: [Ridge]"),
            0u);
  data::Table words = table;
  words.add("word", data::Column::from_strings(std::vector<std::string>(60, "a")));
  EXPECT_NE(message_of<DataError>([&] {
              grid_search(make, {{"alpha", {1}}}, data::Pipeline(), words, "y");
            }).find("[Ridge] column \"word\": of alpha = 1: in fold 1 of 5: expected numbers"),
            std::string::npos);
}

TEST(CrossValidate, FindsABadWeightInItsOwnRow) {
  data::Table table = lines(40).drop({"group"});
  std::vector<double> w(40, 1);
  w[33] = -1;
  table.add("w", data::Column::from_f64(w));
  EXPECT_EQ(message_of<DataError>([&] { cross_validate(Ridge(), data::Pipeline(), table, "y", {.weights = "w"}); }),
            "[cross_validate] row 33, column \"w\": expected a finite weight of at least 0 in every row, got -1");
}

// A quantile that rmse would take for a bad model.
TEST(Search, GoesByAMetricOfOnesOwn) {
  const data::Table table = lines(200, 1).drop({"group", "row"});
  const MakeEstimator make = [](const Settings& settings) {
    return std::make_unique<trees::GradientBoosting>(trees::GradientBoostingOptions{
        .objective = trees::Objective::quantile, .rounds = 30, .quantile = settings[0].second});
  };
  const auto best = [&](double quantile) {
    const metrics::CustomMetric pinball{.name = "pinball", .value = [=](auto predictions, auto truth, auto weights) {
                                          return metrics::mean_pinball_loss(predictions, truth, quantile, weights);
                                        }};
    const Search found = grid_search(make, {{"quantile", {.1, .5, .9}}}, data::Pipeline(), table, "y",
                                     {.validation = {.folds = 3, .metric = pinball}});
    EXPECT_EQ(found.metric, "pinball");
    EXPECT_EQ(found.results[0].metrics, (std::vector<std::string>{"pinball", "rmse", "mae", "r2"}));
    return found.settings[found.best][0].second;
  };
  EXPECT_EQ(best(.9), .9);
  EXPECT_EQ(best(.1), .1);
  const auto refused = [&](const std::string& name) {
    return cross_validate(Ridge(), data::Pipeline(), table, "y",
                          {.metric = {.name = name, .value = [](auto...) { return 1.0; }}});
  };
  EXPECT_THROW(refused("rmse"), ValueError);
  EXPECT_THROW(refused(""), ValueError);
  EXPECT_THROW(cross_validate(Ridge(), data::Pipeline(), table, "y", {.metric = {.name = "r2"}}), ValueError)
      << "alone";
  EXPECT_EQ(refused("one").mean("one"), 1);
  EXPECT_THROW(cross_validate(KMeans({.clusters = 2}), data::Pipeline(), table,
                              {.metric = {.name = "one", .value = [](auto...) { return 1.0; }}}),
               ValueError);
}

}  // namespace
}  // namespace tern::models
