#include "tern/models/calibrate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>

#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/random.h"
#include "tern/metrics/binary.h"
#include "tern/models/models.h"
#include "tern/trees/trees.h"

namespace tern::models {
namespace {

TEST(Calibrator, OfATemperatureIsThePowerOfProbabilities) {
  const std::vector<double> three = {.7, .2, .1, .6, .3, .1, .2, .5, .3, .1, .1, .8, .3, .6, .1};
  const Calibrator scaled(CalibrationMethod::temperature, three, std::vector<std::int64_t>{0, 1, 1, 2, 0}, 3);
  EXPECT_NE(scaled.temperature(), 1);
  const double power = 1 / scaled.temperature();
  const double sum = std::pow(.7, power) + std::pow(.2, power) + std::pow(.1, power);
  EXPECT_NEAR(scaled.apply(three)[0], std::pow(.7, power) / sum, 1e-12);
}

TEST(Calibrator, RepairsProbabilitiesThatAreTooSure) {
  const Philox random(2);
  std::vector<double> truth, sure;
  std::vector<std::int64_t> labels;
  std::vector<std::uint8_t> classes;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const double logit = 4 * (random.uniform(2 * i) - 0.5);
    truth.push_back(1 / (1 + std::exp(-logit)));
    sure.push_back(1 / (1 + std::exp(-3 * logit)));
    labels.push_back(random.uniform(2 * i + 1) < truth.back());
    classes.push_back(labels.back() == 1);
  }
  const double best = metrics::log_loss(truth, classes);
  EXPECT_GT(metrics::log_loss(sure, classes), best + 0.1);
  for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic, CalibrationMethod::temperature}) {
    const Calibrator calibrator(method, sure, labels, 2);
    EXPECT_LT(metrics::log_loss(calibrator.apply(sure), classes), best + 0.005) << to_string(method);
    const Calibrator read = Calibrator::from_json(calibrator.to_json());
    EXPECT_EQ(read.apply(sure), calibrator.apply(sure));
    EXPECT_EQ(parse_calibration_method(to_string(method)), method);
  }
  EXPECT_NEAR(Calibrator(CalibrationMethod::temperature, sure, labels, 2).temperature(), 3, 0.3);
}

// However sure: a fifth of the rows is wrong, and that is what comes out.
TEST(Calibrator, PlattFindsTheShareOfWrongRowsAtAnyMargin) {
  const Philox random(6);
  std::vector<std::uint8_t> classes;
  std::vector<std::int64_t> labels;
  std::vector<double> at;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    at.push_back(2 * random.uniform(i) - 1);
    classes.push_back((at.back() > 0) == (i % 5 > 0));
    labels.push_back(classes.back());
  }
  const auto ones = static_cast<double>(std::count(labels.begin(), labels.end(), 1)), zeros = 1000 - ones;
  const double constant = metrics::log_loss(std::vector<double>(1000, ones / 1000), classes);
  for (const double margin : {1e-6, 1.0, 5.0, 25.0, 28.0, 30.0, 33.0, 36.0, 40.0, 100.0, 1000.0}) {
    std::vector<double> apart, spread;
    for (const double x : at) {
      apart.push_back(1 / (1 + std::exp(x > 0 ? -margin : margin)));
      spread.push_back(1 / (1 + std::exp(-margin * x)));
    }
    const std::vector<double> p = Calibrator(CalibrationMethod::platt, apart, labels, 2).apply(apart);
    const double high = (ones + 1) / (ones + 2), low = 1 / (zeros + 2);
    for (const bool above : {true, false}) {  // with two places the line goes through the means of Platt's targets
      double mean = 0, rows = 0;
      for (std::size_t i = 0; i < at.size(); ++i) {
        if ((at[i] > 0) != above) continue;
        mean += classes[i] ? high : low;
        ++rows;
      }
      for (std::size_t i = 0; i < at.size(); ++i) {
        if ((at[i] > 0) != above) continue;
        ASSERT_NEAR(p[i], mean / rows, 1e-8) << margin;
      }
    }
    const Calibrator of_spread(CalibrationMethod::platt, spread, labels, 2);
    EXPECT_LT(metrics::log_loss(of_spread.apply(spread), classes), constant - 0.1) << margin;
  }
  // Nothing to go by: the share of the second class.
  const std::vector<double> same(1000, 1.0), half(1000, 0.5);
  for (const auto& flat : {same, half}) {
    EXPECT_NEAR(Calibrator(CalibrationMethod::platt, flat, labels, 2).apply(flat)[0], ones / 1000, 2e-3);
  }
}

TEST(Calibrator, PlattTakesWeightsOfAnySize) {
  std::vector<double> p;
  std::vector<std::int64_t> y;
  for (int row = 0; row < 100; ++row) {
    p.push_back((row + 0.5) / 100);
    y.push_back(row * 7 % 100 < row);
  }
  const std::vector<double> ask{.01, .5, .99}, heavy(100, 1e200), heavier(100, 1e203);
  const std::vector<double> a = Calibrator(CalibrationMethod::platt, p, y, 2, heavy).apply(ask);
  const std::vector<double> b = Calibrator(CalibrationMethod::platt, p, y, 2, heavier).apply(ask);
  EXPECT_LT(a[0], a[2] - 0.2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(a[i], b[i], 1e-9);
}

TEST(Calibrator, SaysWhatItNeeds) {
  const auto make = [](std::vector<double> p, std::vector<std::int64_t> y, std::int64_t classes) {
    return Calibrator(CalibrationMethod::platt, p, y, classes);
  };
  EXPECT_THROW(make({}, {}, 2), ValueError);
  EXPECT_THROW(make({.5, .5}, {1, 1}, 2), ValueError);
  EXPECT_THROW(make({.5, 1.5}, {0, 1}, 2), ValueError);
  EXPECT_THROW(make({.5, .5}, {0, 2}, 2), ValueError);
  EXPECT_THROW(make({.5}, {0, 1}, 2), ShapeError);
  const std::vector<double> p = {.2, .8}, zeros = {0, 0}, one = {1};
  const std::vector<std::int64_t> labels = {0, 1};
  EXPECT_THROW(Calibrator(CalibrationMethod::isotonic, p, labels, 2, zeros), ValueError);
  EXPECT_THROW(Calibrator(CalibrationMethod::isotonic, p, labels, 2, one), ShapeError);
  const std::vector<double> second = {0, 1};
  EXPECT_THROW(Calibrator(CalibrationMethod::isotonic, p, labels, 2, second), ValueError) << "one class has weight";
  EXPECT_THROW(parse_calibration_method("cox"), ValueError);
  EXPECT_THROW(Calibrator::from_json("{}"), FormatError);
  for (const double p : make({1, 0, 1, 0}, {1, 0, 1, 0}, 2).apply(std::vector<double>{0, 1})) {
    EXPECT_TRUE(p > 0 && p < 1) << "perfect scores stay finite";
  }
  for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic, CalibrationMethod::temperature}) {
    const Calibrator two(method, p, labels, 2);
    EXPECT_THROW(two.apply(std::vector<double>{std::nan("")}), ValueError);
    EXPECT_THROW(two.apply(std::vector<double>{0.5, 1.5}), ValueError);
  }
}

// Two or three classes told by a number and a word.
data::Table classes(std::int64_t n, int count, std::uint64_t seed = 1) {
  const Philox random(seed);
  std::vector<double> x;
  std::vector<std::string> word, target;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::uint64_t>(3 * i);
    x.push_back(random.uniform(at));
    word.push_back(random.uniform(at + 1) < 0.5 ? "north" : "south");
    const double score = x.back() + (word.back() == "north" ? 0.4 : 0) + 0.5 * (random.uniform(at + 2) - 0.5);
    target.push_back(score < 0.6 ? "a" : score < 0.9 || count == 2 ? "b" : "c");
  }
  return {{"x", data::Column::from_f64(x)},
          {"word", data::Column::from_strings(word)},
          {"class", data::Column::from_strings(target)}};
}

trees::GradientBoosting boosted(trees::Objective objective = trees::Objective::binary) {
  return trees::GradientBoosting({.objective = objective, .rounds = 40, .learning_rate = 0.3, .min_child_rows = 2});
}

std::vector<std::uint8_t> is_b(const data::Table& table) {
  std::vector<std::uint8_t> out;
  for (std::int64_t i = 0; i < table.rows(); ++i) out.push_back(table["class"].text(i) == "b");
  return out;
}

TEST(Calibrated, TreesThatAreTooSureBecomeHonest) {
  trees::register_estimators();
  const data::Table train = classes(600, 2), test = classes(600, 2, 7);
  trees::GradientBoosting plain = boosted();
  plain.fit(train, "class");
  const double before = metrics::log_loss(plain.predict_probability(test), is_b(test));
  for (const int folds : {5, 0}) {
    Calibrated model(boosted(), {.folds = folds, .holdout = 0.3});
    EXPECT_THROW(model.predict(test), StateError);
    model.fit(train, "class");
    EXPECT_EQ(model.classes(), (std::vector<std::string>{"a", "b"}));
    const auto p = model.predict_probability(test);
    EXPECT_LT(metrics::log_loss(p, is_b(test)), before) << folds;
    const auto decided = model.predict(test);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_EQ(decided[i], p[i] >= 0.5);
    const std::string path = temporary_path("calibrated.tern");
    model.save(path);
    EXPECT_EQ(Calibrated::load(path).predict_probability(test), p);
    const std::string bytes = read_file(path);
    write_file(path, bytes.substr(0, bytes.size() * 2 / 3));
    EXPECT_THROW(Calibrated::load(path), FormatError);
    std::filesystem::remove(path);
    const Calibrated copy(model);
    model.fit(classes(300, 2, 9), "class");
    EXPECT_EQ(copy.predict_probability(test), p) << "a copy of its own";
  }
  EXPECT_THROW(Calibrated(boosted(), {.folds = 1}), ValueError);
  EXPECT_THROW(Calibrated(Ridge(), {}), ValueError);
}

// A member that counts its classes the other way round says the same, and is asked which class is the second.
TEST(Composite, FindsClassesByName) {
  trees::register_estimators();
  const data::Table train = classes(300, 2), test = classes(200, 2, 5);
  const trees::GradientBoosting straight = boosted();
  const trees::GradientBoosting turned({.objective = trees::Objective::binary,
                                        .rounds = 40,
                                        .learning_rate = 0.3,
                                        .min_child_rows = 2,
                                        .positive = "a"});
  const auto right = [&](data::Estimator& model) {
    model.fit(train, "class");
    EXPECT_EQ(model.positive(), "a");
    EXPECT_EQ(model.classes(), (std::vector<std::string>{"b", "a"}));
    return 1 - metrics::auroc(model.predict_probability(test), is_b(test));
  };
  Voting voting({&straight, &turned}), stacking_free({&turned});
  EXPECT_GT(right(voting), 0.9);
  EXPECT_GT(right(stacking_free), 0.9);
  Stacking stacking({&straight, &turned}, LogisticRegression());
  EXPECT_GT(right(stacking), 0.9);
  Stacking by_last({&straight}, trees::RandomForest({.trees = 40, .positive = "a"}));
  EXPECT_GT(right(by_last), 0.85);
  const trees::RandomForest other({.positive = "b"});
  EXPECT_THROW(Voting({&turned, &other}), ValueError);
  EXPECT_THROW(Stacking({&straight, &turned}, other), ValueError);
  Calibrated calibrated(turned, {.method = CalibrationMethod::isotonic, .folds = 3});
  EXPECT_GT(right(calibrated), 0.85);
  const std::string path = temporary_path("turned.tern");
  stacking_free.save(path);
  EXPECT_EQ(Voting::load(path).predict(test), stacking_free.predict(test));
  std::filesystem::remove(path);
  const CrossValidation by_a = cross_validate(turned, data::Pipeline(), train, "class", {.folds = 3});
  EXPECT_EQ(by_a.classes, (std::vector<std::string>{"b", "a"}));
  EXPECT_GT(by_a.mean("auroc"), 0.9);
}

TEST(Calibrated, HoldsOutRowsOfEachClass) {
  trees::register_estimators();
  for (const std::int64_t rare : {4, 20}) {
    std::vector<double> x;
    std::vector<std::string> target;
    for (std::int64_t i = 0; i < 200; ++i) {
      x.push_back(static_cast<double>(i % 7));
      target.push_back(i < rare ? "rare" : i < 100 ? "a" : "b");
    }
    const data::Table table{{"x", data::Column::from_f64(x)}, {"class", data::Column::from_strings(target)}};
    Calibrated model(boosted(trees::Objective::multiclass), {.folds = 0, .holdout = 0.25});
    model.fit(table, "class");
    EXPECT_EQ(model.classes().size(), 3u);
    EXPECT_EQ(model.predict_probability(table).size(), 600u);
  }
}

TEST(Calibrated, SeveralClassesSumToOne) {
  trees::register_estimators();
  Calibrated model(boosted(trees::Objective::multiclass), {.method = CalibrationMethod::isotonic, .folds = 3});
  model.fit(classes(400, 3), "class");
  const auto p = model.predict_probability(classes(50, 3, 3));
  ASSERT_EQ(p.size(), 150u);
  for (std::size_t row = 0; row < 50; ++row) EXPECT_NEAR(p[3 * row] + p[3 * row + 1] + p[3 * row + 2], 1, 1e-12);
}

TEST(Voting, IsTheWeightedMean) {
  trees::register_estimators();
  const data::Table train = classes(300, 2), test = classes(40, 2, 5);
  trees::GradientBoosting one = boosted(), two({.objective = trees::Objective::binary, .rounds = 3});
  Voting model({&one, &two}, {.weights = {3, 1}});
  model.fit(train, "class");
  one.fit(train, "class");
  two.fit(train, "class");
  const auto a = one.predict_probability(test), b = two.predict_probability(test), p = model.predict_probability(test);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], 0.75 * a[i] + 0.25 * b[i], 1e-12);
  const std::string path = temporary_path("voting.tern");
  model.save(path);
  EXPECT_EQ(Voting::load(path).predict_probability(test), p);
  std::filesystem::remove(path);
  EXPECT_THROW(Voting({}), ValueError);
  EXPECT_THROW(Voting({&one}, {.weights = {0}}), ValueError);
  EXPECT_THROW(Voting({&one}, {.weights = {1, 1}}), ValueError);
  const Ridge ridge;
  EXPECT_THROW(Voting({&one, &ridge}), ValueError);
}

TEST(Voting, WeightsHaveAFiniteSum) {
  const Ridge ridge;
  EXPECT_THROW(Voting({&ridge, &ridge}, {.weights = {1.5e308, 1.5e308}}), ValueError);
}

// A class whose rows all weigh nothing is not there.
TEST(Classifiers, OneClassWithWeightIsAnError) {
  std::vector<double> x, y, weights;
  for (int row = 0; row < 40; ++row) {
    x.push_back(row);
    y.push_back(row % 2);
    weights.push_back(row % 2 == 0 ? 1 : 0);
  }
  const auto fit = [&](auto model) {
    return message_of<ValueError>([&] { model.fit(data::Matrix(x, 1), y, {.weights = weights}); });
  };
  const std::string expected = "expected a target of at least two classes among rows with weight, got 1";
  EXPECT_NE(fit(LogisticRegression()).find(expected), std::string::npos) << fit(LogisticRegression());
  EXPECT_NE(fit(GaussianNaiveBayes()).find(expected), std::string::npos);
  EXPECT_NE(fit(LinearSvm()).find(expected), std::string::npos);
  EXPECT_NE(fit(trees::RandomForest()).find(expected), std::string::npos);
}

TEST(Composites, OfNoRowsSaySo) {
  const data::Table none = classes(30, 2).drop({"word"}).head(0);
  const GaussianNaiveBayes bayes;
  const Ridge ridge;
  const std::vector<double> x;
  for (const data::Estimator* each : {static_cast<const data::Estimator*>(new Voting({&bayes})),
                                      static_cast<const data::Estimator*>(new Stacking({&bayes}, bayes)),
                                      static_cast<const data::Estimator*>(new Calibrated(bayes))}) {
    const std::unique_ptr<const data::Estimator> owned(each);
    const auto model = each->clone();
    std::string name(model->type());
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    const std::string says = "[" + name + "] expected rows to train on, got none";
    EXPECT_EQ(message_of<ValueError>([&] { model->fit(none, "class"); }), says);
    EXPECT_EQ(message_of<ValueError>([&] { model->fit(data::Matrix(x, 2), x); }), says);
  }
}

// Also of members without probabilities, which soft votes need.
TEST(Voting, CountsWholeVotes) {
  trees::register_estimators();
  const data::Table train = classes(300, 3).drop({"word"}), test = classes(60, 3, 5).drop({"word"});
  LinearSvm svm;
  trees::RandomForest forest({.trees = 5});
  GaussianNaiveBayes bayes;
  EXPECT_THROW(Voting({&svm, &forest}), ValueError);
  EXPECT_THROW(Voting({&svm, &forest}, {.weights = {1}, .vote = Vote::hard}), ValueError);
  const Ridge ridge;
  EXPECT_THROW(Voting({&ridge}, {.vote = Vote::hard}), ValueError);
  Voting model({&svm, &forest, &bayes}, {.vote = Vote::hard});
  EXPECT_FALSE(model.has_probability());
  EXPECT_FALSE(model.takes_missing());
  model.fit(train, "class");
  svm.fit(train, "class");
  forest.fit(train, "class");
  bayes.fit(train, "class");
  const auto a = svm.predict(test), b = forest.predict(test), c = bayes.predict(test), found = model.predict(test);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double wanted = a[i] == b[i] || a[i] == c[i] ? a[i] : b[i] == c[i] ? b[i] : std::min({a[i], b[i], c[i]});
    EXPECT_EQ(found[i], wanted) << i;
  }
  EXPECT_THROW(model.predict_probability(test), StateError);
  const std::string path = temporary_path("hard_voting.tern");
  model.save(path);
  const Voting loaded = Voting::load(path);
  EXPECT_EQ(loaded.options().vote, Vote::hard);
  EXPECT_EQ(loaded.predict(test), found);
  std::filesystem::remove(path);
  EXPECT_EQ(cross_validate(model, data::Pipeline(), train, "class", {.folds = 3}).metrics,
            (std::vector<std::string>{"accuracy", "f1_macro"}));
}

// Of a line and trees on y = line + step, the stack is better than either.
TEST(Stacking, LearnsWhomToTrust) {
  trees::register_estimators();
  const Philox random(4);
  const auto table = [&](std::uint64_t from) {
    std::vector<double> a, b, y;
    for (std::uint64_t i = from; i < from + 400; ++i) {
      a.push_back(100 * random.uniform(2 * i));
      b.push_back(random.uniform(2 * i + 1));
      y.push_back(3 * a.back() + (b.back() > 0.5 ? 40 : 0));
    }
    return data::Table{
        {"a", data::Column::from_f64(a)}, {"b", data::Column::from_f64(b)}, {"y", data::Column::from_f64(y)}};
  };
  const data::Table train = table(0), test = table(1000);
  const trees::GradientBoosting boosting({.rounds = 20, .min_child_rows = 5});
  const Ridge line;
  Stacking stack({&boosting, &line}, Ridge());
  const auto rmse = [&](data::Estimator& model) {
    model.fit(train, "y");
    const auto p = model.predict(test);
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) sum += std::pow(p[i] - test["y"].f64(static_cast<std::int64_t>(i)), 2);
    return std::sqrt(sum / static_cast<double>(p.size()));
  };
  const double together = rmse(stack);
  trees::GradientBoosting alone = boosting;
  Ridge alone_too = line;
  EXPECT_LT(together, rmse(alone));
  EXPECT_LT(together, rmse(alone_too));
  const std::string path = temporary_path("stacking.tern");
  stack.save(path);
  EXPECT_EQ(Stacking::load(path).predict(test), stack.predict(test));
  std::filesystem::remove(path);
  EXPECT_THROW(Stacking({&boosting}, boosted()), ValueError);
  EXPECT_THROW(Stacking({&boosting}, Ridge(), {.folds = 1}), ValueError);
}

TEST(Stacking, RefusesALastEstimatorThatStopsEarly) {
  const Ridge line;
  EXPECT_EQ(message_of<ValueError>([&] { Stacking({&line}, trees::GradientBoosting({.early_stopping_rounds = 5})); }),
            "[Stacking] expected a last estimator that does not stop early, for it has no rows of validation, got "
            "GradientBoosting");
  Stacking({&line}, trees::GradientBoosting());
}

TEST(Composite, TakesMatricesAndRefusesBadOnes) {
  const Ridge line;
  Voting model({&line, &line});
  const std::vector<double> x = {1, 2, 3, 4}, y = {2, 4, 6, 8};
  model.fit(data::Matrix(x, 1), y);
  EXPECT_EQ(model.predict(data::Matrix(x, 1)).size(), 4u);
  EXPECT_THROW(model.predict(data::Matrix(x, 2)), ShapeError);
  EXPECT_THROW(model.fit(data::Matrix(x, 2), y), ShapeError);
  EXPECT_THROW(model.fit(data::Matrix(x, 1), y, {.validation = data::Matrix(x, 1), .validation_target = y}),
               ValueError);
  EXPECT_THROW(model.fit(data::Matrix(x, 1), y, {.weights = std::vector<double>{1, 2}}), ShapeError);
  EXPECT_THROW(Stacking({&line}, Ridge(), {.folds = 2}).fit(data::Matrix(x, 1), y, {.weights = std::vector<double>{1}}),
               ShapeError);
  const auto before = model.predict(data::Matrix(x, 1));
  EXPECT_THROW(model.fit(data::Matrix(x, 1), std::vector<double>{1, 2, 3, NAN}), ValueError);
  EXPECT_EQ(model.predict(data::Matrix(x, 1)), before) << "what was learned stays";
}

// Of each kind of composite, of classes and of values.
std::vector<std::unique_ptr<data::Estimator>> every_composite() {
  std::vector<std::unique_ptr<data::Estimator>> all;
  const auto add = [&](const data::Estimator& each) { all.push_back(each.clone()); };
  const Ridge line;
  const LogisticRegression curve;
  const GaussianNaiveBayes bayes;
  add(Voting({&line, &line}));
  add(Voting({&curve, &bayes}));
  add(Stacking({&line, &line}, line, {.folds = 3}));
  add(Stacking({&curve, &bayes}, curve, {.folds = 3}));
  add(Calibrated(curve, {.folds = 3}));
  add(Calibrated(bayes, {.method = CalibrationMethod::isotonic, .folds = 0}));
  add(Calibrated(LinearSvm(), {.method = CalibrationMethod::temperature, .folds = 3}));
  return all;
}

TEST(Composite, RefusesWhatItsMembersCannotLearnFrom) {
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  std::vector<double> x, y;
  for (int i = 0; i < 24; ++i) {
    x.insert(x.end(), {i % 5 + 0.1 * i, static_cast<double>(i * i % 7)});
    y.push_back(i % 2);
  }
  const auto table_of = [](const std::vector<double>& of, const std::vector<double>& target,
                           const std::vector<double>& w) {
    std::vector<double> a, b;
    for (std::size_t i = 0; i < of.size(); i += 2) a.push_back(of[i]), b.push_back(of[i + 1]);
    data::Table made{
        {"a", data::Column::from_f64(a)}, {"b", data::Column::from_f64(b)}, {"y", data::Column::from_f64(target)}};
    if (!w.empty()) made.add("w", data::Column::from_f64(w));
    return made;
  };
  for (const auto& model : every_composite()) {
    const std::string what = std::string(model->type()) + (model->classifies() ? " of classes" : " of values");
    model->fit(data::Matrix(x, 2), y);
    const std::vector<double> before = model->predict(data::Matrix(x, 2));
    // As a matrix ValueError; as a table ValueError or, of a value that has a row, DataError.
    const auto refused = [&](const std::vector<double>& rows, const std::vector<double>& target,
                             const std::vector<double>& weights, bool has_row, const char* why) {
      const data::Table table = table_of(rows, target, weights);
      const data::TableFit how{.validation = {}, .weights = weights.empty() ? "" : "w"};
      EXPECT_THROW(model->fit(data::Matrix(rows, 2), target, {.weights = weights}), ValueError) << what << ", " << why;
      if (has_row) {
        EXPECT_THROW(model->fit(table, "y", how), DataError) << what << ", table, " << why;
      } else {
        EXPECT_THROW(model->fit(table, "y", how), ValueError) << what << ", table, " << why;
      }
      EXPECT_EQ(model->predict(data::Matrix(x, 2)), before) << what << ", " << why << ": what was learned stays";
    };
    refused({}, {}, {}, false, "no rows");
    refused(x, y, std::vector<double>(24, 0), false, "weights of 0");
    for (const double bad : {-1.0, infinite}) {
      std::vector<double> weights(24, 1);
      weights[5] = bad;
      refused(x, y, weights, bad > 0, "a bad weight");
    }
    for (const double bad : {nan, infinite}) {
      std::vector<double> target = y, column = x;
      target[7] = bad;
      refused(x, target, {}, true, "a bad target");
      for (std::size_t i = 1; i < x.size(); i += 2) column[i] = bad;
      refused(column, y, {}, true, "a bad column");
    }
    if (!model->classifies()) continue;
    refused(x, std::vector<double>(24, 1), {}, false, "one class");
    std::vector<double> one_row(24, 0);
    one_row[11] = 1;
    if (model->type() != "voting") refused(x, one_row, {}, false, "one class in a fold");
    std::vector<double> fraction = y;
    fraction[3] = 0.5;
    EXPECT_THROW(model->fit(data::Matrix(x, 2), fraction), ValueError) << what;
  }
}

// Of members that take missing values, a column without any value is one that says nothing.
TEST(Composite, OfTreesTakesAColumnWithoutValues) {
  trees::register_estimators();
  data::Table train = classes(200, 2);
  const trees::GradientBoosting boosting = boosted();
  const trees::RandomForest forest({.trees = 3});
  train.add("blank", data::Column::nulls(data::ColumnType::f64, train.rows()));
  Voting votes({&boosting, &boosting});
  Stacking stack({&boosting, &forest}, LogisticRegression(), {.folds = 2});
  Calibrated honest(boosting, {.folds = 2});
  for (data::Estimator* each : {static_cast<data::Estimator*>(&votes), static_cast<data::Estimator*>(&stack),
                                static_cast<data::Estimator*>(&honest)}) {
    EXPECT_TRUE(each->takes_missing());
    each->fit(train, "class");
    EXPECT_GT(metrics::auroc(each->predict_probability(train), is_b(train)), 0.9) << each->type();
  }
  const LogisticRegression curve;
  EXPECT_FALSE(Voting({&boosting, &curve}).takes_missing());
  EXPECT_THROW(Voting({&boosting, &curve}).fit(train, "class"), DataError);
}

// Clouds of points around corners of a triangle (or two of them), which lie a little over each other.
data::Table clouds(std::int64_t n, std::int64_t count, double scale = 1, std::uint64_t seed = 3) {
  const Philox random(seed);
  std::vector<double> a, b;
  std::vector<std::string> target;
  for (std::int64_t i = 0; i < n; ++i) {
    const double angle = 2.1 * static_cast<double>(i % count);
    const auto at = static_cast<std::uint64_t>(2 * i);
    a.push_back(scale * (std::cos(angle) + 2.4 * (random.uniform(at) - 0.5)));
    b.push_back(scale * (std::sin(angle) + 2.4 * (random.uniform(at + 1) - 0.5)));
    target.push_back(std::string(1, static_cast<char>('a' + i % count)));
  }
  return {{"a", data::Column::from_f64(a)},
          {"b", data::Column::from_f64(b)},
          {"class", data::Column::from_strings(target)}};
}

double loss_of(const std::vector<double>& p, const data::Table& table, std::size_t classes) {
  double loss = 0;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const auto truth = static_cast<std::size_t>(table["class"].text(row)[0] - 'a'), i = static_cast<std::size_t>(row);
    const double own = classes > 2 ? p[classes * i + truth] : truth == 1 ? p[i] : 1 - p[i];
    loss -= std::log(std::max(own, 1e-3)) / static_cast<double>(table.rows());
  }
  return loss;
}

// As honest as the model of the logarithmic loss.
TEST(Calibrated, TakesMarginsOfLinearModels) {
  const data::Table train = clouds(300, 3), test = clouds(300, 3, 1, 7);
  LogisticRegression logistic;
  logistic.fit(train, "class");
  const double best = loss_of(logistic.predict_probability(test), test, 3);
  const LinearSvm svm;
  const SgdClassifier hinge({.loss = SgdLoss::hinge, .alpha = 1e-3});
  for (const data::Estimator* each :
       {static_cast<const data::Estimator*>(&svm), static_cast<const data::Estimator*>(&hinge)}) {
    for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic, CalibrationMethod::temperature}) {
      Calibrated model(*each, {.method = method, .folds = 3});
      model.fit(train, "class");
      const std::vector<double> p = model.predict_probability(test), decided = model.predict(test);
      ASSERT_EQ(p.size(), 900u);
      for (std::size_t row = 0; row < 300; ++row) {
        EXPECT_NEAR(p[3 * row] + p[3 * row + 1] + p[3 * row + 2], 1, 1e-12);
        EXPECT_EQ(decided[row], std::max_element(&p[3 * row], &p[3 * row] + 3) - &p[3 * row]);
      }
      EXPECT_LT(loss_of(p, test, 3), best + 0.06)
          << each->type() << " " << to_string(method) << " against " << best << "; 1.1 says nothing";
      if (method == CalibrationMethod::temperature) {
        EXPECT_EQ(decided, model.estimator().predict(test)) << "the likeliest class stays";
      }
      const std::string path = temporary_path("margins.tern");
      model.save(path);
      EXPECT_EQ(Calibrated::load(path).predict_probability(test), p);
      std::filesystem::remove(path);
    }
  }
  // A line of margins m is one of probabilities sigmoid(m).
  LogisticRegression curve;
  const data::Table two = classes(200, 2).drop({"word"});
  curve.fit(two, "class");
  const std::vector<double> margins = curve.scores(two), p = curve.predict_probability(two);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], 1 / (1 + std::exp(-margins[i])), 1e-12);
  EXPECT_THROW(curve.scores(two.drop({"x"})), DataError);
  LogisticRegression of_matrix;
  EXPECT_THROW(of_matrix.scores(two), StateError);
  EXPECT_THROW(Calibrated(KNeighborsRegressor(), {}), ValueError);
  const Stacking margins_last({&curve}, svm);
  EXPECT_THROW(Calibrated(margins_last, {}), ValueError);
}

// One whose margins are a multiple of another's.
class Louder : public LinearSvm {
 public:
  explicit Louder(double factor) : factor_(factor) {}
  std::unique_ptr<data::Estimator> clone() const override { return std::make_unique<Louder>(*this); }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override {
    LinearSvm::learn(train, validation, classes);
    for (double& w : coefficients_) w *= factor_;
    for (double& w : intercepts_) w *= factor_;
  }

 private:
  double factor_;
};

TEST(Calibrated, DoesNotMindTheScaleOfMargins) {
  register_estimators();
  for (const std::int64_t count : {2, 3}) {
    const data::Table train = clouds(120, count), test = clouds(60, count, 1.5, 7);
    for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic, CalibrationMethod::temperature}) {
      for (const int folds : {3, 0}) {
        std::vector<double> plain;
        for (const double factor : {1.0, 0x1p-30, 0x1p6, 0x1p40}) {  // exact, so that the answers are
          Calibrated model(Louder(factor), {.method = method, .folds = folds, .holdout = 0.4});
          model.fit(train, "class");
          const std::vector<double> p = model.predict_probability(test);
          if (plain.empty()) plain = p;
          EXPECT_EQ(p, plain) << to_string(method) << " of " << count << ", folds " << folds << ", " << factor;
        }
      }
    }
  }
  Calibrated model{LinearSvm()};
  model.fit(clouds(60, 2), "class");
  EXPECT_GT(model.margin_scale(), 0);
  data::EstimatorState state = model.state();
  for (const char* bad : {"0", "-1", "null"}) {
    data::EstimatorState altered = state;
    const std::size_t at = altered.json.find("\"margin_scale\":") + 15, end = altered.json.find_first_of(",}", at);
    altered.json.replace(at, end - at, bad);
    EXPECT_THROW(data::make_estimator(altered), FormatError) << bad;
  }
}

// Sums of money as they are, of which a hinge makes margins of millions.
TEST(Calibrated, OfAColumnThatIsNotScaled) {
  const Philox random(8);
  std::vector<double> money;
  std::vector<std::string> target;
  for (std::uint64_t i = 0; i < 400; ++i) {
    money.push_back(1e3 + 99e3 * random.uniform(2 * i));
    target.push_back(money.back() + 4e4 * (random.uniform(2 * i + 1) - 0.5) > 3e4 ? "b" : "a");
  }
  const data::Table table{{"money", data::Column::from_f64(money)}, {"class", data::Column::from_strings(target)}};
  const double share = static_cast<double>(std::count(target.begin(), target.end(), "b")) / 400;
  const double constant = -share * std::log(share) - (1 - share) * std::log(1 - share);
  Calibrated model(SgdClassifier({.loss = SgdLoss::hinge}), {.folds = 0, .holdout = 0.4});
  model.fit(table, "class");
  EXPECT_GT(model.margin_scale(), 1e4);
  EXPECT_LT(loss_of(model.predict_probability(table), table, 2), constant / 2);
}

}  // namespace
}  // namespace tern::models
