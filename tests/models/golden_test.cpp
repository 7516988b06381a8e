// Against what scikit-learn learned; golden/make_golden.py wrote it.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tern/base/file.h"
#include "tern/models/models.h"

namespace tern::models {
namespace {

using nlohmann::json;

constexpr double kTight = 1e-13;  // of the gradient or the gap, so that both sides stand at the minimum
constexpr int kMany = 100'000;

std::vector<double> numbers(const json& list) { return list.get<std::vector<double>>(); }

template <class T>
void take(const json& options, const char* name, T& value) {
  if (options.contains(name)) value = options[name].get<T>();
}

std::unique_ptr<data::Estimator> make(const std::string& model, const json& options) {
  const auto is = [&](const char* name, const char* word) { return options.value(name, "") == word; };
  if (model == "linear_regression") return std::make_unique<LinearRegression>();
  if (model == "ridge") {
    RidgeOptions with;
    take(options, "alpha", with.alpha);
    take(options, "fit_intercept", with.fit_intercept);
    return std::make_unique<Ridge>(with);
  }
  if (model == "lasso") {
    return std::make_unique<Lasso>(
        LassoOptions{.alpha = options["alpha"], .max_iterations = kMany, .tolerance = kTight});
  }
  if (model == "elastic_net") {
    ElasticNetOptions with{.max_iterations = kMany, .tolerance = kTight};
    take(options, "alpha", with.alpha);
    take(options, "l1_ratio", with.l1_ratio);
    take(options, "fit_intercept", with.fit_intercept);
    return std::make_unique<ElasticNet>(with);
  }
  if (model == "logistic_regression") {
    LogisticOptions with{.max_iterations = kMany, .tolerance = kTight};
    take(options, "inverse_penalty", with.inverse_penalty);
    take(options, "l1_ratio", with.l1_ratio);
    return std::make_unique<LogisticRegression>(with);
  }
  if (model == "linear_svm") {
    LinearSvmOptions with{.max_iterations = kMany, .tolerance = 1e-10};
    take(options, "inverse_penalty", with.inverse_penalty);
    take(options, "fit_intercept", with.fit_intercept);
    with.loss = is("loss", "hinge") ? HingeLoss::hinge : HingeLoss::squared_hinge;
    return std::make_unique<LinearSvm>(with);
  }
  if (model == "poisson_regression") {
    return std::make_unique<PoissonRegression>(
        PoissonOptions{.alpha = options["alpha"], .max_iterations = kMany, .tolerance = kTight});
  }
  if (model == "gaussian_naive_bayes") {
    GaussianOptions with;
    take(options, "smoothing", with.smoothing);
    return std::make_unique<GaussianNaiveBayes>(with);
  }
  if (model == "multinomial_naive_bayes" || model == "bernoulli_naive_bayes") {
    CountingOptions with;
    take(options, "alpha", with.alpha);
    take(options, "fit_prior", with.fit_prior);
    take(options, "threshold", with.threshold);
    if (model == "multinomial_naive_bayes") return std::make_unique<MultinomialNaiveBayes>(with);
    return std::make_unique<BernoulliNaiveBayes>(with);
  }
  SgdOptions with{.shuffle = false};
  if (is("loss", "hinge")) with.loss = SgdLoss::hinge;
  if (is("loss", "squared_hinge")) with.loss = SgdLoss::squared_hinge;
  if (is("loss", "huber")) with.loss = SgdLoss::huber;
  if (is("schedule", "constant")) with.schedule = SgdSchedule::constant;
  take(options, "alpha", with.alpha);
  take(options, "l1_ratio", with.l1_ratio);
  take(options, "learning_rate", with.learning_rate);
  take(options, "max_iterations", with.max_iterations);
  take(options, "tolerance", with.tolerance);
  if (model == "sgd_classifier") return std::make_unique<SgdClassifier>(with);
  return std::make_unique<SgdRegressor>(with);
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected, double tolerance,
                 const std::string& what) {
  ASSERT_GE(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(got[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << what << " " << i;
  }
}

TEST(Golden, LearnsWhatScikitLearnLearns) {
  const json golden = json::parse(read_file(std::string(TERN_TEST_DATA) + "/linear.json"));
  const json& data = golden["data"];
  const auto rows = golden["rows"].get<std::size_t>();
  const std::vector<double> weight = numbers(data["weight"]);
  int cases = 0;
  for (const json& one : golden["cases"]) {
    const auto name = one["model"].get<std::string>();
    const std::string what = name + " " + one["options"].dump() + " " + one["target"].get<std::string>();
    const std::vector<double> x = numbers(data[one["rows"].get<std::string>()]);
    const std::vector<double> y = numbers(data[one["target"].get<std::string>()]);
    const auto width = static_cast<std::int64_t>(x.size() / rows);
    const std::unique_ptr<data::Estimator> model = make(name, one["options"]);
    ASSERT_EQ(model->type(), name);
    const auto part = one["partial"].get<std::size_t>();
    if (part == 0) {
      model->fit(data::Matrix(x, width), y, {.weights = one["weighted"] ? data::Vector(weight) : data::Vector()});
    }
    for (std::size_t begin = 0; part > 0 && begin < rows; begin += part) {
      const std::size_t end = std::min(rows, begin + part), columns = x.size() / rows;
      const data::Matrix some(std::span<const double>(x).subspan(begin * columns, (end - begin) * columns), width);
      const std::int64_t classes = one["target"] == "three" ? 3 : 2;
      model->partial_fit(some, std::span<const double>(y).subspan(begin, end - begin),
                         {.classes = model->classifies() ? classes : 0});
    }
    const double tolerance = one["tolerance"];
    if (one.contains("coefficients")) {
      const auto& linear = dynamic_cast<const LinearModel&>(*model);
      expect_near(linear.coefficients(), numbers(one["coefficients"]), tolerance, what + ": coefficient");
      expect_near(linear.intercepts(), numbers(one["intercepts"]), tolerance, what + ": intercept");
    }
    const data::Matrix all(x, width);
    if (one.contains("probabilities")) {
      expect_near(model->predict_probability(all), numbers(one["probabilities"]), tolerance, what + ": probability");
    } else {
      expect_near(model->predict(all), numbers(one["predictions"]), tolerance, what + ": prediction");
    }
    ++cases;
  }
  EXPECT_EQ(cases, 39);
}

TEST(Golden, WalksScikitLearnsPath) {
  const json golden = json::parse(read_file(std::string(TERN_TEST_DATA) + "/linear.json"));
  const std::vector<double> x = numbers(golden["data"]["x"]), y = numbers(golden["data"]["value"]);
  const LassoPath path = lasso_path(data::Matrix(x, 4), y, {.count = 8, .max_iterations = kMany, .tolerance = kTight});
  expect_near(path.alphas, numbers(golden["path"]["alphas"]), 1e-12, "alpha");
  expect_near(path.coefficients, numbers(golden["path"]["coefficients"]), 1e-6, "coefficient");
  EXPECT_EQ(path.intercepts.size(), 8u);
  for (const double gap : path.gaps) EXPECT_LT(gap, 1e-10);
}

}  // namespace
}  // namespace tern::models
