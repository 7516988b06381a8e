#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/random.h"
#include "tern/trees/forest.h"
#include "tern/trees/gradient_boosting.h"
#include "trees/bins.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

struct Data {
  std::vector<double> x, y;
  std::int64_t columns;
  Matrix matrix() const { return Matrix(x, columns); }
  std::size_t rows() const { return y.size(); }
};

// Numbers in [0, 1) of which the first few matter.
Data waves(std::size_t rows, std::int64_t columns, std::uint64_t seed) {
  Data data{{}, {}, columns};
  const Philox random(seed);
  for (std::size_t i = 0; i < rows * static_cast<std::size_t>(columns); ++i) data.x.push_back(random.uniform(i));
  for (std::size_t row = 0; row < rows; ++row) {
    const double* at = data.x.data() + row * static_cast<std::size_t>(columns);
    data.y.push_back(2 * at[0] + std::sin(9 * at[1]) * at[2] + 0.3 * random.uniform(rows * 100 + row));
  }
  return data;
}

double rmse(const GradientBoosting& model, const Data& data) {
  const std::vector<double> p = model.predict(data.matrix());
  double sum = 0;
  for (std::size_t row = 0; row < p.size(); ++row) sum += (p[row] - data.y[row]) * (p[row] - data.y[row]);
  return std::sqrt(sum / static_cast<double>(p.size()));
}

TEST(Bins, ThresholdsAreFloatsWhereFloatsTellValuesApart) {
  using internal::threshold_between;
  EXPECT_EQ(threshold_between(1, 2), 1.5);
  const double a = 0.1, b = std::nextafter(a, 1);
  EXPECT_EQ(threshold_between(a, b), a);
  const double c = 1 + 1e-9, d = 1 + 3e-7, t = threshold_between(c, d);
  EXPECT_EQ(t, static_cast<float>(t));
  EXPECT_TRUE(c <= t && t < d);
  EXPECT_EQ(threshold_between(5, std::numeric_limits<double>::infinity()), 5);
  EXPECT_EQ(threshold_between(0x1p24 - 1, 0x1p24), 0x1p24 - 1);
  EXPECT_EQ(threshold_between(0x1p24 - 3, 0x1p24 + 1), 0x1p24 - 1);
  EXPECT_EQ(threshold_between(0x1p24, 0x1p24 + 1), 0x1p24 + 0.5);      // one float, 2^24
  EXPECT_EQ(threshold_between(0x1p24 + 2, 0x1p24 + 3), 0x1p24 + 2);    // two
  EXPECT_EQ(threshold_between(0x1p24 + 1, 0x1p24 + 2), 0x1p24 + 1.5);  // two, none of which lies between
  EXPECT_EQ(threshold_between(0x1p30 - 70, 0x1p30 + 4), 0x1p30 - 64);  // not 2^30, which the second becomes
  EXPECT_EQ(threshold_between(0x1p30 - 2, 0x1p30 + 2), 0x1p30 - 2);    // in the middle lies a float that both become
  const auto above_2_30 = [](double doubles) { return 0x1p30 + doubles * 0x1p-22; };
  EXPECT_EQ(threshold_between(above_2_30(-1), above_2_30(3)), above_2_30(-1));  // not 1, which passes for 2^30
  EXPECT_EQ(threshold_between(above_2_30(0), above_2_30(3)), above_2_30(2));
  EXPECT_LT(threshold_between(-1e300, 1e300), 1e300);
}

TEST(Bins, ValuesEachHaveOneOrShareEvenly) {
  std::vector<double> few, many;
  for (int i = 0; i < 3000; ++i) few.push_back(i % 7 == 3 ? kMissing : i % 7), many.push_back(std::max(0, i - 1000));
  const internal::FeatureValues features[] = {{.f64 = few.data()}, {.f64 = many.data()}};
  const auto bins = internal::find_bins(features, 3000, 64);
  EXPECT_EQ(bins[0].bins, 6);
  EXPECT_EQ(bins[0].thresholds, (std::vector<double>{0.5, 1.5, 3, 4.5, 5.5}));
  EXPECT_EQ(bins[1].bins, 64);
  const internal::BinnedRows rows(features, bins, 3000, true);
  std::vector<int> count(64);
  for (int row = 0; row < 3000; ++row) {
    const int bin = rows.column(1)[row];
    ++count[static_cast<std::size_t>(bin)];
    EXPECT_TRUE(bin == 63 || many[static_cast<std::size_t>(row)] <= bins[1].thresholds[static_cast<std::size_t>(bin)]);
    EXPECT_TRUE(bin == 0 ||
                many[static_cast<std::size_t>(row)] > bins[1].thresholds[static_cast<std::size_t>(bin - 1)]);
    EXPECT_EQ(rows.column(0)[row] == 6, row % 7 == 3);
  }
  EXPECT_EQ(count[0], 1001);  // the zeros
  for (std::size_t bin = 1; bin < 64; ++bin) EXPECT_NEAR(count[bin], 2000.0 / 63, 3);
}

TEST(Missing, GoesToTheBetterSide) {
  Data data = waves(2000, 3, 1);
  for (std::size_t row = 0; row < data.rows(); row += 3) {
    data.x[row * 3] = kMissing;
    data.y[row] = 5;  // as no small value has it
  }
  GradientBoosting model({.rounds = 40});
  model.fit(data.matrix(), data.y);
  EXPECT_LT(rmse(model, data), 0.25);
  // None in training: the heavier side.
  const Data whole = waves(2000, 3, 2);
  GradientBoosting one({.rounds = 1, .max_leaves = 2});
  one.fit(whole.matrix(), whole.y);
  const Tree& tree = one.ensemble().trees[0];
  EXPECT_EQ(tree.left_default[0] != 0, tree.leaf_cover[static_cast<std::size_t>(~tree.left[0])] >
                                           tree.leaf_cover[static_cast<std::size_t>(~tree.right[0])]);
}

TEST(Missing, InfinitiesAreNumbers) {
  const double infinite = std::numeric_limits<double>::infinity();
  Data data{{}, {}, 1};
  for (int row = 0; row < 300; ++row) {
    const double kinds[] = {infinite, -infinite, kMissing, 1};
    data.x.push_back(kinds[row % 4]);
    data.y.push_back(row % 4);
  }
  GradientBoosting model({.rounds = 1, .learning_rate = 1});
  model.fit(data.matrix(), data.y);
  EXPECT_LT(rmse(model, data), 1e-6);
  GradientBoosting two({.rounds = 1, .learning_rate = 1, .max_leaves = 2});
  for (double& y : data.y) y = y == 2;
  two.fit(data.matrix(), data.y);  // missing against all others, which a threshold cannot say beside infinity
  two.ensemble().check();
}

data::Table flowers(std::size_t rows, std::uint64_t seed, int levels) {
  const Philox random(seed);
  std::vector<std::string> names, kinds;
  std::vector<double> size, y;
  std::vector<bool> valid;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto level = static_cast<int>(random.below(3 * row, static_cast<std::uint64_t>(levels)));
    names.push_back("level " + std::to_string(level));
    kinds.push_back(random.uniform(3 * row + 1) < 0.5 ? "a" : "b");
    valid.push_back(random.uniform(3 * row + 2) < 0.9);
    size.push_back(static_cast<double>(row % 10));
    y.push_back((!valid.back()           ? -4
                 : level * 7919 % 13 < 6 ? 3
                                         : 0) +
                (kinds.back() == "a" ? 1 : 0) + 0.1 * size.back());
  }
  return data::Table{{"name", data::Column::from_strings(names, valid)},
                     {"kind", data::Column::from_strings(kinds).cast(data::ColumnType::categorical)},
                     {"size", data::Column::from_f64(size)},
                     {"y", data::Column::from_f64(y)}};
}

TEST(Categories, AreSplitBySets) {
  const data::Table table = flowers(3000, 1, 40);
  GradientBoosting model(
      {.rounds = 60, .learning_rate = 0.3, .max_leaves = 8, .categorical_smoothing = 1, .categorical_l2 = 0});
  model.fit(table, "y");
  const std::vector<double> p = model.predict(table), y = table["y"].numeric();
  double worst = 0;
  for (std::size_t row = 0; row < p.size(); ++row) worst = std::max(worst, std::fabs(p[row] - y[row]));
  EXPECT_LT(worst, 0.5);
  const Tree& first = model.ensemble().trees[0];
  ASSERT_EQ(first.feature[0], 0);
  EXPECT_GE(first.set[0], 0);
  model.ensemble().check();
  // Levels in another order and unseen ones: those go as missing values do.
  const data::Table other{{"size", data::Column::from_f64({1, 1, 1})},
                          {"kind", data::Column::from_codes({0, 0, 0}, {"b", "a"})},
                          {"name", data::Column::from_strings({"level 4", "nowhere", ""}, {true, true, false})}};
  const std::vector<double> q = model.predict(other);
  EXPECT_EQ(q[1], q[2]);
  EXPECT_NEAR(q[0], (4 * 7919 % 13 < 6 ? 3 : 0) + 0.1, 0.5);
  EXPECT_NEAR(q[2], -3.9, 0.5);
  EXPECT_THROW(model.predict(other.drop({"kind"})), DataError);
  EXPECT_THROW(model.predict(data::Table{{"name", data::Column::from_f64({1})},
                                         {"kind", data::Column::from_f64({1})},
                                         {"size", data::Column::from_f64({1})}}),
               DataError);
}

// Of many levels one of fewer rows than the smoothing goes to the other side, whatever it says.
TEST(Categories, OfFewRowsAreInNoSet) {
  const auto table_of = [](int levels) {
    std::vector<std::string> kind;
    std::vector<double> y;
    for (int row = 0; row < 805; ++row) {
      const int level = row < 800 ? row % levels : levels;
      kind.push_back("level " + std::to_string(level));
      y.push_back(level < 4 ? 0 : level < levels ? 1 : 50);
    }
    return data::Table{{"kind", data::Column::from_strings(kind)}, {"y", data::Column::from_f64(y)}};
  };
  const auto sides = [&](double smoothing, int levels) {
    GradientBoosting model({.rounds = 1, .max_leaves = 2, .min_child_rows = 1, .categorical_smoothing = smoothing});
    const data::Table table = table_of(levels);
    model.fit(table, "y");
    const std::vector<double> p = model.predict(table);
    return std::pair(p[804] != p[7], p[7] != p[0]);
  };
  EXPECT_EQ(sides(4, 20), std::pair(true, false));   // the rare level against all others
  EXPECT_EQ(sides(10, 20), std::pair(false, true));  // those of 0 against those of 1, with which it goes
  EXPECT_EQ(sides(10, 8), std::pair(true, false));
}

TEST(Categories, MoreThanBinsKeepTheMostFrequent) {
  std::vector<std::int32_t> codes;
  std::vector<std::string> levels;
  std::vector<double> y;
  for (int level = 0; level < 600; ++level) {
    levels.push_back("l" + std::to_string(level));
    for (int i = 0; i < (level % 2 ? 2 : 8); ++i) codes.push_back(level), y.push_back(level % 4);
  }
  const data::Table table{{"c", data::Column::from_codes(codes, levels)}, {"y", data::Column::from_f64(y)}};
  GradientBoosting model({.rounds = 30, .min_child_rows = 4, .categorical_smoothing = 0, .categorical_l2 = 0});
  std::string logged;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view text) { logged = text; });
  model.fit(table, "y");
  set_log_sink(before);
  EXPECT_EQ(logged,
            "[GradientBoosting] \"c\" has 600 levels: the 255 most frequent are kept, the others go as unseen ones");
  EXPECT_EQ(model.ensemble().features[0].levels.size(), 255u);
  EXPECT_EQ(model.unseen(table), (std::vector<std::pair<std::string, std::int64_t>>{{"c", 300 * 2 + (300 - 255) * 8}}));
  const std::vector<double> p = model.predict(table);
  EXPECT_NEAR(p[0], 0, 0.4);                                                                     // level 0 is frequent
  EXPECT_EQ(p[8], model.predict(data::Table{{"c", data::Column::from_strings({"other"})}})[0]);  // level 1 is not
}

TEST(Categories, OfAMatrixMoreThanBinsAreSaidToo) {
  std::vector<double> codes, y;
  for (int row = 0; row < 900; ++row) codes.push_back(row % 300 * 3), y.push_back(row % 300 % 4);
  std::vector<std::string> logged;
  const LogSink before = set_log_sink([&](LogLevel, std::string_view text) { logged.emplace_back(text); });
  GradientBoosting({.rounds = 2, .min_child_rows = 1, .categorical_smoothing = 0})
      .fit(Matrix(codes, 1), y, {.names = {"c"}, .categorical = {0}});
  RandomForest({.criterion = Criterion::squared, .trees = 2, .max_bins = 100, .categorical = {0}})
      .fit(Matrix(codes, 1), y);
  for (double& code : codes) code = std::min(code, 760.0);  // with gaps, but 255 of them
  GradientBoosting({.rounds = 2, .min_child_rows = 1, .categorical_smoothing = 0})
      .fit(Matrix(codes, 1), y, {.categorical = {0}});
  set_log_sink(before);
  EXPECT_EQ(logged,
            (std::vector<std::string>{
                "[GradientBoosting] \"c\" has 300 levels: the 255 most frequent are kept, the others go as unseen ones",
                "[RandomForest] \"f0\" has 300 levels: the 100 most frequent are kept, the others go as unseen ones"}));
}

TEST(Categories, WrittenNumbersAndTreesWithoutASplitAreSaid) {
  std::vector<std::string> comma, logged;
  std::vector<double> y;
  for (int i = 0; i < 60; ++i) comma.push_back(std::to_string(i) + ",5"), y.push_back(i);
  const data::Table table{{"price", data::Column::from_strings(comma)}, {"y", data::Column::from_f64(y)}};
  const LogSink before = set_log_sink([&](LogLevel, std::string_view text) { logged.emplace_back(text); });
  GradientBoosting({.rounds = 2, .min_child_rows = 1, .categorical_smoothing = 0}).fit(table, "y");
  EXPECT_EQ(logged,
            std::vector<std::string>{
                "[GradientBoosting] \"price\" is text, all of it written numbers, which count as levels in no order: "
                "normalize_formats of a Pipeline reads them"});
  logged.clear();
  GradientBoosting({.rounds = 2, .min_child_rows = 31}).fit(Matrix(y, 1), y);
  EXPECT_EQ(logged, std::vector<std::string>{"[GradientBoosting] no tree has a split, so all rows get one prediction: "
                                             "60 rows, min_child_rows 31"});
  logged.clear();
  GradientBoosting({.rounds = 2}).fit(Matrix(y, 1), std::vector<double>(y.size(), 2.5));
  EXPECT_EQ(logged, std::vector<std::string>{"[GradientBoosting] no tree has a split, so all rows get one prediction: "
                                             "the target is 2.5"});
  set_log_sink(before);
}

TEST(Categories, OfAMatrixThatFewRowsHaveAreMissing) {
  std::vector<double> x, y;
  for (int i = 0; i < 200; ++i) {
    x.push_back(i == 0 ? 3 : i % 3);
    y.push_back(i == 0 ? 100 : i % 3);
  }
  const std::vector<double> rare{3, std::nan("")};
  GradientBoosting boosted({.min_child_rows = 1, .min_level_rows = 2});
  boosted.fit(Matrix(x, 1), y, {.categorical = {0}});
  RandomForest forest({.criterion = Criterion::squared, .trees = 5, .min_level_rows = 2, .categorical = {0}});
  forest.fit(Matrix(x, 1), y);
  for (const std::vector<double>& p : {boosted.predict(Matrix(rare, 1)), forest.predict(Matrix(rare, 1))}) {
    EXPECT_EQ(p[0], p[1]);
    EXPECT_GT(p[0], 1);
  }
}

TEST(Categories, OfAMatrix) {
  Data data{{}, {}, 2};
  for (int row = 0; row < 400; ++row) {
    data.x.push_back(row % 8);
    data.x.push_back(row % 3);
    data.y.push_back(row % 8 == 1 || row % 8 == 6 ? 1 : 0);
  }
  GradientBoosting model(
      {.rounds = 1, .learning_rate = 1, .max_leaves = 2, .one_against_rest_levels = 0, .categorical_l2 = 0});
  model.fit(data.matrix(), data.y, {.categorical = {0}});
  EXPECT_LT(rmse(model, data), 1e-6);  // one set is enough
  const std::vector<double> others{-1, 0, 9, 0, kMissing, 0};
  const std::vector<double> p = model.predict(Matrix(others, 2));
  EXPECT_EQ(p[0], p[1]);
  EXPECT_EQ(p[0], p[2]);
}

TEST(Table, ClassesAndWeights) {
  const data::Table table{{"x", data::Column::from_i64({1, 2, 3, 4, 5, 6, 7, 8})},
                          {"w", data::Column::from_f64({1, 1, 1, 1, 1, 1, 1, 2})},
                          {"y", data::Column::from_strings({"No", "No", "No", "No", "Yes", "Yes", "Yes", "Yes"})},
                          {"z", data::Column::from_i64({3, 3, 3, 5, 5, 5, 9, 9})}};
  GradientBoosting binary(
      {.objective = Objective::binary, .rounds = 20, .min_child_rows = 1, .early_stopping_rounds = 5});
  binary.fit(table.drop({"z"}), "y", {.validation = table.drop({"z"}), .weights = "w"});
  EXPECT_EQ(binary.ensemble().classes, (std::vector<std::string>{"No", "Yes"}));
  EXPECT_EQ(binary.ensemble().features.size(), 1u);
  EXPECT_EQ(binary.predict(table), (std::vector<double>{0, 0, 0, 0, 1, 1, 1, 1}));
  GradientBoosting other({.objective = Objective::binary, .rounds = 20, .min_child_rows = 1, .positive = "No"});
  other.fit(table.drop({"z"}), "y");
  EXPECT_EQ(other.predict(table), (std::vector<double>{1, 1, 1, 1, 0, 0, 0, 0}));
  GradientBoosting several({.objective = Objective::multiclass, .rounds = 20, .min_child_rows = 1});
  several.fit(table.drop({"y", "w"}), "z");
  EXPECT_EQ(several.ensemble().classes, (std::vector<std::string>{"3", "5", "9"}));
  EXPECT_EQ(several.predict(table), (std::vector<double>{0, 0, 0, 1, 1, 1, 2, 2}));
  EXPECT_EQ(several.predict_probability(table).size(), 24u);
  EXPECT_THROW(GradientBoosting({.objective = Objective::binary}).fit(table, "z"), ValueError);
  EXPECT_THROW(GradientBoosting().fit(table, "y"), DataError);
  EXPECT_THROW(GradientBoosting().fit(table, "nothing"), DataError);
  EXPECT_THROW(GradientBoosting({.objective = Objective::binary, .positive = "Maybe"}).fit(table, "y"), ValueError);
  EXPECT_THROW(GradientBoosting({.positive = "Yes"}), ValueError) << "of values";
}

TEST(Constraints, MonotoneIsNeverBroken) {
  for (const Growth growth : {Growth::leaf_wise, Growth::depth_wise}) {
    Data data = waves(1500, 3, 4);
    for (std::size_t row = 0; row < data.rows(); row += 11) data.x[row * 3 + 2] = kMissing;
    GradientBoosting model({.rounds = 60,
                            .learning_rate = 0.3,
                            .growth = growth,
                            .min_child_rows = 3,
                            .monotone = {{"f1", 1}, {"f2", -1}}});
    model.fit(data.matrix(), data.y);
    const Philox random(1);
    for (std::uint64_t i = 0; i < 300; ++i) {
      for (const std::size_t f : {1, 2}) {
        std::vector<double> line;
        for (int step = 0; step <= 40; ++step) {
          for (std::size_t k = 0; k < 3; ++k) line.push_back(k == f ? step / 40.0 : random.uniform(3 * i + k));
        }
        const std::vector<double> p = model.predict(Matrix(line, 3));
        for (std::size_t step = 1; step < p.size(); ++step) {
          const double rise = p[step] - p[step - 1];
          ASSERT_GE(f == 1 ? rise : -rise, 0);
        }
      }
    }
  }
  const Data data = waves(100, 3, 4);
  EXPECT_THROW(GradientBoosting({.monotone = {{"f9", 1}}}).fit(data.matrix(), data.y), ValueError);
  EXPECT_THROW(GradientBoosting({.monotone = {{"f1", 2}}}), ValueError);
}

// Features on each way from the root to a leaf.
void ways(const Tree& tree, std::int32_t at, std::set<int> so_far, std::vector<std::set<int>>& out) {
  if (at < 0) return out.push_back(so_far);
  so_far.insert(tree.feature[static_cast<std::size_t>(at)]);
  ways(tree, tree.left[static_cast<std::size_t>(at)], so_far, out);
  ways(tree, tree.right[static_cast<std::size_t>(at)], so_far, out);
}

TEST(Constraints, InteractionsStayWithinGroups) {
  const Data data = waves(2000, 5, 5);
  GradientBoosting model({.rounds = 100, .interactions = {{"f0", "f1"}, {"f1", "f2"}}});
  model.fit(data.matrix(), data.y);
  const std::vector<std::set<int>> groups{{0, 1}, {1, 2}, {3, 4}};
  bool both = false;
  for (const Tree& tree : model.ensemble().trees) {
    std::vector<std::set<int>> found;
    ways(tree, tree.nodes() ? 0 : -1, {}, found);
    for (const auto& way : found) {
      EXPECT_TRUE(std::any_of(groups.begin(), groups.end(), [&](const auto& group) {
        return std::includes(group.begin(), group.end(), way.begin(), way.end());
      }));
      both |= way == std::set<int>{1, 2};
    }
  }
  EXPECT_TRUE(both);
  GradientBoosting none({.interactions = {{"f0"}, {}}});
  EXPECT_THROW(none.fit(data.matrix(), data.y), ValueError);
}

TEST(Sampling, EachKindLearnsAndRepeats) {
  const Data data = waves(1500, 6, 6), fresh = waves(1500, 6, 7);
  GradientBoosting plain({.rounds = 40});
  plain.fit(data.matrix(), data.y);
  const double reached = rmse(plain, fresh);
  const GradientBoostingOptions kinds[] = {
      {.rounds = 40, .subsample = 0.5, .seed = 3},        {.rounds = 40, .colsample_bytree = 0.7, .seed = 3},
      {.rounds = 40, .colsample_bynode = 0.5, .seed = 3}, {.rounds = 40, .goss_top = 0.2, .goss_other = 0.2, .seed = 3},
      {.rounds = 40, .extra_trees = true, .seed = 3},     {.rounds = 40, .dart_rate = 0.1, .seed = 3}};
  for (GradientBoostingOptions options : kinds) {
    GradientBoosting a(options), b(options);
    a.fit(data.matrix(), data.y);
    b.fit(data.matrix(), data.y);
    EXPECT_EQ(a.predict(fresh.matrix()), b.predict(fresh.matrix()));
    EXPECT_LT(rmse(a, fresh), reached * 1.6);
    options.seed = 4;
    GradientBoosting c(options);
    c.fit(data.matrix(), data.y);
    EXPECT_NE(a.predict(fresh.matrix()), c.predict(fresh.matrix()));
    a.ensemble().check();
  }
  EXPECT_THROW(GradientBoosting({.subsample = 0}), ValueError);
  EXPECT_THROW(GradientBoosting({.goss_top = 0.5}), ValueError);
  EXPECT_THROW(GradientBoosting({.dart_rate = 0.1, .early_stopping_rounds = 3}), ValueError);
}

// Ten numbers, of which the first matters most by far and the others alike.
Data lead(std::size_t rows) {
  Data data{{}, {}, 10};
  const Philox random(12);
  for (std::size_t i = 0; i < rows * 10; ++i) data.x.push_back(random.uniform(i));
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 50 * data.x[row * 10];
    for (std::size_t f = 1; f < 10; ++f) sum += data.x[row * 10 + f];
    data.y.push_back(sum);
  }
  return data;
}

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

TEST(Sampling, ColumnsAreThoseOfATreeOrOfANode) {
  const Data data = lead(600);
  GradientBoosting by_tree({.rounds = 50, .learning_rate = 0.001, .min_child_rows = 5, .colsample_bytree = 0.4});
  GradientBoosting by_node({.rounds = 50, .learning_rate = 0.001, .min_child_rows = 5, .colsample_bynode = 0.4});
  by_tree.fit(data.matrix(), data.y);
  by_node.fit(data.matrix(), data.y);
  std::set<int> all;
  int with_first = 0;
  for (const Tree& tree : by_tree.ensemble().trees) {
    const std::set<int> used(tree.feature.begin(), tree.feature.end());
    EXPECT_LE(used.size(), 4u);
    all.insert(used.begin(), used.end());
    with_first += static_cast<int>(used.count(0));
    EXPECT_EQ(tree.feature[0] == 0, used.count(0) == 1);  // where the tree has it, the root splits by it
  }
  EXPECT_EQ(all.size(), 10u);
  EXPECT_NEAR(with_first, 20, 10);
  int roots = 0;
  for (const Tree& tree : by_node.ensemble().trees) {
    const std::set<int> used(tree.feature.begin(), tree.feature.end());
    EXPECT_GT(used.size(), 4u);
    EXPECT_EQ(used.count(0), 1u);
    roots += tree.feature[0] == 0;
  }
  EXPECT_NEAR(roots, 20, 10);
}

TEST(Sampling, ATreeSeesItsShareOfTheRows) {
  const Data data = waves(4000, 3, 13);
  GradientBoosting model({.rounds = 10, .subsample = 0.3});
  model.fit(data.matrix(), data.y);
  std::set<double> rows;  // hessians are 1 here
  for (const Tree& tree : model.ensemble().trees) {
    rows.insert(sum_of(tree.leaf_cover));
    EXPECT_NEAR(sum_of(tree.leaf_cover), 1200, 5 * std::sqrt(4000 * 0.3 * 0.7));
    EXPECT_EQ(tree.cover[0], sum_of(tree.leaf_cover));
  }
  EXPECT_GT(rows.size(), 5u);  // drawn anew for each
}

TEST(Sampling, GossWeighsWhatItDrawsAsTheRowsItStandsFor) {
  // The first tree takes out what the first number says; beside it a row is 1 to 3 above or below 0 by the second.
  Data data{{}, {}, 2};
  const Philox random(14);
  const std::size_t rows = 3000;
  for (std::size_t row = 0; row < rows; ++row) {
    data.x.push_back(static_cast<double>(row % 2));
    data.x.push_back(static_cast<double>(row / 2 % 2));
    const double size = 1 + 2 * random.uniform(row);
    data.y.push_back(data.x[2 * row] * 100 + (data.x[2 * row + 1] == 1 ? size : -size));
  }
  GradientBoosting model({.rounds = 2, .learning_rate = 1, .max_leaves = 2, .goss_top = 0.2, .goss_other = 0.1});
  model.fit(data.matrix(), data.y);
  const Tree &whole = model.ensemble().trees[0], &sampled = model.ensemble().trees[1];
  EXPECT_EQ(sum_of(whole.leaf_cover), rows);
  // 600 rows as they are, and about 300 that stand for 8 each.
  EXPECT_NEAR(sum_of(sampled.leaf_cover), rows, 8 * 4 * std::sqrt(2400 * 0.125 * 0.875));
  EXPECT_NE(sum_of(sampled.leaf_cover), rows);
  ASSERT_EQ(sampled.feature, std::vector<std::int32_t>{1});
  EXPECT_NEAR(sampled.leaf_value[static_cast<std::size_t>(~sampled.left[0])], -2, 0.1);
  EXPECT_NEAR(sampled.leaf_value[static_cast<std::size_t>(~sampled.right[0])], 2, 0.1);
}

TEST(Sampling, DartKeepsItsSumConsistent) {
  // The metric that training tracked is that of the trees as they ended.
  const Data data = waves(1000, 3, 8);
  GradientBoosting model({.rounds = 25, .dart_rate = 0.3, .dart_skip = 0.1, .seed = 1});
  model.fit(data.matrix(), data.y, {.validation = data.matrix(), .validation_target = data.y});
  EXPECT_NEAR(model.validation_history().back(), rmse(model, data), 1e-9);
}

// A tree that is left out comes back smaller: of one left out each round, it must not be the first each time.
TEST(Sampling, DartLeavesOutTreesOfAllRounds) {
  const Data data = waves(500, 3, 8);
  GradientBoosting model({.rounds = 60, .max_leaves = 4, .dart_rate = 0.5, .dart_skip = 0, .dart_most = 1, .seed = 1});
  model.fit(data.matrix(), data.y);
  double first = 0;
  for (const double value : model.ensemble().trees[0].leaf_value) first = std::max(first, std::fabs(value));
  EXPECT_GT(first, 1e-3);  // (1 / 1.1)^59 would have left 4e-4 of a tenth
}

TEST(Sampling, TakesTheWholeSeed) {
  const Data data = waves(400, 3, 8);
  for (GradientBoostingOptions options :
       {GradientBoostingOptions{.rounds = 5, .subsample = 0.5}, {.rounds = 20, .goss_top = 0.2, .goss_other = 0.2}}) {
    GradientBoosting low(options);
    options.seed = std::uint64_t{1} << 40;
    GradientBoosting high(options);
    low.fit(data.matrix(), data.y);
    high.fit(data.matrix(), data.y);
    EXPECT_NE(low.predict(data.matrix()), high.predict(data.matrix()));
  }
}

TEST(Growth, NoLeafIsLighterThanAllowed) {
  Data data = waves(1000, 3, 15);
  for (double& y : data.y) y = y > 1;
  GradientBoostingOptions options{.objective = Objective::binary, .rounds = 5, .min_child_rows = 1};
  double least[2];
  for (const bool bounded : {false, true}) {
    options.min_child_weight = bounded ? 12 : 1e-3;
    GradientBoosting model(options);
    model.fit(data.matrix(), data.y);
    least[bounded] = 1000;
    for (const Tree& tree : model.ensemble().trees) {
      EXPECT_GT(tree.leaves(), 4);
      for (const double cover : tree.leaf_cover) least[bounded] = std::min(least[bounded], cover);
    }
  }
  EXPECT_LT(least[false], 3);
  EXPECT_GE(least[true], 11.99);
}

TEST(Growth, LimitsHold) {
  const Data data = waves(3000, 4, 9);
  for (const Growth growth : {Growth::leaf_wise, Growth::depth_wise}) {
    GradientBoosting deep({.rounds = 3, .growth = growth, .max_leaves = 0, .max_depth = 4, .min_child_rows = 1});
    deep.fit(data.matrix(), data.y);
    for (const Tree& tree : deep.ensemble().trees) EXPECT_EQ(tree.depth(), 4);
    GradientBoosting leaves({.rounds = 3, .growth = growth, .max_leaves = 37});
    leaves.fit(data.matrix(), data.y);
    for (const Tree& tree : leaves.ensemble().trees) EXPECT_EQ(tree.leaves(), 37);
  }
  GradientBoosting whole({.rounds = 1, .learning_rate = 1, .max_leaves = 0, .min_child_rows = 1, .max_bins = 255});
  whole.fit(data.matrix(), data.y);
  EXPECT_GT(whole.ensemble().trees[0].leaves(), 2500);
  for (const Objective objective : {Objective::squared, Objective::absolute, Objective::quantile}) {
    GradientBoosting bounded({.objective = objective, .rounds = 5, .max_delta_step = 0.01, .quantile = 0.8});
    bounded.fit(data.matrix(), data.y);
    for (const Tree& tree : bounded.ensemble().trees) {
      for (const double value : tree.leaf_value) EXPECT_LE(std::fabs(value), 0.1 * 0.01 + 1e-12);
    }
  }
}

}  // namespace
}  // namespace tern::trees
