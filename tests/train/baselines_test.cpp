#include "tern/train/baselines.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "fixtures.h"
#include "tern/base/error.h"
#include "tern/train/trainer.h"

namespace tern::train {
namespace {

Task fitted_task(const std::string& rule, const data::Dataset& training) {
  Task task = binary({.target = "y", .threshold = metrics::parse_threshold_rule(rule)});
  task.fit(training.target());
  return task;
}

TEST(Baselines, EachDecidesAtItsOwnThreshold) {
  const data::Dataset training = two_classes(600, 1), validation = two_classes(400, 2), test = two_classes(400, 3);
  for (const char* rule : {"f1", "recall>=0.9", "cost:5,1", "0.3"}) {
    SCOPED_TRACE(rule);
    Task task = fitted_task(rule, training);
    Baselines baselines = fit_baselines(task, training);
    choose_thresholds(baselines, task, validation);
    const auto scores = baselines.logistic.predict(validation.features());
    const auto labels = task.labels(validation.target());
    EXPECT_EQ(baselines.logistic_threshold, metrics::choose_threshold(task.threshold_rule(), scores, labels));
    const std::vector<double> same(labels.size(), baselines.prior[1]);
    EXPECT_EQ(baselines.prior_threshold, metrics::choose_threshold(task.threshold_rule(), same, labels));

    task.set_threshold(0.99);  // a model far off decides nothing for the others
    const std::vector<double> predictions(static_cast<std::size_t>(test.rows()), 0.5);
    const Baselines kept = baselines_from_json(to_json(baselines));
    const Report report = judge(task, predictions, test, kept, {.resamples = 0});
    EXPECT_EQ(report.model.binary.at_threshold.threshold, 0.99);
    EXPECT_EQ(report.baselines[0].binary.at_threshold.threshold, baselines.prior_threshold);
    EXPECT_EQ(report.baselines[1].binary.at_threshold.threshold, baselines.logistic_threshold);
    EXPECT_NE(to_string(report).find("each predictor's own"), std::string::npos) << to_string(report);
  }
}

TEST(Baselines, TheLogisticRegressionIsBalancedWithTheTask) {
  const data::Dataset training = two_classes(600, 1);
  for (const bool balanced : {false, true}) {
    Task task = binary({.target = "y", .balanced_weights = balanced});
    task.fit(training.target());
    const Baselines baselines = fit_baselines(task, training);
    const std::vector<double> p = baselines.logistic.predict(training.features());
    const std::vector<std::uint8_t> labels = task.labels(training.target());
    double sums[2] = {}, rows[2] = {};
    for (std::size_t i = 0; i < p.size(); ++i) {
      sums[labels[i]] += p[i];
      rows[labels[i]] += 1;
    }
    // At the optimum the intercept gives the mean of the rows, weighted as they are.
    const double weighted = (sums[0] / rows[0] + sums[1] / rows[1]) / 2, plain = (sums[0] + sums[1]) / 600;
    EXPECT_NEAR(balanced ? weighted : plain, balanced ? 0.5 : rows[1] / 600, 1e-6);
    EXPECT_GT(std::abs(balanced ? plain - rows[1] / 600 : weighted - 0.5), 0.01);
    EXPECT_NEAR(baselines.prior[1], rows[1] / 600, 1e-12);  // the prior is the rows' share all the same
  }
}

TEST(Baselines, WithoutAChoiceTakeTheModelsThreshold) {
  const data::Dataset training = two_classes(300, 1);
  Task task = fitted_task("f1", training);
  task.set_threshold(0.4);
  const Baselines baselines = baselines_from_json(to_json(fit_baselines(task, training)));
  const std::vector<double> predictions(300, 0.5);
  const Report report = judge(task, predictions, training, baselines, {.resamples = 0});
  EXPECT_EQ(report.baselines[1].binary.at_threshold.threshold, 0.4);
  EXPECT_EQ(to_string(report).find("each predictor's own"), std::string::npos);
  EXPECT_THROW(baselines_from_json(R"({"format":1,"prior":[0.5,0.5],"prior_threshold":"x"})"), FormatError);
}

TEST(Baselines, TheTrainerChoosesTheirThresholds) {
  nn::Linear model(5, 1);
  const Fitted fitted =
      fit_logistic_model(model, binary({.target = "y", .threshold = metrics::parse_threshold_rule("f1")}),
                         two_classes(600, 1), two_classes(400, 2), {.bootstrap = 0});
  EXPECT_NEAR(fitted.baselines.logistic_threshold, fitted.task.threshold(), 1e-6);
  EXPECT_EQ(fitted.baselines.prior_threshold, fitted.baselines.prior[1]);  // positive for everybody
  EXPECT_GT(fitted.report_seconds, 0);
  EXPECT_LE(fitted.report_seconds, fitted.seconds);
}

TEST(FewRows, AreSaid) {
  EXPECT_EQ(few_rows({.rows = 100, .positives = 30}), "");
  EXPECT_EQ(few_rows({.rows = 1000, .positives = 970, .groups = 30}), "");
  EXPECT_EQ(few_rows({.rows = 99}), "only 99 rows: the figures are uncertain, and their intervals rough");
  for (const auto& [counts, words] : {std::pair(RowCounts{.rows = 1000, .positives = 29}, "29 positive rows"),
                                      std::pair(RowCounts{.rows = 1000, .positives = 971}, "29 negative rows"),
                                      std::pair(RowCounts{.rows = 1000, .positives = 500, .groups = 9}, "9 groups")}) {
    EXPECT_NE(few_rows(counts).find(words), std::string::npos);
  }
  EXPECT_EQ(few_rows({.rows = 1000, .positives = 10}),
            "only 10 positive rows: the figures are uncertain, and their intervals rough");
  const std::string none = few_rows({.rows = 1000, .positives = 1});
  EXPECT_EQ(none.find("only 1 positive row: too few to judge a model by"), 0u) << none;
  const std::vector<std::int64_t> groups{1, 1, 2, 2, 3};
  const RowCounts counts = count_rows(std::vector<std::uint8_t>{1, 0, 0, 0, 1}, groups);
  EXPECT_EQ((std::vector{counts.rows, counts.positives, counts.groups, counts.positive_groups, counts.negative_groups}),
            (std::vector<std::int64_t>{5, 2, 3, 2, 2}));
  EXPECT_NE(few_rows(counts).find("2 groups with a positive row"), std::string::npos) << few_rows(counts);
  const data::Dataset training = two_classes(300, 1), few = two_classes(60, 2);
  const Task task = fitted_task("f1", training);
  const Report report = judge(task, std::vector<double>(60, 0.5), few, fit_baselines(task, training), {.resamples = 0});
  EXPECT_NE(to_string(report).find("warning: only 60 rows"), std::string::npos);
  EXPECT_EQ(internal::parse_json(to_json(report), "report").at("warning"), report.warning);
}

TEST(Judge, NamesTheClassesAndTheRule) {
  const data::Dataset training = two_classes(300, 1), test = two_classes(200, 2);
  Task task = fitted_task("cost:5,1", training);
  const Baselines baselines = fit_baselines(task, training);
  const std::vector<double> nobody(200, 0.1);
  const Report report = judge(task, nobody, test, baselines, {.resamples = 20});
  const auto json = internal::parse_json(to_json(report), "report");
  EXPECT_EQ(json.at("target"), "y");
  EXPECT_EQ(json.at("positive_class"), "Yes");
  EXPECT_EQ(json.at("negative_class"), "No");
  EXPECT_EQ(json.at("threshold_rule"), "cost:5,1");
  const std::int64_t positives = report.model.binary.positives;
  EXPECT_EQ(json.at("cost").at("total"), 5 * positives);  // a model that says No to all
  EXPECT_EQ(json.at("cost").at("always_negative").at("total"), 5 * positives);
  for (const auto& [name, baseline] : json.at("baselines").items()) {
    const auto& c = baseline.at("at_threshold").at("confusion");
    EXPECT_EQ(baseline.at("cost").at("total").get<double>(),
              5 * c.at("false_negative").get<double>() + c.at("false_positive").get<double>())
        << name;
  }
  const std::string text = to_string(report);
  for (const std::string& words :
       {std::to_string(positives) + " positive (y \"Yes\")", std::string("cost per row"),
        "cost in all            " + std::to_string(5 * positives), std::string("5 a missed \"Yes\", 1 a false alarm"),
        std::string("always \"No\" would cost"), "decided negative       200, " + std::to_string(200 - positives)}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " in\n" << text;
  }
}

TEST(Judge, SaysThatAModelIsWorseThanThePrior) {
  const data::Dataset training = two_classes(300, 1), test = two_classes(300, 2);
  const Task task = fitted_task("f1", training);
  const Baselines baselines = fit_baselines(task, training);
  std::vector<double> good = baselines.logistic.predict(test.features()), sure = good;
  for (double& p : sure) p = p > 0.5 ? 1 - 1e-12 : 1e-12;  // the order of the good one, and no doubt
  EXPECT_EQ(judge(task, good, test, baselines, {.resamples = 50}).warning, "");
  EXPECT_EQ(judge(task, std::vector<double>(300, baselines.prior[1]), test, baselines, {.resamples = 50}).warning, "");
  const Report beaten = judge(task, sure, test, baselines, {.resamples = 50});
  EXPECT_NE(beaten.warning.find("above that of the prior"), std::string::npos) << beaten.warning;
  EXPECT_NE(beaten.warning.find("though it orders rows better"), std::string::npos) << beaten.warning;
  EXPECT_NE(to_string(beaten).find("  warning: the log loss of the model"), std::string::npos);
  for (double& p : good) p = 1 - p;
  EXPECT_NE(judge(task, good, test, baselines, {.resamples = 50}).warning.find("nothing shows that it orders"),
            std::string::npos);
}

TEST(Judge, GivesNoIntervalsOnAHandfulOfPositives) {
  const data::Dataset training = two_classes(300, 1), test = two_classes(24, 3);
  const Task task = fitted_task("f1", training);
  const Report report = judge(task, std::vector<double>(24, 0.9), test, fit_baselines(task, training));
  ASSERT_LT(report.model.binary.positives, 10);
  EXPECT_TRUE(std::isnan(report.model.binary.auroc.low));
  EXPECT_TRUE(std::isnan(report.baselines[1].binary.auroc.low));
  EXPECT_NE(report.warning.find("too few to judge"), std::string::npos) << report.warning;
  const std::string text = to_string(report);
  EXPECT_NE(text.find("  no intervals: "), std::string::npos) << text;
  EXPECT_EQ(text.find("% bootstrap"), std::string::npos) << text;
}

TEST(Judge, ResamplesWholeGroupsAndSaysSo) {
  const data::Dataset training = two_classes(300, 1), validation = two_classes(200, 2);
  std::vector<std::int64_t> groups;
  for (std::int64_t i = 0; i < 200; ++i) groups.push_back(i / 4);
  nn::Linear model(5, 1);
  const Fitted fitted =
      fit_logistic_model(model, binary({.target = "y"}), training, validation, {.bootstrap = 50, .groups = groups});
  EXPECT_EQ(fitted.report.model.binary.groups, 50);
  EXPECT_EQ(fitted.report.baselines[0].binary.groups, 50);
  EXPECT_NE(to_string(fitted.report).find("bootstrap of 50 whole groups"), std::string::npos);
  groups.pop_back();
  EXPECT_THROW(
      fit_logistic_model(model, binary({.target = "y"}), training, validation, {.bootstrap = 50, .groups = groups}),
      ShapeError);
}

}  // namespace
}  // namespace tern::train
