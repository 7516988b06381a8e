// What holds of every model of this room that learns a weight for each column, and of naive Bayes.
#include "tern/models/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/log.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/models/models.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using Made = std::unique_ptr<data::Estimator>;

// All of them, near their minimum.
std::vector<Made> every_model() {
  std::vector<Made> all;
  all.push_back(std::make_unique<Ridge>());
  all.push_back(std::make_unique<LinearRegression>());
  all.push_back(std::make_unique<ElasticNet>(ElasticNetOptions{.alpha = 0.01, .tolerance = 1e-12}));
  all.push_back(std::make_unique<Lasso>(LassoOptions{.alpha = 0.01, .tolerance = 1e-12}));
  all.push_back(std::make_unique<LogisticRegression>(LogisticOptions{.max_iterations = 1000, .tolerance = 1e-12}));
  all.push_back(std::make_unique<LogisticRegression>(
      LogisticOptions{.l1_ratio = 0.5, .max_iterations = 5000, .tolerance = 1e-10}));
  all.push_back(std::make_unique<LinearSvm>(LinearSvmOptions{.inverse_penalty = 0.1, .tolerance = 1e-9}));
  all.push_back(std::make_unique<PoissonRegression>(PoissonOptions{.alpha = 0.1, .tolerance = 1e-12}));
  all.push_back(std::make_unique<SgdClassifier>(SgdOptions{.alpha = 0.01, .max_iterations = 20}));
  all.push_back(std::make_unique<SgdRegressor>(SgdOptions{.max_iterations = 20}));
  all.push_back(std::make_unique<GaussianNaiveBayes>());
  all.push_back(std::make_unique<MultinomialNaiveBayes>());
  all.push_back(std::make_unique<BernoulliNaiveBayes>(CountingOptions{.threshold = 1}));
  return all;
}

bool by_steps(const data::Estimator& model) { return model.type().substr(0, 3) == "sgd"; }

// Rows of features >= 0 and a target of three classes, which is a number too.
struct Sample {
  std::vector<double> x, y;
  std::int64_t width;
  data::Matrix matrix() const { return {std::span<const double>(x), width}; }
};
Sample sample(std::int64_t rows, std::int64_t width, std::uint64_t seed = 3) {
  const Philox random(seed);
  Sample made{std::vector<double>(static_cast<std::size_t>(rows * width)), {}, width};
  for (std::size_t i = 0; i < made.x.size(); ++i) made.x[i] = 2 * random.uniform(i);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* of = made.x.data() + row * width;
    const double score = of[0] - of[1] + 0.5 * normal(Philox(seed, 1), static_cast<std::uint64_t>(row));
    made.y.push_back(score < -0.4 ? 0 : score < 0.4 ? 1 : 2);
  }
  return made;
}

void expect_same(const std::vector<double>& a, const std::vector<double>& b, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << what << i;
}

// Values, or probabilities where there are any, or scores.
std::vector<double> answers(const data::Estimator& model, const data::Matrix& x) {
  if (const auto* svm = dynamic_cast<const LinearSvm*>(&model)) return svm->scores(x);
  return model.classifies() ? model.predict_probability(x) : model.predict(x);
}

TEST(EveryModel, TakesAWeightOf2ForTwoRows) {
  const Sample once = sample(40, 3);
  Sample twice = once;
  std::vector<double> weights(40, 1);
  for (std::size_t row = 0; row < 40; row += 3) {
    weights[row] = 2;
    twice.x.insert(twice.x.end(), once.x.begin() + static_cast<std::ptrdiff_t>(row * 3),
                   once.x.begin() + static_cast<std::ptrdiff_t>(row * 3 + 3));
    twice.y.push_back(once.y[row]);
  }
  weights[1] = 0;  // and of 0 for none
  twice.x.erase(twice.x.begin() + 3, twice.x.begin() + 6);
  twice.y.erase(twice.y.begin() + 1);
  for (const Made& model : every_model()) {
    if (by_steps(*model)) continue;
    const Made other = model->clone();
    model->fit(once.matrix(), once.y, {.weights = weights});
    other->fit(twice.matrix(), twice.y);
    expect_same(answers(*model, once.matrix()), answers(*other, once.matrix()), 1e-5, std::string(model->type()));
  }
}

TEST(EveryModel, HasTheSameBitsOnAnyNumberOfThreads) {
  const Sample rows = sample(3000, 5);
  std::vector<float> floats(rows.x.begin(), rows.x.end());
  for (const Made& model : every_model()) {
    std::vector<std::vector<double>> found;
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      const Made one = model->clone();
      one->fit(data::Matrix(std::span<const float>(floats), 5), rows.y);
      found.push_back(answers(*one, rows.matrix()));
    }
    set_num_threads(0);
    EXPECT_EQ(found[0], found[1]) << model->type();
    EXPECT_EQ(found[0], found[2]) << model->type();
  }
}

TEST(EveryModel, AnswersARowAloneAsInATable) {
  const Sample rows = sample(700, 3);
  for (const Made& model : every_model()) {
    model->fit(rows.matrix(), rows.y);
    const std::vector<double> all = answers(*model, rows.matrix());
    const std::size_t each = all.size() / 700;
    for (const std::size_t row : {0, 650}) {
      const std::vector<double> alone =
          answers(*model, data::Matrix(std::span<const double>(rows.x).subspan(row * 3, 3), 3));
      EXPECT_EQ(alone, std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(row * each),
                                           all.begin() + static_cast<std::ptrdiff_t>((row + 1) * each)))
          << model->type();
    }
  }
}

template <class Model>
Made loaded(const std::string& path) {
  return std::make_unique<Model>(Model::load(path));
}

TEST(EveryModel, ComesBackFromItsFile) {
  const std::string path = temporary_path("model.tern");
  const Sample rows = sample(60, 3);
  register_estimators();
  for (const Made& model : every_model()) {
    EXPECT_THROW(model->save(path), StateError);
    EXPECT_THROW(model->predict(rows.matrix()), StateError);
    model->fit(rows.matrix(), rows.y);
    const data::EstimatorState state = model->state();
    const Made again = data::make_estimator(state);
    EXPECT_EQ(answers(*again, rows.matrix()), answers(*model, rows.matrix())) << model->type();
    EXPECT_EQ(again->state().json, state.json);
    EXPECT_EQ(again->classes(), model->classes());
    data::EstimatorState cut = state;
    cut.tensors.pop_back();
    EXPECT_THROW(data::make_estimator(cut), FormatError) << model->type();
    cut = state;
    cut.tensors.back().second = cut.tensors.back().second.slice(0, 0, 1);
    if (state.tensors.back().second.numel() > 1) {
      EXPECT_THROW(data::make_estimator(cut), FormatError) << model->type();
    }
    cut = state;
    cut.json = "{}";
    EXPECT_THROW(data::make_estimator(cut), FormatError) << model->type();
  }
  const std::map<std::string_view, Made (*)(const std::string&)> loads = {
      {"ridge", loaded<Ridge>},
      {"linear_regression", loaded<LinearRegression>},
      {"elastic_net", loaded<ElasticNet>},
      {"lasso", loaded<Lasso>},
      {"logistic_regression", loaded<LogisticRegression>},
      {"linear_svm", loaded<LinearSvm>},
      {"poisson_regression", loaded<PoissonRegression>},
      {"sgd_classifier", loaded<SgdClassifier>},
      {"sgd_regressor", loaded<SgdRegressor>},
      {"gaussian_naive_bayes", loaded<GaussianNaiveBayes>},
      {"multinomial_naive_bayes", loaded<MultinomialNaiveBayes>},
      {"bernoulli_naive_bayes", loaded<BernoulliNaiveBayes>}};
  for (const Made& model : every_model()) {
    model->fit(rows.matrix(), rows.y);
    model->save(path);
    const std::string_view type = model->type();
    EXPECT_EQ(answers(*loads.at(type)(path), rows.matrix()), answers(*model, rows.matrix())) << type;
    EXPECT_THROW(loads.at(type == "ridge" ? "lasso" : "ridge")(path), FormatError) << type;
  }
  Ridge ridge;
  ridge.fit(rows.matrix(), rows.y);
  ridge.save(path);
  const std::string bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(Ridge::load(path), FormatError);
  std::filesystem::remove(path);
}

TEST(EveryModel, BearsAConstantColumnAndAConstantTarget) {
  const Sample rows = sample(60, 3);
  Sample with{{}, rows.y, 4};
  for (std::size_t row = 0; row < 60; ++row) {
    with.x.insert(with.x.end(), rows.x.begin() + static_cast<std::ptrdiff_t>(row * 3),
                  rows.x.begin() + static_cast<std::ptrdiff_t>(row * 3 + 3));
    with.x.push_back(7.3);
  }
  for (const Made& model : every_model()) {
    const Made other = model->clone();
    model->fit(rows.matrix(), rows.y);
    other->fit(with.matrix(), rows.y);
    const auto* linear = dynamic_cast<const LinearModel*>(other.get());
    const bool free = linear && !by_steps(*model) && model->type() != "linear_svm";
    if (free) {  // nothing changes; where the intercept is penalised, or steps are made by rows, it does
      expect_same(answers(*other, with.matrix()), answers(*model, rows.matrix()), 1e-7, std::string(model->type()));
      EXPECT_NEAR(linear->coefficients()[3], 0, 1e-12) << model->type();
    }
    for (const double answer : answers(*other, with.matrix())) EXPECT_TRUE(std::isfinite(answer)) << model->type();
    const std::vector<double> same(60, 2);
    if (model->classifies()) {
      EXPECT_THROW(model->fit(rows.matrix(), same), ValueError) << model->type();
    } else if (!by_steps(*model)) {
      model->fit(rows.matrix(), same);
      expect_same(model->predict(rows.matrix()), same, 1e-6, std::string(model->type()));
    }
  }
}

TEST(EveryModel, RefusesWhatItCannotLearnFrom) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const Sample rows = sample(30, 3);
  for (const Made& model : every_model()) {
    model->fit(rows.matrix(), rows.y);
    const std::vector<double> before = answers(*model, rows.matrix());
    Sample bad = rows;
    for (std::size_t row = 0; row < 30; ++row) bad.x[row * 3 + 1] = nan;  // a column of missing values alone
    EXPECT_THROW(model->fit(bad.matrix(), bad.y), ValueError) << model->type();
    EXPECT_THROW(model->predict(bad.matrix()), ValueError) << model->type();
    bad = rows;
    bad.x[4] = infinity;
    EXPECT_THROW(model->fit(bad.matrix(), bad.y), ValueError) << model->type();
    bad = rows;
    bad.y[4] = nan;
    EXPECT_THROW(model->fit(bad.matrix(), bad.y), ValueError) << model->type();
    EXPECT_THROW(model->fit(data::Matrix(std::span<const double>(), 3), std::vector<double>{}), ValueError);
    EXPECT_THROW(model->fit(rows.matrix(), rows.y, {.weights = std::vector<double>(30, 0)}), ValueError);
    EXPECT_THROW(model->fit(rows.matrix(), rows.y, {.weights = std::vector<double>(30, -1)}), ValueError);
    EXPECT_THROW(model->predict(data::Matrix(std::span<const double>(rows.x), 2)), ShapeError);
    EXPECT_EQ(answers(*model, rows.matrix()), before) << model->type() << ": what was learned stays";
  }
}

TEST(Ridge, OfManyFloatsIsTheSolutionOfDoubles) {
  const Sample rows = sample(4000, 600);  // enough for products of f32
  const std::vector<float> floats(rows.x.begin(), rows.x.end());
  const std::vector<double> wide(floats.begin(), floats.end());
  std::vector<double> weights(4000, 1), large = rows.y;
  for (std::size_t row = 0; row < 4000; ++row) weights[row] = static_cast<double>(row % 3);
  for (double& y : large) y *= 1e60;
  for (const bool intercept : {true, false}) {
    Ridge model({.fit_intercept = intercept}), exact({.fit_intercept = intercept});
    for (const auto& of : {std::vector<double>(), weights}) {
      model.fit(data::Matrix(std::span<const float>(floats), 600), rows.y, {.weights = of});
      exact.fit(data::Matrix(std::span<const double>(wide), 600), rows.y, {.weights = of});
      expect_same(model.coefficients(), exact.coefficients(), intercept && of.empty() ? 2e-6 : 5e-6, "coefficient ");
      expect_same(model.intercepts(), exact.intercepts(), 1e-5, "intercept ");
    }
    model.fit(data::Matrix(std::span<const float>(floats), 600), large, {.weights = weights});
    for (std::size_t j = 0; j < 600; ++j) EXPECT_NEAR(model.coefficients()[j] / 1e60, exact.coefficients()[j], 5e-6);
  }
}

TEST(LinearRegression, OfColumnsThatRepeatTakesTheLeast) {
  LinearRegression model;
  model.fit(tensor<double>({1, 1, 2, 2, 3, 3}).reshape({3, 2}), tensor<double>({1, 2, 3}));
  expect_same(model.coefficients(), {0.5, 0.5}, 1e-12, "");
  EXPECT_NEAR(model.intercept(), 0, 1e-12);
  const Sample wide = sample(10, 30);  // more columns than rows: every target is met
  model.fit(wide.matrix(), wide.y);
  expect_same(model.predict(wide.matrix()), wide.y, 1e-9, "");
}

// What is left, times a column, is the penalty's slope, in the column's own units, and the first two weights are found.
void expect_least_squares(const Sample& rows, const Ridge& model, double alpha, double tolerance) {
  const auto d = static_cast<std::size_t>(rows.width);
  std::vector<double> left = rows.y;
  for (std::size_t i = 0; i < rows.x.size(); ++i) left[i / d] -= rows.x[i] * model.coefficients()[i % d];
  for (std::size_t j = 0; j < d; ++j) {
    double slope = -alpha * model.coefficients()[j], size = 0;
    for (std::size_t row = 0; row < left.size(); ++row) {
      slope += rows.x[row * d + j] * (left[row] - model.intercept());
      size += rows.x[row * d + j] * rows.x[row * d + j];
    }
    EXPECT_NEAR(slope / std::sqrt(size), 0, tolerance) << j;
  }
}

// A column in the smallest of units beside 29 others.
Sample of_other_units(std::uint64_t rows, double scale) {
  const Philox random(21);
  Sample made{{}, {}, 30};
  for (std::uint64_t row = 0; row < rows; ++row) {
    for (std::uint64_t j = 0; j < 30; ++j) made.x.push_back((j == 0 ? scale : 0.5) * normal(random, row * 31 + j));
    const double* of = made.x.data() + row * 30;
    made.y.push_back(of[0] / scale + 3 * of[1] + 0.01 * normal(random, row * 31 + 30));
  }
  return made;
}

TEST(Ridge, BearsColumnsOfAnyScale) {
  for (const double scale : {3e7, 1e10}) {
    const Sample rows = of_other_units(1000, scale);
    Ridge ridge({.alpha = 1});
    LinearRegression line;
    for (Ridge* model : {&ridge, static_cast<Ridge*>(&line)}) {
      model->fit(rows.matrix(), rows.y);
      EXPECT_NEAR(model->coefficients()[0] * scale, 1, 0.01) << scale;
      EXPECT_NEAR(model->coefficients()[1], model == &line ? 3 : 2.99, 0.01) << scale;
      expect_least_squares(rows, *model, model == &line ? 0 : 1, 1e-9);
    }
  }
  for (const std::uint64_t count : {40, 20}) {
    const Sample beyond = of_other_units(count, 1e200);
    EXPECT_THROW(Ridge().fit(beyond.matrix(), beyond.y), ValueError) << count;
  }
  const Sample wide = of_other_units(20, 1e5);
  Ridge model({.alpha = 1});
  model.fit(wide.matrix(), wide.y);
  expect_least_squares(wide, model, 1, 1e-4);
}

// Thirds of a tenth and what adds up to them: its values differ by rounding, of which nothing is learned.
TEST(LinearRegression, OfAColumnOfRoundingLearnsNothing) {
  Sample rows = sample(50, 2);
  rows.y.clear();
  for (std::size_t row = 0; row < 50; ++row) {
    rows.y.push_back(rows.x[2 * row]);
    rows.x[2 * row + 1] = row % 3 == 0 ? 0.1 + 0.2 : 0.3;
  }
  LinearRegression model;
  model.fit(rows.matrix(), rows.y);
  expect_same(model.coefficients(), {1, 0}, 1e-12, "");
}

// Of columns that repeat, in other units too, the least weights in the units they stand in.
TEST(LinearRegression, OfColumnsThatRepeatInOtherUnitsTakesTheLeast) {
  Sample rows = sample(50, 2);
  Sample with{{}, {}, 5};
  for (std::size_t row = 0; row < 50; ++row) {
    const double a = rows.x[2 * row], b = rows.x[2 * row + 1];
    with.x.insert(with.x.end(), {a, 1e6 * b, 2 * a, 7, b});
    with.y.push_back(5 * a - 2 * b);
  }
  LinearRegression model;
  model.fit(with.matrix(), with.y);
  const std::vector<double> expected = {1, -2e-6, 2, 0, -2e-12};
  for (std::size_t j = 0; j < 5; ++j) {
    EXPECT_NEAR(model.coefficients()[j], expected[j], 1e-9 * (std::abs(expected[j]) + 1e-3)) << j;
  }
  expect_same(model.predict(with.matrix()), with.y, 1e-9, "");
}

TEST(ElasticNet, OfMoreColumnsThanRowsStandsAtItsMinimum) {
  const Sample rows = sample(12, 30);
  ElasticNet model({.alpha = 0.05, .max_iterations = 10'000, .tolerance = 1e-10});
  model.fit(rows.matrix(), rows.y);
  EXPECT_LT(model.gap(), 1e-9);
  const std::vector<double> at = model.predict(rows.matrix());
  for (std::size_t j = 0; j < 30; ++j) {  // the slope of the loss is within the penalty's
    double slope = 0;
    for (std::size_t row = 0; row < 12; ++row) slope += rows.x[row * 30 + j] * (rows.y[row] - at[row]) / 12;
    slope -= 0.025 * model.coefficients()[j];
    EXPECT_LE(std::abs(slope), 0.025 + 1e-5);
    const double w = model.coefficients()[j];
    EXPECT_TRUE(w == 0 || std::abs(slope - std::copysign(0.025, w)) < 1e-5);
  }
}

TEST(LogisticRegression, BearsColumnsOfAnyScale) {
  Sample rows = sample(300, 3);
  for (double& y : rows.y) y = y > 0;
  LogisticRegression plain({.inverse_penalty = std::numeric_limits<double>::infinity(), .tolerance = 1e-9}),
      scaled = plain;
  plain.fit(rows.matrix(), rows.y);
  Sample other = rows;
  for (std::size_t i = 0; i < other.x.size(); i += 3) {
    other.x[i] = 1e6 * other.x[i] + 3e6;
    other.x[i + 1] *= 1e-4;
  }
  scaled.fit(other.matrix(), other.y);
  EXPECT_TRUE(scaled.converged() || scaled.iterations() < 100);
  expect_same(scaled.predict_probability(other.matrix()), plain.predict_probability(rows.matrix()), 1e-5, "");
}

// Rows of two columns, a target of counts and one of two classes by them.
struct Counted {
  std::vector<double> x, counts, classes;
};
Counted counted(std::int64_t rows) {
  const Philox random(11);
  Counted made;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::uint64_t>(5 * row);
    const double a = std::round(16 * normal(random, at)) / 16, b = std::round(16 * normal(random, at + 1)) / 16;
    made.x.insert(made.x.end(), {a, b});
    made.classes.push_back(a + 2 * b + normal(random, at + 2) > 0);
    made.counts.push_back(std::floor(std::exp(0.3 * a + 0.5 * b + Philox(11, 1).uniform(at))));
  }
  return made;
}

// Some columns, as doubles or floats, of which some are moved and scaled.
std::vector<double> answered(LinearModel& model, const std::vector<double>& x, std::int64_t width, bool floats,
                             const std::vector<double>& y) {
  const std::vector<float> narrow(x.begin(), x.end());
  const data::Matrix rows =
      floats ? data::Matrix(std::span<const float>(narrow), width) : data::Matrix(std::span<const double>(x), width);
  model.fit(rows, y);
  return answers(model, rows);
}

TEST(Glm, AConstantColumnHasWeight0) {
  const Counted rows = counted(700);
  for (const bool floats : {false, true}) {
    for (const double constant : {2024.0, 1e6, 1.7e9}) {
      std::vector<double> with;
      for (std::size_t i = 0; i < rows.x.size(); i += 2) with.insert(with.end(), {rows.x[i], rows.x[i + 1], constant});
      const auto check = [&](LinearModel& model, const std::vector<double>& y) {
        const std::vector<double> plain = answered(model, rows.x, 2, floats, y);
        expect_same(answered(model, with, 3, floats, y), plain, 1e-6, std::to_string(constant));
        EXPECT_EQ(model.coefficients()[2], 0) << model.type() << " " << constant;
      };
      for (const double c : {1.0, 1e4, 1e6}) {
        LogisticRegression model({.inverse_penalty = c, .max_iterations = 1000});
        check(model, rows.classes);
      }
      LogisticRegression sparse({.inverse_penalty = 100, .l1_ratio = 1, .max_iterations = 1000});
      check(sparse, rows.classes);
      PoissonRegression counts({.alpha = 1e-3});
      check(counts, rows.counts);
    }
  }
}

TEST(Glm, FloatsFarFrom0LearnWhatDoublesDo) {
  const Counted rows = counted(2000);
  for (const double mean : {1e3, 1e5, 1e6}) {
    std::vector<double> far;
    for (const double value : rows.x) far.push_back(value + mean);
    const auto check = [&](LinearModel& wide, LinearModel& narrow, const std::vector<double>& y) {
      answered(wide, far, 2, false, y);
      answered(narrow, far, 2, true, y);
      expect_same(narrow.coefficients(), wide.coefficients(), 1e-5, std::to_string(mean));
    };
    LogisticRegression wide({.max_iterations = 1000, .tolerance = 1e-7}), narrow = wide;
    check(wide, narrow, rows.classes);
    PoissonRegression counts({.alpha = 1e-3, .tolerance = 1e-7}), narrow_counts = counts;
    check(counts, narrow_counts, rows.counts);
  }
}

TEST(Glm, SmallUnitsEndNothingEarly) {
  const Counted rows = counted(700);
  for (const double unit : {1e-4, 1e-8}) {
    std::vector<double> small;
    for (const double value : rows.x) small.push_back(unit * value);
    const auto check = [&](LinearModel& model, const std::vector<double>& y) {
      const std::vector<double> plain = answered(model, rows.x, 2, false, y);
      expect_same(answered(model, small, 2, false, y), plain, 1e-3, std::to_string(unit));
    };
    LogisticRegression classes({.inverse_penalty = std::numeric_limits<double>::infinity()});
    check(classes, rows.classes);
    PoissonRegression counts({.alpha = 0});
    check(counts, rows.counts);
  }
}

TEST(LinearModels, RefuseColumnsWhoseSquaresOverflow) {
  const Counted rows = counted(400);
  std::vector<double> huge;
  for (const double value : rows.x) huge.push_back(1e155 * value);
  const data::Matrix x(huge, 2);
  EXPECT_THROW(LogisticRegression().fit(x, rows.classes), ValueError);
  EXPECT_THROW(LogisticRegression({.fit_intercept = false}).fit(x, rows.classes), ValueError);
  EXPECT_THROW(PoissonRegression().fit(x, rows.counts), ValueError);
  EXPECT_THROW(LinearSvm().fit(x, rows.classes), ValueError);
  EXPECT_THROW(Lasso().fit(x, rows.counts), ValueError);
  EXPECT_THROW(Ridge().fit(x, rows.counts), ValueError);
}

TEST(LinearModels, TheTargetIsNoColumnOfWeights) {
  const data::Table table{{"x", data::Column::from_f64({1, 2, 3})}, {"y", data::Column::from_f64({1, 2, 1})}};
  EXPECT_THROW(Ridge().fit(table, "y", {.weights = "y"}), ValueError);
  EXPECT_THROW(SgdRegressor().partial_fit(table, "y", {.weights = "y"}), ValueError);
}

TEST(LinearModels, ABooleanTakesNoOtherNumbers) {
  data::Table table{{"x", data::Column::from_booleans({false, true, true})}, {"y", data::Column::from_f64({1, 2, 2})}};
  Ridge model;
  model.fit(table, "y");
  const std::vector<double> before = model.predict(table);
  table.replace("x", data::Column::from_f64({0, 1, 1}));
  EXPECT_EQ(model.predict(table), before);
  table.replace("x", data::Column::from_i64({0, 50, 100}));
  EXPECT_EQ(message_of<DataError>([&] { model.predict(table); }),
            "[Ridge] row 1, column \"x\": expected boolean as in training, got 50");
}

TEST(PartialFit, IsToldTheClassesAtFirst) {
  const Sample rows = sample(30, 3);
  SgdClassifier model;
  EXPECT_THROW(model.partial_fit(rows.matrix(), rows.y), ValueError);
  const std::vector<double> zeros(30, 0), threes(30, 3);
  model.partial_fit(rows.matrix(), zeros, {.classes = 3});  // one class alone
  EXPECT_EQ(model.classes().size(), 3u);
  model.partial_fit(rows.matrix(), rows.y);
  EXPECT_THROW(model.partial_fit(rows.matrix(), threes), ValueError);
  EXPECT_THROW(model.partial_fit(rows.matrix(), rows.y, {.classes = 4}), ValueError);
  EXPECT_THROW(model.partial_fit(data::Matrix(std::span<const double>(rows.x).first(60), 2), rows.y), ShapeError);
  EXPECT_THROW(Ridge().partial_fit(rows.matrix(), rows.y), StateError);
  EXPECT_THROW(LinearSvm().predict_probability(rows.matrix()), StateError);
}

TEST(PartialFit, LearnsATableByItsNames) {
  data::Table table;
  table.add("a", data::Column::from_f64({1, 2, 3, 4}));
  table.add("b", data::Column::from_f64({1, 0, 1, 0}));
  table.add("word", data::Column::from_strings({"no", "no", "yes", "yes"}));
  GaussianNaiveBayes parts, whole;
  EXPECT_THROW(parts.partial_fit(table, "word"), ValueError);
  parts.partial_fit(table.head(3), "word", {.classes = {"no", "yes"}});
  parts.partial_fit(table.take(std::vector<std::int64_t>{3}), "word");
  whole.fit(table, "word");
  EXPECT_EQ(parts.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parts.classes(), whole.classes());
  expect_same(parts.predict_probability(table), whole.predict_probability(table), 1e-12, "");
  EXPECT_EQ(message_of<ValueError>([&] { parts.partial_fit(table, "b"); }),
            "[GaussianNaiveBayes] expected the target of the first partial_fit, \"word\", got \"b\"");
  EXPECT_EQ(message_of<ValueError>([&] {
              SgdClassifier().partial_fit(table, "word", {.classes = {"no", "yes", "no"}});
            }),
            "[SgdClassifier] expected classes with a name, and each once, got \"no\" again");
  EXPECT_THROW(SgdClassifier().partial_fit(table, "word", {.classes = {"no", ""}}), ValueError);
  EXPECT_NE(message_of<DataError>([&] {
              SgdClassifier().partial_fit(table, "word", {.classes = {"no", "maybe"}});
            }).find("expected one of 2 classes: \"no\", \"maybe\", got \"yes\""),
            std::string::npos);
  EXPECT_THROW(parts.partial_fit(table.drop({"a"}), "word"), DataError);
}

TEST(NaiveBayes, InPartsLearnsWhatItLearnsAtOnce) {
  const Sample rows = sample(900, 4);
  for (const Made& model : every_model()) {
    if (!dynamic_cast<const NaiveBayes*>(model.get())) continue;
    const Made parts = model->clone();
    model->fit(rows.matrix(), rows.y);
    for (std::size_t begin = 0; begin < 900; begin += 250) {
      const std::size_t count = std::min<std::size_t>(250, 900 - begin);
      parts->partial_fit(data::Matrix(std::span<const double>(rows.x).subspan(begin * 4, count * 4), 4),
                         std::span<const double>(rows.y).subspan(begin, count), {.classes = begin == 0 ? 3 : 0});
    }
    expect_same(answers(*parts, rows.matrix()), answers(*model, rows.matrix()), 1e-11, std::string(model->type()));
  }
  EXPECT_THROW(MultinomialNaiveBayes().fit(data::Matrix(std::vector<double>{1, -1}, 1), std::vector<double>{0, 1}),
               ValueError);
}

// No class is likelier than another where each is too far for a number: an error, not probabilities that are none.
TEST(NaiveBayes, GaussianRefusesRowsFartherThanNumbersReach) {
  GaussianNaiveBayes model;
  model.fit(data::Matrix(std::vector<double>{0, 1, 2, 5, 6, 7}, 1), std::vector<double>{0, 0, 0, 1, 1, 1});
  const std::vector<double> far = {3, 1e200}, near = {3, 1e100};
  EXPECT_THROW(model.predict_probability(data::Matrix(far, 1)), ValueError);
  EXPECT_THROW(model.predict(data::Matrix(far, 1)), ValueError);
  for (const double p : model.predict_probability(data::Matrix(near, 1))) EXPECT_TRUE(p >= 0 && p <= 1) << p;
  // One class too far by itself has probability 0.
  GaussianNaiveBayes narrow({.smoothing = 0});
  narrow.fit(data::Matrix(std::vector<double>{0, 0, 0, 5, 6, 7}, 1), std::vector<double>{0, 0, 0, 1, 1, 1});
  expect_same(narrow.predict_probability(data::Matrix(std::vector<double>{0, 1e10}, 1)), {0, 1}, 1e-12, "");
}

// The twin of PoissonRegression finds what it finds, from rows in parts too.
TEST(Sgd, OfCountsComesNearPoissonRegression) {
  const Sample rows = sample(2000, 3);
  const Philox random(21);
  std::vector<double> y;
  for (std::uint64_t row = 0; row < 2000; ++row) {
    const double mean = std::exp(0.5 + 0.4 * rows.x[3 * row] - 0.3 * rows.x[3 * row + 1]);
    double sum = -std::log(1 - random.uniform(50 * row)), count = 0;
    while (sum < mean && count < 49)
      sum -= std::log(1 - random.uniform(50 * row + static_cast<std::uint64_t>(++count)));
    y.push_back(count);
  }
  PoissonRegression exact({.alpha = 0});
  exact.fit(rows.matrix(), y);
  SgdRegressor model({.loss = SgdLoss::poisson, .alpha = 0, .max_iterations = 60, .tolerance = -1});
  model.fit(rows.matrix(), y);
  expect_same(model.coefficients(), exact.coefficients(), 0.03, "coefficient ");
  expect_same(model.intercepts(), exact.intercepts(), 0.03, "intercept ");
  const std::vector<double> means = model.predict(rows.matrix()), expected = exact.predict(rows.matrix());
  for (std::size_t row = 0; row < 2000; ++row) EXPECT_NEAR(means[row] / expected[row], 1, 0.15) << row;
  SgdRegressor parts({.loss = SgdLoss::poisson, .alpha = 0, .max_iterations = 1, .shuffle = false}), whole = parts;
  whole.fit(rows.matrix(), y);
  for (const std::size_t begin : {0, 1000}) {
    parts.partial_fit(data::Matrix(std::span<const double>(rows.x).subspan(3 * begin, 3000), 3),
                      std::span<const double>(y).subspan(begin, 1000));
  }
  EXPECT_EQ(parts.coefficients(), whole.coefficients());
  const std::vector<double> learned = parts.coefficients();
  y[7] = -1;
  EXPECT_THROW(model.fit(rows.matrix(), y), ValueError);
  EXPECT_THROW(parts.partial_fit(rows.matrix(), y), ValueError);
  EXPECT_EQ(parts.coefficients(), learned);
}

// Slopes at the start of a step would throw large counts off, or to a mean of 0 for good.
TEST(Sgd, OfLargeCountsComesNearThem) {
  for (const double size : {30.0, 1e3, 1e6}) {
    std::vector<double> x, y;
    for (int row = 0; row < 200; ++row) {
      x.push_back(row % 7);
      y.push_back(size * (1 + 0.1 * (row % 7)) + row % 5);
    }
    SgdRegressor model({.loss = SgdLoss::poisson});
    model.fit(data::Matrix(x, 1), y);
    const std::vector<double> means = model.predict(data::Matrix(x, 1));
    for (std::size_t row = 0; row < y.size(); ++row) ASSERT_NEAR(means[row] / y[row], 1, 0.3) << size << " " << row;
  }
}

TEST(Options, OutsideTheirValuesAreRefused) {
  EXPECT_THROW(Ridge({.alpha = -1}), ValueError);
  EXPECT_THROW(ElasticNet({.l1_ratio = 2}), ValueError);
  EXPECT_THROW(Lasso({.alpha = 0}), ValueError);
  EXPECT_THROW(LogisticRegression({.inverse_penalty = 0}), ValueError);
  EXPECT_THROW(LinearSvm({.max_iterations = 0}), ValueError);
  EXPECT_THROW(PoissonRegression({.tolerance = -1}), ValueError);
  EXPECT_THROW(SgdClassifier({.alpha = 0}), ValueError);
  EXPECT_THROW(SgdRegressor({.loss = SgdLoss::hinge}), ValueError);
  EXPECT_THROW(SgdClassifier({.loss = SgdLoss::poisson}), ValueError);
  EXPECT_THROW(MultinomialNaiveBayes({.alpha = 0}), ValueError);
  MultinomialNaiveBayes counts;  // whose sums of the second class overflow
  counts.fit(data::Matrix(std::vector<double>{1, 2, 2, 1, 1e308, 1, 1e308, 1}, 2), std::vector<double>{0, 0, 1, 1});
  EXPECT_THROW(counts.predict_probability(data::Matrix(std::vector<double>{1, 1}, 2)), ValueError);
  EXPECT_THROW(PoissonRegression().fit(tensor<double>({1, 2}).reshape({2, 1}), tensor<double>({-1, 1})), ValueError);
  const std::vector<double> x = {1, 2, 3}, y = {1, 2, 4};
  EXPECT_THROW(lasso_path(data::Matrix(x, 1), y, {.alphas = {-1}}), ValueError);
  EXPECT_THROW(SgdRegressor({.learning_rate = 1e300}).fit(data::Matrix(x, 1), y), NumericError);
}

// Steps along a column of millions are too long for the others: nothing is learned, and it is said.
TEST(Sgd, WarnsOfColumnsOfUnlikeScales) {
  std::vector<std::string> said;
  const LogSink before = set_log_sink([&said](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) said.emplace_back(text);
  });
  const Philox random(8);
  std::vector<double> x, scaled, y, length;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const double a = random.uniform(2 * i) - 0.5, b = random.uniform(2 * i + 1) - 0.5;
    x.insert(x.end(), {a, 1e6 * b});
    scaled.insert(scaled.end(), {a, b});
    y.push_back(a + 0.2 * b > 0);
    length.push_back(a + 0.2 * b);
  }
  for (const SgdLoss loss : {SgdLoss::hinge, SgdLoss::log_loss}) {
    SgdClassifier model({.loss = loss, .max_iterations = 20, .tolerance = -1});
    model.fit(data::Matrix(scaled, 2), y);
    EXPECT_TRUE(said.empty());
    model.fit(data::Matrix(x, 2), y);
    EXPECT_EQ(said.size(), 1u);
    said.clear();
  }
  SgdRegressor model({.max_iterations = 20, .tolerance = -1});
  model.fit(data::Matrix(scaled, 2), length);
  EXPECT_TRUE(said.empty());
  model.fit(data::Matrix(x, 2), length);
  EXPECT_EQ(said.size(), 1u);
  set_log_sink(before);
}

// Each that ends at its limit says so once; those that end before it say nothing.
TEST(Warnings, OfFitsThatDidNotConverge) {
  std::vector<std::string> said;
  const LogSink before = set_log_sink([&said](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) said.emplace_back(text);
  });
  const Philox random(21);
  std::vector<double> x, y, classes, counts;
  for (std::uint64_t i = 0; i < 200; ++i) {
    double sum = 0;
    for (std::uint64_t j = 0; j < 5; ++j) {
      x.push_back(random.uniform(5 * i + j) + (j > 0 ? 0.9 * x.back() : 0));
      sum += x.back() * (j % 2 == 0 ? static_cast<double>(j + 1) : -2);
    }
    y.push_back(sum);
    classes.push_back(std::floor(std::clamp((sum - 5) / 3, 0.0, 2.9)));
    counts.push_back(std::round(std::exp(0.2 * sum)));
  }
  const data::Matrix rows(x, 5);
  // What a model of so many iterations says.
  const auto says = [&](const std::string& start, const std::string& left, const auto& fit) {
    fit(1);
    EXPECT_EQ(said.size(), 1u) << start;
    const std::string wanted = "[" + start + "] expected to converge within 1 iterations, got " + left + " of ";
    for (const std::string& text : said) {
      EXPECT_EQ(text.substr(0, wanted.size()), wanted);
      EXPECT_TRUE(text.ends_with(": raise max_iterations")) << text;
    }
    said.clear();
    fit(100'000);
    EXPECT_TRUE(said.empty()) << said[0];
    said.clear();
  };
  says("LogisticRegression", "a gradient",
       [&](int most) { LogisticRegression({.max_iterations = most}).fit(rows, classes); });
  says("PoissonRegression", "a gradient",
       [&](int most) { PoissonRegression({.max_iterations = most}).fit(rows, counts); });
  says("LinearSvm", "projected gradients", [&](int most) {
    LinearSvm({.inverse_penalty = 0.1, .max_iterations = most, .tolerance = 1e-2}).fit(rows, classes);
  });
  says("ElasticNet", "a duality gap",
       [&](int most) { ElasticNet({.alpha = 0.01, .max_iterations = most}).fit(rows, y); });
  says("Lasso", "a duality gap", [&](int most) { Lasso({.alpha = 0.01, .max_iterations = most}).fit(rows, y); });
  says("lasso_path", "a duality gap", [&](int most) { lasso_path(rows, y, {.max_iterations = most}); });
  says("SgdClassifier", "a falling objective",
       [&](int most) { SgdClassifier({.alpha = 0.1, .max_iterations = most}).fit(rows, classes); });
  says("KMeans", "a squared movement of the centers",
       [&](int most) { KMeans({.clusters = 6, .max_iterations = most}).fit(rows); });
  says("KMeans", "a falling squared distance",
       [&](int most) { KMeans({.clusters = 6, .max_iterations = most, .batch_rows = 50}).fit(rows); });
  says("GaussianMixture", "a change of the mean log-likelihood",
       [&](int most) { GaussianMixture({.components = 3, .max_iterations = most}).fit(rows); });
  for (double& value : x) value = std::abs(value);
  says("Nmf", "a share of the first gradients",
       [&](int most) { Nmf({.components = 2, .max_iterations = most}).fit(rows); });

  // Where many are fitted, once.
  data::Table table{{"y", data::Column::from_f64(classes)}};
  for (std::size_t j = 0; j < 5; ++j) {
    std::vector<double> column;
    for (std::size_t i = j; i < x.size(); i += 5) column.push_back(x[i]);
    table.add("x" + std::to_string(j), data::Column::from_f64(column));
  }
  const LogisticRegression hasty({.max_iterations = 2});
  cross_validate(hasty, {}, table, "y", {.repeats = 2});
  EXPECT_EQ(said.size(), 1u);
  said.clear();
  Calibrated(hasty).fit(table, "y");
  EXPECT_EQ(said.size(), 1u);
  said.clear();
  grid_search(
      [](const Settings&) { return std::make_unique<LogisticRegression>(LogisticOptions{.max_iterations = 2}); },
      {{"any", {1, 2, 3}}}, {}, table, "y");
  EXPECT_EQ(said.size(), 1u);
  said.clear();
  for (int i = 0; i < 2; ++i) LogisticRegression({.max_iterations = 2}).fit(table, "y");
  EXPECT_EQ(said.size(), 2u);
  set_log_sink(before);
}

}  // namespace
}  // namespace tern::models
