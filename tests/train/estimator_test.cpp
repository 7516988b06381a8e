#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/models/models.h"
#include "tern/train/trainer.h"
#include "tern/trees/trees.h"

namespace tern::train {
namespace {

// A number with gaps, a word, a column without values and three targets.
data::Table table(std::int64_t rows, std::uint64_t seed) {
  const Philox random(seed);
  std::vector<double> x, value;
  std::vector<std::string> word, answer, colour;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::uint64_t>(row) * 8;
    const double u = 4 * random.uniform(at) - 2;
    x.push_back(row % 11 == 5 ? std::nan("") : u);
    word.push_back(random.uniform(at + 1) < 0.5 ? "red" : "blue");
    const double z = u * u - 1 + (word.back() == "red" ? 1 : -1);
    value.push_back(z);
    answer.push_back(random.uniform(at + 2) < 1 / (1 + std::exp(-z)) ? "Yes" : "No");
    colour.push_back(z < -1 ? "low" : z < 1 ? "middle" : "top");
  }
  data::Table out;
  out.add("x", data::Column::from_f64(x));
  out.add("word", data::Column::from_strings(word));
  out.add("blank", data::Column::nulls(data::ColumnType::f64, rows));
  out.add("value", data::Column::from_f64(value));
  out.add("answer", data::Column::from_strings(answer));
  out.add("colour", data::Column::from_strings(colour));
  return out;
}

trees::GradientBoosting boosting(trees::Objective objective) {
  return trees::GradientBoosting({.objective = objective, .rounds = 60, .early_stopping_rounds = 10});
}

TEST(FitEstimator, ReportsAsATrainerDoes) {
  const data::Table training = table(600, 1).drop({"value", "colour"}),
                    validation = table(300, 2).drop({"value", "colour"});
  trees::GradientBoosting model = boosting(trees::Objective::binary);
  const Fitted fitted = fit_estimator(
      model, binary({.target = "answer", .positive = "Yes", .threshold = metrics::parse_threshold_rule("f1")}),
      training, validation, {.bootstrap = 50});
  const Report& report = fitted.report;
  ASSERT_EQ(report.baselines.size(), 2u);
  EXPECT_GT(report.model.binary.auroc.value, report.baselines[1].binary.auroc.value + 0.05);  // a line cannot say x²
  EXPECT_GT(report.baselines[1].binary.auroc.value, 0.6);
  EXPECT_TRUE(report.model.binary.no_intervals.empty());
  EXPECT_EQ(report.note, "used for selection");
  EXPECT_LT(static_cast<int>(model.validation_history().size()), 60);  // validation stopped it
  EXPECT_NE(fitted.task.threshold(), 0.5);
  EXPECT_EQ(fitted.train_rows.size(), 600u);
  EXPECT_EQ(fitted.validation_rows.size(), 300u);
  EXPECT_EQ(predict(model, fitted.task, validation), model.predict_probability(validation));
  // The baseline comes back with the steps that make its features.
  const Baselines again = baselines_from_json(to_json(fitted.baselines));
  const Report other = judge(fitted.task, predict(model, fitted.task, validation),
                             baseline_rows(again, fitted.task, validation), again, {.resamples = 0});
  EXPECT_EQ(other.baselines[1].binary.log_loss.value, report.baselines[1].binary.log_loss.value);
  for (const int threads : {1, 2}) {
    set_num_threads(threads);
    trees::GradientBoosting twin = boosting(trees::Objective::binary);
    const Fitted same = fit_estimator(
        twin, binary({.target = "answer", .positive = "Yes", .threshold = metrics::parse_threshold_rule("f1")}),
        training, validation, {.bootstrap = 50});
    EXPECT_EQ(to_json(same.report), to_json(report));
  }
  set_num_threads(0);
}

TEST(FitEstimator, ThePositiveClassIsTheTasks) {
  const data::Table training = table(300, 1).drop({"value", "colour"});
  trees::GradientBoosting model = boosting(trees::Objective::binary);
  const Fitted fitted =
      fit_estimator(model, binary({.target = "answer", .positive = "No"}), training, training, {.bootstrap = 0});
  const std::vector<double> yes = model.predict_probability(training), no = predict(model, fitted.task, training);
  for (std::size_t i = 0; i < yes.size(); ++i) EXPECT_EQ(no[i], 1 - yes[i]);
}

TEST(FitEstimator, BalancesClassesByWeights) {
  const data::Table training = table(600, 3).drop({"value", "colour"}),
                    validation = table(300, 4).drop({"value", "colour"});
  const auto mean = [&](bool balanced) {
    trees::GradientBoosting model = boosting(trees::Objective::binary);
    const Fitted fitted =
        fit_estimator(model, binary({.target = "answer", .positive = "Yes", .balanced_weights = balanced}), training,
                      validation, {.bootstrap = 0});
    double sum = 0;
    for (const double p : predict(model, fitted.task, validation)) sum += p;
    return sum / 300;
  };
  EXPECT_NEAR(mean(true), 0.5, 0.06);
  EXPECT_GT(std::abs(mean(true) - mean(false)), 0.01);
}

// Whole weights are rows that stand there so often, beside those of classes too; the report counts each once.
TEST(FitEstimator, WeighsRows) {
  data::Table training = table(300, 5).drop({"value", "colour", "blank", "word"}), validation = training.slice(0, 0);
  training = training.filter([&](std::int64_t row) { return !std::isnan(training["x"].numeric(row)); });
  validation = training;
  std::vector<double> weights;
  std::vector<std::int64_t> repeated;
  for (std::int64_t row = 0; row < training.rows(); ++row) {
    weights.push_back(static_cast<double>(row % 3));
    for (std::int64_t i = 0; i < row % 3; ++i) repeated.push_back(row);
  }
  const Task task = binary({.target = "answer", .positive = "Yes"});
  const models::LogisticOptions exact{.max_iterations = 1000, .tolerance = 1e-9};
  models::LogisticRegression weighted(exact), plain(exact), all(exact);
  const Fitted fitted = fit_estimator(weighted, task, training, validation, {.bootstrap = 0, .weights = weights});
  fit_estimator(plain, task, training.take(repeated), validation, {.bootstrap = 0});
  const Fitted even = fit_estimator(all, task, training, validation, {.bootstrap = 0});
  EXPECT_NEAR(weighted.coefficients()[0], plain.coefficients()[0], 1e-6);
  EXPECT_GT(std::abs(weighted.coefficients()[0] - all.coefficients()[0]), 1e-4);
  EXPECT_EQ(fitted.report.baselines[0].binary.log_loss.value, even.report.baselines[0].binary.log_loss.value);

  // Beside the weights of classes, and where rows of validation stop the fit.
  std::vector<double> twice(weights.size(), 2.0);
  const Task balanced = binary({.target = "answer", .positive = "Yes", .balanced_weights = true});
  trees::GradientBoosting one = boosting(trees::Objective::binary), other = boosting(trees::Objective::binary),
                          third = boosting(trees::Objective::binary);
  fit_estimator(one, balanced, training, validation, {.bootstrap = 0});
  fit_estimator(other, balanced, training, validation, {.bootstrap = 0, .weights = weights});
  fit_estimator(third, task, training, validation, {.bootstrap = 0, .weights = weights});
  EXPECT_NE(one.predict_probability(training), other.predict_probability(training));
  EXPECT_NE(third.predict_probability(training), other.predict_probability(training));

  EXPECT_THROW(fit_estimator(weighted, task, training, validation, {.weights = {1, 2}}), ShapeError);
  twice[3] = -1;
  EXPECT_THROW(fit_estimator(weighted, task, training, validation, {.weights = twice}), ValueError);
  twice.assign(twice.size(), 0);
  EXPECT_THROW(fit_estimator(weighted, task, training, validation, {.weights = twice}), ValueError);
}

TEST(FitEstimator, SeveralClassesAndValues) {
  const data::Table classes = table(400, 5).drop({"value", "answer"});
  trees::GradientBoosting model = boosting(trees::Objective::multiclass);
  const Fitted fitted = fit_estimator(model, multiclass({.target = "colour", .classes = {"top", "low", "middle"}}),
                                      classes, classes, {.bootstrap = 0});
  const std::vector<double> own = model.predict_probability(classes), told = predict(model, fitted.task, classes);
  ASSERT_EQ(own.size(), told.size());
  for (std::size_t row = 0; row < 400; ++row) {  // low, middle, top as top, low, middle
    EXPECT_EQ(told[3 * row], own[3 * row + 2]);
    EXPECT_EQ(told[3 * row + 1], own[3 * row]);
    EXPECT_EQ(told[3 * row + 2], own[3 * row + 1]);
  }
  EXPECT_EQ(fitted.report.baselines.size(), 1u);

  // Two of the task's classes among the rows.
  trees::GradientBoosting two = boosting(trees::Objective::multiclass);
  const data::Table few = classes.filter([&](std::int64_t row) { return classes["colour"].text(row) != "middle"; });
  const Fitted of_two = fit_estimator(two, multiclass({.target = "colour", .classes = {"low", "middle", "top"}}), few,
                                      few, {.bootstrap = 0});
  const std::vector<double> three = predict(two, of_two.task, few);
  ASSERT_EQ(three.size(), static_cast<std::size_t>(few.rows()) * 3);
  EXPECT_EQ(three[1], 0);
  EXPECT_NEAR(three[0] + three[2], 1, 1e-12);

  const data::Table values = table(400, 6).drop({"answer", "colour"});
  trees::GradientBoosting boosted = boosting(trees::Objective::squared);
  const Fitted regressed = fit_estimator(boosted, regression({.target = "value"}), values, values, {.bootstrap = 0});
  EXPECT_EQ(predict(boosted, regressed.task, values), boosted.predict(values));
  EXPECT_LT(regressed.report.model.figures[0].second, 0.5 * regressed.report.baselines[0].figures[0].second);
}

TEST(FitEstimator, TakesOneThatMakesNoUseOfValidation) {
  data::Table rows = table(200, 7).drop({"answer", "colour", "blank", "word"});
  rows = rows.filter([&](std::int64_t row) { return !std::isnan(rows["x"].numeric(row)); });
  models::Ridge ridge;
  const Fitted fitted = fit_estimator(ridge, regression({.target = "value"}), rows, rows, {.bootstrap = 0});
  EXPECT_EQ(predict(ridge, fitted.task, rows), ridge.predict(rows));
}

TEST(FitEstimator, RefusesWhatDoesNotFit) {
  const data::Table rows = table(100, 8).drop({"value", "colour"});
  trees::GradientBoosting values = boosting(trees::Objective::squared), classes = boosting(trees::Objective::binary);
  const Task task = binary({.target = "answer", .positive = "Yes"});
  EXPECT_THROW(fit_estimator(values, task, rows, rows), ValueError);
  EXPECT_THROW(fit_estimator(classes, regression({.target = "answer"}), rows, rows), ValueError);
  EXPECT_THROW(fit_estimator(classes, task, rows.slice(0, 0), rows), ValueError);
  EXPECT_THROW(fit_estimator(classes, task, rows, rows.slice(0, 0)), ValueError);
  EXPECT_THROW(fit_estimator(classes, task, rows, rows, {.groups = {1, 2}}), ValueError);
  EXPECT_THROW(fit_estimator(classes, task, rows, rows.drop({"word"})), DataError);
  EXPECT_THROW(fit_estimator(classes, binary({.target = "nothing"}), rows, rows), DataError);
}

}  // namespace
}  // namespace tern::train
