#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "message_of.h"
#include "resealed.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"
#include "tern/trees/trees.h"

namespace tern::trees {
namespace {

// Numbers with gaps, a word, a truth, weights and three targets.
data::Table table(std::int64_t rows, std::uint64_t seed = 1) {
  const Philox random(seed);
  std::vector<double> x, value, weight;
  std::vector<std::string> word, answer, colour;
  std::vector<bool> truth;
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::uint64_t>(row) * 8;
    const double u = random.uniform(at), v = random.uniform(at + 1);
    x.push_back(row % 11 == 5 ? std::nan("") : u);
    word.push_back(row == 3 ? "seldom" : v < 0.3 ? "red" : v < 0.6 ? "green" : "blue");
    truth.push_back(random.uniform(at + 2) < 0.5);
    const double z = 3 * u - 1 + (word.back() == "red" ? 1.5 : 0) - (truth.back() ? 0.7 : 0);
    value.push_back(z + 0.1 * random.uniform(at + 3));
    answer.push_back(random.uniform(at + 4) < 1 / (1 + std::exp(-z)) ? "Yes" : "No");
    colour.push_back(z < 0 ? "low" : z < 1.5 ? "middle" : "top");
    weight.push_back(1 + static_cast<double>(row % 3));
  }
  data::Table out;
  out.add("x", data::Column::from_f64(x));
  out.add("word", data::Column::from_strings(word));
  out.add("truth", data::Column::from_booleans(truth));
  out.add("w", data::Column::from_f64(weight));
  out.add("value", data::Column::from_f64(value));
  out.add("answer", data::Column::from_strings(answer));
  out.add("colour", data::Column::from_strings(colour));
  return out;
}

TEST(GradientBoostingEstimator, IsTheSameThroughTheBase) {
  const data::Table rows = table(400), validation = table(100, 2);
  for (const auto& [target, objective, others] :
       {std::tuple("value", Objective::squared, std::vector<std::string>{"answer", "colour"}),
        std::tuple("answer", Objective::binary, std::vector<std::string>{"value", "colour"}),
        std::tuple("colour", Objective::multiclass, std::vector<std::string>{"value", "answer"})}) {
    const data::Table train = rows.drop(others);
    GradientBoosting own({.objective = objective, .rounds = 40, .early_stopping_rounds = 5});
    own.fit(train, target, {.validation = validation.drop(others), .weights = "w"});
    GradientBoosting other({.objective = objective, .rounds = 40, .early_stopping_rounds = 5});
    data::Estimator& base = other;
    base.fit(train, target, {.validation = validation.drop(others), .weights = "w"});
    EXPECT_EQ(base.predict(validation), own.predict(validation));
    EXPECT_EQ(to_json(other.ensemble()), to_json(own.ensemble()));
    EXPECT_EQ(base.names(), (std::vector<std::string>{"x", "word", "truth"}));
    EXPECT_EQ(base.types(), (std::vector<data::ColumnType>{data::ColumnType::f64, data::ColumnType::string,
                                                           data::ColumnType::boolean}));
    EXPECT_EQ(own.types(), base.types());
    EXPECT_EQ(base.target(), target);
    EXPECT_EQ(base.classifies(), objective != Objective::squared);
    EXPECT_EQ(base.classes(), own.ensemble().classes);
    if (base.classifies()) {
      EXPECT_EQ(base.predict_probability(validation), own.predict_probability(validation));
    }
    const auto copy = base.clone();
    EXPECT_EQ(copy->predict(validation), own.predict(validation));
  }
}

TEST(GradientBoostingEstimator, TakesMatricesThroughTheBase) {
  const Philox random(3);
  std::vector<double> x, y;
  for (std::uint64_t i = 0; i < 300; ++i) {
    x.push_back(random.uniform(2 * i));
    x.push_back(i % 9 == 0 ? std::nan("") : random.uniform(2 * i + 1));
    y.push_back(x[2 * i] > 0.4 ? 1 : 0);
  }
  GradientBoosting own({.objective = Objective::binary, .rounds = 5}), other = own;
  own.fit(Matrix(x, 2), y);
  data::Estimator& base = other;
  base.fit(Matrix(x, 2), y);
  EXPECT_EQ(base.predict_probability(Matrix(x, 2)), own.predict_probability(Matrix(x, 2)));
  EXPECT_EQ(base.classes(), (std::vector<std::string>{"0", "1"}));
  EXPECT_TRUE(base.names().empty() && base.types().empty() && base.target().empty());
  EXPECT_THROW(base.predict(Matrix(x, 3)), ShapeError);
  EXPECT_THROW(base.fit(Matrix(x, 2), std::vector<double>(300, 1)), ValueError);
}

TEST(GradientBoostingEstimator, TakesTensorsAsItTakesDoublesAndTables) {
  std::vector<double> x, y, w;
  for (std::int64_t row = 0; row < 240; ++row) {
    for (const std::int64_t prime : {37, 53}) x.push_back(static_cast<double>(row * prime % 240));
    y.push_back(x[x.size() - 2] > 90 ? 1 : x.back() / 256);
    w.push_back(1 + static_cast<double>(row % 4));
  }
  const Tensor x_tensor = from_vector(x, {240, 2}), y_tensor = from_vector(y), w_tensor = from_vector(w);
  GradientBoosting tensors({.rounds = 8, .early_stopping_rounds = 3}), doubles = tensors, columns = tensors;
  tensors.fit(
      x_tensor, y_tensor,
      {.weights = w_tensor, .validation = x_tensor, .validation_target = y_tensor, .validation_weights = w_tensor});
  doubles.fit(Matrix(x, 2), y,
              {.weights = w, .validation = Matrix(x, 2), .validation_target = y, .validation_weights = w});
  EXPECT_EQ(to_json(tensors.ensemble()), to_json(doubles.ensemble()));
  EXPECT_EQ(tensors.validation_history(), doubles.validation_history());
  EXPECT_EQ(tensors.predict(x_tensor), doubles.predict(Matrix(x, 2)));

  data::Table rows;
  for (std::int64_t f = 0; f < 2; ++f) {
    std::vector<double> column;
    for (std::size_t i = static_cast<std::size_t>(f); i < x.size(); i += 2) column.push_back(x[i]);
    rows.add("f" + std::to_string(f), data::Column::from_f64(column));
  }
  rows.add("w", data::Column::from_f64(w));
  rows.add("y", data::Column::from_f64(y));
  columns.fit(rows, "y", {.validation = rows, .weights = "w"});
  Ensemble untyped = columns.ensemble();
  for (Feature& feature : untyped.features) feature.type.reset();  // which a tensor's columns do not have
  EXPECT_EQ(to_json(untyped), to_json(tensors.ensemble()));
  tensors.fit(x_tensor, y_tensor, {.validation = x_tensor, .validation_target = y_tensor});  // weights count
  EXPECT_NE(to_json(untyped), to_json(tensors.ensemble()));
  EXPECT_THROW(tensors.fit(x_tensor, y_tensor.slice(0, 0, 239)), ShapeError);
  EXPECT_THROW(tensors.fit(x_tensor, y_tensor, {.weights = w_tensor.slice(0, 0, 239)}), ShapeError);
}

TEST(GradientBoostingEstimator, TimesAreNoNumbers) {
  const data::Table numbers = {{"x", data::Column::from_i64({1, 2, 3, 4})},
                               {"y", data::Column::from_i64({0, 0, 1, 1})}};
  data::Table times = numbers, blank = numbers;
  times.replace("x", data::Column::from_timestamps({1, 2, 3, 4}));
  blank.replace("x", data::Column::nulls(data::ColumnType::timestamp, 4));
  GradientBoosting boosted({.rounds = 2, .min_child_rows = 1});
  RandomForest forest({.trees = 2});
  for (data::Estimator* model : {static_cast<data::Estimator*>(&boosted), static_cast<data::Estimator*>(&forest)}) {
    model->fit(numbers, "y");
    EXPECT_EQ(model->predict(blank).size(), 4u) << "of no type";
    EXPECT_THROW(model->predict(times), DataError);
    model->fit(times, "y");
    EXPECT_THROW(model->predict(numbers), DataError);
    EXPECT_EQ(model->predict(times).size(), 4u);
  }
}

TEST(GradientBoosting, TakesNoTimesForNumbersByItsOwnCallsEither) {
  const data::Table numbers = {{"x", data::Column::from_i64({1, 2, 3, 4})},
                               {"y", data::Column::from_strings({"a", "a", "b", "b"})}};
  data::Table times = numbers;
  times.replace("x", data::Column::from_timestamps({1, 2, 3, 4}));
  GradientBoosting model({.objective = Objective::binary, .rounds = 2, .min_child_rows = 1});
  for (const auto& [learned, other] : {std::pair(numbers, times), std::pair(times, numbers)}) {
    model.fit(learned, "y");
    const std::string path = temporary_path("times.tern");
    model.save(path);
    for (const GradientBoosting& each : {model, GradientBoosting::load(path)}) {
      EXPECT_THROW(each.predict(other), DataError);
      EXPECT_THROW(each.predict_probability(other), DataError);
      EXPECT_THROW(each.predict_margin(other), DataError);
      EXPECT_THROW(inputs(each.ensemble(), other), DataError);
      EXPECT_EQ(each.predict_margin(learned).size(), 4u);
    }
    EXPECT_THROW(model.fit(learned, "y", {.validation = other}), DataError);
    EXPECT_THROW(GradientBoosting(model.options()).fit(other, "y", {.start = &model}), DataError);
    IsolationForest forest({.trees = 2});
    forest.fit(learned.drop({"y"}));
    EXPECT_THROW(forest.score(other), DataError);
    EXPECT_THROW(IsolationForest::from_json(forest.to_json()).score(other), DataError);
    EXPECT_EQ(forest.score(learned).size(), 4u);
  }
}

TEST(GradientBoosting, ABooleanTakesNoOtherNumbers) {
  const data::Table rows = {{"x", data::Column::from_booleans({false, false, true, true})},
                            {"y", data::Column::from_f64({0, 0, 1, 1})}};
  data::Table numbers = rows, others = rows;
  numbers.replace("x", data::Column::from_f64({0, std::nan(""), 1, 1}));
  others.replace("x", data::Column::from_i64({0, 1, 50, 1}));
  GradientBoosting model({.rounds = 2, .min_child_rows = 1});
  model.fit(rows, "y");
  EXPECT_EQ(model.predict(numbers)[3], model.predict(rows)[3]);
  EXPECT_EQ(message_of<DataError>([&] { model.predict(others); }),
            "[GradientBoosting] row 2, column \"x\": expected boolean as in training, got 50");
}

TEST(GradientBoosting, WordsAreNoBooleans) {
  const data::Table rows = {{"x", data::Column::from_strings({"yes", "yes", "no", "perhaps"})},
                            {"y", data::Column::from_f64({0, 0, 1, 1})}};
  data::Table booleans = rows;
  booleans.replace("x", data::Column::from_booleans({false, false, true, true}));
  GradientBoosting boosted({.rounds = 2, .min_child_rows = 1});
  RandomForest forest({.trees = 2});
  for (data::Estimator* model : {static_cast<data::Estimator*>(&boosted), static_cast<data::Estimator*>(&forest)}) {
    model->fit(rows, "y");
    EXPECT_EQ(message_of<DataError>([&] { model->predict(booleans); }),
              (model == &boosted ? "[GradientBoosting]" : "[RandomForest]") +
                  std::string(" column \"x\": expected levels as in training, got boolean"));
  }
}

TEST(Messages, NameTheClassThatWasCalled) {
  const data::Table rows = {{"x", data::Column::from_f64({0, 1, 2, 3})}, {"y", data::Column::from_f64({0, 0, 1, 1})}};
  const data::Table words = {{"x", data::Column::from_strings({"a", "b"})}};
  RandomForest random({.criterion = Criterion::squared, .trees = 2});
  ExtraTrees extra({.criterion = Criterion::squared, .trees = 2});
  GradientBoosting boosted({.rounds = 2, .min_child_rows = 1});
  IsolationForest isolation;
  const std::string expected = "column \"x\": expected numbers, got string";
  const std::vector<std::pair<data::Estimator*, std::string>> models = {
      {&random, "[RandomForest] "}, {&extra, "[ExtraTrees] "}, {&boosted, "[GradientBoosting] "}};
  for (const auto& each : models) {
    data::Estimator* const model = each.first;
    const std::string& name = each.second;
    EXPECT_EQ(message_of<StateError>([&] { model->predict(rows); }),
              name + "expected a fitted model, got one before fit");
    model->fit(rows, "y");
    EXPECT_EQ(message_of<DataError>([&] { model->predict(words); }), name + expected);
  }
  isolation.fit(rows.select({"x"}));
  EXPECT_EQ(message_of<DataError>([&] { isolation.score(words); }), "[IsolationForest] " + expected);
  EXPECT_EQ(message_of<DataError>([&] { TreeShap(boosted.ensemble()).values(words); }), "[TreeShap] " + expected);
  EXPECT_EQ(message_of<DataError>([&] { Predictor(boosted.ensemble()).predict(words); }), "[Predictor] " + expected);
  EXPECT_EQ(message_of<DataError>([&] { inputs(boosted.ensemble(), words); }), "[inputs] " + expected);
  EXPECT_EQ(message_of<ValueError>([] { ExtraTrees({.trees = 0}); }),
            "[ExtraTrees] expected trees from 1 to 1000000, got 0");
}

TEST(GradientBoosting, SaysThatTheValidationIsWrong) {
  const data::Table rows = {{"x", data::Column::from_f64({0, 1, 2, 3})},
                            {"y", data::Column::from_strings({"a", "a", "b", "b"})}};
  GradientBoosting model({.objective = Objective::binary, .rounds = 2, .min_child_rows = 1});
  const auto says = [&](const data::Table& validation) {
    return message_of<Error>([&] { model.fit(rows, "y", {.validation = validation}); });
  };
  data::Table words = rows, other = rows;
  words.replace("x", rows["y"]);
  other.replace("y", data::Column::from_strings({"a", "a", "b", "c"}));
  for (const data::Table& wrong : {words, other, rows.drop({"x"}), rows.drop({"y"}), rows.head(0)}) {
    EXPECT_NE(says(wrong).find("in validation: "), std::string::npos) << says(wrong);
  }
  const std::vector<double> x = {0, 1}, y = {0, 1}, no = {0, std::nan("")};
  EXPECT_EQ(message_of<ValueError>([&] {
              GradientBoosting({.min_child_rows = 1})
                  .fit(Matrix(x, 1), y, {.validation = Matrix(x, 1), .validation_target = no});
            }).find("in validation: [GradientBoosting] expected finite targets"),
            0u);
}

TEST(GradientBoosting, RefusesWhatContradictsItsOptions) {
  const data::Table rows = table(60).drop({"value", "colour"});
  GradientBoosting start({.objective = Objective::binary, .rounds = 2});
  start.fit(rows, "answer");
  GradientBoosting more({.objective = Objective::binary, .rounds = 2, .positive = "No"});
  EXPECT_EQ(message_of<ValueError>([&] { more.fit(rows, "answer", {.start = &start}); }),
            "[GradientBoosting] expected the positive class of the model to go on from, \"Yes\", got \"No\"");
  GradientBoosting same({.objective = Objective::binary, .rounds = 2, .positive = "Yes"});
  same.fit(rows, "answer", {.start = &start});
  data::Table renamed = rows.drop({"answer"});
  renamed.add("reply", rows["answer"]);
  EXPECT_EQ(message_of<ValueError>([&] { same.fit(renamed, "reply", {.start = &start}); }),
            "[GradientBoosting] expected the target of the model to go on from, \"answer\", got \"reply\"");
  const CustomObjective own{.name = "own", .derivatives = [](auto, auto, auto, auto) {}, .link = Link::softmax};
  EXPECT_EQ(message_of<ValueError>([&] { GradientBoosting({.custom_objective = own}); }),
            "[GradientBoosting] expected the objective custom beside a custom_objective, got squared");
  EXPECT_EQ(
      message_of<ValueError>([&] { GradientBoosting({.objective = Objective::custom, .custom_objective = own}); }),
      "[GradientBoosting] expected a link of the one output of a custom_objective, got softmax");
}

TEST(GradientBoosting, AFileKeepsNoMetricOfOnesOwn) {
  const data::Table rows = table(80).drop({"answer", "colour"});
  const std::string path = temporary_path("own_metric.tern");
  GradientBoosting model({.rounds = 3,
                          .early_stopping_rounds = 2,
                          .metric = {.name = "mine", .value = [](auto, auto, auto) { return 1.0; }}});
  model.fit(rows, "value", {.validation = rows});
  model.save(path);
  GradientBoosting loaded = GradientBoosting::load(path);
  EXPECT_EQ(loaded.predict(rows), model.predict(rows));
  EXPECT_EQ(
      message_of<ValueError>([&] { loaded.fit(rows, "value", {.validation = rows}); }),
      "[GradientBoosting] expected the function of the metric for early_stopping_rounds, which no file keeps, got "
      "\"mine\" alone");
  GradientBoosting plain({.rounds = 3, .early_stopping_rounds = 2});
  plain.fit(rows, "value", {.validation = rows});
  plain.save(path);
  GradientBoosting::load(path).fit(rows, "value", {.validation = rows});
}

TEST(GradientBoostingEstimator, ComesBackFromItsFileAndGoesOn) {
  const std::string path = temporary_path("gbdt.tern");
  const data::Table rows = table(400).drop({"value", "colour"}), validation = table(100, 2);
  GradientBoosting model({.objective = Objective::binary,
                          .rounds = 12,
                          .learning_rate = 0.3,
                          .growth = Growth::depth_wise,
                          .max_depth = 3,
                          .min_level_rows = 2,
                          .monotone = {{"x", 1}},
                          .interactions = {{"x", "word"}},
                          .positive = "No",
                          .early_stopping_rounds = 4,
                          .seed = 9,
                          .coarse_gradients = true});
  EXPECT_THROW(model.save(path), StateError);
  model.fit(rows, "answer", {.validation = validation, .weights = "w"});
  model.save(path);
  GradientBoosting loaded = GradientBoosting::load(path);
  EXPECT_EQ(loaded.predict_probability(validation), model.predict_probability(validation));
  EXPECT_EQ(loaded.state().json, model.state().json);
  EXPECT_EQ(loaded.names(), model.names());
  EXPECT_EQ(loaded.types(), model.types());
  EXPECT_EQ(loaded.classes(), (std::vector<std::string>{"Yes", "No"}));
  EXPECT_EQ(loaded.validation_history(), model.validation_history());
  EXPECT_EQ(data::load_estimator(path)->predict(validation), model.predict(validation));
  // Its options came along: it can be fitted again, and gone on from.
  GradientBoosting again = loaded;
  again.fit(rows, "answer", {.validation = validation, .weights = "w"});
  EXPECT_EQ(again.predict_probability(validation), model.predict_probability(validation));
  GradientBoosting more(loaded.options()), same(model.options());
  more.fit(rows, "answer", {.validation = validation, .weights = "w", .start = &loaded});
  same.fit(rows, "answer", {.validation = validation, .weights = "w", .start = &model});
  EXPECT_EQ(more.predict_probability(validation), same.predict_probability(validation));

  const std::string bytes = read_file(path);
  for (const double share : {0.0, 0.1, 0.5, 0.99}) {
    write_file(path, bytes.substr(0, static_cast<std::size_t>(share * static_cast<double>(bytes.size()))));
    EXPECT_THROW(GradientBoosting::load(path), FormatError) << share;
  }
  const auto altered = [&](const std::string& from, const std::string& to) {
    std::string text = without_seal(bytes);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_file(path, resealed(text.replace(at, from.size(), to)));
    return message_of<FormatError>([&] { GradientBoosting::load(path); });
  };
  EXPECT_NE(altered("\"version\":1", "\"version\":2").find("another release"), std::string::npos);
  EXPECT_NE(altered("\"gradient_boosting\"", "\"ridge\"").find("expected a gradient_boosting"), std::string::npos);
  altered("\"rounds\":12", "\"rounds\":0");
  altered("\"rounds\":12", "\"rounds\":-3");
  altered("\"binary\"", "\"squared\"");
  altered("[\"x\",\"word\"", "[\"word\",\"x\"");
  altered("\"Yes\",\"No\"", "\"No\",\"Yes\"");
  altered("[\"f64\"", "[\"f16\"");
  altered("[\"f64\",", "[");
  std::filesystem::remove(path);
}

TEST(GradientBoostingEstimator, ALoadedCustomObjectivePredicts) {
  const std::string path = temporary_path("custom.tern");
  CustomObjective squares{
      .name = "squares",
      .derivatives =
          [](std::span<const double> f, std::span<const double> y, std::span<double> g, std::span<double> h) {
            for (std::size_t i = 0; i < f.size(); ++i) {
              g[i] = f[i] - y[i];
              h[i] = 1;
            }
          },
      .base = 1};
  GradientBoosting model({.objective = Objective::custom, .rounds = 5, .custom_objective = squares});
  const data::Table rows = table(200).drop({"answer", "colour", "w"});
  model.fit(rows, "value");
  model.save(path);
  GradientBoosting loaded = GradientBoosting::load(path);
  EXPECT_EQ(loaded.predict(rows), model.predict(rows));
  EXPECT_EQ(message_of<ValueError>([&] { loaded.fit(rows, "value"); }),
            "[GradientBoosting] expected derivatives of a custom objective, got none");
  std::filesystem::remove(path);
}

TEST(GradientBoostingEstimator, RareLevelsAreUnseen) {
  const data::Table rows = table(300).drop({"value", "colour", "w"});
  GradientBoosting all({.objective = Objective::binary, .rounds = 3}),
      kept({.objective = Objective::binary, .rounds = 3, .min_level_rows = 10});
  all.fit(rows, "answer");
  kept.fit(rows, "answer");
  EXPECT_EQ(all.ensemble().features[1].levels.size(), 4u);
  EXPECT_EQ(kept.ensemble().features[1].levels.size(), 3u);
  EXPECT_EQ(kept.state().json.find("seldom"), std::string::npos);
  EXPECT_TRUE(all.unseen(rows).empty());
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;
  EXPECT_EQ(kept.unseen(rows), (Counts{{"word", 1}}));
  data::Table other = rows.drop({"word"});
  other.add("word", data::Column::from_strings(std::vector<std::string>(300, "purple")));
  EXPECT_EQ(kept.unseen(other), (Counts{{"word", 300}}));
  other.replace("word", data::Column::nulls(data::ColumnType::string, 300));
  EXPECT_TRUE(kept.unseen(other).empty());
  // Where no level is left, words are no errors.
  GradientBoosting none({.objective = Objective::binary, .rounds = 3, .min_level_rows = 1000});
  none.fit(rows, "answer");
  EXPECT_EQ(none.predict_probability(other), none.predict_probability(rows));
  data::Table blank = rows.drop({"word"});
  blank.add("word", data::Column::nulls(data::ColumnType::string, 300));
  none.fit(blank, "answer");
  EXPECT_EQ(none.predict_probability(rows), none.predict_probability(blank));
}

TEST(GradientBoostingEstimator, RoundsCanBeWatchedAndEnded) {
  const data::Table rows = table(400).drop({"value", "colour", "w"}), validation = table(100, 2);
  std::vector<double> seen;
  GradientBoostingOptions options{.objective = Objective::binary, .rounds = 50};
  options.on_round = [&](int round, double metric) {
    EXPECT_EQ(round, static_cast<int>(seen.size()) + 1);
    seen.push_back(metric);
    return round < 7;
  };
  GradientBoosting model(options);
  model.fit(rows, "answer", {.validation = validation});
  EXPECT_EQ(model.ensemble().rounds(), 7);
  EXPECT_EQ(seen, model.validation_history());
  seen.clear();
  model.fit(rows, "answer");
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_TRUE(std::isnan(seen[0]));
}

TEST(GradientBoostingEstimator, AMetricThatIsNoNumberIsNotTheBest) {
  const data::Table rows = table(400).drop({"value", "colour", "w"}), validation = table(100, 2);
  int calls = 0, undefined = 3;
  GradientBoostingOptions options{.objective = Objective::binary, .rounds = 40, .early_stopping_rounds = 5};
  options.metric = {.name = "squares", .value = [&](auto p, auto y, auto) {
                      if (calls++ < undefined) return std::nan("");
                      double sum = 0;
                      for (std::size_t i = 0; i < p.size(); ++i) sum += (p[i] - y[i]) * (p[i] - y[i]);
                      return sum;
                    }};
  GradientBoosting model(options);
  model.fit(rows, "answer", {.validation = validation});
  EXPECT_GT(model.ensemble().used_rounds(), 3);
  undefined = 1000;
  EXPECT_THROW(model.fit(rows, "answer", {.validation = validation}), NumericError);
}

TEST(GradientBoostingEstimator, RefusesColumnsThatMeanNothing) {
  std::vector<std::string> query;
  std::vector<double> x, y;
  for (int i = 0; i < 40; ++i) {
    query.push_back(i < 20 ? "a" : "b");
    x.push_back(i);
    y.push_back(i % 3);
  }
  const data::Table rows{
      {"x", data::Column::from_f64(x)}, {"y", data::Column::from_f64(y)}, {"q", data::Column::from_strings(query)}};
  GradientBoosting squared({.rounds = 2}), ranker({.objective = Objective::lambdarank, .rounds = 2});
  EXPECT_THROW(squared.fit(rows, "y", FitOptions{.query = "q"}), ValueError);
  EXPECT_THROW(squared.fit(rows, "y", FitOptions{.weights = "y"}), ValueError);
  const std::vector<std::int64_t> queries = {20, 20};
  EXPECT_THROW(squared.fit(Matrix(x, 1), y, MatrixFitOptions{.queries = queries}), ValueError);
  ranker.fit(rows, "y", FitOptions{.query = "q"});
  std::vector<bool> known(40, true);
  known[7] = false;
  const data::Table gap{{"x", rows["x"]}, {"y", rows["y"]}, {"q", data::Column::from_strings(query, known)}};
  EXPECT_THROW(ranker.fit(gap, "y", FitOptions{.query = "q"}), DataError);
  EXPECT_THROW(GradientBoosting({.monotone = {{"x", 1}, {"x", -1}}}), ValueError);
}

TEST(GradientBoostingEstimator, OptionsAreFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(message_of<ValueError>([&] { GradientBoosting({.lambda_l2 = infinity}); }),
            "[GradientBoosting] expected a finite lambda_l2, got inf");
  EXPECT_THROW(GradientBoosting({.min_level_rows = -1}), ValueError);
}

TEST(GradientBoostingEstimator, TheRegisterKnowsIt) {
  register_estimators();
  register_estimators();
  const data::Table rows = table(100).drop({"answer", "colour", "w"});
  GradientBoosting model({.rounds = 3});
  model.fit(rows, "value");
  const auto made = data::make_estimator(model.state());
  EXPECT_EQ(made->type(), "gradient_boosting");
  EXPECT_EQ(made->predict(rows), model.predict(rows));
  data::EstimatorState other = model.state();
  other.type = "gradient_boostings";
  EXPECT_NE(message_of<FormatError>([&] { data::make_estimator(other); }).find("gradient_boosting,"),
            std::string::npos);
}

}  // namespace
}  // namespace tern::trees
