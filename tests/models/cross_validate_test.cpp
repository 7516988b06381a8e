#include "tern/models/cross_validate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/data/splits.h"
#include "tern/data/steps.h"
#include "tern/models/combine.h"
#include "tern/models/glm.h"
#include "tern/models/linear.h"

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
  explicit Recorder(std::vector<Seen>* log) : log_(log) {}
  std::string_view type() const override { return "recorder"; }
  std::unique_ptr<data::Estimator> clone() const override { return std::make_unique<Recorder>(*this); }
  bool classifies() const override { return false; }
  bool takes_validation() const override { return true; }

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
  std::int64_t width_ = 0;
};

bool disjoint(const std::set<double>& a, const std::set<double>& b) {
  return std::none_of(a.begin(), a.end(), [&](double x) { return b.contains(x); });
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
  EXPECT_THROW(grid_search(make, {{"alpha", {}}}, data::Pipeline(), table, "y"), ValueError);
  EXPECT_THROW(random_search(make, {{.name = "alpha", .low = 0, .log = true}}, 1, data::Pipeline(), table, "y"),
               ValueError);
}

}  // namespace
}  // namespace tern::models
