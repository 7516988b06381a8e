#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bundle/small_trees.h"
#include "data/estimator_file.h"
#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/models/models.h"
#include "tern/tensor/safetensors.h"

// Bundles of estimators: boosted trees and classic models.
namespace tern {
namespace {

using namespace test;

TEST(EstimatorBundle, LoadsWhatItSaved) {
  const Folder folder("estimator-save");
  const Parts small = parts(cleaning());
  const Bundle made = trees_bundle(small);
  made.save(folder / "a.tern");
  const Bundle loaded = Bundle::load(folder / "a.tern");
  EXPECT_TRUE(loaded.to_bytes() == made.to_bytes());
  EXPECT_TRUE(loaded.has_estimator());
  EXPECT_EQ(loaded.estimator().type(), "gradient_boosting");
  EXPECT_THROW(loaded.model(), StateError);
  EXPECT_THROW(test::small_bundle().estimator(), StateError);
  const Predictions before = made.predict(small.table), after = loaded.predict(small.table);
  EXPECT_EQ(before.values, after.values);
  EXPECT_EQ(before.decisions, after.decisions);
  const auto& direct = dynamic_cast<const trees::GradientBoosting&>(loaded.estimator());
  EXPECT_EQ(after.values, direct.predict_probability(small.pipeline.transform_table(small.table)));
  EXPECT_EQ(direct.options().rounds, 8);
}

TEST(EstimatorBundle, TwoTrainingsDifferWhereThePageSaysSo) {
  const Parts small = parts(cleaning());
  const auto train = [&](double seconds, const std::string& created) {
    trees::GradientBoosting model = small_trees();
    train::Fitted fitted =
        train::fit_estimator(model, churn_task(), small.train_features, small.validation_features, {.bootstrap = 20});
    fitted.seconds = seconds;
    Provenance facts = facts_of(small);
    facts.created = created;
    return Bundle(model, small.pipeline, fitted, facts).to_bytes();
  };
  const std::string first = train(0.5, "2025-01-31T12:00:00Z");
  EXPECT_TRUE(train(0.5, "2025-01-31T12:00:00Z") == first);
  const auto a = internal::read_archive(first), b = internal::read_archive(train(0.75, "2026-01-31T12:00:00Z"));
  ASSERT_EQ(a.size(), b.size());
  std::vector<std::string> others;
  for (const auto& [name, bytes] : a) {
    if (b.at(name) != bytes) others.push_back(name);
  }
  EXPECT_EQ(others, (std::vector<std::string>{"README.md", "bundle.json", "provenance/settings.json"}));
}

TEST(EstimatorBundle, ARowAFileAndATableAreTheSameBits) {
  const Folder folder("estimator-row");
  const Parts small = parts(cleaning());
  const Bundle bundle = trees_bundle(small);
  const std::vector<double> all = bundle.predict(small.table).values;
  std::ofstream(folder / "small.csv") << test::small_csv(240);
  EXPECT_EQ(bundle.predict(folder / "small.csv").values, all);
  for (std::int64_t i = 0; i < small.table.rows(); i += 13) {
    EXPECT_EQ(bundle.predict(row_of(small.table, i)).values[0], all[static_cast<std::size_t>(i)]);
  }
  const internal::Entries entries = internal::read_archive(bundle.to_bytes());
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    const internal::Entries here = internal::read_archive(trees_bundle(parts(cleaning())).to_bytes());
    for (const char* name : {"estimator.json", "validation.json", "baselines.json", "task.json"}) {
      EXPECT_EQ(here.at(name) == entries.at(name), true) << name << " with " << threads;
    }
    EXPECT_EQ(bundle.predict(small.table).values, all);
  }
  set_num_threads(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] { EXPECT_EQ(bundle.predict(small.table).values, all); });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EstimatorBundle, EvaluatesBesideItsBaselinesAndKeepsTheLedger) {
  const Parts small = parts(cleaning());
  Bundle bundle = Bundle::from_bytes(trees_bundle(small).to_bytes());
  const train::Report report = bundle.evaluate(small.test);
  EXPECT_EQ(report.note, "test rows opened 1 time");
  ASSERT_EQ(report.baselines.size(), 2u);
  EXPECT_EQ(report.baselines[0].name, "prior");
  EXPECT_EQ(report.baselines[1].name, "logistic regression");
  EXPECT_GT(report.baselines[1].binary.auroc.value, 0.5);
  EXPECT_EQ(bundle.ledger().size(), 1u);
  const Bundle again = Bundle::from_bytes(bundle.to_bytes());
  EXPECT_EQ(again.test_report(), bundle.test_report());
  EXPECT_FALSE(again.test_report().empty());
  EXPECT_THROW(bundle.evaluate(small.table), ValueError);  // not the test rows
  EXPECT_EQ(bundle.evaluate(small.table, false).rows, 240);
}

TEST(EstimatorBundle, CompositesKnowWhatTheirMembersDoNot) {
  const Parts small = parts(cleaning());
  data::Table strange = small.table;
  strange.replace("plan", data::Column::from_strings(std::vector<std::string>(240, "platinum")));
  const trees::GradientBoosting boosting = small_trees();
  const models::Calibrated calibrated(boosting, {.folds = 2});
  const models::Voting voting({&boosting, &calibrated});
  const models::Stacking stacking({&boosting, &boosting}, models::LogisticRegression(), {.folds = 2});
  for (const data::Estimator* each :
       {static_cast<const data::Estimator*>(&calibrated), static_cast<const data::Estimator*>(&voting),
        static_cast<const data::Estimator*>(&stacking)}) {
    const std::unique_ptr<data::Estimator> model = each->clone();
    const train::Fitted fitted =
        train::fit_estimator(*model, churn_task(), small.train_features, small.validation_features, {.bootstrap = 20});
    const Bundle bundle(*model, small.pipeline, fitted, facts_of(small));
    using Counts = std::vector<std::pair<std::string, std::int64_t>>;
    EXPECT_EQ(bundle.unseen(strange), (Counts{{"plan", 240}})) << each->type();
    EXPECT_EQ(bundle.predict(strange).warnings.size(), 1u) << each->type();
  }
}

TEST(EstimatorBundle, KnowsWhatItDoesNotKnow) {
  const Parts small = parts(cleaning());
  const Bundle bundle = trees_bundle(small);
  Row row = row_of(small.table, 3);
  EXPECT_TRUE(bundle.predict(row).unknown.empty());
  for (auto& [name, value] : row) {
    if (name == "plan") value = "platinum";
  }
  EXPECT_EQ(bundle.predict(row).unknown, std::vector<std::string>{"plan"});
  data::Table strange = small.table;
  strange.replace("plan", data::Column::from_strings(std::vector<std::string>(240, "platinum")));
  const Predictions guessed = bundle.predict(strange);
  EXPECT_EQ(guessed.rows, 240);
  ASSERT_EQ(guessed.warnings.size(), 1u);
  EXPECT_NE(guessed.warnings[0].find("\"platinum\" 240"), std::string::npos);
  using Counts = std::vector<std::pair<std::string, std::int64_t>>;
  EXPECT_EQ(bundle.unseen(strange), (Counts{{"plan", 240}}));
  for (auto& [name, value] : row) value = std::monostate{};
  EXPECT_EQ(bundle.predict(row).rows, 1);  // gaps are no errors
  EXPECT_THROW(bundle.predict(small.table.drop({"plan"})), DataError);
  EXPECT_THROW(bundle.predict(Row{{"age", std::int64_t{3}}}), DataError);
}

TEST(EstimatorBundle, HoldsTheFactsOfItsModelCard) {
  const internal::Entries entries = internal::read_archive(trees_bundle(parts(cleaning())).to_bytes());
  EXPECT_FALSE(entries.contains("weights.safetensors") || entries.contains("model.json"));
  EXPECT_NE(entries.at("bundle.json").find("\"version\": 2"), std::string::npos);
  const std::string& card = entries.at("README.md");
  for (const char* words : {"estimator: `gradient_boosting`, features: 4", "120 train, 60 validation, 60 test",
                            "| auroc |", "logistic regression", "used to select the model and the threshold"}) {
    EXPECT_NE(card.find(words), std::string::npos) << words << "\n" << card;
  }
}

TEST(EstimatorBundle, TreesAloneAreABundle) {
  const Folder folder("estimator-alone");
  const Parts small = parts(cleaning());
  const data::Table raw = small.table.drop({"id", "spend"});
  trees::GradientBoosting gbdt = small_trees();
  EXPECT_THROW(Bundle{gbdt}, StateError);
  gbdt.fit(raw, "churn", {.validation = raw});
  Bundle(gbdt).save(folder / "churn.tern");
  Bundle bundle = Bundle::load(folder / "churn.tern");
  EXPECT_EQ(bundle.predict(raw).values, gbdt.predict_probability(raw));
  EXPECT_EQ(bundle.task().positive(), "Yes");
  EXPECT_EQ(bundle.task().target(), "churn");
  EXPECT_EQ(bundle.validation_report(), "{}");
  EXPECT_EQ(bundle.predict(raw).decisions[0], bundle.predict(raw).values[0] >= 0.5 ? "Yes" : "No");
  // By the types of training files are read.
  std::ofstream(folder / "small.csv") << test::small_csv(240);
  EXPECT_EQ(bundle.predict(folder / "small.csv").values, gbdt.predict_probability(raw));
  EXPECT_EQ(bundle.predict(row_of(small.table, 5)).values[0], gbdt.predict_probability(raw)[5]);
  const std::string card = internal::read_archive(bundle.to_bytes()).at("README.md");
  EXPECT_NE(card.find("without a report"), std::string::npos) << card;
  const train::Report report = bundle.evaluate(raw, false);
  EXPECT_TRUE(report.baselines.empty());
  EXPECT_EQ(report.rows, 240);

  trees::GradientBoosting other({.objective = trees::Objective::binary, .rounds = 3, .positive = "No"});
  other.fit(raw, "churn");
  EXPECT_EQ(Bundle(other).task().positive(), "No");
  EXPECT_EQ(Bundle(other).predict(raw).values, other.predict_probability(raw));
  trees::GradientBoosting ages({.rounds = 3});
  const data::Table aged = raw.filter([&](std::int64_t i) { return !raw.column("age").is_null(i); });
  ages.fit(aged, "age");
  EXPECT_EQ(Bundle::from_bytes(Bundle(ages).to_bytes()).predict(aged).values, ages.predict(aged));
  trees::GradientBoosting plans({.objective = trees::Objective::multiclass, .rounds = 3});
  plans.fit(raw, "plan");
  const Bundle three = Bundle::from_bytes(Bundle(plans).to_bytes());
  EXPECT_EQ(three.predict(raw).values, plans.predict_probability(raw));
  EXPECT_EQ(three.task().classes(), (std::vector<std::string>{"basic", "plus", "premium"}));
  trees::GradientBoosting matrix({.rounds = 1});
  const std::vector<double> x = {1, 2, 3, 4}, y = {1, 2, 3, 4};
  matrix.fit(data::Matrix(x, 1), y);
  EXPECT_THROW(Bundle{matrix}, StateError);
}

TEST(EstimatorBundle, TakesClassicModelsAndOtherTasks) {
  const data::Pipeline numbers({data::drop(data::columns({"id"})), data::normalize_formats(),
                                data::impute(data::numeric(), data::Fill::median), data::standardize(data::numeric()),
                                data::one_hot(data::categorical())});
  const Parts small = parts(numbers, "spend");
  // The target is read as text here; a ridge takes numbers.
  data::Table table = small.table;
  std::vector<double> spend;
  for (std::int64_t i = 0; i < table.rows(); ++i) spend.push_back(static_cast<double>(i % 17));
  table.replace("spend", data::Column::from_f64(spend));
  data::Pipeline pipeline = numbers;
  const data::Table training = pipeline.fit_transform_table(table.slice(0, 120), "spend");
  const data::Table validation = pipeline.transform_table(table.slice(120, 60));
  models::Ridge ridge;
  const train::Fitted fitted =
      train::fit_estimator(ridge, train::regression({.target = "spend"}), training, validation, {.bootstrap = 20});
  EXPECT_EQ(fitted.report.baselines.size(), 1u);
  const Bundle bundle(ridge, pipeline, fitted);
  const Bundle loaded = Bundle::from_bytes(bundle.to_bytes());
  EXPECT_EQ(loaded.predict(table).values, ridge.predict(pipeline.transform_table(table)));
  EXPECT_EQ(loaded.estimator().type(), "ridge");
  EXPECT_TRUE(loaded.predict(table).decisions.empty());
}

TEST(EstimatorBundle, OfWhichRowsTrainedItNothingIsKnownUnlessTold) {
  const Parts small =
      parts(data::Pipeline({data::drop(data::columns({"id"})), data::normalize_formats(),
                            data::impute(data::numeric(), data::Fill::median), data::one_hot(data::categorical())}));
  models::LogisticRegression model;
  model.fit(small.train_features, "churn");
  const data::Table features = small.train_features;
  EXPECT_EQ(Bundle(model).evaluate(features, false).note,
            "rows given, not as test rows; which rows trained the model is not recorded");
  EXPECT_EQ(Bundle(model, {.train_rows = features.row_ids()}).evaluate(features, false).note.find("not recorded"),
            std::string::npos);
}

// What fit_estimator and a bundle say of classes without probabilities, and what they then take.
TEST(EstimatorBundle, TakesMarginsThatAreCalibrated) {
  const data::Pipeline numbers({data::drop(data::columns({"id"})), data::normalize_formats(),
                                data::impute(data::numeric(), data::Fill::median), data::standardize(data::numeric()),
                                data::one_hot(data::categorical())});
  const Parts small = parts(numbers);
  const data::Table& features = small.train_features;
  const models::LinearSvm svm;
  const models::SgdClassifier hinge({.loss = models::SgdLoss::hinge, .alpha = 0.1, .max_iterations = 20});
  for (const data::Estimator* each :
       {static_cast<const data::Estimator*>(&svm), static_cast<const data::Estimator*>(&hinge)}) {
    const std::unique_ptr<data::Estimator> margins = each->clone();
    const std::string says = "without; models::Calibrated gives them";
    EXPECT_NE(message_of<ValueError>([&] {
                train::fit_estimator(*margins, churn_task(), features, small.validation_features);
              }).find(says),
              std::string::npos)
        << each->type();
    margins->fit(features, "churn");
    EXPECT_NE(message_of<ValueError>([&] { Bundle refused(*margins); }).find(says), std::string::npos) << each->type();

    models::Calibrated model(*each, {.folds = 3});
    const train::Fitted fitted =
        train::fit_estimator(model, churn_task(), features, small.validation_features, {.bootstrap = 20});
    const Folder folder("estimator-margins");
    Bundle(model, small.pipeline, fitted, facts_of(small)).save(folder / "churn.tern");
    const Bundle loaded = Bundle::load(folder / "churn.tern");
    EXPECT_EQ(loaded.predict(small.table).values,
              model.predict_probability(small.pipeline.transform_table(small.table)));
    EXPECT_EQ(dynamic_cast<const models::Calibrated&>(loaded.estimator()).estimator().type(), each->type());
    EXPECT_GT(fitted.report.model.binary.auroc.value, 0.55) << each->type();
    // A file whose estimator is the bare model is damaged.
    internal::Entries entries = internal::read_archive(loaded.to_bytes());
    entries["estimator.json"] = data::internal::state_json(margins->state());
    entries["weights.safetensors"] = to_safetensors({.tensors = margins->state().tensors});
    EXPECT_NE(message_of<FormatError>([&] { Bundle::from_bytes(test::repacked(entries)); }).find(says),
              std::string::npos)
        << each->type();
  }
}

// Everything that is registered, by itself: what it says of rows comes back bit for bit.
TEST(EstimatorBundle, HoldsEveryEstimator) {
  const data::Pipeline numbers({data::drop(data::columns({"id", "spend"})), data::normalize_formats(),
                                data::impute(data::numeric(), data::Fill::median),
                                data::min_max(data::numeric(), {.clip = true}), data::one_hot(data::categorical())});
  const Parts small = parts(numbers, "churn", 120);
  const data::Table classes = small.train_features;  // all of 0 to 1, as those that count want it
  data::Table values = classes;
  std::vector<double> y;
  for (std::int64_t i = 0; i < values.rows(); ++i)
    y.push_back(1 + values["age"].numeric(i) + static_cast<double>(i % 3));
  values.replace("churn", data::Column::from_f64(y));

  using namespace models;
  const LogisticRegression curve;
  const LinearSvm svm;
  const Ridge line;
  const trees::RandomForest forest({.trees = 3, .max_leaves = 4});
  std::vector<std::unique_ptr<data::Estimator>> all;
  const auto add = [&](const data::Estimator& each) { all.push_back(each.clone()); };
  add(trees::GradientBoosting({.objective = trees::Objective::binary, .rounds = 3}));
  add(trees::GradientBoosting({.rounds = 3}));
  add(forest);
  add(trees::RandomForest({.criterion = trees::Criterion::squared, .trees = 3}));
  add(trees::ExtraTrees({.trees = 3}));
  add(line);
  add(LinearRegression());
  add(Lasso({.alpha = 0.01}));
  add(ElasticNet({.alpha = 0.01}));
  add(PoissonRegression());
  add(curve);
  add(SgdClassifier({.max_iterations = 5}));
  add(SgdRegressor({.max_iterations = 5}));
  add(GaussianNaiveBayes());
  add(MultinomialNaiveBayes());
  add(BernoulliNaiveBayes());
  add(KNeighborsClassifier());
  add(KNeighborsRegressor());
  for (const auto method : {CalibrationMethod::platt, CalibrationMethod::isotonic, CalibrationMethod::temperature}) {
    add(Calibrated(svm, {.method = method, .folds = 2}));
  }
  add(Voting({&curve, &forest}));
  add(Stacking({&curve, &forest}, curve, {.folds = 2}));
  add(Stacking({&line, &line}, line, {.folds = 2}));
  std::set<std::string, std::less<>> covered = {"linear_svm"};  // which goes in calibrated
  for (const auto& model : all) {
    const data::Table& rows = model->classifies() ? classes : values;
    model->fit(rows, "churn");
    const Bundle loaded = Bundle::from_bytes(Bundle(*model).to_bytes());
    EXPECT_EQ(loaded.predict(rows).values,
              model->classifies() ? model->predict_probability(rows) : model->predict(rows))
        << model->type();
    EXPECT_EQ(loaded.predict(rows.slice(7, 1)).values[0], loaded.predict(rows).values[7]) << model->type();
    covered.emplace(model->type());
  }
  const std::string known = message_of<FormatError>([] { data::make_estimator({.type = "none"}); });
  std::string listed = known.substr(known.find("one of ") + 7);
  listed.resize(listed.find(" or a type"));
  std::istringstream names(listed);
  for (std::string name; std::getline(names >> std::ws, name, ',');) EXPECT_TRUE(covered.contains(name)) << name;
}

TEST(EstimatorBundle, HoldsWhatRanks) {
  trees::register_estimators();
  std::vector<double> match, grade;
  std::vector<std::string> query;
  for (int row = 0; row < 120; ++row) {
    match.push_back(row * 7 % 10);
    grade.push_back(row * 7 % 10 / 4);
    query.push_back("q" + std::to_string(row / 10));
  }
  const data::Table rows{{"match", data::Column::from_f64(match)},
                         {"grade", data::Column::from_f64(grade)},
                         {"query", data::Column::from_strings(query)}};
  trees::GradientBoosting model({.objective = trees::Objective::lambdarank, .rounds = 5});
  model.fit(rows, "grade", {.query = "query"});
  const Bundle loaded = Bundle::from_bytes(Bundle(model).to_bytes());
  EXPECT_EQ(loaded.predict(rows).values, model.predict(rows));
  EXPECT_EQ(loaded.predict(rows.drop({"grade", "query"})).values, model.predict(rows));
  Bundle judged(model);  // whose scores are no guesses at the grades
  EXPECT_THROW(judged.evaluate(rows), StateError);
}

// The steps of this room stand in a bundle's pipeline.
TEST(EstimatorBundle, HoldsStepsThatAreModels) {
  const data::Table table = data::read_csv_text(small_csv(120)).drop({"id"});
  const data::Selector both = data::columns({"age", "spend"});
  for (const data::StepPtr& step :
       {models::pca_step(both, {.components = 1}), models::truncated_svd_step(both, {.components = 1}),
        models::nmf_step(both, {.components = 1}), models::k_means_step(both, {.clusters = 3}),
        models::gaussian_mixture_step(both, {.components = 2}), trees::isolation_forest_step(both, {.trees = 5})}) {
    data::Pipeline pipeline({data::normalize_formats(), data::impute(data::numeric(), data::Fill::median),
                             data::min_max(data::numeric()), step, data::one_hot(data::categorical())});
    const data::Table training = pipeline.fit_transform_table(table.head(80), "churn"),
                      validation = pipeline.transform_table(table.slice(80, 40));
    models::LogisticRegression model;
    const train::Fitted fitted = train::fit_estimator(model, churn_task(), training, validation, {.bootstrap = 0});
    const Bundle loaded = Bundle::from_bytes(Bundle(model, pipeline, fitted).to_bytes());
    EXPECT_EQ(loaded.predict(table).values, model.predict_probability(pipeline.transform_table(table))) << step->type();
  }
}

TEST(EstimatorBundle, RefusesWhatDoesNotFitTogether) {
  const Parts small = parts(cleaning());
  trees::GradientBoosting model = small_trees();
  const train::Fitted fitted =
      train::fit_estimator(model, churn_task(), small.train_features, small.validation_features, {.bootstrap = 20});
  EXPECT_THROW(Bundle(small_trees(), small.pipeline, fitted), StateError);
  EXPECT_THROW(Bundle(model, data::Pipeline(), fitted), StateError);
  data::Pipeline fewer({data::drop(data::columns({"id", "age"})), data::normalize_formats()});
  fewer.fit_transform_table(small.training, "churn");
  EXPECT_THROW(Bundle(model, fewer, fitted), DataError);
  trees::GradientBoosting values({.rounds = 2});
  const data::Table& features = small.train_features;
  values.fit(features.filter([&](std::int64_t i) { return !features["age"].is_null(i); }).drop({"churn"}), "age");
  EXPECT_THROW(Bundle(values, small.pipeline, fitted), ValueError);
  trees::GradientBoosting others({.objective = trees::Objective::binary, .rounds = 2});
  data::Table renamed = small.train_features;
  std::vector<std::string> words;
  for (std::int64_t i = 0; i < renamed.rows(); ++i) words.push_back(i % 2 ? "left" : "stayed");
  renamed.replace("churn", data::Column::from_strings(words));
  others.fit(renamed, "churn");
  EXPECT_THROW(Bundle(others, small.pipeline, fitted), ValueError);
}

TEST(EstimatorBundle, NamesTheEntryThatIsDamaged) {
  const internal::Entries good = internal::read_archive(trees_bundle(parts(cleaning())).to_bytes());
  const auto refused = [&](const internal::Entries& entries) {
    return message_of<FormatError>([&] { Bundle::from_bytes(test::repacked(entries), {}, "x.tern"); });
  };
  internal::Entries damaged = good;
  damaged["estimator.json"].resize(damaged["estimator.json"].size() / 2);
  EXPECT_NE(refused(damaged).find("[bundle] x.tern: entry \"estimator.json\""), std::string::npos) << refused(damaged);
  damaged = good;
  std::string& json = damaged["estimator.json"];
  json.replace(json.find("gradient_boosting"), 17, "gradient_descent ");
  EXPECT_NE(refused(damaged).find("gradient_boosting"), std::string::npos) << refused(damaged);
  damaged = good;
  damaged.erase("estimator.json");
  EXPECT_NE(refused(damaged).find("expected entry \"weights.safetensors\""), std::string::npos) << refused(damaged);
  damaged = good;
  damaged["model.json"] = "{}";
  EXPECT_NE(refused(damaged).find("a module or an estimator"), std::string::npos) << refused(damaged);
  std::string version = good.at("bundle.json");
  version.replace(version.find("\"version\": 2"), 12, "\"version\": 1");
  EXPECT_NE(message_of<FormatError>([&] { internal::parse_manifest(version); }).find("\"weights.safetensors\""),
            std::string::npos);
}

TEST(EstimatorBundle, FlippedBytesAreErrorsOrChangeNothing) {
  const Parts small = parts(cleaning(), "churn", 80);
  const Bundle made = trees_bundle(small);
  const std::string bytes = made.to_bytes();
  const std::vector<double> expected = made.predict(small.table).values;
  for (std::size_t at = 0; at < bytes.size(); at += 61) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    try {
      EXPECT_EQ(Bundle::from_bytes(flipped).predict(small.table).values, expected) << at;
    } catch (const FormatError&) {
    }
  }
  for (std::size_t size = 0; size < bytes.size(); size += 997) {
    EXPECT_THROW(Bundle::from_bytes(std::string_view(bytes).substr(0, size)), FormatError);
  }
  // Behind a manifest that fits: what a hostile writer can reach.
  const internal::Entries good = internal::read_archive(bytes);
  for (const char* name : {"estimator.json", "baselines.json", "pipeline.json"}) {
    const std::string& text = good.at(name);
    for (std::size_t at = 0; at < text.size(); at += std::max<std::size_t>(1, text.size() / 120)) {
      internal::Entries entries = good;
      entries[name][at] = static_cast<char>(entries[name][at] ^ (1 << (at % 7)));
      try {
        Bundle::from_bytes(test::repacked(entries)).predict(small.table);
      } catch (const FormatError&) {
      } catch (const DataError&) {
      }
    }
  }
}

}  // namespace
}  // namespace tern
