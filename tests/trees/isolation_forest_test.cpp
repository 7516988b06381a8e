#include "tern/trees/isolation_forest.h"
#include "message_of.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "resealed.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/data/csv.h"
#include "tern/data/pipeline.h"
#include "tern/metrics/binary.h"
#include "tern/trees/explain.h"
#include "tern/trees/formats.h"
#include "tern/trees/register.h"

namespace tern::trees {
namespace {

using data::Matrix;

constexpr std::size_t kRows = 800, kOutliers = 40;

// A cloud around two lines, and points that lie anywhere, first.
std::vector<double> cloud(std::uint64_t seed) {
  const Philox random(seed);
  std::vector<double> x;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    const double t = normal(random, 3 * row);
    if (row < kOutliers) {
      for (std::uint64_t f = 0; f < 3; ++f) x.push_back(random.uniform(10'000 + 3 * row + f) * 16 - 8);
    } else {
      x.insert(x.end(), {t, 0.5 * t + 0.3 * normal(random, 3 * row + 1), normal(random, 3 * row + 2)});
    }
  }
  return x;
}

std::vector<std::uint8_t> planted() {
  std::vector<std::uint8_t> labels(kRows, 0);
  std::fill_n(labels.begin(), kOutliers, std::uint8_t{1});
  return labels;
}

TEST(IsolationForest, FindsWhatLiesApart) {
  const std::vector<double> x = cloud(1);
  IsolationForest model({.contamination = 0.05});
  model.fit(Matrix(x, 3));
  const std::vector<double> scores = model.score(Matrix(x, 3));
  for (const double score : scores) EXPECT_TRUE(score > 0 && score <= 1);
  EXPECT_GT(metrics::auroc(scores, planted()), 0.95);
  const std::vector<std::uint8_t> found = model.predict(Matrix(x, 3));
  EXPECT_EQ(std::count(found.begin(), found.end(), 1), static_cast<std::ptrdiff_t>(kOutliers));
  IsolationForest plain;
  plain.fit(Matrix(x, 3));
  EXPECT_EQ(plain.threshold(), 0.5);
  EXPECT_EQ(plain.score(Matrix(x, 3)), scores);
}

TEST(IsolationForest, ALargeSampleOfMoreRowsIsWithoutRepeats) {
  const std::size_t rows = 1'000'000;  // of distinct numbers, few enough of them drawn that only what moves is kept
  const std::int64_t samples = 60'000;
  std::vector<double> x(rows);
  for (std::size_t row = 0; row < rows; ++row) x[row] = static_cast<double>(row);
  IsolationForest model({.trees = 2, .samples = samples, .seed = 9});
  model.fit(Matrix(x, 1));
  for (const Tree& tree : model.ensemble().trees) {
    // A leaf of two rows above the last depth would hold one row twice.
    std::vector<std::pair<std::int32_t, int>> open{{0, 0}};
    double covered = 0;
    while (!open.empty()) {
      const auto [node, depth] = open.back();
      open.pop_back();
      if (node >= 0) {
        open.emplace_back(tree.left[static_cast<std::size_t>(node)], depth + 1);
        open.emplace_back(tree.right[static_cast<std::size_t>(node)], depth + 1);
        continue;
      }
      const double cover = tree.leaf_cover[static_cast<std::size_t>(~node)];
      covered += cover;
      if (depth < 16) {
        EXPECT_EQ(cover, 1);
      }
    }
    EXPECT_EQ(covered, static_cast<double>(samples));
  }
}

// The score by the definition of the paper, from the trees' depths and covers.
TEST(IsolationForest, ScoresFollowTheDefinition) {
  const std::vector<double> x = cloud(2);
  IsolationForest model({.trees = 20, .samples = 64, .seed = 4});
  model.fit(Matrix(x, 3));
  const Ensemble& trained = model.ensemble();
  trained.check();
  const auto c = [](double n) {
    double harmonic = 0.5772156649015329 + std::log(n - 1);
    return n <= 1 ? 0.0 : n == 2 ? 1.0 : 2 * harmonic - 2 * (n - 1) / n;
  };
  const std::vector<double> scores = model.score(Matrix(x, 3));
  for (std::size_t row = 0; row < 50; ++row) {
    double depths = 0;
    for (const Tree& tree : trained.trees) {
      EXPECT_LE(tree.depth(), 6);
      EXPECT_EQ(tree.cover[0], 64);
      std::int32_t at = 0;
      int depth = 0;
      for (; at >= 0; ++depth) {
        const auto node = static_cast<std::size_t>(at);
        at = x[row * 3 + static_cast<std::size_t>(tree.feature[node])] <= tree.threshold[node] ? tree.left[node]
                                                                                               : tree.right[node];
      }
      depths += depth + c(tree.leaf_cover[static_cast<std::size_t>(~at)]);
    }
    EXPECT_NEAR(scores[row], std::pow(2, -depths / 20 / c(64)), 1e-12);
  }
  const std::vector<double> shap = TreeShap(trained).values({x.data(), 3});
  EXPECT_NEAR(std::exp(shap[0] + shap[1] + shap[2] + shap[3]), scores[0], 1e-12);
}

TEST(IsolationForest, SameBitsAtAnyNumberOfThreads) {
  const std::vector<double> x = cloud(3);
  const auto trained = [&](int threads, std::uint64_t seed) {
    set_num_threads(threads);
    IsolationForest model({.trees = 15, .seed = seed});
    model.fit(Matrix(x, 3));
    set_num_threads(0);
    return to_json(model.ensemble());
  };
  EXPECT_EQ(trained(1, 1), trained(2, 1));
  EXPECT_EQ(trained(1, 1), trained(5, 1));
  EXPECT_NE(trained(1, 1), trained(1, 2));
}

TEST(IsolationForest, TablesMissingValuesAndFiles) {
  std::string text = "a,b,kind\n";
  const Philox random(5);
  for (std::uint64_t row = 0; row < 300; ++row) {
    const bool odd = row == 17;
    text += (row % 20 == 3 ? "" : std::to_string(odd ? 40 : normal(random, 2 * row))) + "," +
            std::to_string(normal(random, 2 * row + 1)) + "," +
            (odd       ? "rare"
             : row % 2 ? "common"
                       : "usual") +
            "\n";
  }
  const data::Table table = data::read_csv_text(text);
  IsolationForest model({.trees = 20});
  model.fit(table);
  const std::vector<double> scores = model.score(table);
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()) - scores.begin(), 17);
  EXPECT_EQ(model.predict(table)[17], 1);
  const std::string path = temporary_path("isolation_test.json");
  model.save(path);
  const IsolationForest back = IsolationForest::load(path);
  EXPECT_EQ(back.score(table), scores);
  EXPECT_EQ(back.threshold(), model.threshold());
  const std::string kept = read_file(path);
  for (std::size_t length = 0; length < kept.size(); length += kept.size() / 20 + 1) {
    write_file(path, kept.substr(0, length));
    EXPECT_THROW(IsolationForest::load(path), FormatError);
  }
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"\"link\":\"exp\"", "\"link\":\"identity\""},
        {"\"average\":true", "\"average\":false"},
        {"\"threshold\":0.5", "\"threshold\":7.5"},
        {"\"outputs\":1,\"average\":true,\"base\":[0.0]", "\"outputs\":2,\"average\":true,\"base\":[0.0,0.0]"}}) {
    std::string altered = without_seal(kept);
    ASSERT_NE(altered.find(from), std::string::npos) << from << kept.substr(0, 600);
    write_file(path, resealed(altered.replace(altered.find(from), from.size(), to)));
    EXPECT_THROW(IsolationForest::load(path), FormatError) << to;
  }
  std::filesystem::remove(path);
}

TEST(IsolationForest, IsAStepOfAPipeline) {
  std::string text = "a,b,kind,isolation_forest\n";
  for (int row = 0; row < 300; ++row) {
    text += row % 9 == 0 ? "" : std::to_string(row == 17 ? 900 : row % 10);
    text += "," + std::to_string(row % 7) + (row % 2 == 0 ? ",x" : ",y") + ",0\n";
  }
  const data::Table table = data::read_csv_text(text);
  data::Pipeline steps(
      {data::normalize_formats(), isolation_forest_step(data::columns({"a", "kind"}), {.trees = 20, .seed = 4})});
  const data::Table features = steps.fit_transform_table(table);
  EXPECT_TRUE(features.has("a"));  // columns stay
  IsolationForest alone({.trees = 20, .seed = 4});
  alone.fit(features.select({"a", "kind"}));
  const std::vector<double> scores = features["isolation_forest_2"].numeric();  // the name was taken
  EXPECT_EQ(scores, alone.score(features));
  EXPECT_EQ(std::max_element(scores.begin(), scores.end()) - scores.begin(), 17);
  EXPECT_EQ(steps.transform_table(table.head(20))["isolation_forest_2"].numeric(),
            std::vector<double>(scores.begin(), scores.begin() + 20));

  register_estimators();
  const std::string kept = steps.to_json();
  EXPECT_TRUE(data::Pipeline::from_json(kept).transform_table(table).equals(features));
  std::string altered = kept;
  const std::size_t at = altered.find("tern-isolation-forest");
  ASSERT_NE(at, std::string::npos);
  EXPECT_THROW(data::Pipeline::from_json(altered.replace(at, 4, "fern")), FormatError);

  EXPECT_THROW(isolation_forest_step(data::numeric(), {.trees = 0}), ValueError);
  const data::StepPtr fresh = isolation_forest_step(data::numeric());
  EXPECT_THROW(fresh->transform(features), StateError);
  EXPECT_THROW(fresh->fit(features.select({"kind"}), {}), DataError);
  EXPECT_THROW(steps.transform_table(table.drop({"a"})), DataError);
}

TEST(IsolationForest, BadInputIsRefusedOrDefined) {
  EXPECT_THROW(IsolationForest({.trees = 0}), ValueError);
  EXPECT_THROW(IsolationForest({.samples = 1}), ValueError);
  EXPECT_THROW(IsolationForest({.contamination = 0.5}), ValueError);
  EXPECT_THROW(IsolationForest({.contamination = -0.1}), ValueError);
  IsolationForest model;
  EXPECT_THROW(model.score(Matrix(std::vector<double>{1, 2}, 1)), StateError);
  EXPECT_THROW(model.threshold(), StateError);
  EXPECT_THROW(model.fit(Matrix(std::vector<double>{1}, 1)), ValueError);
  const std::vector<double> infinite{1, 2, std::numeric_limits<double>::infinity()};
  EXPECT_THROW(model.fit(Matrix(infinite, 1)), ValueError);
  const std::vector<double> same(50, 3.0);  // nothing stands out
  model.fit(Matrix(same, 1));
  for (const double score : model.score(Matrix(same, 1))) EXPECT_NEAR(score, 0.5, 1e-12);
  EXPECT_EQ(message_of<ValueError>([&] { model.score(Matrix(infinite, 1)); }),
            "[IsolationForest] expected numbers that are finite or missing, got infinity in row 2, column \"f0\"");
  for (const std::uint8_t outlier : model.predict(Matrix(same, 1))) EXPECT_EQ(outlier, 0);
  const std::vector<double> missing(50, std::numeric_limits<double>::quiet_NaN());
  model.fit(Matrix(missing, 1));
  EXPECT_NEAR(model.score(Matrix(missing, 1))[0], 0.5, 1e-12);
  const std::vector<double> huge{-1e308, 1e308, 0, 1, -1e308, 1e308};
  model.fit(Matrix(huge, 1));
  for (const double score : model.score(Matrix(huge, 1))) EXPECT_TRUE(std::isfinite(score));
  EXPECT_THROW(model.score(Matrix(huge, 2)), ShapeError);
}

}  // namespace
}  // namespace tern::trees
