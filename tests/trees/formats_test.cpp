#include "tern/trees/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/data/csv.h"
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
  EXPECT_THROW(from_xgboost("{L"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a[$Z#l\x7f\xff\xff\xff}"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a[#l\x7f\xff\xff\xff}"), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\x01") + "a" + std::string(100000, '[')), FormatError);
  EXPECT_THROW(from_xgboost(std::string("{i\xff") + "a"), FormatError);
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

TEST(Formats, WhatAFormatCannotHoldNamesTheFeature) {
  Ensemble model = random_ensemble({});
  model.features[0].zero_is_missing = true;
  EXPECT_NE(message_of<Error>([&] { to_xgboost(model); }).find("[export_xgboost] feature \"f0\""), std::string::npos);
  model = random_ensemble({});
  model.features[0].name = "two words";
  EXPECT_NE(message_of<Error>([&] { to_lightgbm(model); }).find("[export_lightgbm] feature \"two words\""),
            std::string::npos);
  model = random_ensemble({});
  for (Feature& feature : model.features) feature.levels.clear();
  EXPECT_NE(message_of<Error>([&] { to_lightgbm(model); }).find("expected to know its levels"), std::string::npos);
  model = random_ensemble({});
  for (Tree& tree : model.trees) {
    for (auto& set : tree.sets) set.assign(set.size(), 0);
    for (auto& side : tree.left_default) side = 0;
  }
  EXPECT_NE(message_of<Error>([&] { to_xgboost(model); }).find("levels on both sides"), std::string::npos);
  model = random_ensemble({});
  model.link = Link::sigmoid;
  model.link_scale = 2;
  EXPECT_NE(message_of<Error>([&] { to_xgboost(model); }).find("scale 1"), std::string::npos);
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
