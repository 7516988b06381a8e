// Every estimator's file, with each of its numbers replaced by bad ones and each of its arrays cut and doubled: loading
// throws FormatError, or gives an estimator whose answers have the right size.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "message_of.h"
#include "resealed.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/models/models.h"
#include "tern/models/recommend.h"
#include "tern/models/series.h"
#include "tern/tensor/creation.h"
#include "tern/trees/trees.h"

namespace tern::models {
namespace {

using Json = nlohmann::ordered_json;  // the order of the members is the file's
using Attempt = std::function<void(const std::string& where)>;

constexpr std::int64_t kRows = 24;

void alter(Json& node, const std::string& where, const Attempt& attempt) {
  const Json before = node;
  if (node.is_number()) {
    const Json bad[] = {-1,
                        0,
                        3,
                        0.5,
                        1e300,
                        -1e300,
                        std::numeric_limits<int>::max(),
                        std::numeric_limits<std::int64_t>::max(),
                        std::numeric_limits<std::int64_t>::min(),
                        nullptr,
                        "x"};
    for (const Json& value : bad) {
      node = value;
      attempt(where + " = " + value.dump());
    }
  } else if (node.is_array()) {
    node.erase(node.begin() + static_cast<std::ptrdiff_t>(node.size() / 2), node.end());
    attempt(where + " cut");
    node = before;
    node.insert(node.end(), before.begin(), before.end());
    attempt(where + " doubled");
    node = before;
    for (std::size_t i = 0; i < node.size(); ++i) {
      if (i > 1 && i + 1 < node.size()) continue;  // those between are like them
      alter(node[i], where + "/" + std::to_string(i), attempt);
    }
  } else if (node.is_object()) {
    for (auto& [name, member] : node.items()) alter(member, where + "/" + name, attempt);
  } else if (node.is_string() && node.get_ref<const std::string&>().starts_with('{')) {
    Json inner = Json::parse(node.get_ref<const std::string&>());
    alter(inner, where + "/", [&](const std::string& place) {
      node = inner.dump();
      attempt(place);
    });
  }
  node = before;
}

// A safetensors file in parts.
struct Tensors {
  struct One {
    std::string name, type;
    std::vector<std::int64_t> shape;
    std::string bytes;
  };
  Json metadata;
  std::vector<One> all;

  /// Without the hash of them.
  explicit Tensors(const std::string& file) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof(length));
    const Json header = Json::parse(file.substr(8, length));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        metadata = entry;
        metadata.erase("sha256");
        continue;
      }
      const auto begin = entry["data_offsets"][0].get<std::size_t>(), end = entry["data_offsets"][1].get<std::size_t>();
      all.push_back({name, entry["dtype"], entry["shape"], file.substr(8 + length + begin, end - begin)});
    }
  }
  std::string bytes() const {
    Json header;
    header["__metadata__"] = metadata;
    std::string data;
    for (const One& one : all) {
      header[one.name] = {
          {"dtype", one.type}, {"shape", one.shape}, {"data_offsets", {data.size(), data.size() + one.bytes.size()}}};
      data += one.bytes;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + text + data;
  }
};

template <class T>
void alter_elements(Tensors::One& tensor, std::initializer_list<T> bad, const Attempt& attempt) {
  const std::string before = tensor.bytes;
  const std::size_t count = before.size() / sizeof(T);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 1 && i + 1 < count) continue;
    for (const T value : bad) {
      std::memcpy(tensor.bytes.data() + i * sizeof(T), &value, sizeof(T));
      attempt(tensor.name + "[" + std::to_string(i) + "] = " + std::to_string(value));
    }
    tensor.bytes = before;
  }
}

void alter(Tensors::One& tensor, const Attempt& attempt) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  if (tensor.type == "F64") alter_elements<double>(tensor, {kNan, kInfinity, -1, 0, 0.5, 1e300, -1e300}, attempt);
  if (tensor.type == "F32") alter_elements<float>(tensor, {NAN, INFINITY, -1, 0, 0.5f, 1e38f}, attempt);
  if (tensor.type == "I64") {
    alter_elements<std::int64_t>(
        tensor, {-1, 0, 1000, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()},
        attempt);
  }
  if (tensor.type == "I32") {
    alter_elements<std::int32_t>(
        tensor, {-1, 0, 1000, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()},
        attempt);
  }
  if (tensor.shape.empty() || tensor.shape[0] == 0) return;
  const Tensors::One before = tensor;
  tensor.shape[0] = before.shape[0] / 2;
  tensor.bytes.resize(before.bytes.size() / static_cast<std::size_t>(before.shape[0]) *
                      static_cast<std::size_t>(tensor.shape[0]));
  attempt(tensor.name + " cut");
  tensor = before;
  tensor.shape[0] *= 2;
  tensor.bytes += before.bytes;
  attempt(tensor.name + " doubled");
  tensor = before;
  tensor.shape.push_back(1);
  attempt(tensor.name + " of another dimension");
  tensor = before;
}

// `ask` loads the file and looks at its answers.
void alter_file(const std::string& what, const std::string& path, const std::function<void()>& ask) {
  ask();
  const std::string file = read_file(path);
  std::int64_t refused = 0, taken = 0;
  const auto attempt = [&](const std::string& where, const std::string& bytes) {
    std::filesystem::remove(path);  // writing over one waits for the disk
    std::ofstream(path, std::ios::binary) << resealed(bytes);
    SCOPED_TRACE(what + ", " + where);
    try {
      ask();
      ++taken;
    } catch (const FormatError&) {
      ++refused;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  };
  if (file.starts_with('{')) {
    Json json = Json::parse(without_seal(file));
    alter(json, "", [&](const std::string& where) { attempt(where, json.dump()); });
  } else {
    Tensors tensors(file);
    alter(tensors.metadata, "", [&](const std::string& where) { attempt(where, tensors.bytes()); });
    for (Tensors::One& tensor : tensors.all) {
      alter(tensor, [&](const std::string& where) { attempt(where, tensors.bytes()); });
    }
  }
  EXPECT_GT(refused, 3) << what;
  EXPECT_GT(taken, 0) << what;
  std::filesystem::remove(path);
}

// Two columns of numbers, three classes and a value; with words where asked.
data::Table table(bool words) {
  std::vector<double> a, b, y;
  std::vector<std::string> level, kind;
  for (std::int64_t i = 0; i < kRows; ++i) {
    a.push_back(static_cast<double>(i % 3) + 0.1 * static_cast<double>(i % 7));
    b.push_back(static_cast<double>(i * i % 5));
    y.push_back(1 + a.back() + 0.3 * b.back());
    level.push_back(i % 4 < 2 ? "low" : "high");
    kind.push_back(std::string(1, static_cast<char>('p' + i % 3)));
  }
  data::Table made{{"a", data::Column::from_f64(a)}, {"b", data::Column::from_f64(b)}};
  if (words) made.add("level", data::Column::from_strings(level));
  made.add("y", data::Column::from_f64(y));
  made.add("kind", data::Column::from_strings(kind));
  return made;
}

void alter_estimator(data::Estimator&& model, bool words = false) {
  const data::Table rows = table(words);
  const std::string target = model.classifies() ? "kind" : "y", other = model.classifies() ? "y" : "kind";
  model.fit(rows.drop({other}), target);
  const std::string path = temporary_path("altered");
  model.save(path);
  alter_file(std::string(model.type()), path, [&] {
    const auto loaded = data::load_estimator(path);
    EXPECT_EQ(loaded->predict(rows).size(), static_cast<std::size_t>(kRows));
    if (!loaded->has_probability()) return;
    const std::size_t classes = loaded->classes().size();
    EXPECT_EQ(loaded->predict_probability(rows).size(), kRows * (classes == 2 ? 1 : classes));
  });
}

TEST(AlteredFiles, OfModels) {
  register_estimators();
  alter_estimator(Ridge());
  alter_estimator(LinearRegression());
  alter_estimator(ElasticNet({.alpha = 0.1}));
  alter_estimator(Lasso({.alpha = 0.1}));
  alter_estimator(LogisticRegression());
  alter_estimator(PoissonRegression());
  alter_estimator(LinearSvm());
  alter_estimator(SgdClassifier());
  alter_estimator(SgdRegressor());
  alter_estimator(GaussianNaiveBayes());
  alter_estimator(MultinomialNaiveBayes());
  alter_estimator(BernoulliNaiveBayes());
  alter_estimator(KNeighborsClassifier());
  alter_estimator(KNeighborsRegressor());
}

TEST(AlteredFiles, OfComposites) {
  register_estimators();
  const Ridge line;
  const LogisticRegression curve;
  alter_estimator(Voting({&line, &line}));
  alter_estimator(Stacking({&curve, &curve}, LogisticRegression(), {.folds = 2}));
  alter_estimator(Calibrated(curve, {.method = CalibrationMethod::isotonic, .folds = 2}));
  alter_estimator(Calibrated(LinearSvm(), {.method = CalibrationMethod::platt, .folds = 2}));
  alter_estimator(Calibrated(curve, {.method = CalibrationMethod::temperature, .folds = 2}));
}

TEST(AlteredFiles, OfTrees) {
  trees::register_estimators();
  alter_estimator(trees::GradientBoosting({.rounds = 2, .max_leaves = 3, .min_child_rows = 2}), true);
  alter_estimator(trees::GradientBoosting(
                      {.objective = trees::Objective::multiclass, .rounds = 1, .max_leaves = 3, .min_child_rows = 2}),
                  true);
  alter_estimator(trees::RandomForest({.trees = 2, .max_leaves = 3}), true);
  alter_estimator(trees::ExtraTrees({.trees = 2, .max_leaves = 3}), true);
  const data::Table rows = table(true).drop({"y", "kind"});
  trees::IsolationForest forest({.trees = 2, .samples = 6});
  forest.fit(rows);
  const std::string path = temporary_path("altered");
  forest.save(path);
  alter_file("isolation_forest", path, [&] {
    EXPECT_EQ(trees::IsolationForest::load(path).score(rows).size(), static_cast<std::size_t>(kRows));
  });
}

template <class Model, class Ask>
void alter_rows_model(Model&& model, Ask&& ask) {
  const data::Table rows = table(false).drop({"y", "kind"});
  model.fit(rows);
  const std::string path = temporary_path("altered");
  model.save(path);
  alter_file(std::string(model.type()), path, [&] { ask(std::decay_t<Model>::load(path), rows); });
}

TEST(AlteredFiles, OfRowsModels) {
  const auto labels = [](const auto& model, const data::Table& rows) {
    EXPECT_EQ(model.predict(rows).size(), static_cast<std::size_t>(kRows));
  };
  const auto coordinates = [](const auto& model, const data::Table& rows) {
    const Tensor to = model.transform(rows);
    EXPECT_EQ(to.size(0), kRows);
    EXPECT_EQ(model.inverse_transform(to).size(1), 2);
  };
  alter_rows_model(KMeans({.clusters = 3}), labels);
  alter_rows_model(Dbscan({.radius = 1}), labels);
  for (const auto kind : {GaussianMixtureOptions::Covariance::full, GaussianMixtureOptions::Covariance::diagonal,
                          GaussianMixtureOptions::Covariance::spherical}) {
    alter_rows_model(GaussianMixture({.components = 2, .covariance = kind}),
                     [&](const GaussianMixture& model, const data::Table& rows) {
                       labels(model, rows);
                       EXPECT_EQ(model.predict_probability(rows).size(), kRows * model.weights().size());
                     });
  }
  for (const Factorisation how : {Factorisation::exact, Factorisation::randomised, Factorisation::incremental}) {
    alter_rows_model(Pca({.components = 2, .factorisation = how, .whiten = true}), coordinates);
  }
  alter_rows_model(TruncatedSvd({.components = 1}), coordinates);
  alter_rows_model(Nmf({.components = 2}), coordinates);
}

TEST(AlteredFiles, OfSeries) {
  const std::string path = temporary_path("altered");
  std::vector<double> series;
  for (int t = 0; t < 30; ++t) series.push_back(10 + t + 3 * (t % 4) + std::sin(t * t));
  HoltWinters smooth({.trend = Trend::damped, .seasonality = Seasonality::additive, .period = 4});
  smooth.fit(series);
  smooth.save(path);
  alter_file("holt_winters", path, [&] { EXPECT_EQ(HoltWinters::load(path).forecast(6).size(), 6u); });
  AutoRegression past({.lags = 2, .further = {4}, .trend = true});
  past.fit(series);
  past.save(path);
  alter_file("auto_regression", path, [&] {
    const AutoRegression loaded = AutoRegression::load(path);
    EXPECT_EQ(loaded.forecast(6).size(), 6u);
    for (const double deviation : loaded.deviations(6)) EXPECT_GE(deviation, 0);
  });
}

// Counts that training would go on from.
TEST(AlteredFiles, CountsAreWhole) {
  const std::string path = temporary_path("altered");
  const auto refused = [&](const char* member, std::initializer_list<double> bad, const std::function<void()>& load) {
    Tensors tensors(read_file(path));
    Json& text = tensors.metadata["tern.estimator"];
    Json whole = Json::parse(text.get<std::string>());
    ASSERT_TRUE(whole["state"].contains(member));
    for (const double value : bad) {
      whole["state"][member] = value;
      if (value == std::floor(value) && std::abs(value) < 1e19) {
        whole["state"][member] = static_cast<std::int64_t>(value);
      }
      text = whole.dump();
      std::ofstream(path, std::ios::binary) << resealed(tensors.bytes());
      EXPECT_THROW(load(), FormatError) << member << " " << value;
    }
    std::filesystem::remove(path);
  };
  SgdRegressor line;
  const data::Table rows = table(false).drop({"kind"});
  line.fit(rows, "y");
  line.save(path);
  refused("steps", {-1, 0.5, 0x1p54, 9.2e18, 1e300}, [&] { SgdRegressor::load(path); });
  Pca parts({.components = 2, .factorisation = Factorisation::incremental});
  parts.fit(rows);
  parts.save(path);
  refused("rows", {-1, 0, 1.5, 0x1p54, 1e300}, [&] { Pca::load(path); });
}

template <class Model>
void alter_recommender(Model&& model) {
  Interactions rows;
  rows.user_names = {"u", "v", "w"};
  rows.item_names = {"a", "b", "c", "d"};
  for (std::int32_t i = 0; i < 8; ++i) {
    rows.users.push_back(i % 3);
    rows.items.push_back(i % 4);
    rows.values.push_back(static_cast<float>(1 + i % 2));
  }
  model.fit(rows);
  const std::string path = temporary_path("altered");
  model.save(path);
  alter_file(std::string(model.type()), path, [&] {
    const auto loaded = std::decay_t<Model>::load(path);
    EXPECT_EQ(loaded.scores(0).size(), loaded.item_names().size());
    EXPECT_LE(loaded.recommend(0, 3).size(), 3u);
    EXPECT_LE(loaded.recommend(-1, 3).size(), 3u);
  });
}

TEST(AlteredFiles, OfRecommenders) {
  alter_recommender(Popularity());
  alter_recommender(Als({.factors = 2, .iterations = 2}));
  alter_recommender(Als({.factors = 2, .iterations = 2, .implicit = true}));
  alter_recommender(Bpr({.factors = 2, .epochs = 2}));
}

// Whatever bit of a saved model is another one, the file is none.
TEST(AlteredFiles, EveryFlippedBitIsSeen) {
  const std::string path = temporary_path("flipped");
  const auto refused = [&](const std::string& what, const std::function<void()>& load) {
    load();
    std::string bytes = read_file(path);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto bit = static_cast<char>(1 << i % 8);
      bytes[i] = static_cast<char>(bytes[i] ^ bit);
      std::filesystem::remove(path);
      std::ofstream(path, std::ios::binary) << bytes;
      EXPECT_NE(message_of<FormatError>(load).find(path + ": "), std::string::npos) << what << ", byte " << i;
      bytes[i] = static_cast<char>(bytes[i] ^ bit);
    }
    std::filesystem::remove(path);
  };
  const data::Table rows = table(false).drop({"kind"});
  Ridge line;
  line.fit(rows, "y");
  line.save(path);
  refused("tensors", [&] { Ridge::load(path); });
  trees::GradientBoosting trees({.rounds = 1, .max_leaves = 3, .min_child_rows = 2});
  trees.fit(rows, "y");
  trees.save(path);
  refused("trees", [&] { trees::GradientBoosting::load(path); });
  trees::save(trees.ensemble(), path);
  refused("an ensemble", [&] { trees::load(path); });
  trees::IsolationForest forest({.trees = 1, .samples = 4});
  forest.fit(rows);
  forest.save(path);
  refused("an isolation forest", [&] { trees::IsolationForest::load(path); });
  std::vector<double> series;
  for (int i = 0; i < 12; ++i) series.push_back(i + 0.25 * (i % 3));
  HoltWinters smooth({.level = 0.5});
  smooth.fit(series);
  smooth.save(path);
  refused("a smoothed series", [&] { HoltWinters::load(path); });
  AutoRegression lags({.lags = 2});
  lags.fit(series);
  lags.save(path);
  refused("an auto-regression", [&] { AutoRegression::load(path); });
  Popularity popular;
  popular.fit({.users = {0, 1}, .items = {1, 0}, .values = {1, 1}, .user_names = {"u", "v"}, .item_names = {"a", "b"}});
  popular.save(path);
  refused("a recommender", [&] { Popularity::load(path); });
}

TEST(AlteredFiles, OfOtherKindsAreNoModels) {
  const std::string path = temporary_path("no_model.csv");
  for (const char* text : {"", "a,b\n1,2\n3,4\n", "{\"format\":", "PK\x03\x04 and so on"}) {
    write_file(path, text);
    for (const std::string& says :
         {message_of<FormatError>([&] { Ridge::load(path); }), message_of<FormatError>([&] { KMeans::load(path); }),
          message_of<FormatError>([&] { Als::load(path); })}) {
      EXPECT_TRUE(says.find("expected a file as Tern saved it, got another or a damaged one") != std::string::npos ||
                  std::string(text).starts_with("{"))
          << text << ": " << says;
    }
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tern::models
