#include "tern/trees/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/data/csv.h"
#include "tern/trees/explain.h"
#include "tern/trees/gradient_boosting.h"
#include "tern/trees/predictor.h"
#include "trees/models.h"

namespace tern::trees {
namespace {

std::vector<double> float_rows(const Ensemble& model, std::int64_t count) {
  const Philox random(5);
  std::uint64_t drawn = 0;
  std::vector<double> rows;
  for (std::int64_t row = 0; row < count; ++row) {
    for (const Feature& feature : model.features) {
      double value = (static_cast<double>(random.below(drawn++, 21)) - 10) / 4;
      if (random.below(drawn++, 3) == 0) value = std::nextafter(static_cast<float>(value), -9.0F);
      if (feature.categorical) value = static_cast<double>(random.below(drawn++, feature.levels.size() + 2));
      rows.push_back(random.below(drawn++, 10) == 0 ? std::numeric_limits<double>::quiet_NaN() : value);
    }
  }
  return rows;
}

void expect_close(const Ensemble& got, const Ensemble& wanted, double tolerance) {
  const std::vector<double> rows = float_rows(wanted, 400);
  const std::vector<double> a = Predictor(got).predict(rows), b = Predictor(wanted).predict(rows);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << "at " << i;
}

std::vector<Ensemble> models() {
  std::vector<Ensemble> list{random_ensemble({}), random_ensemble({.outputs = 3}), random_ensemble({.leaves = 1}),
                             random_ensemble({.rounds = 0, .outputs = 2}), random_ensemble({.average = true})};
  list[0].link = Link::sigmoid;
  list[0].objective = "binary";
  list[0].classes = {"no", "yes"};
  list[1].link = Link::softmax;
  list[1].objective = "multiclass";
  list[1].base = {0.5, -0.25, 0};
  list[1].best_round = 3;
  list[2].link = Link::exp;
  list[2].objective = "gamma";
  return list;
}

TEST(Formats, OnlyOwnJsonHoldsVectorLeaves) {
  const Ensemble model = random_ensemble({.outputs = 3, .vector_leaves = true, .average = true});
  const Ensemble back = from_json(to_json(model));
  EXPECT_EQ(to_json(back), to_json(model));
  expect_close(back, model, 0);
  EXPECT_NE(to_json(model).find("\"version\":2"), std::string::npos);  // what knows no forests shall not read it
  EXPECT_NE(to_json(random_ensemble({})).find("\"version\":1"), std::string::npos);
  const std::string expected = "] expected trees of one value a leaf, got 3 values, which the format cannot hold";
  EXPECT_EQ(message_of<Error>([&] { to_xgboost(model); }), "[export_xgboost" + expected);
  EXPECT_EQ(message_of<Error>([&] { to_lightgbm(model); }), "[export_lightgbm" + expected);
  Ensemble cut = model;
  cut.trees[1].leaf_value.pop_back();
  EXPECT_NE(message_of<Error>([&] { to_json(cut); }).find("tree 1 with a value of each output"), std::string::npos);
}

TEST(Formats, OwnJsonLosesNothing) {
  for (Ensemble model : models()) {
    model.features[1].zero_is_missing = true;
    model.float32_inputs = true;
    if (!model.trees.empty() && model.trees[0].nodes() > 1) {
      for (std::size_t node = 0; node < 2; ++node) {
        if (model.trees[0].set[node] < 0) model.trees[0].threshold[node] = std::numeric_limits<double>::infinity();
      }
    }
    const std::string text = to_json(model);
    const Ensemble back = from_json(text);
    EXPECT_EQ(to_json(back), text);
    expect_close(back, model, 0);
    EXPECT_EQ(back.classes, model.classes);
    EXPECT_EQ(back.best_round, model.best_round);
    EXPECT_EQ(back.objective, model.objective);
    EXPECT_EQ(back.features[4].levels, model.features[4].levels);
  }
}

// LightGBM weighs the sides of a node by their rows: those that are written have the ratios of the covers, and none is
// 0, which sums of small hessians round to.
TEST(Formats, LightgbmCountsKeepTheCovers) {
  std::vector<double> x, y;
  for (int row = 0; row < 400; ++row) {
    x.push_back(row % 97);
    y.push_back(row % 97 > 40 ? 1 : 0);
  }
  GradientBoosting model(
      {.objective = Objective::binary, .rounds = 40, .learning_rate = 0.3, .max_leaves = 8, .min_child_rows = 5});
  model.fit(Matrix(x, 1), y);
  const Ensemble back = from_lightgbm(to_lightgbm(model.ensemble()));
  const std::vector<double> rows{3, 40, 41, 90}, a = TreeShap(back).values(rows),
                                                 b = TreeShap(model.ensemble()).values(rows);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-4) << i;
}

TEST(Formats, SavedAndLoaded) {
  const std::string path = temporary_path("trees_model.json");
  const Ensemble model = random_ensemble({});
  save(model, path);
  EXPECT_EQ(to_json(load(path)), to_json(model));
  std::filesystem::remove(path);
  EXPECT_THROW(load(path), FileError);
}

// Every cut is an error, and no altered byte does worse than an error.
template <class Read>
void expect_bounded(const std::string& bytes, Read read) {
  for (std::size_t size = 0; size + 2 < bytes.size(); size += 1 + bytes.size() / 300) {
    EXPECT_THROW(read(bytes.substr(0, size)), FormatError) << size;
  }
  const Philox random(8);
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::string altered = bytes;
    altered[random.below(2 * i, altered.size())] = static_cast<char>(random.below(2 * i + 1, 256));
    try {
      Predictor{read(altered)};
    } catch (const FormatError&) {
    }
  }
}

TEST(Formats, DamagedFilesAreTypedErrors) {
  const Ensemble model = random_ensemble({.rounds = 2, .leaves = 5});
  expect_bounded(to_json(model), [](const std::string& text) { return from_json(text); });
  expect_bounded(to_xgboost(model), [](const std::string& text) { return from_xgboost(text); });
  expect_bounded(to_xgboost(model, XgboostForm::ubjson), [](const std::string& text) { return from_xgboost(text); });
  std::string text = to_lightgbm(model);
  text.resize(text.find("end of trees") + 4);
  expect_bounded(text, [](const std::string& altered) { return from_lightgbm(altered); });
  EXPECT_THROW(from_json("{}"), FormatError);
  EXPECT_THROW(from_json(R"({"format":"tern-trees","version":2})"), FormatError);
  std::string unsound = to_json(model);
  const std::size_t left = unsound.find("\"left\":[");
  unsound.replace(left, 9, "\"left\":[9");
  EXPECT_NE(message_of<Error>([&] { from_json(unsound); }).find("of tree 0 with children"), std::string::npos);
}

TEST(Formats, HostileUbjson) {
  EXPECT_EQ(message_of<FormatError>([] { from_xgboost(""); }), "[xgboost] expected JSON or UBJSON, got an empty file");
  EXPECT_THROW(from_xgboost("{L"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a[$Z#l\x7f\xff\xff\xff}"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a[#l\x7f\xff\xff\xff}"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a" + std::string(100000, '[')), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\xff") + "a"), FormatError);
}

// A LightGBM model of a chain of categorical nodes, each with the set that `set_of` numbers, of `words` words.
template <class F>
std::string lightgbm_chain(int nodes, int sets, int words, const F& set_of) {
  std::string features, thresholds, lefts, rights, types, leaves, bounds = "0", codes;
  for (int node = 0; node < nodes; ++node) {
    features += "0 ";
    thresholds += std::to_string(set_of(node)) + " ";
    lefts += std::to_string(~node) + " ";
    rights += std::to_string(node + 1 < nodes ? node + 1 : ~nodes) + " ";
    types += "1 ";
  }
  for (int leaf = 0; leaf <= nodes; ++leaf) leaves += "0.5 ";
  for (int set = 1; set <= sets; ++set) bounds += " " + std::to_string(set * words);
  for (int word = 0; word < sets * words; ++word) codes += "7 ";
  return "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=0\nobjective=regression\n"
         "feature_names=a\nfeature_infos=0\n\nTree=0\nnum_leaves=" +
         std::to_string(nodes + 1) + "\nnum_cat=" + std::to_string(sets) + "\nsplit_feature=" + features +
         "\nthreshold=" + thresholds + "\ndecision_type=" + types + "\nleft_child=" + lefts +
         "\nright_child=" + rights + "\nleaf_value=" + leaves + "\ncat_boundaries=" + bounds +
         "\ncat_threshold=" + codes + "\nis_linear=0\n\nend of trees\n";
}

TEST(Formats, LightgbmSetsStandAtOneNodeEach) {
  EXPECT_EQ(from_lightgbm(lightgbm_chain(4, 4, 3, [](int node) { return 3 - node; })).trees[0].sets.size(), 4u);
  // 8000 nodes that name one set of 20,000 words would take 1.3 GB of a file of a few hundred kB.
  EXPECT_NE(message_of<FormatError>([] {
              from_lightgbm(lightgbm_chain(8000, 1, 20'000, [](int) { return 0; }));
            }).find("each set of categories at one node"),
            std::string::npos);
  // Boundaries that go to and fro name the same words as well.
  std::string text = lightgbm_chain(2, 3, 2, [](int node) { return 2 * node; });
  const std::string bounds = "cat_boundaries=0 2 4 6";
  text.replace(text.find(bounds), bounds.size(), "cat_boundaries=0 6 0 6");
  EXPECT_NE(message_of<FormatError>([&] { from_lightgbm(text); }).find("cat_boundaries that ascend"),
            std::string::npos);
}

// An XGBoost model of `trees` trees, each a chain of nodes of one category.
std::string xgboost_chains(int trees, int nodes, int code, bool shared = false) {
  std::string all, outputs;
  for (int tree = 0; tree < trees; ++tree) {
    std::string left, right, zeros, ones, at, begins, sizes, codes;
    const auto add = [](std::string& list, auto value) { list += (list.empty() ? "" : ",") + std::to_string(value); };
    for (int i = 0; i <= 2 * nodes; ++i) {  // node i's left child is a leaf, its right one the next node
      const bool inner = i % 2 == 0 && i < 2 * nodes;
      add(left, inner ? i + 1 : -1);
      add(right, inner ? i + 2 : -1);
      add(zeros, 0);
      add(ones, inner ? 1 : 0);
      if (!inner) continue;
      add(at, i);
      add(begins, shared ? 0 : i / 2);
      add(sizes, shared ? nodes : 1);
      add(codes, code);
    }
    const auto list = [](const char* key, const std::string& values) {
      return std::string("\"") + key + "\":[" + values + "],";
    };
    all += std::string(tree ? "," : "") + "{" + list("left_children", left) + list("right_children", right) +
           list("split_indices", zeros) + list("split_conditions", zeros) + list("loss_changes", zeros) +
           list("sum_hessian", zeros) + list("default_left", zeros) + list("split_type", ones) +
           list("categories_nodes", at) + list("categories_segments", begins) + list("categories_sizes", sizes) +
           list("categories", codes) + R"("tree_param":{"size_leaf_vector":"1"}})";
    add(outputs, 0);
  }
  return R"({"learner":{"learner_model_param":{"num_feature":"1","base_score":"0","num_class":"0"},)"
         R"("objective":{"name":"reg:squarederror"},"gradient_booster":{"name":"gbtree","model":{"tree_info":[)" +
         outputs + R"(],"trees":[)" + all + "]}}}}";
}

TEST(Formats, XgboostCategoriesTakeMemoryInProportionToTheFile) {
  const int last = (1 << 24) - 1;
  const Ensemble few = from_xgboost(xgboost_chains(2, 4, last));
  EXPECT_EQ(few.trees[1].sets.at(3).size(), std::size_t{1} << 18);
  // 20 trees whose sets take 0.27 GB each; and as much again for a tree of one node each.
  EXPECT_NE(message_of<FormatError>([] { from_xgboost(xgboost_chains(20, 128, last)); }).find("in proportion"),
            std::string::npos);
  EXPECT_NE(message_of<FormatError>([] { from_xgboost(xgboost_chains(800, 1, last)); }).find("in proportion"),
            std::string::npos);
  EXPECT_EQ(from_xgboost(xgboost_chains(3, 200, 63)).trees[2].sets.size(), 200u);
  EXPECT_NE(message_of<FormatError>([] { from_xgboost(xgboost_chains(1, 200, 63, true)); }).find("share no"),
            std::string::npos);
}

TEST(Formats, ThereAndBack) {
  for (const Ensemble& model : models()) {
    expect_close(from_lightgbm(to_lightgbm(model)), model, 1e-12);
    expect_close(from_xgboost(to_xgboost(model)), model, 1e-6);
    expect_close(from_xgboost(to_xgboost(model, XgboostForm::ubjson)), model, 1e-6);
  }
  Ensemble scaled = random_ensemble({});
  scaled.link = Link::sigmoid;
  scaled.link_scale = 1.5;
  scaled.features[0].zero_is_missing = true;
  expect_close(from_lightgbm(to_lightgbm(scaled)), scaled, 1e-12);
  scaled.link_scale = 1;
  scaled.features[0].zero_is_missing = false;
  scaled.base = {30};  // beyond what a float probability holds
  expect_close(from_xgboost(to_xgboost(scaled)), scaled, 1e-6);
}

// What is minimised, and what that was told: of use to who trains on.
TEST(Formats, KeepTheObjectiveAndWhatItWasTold) {
  const std::vector<double> x{1, 2, 3, 4, 5, 6, 7, 8}, y{1, 1, 1, 2, 3, 5, 5, 5};
  for (const auto& [objective, told, name] :
       {std::tuple{Objective::huber, 0.7, "reg:pseudohubererror"},
        std::tuple{Objective::quantile, 0.8, "reg:quantileerror"}, std::tuple{Objective::tweedie, 1.3, "reg:tweedie"},
        std::tuple{Objective::absolute, 0.0, "reg:absoluteerror"},
        std::tuple{Objective::lambdarank, 0.0, "rank:ndcg"}}) {
    GradientBoosting model({.objective = objective,
                            .rounds = 2,
                            .min_child_rows = 1,
                            .huber_delta = 0.7,
                            .quantile = 0.8,
                            .tweedie_power = 1.3});
    const std::vector<std::int64_t> queries{4, 4};
    MatrixFitOptions how;
    if (objective == Objective::lambdarank) how.queries = queries;
    model.fit(Matrix(x, 1), y, how);
    EXPECT_EQ(model.ensemble().objective_parameter, told);
    const std::string text = to_xgboost(model.ensemble());
    EXPECT_NE(text.find(name), std::string::npos) << text.substr(text.size() - 400);
    for (const Ensemble& back :
         {from_xgboost(text), from_lightgbm(to_lightgbm(model.ensemble())), from_json(to_json(model.ensemble()))}) {
      EXPECT_EQ(back.objective, to_string(objective));
      EXPECT_EQ(back.objective_parameter, told) << name;
    }
  }
  Ensemble unknown = random_ensemble({});  // of a quantile that is not known: XGBoost would refuse the file
  unknown.objective = "quantile";
  EXPECT_NE(to_xgboost(unknown).find("reg:squarederror"), std::string::npos);
  unknown.objective_parameter = std::numeric_limits<double>::infinity();
  EXPECT_THROW(to_json(unknown), ValueError);
  std::string altered = to_lightgbm(random_ensemble({}));
  altered.replace(altered.find("objective=regression"), 20, "objective=huber");
  altered.replace(altered.find("\nparameters:\n"), 13, "\nparameters:\n[alpha: x]\n");
  EXPECT_THROW(from_lightgbm(altered), FormatError);
}

TEST(Formats, WhatAFormatCannotHoldNamesTheFeature) {
  Ensemble model = random_ensemble({});
  model.features[0].zero_is_missing = true;
  EXPECT_NE(message_of<Error>([&] { to_xgboost(model); }).find("[export_xgboost] feature \"f0\""), std::string::npos);
  model = random_ensemble({});
  model.features[0].name = "two words";
  EXPECT_NE(message_of<Error>([&] { to_lightgbm(model); }).find("[export_lightgbm] feature \"two words\""),
            std::string::npos);
  model = random_ensemble({.features = 3, .categorical = 1, .rounds = 1, .leaves = 10});
  model.features[2].levels.clear();
  EXPECT_EQ(message_of<ValueError>([&] { to_lightgbm(model); }),
            "[export_lightgbm] feature \"f2\": expected to know its levels where a missing one goes left");
  for (Tree& tree : model.trees) {
    for (auto& set : tree.sets) set.assign(set.size(), 0);
    for (auto& side : tree.left_default) side = 0;
  }
  EXPECT_EQ(message_of<ValueError>([&] { to_xgboost(model); }),
            "[export_xgboost] feature \"f2\": expected levels on both sides of a split, got none on one");
  for (Tree& tree : model.trees) {
    for (auto& set : tree.sets) set.assign((1 << 18) + 1, 0), set.back() = 1;
  }
  EXPECT_EQ(message_of<ValueError>([&] { to_xgboost(model); }),
            "[export_xgboost] feature \"f2\": expected codes below 2^24, got 16777216");
  model = random_ensemble({});
  model.features[3].name = "caf\xe9";
  EXPECT_EQ(message_of<ValueError>([&] { to_xgboost(model); }),
            "[export_xgboost] feature \"caf\xef\xbf\xbd\": expected names in UTF-8, got \"caf\xef\xbf\xbd\"");
  EXPECT_EQ(message_of<ValueError>([&] { to_xgboost(model, XgboostForm::ubjson); }),
            message_of<ValueError>([&] { to_xgboost(model); }));
  EXPECT_NE(message_of<ValueError>([&] { to_lightgbm(model); }).find("feature \"caf\xef\xbf\xbd\": expected names"),
            std::string::npos);
  model.features[3].name = "caf\xc3\xa9";
  EXPECT_EQ(from_xgboost(to_xgboost(model)).features[3].name, model.features[3].name);
  EXPECT_EQ(from_lightgbm(to_lightgbm(model)).features[3].name, model.features[3].name);
  model.features[5].levels[1] = "\xff";
  EXPECT_NE(message_of<ValueError>([&] { to_lightgbm(model); }).find("feature \"f5\": expected names in UTF-8"),
            std::string::npos);
  model = random_ensemble({});
  model.link = Link::sigmoid;
  model.link_scale = 2;
  EXPECT_NE(message_of<Error>([&] { to_xgboost(model); }).find("scale 1"), std::string::npos);
}

TEST(Formats, LightgbmHoldsTheNamesOfLevels) {
  Ensemble model = random_ensemble({.levels = 4});
  model.features[4].levels = {"\xc3\xa9", "two words", "a \"quote\"\nand a line", "0"};
  model.features[5].levels = {"0", "1", "2", "3"};
  for (const auto& [type, names] :
       {std::pair{LevelType::text, "[\"0\",\"1\",\"2\",\"3\"]"}, std::pair{LevelType::number, "[0,1,2,3]"}}) {
    model.features[5].level_type = type;
    const std::string text = to_lightgbm(model);
    EXPECT_NE(text.find("\"0\"]," + std::string(names) + "]\n"), std::string::npos);
    for (const Ensemble& back : {from_lightgbm(text), from_json(to_json(model))}) {
      for (const std::size_t f : {4, 5}) EXPECT_EQ(back.features[f].levels, model.features[f].levels);
      EXPECT_EQ(back.features[4].level_type, LevelType::text);
      EXPECT_EQ(back.features[5].level_type, type);
    }
    EXPECT_TRUE(to_lightgbm(from_lightgbm(text)).ends_with(text.substr(text.find("pandas_cat"))));
  }
  model.features[5].levels = {"true", "false", "2.5", "-7"};
  EXPECT_NE(to_lightgbm(model).find(",[true,false,2.5,-7]]\n"), std::string::npos);
  model.features[5].levels[3] = "seven";
  EXPECT_EQ(message_of<ValueError>([&] { to_lightgbm(model); }),
            "[export_lightgbm] feature \"f5\": expected levels that are numbers, got \"seven\"");
  model.features[5].level_type = LevelType::code;
  std::string text = to_lightgbm(model);
  EXPECT_NE(text.find("pandas_categorical:null\n"), std::string::npos);
  const std::string mixed = "pandas_categorical:[[\"a\",\"b\",\"c\",\"d\"],[\"0\",1,2,3]]\n";
  EXPECT_EQ(from_lightgbm(text.substr(0, text.find("pandas_cat")) + mixed).features[5].level_type, LevelType::code);
  text = to_json(model);
  text.replace(text.find("\"code\""), 6, "\"kind\"");
  EXPECT_EQ(message_of<FormatError>([&] { from_json(text); }),
            "[Ensemble] member \"level_type\": expected text, number or code, got \"kind\"");
  for (Tree& tree : model.trees) tree.left_default.assign(tree.left_default.size(), 0);
  model.features[5].levels.clear();
  EXPECT_NE(to_lightgbm(model).find("pandas_categorical:null\n"), std::string::npos);
}

// Levels of text are looked up as texts, digits or not; codes of a matrix not at all.
TEST(Formats, LightgbmNamesTheLevelsOfTables) {
  std::vector<std::string> digits, words;
  std::vector<double> y, codes;
  for (int row = 0; row < 60; ++row) {
    digits.push_back(std::to_string(row % 3));
    words.push_back(row / 3 % 2 == 0 ? "no" : "yes");
    codes.insert(codes.end(), {static_cast<double>(row % 3), static_cast<double>(row / 3 % 2)});
    y.push_back(row % 3 * 2 + row / 3 % 2);
  }
  GradientBoosting model({.rounds = 2, .min_child_rows = 1});
  model.fit(data::Table{{"digit", data::Column::from_strings(digits)},
                        {"word", data::Column::from_strings(words)},
                        {"y", data::Column::from_f64(y)}},
            "y");
  EXPECT_NE(to_lightgbm(model.ensemble()).find("pandas_categorical:[[\"0\",\"1\",\"2\"],[\"no\",\"yes\"]]\n"),
            std::string::npos);
  model.fit(Matrix(codes, 2), y, {.categorical = {0, 1}});
  EXPECT_EQ(model.ensemble().features[0].levels, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_NE(to_lightgbm(model.ensemble()).find("pandas_categorical:null\n"), std::string::npos);
  EXPECT_NE(to_lightgbm(from_json(to_json(model.ensemble()))).find("pandas_categorical:null\n"), std::string::npos);
}

// Whole numbers that floats do not tell apart: an error where the rows of training would change sides, and the same
// sides where there is none.
TEST(Formats, XgboostHoldsNoThresholdBetweenRowsThatAreOneFloat) {
  const auto trained = [](std::int64_t first, std::int64_t step) {
    std::vector<std::int64_t> when;
    std::vector<double> y;
    for (std::int64_t row = 0; row < 60; ++row) {
      when.push_back(first + row * step);
      y.push_back(static_cast<double>(row * row % 17));
    }
    const data::Table table{{"when", data::Column::from_timestamps(when)}, {"y", data::Column::from_f64(y)}};
    GradientBoosting model({.rounds = 3, .min_child_rows = 1});
    model.fit(table, "y");
    return std::pair(model.ensemble(), table);
  };
  const std::int64_t now = 1'700'000'000'000'000, second = 1'000'000;  // microseconds: floats are 134 s apart
  for (const std::int64_t step : {second, 60 * second}) {
    EXPECT_NE(message_of<ValueError>([&] { to_xgboost(trained(now, step).first); })
                  .find("[export_xgboost] feature \"when\": expected thresholds of 2^24 and above to be floats, or "
                        "float32_inputs, got 1"),
              std::string::npos);
  }
  for (const auto& [first, step] :
       {std::pair{now, 300 * second}, std::pair{std::int64_t{(1 << 24) - 60}, std::int64_t{1}},
        std::pair{-(now / 1000), 86'400 * second}}) {
    const auto [model, table] = trained(first, step);
    const std::vector<double> a = Predictor(model).margins(table),
                              b = Predictor(from_xgboost(to_xgboost(model))).margins(table);
    for (std::size_t row = 0; row < a.size(); ++row) EXPECT_NEAR(a[row], b[row], 1e-5) << step;
  }
  constexpr float largest = std::numeric_limits<float>::max();
  // What floats hold, a model of floats, and small thresholds of any kind go as they are.
  Ensemble model = random_ensemble({.rounds = 1, .leaves = 2});
  model.trees[0].set[0] = -1;
  model.trees[0].feature[0] = 0;
  for (const auto& [threshold, floats, held] :
       {std::tuple{0x1p24 + 2, false, true},
        std::tuple{0x1p24 + 1, false, false},
        std::tuple{-0x1p25 - 1, false, false},
        std::tuple{0x1p24 + 1, true, true},
        std::tuple{0x1p24 - 0.3, false, true},
        std::tuple{0.1, false, true},
        std::tuple{20'096'500.000000004, false, true},  // LightGBM's middle of two floats
        std::tuple{20'096'499.999999996, false, false},
        std::tuple{20'096'500.00000001, false, false},
        std::tuple{1.5e39, false, false},
        std::tuple{1.5e39, true, false},
        std::tuple{-1.5e39, false, false},
        std::tuple{static_cast<double>(largest), false, false},
        std::tuple{-static_cast<double>(largest), false, true},
        std::tuple{static_cast<double>(std::nextafter(largest, 0.0F)), false, true},
        std::tuple{1e300, false, true},
        std::tuple{-1e300, false, true},  // LightGBM's infinity
        std::tuple{std::numeric_limits<double>::infinity(), false, true},
        std::tuple{std::numeric_limits<double>::max(), false, true},
        std::tuple{-std::numeric_limits<double>::max(), false, true}}) {
    model.trees[0].threshold[0] = threshold;
    model.float32_inputs = floats;
    EXPECT_EQ(message_of<ValueError>([&] { to_xgboost(model); }) == "no error", held) << threshold;
  }
  model.float32_inputs = false;
  for (const double threshold : {20'096'500.0, 20'096'500.000000004}) {  // floats go on with 20'096'502
    model.trees[0].threshold[0] = threshold;
    EXPECT_EQ(from_xgboost(to_xgboost(model)).trees[0].threshold[0], 20'096'500);
  }
}

// Models of the real libraries, with what they predicted (golden/make_models.py).
TEST(Formats, RealModels) {
  const std::string folder = std::string(TERN_TEST_DATA) + "/";
  const data::Table table = data::read_csv(folder + "predictions.csv");
  ASSERT_EQ(table.rows(), 60);
  for (const std::string name :
       {"lightgbm_binary.txt", "lightgbm_multiclass.txt", "xgboost_binary.json", "xgboost_poisson.ubj"}) {
    const Ensemble model = name.starts_with("xgboost") ? import_xgboost(folder + name) : import_lightgbm(folder + name);
    EXPECT_EQ(model.features[1].levels, (std::vector<std::string>{"u", "v", "w", "x", "y", "z"})) << name;
    const std::vector<double> predicted = Predictor(model).predict(table);
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      for (std::int32_t output = 0; output < model.outputs; ++output) {
        EXPECT_NEAR(predicted[static_cast<std::size_t>(row * model.outputs + output)],
                    table[name + ":" + std::to_string(output)].numeric(row), 1e-6)
            << name << " row " << row;
      }
    }
  }
}

TEST(Formats, XgboostLevelsThatAreNumbers) {
  const std::string folder = std::string(TERN_TEST_DATA) + "/";
  const Ensemble model = import_xgboost(folder + "xgboost_levels.json");
  EXPECT_EQ(model.features[0].levels, (std::vector<std::string>{"-4", "10", "20", "30"}));
  EXPECT_EQ(model.features[0].level_type, LevelType::number);
  const data::Table table = data::read_csv(folder + "levels.csv");
  const std::vector<double> predicted = Predictor(model).predict(table);
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    EXPECT_NEAR(predicted[static_cast<std::size_t>(row)], table["expected"].numeric(row), 1e-6) << row;
  }
}

TEST(Formats, LevelsGoToXgboostByName) {
  Ensemble model = import_xgboost(std::string(TERN_TEST_DATA) + "/xgboost_binary.json");
  model.features[1].levels = {"Zürich", "", "b", "a b", "10", "x"};
  for (const XgboostForm form : {XgboostForm::json, XgboostForm::ubjson}) {
    const Ensemble back = from_xgboost(to_xgboost(model, form));
    EXPECT_EQ(back.features[1].levels, model.features[1].levels);
    EXPECT_EQ(back.features[1].level_type, LevelType::text);
  }
  EXPECT_NE(to_xgboost(model).find("\"sorted_idx\":[1,4,0,3,2,5]"), std::string::npos) << to_xgboost(model);
  model.features[1].level_type = LevelType::number;
  EXPECT_EQ(to_xgboost(model).find("\"cats\""), std::string::npos);
}

// Levels that training dropped are unseen ones, also to what an export holds of the model.
TEST(Formats, DroppedLevelsGoAsUnseenOnes) {
  std::vector<std::string> rare, many;
  std::vector<bool> valid;
  std::vector<double> y;
  for (int row = 0; row < 3000; ++row) {
    rare.push_back("r" + std::to_string(row % 97 == 0 ? 50 + row : row % 7));
    many.push_back("m" + std::to_string(row * row % 631));  // 316 of them
    valid.push_back(row % 11 != 0);
    y.push_back(row * row % 631 % 5 + (row % 97 == 0 ? 3 : row % 7 % 3) + (valid.back() ? 0 : 2));
  }
  const data::Table table{{"rare", data::Column::from_strings(rare)},
                          {"many", data::Column::from_strings(many, valid)},
                          {"y", data::Column::from_f64(y)}};
  GradientBoosting model({.rounds = 20, .min_level_rows = 2});
  model.fit(table, "y");
  EXPECT_EQ(model.ensemble().features[0].levels.size(), 7u);
  EXPECT_EQ(model.ensemble().features[1].levels.size(), 255u);
  const data::Table rows{{"rare", data::Column::from_strings({"r3", "r50", "never", "", "r6"}, {1, 1, 1, 0, 1})},
                         {"many", data::Column::from_strings({"m0", "never", "m1", "m4", ""}, {1, 1, 1, 1, 0})}};
  for (const std::string name : {"dropped.json", "dropped.ubj", "dropped.txt"}) {
    const std::string path = temporary_path(name);
    const bool text = name.ends_with("txt");
    text ? export_lightgbm(model.ensemble(), path) : export_xgboost(model.ensemble(), path);
    const Predictor back(text ? import_lightgbm(path) : import_xgboost(path));
    std::filesystem::remove(path);
    for (const data::Table& some : {table, rows}) {
      const std::vector<double> got = back.predict(some), wanted = model.predict(some);
      for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-5) << name << " " << i;
    }
  }
}

TEST(Formats, LightgbmWordsThatAreRefused) {
  const std::string text = to_lightgbm(random_ensemble({.rounds = 1}));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return message_of<Error>([&] { from_lightgbm(changed); });
  };
  EXPECT_NE(with("is_linear=0", "is_linear=1").find("linear tree"), std::string::npos);
  EXPECT_NE(with("objective=regression", "objective=regression sqrt").find("square root"), std::string::npos);
  EXPECT_NE(with("objective=regression", "objective=novel").find("novel"), std::string::npos);
  EXPECT_NE(with("num_leaves=20", "num_leaves=21").find("21 values in \"leaf_value\""), std::string::npos);
  EXPECT_NE(with("num_leaves=20", "num_leaves=0").find("num_leaves"), std::string::npos);
  EXPECT_NE(with("end of trees", "end").find("end of trees"), std::string::npos);
}

}  // namespace
}  // namespace tern::trees
