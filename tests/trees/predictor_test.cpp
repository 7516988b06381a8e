#include "tern/trees/predictor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "trees/flat.h"
#include "trees/models.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// ---- The rule, as ensemble.h states it.

std::int32_t leaf_by_rule(const Ensemble& model, const Tree& tree, const double* row) {
  std::int32_t at = tree.nodes() > 0 ? 0 : ~0;
  while (at >= 0) {
    const auto node = static_cast<std::size_t>(at);
    const Feature& feature = model.features[static_cast<std::size_t>(tree.feature[node])];
    double x = row[tree.feature[node]];
    if (model.float32_inputs) x = static_cast<float>(x);
    bool missing = std::isnan(x), left = x <= tree.threshold[node];
    if (feature.categorical) {
      missing = missing || x < 0 || (!feature.levels.empty() && x >= static_cast<double>(feature.levels.size()));
      left = !missing && x < 1e9 &&
             in_set(tree.sets[static_cast<std::size_t>(tree.set[node])], static_cast<std::uint64_t>(x));
    }
    if (feature.zero_is_missing && std::abs(x) <= 1e-35f) missing = true;
    if (missing) left = tree.left_default[node] == 1;
    at = left ? tree.left[node] : tree.right[node];
  }
  return ~at;
}

std::vector<double> margins_by_rule(const Ensemble& model, const std::vector<double>& rows) {
  std::vector<double> margins;
  for (std::size_t row = 0; row < rows.size(); row += model.features.size()) {
    const auto outputs = static_cast<std::size_t>(model.outputs);
    std::vector<double> sums = model.average ? std::vector<double>(outputs, 0.0) : model.base;
    for (std::int64_t t = 0; t < model.used_trees(); ++t) {
      const Tree& tree = model.trees[static_cast<std::size_t>(t)];
      const auto leaf = static_cast<std::size_t>(leaf_by_rule(model, tree, &rows[row]));
      if (model.vector_leaves) {
        for (std::size_t k = 0; k < outputs; ++k) sums[k] += tree.leaf_value[leaf * outputs + k];
      } else {
        sums[static_cast<std::size_t>(t) % outputs] += tree.leaf_value[leaf];
      }
    }
    for (std::size_t k = 0; k < outputs && model.average; ++k) {
      sums[k] = model.base[k] + sums[k] / static_cast<double>(std::max<std::int64_t>(1, model.used_rounds()));
    }
    margins.insert(margins.end(), sums.begin(), sums.end());
  }
  return margins;
}

/// Values on and beside the thresholds, missing ones, infinities, codes of levels seen and unseen.
std::vector<double> rows_for(const Ensemble& model, std::int64_t count, std::uint64_t seed, bool missing = true) {
  const Philox random(seed);
  std::uint64_t drawn = 0;
  std::vector<double> rows;
  for (std::int64_t row = 0; row < count; ++row) {
    for (const Feature& feature : model.features) {
      const auto kind = random.below(drawn++, 12);
      double value = (static_cast<double>(random.below(drawn++, 21)) - 10) / 4;
      if (feature.categorical) {
        value = static_cast<double>(random.below(drawn++, feature.levels.size() + 3));
        if (missing && kind == 1) value = -1;
        if (kind == 2) value += 0.5;
        if (kind == 3) value = 1e12;
      } else {
        if (kind == 1) value = std::nextafter(value, infinity);
        if (kind == 2) value = std::nextafter(value, -infinity);
        if (kind == 3) value = std::nextafter(static_cast<float>(value), -1e9F);
        if (missing && kind == 4) value = infinity;
        if (missing && kind == 5) value = -infinity;
        if (kind == 6) value = 1e-36;
      }
      rows.push_back(missing && kind == 0 ? kMissing : value);
    }
  }
  return rows;
}

void expect_same_bits(const std::vector<double>& got, const std::vector<double>& wanted) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(std::memcmp(&got[i], &wanted[i], 8), 0) << "at " << i;
}

// All rows together, and each alone, which takes another way.
void expect_margins(const Ensemble& model, const std::vector<double>& rows) {
  const std::size_t width = model.features.size();
  const auto outputs = static_cast<std::ptrdiff_t>(model.outputs);
  const std::vector<double> wanted = margins_by_rule(model, rows);
  const Predictor predictor(model);
  expect_same_bits(predictor.margins(rows), wanted);
  std::vector<double> out(static_cast<std::size_t>(outputs));
  auto expected = wanted.begin();
  for (std::size_t row = 0; row < rows.size() / width; ++row, expected += outputs) {
    predictor.margin({rows.data() + row * width, width}, out);
    expect_same_bits(out, {expected, expected + outputs});
  }
}

void expect_rule(const Ensemble& model, bool missing = true) {
  const std::vector<double> rows = rows_for(model, 300, 7, missing);
  const auto width = static_cast<std::int64_t>(model.features.size());
  expect_margins(model, rows);
  const std::vector<double> wanted = margins_by_rule(model, rows);
  const Predictor predictor(model);
  const std::vector<double> few(rows.begin(), rows.begin() + 17 * width);
  expect_same_bits(predictor.margins(few), {wanted.begin(), wanted.begin() + 17 * model.outputs});
  const std::vector<std::int32_t> leaves = predictor.leaves(rows);
  const std::int64_t trees = predictor.trees();
  ASSERT_EQ(static_cast<std::int64_t>(leaves.size()), 300 * trees);
  for (std::int64_t row = 0; row < 300; ++row) {
    for (std::int64_t t = 0; t < trees; ++t) {
      ASSERT_EQ(leaves[static_cast<std::size_t>(row * trees + t)],
                leaf_by_rule(model, model.trees[static_cast<std::size_t>(t)], rows.data() + row * width));
    }
  }
}

TEST(Predictor, FollowsTheRule) {
  expect_rule(random_ensemble({}));
  expect_rule(random_ensemble({.categorical = 0}));
  expect_rule(random_ensemble({.categorical = 0}), false);
  expect_rule(random_ensemble({.rounds = 3, .outputs = 3}));
  expect_rule(random_ensemble({.categorical = 0, .rounds = 600, .leaves = 6}));
}

TEST(Predictor, ForestsAreAveragedAndLeavesHoldVectors) {
  for (const int leaves : {1, 20, 300}) {  // by steps and by nodes
    expect_rule(random_ensemble({.leaves = leaves, .average = true}));
    expect_rule(random_ensemble({.outputs = 3, .leaves = leaves, .vector_leaves = true}));
    expect_rule(
        random_ensemble({.rounds = 40, .outputs = 4, .leaves = leaves, .vector_leaves = true, .average = true}));
    expect_rule(random_ensemble({.categorical = 0, .rounds = 40, .leaves = leaves, .vector_leaves = true}));
  }
  Ensemble some = random_ensemble({.outputs = 3, .vector_leaves = true, .average = true});
  some.best_round = 2;
  EXPECT_EQ(some.used_trees(), 3);
  expect_rule(some);
  expect_rule(random_ensemble({.rounds = 0, .outputs = 2, .vector_leaves = true, .average = true}));
}

TEST(Predictor, SmallAndLargeTrees) {
  expect_rule(random_ensemble({.leaves = 1}));
  expect_rule(random_ensemble({.leaves = 2}));
  expect_rule(random_ensemble({.leaves = 256}));
  expect_rule(random_ensemble({.leaves = 257}));
  expect_rule(random_ensemble({.categorical = 0, .leaves = 700}));
  expect_rule(random_ensemble({.features = 1, .categorical = 0}));
  Ensemble empty = random_ensemble({.rounds = 0});
  expect_rule(empty);
  empty.features.clear();
  std::vector<double> out(1);
  Predictor(empty).margin({}, out);
  EXPECT_EQ(out[0], 0.25);
}

// Where trees are many the values of a row alone become up to 64 columns of bytes, and trees of up to 32 leaves groups.
TEST(Predictor, ManyTreesOfOneRow) {
  const kernels::cpu::TreePredictTable& kernels = kernels::cpu::tree_predict_kernels();
  for (const int leaves : {2, 31, 32, 33}) {
    for (const int rounds : {31, 32, 33, 70, 130}) {
      for (const int features : {5, 32, 33}) {  // two columns each: missing values go left or right
        const Ensemble model =
            random_ensemble({.features = features, .categorical = 0, .rounds = rounds, .leaves = leaves});
        expect_rule(model);
        const internal::Flat flat(model);
        const bool grouped = kernels.remaining_leaves != nullptr && leaves <= 32 && flat.columns <= 64 &&
                             rounds >= std::max<std::int64_t>(32, flat.columns);
        EXPECT_EQ(std::ssize(flat.groups), grouped ? (rounds + 31) / 32 : 0);
        EXPECT_EQ(!flat.walk_nodes.empty(),
                  kernels.walk != nullptr && leaves == 33 && flat.columns <= 64 && rounds == 130);
        if (features > 5 && rounds * leaves > 1000) {
          EXPECT_EQ(flat.columns, 2 * features);
        }
      }
    }
  }
  expect_rule(random_ensemble({.categorical = 0, .rounds = 600, .leaves = 40}));
  expect_rule(random_ensemble({.categorical = 0, .rounds = 130, .leaves = 256}));
  expect_rule(random_ensemble({.categorical = 0, .rounds = 50, .outputs = 3, .leaves = 20}));
  expect_rule(random_ensemble({.categorical = 0, .rounds = 40, .leaves = 20, .average = true}));
  for (const int categorical : {1, 2, 6}) {
    const Ensemble model = random_ensemble({.categorical = categorical, .levels = 254, .rounds = 70, .leaves = 12});
    expect_rule(model);
    const internal::Flat flat(model);
    EXPECT_EQ(flat.groups.empty(), kernels.remaining_leaves == nullptr);
    Ensemble unbounded = model;  // codes of 254 and more are in no set, and are not missing
    unbounded.float32_inputs = true;
    std::vector<double> rows = rows_for(unbounded, 200, 3);
    for (std::size_t i = 5; i < rows.size(); i += 18) rows[i] = 254 + static_cast<double>(i % 7);
    for (Feature& feature : unbounded.features) feature.levels.clear();
    expect_margins(unbounded, rows);
    expect_rule(random_ensemble({.categorical = categorical,
                                 .rounds = 50,
                                 .outputs = 3,
                                 .leaves = 32,
                                 .vector_leaves = true,
                                 .average = true}));
  }
  Ensemble mixed = random_ensemble({.categorical = 0, .rounds = 40, .leaves = 1});
  for (const int leaves : {32, 7, 1}) {
    const Ensemble more = random_ensemble({.categorical = 0, .rounds = 40, .leaves = leaves});
    mixed.trees.insert(mixed.trees.end(), more.trees.begin(), more.trees.end());
  }
  expect_rule(mixed);
}

TEST(Predictor, ManyLevels) {
  for (const int levels : {2, 63, 64, 65, 128, 129, 254}) {
    expect_rule(random_ensemble({.categorical = 3, .levels = levels}));
  }
  expect_rule(random_ensemble({.categorical = 3, .levels = 255}));
  expect_rule(random_ensemble({.categorical = 3, .levels = 1000}));
  Ensemble unbounded = random_ensemble({.levels = 90});
  const std::vector<double> rows = rows_for(unbounded, 200, 3);
  for (Feature& feature : unbounded.features) feature.levels.clear();
  expect_same_bits(Predictor(unbounded).margins(rows), margins_by_rule(unbounded, rows));
}

TEST(Predictor, ManyThresholds) {
  for (const int cuts : {15, 16, 17, 31, 253, 254, 255, 256, 257, 600}) {
    Ensemble model = random_ensemble({.features = 2, .categorical = 0, .rounds = 0});
    for (int cut = 0; cut < cuts; ++cut) {
      Tree stump;
      stump.add_node(0, 3.0 * cut, cut % 3 == 0, 1, 2);
      stump.add_leaf(cut, 1);
      stump.add_leaf(-0.5 * cut, 1);
      stump.left[0] = ~0;
      stump.right[0] = ~1;
      model.trees.push_back(stump);
    }
    std::vector<double> rows;
    for (int cut = -1; cut <= cuts; ++cut) {
      for (const double value :
           {3.0 * cut, std::nextafter(3.0 * cut, infinity), std::nextafter(3.0 * cut, -infinity)}) {
        rows.insert(rows.end(), {value, 0.0});
      }
    }
    rows.insert(rows.end(), {kMissing, 0.0, infinity, 0.0, -infinity, 0.0});
    expect_margins(model, rows);
  }
}

TEST(Predictor, RoundsToFloatAndTakesZeroAsMissing) {
  Ensemble model = random_ensemble({});
  model.float32_inputs = true;
  for (Tree& tree : model.trees) {
    for (double& threshold : tree.threshold) threshold = static_cast<float>(threshold * 1.1);
  }
  std::vector<double> rows = rows_for(model, 200, 5);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % model.features.size() < 4 && i % 3 == 0) rows[i] *= 1.1;
  }
  expect_same_bits(Predictor(model).margins(rows), margins_by_rule(model, rows));
  model = random_ensemble({});
  model.features[0].zero_is_missing = model.features[2].zero_is_missing = true;
  expect_rule(model);
  model = random_ensemble({.categorical = 0, .rounds = 40});
  model.features[0].zero_is_missing = model.features[2].zero_is_missing = true;
  expect_rule(model);
}

TEST(Predictor, ThresholdsBeforeRounding) {
  constexpr float largest = std::numeric_limits<float>::max(), tiny = std::numeric_limits<float>::denorm_min();
  for (const float threshold : {0.0F, 1.0F, -1.0F, 0.1F, largest, -largest, tiny, -tiny, 3.4e-38F, 16777217.0F}) {
    const double bound = internal::before_rounding(threshold);
    EXPECT_LE(static_cast<float>(bound), threshold);
    EXPECT_GT(static_cast<float>(std::nextafter(bound, infinity)), threshold);
  }
  EXPECT_EQ(internal::before_rounding(infinity), infinity);
  EXPECT_EQ(internal::before_rounding(0.1), internal::before_rounding(std::nextafter(0.1F, -1.0F)));
  const double low = internal::before_rounding(-infinity);
  EXPECT_EQ(static_cast<float>(low), -infinity);
  EXPECT_EQ(static_cast<float>(std::nextafter(low, 0)), -largest);
}

TEST(Predictor, SameBitsAtAnyThreadCount) {
  const Ensemble model = random_ensemble({.rounds = 20, .outputs = 2});
  const std::vector<double> rows = rows_for(model, 5000, 11);
  const Predictor predictor(model);
  set_num_threads(1);
  const std::vector<double> one = predictor.predict(rows);
  set_num_threads(5);
  expect_same_bits(predictor.predict(rows), one);
  set_num_threads(0);
}

TEST(Predictor, StopsAtTheBestRound) {
  Ensemble model = random_ensemble({.rounds = 8, .outputs = 2});
  model.best_round = 2;
  expect_rule(model);
  EXPECT_EQ(Predictor(model).trees(), 6);
}

TEST(Predictor, Links) {
  Ensemble model = random_ensemble({.outputs = 3});
  const std::vector<double> rows = rows_for(model, 40, 2);
  const std::vector<double> margins = Predictor(model).margins(rows);
  expect_same_bits(Predictor(model).predict(rows), margins);
  model.link = Link::softmax;
  const std::vector<double> shares = Predictor(model).predict(rows);
  for (std::size_t i = 0; i < shares.size(); i += 3) {
    EXPECT_NEAR(shares[i] + shares[i + 1] + shares[i + 2], 1, 1e-15);
    EXPECT_NEAR(std::log(shares[i] / shares[i + 1]), margins[i] - margins[i + 1], 1e-12);
  }
  model.link = Link::sigmoid;
  model.link_scale = 2;
  EXPECT_NEAR(Predictor(model).predict(rows)[4], 1 / (1 + std::exp(-2 * margins[4])), 1e-15);
  model.link = Link::exp;
  EXPECT_EQ(Predictor(model).predict(rows)[4], std::exp(margins[4]));
  std::vector<double> copy = margins;
  apply_link(model, copy);
  expect_same_bits(copy, Predictor(model).predict(rows));
  EXPECT_THROW(apply_link(model, std::span<double>(copy).first(4)), ShapeError);
}

TEST(Predictor, ReadsTables) {
  Ensemble model = random_ensemble({.features = 4, .categorical = 2, .levels = 3, .rounds = 30});
  const data::Table table({
      {"extra", data::Column::from_strings({"x", "y", "z", "w"})},
      {"f2", data::Column::from_codes({0, 1, 2, -1}, {"level 2", "new", "level 0"})},
      {"f3", data::Column::from_strings({"level 1", "", "level 9", "level 0"}, {true, false, true, true})},
      {"f1", data::Column::from_i64({1, 0, -2, 2}, {true, false, true, true})},
      {"f0", data::Column::from_f64({0.25, kMissing, -1, 2})},
  });
  const std::vector<double> rows = inputs(model, table);
  const std::vector<double> wanted{0.25, 1, 2, 1, kMissing, kMissing, 3, kMissing, -1, -2, 0, 3, 2, 2, kMissing, 0};
  ASSERT_EQ(rows.size(), wanted.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (std::isnan(wanted[i])) {
      EXPECT_TRUE(std::isnan(rows[i])) << i;
    } else {
      EXPECT_EQ(rows[i], wanted[i]) << i;
    }
  }
  const Predictor predictor(model);
  expect_same_bits(predictor.margins(table), margins_by_rule(model, rows));
  expect_same_bits(predictor.predict(table), predictor.predict(rows));
  EXPECT_EQ(predictor.leaves(table), predictor.leaves(rows));
  EXPECT_TRUE(predictor.margins(table.head(0)).empty());

  model.features[2].levels = {"1", "0", "true"};
  data::Table numbers = table;
  numbers.replace("f2", data::Column::from_i64({0, 1, 7, 1}));
  EXPECT_EQ(inputs(model, numbers)[2], 1);
  EXPECT_EQ(inputs(model, numbers)[10], 3);
  numbers.replace("f2", data::Column::from_booleans({true, false, true, true}));
  EXPECT_EQ(inputs(model, numbers)[2], 2);
  model.features[2].levels.clear();
  numbers.replace("f2", data::Column::from_i64({0, 1, 7, 1}));
  EXPECT_EQ(inputs(model, numbers)[10], 7);
}

TEST(Predictor, FaultsAreTyped) {
  Ensemble model = random_ensemble({.features = 4, .categorical = 2, .levels = 3});
  const Predictor predictor(model);
  EXPECT_THROW(predictor.margins(std::vector<double>(7)), ShapeError);
  std::vector<double> row(4), out(2);
  EXPECT_THROW(predictor.margin(row, out), ShapeError);
  EXPECT_THROW(predictor.margin(std::span<double>(row).first(3), std::span<double>(out).first(1)), ShapeError);
  data::Table table({{"f0", data::Column::from_f64({1})}, {"f1", data::Column::from_f64({1})}});
  EXPECT_THROW(predictor.predict(table), DataError);
  table.add("f2", data::Column::from_strings({"level 1"}));
  table.add("f3", data::Column::from_f64({1}));
  EXPECT_THROW(predictor.predict(table), DataError);
  table.replace("f3", data::Column::from_strings({"level 1"}));
  EXPECT_EQ(predictor.predict(table).size(), 1u);
  table.replace("f0", data::Column::from_strings({"1"}));
  EXPECT_THROW(predictor.predict(table), DataError);
  model.trees[0].left[0] = 1000;
  EXPECT_THROW(Predictor{model}, ValueError);
}

}  // namespace
}  // namespace tern::trees
