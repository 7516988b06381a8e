#include "tern/trees/explain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"
#include "tern/trees/forest.h"
#include "tern/trees/formats.h"
#include "tern/trees/gradient_boosting.h"
#include "trees/models.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

std::vector<double> rows_for(const Ensemble& model, std::int64_t count) {
  const Philox random(3);
  std::uint64_t drawn = 0;
  std::vector<double> rows;
  for (std::int64_t row = 0; row < count; ++row) {
    for (const Feature& feature : model.features) {
      double value = (static_cast<double>(random.below(drawn++, 21)) - 10) / 4;
      if (feature.categorical) value = static_cast<double>(random.below(drawn++, feature.levels.size() + 1));
      rows.push_back(random.below(drawn++, 9) == 0 ? kMissing : value);
    }
  }
  return rows;
}

// The expectation of a tree where only the features in `known` (a bit each) are known, straight from the definition.
double expectation(const Tree& tree, const std::vector<bool>& went_left, std::int32_t at, unsigned known) {
  if (at < 0) return tree.leaf_value[static_cast<std::size_t>(~at)];
  const auto node = static_cast<std::size_t>(at);
  if (((known >> tree.feature[node]) & 1) != 0) {
    return expectation(tree, went_left, went_left[node] ? tree.left[node] : tree.right[node], known);
  }
  const auto cover = [&](std::int32_t child) {
    return child < 0 ? tree.leaf_cover[static_cast<std::size_t>(~child)] : tree.cover[static_cast<std::size_t>(child)];
  };
  return (cover(tree.left[node]) * expectation(tree, went_left, tree.left[node], known) +
          cover(tree.right[node]) * expectation(tree, went_left, tree.right[node], known)) /
         tree.cover[node];
}

/// Which way a row goes at every node, found by a copy of the tree whose leaves say so.
std::vector<bool> ways(const Ensemble& model, const Tree& tree, const double* row) {
  std::vector<bool> left;
  for (std::size_t node = 0; node < tree.feature.size(); ++node) {
    Ensemble stump = model;
    stump.trees.assign(1, Tree{});
    stump.outputs = 1;
    stump.base = {0};
    Tree& one = stump.trees[0];
    if (tree.set[node] >= 0) {
      one.add_node(tree.feature[node], tree.sets[static_cast<std::size_t>(tree.set[node])],
                   tree.left_default[node] == 1, 0, 1);
    } else {
      one.add_node(tree.feature[node], tree.threshold[node], tree.left_default[node] == 1, 0, 1);
    }
    one.left[0] = ~one.add_leaf(1, 1);
    one.right[0] = ~one.add_leaf(0, 1);
    left.push_back(Predictor(stump).margins({row, model.features.size()})[0] == 1);
  }
  return left;
}

double weight(int size, int players) {
  return std::tgamma(size + 1.0) * std::tgamma(players - size) / std::tgamma(players + 1.0);
}

TEST(TreeShap, OfAForestAreThoseOfItsOutputs) {
  const Ensemble model =
      random_ensemble({.features = 5, .rounds = 4, .outputs = 3, .vector_leaves = true, .average = true});
  const std::vector<double> rows = rows_for(model, 20);
  const std::vector<double> values = TreeShap(model).values(rows), pairs = TreeShap(model).interactions(rows);
  const std::vector<double> margins = Predictor(model).margins(rows);
  for (std::int32_t k = 0; k < 3; ++k) {
    const TreeShap one(one_output(model, k));
    const std::vector<double> wanted = one.values(rows), wanted_pairs = one.interactions(rows);
    for (std::size_t row = 0; row < 20; ++row) {
      const std::size_t at = row * 3 + static_cast<std::size_t>(k);
      for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values[at * 6 + i], wanted[row * 6 + i], 1e-12);
      for (std::size_t i = 0; i < 36; ++i) EXPECT_NEAR(pairs[at * 36 + i], wanted_pairs[row * 36 + i], 1e-12);
      EXPECT_NEAR(std::accumulate(&values[at * 6], &values[at * 6] + 6, 0.0), margins[at], 1e-12);
    }
  }
}

TEST(TreeShap, EqualsTheDefinition) {
  for (const int leaves : {1, 2, 5, 30}) {
    const Ensemble model = random_ensemble({.features = 5, .categorical = 1, .rounds = 2, .leaves = leaves});
    const std::vector<double> rows = rows_for(model, 6);
    const TreeShap shap(model);
    const std::vector<double> values = shap.values(rows), pairs = shap.interactions(rows);
    for (std::size_t row = 0; row < 6; ++row) {
      std::vector<double> game(32, 0.0);
      for (const Tree& tree : model.trees) {
        const std::vector<bool> left = ways(model, tree, rows.data() + row * 5);
        for (unsigned known = 0; known < 32; ++known) {
          game[known] += expectation(tree, left, tree.nodes() > 0 ? 0 : ~0, known);
        }
      }
      EXPECT_NEAR(values[row * 6 + 5], game[0] + 0.25, 1e-12);
      for (unsigned i = 0; i < 5; ++i) {
        double value = 0;
        for (unsigned known = 0; known < 32; ++known) {
          if ((known >> i & 1) != 0) continue;
          value += weight(__builtin_popcount(known), 5) * (game[known | 1U << i] - game[known]);
        }
        EXPECT_NEAR(values[row * 6 + i], value, 1e-12) << "row " << row << " feature " << i;
        for (unsigned j = 0; j < i; ++j) {
          double both = 0;
          for (unsigned known = 0; known < 32; ++known) {
            if ((known >> i & 1) != 0 || (known >> j & 1) != 0) continue;
            const double delta =
                game[known | 1U << i | 1U << j] - game[known | 1U << i] - game[known | 1U << j] + game[known];
            both += weight(__builtin_popcount(known), 4) * delta / 2;
          }
          EXPECT_NEAR(pairs[row * 36 + i * 6 + j], both, 1e-12);
          EXPECT_EQ(pairs[row * 36 + i * 6 + j], pairs[row * 36 + j * 6 + i]);
        }
      }
    }
  }
}

// XGBoost's own of its model (golden/make_models.py).
TEST(TreeShap, InteractionsAreThoseOfXgboost) {
  const std::string folder = std::string(TERN_TEST_DATA) + "/";
  const Ensemble model = import_xgboost(folder + "xgboost_binary.json");
  const data::Table wanted = data::read_csv(folder + "interactions.csv");
  const std::vector<double> rows = inputs(model, data::read_csv(folder + "predictions.csv").head(wanted.rows()));
  const std::vector<double> pairs = TreeShap(model).interactions(rows);
  ASSERT_EQ(wanted.rows(), 12);
  ASSERT_EQ(pairs.size(), 12u * 16u);
  double between = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::size_t row = i / 16, a = i % 16 / 4, b = i % 4;
    EXPECT_NEAR(pairs[i], wanted[std::to_string(a) + ":" + std::to_string(b)].numeric(static_cast<std::int64_t>(row)),
                1e-6)
        << "row " << row << ", " << a << " and " << b;
    between += a != b ? std::abs(pairs[i]) : 0;
  }
  EXPECT_GT(between, 1);
}

TEST(TreeShap, SumsToTheMargin) {
  Ensemble model = random_ensemble({.features = 12, .rounds = 8, .outputs = 3, .leaves = 60});
  model.best_round = 5;
  const std::vector<double> rows = rows_for(model, 50);
  const std::vector<double> margins = Predictor(model).margins(rows);
  const TreeShap shap(model);
  const std::vector<double> values = shap.values(rows), pairs = shap.interactions(rows);
  for (std::size_t i = 0; i < margins.size(); ++i) {
    EXPECT_NEAR(std::accumulate(values.begin() + static_cast<std::int64_t>(i) * 13,
                                values.begin() + static_cast<std::int64_t>(i + 1) * 13, 0.0),
                margins[i], 1e-10);
    for (std::size_t f = 0; f < 13; ++f) {
      double sum = 0;
      for (std::size_t g = 0; g < 13; ++g) sum += pairs[i * 169 + f * 13 + g];
      EXPECT_NEAR(sum, values[i * 13 + f], 1e-10);
    }
  }
  set_num_threads(1);
  const std::vector<double> one = shap.values(rows);
  set_num_threads(0);
  EXPECT_EQ(std::memcmp(one.data(), values.data(), one.size() * sizeof(double)), 0);
}

TEST(TreeShap, OfTrainedModelsSumToTheMargin) {
  const Philox random(8);
  std::vector<double> x, y;
  for (std::uint64_t row = 0; row < 400; ++row) {
    x.push_back(random.below(7 * row, 9) == 0 ? kMissing : random.uniform(7 * row + 1));
    x.push_back(static_cast<double>(random.below(7 * row + 2, 6)));  // a category
    x.push_back(random.uniform(7 * row + 3));
    const double clean = (std::isnan(x[3 * row]) ? 0.3 : x[3 * row]) + (x[3 * row + 1] > 3 ? 0.5 : 0);
    y.push_back(std::min(2.0, std::floor(2 * clean + 0.4 * random.uniform(7 * row + 4))));
  }
  const Matrix rows(x, 3);
  const GradientBoostingOptions kinds[] = {
      {.objective = Objective::squared, .rounds = 20},
      {.objective = Objective::poisson, .rounds = 20},
      {.objective = Objective::multiclass, .rounds = 10},
      {.objective = Objective::multiclass, .rounds = 20, .dart_rate = 0.3, .dart_skip = 0},
      {.objective = Objective::squared, .rounds = 20, .goss_top = 0.2, .goss_other = 0.2}};
  const auto expect_sums = [&](const Ensemble& ensemble, const std::vector<double>& margins) {
    const std::vector<double> values = TreeShap(ensemble).values(x);
    ASSERT_EQ(values.size(), 4 * margins.size());
    double largest = 0;
    for (std::size_t i = 0; i < margins.size(); ++i) {
      EXPECT_NEAR(values[4 * i] + values[4 * i + 1] + values[4 * i + 2] + values[4 * i + 3], margins[i], 1e-9);
      largest = std::max(largest, std::fabs(values[4 * i + 1]));
    }
    EXPECT_GT(largest, 0.05);
  };
  for (const GradientBoostingOptions& options : kinds) {
    SCOPED_TRACE(to_string(options.objective));
    GradientBoosting model(options);
    model.fit(rows, y, {.categorical = {1}});
    expect_sums(model.ensemble(), model.predict_margin(rows));
  }
  RandomForest forest({.trees = 20, .categorical = {1}});
  forest.fit(rows, y);
  expect_sums(forest.ensemble(), forest.predict_probability(rows));
}

TEST(TreeShap, EdgesOfWhatItTakes) {
  Ensemble model = random_ensemble({.categorical = 0, .rounds = 1});
  for (double& cover : model.trees[0].leaf_cover) cover = 0;  // no row of training ended there
  const std::vector<double> rows = rows_for(model, 20);
  for (const double value : TreeShap(model).values(rows)) EXPECT_TRUE(std::isfinite(value));
  EXPECT_THROW(TreeShap(model).values(std::vector<double>(5)), ShapeError);
  model.trees[0].cover[3] = 0;
  EXPECT_THROW(TreeShap{model}, ValueError);
  EXPECT_TRUE(TreeShap(random_ensemble({.rounds = 0})).values(std::vector<double>()).empty());
}

TEST(Shap, OfATable) {
  std::vector<std::string> words;
  std::vector<double> x, y;
  for (int row = 0; row < 200; ++row) {
    words.push_back(row % 3 == 0 ? "a" : "b");
    x.push_back(row % 7);
    y.push_back(row % 7 + 5 * (row % 3 == 0));
  }
  const data::Table table{
      {"x", data::Column::from_f64(x)}, {"word", data::Column::from_strings(words)}, {"y", data::Column::from_f64(y)}};
  GradientBoosting model({.rounds = 5});
  model.fit(table, "y");
  const TreeShap shap(model.ensemble());
  // Columns by name, in any order; a level that training has not seen.
  const data::Table rows{{"word", data::Column::from_strings({"b", "never", "a"})},
                         {"more", data::Column::from_f64({1, 2, 3})},
                         {"x", data::Column::from_f64({6, 2, kMissing})}};
  const std::vector<double> values = shap.values(rows);
  EXPECT_EQ(values, shap.values(inputs(model.ensemble(), rows)));
  EXPECT_EQ(shap.interactions(rows), shap.interactions(inputs(model.ensemble(), rows)));
  const std::vector<double> predicted = model.predict(rows);
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_NEAR(values[3 * row] + values[3 * row + 1] + values[3 * row + 2], predicted[row], 1e-9);
  }
  EXPECT_THROW(shap.values(rows.drop({"word"})), DataError);
  EXPECT_THROW(shap.values(data::Table{{"x", rows["word"]}, {"word", rows["word"]}}), DataError);
}

TEST(Importance, SumsOverSplits) {
  Ensemble model = random_ensemble({.rounds = 2});
  const std::vector<double> gains = gain_importance(model), splits = split_importance(model);
  double gain = 0;
  for (const Tree& tree : model.trees) gain += std::accumulate(tree.gain.begin(), tree.gain.end(), 0.0);
  EXPECT_EQ(std::accumulate(gains.begin(), gains.end(), 0.0), gain);
  EXPECT_EQ(std::accumulate(splits.begin(), splits.end(), 0.0), 38);
  model.best_round = 0;
  const std::vector<double> first = split_importance(model);
  EXPECT_EQ(std::accumulate(first.begin(), first.end(), 0.0), 19);
}

TEST(Importance, ByPermutation) {
  std::vector<double> rows;
  for (int row = 0; row < 200; ++row) rows.insert(rows.end(), {row / 200.0, (row * 7 % 11) / 11.0, 1.0});
  const auto error = [&](std::span<const double> changed) {
    double sum = 0;
    for (std::size_t i = 0; i < changed.size(); i += 3) sum += std::abs(changed[i] - rows[i]);
    return sum / 200;
  };
  const PermutationImportance result = permutation_importance(rows, 3, error);
  EXPECT_EQ(result.figure, 0);
  EXPECT_NEAR(result.mean[0], 1.0 / 3, 0.05);
  EXPECT_GT(result.deviation[0], 0);
  EXPECT_EQ(result.mean[1], 0);
  EXPECT_EQ(result.mean[2], 0);
  const auto score = [&](std::span<const double> changed) { return -error(changed); };
  EXPECT_EQ(permutation_importance(rows, 3, score, {.larger_is_better = true}).mean, result.mean);
  EXPECT_EQ(permutation_importance(rows, 3, error).mean, result.mean);
  EXPECT_THROW(permutation_importance(rows, 7, error), ShapeError);
  EXPECT_THROW(permutation_importance({}, 3, error), ValueError);
  EXPECT_THROW(permutation_importance(rows, 3, error, {.repeats = 0}), ValueError);
}

TEST(PartialDependence, MeansOverRows) {
  const std::vector<double> rows{1, 10, 2, 20, 3, 30}, grid{0, 5};
  const auto predict = [](std::span<const double> changed) {
    std::vector<double> out;
    for (std::size_t i = 0; i < changed.size(); i += 2)
      out.insert(out.end(), {changed[i] * changed[i + 1], changed[i]});
    return out;
  };
  EXPECT_EQ(partial_dependence(rows, 2, 0, grid, predict), (std::vector<double>{0, 0, 100, 5}));
  EXPECT_EQ(partial_dependence(rows, 2, 1, grid, predict), (std::vector<double>{0, 2, 10, 2}));
  EXPECT_THROW(partial_dependence(rows, 2, 2, grid, predict), IndexError);
  EXPECT_THROW(partial_dependence(rows, 2, 0, grid, [](std::span<const double>) { return std::vector<double>(4); }),
               ShapeError);
}

TEST(Draw, TextAndPicture) {
  Ensemble model;
  model.features = {{.name = "age <years>"}, {.name = "kind", .categorical = true, .levels = {"a", "b", "c"}}};
  Tree tree;
  tree.add_node(0, 41.5, true, 7, 10);
  tree.add_node(1, std::vector<std::uint64_t>{5}, false, 2, 6);
  for (int leaf = 0; leaf < 3; ++leaf) tree.add_leaf(leaf - 0.5, 3 + leaf);
  tree.left = {1, ~0};
  tree.right = {~2, ~1};
  model.trees = {tree};
  EXPECT_EQ(to_text(model, 0),
            "age <years> <= 41.5 or missing? (gain 7, cover 10)\n"
            "  kind in {a, c}? (gain 2, cover 6)\n"
            "    leaf 0: -0.5 (cover 3)\n"
            "    leaf 1: 0.5 (cover 4)\n"
            "  leaf 2: 1.5 (cover 5)\n");
  const std::string svg = to_svg(model, 0);
  EXPECT_EQ(svg.rfind("<svg xmlns=", 0), 0u);
  EXPECT_NE(svg.find("age &lt;years&gt; &lt;= 41.5 or missing</text>"), std::string::npos);
  EXPECT_EQ(svg.find("age <years>"), std::string::npos);
  EXPECT_THROW(to_text(model, 1), IndexError);
  EXPECT_THROW(to_svg(model, -1), IndexError);
  EXPECT_EQ(to_text(random_ensemble({.leaves = 1}), 0).rfind("leaf 0:", 0), 0u);
}

}  // namespace
}  // namespace tern::trees
