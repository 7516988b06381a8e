// Calibrated probabilities, votes and stacks against scikit-learn (golden/make_calibration.py).
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tern/models/calibrate.h"
#include "tern/models/combine.h"
#include "tern/models/glm.h"
#include "tern/models/linear.h"
#include "tern/models/naive_bayes.h"
#include "tern/models/svm.h"

namespace tern::models {
namespace {

const nlohmann::json& combine_golden() {
  static const nlohmann::json& read =
      *new nlohmann::json(nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/calibration.json")));
  return read;
}
std::vector<double> combine_numbers(const nlohmann::json& from, const char* what) {
  return from.at(what).get<std::vector<double>>();
}
void expect_of_scikit_learn(const std::vector<double>& found, const std::vector<double>& expected, double tolerance,
                            const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << what << " " << i;
}

TEST(ScikitLearn, CalibratedClassifierCV) {
  int cases = 0;
  for (const nlohmann::json& one : combine_golden().at("calibrated")) {
    const std::string method = one.at("method").get<std::string>();
    std::vector<std::int64_t> labels;
    for (const double label : combine_numbers(one, "labels")) labels.push_back(static_cast<std::int64_t>(label));
    const Calibrator calibrator(parse_calibration_method(method), combine_numbers(one, "probabilities"), labels,
                                one.at("classes").get<std::int64_t>(), combine_numbers(one, "weights"));
    // Its search for a temperature ends about 1e-8 from the root.
    expect_of_scikit_learn(calibrator.apply(combine_numbers(one, "asked")), combine_numbers(one, "calibrated"),
                           method == "temperature" ? 1e-7 : 1e-9, method + " " + std::to_string(cases));
    ++cases;
  }
  EXPECT_EQ(cases, 10);
}

TEST(ScikitLearn, VotingAndStacking) {
  const nlohmann::json& golden = combine_golden();
  const std::vector<double> values = combine_numbers(golden, "x"), weights = combine_numbers(golden, "weight"),
                            length = combine_numbers(golden, "value");
  const data::Matrix x(values, golden.at("width").get<std::int64_t>());
  const LogisticRegression logistic({.max_iterations = 10'000, .tolerance = 1e-10});
  const GaussianNaiveBayes bayes;
  Voting votes({&logistic, &bayes}, {.weights = {3, 1}});
  votes.fit(x, combine_numbers(golden, "class"));
  expect_of_scikit_learn(votes.predict_probability(x), combine_numbers(golden, "voting_classes"), 1e-6, "classes");
  // Of two columns that the classes overlap in, where members disagree.
  const std::vector<double> overlapping = combine_numbers(golden, "overlapping"),
                            kinds = combine_numbers(golden, "overlapping_class");
  const data::Matrix two_columns(overlapping, 2);
  const LinearSvm svm({.max_iterations = 100'000, .tolerance = 1e-6});
  Voting ties({&logistic, &bayes}, {.vote = Vote::hard}),
      heads({&logistic, &bayes, &svm}, {.weights = {2, 1, 1.5}, .vote = Vote::hard});
  ties.fit(two_columns, kinds);
  EXPECT_EQ(ties.predict(two_columns), combine_numbers(golden, "hard_two"));
  heads.fit(two_columns, kinds);
  EXPECT_EQ(heads.predict(two_columns), combine_numbers(golden, "hard_three"));
  const LinearRegression line;
  const Ridge flat({.alpha = 10});
  Voting means({&line, &flat});
  means.fit(x, length, {.weights = weights});
  expect_of_scikit_learn(means.predict(x), combine_numbers(golden, "voting_values"), 1e-10, "values");
  // A row a fold, so that it does not matter how they are dealt.
  Stacking stack({&line, &flat}, Ridge({.alpha = 0.5}), {.folds = static_cast<int>(x.rows())});
  stack.fit(x, length);
  expect_of_scikit_learn(stack.predict(x), combine_numbers(golden, "stacking"), 1e-10, "stack");
}

// A row a fold here too.
TEST(ScikitLearn, CrossFittedAndStacksOfClasses) {
  const nlohmann::json& golden = combine_golden();
  const std::vector<double> values = combine_numbers(golden, "x"), three = combine_numbers(golden, "class"),
                            few = combine_numbers(golden, "few"), two = combine_numbers(golden, "few_class");
  const data::Matrix x(values, golden.at("width").get<std::int64_t>()), of_two(few, 2);
  const auto each = [](const data::Matrix& rows) { return static_cast<int>(rows.rows()); };
  Calibrated margins(LinearSvm({.max_iterations = 100'000, .tolerance = 1e-6}), {.folds = each(of_two)});
  margins.fit(of_two, two);
  expect_of_scikit_learn(margins.predict_probability(of_two), combine_numbers(golden, "crossed_platt"), 1e-5, "platt");
  Calibrated steps(GaussianNaiveBayes(), {.method = CalibrationMethod::isotonic, .folds = each(x)});
  steps.fit(x, three);
  expect_of_scikit_learn(steps.predict_probability(x), combine_numbers(golden, "crossed_isotonic"), 1e-9, "isotonic");
  const LogisticRegression logistic({.max_iterations = 10'000, .tolerance = 1e-10}),
      last({.inverse_penalty = 0.5, .max_iterations = 10'000, .tolerance = 1e-10});
  const GaussianNaiveBayes bayes;
  Stacking stack({&logistic, &bayes}, last, {.folds = each(of_two)});
  stack.fit(of_two, two);
  expect_of_scikit_learn(stack.predict_probability(of_two), combine_numbers(golden, "stack_two"), 1e-6, "two");
  Stacking of_three({&logistic, &bayes}, last, {.folds = each(x)});
  of_three.fit(x, three);
  expect_of_scikit_learn(of_three.predict_probability(x), combine_numbers(golden, "stack_three"), 1e-6, "three");
}

}  // namespace
}  // namespace tern::models
