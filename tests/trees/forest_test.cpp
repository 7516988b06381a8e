#include "tern/trees/forest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "message_of.h"
#include "resealed.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/data/csv.h"
#include "tern/trees/explain.h"
#include "tern/trees/formats.h"
#include "tern/trees/register.h"
#include "trees/models.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

constexpr std::int64_t kColumns = 5;

using data::Matrix;

// Numbers on a grid of 40, a part of them missing.
std::vector<double> grid(std::int64_t rows, std::uint64_t seed, double missing) {
  const Philox random(seed);
  std::vector<double> x(static_cast<std::size_t>(rows * kColumns));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::floor(random.uniform(2 * i) * 40) / 8;
    if (random.uniform(2 * i + 1) < missing) x[i] = kMissing;
  }
  return x;
}

// Values that depend on three columns, in steps of an eighth.
std::vector<double> values(const std::vector<double>& x, std::uint64_t seed) {
  const Philox random(seed, 1);
  std::vector<double> y(x.size() / kColumns);
  for (std::size_t row = 0; row < y.size(); ++row) {
    const double* at = x.data() + row * kColumns;
    const double value = or_zero(at[0]) * (std::isnan(at[1]) ? 2 : 1) - (at[2] > 2 ? or_zero(at[1]) : 1);
    y[row] = std::round((value + random.uniform(row)) * 8) / 8;
  }
  return y;
}

// The same cut into classes.
std::vector<double> classes(const std::vector<double>& x, std::uint64_t seed, int count) {
  std::vector<double> y = values(x, seed);
  for (double& each : y) each = std::clamp(std::floor((each + 3) / 10 * count), 0.0, count - 1.0);
  return y;
}

double accuracy(const std::vector<double>& got, const std::vector<double>& wanted) {
  double right = 0;
  for (std::size_t i = 0; i < got.size(); ++i) right += got[i] == wanted[i] ? 1 : 0;
  return right / static_cast<double>(got.size());
}

double r2(const std::vector<double>& got, const std::vector<double>& wanted) {
  const double mean = std::accumulate(wanted.begin(), wanted.end(), 0.0) / static_cast<double>(wanted.size());
  double errors = 0, squares = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    errors += (got[i] - wanted[i]) * (got[i] - wanted[i]);
    squares += (wanted[i] - mean) * (wanted[i] - mean);
  }
  return 1 - errors / squares;
}

// ---- One tree against the definition.

// Weight times impurity, straight from the definition.
double impurity(Criterion criterion, const std::vector<double>& y, const std::vector<double>& w,
                const std::vector<std::size_t>& rows) {
  std::array<double, 8> totals{};
  double weight = 0, sum = 0, squares = 0;
  for (const std::size_t row : rows) {
    if (criterion != Criterion::squared) totals[static_cast<std::size_t>(y[row])] += w[row];
    weight += w[row];
    sum += w[row] * y[row];
    squares += w[row] * y[row] * y[row];
  }
  if (weight == 0) return 0;
  double result = criterion == Criterion::gini ? weight : 0;
  for (const double total : totals) {
    if (criterion == Criterion::gini) result -= total * total / weight;
    if (criterion == Criterion::entropy && total > 0) result -= total * std::log(total / weight);
  }
  return criterion == Criterion::squared ? squares - sum * sum / weight : result;
}

using Rows = std::vector<std::size_t>;

std::pair<Rows, Rows> divide(const std::vector<double>& x, const Rows& rows, std::size_t feature, double threshold,
                             bool missing_left) {
  std::pair<Rows, Rows> sides;
  for (const std::size_t row : rows) {
    const double value = x[row * kColumns + feature];
    (std::isnan(value) ? missing_left : value <= threshold) ? sides.first.push_back(row) : sides.second.push_back(row);
  }
  return sides;
}

double gain_of(Criterion criterion, const std::vector<double>& y, const std::vector<double>& w, const Rows& rows,
               const std::pair<Rows, Rows>& sides) {
  return impurity(criterion, y, w, rows) - impurity(criterion, y, w, sides.first) -
         impurity(criterion, y, w, sides.second);
}

// Every split gains as much as any could, and what it says; leaves hold what the definition says.
void expect_best_tree(Criterion criterion, std::int64_t count, int class_count, double missing, bool weighted,
                      std::uint64_t seed) {
  const std::vector<double> x = grid(count, seed, missing);
  const std::vector<double> y = criterion == Criterion::squared ? values(x, seed) : classes(x, seed, class_count);
  std::vector<double> w(y.size(), 1);
  for (std::size_t row = 0; weighted && row < w.size(); ++row) w[row] = static_cast<double>(row % 4) * 0.75;
  RandomForest model({.criterion = criterion, .trees = 1, .max_features = 99, .min_child_rows = 2, .bootstrap = false});
  model.fit(Matrix(x, kColumns), y, {.weights = weighted ? w : std::vector<double>()});
  const Ensemble& trained = model.ensemble();
  trained.check();
  const Tree& tree = trained.trees[0];
  std::vector<std::pair<std::int32_t, Rows>> open(1);
  open[0].first = tree.nodes() > 0 ? 0 : ~0;
  for (std::size_t row = 0; row < y.size(); ++row) {
    if (w[row] > 0) open[0].second.push_back(row);
  }
  ASSERT_GT(tree.nodes(), 4);
  while (!open.empty()) {
    const auto [at, rows] = open.back();
    open.pop_back();
    double weight = 0;
    for (const std::size_t row : rows) weight += w[row];
    if (at < 0) {
      const auto leaf = static_cast<std::size_t>(~at);
      EXPECT_NEAR(tree.leaf_cover[leaf], weight, 1e-9);
      for (int k = 0; k < trained.outputs; ++k) {
        double sum = 0;
        for (const std::size_t row : rows) {
          sum += w[row] * (trained.outputs > 1 ? (y[row] == k ? 1.0 : 0.0) : y[row]);
        }
        EXPECT_NEAR(tree.leaf_value[leaf * static_cast<std::size_t>(trained.outputs) + static_cast<std::size_t>(k)],
                    sum / weight, 1e-9);
      }
      continue;
    }
    const auto node = static_cast<std::size_t>(at);
    double best = 0;
    for (std::size_t f = 0; f < kColumns; ++f) {
      for (double threshold = 0; threshold < 5; threshold += 0.125) {
        for (const bool missing_left : {false, true}) {
          const auto sides = divide(x, rows, f, threshold, missing_left);
          if (std::min(sides.first.size(), sides.second.size()) < 2) continue;
          best = std::max(best, gain_of(criterion, y, w, rows, sides));
        }
      }
    }
    const auto sides = divide(x, rows, static_cast<std::size_t>(tree.feature[node]), tree.threshold[node],
                              tree.left_default[node] != 0);
    EXPECT_NEAR(tree.gain[node], gain_of(criterion, y, w, rows, sides), 1e-8 * std::max(1.0, best));
    EXPECT_NEAR(tree.gain[node], best, 1e-8 * std::max(1.0, best));
    EXPECT_GE(std::min(sides.first.size(), sides.second.size()), 2u);
    EXPECT_NEAR(tree.cover[node], weight, 1e-9);
    open.emplace_back(tree.left[node], sides.first);
    open.emplace_back(tree.right[node], sides.second);
  }
}

TEST(Forest, SplitsAreTheBest) {
  for (const Criterion criterion : {Criterion::gini, Criterion::entropy, Criterion::squared}) {
    for (const bool weighted : {false, true}) {
      expect_best_tree(criterion, 150, 3, 0.1, weighted, 1);
      expect_best_tree(criterion, 150, 2, 0, weighted, 2);
    }
  }
  expect_best_tree(Criterion::gini, 1500, 4, 0.05, true, 3);  // its first nodes have many rows
  expect_best_tree(Criterion::entropy, 1500, 4, 0.05, true, 3);
}

TEST(Forest, LevelsOfTwoClassesAreDividedBest) {
  const Philox random(5);
  std::vector<double> x, y;
  for (std::uint64_t row = 0; row < 300; ++row) {
    x.push_back(static_cast<double>(random.below(2 * row, 8)));
    y.push_back(random.uniform(2 * row + 1) < std::fmod(x.back() * 0.37, 1) ? 1 : 0);
  }
  for (const Criterion criterion : {Criterion::gini, Criterion::entropy, Criterion::squared}) {
    RandomForest model({.criterion = criterion, .trees = 1, .max_depth = 1, .bootstrap = false, .categorical = {0}});
    model.fit(Matrix(x, 1), y);
    const Tree& tree = model.ensemble().trees[0];
    ASSERT_EQ(tree.nodes(), 1);
    double best = 0;
    for (unsigned set = 1; set < 255; ++set) {
      std::vector<std::size_t> all, left, right;
      for (std::size_t row = 0; row < 300; ++row) {
        all.push_back(row);
        ((set >> static_cast<unsigned>(x[row])) & 1 ? left : right).push_back(row);
      }
      const std::vector<double> w(300, 1);
      best = std::max(best, gain_of(criterion, y, w, all, {left, right}));
    }
    EXPECT_NEAR(tree.gain[0], best, 1e-9);
  }
}

TEST(Forest, LevelsOfSeveralClassesAreToldApart) {
  std::vector<double> x, y;
  for (int row = 0; row < 600; ++row) {
    x.push_back(row % 12);
    y.push_back(row * 7 % 12 % 4);
  }
  for (const bool many : {false, true}) {  // lists of rows, or sums by class
    std::vector<double> more = x, targets = y;
    for (int i = 0; i < 3 && many; ++i) {
      more.insert(more.end(), x.begin(), x.end());
      targets.insert(targets.end(), y.begin(), y.end());
    }
    RandomForest model({.trees = 5, .categorical = {0}});
    model.fit(Matrix(more, 1), targets);
    EXPECT_EQ(model.predict(Matrix(x, 1)), y);
  }
}

TEST(Forest, MiddleOfTheGapIsTheThreshold) {
  std::vector<double> x, y;
  for (int row = 0; row < 20; ++row) {
    x.insert(x.end(), {static_cast<double>(row), row < 10 ? 0.0 : row});
    y.push_back(row < 10 ? 0 : 1);
  }
  RandomForest model({.trees = 1, .max_features = 2, .max_depth = 1, .bootstrap = false});
  model.fit(Matrix(x, 2), y);
  const double threshold = model.ensemble().trees[0].threshold[0];
  if (model.ensemble().trees[0].feature[0] == 0) {
    EXPECT_NEAR(threshold, 9.5, 1e-6);
  } else {
    EXPECT_NEAR(threshold, 5, 1e-6);  // between 0 and 10 there is no value
  }
}

// ---- Forests.

TEST(Forest, SameBitsAtAnyNumberOfThreads) {
  const std::vector<double> x = grid(3000, 4, 0.02), of_values = values(x, 4);
  const std::vector<double> of_classes = classes(x, 4, 3);
  const auto train = [&](bool extra, bool numbers, std::uint64_t seed) {
    const ForestOptions options{.criterion = numbers ? Criterion::squared : Criterion::gini,
                                .trees = 12,
                                .bootstrap = true,
                                .oob_score = true,
                                .seed = seed};
    std::unique_ptr<Forest> model;
    if (extra) {
      model = std::make_unique<ExtraTrees>(options);
    } else {
      model = std::make_unique<RandomForest>(options);
    }
    model->fit(Matrix(x, kColumns), numbers ? of_values : of_classes);
    return std::pair(model->ensemble(), model->oob_prediction());
  };
  for (const bool extra : {false, true}) {
    for (const bool numbers : {false, true}) {
      set_num_threads(1);
      const auto [one, one_out] = train(extra, numbers, 7);
      for (const int threads : {2, 5}) {
        set_num_threads(threads);
        const auto [other, other_out] = train(extra, numbers, 7);
        EXPECT_TRUE(same(one, other));
        ASSERT_EQ(one_out.size(), other_out.size());
        EXPECT_EQ(std::memcmp(one_out.data(), other_out.data(), one_out.size() * sizeof(double)), 0);
      }
      set_num_threads(0);
      EXPECT_FALSE(same(one, train(extra, numbers, 8).first));
      EXPECT_FALSE(same(one, train(!extra, numbers, 7).first));
    }
  }
}

TEST(Forest, TwoEqualRowsAreOneOfWeightTwo) {
  const std::vector<double> x = grid(400, 6, 0.05);
  std::vector<double> twice = x;
  twice.insert(twice.end(), x.begin(), x.end());
  for (const Criterion criterion : {Criterion::gini, Criterion::entropy, Criterion::squared}) {
    const std::vector<double> y = criterion == Criterion::squared ? values(x, 6) : classes(x, 6, 3);
    std::vector<double> y_twice = y;
    y_twice.insert(y_twice.end(), y.begin(), y.end());
    const ForestOptions options{.criterion = criterion, .trees = 5, .bootstrap = false};
    for (const bool extra : {false, true}) {
      std::unique_ptr<Forest> a, b;
      if (extra) {
        a = std::make_unique<ExtraTrees>(options), b = std::make_unique<ExtraTrees>(options);
      } else {
        a = std::make_unique<RandomForest>(options), b = std::make_unique<RandomForest>(options);
      }
      a->fit(Matrix(x, kColumns), y, {.weights = std::vector<double>(y.size(), 2)});
      b->fit(Matrix(twice, kColumns), y_twice);
      // Sums of whole weights are exact; of logarithms and values they are rounded, and near ties may turn.
      EXPECT_TRUE(criterion != Criterion::gini || same(a->ensemble(), b->ensemble()));
      const std::vector<double> p = a->predict(Matrix(x, kColumns)), q = b->predict(Matrix(x, kColumns));
      for (std::size_t i = 0; i < p.size(); ++i) ASSERT_NEAR(p[i], q[i], 1e-9);
    }
  }
}

TEST(Forest, MonotoneTransformsChangeNoTree) {
  const std::vector<double> x = grid(500, 8, 0.05);
  std::vector<double> other = x;
  for (std::size_t i = 0; i < other.size(); ++i) {
    if (i % kColumns == 0) other[i] = std::exp(3 * other[i]);
    if (i % kColumns == 2) other[i] = std::pow(other[i], 3) - 1e6;
  }
  const std::vector<double> y = classes(x, 8, 4);
  RandomForest a({.trees = 10}), b({.trees = 10});
  a.fit(Matrix(x, kColumns), y);
  b.fit(Matrix(other, kColumns), y);
  EXPECT_TRUE(same(a.ensemble(), b.ensemble(), false));
  EXPECT_EQ(a.predict_probability(Matrix(x, kColumns)), b.predict_probability(Matrix(other, kColumns)));
  ExtraTrees c({.trees = 10}), d({.trees = 10});
  c.fit(Matrix(x, kColumns), y);
  d.fit(Matrix(other, kColumns), y);
  EXPECT_TRUE(same(c.ensemble(), d.ensemble(), false));
}

TEST(Forest, OutOfBagScoresAreNearThoseOfNewRows) {
  const std::vector<double> x = grid(2000, 9, 0.02), more = grid(2000, 10, 0.02);
  RandomForest classifier({.trees = 60, .oob_score = true});
  classifier.fit(Matrix(x, kColumns), classes(x, 9, 3));
  const double got = accuracy(classifier.predict(Matrix(more, kColumns)), classes(more, 10, 3));
  EXPECT_GT(got, 0.8);
  EXPECT_NEAR(classifier.oob_score(), got, 0.03);
  EXPECT_EQ(classifier.oob_prediction().size(), 6000u);
  RandomForest regressor({.criterion = Criterion::squared, .trees = 60, .oob_score = true});
  regressor.fit(Matrix(x, kColumns), values(x, 9));
  const double r = r2(regressor.predict(Matrix(more, kColumns)), values(more, 10));
  EXPECT_GT(r, 0.9);
  EXPECT_NEAR(regressor.oob_score(), r, 0.03);
  // Rows that every tree has seen have none.
  RandomForest one({.trees = 1, .oob_score = true});
  one.fit(Matrix(x, kColumns), classes(x, 9, 2));
  const auto& out = one.oob_prediction();
  const auto unseen = std::count_if(out.begin(), out.end(), [](double p) { return !std::isnan(p); });
  EXPECT_NEAR(static_cast<double>(unseen) / 2000, std::exp(-1), 0.03);
}

TEST(Forest, OutOfBagScoresGoByWeight) {
  const std::vector<double> x = grid(800, 9, 0.02);
  for (const Criterion criterion : {Criterion::gini, Criterion::squared}) {
    const bool counts = criterion == Criterion::gini;
    std::vector<double> y = counts ? classes(x, 9, 2) : values(x, 9), weights(800);
    for (std::size_t row = 0; row < 800; ++row) {
      weights[row] = static_cast<double>(row % 4);
      if (row % 4 == 0) y[row] = counts ? 1 - y[row] : 1e6;  // wrong, and without weight
    }
    RandomForest forest({.criterion = criterion, .trees = 30, .oob_score = true});
    forest.fit(Matrix(x, kColumns), y, {.weights = weights});
    double total = 0, right = 0, sum = 0, squares = 0, errors = 0;
    const std::vector<double>& p = forest.oob_prediction();
    for (std::size_t row = 0; row < 800; ++row) {
      if (std::isnan(p[row])) continue;
      total += weights[row];
      right += weights[row] * ((p[row] >= 0.5) == (y[row] == 1));
      sum += weights[row] * y[row];
      errors += weights[row] * (p[row] - y[row]) * (p[row] - y[row]);
    }
    for (std::size_t row = 0; row < 800; ++row) {
      if (!std::isnan(p[row])) squares += weights[row] * (y[row] - sum / total) * (y[row] - sum / total);
    }
    EXPECT_NEAR(forest.oob_score(), counts ? right / total : 1 - errors / squares, 1e-12);
    EXPECT_GT(forest.oob_score(), 0.7);
  }
}

TEST(Forest, GrowsToPureLeavesUnlessLimited) {
  const std::vector<double> x = grid(600, 11, 0), y = classes(x, 11, 3);
  const auto trained = [&](ForestOptions options) {
    options.trees = 4;
    RandomForest model(options);
    model.fit(Matrix(x, kColumns), y);
    return model.ensemble();
  };
  const auto pure = trained({.bootstrap = false});
  for (const Tree& tree : pure.trees) {
    for (const double share : tree.leaf_value) EXPECT_TRUE(share == 0 || share == 1);
  }
  for (const Tree& tree : trained({.max_depth = 3}).trees) EXPECT_EQ(tree.depth(), 3);
  for (const Tree& tree : trained({.max_leaves = 9}).trees) EXPECT_EQ(tree.leaves(), 9);
  for (const Tree& tree : trained({.min_child_rows = 20, .bootstrap = false}).trees) {
    for (const double cover : tree.leaf_cover) EXPECT_GE(cover, 20);
  }
  for (const Tree& tree : trained({.min_split_rows = 50, .bootstrap = false}).trees) {
    for (const double cover : tree.cover) EXPECT_GE(cover, 50);
  }
  // Where it gains most first.
  const Tree few = trained({.max_features = 5, .max_leaves = 4, .bootstrap = false}).trees[0];
  const Tree whole = trained({.max_features = 5, .bootstrap = false}).trees[0];
  std::vector<std::size_t> open{0};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto next = std::max_element(open.begin(), open.end(),
                                       [&](std::size_t a, std::size_t b) { return whole.gain[a] < whole.gain[b]; });
    const std::size_t node = *next;
    open.erase(next);
    EXPECT_NEAR(few.gain[i], whole.gain[node], 1e-9);
    for (const std::int32_t child : {whole.left[node], whole.right[node]}) {
      if (child >= 0) open.push_back(static_cast<std::size_t>(child));
    }
  }
}

// So many bins that nodes of few rows copy theirs.
TEST(Forest, WideRowsAreToldApartToTheLast) {
  const std::int64_t rows = 3000, columns = 800;
  const Philox random(21);
  std::vector<float> x(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = random.bits32(i) % 7 == 0 ? 0.0F : random.uniform_float(i);
  std::vector<double> y;
  for (std::uint64_t row = 0; row < 3000; ++row) y.push_back(static_cast<double>(random.below(row, 5)));
  for (const Criterion criterion : {Criterion::gini, Criterion::squared}) {
    RandomForest model({.criterion = criterion, .trees = 3, .max_features = 20, .bootstrap = false});
    model.fit(Matrix(x, columns), y);
    const std::vector<double> got = model.predict(Matrix(x, columns));
    for (std::size_t row = 0; row < y.size(); ++row) ASSERT_NEAR(got[row], y[row], 1e-12);
  }
}

data::Table people(std::int64_t rows, std::uint64_t seed, bool more_levels = false) {
  const Philox random(seed);
  std::string text = "age,town,member,weight,bought,amount\n";
  const std::array<const char*, 5> towns{"Aachen", "Bonn", "Celle", "Dresden", "Emden"};
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::uint64_t>(row) * 8;
    const auto town = random.below(at, more_levels ? 5 : 4);
    const double age = 18 + std::floor(60 * random.uniform(at + 1));
    const bool member = random.uniform(at + 2) < 0.5;
    const double amount = age / 10 + (town == 1 || town == 3 ? 4 : 0) + (member ? 2 : 0) + random.uniform(at + 3);
    text += (random.uniform(at + 4) < 0.05 ? "" : std::to_string(age)) + "," + towns[town] + "," +
            (member ? "true" : "false") + "," + std::to_string(row % 3) + "," + (amount > 8 ? "yes" : "no") + "," +
            std::to_string(amount) + "\n";
  }
  return data::read_csv_text(text);
}

TEST(Forest, TakesTablesAsTheyAre) {
  const data::Table all = people(900, 12), more = people(300, 13, true);
  const data::Table table = all.drop({"amount"}), rest = all.drop({"bought"});
  for (const bool extra : {false, true}) {
    std::unique_ptr<Forest> model;
    if (extra) {
      model = std::make_unique<ExtraTrees>(ForestOptions{.trees = 40});
    } else {
      model = std::make_unique<RandomForest>(ForestOptions{.trees = 40});
    }
    model->fit(table, "bought", {.weights = "weight"});
    EXPECT_EQ(model->classes(), (std::vector<std::string>{"no", "yes"}));
    EXPECT_EQ(model->names(), (std::vector<std::string>{"age", "town", "member"}));
    std::vector<double> wanted;
    for (std::int64_t row = 0; row < more.rows(); ++row) wanted.push_back(more["bought"].text(row) == "yes" ? 1 : 0);
    EXPECT_GT(accuracy(model->predict(more), wanted), 0.8);  // Emden is new to it
    EXPECT_EQ(model->predict_probability(more).size(), 300u);
  }
  RandomForest turned({.trees = 40, .positive = "no"});
  turned.fit(table, "bought", {.weights = "weight"});
  EXPECT_EQ(turned.classes(), (std::vector<std::string>{"yes", "no"}));
  RandomForest plain({.trees = 40});
  plain.fit(table, "bought", {.weights = "weight"});
  const std::vector<double> p = plain.predict_probability(more), q = turned.predict_probability(more);
  double difference = 0;  // which of two splits that gain as much is taken may turn with the classes
  for (std::size_t i = 0; i < p.size(); ++i) difference += std::fabs(p[i] - (1 - q[i]));
  EXPECT_LT(difference / static_cast<double>(p.size()), 0.02);
  RandomForest of_values({.criterion = Criterion::squared, .trees = 40});
  of_values.fit(rest, "amount", {.weights = "weight"});
  EXPECT_GT(r2(of_values.predict(more), more["amount"].numeric()), 0.9);
}

TEST(Forest, FilesKeepIt) {
  const std::string path = temporary_path("forest_test.json");
  const data::Table table = people(300, 14).drop({"amount"});
  RandomForest model({.trees = 7, .max_depth = 6, .seed = 3});
  model.fit(table, "bought");
  model.save(path);
  const RandomForest back = RandomForest::load(path);
  EXPECT_EQ(back.predict_probability(table), model.predict_probability(table));
  EXPECT_EQ(back.classes(), model.classes());
  EXPECT_EQ(back.options().max_depth, 6);
  EXPECT_EQ(to_json(back.ensemble()), to_json(model.ensemble()));
  EXPECT_NE(message_of<FormatError>([&] { ExtraTrees::load(path); }).find("extra_trees"), std::string::npos);
  EXPECT_EQ(data::load_estimator(path)->predict(table), model.predict(table));
  const auto unseen = back.unseen(people(300, 14, true));
  ASSERT_EQ(unseen.size(), 1u);
  EXPECT_EQ(unseen[0].first, "town");  // Emden
  for (const double share : {255.0, -1.0}) {
    data::EstimatorState state = model.state();
    const std::size_t at = state.json.find("\"leaf_value\":[") + 14;
    state.json.replace(at, state.json.find_first_of(",]", at) - at, std::to_string(share));
    EXPECT_THROW(data::make_estimator(state), FormatError) << share;
  }
  const std::string text = read_file(path);
  for (std::size_t length = 0; length < text.size(); length += text.size() / 50 + 1) {
    write_file(path, text.substr(0, length));
    EXPECT_THROW(RandomForest::load(path), FormatError);
  }
  std::string changed = without_seal(text);
  changed.replace(changed.find("\"trees\":7"), 9, "\"trees\":0");
  write_file(path, resealed(changed));
  EXPECT_THROW(RandomForest::load(path), FormatError);
  std::filesystem::remove(path);

  register_estimators();
  const auto copy = model.clone(), made = data::make_estimator(model.state());
  EXPECT_EQ(copy->predict(table), model.predict(table));
  EXPECT_EQ(made->predict(table), model.predict(table));
  ExtraTrees extra({.criterion = Criterion::squared, .trees = 3});
  const std::vector<double> x = grid(200, 15, 0.1);
  extra.fit(Matrix(x, kColumns), values(x, 15));
  extra.save(path);
  EXPECT_EQ(ExtraTrees::load(path).predict(Matrix(x, kColumns)), extra.predict(Matrix(x, kColumns)));
  std::filesystem::remove(path);
}

TEST(Forest, IsExplainedAndExported) {
  const std::vector<double> x = grid(400, 16, 0.05);
  RandomForest several({.trees = 6}), two({.trees = 6});
  several.fit(Matrix(x, kColumns), classes(x, 16, 3));
  two.fit(Matrix(x, kColumns), classes(x, 16, 2));
  const std::vector<double> few(x.begin(), x.begin() + 10 * kColumns);
  for (const RandomForest* model : {&several, &two}) {
    const Ensemble& trained = model->ensemble();
    const std::vector<double> margins = model->predict_probability(Matrix(few, kColumns));
    const std::vector<double> shap = TreeShap(trained).values(few);
    for (std::size_t i = 0; i < margins.size(); ++i) {
      EXPECT_NEAR(std::accumulate(&shap[i * (kColumns + 1)], &shap[i * (kColumns + 1)] + kColumns + 1, 0.0), margins[i],
                  1e-12);
    }
    const std::vector<double> gains = gain_importance(trained);
    EXPECT_GT(gains[0], gains[3]);
    EXPECT_NE(to_text(trained, 0).find("f0 <= "), std::string::npos);
    EXPECT_NE(to_svg(trained, 5).find("</svg>"), std::string::npos);
  }
  EXPECT_THROW(to_xgboost(several.ensemble()), ValueError);
  EXPECT_THROW(to_lightgbm(several.ensemble()), ValueError);
  const std::vector<double> wanted = two.predict_probability(Matrix(few, kColumns));
  const std::vector<double> a = Predictor(from_xgboost(to_xgboost(two.ensemble()))).predict(few);
  const std::vector<double> b = Predictor(from_lightgbm(to_lightgbm(two.ensemble()))).predict(few);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(a[i], wanted[i], 1e-6);
    EXPECT_NEAR(b[i], wanted[i], 1e-12);
  }
}

TEST(Forest, BadInputIsRefusedOrDefined) {
  const std::vector<double> x = grid(60, 17, 0), y = classes(x, 17, 2), v = values(x, 17);
  const Matrix rows(x, kColumns);
  const auto fit = [&](const Matrix& features, const std::vector<double>& target, const data::MatrixFit& more = {}) {
    return [=] { RandomForest({.trees = 2}).fit(features, target, more); };
  };
  EXPECT_NE(message_of<ValueError>(fit(Matrix(std::vector<double>(), kColumns), {})).find("rows"), std::string::npos);
  EXPECT_NE(message_of<ShapeError>(fit(rows, {0, 1})).find("60 targets, got 2"), std::string::npos);
  std::vector<double> bad = y;
  bad[7] = kMissing;
  EXPECT_NE(message_of<ValueError>(fit(rows, bad)).find("row 7"), std::string::npos);
  bad[7] = 0.5;
  EXPECT_NE(message_of<ValueError>(fit(rows, bad)).find("row 7"), std::string::npos);
  EXPECT_THROW(fit(rows, std::vector<double>(60, 1))(), ValueError);  // one class alone
  std::vector<double> w(60, 1);
  w[3] = -1;
  EXPECT_THROW(fit(rows, y, {.weights = w})(), ValueError);
  w.assign(60, 0);
  EXPECT_THROW(fit(rows, y, {.weights = w})(), ValueError);
  EXPECT_THROW(fit(rows, y, {.validation = rows, .validation_target = y})(), ValueError);
  std::vector<double> infinite = x;
  infinite[4] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(fit(Matrix(infinite, kColumns), y)(), ValueError);
  const data::Table named{{"spend", data::Column::from_f64({1, infinite[4], 3})},
                          {"y", data::Column::from_f64({1, 2, 3})}};
  RandomForest of_table({.criterion = Criterion::squared, .trees = 2});
  EXPECT_NE(message_of<ValueError>([&] { of_table.fit(named, "y"); }).find("inf in row 1, column \"spend\""),
            std::string::npos);

  RandomForest model({.criterion = Criterion::squared, .trees = 3});
  EXPECT_THROW(model.predict(rows), StateError);
  EXPECT_THROW(model.ensemble(), StateError);
  model.fit(rows, std::vector<double>(60, 2.5));  // a constant target: trees of one leaf
  for (const Tree& tree : model.ensemble().trees) EXPECT_EQ(tree.leaves(), 1);
  for (const double each : model.predict(rows)) EXPECT_EQ(each, 2.5);
  EXPECT_THROW(model.oob_prediction(), StateError);
  EXPECT_THROW(model.predict_probability(rows), StateError);
  std::vector<double> empty_column = x;
  for (std::size_t i = 1; i < empty_column.size(); i += kColumns) empty_column[i] = kMissing;
  model.fit(Matrix(empty_column, kColumns), v);
  EXPECT_EQ(split_importance(model.ensemble())[1], 0);
  std::vector<double> huge = v;
  for (const double scale : {1e200, 1e-200}) {
    for (std::size_t i = 0; i < huge.size(); ++i) huge[i] = v[i] * scale;
    EXPECT_NE(message_of<ValueError>([&] { model.fit(rows, huge); }).find("1e-140 to 1e140"), std::string::npos);
  }
  // One row of weight above 0, others of none.
  w.assign(60, 0);
  w[5] = 2;
  model.fit(rows, v, {.weights = w});
  EXPECT_NEAR(model.predict(rows)[0], v[5], 1e-12);

  const auto refused = [](ForestOptions options) {
    return message_of<ValueError>([&] { RandomForest model(options); });
  };
  EXPECT_NE(refused({.trees = 0}).find("trees"), std::string::npos);
  EXPECT_NE(refused({.max_features = -1}).find("max_features"), std::string::npos);
  EXPECT_NE(refused({.max_depth = -1}).find("max_depth"), std::string::npos);
  EXPECT_NE(refused({.max_leaves = 1}).find("max_leaves"), std::string::npos);
  EXPECT_NE(refused({.min_child_rows = 0}).find("min_child_rows"), std::string::npos);
  EXPECT_NE(refused({.min_split_rows = 1}).find("min_split_rows"), std::string::npos);
  EXPECT_NE(refused({.max_bins = 256}).find("max_bins"), std::string::npos);
  EXPECT_THROW(ExtraTrees({.oob_score = true}), ValueError);  // every tree sees all rows
  EXPECT_THROW(RandomForest({.categorical = {5}}).fit(rows, y), IndexError);
  EXPECT_THROW(parse_criterion("variance"), ValueError);
  for (const Criterion criterion : {Criterion::gini, Criterion::entropy, Criterion::squared}) {
    EXPECT_EQ(parse_criterion(to_string(criterion)), criterion);
  }
  const data::Table table = people(50, 18);
  EXPECT_THROW(RandomForest({.positive = "maybe"}).fit(table, "bought"), ValueError);
  EXPECT_THROW(RandomForest({.criterion = Criterion::squared, .positive = "yes"}), ValueError);
  EXPECT_THROW(RandomForest().fit(table, "town", {.weights = "bought"}), DataError);
  EXPECT_THROW(RandomForest({.criterion = Criterion::squared}).fit(table, "town"), DataError);
  EXPECT_THROW(RandomForest().fit(table.head(0), "bought"), ValueError);
}

// What is left of a node's weight beside such a side is a rounding error.
TEST(Forest, WeightsOfAllSizes) {
  const std::vector<double> x = grid(400, 17, 0), y = classes(x, 17, 2), three = classes(x, 18, 3), v = values(x, 17);
  std::vector<double> tiny(400, 1), decays(400);
  for (std::size_t i = 0; i < 400; ++i) {
    if (i % 20 == 0) tiny[i] = 1e-14;
    decays[i] = std::exp(-static_cast<double>(i) / 10);
  }
  for (const std::vector<double>& weights : {tiny, decays}) {
    for (const Criterion criterion : {Criterion::squared, Criterion::gini, Criterion::entropy}) {
      for (const std::vector<double>& target : criterion == Criterion::squared
                                                   ? std::vector<std::vector<double>>{v}
                                                   : std::vector<std::vector<double>>{y, three}) {
        RandomForest random({.criterion = criterion, .trees = 10});
        random.fit(Matrix(x, kColumns), target, {.weights = weights});
        random.ensemble().check();
        ExtraTrees extra({.criterion = criterion, .trees = 10});
        extra.fit(Matrix(x, kColumns), target, {.weights = weights});
        extra.ensemble().check();
      }
    }
  }
}

// More levels than bins, of which one is too rare to keep.
TEST(Forest, RareLevelsBesideMoreLevelsThanBins) {
  std::vector<std::string> levels;
  std::vector<double> y;
  for (int i = 0; i < 900; ++i) {
    levels.push_back("L" + std::to_string(i % 300));
    y.push_back(i % 300 < 150);
  }
  levels.push_back("once");
  y.push_back(1);
  const data::Table table{{"level", data::Column::from_strings(levels)}, {"y", data::Column::from_f64(y)}};
  RandomForest model({.trees = 5, .min_level_rows = 2});
  model.fit(table, "y");
  const std::vector<std::string>& kept = model.ensemble().features[0].levels;
  EXPECT_EQ(kept.size(), 255u);
  EXPECT_EQ(std::count(kept.begin(), kept.end(), "once"), 0);
  EXPECT_EQ(model.unseen(table), (std::vector<std::pair<std::string, std::int64_t>>{{"level", 45 * 3 + 1}}));
  const std::vector<double> predicted = model.predict(table);
  EXPECT_GT(accuracy(predicted, y), 0.9);
  const data::Table other{{"level", data::Column::from_strings({"never", ""}, {true, false})}};
  EXPECT_EQ(model.predict(other), (std::vector<double>(2, predicted.back())));  // as "once", which is not known
}

}  // namespace
}  // namespace tern::trees
