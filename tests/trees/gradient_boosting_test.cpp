#include "tern/trees/gradient_boosting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "message_of.h"
#include "sanitized.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"
#include "trees/models.h"
#include "trees/naive.h"

namespace tern::trees {
namespace {

// Numbers on a grid of 64, a part of them missing.
std::vector<double> grid(std::int64_t rows, std::int64_t columns, std::uint64_t seed, double missing) {
  const Philox random(seed);
  std::vector<double> x(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::floor(random.uniform(2 * i) * 64) / 8;
    if (random.uniform(2 * i + 1) < missing) x[i] = kMissing;
  }
  return x;
}

// A target of eighths whose mean is 0: half of the rows has the other half's targets with the sign turned.
std::vector<double> eighths(const std::vector<double>& x, std::int64_t columns, std::uint64_t seed) {
  const Philox random(seed, 1);
  const std::size_t rows = x.size() / static_cast<std::size_t>(columns);
  std::vector<double> y(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const double* at = x.data() + row * static_cast<std::size_t>(columns);
    const double value =
        or_zero(at[0]) * (std::isnan(at[1]) ? 3 : 1) - (at[2] > 4 ? or_zero(at[1]) : 2) + random.uniform(row);
    y[row] = std::round(value * 8) / 8;
  }
  double sum = 0;
  for (const double each : y) sum += each;
  const double mean = std::round(sum / static_cast<double>(rows) * 8) / 8;
  for (double& each : y) each -= mean, sum -= mean;
  for (std::size_t row = 0; sum != 0; row = (row + 1) % rows) {
    const double step = std::clamp(sum, -0.125, 0.125);
    y[row] -= step;
    sum -= step;
  }
  return y;
}

TEST(GradientBoosting, OneTreeIsThatOfTheNaiveTrainer) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const std::int64_t rows = 400, columns = 4;
    const std::vector<double> x = grid(rows, columns, seed, seed % 3 == 0 ? 0 : 0.1);
    const std::vector<double> y = eighths(x, columns, seed);
    GradientBoostingOptions options{.rounds = 1,
                                    .learning_rate = 1,
                                    .max_leaves = 2 + static_cast<int>(seed) * 2,
                                    .min_child_rows = 1 + static_cast<int>(seed) * 3 / 2,
                                    .lambda_l2 = seed % 2 ? 1.5 : 0};
    if (seed == 5) options.max_depth = 3;
    if (seed >= 8) options.growth = Growth::depth_wise;
    if (seed >= 10) options.lambda_l1 = 2;
    GradientBoosting model(options);
    model.fit(Matrix(x, columns), y);
    ASSERT_EQ(model.ensemble().base, std::vector<double>{0});
    model.ensemble().check();
    const NaiveTree naive = grow_naively(x, columns, y, options);
    const Tree& tree = model.ensemble().trees.at(0);
    ASSERT_EQ(tree.nodes(), static_cast<std::int64_t>(naive.splits.size())) << seed;
    const std::vector<double> got = model.predict(Matrix(x, columns));
    for (std::size_t row = 0; row < got.size(); ++row)
      ASSERT_NEAR(got[row], naive.predictions[row], 1e-9) << seed << " " << row;
    double gains = 0, naive_gains = 0;
    for (const double gain : tree.gain) gains += gain;
    for (const auto& split : naive.splits) naive_gains += split.gain;
    EXPECT_NEAR(gains, naive_gains, 1e-9 * naive_gains);
  }
}

TEST(GradientBoosting, BinaryRoundsFollowTheNaiveTrainer) {
  const std::int64_t rows = 1000, columns = 5;
  const std::vector<double> x = grid(rows, columns, 3, 0.05);
  const Philox random(9);
  std::vector<double> y;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* at = x.data() + row * columns;
    const double margin = or_zero(at[0]) - or_zero(at[1]) * (at[2] > 3 ? 1 : -0.5) - (std::isnan(at[3]) ? 2 : 0);
    y.push_back(random.uniform(static_cast<std::uint64_t>(row)) < 1 / (1 + std::exp(-margin)));
  }
  GradientBoostingOptions options{
      .objective = Objective::binary, .rounds = repeats(20, 5), .max_leaves = 6, .min_child_rows = 1, .lambda_l2 = 1};
  GradientBoosting model(options);
  model.fit(Matrix(x, columns), y);
  double p = 0;
  for (const double each : y) p += each / static_cast<double>(rows);
  std::vector<double> margins(y.size(), std::log(p / (1 - p)));
  for (int round = 0; round < options.rounds; ++round) {
    std::vector<double> g, h;
    for (std::size_t row = 0; row < y.size(); ++row) {
      const double mean = 1 / (1 + std::exp(-margins[row]));
      g.push_back(mean - y[row]);
      h.push_back(mean * (1 - mean));
    }
    const NaiveTree tree = grow_naively(x, columns, g, h, options);
    for (std::size_t row = 0; row < y.size(); ++row) margins[row] += options.learning_rate * tree.predictions[row];
  }
  const std::vector<double> got = model.predict_probability(Matrix(x, columns));
  double difference = 0;
  for (std::size_t row = 0; row < y.size(); ++row)
    difference += std::fabs(got[row] - 1 / (1 + std::exp(-margins[row])));
  EXPECT_LT(difference / static_cast<double>(rows), 2e-3);  // a split among near equals may be another
  const std::vector<double> classes = model.predict(Matrix(x, columns));
  for (std::size_t row = 0; row < y.size(); ++row) ASSERT_EQ(classes[row], got[row] >= 0.5);
}

TEST(GradientBoosting, SameBitsAtAnyNumberOfThreads) {
  const std::int64_t rows = 200'000, columns = 12;  // enough for coarse gradients and for nodes that threads share
  const std::vector<double> x = grid(rows, columns, 4, 0.02);
  std::vector<double> y;
  for (std::int64_t row = 0; row < rows; ++row) y.push_back(or_zero(x[row * columns]) > or_zero(x[row * columns + 1]));
  for (const bool coarse : {true, false}) {
    std::vector<Ensemble> models;
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      GradientBoosting model(
          {.objective = Objective::binary, .rounds = 3, .max_leaves = 60, .coarse_gradients = coarse});
      model.fit(Matrix(x, columns), y);
      models.push_back(model.ensemble());
    }
    set_num_threads(0);
    EXPECT_GT(models[0].trees[0].nodes(), 50);
    EXPECT_TRUE(same(models[0], models[1]));
    EXPECT_TRUE(same(models[0], models[2]));
  }
}

TEST(GradientBoosting, SameBitsAtAnyNumberOfThreadsWhateverIsTrained) {
  const std::int64_t columns = 8, enough = 9000;  // rows for several threads to work on a tree
  const std::vector<double> x = grid(2 * enough, columns, 14, 0.02);
  std::vector<double> y;
  for (std::int64_t row = 0; row < 2 * enough; ++row) {
    const double* at = x.data() + row * columns;
    y.push_back(or_zero(at[0]) > 4 ? 2 : or_zero(at[1]) > or_zero(at[2]));
  }
  const std::vector<std::int64_t> queries(enough / 20, 20);
  const GradientBoostingOptions kinds[] = {{.objective = Objective::multiclass, .rounds = 2},
                                           {.objective = Objective::lambdarank, .rounds = 2},
                                           {.rounds = 3, .learning_rate = 1, .goss_top = 0.2, .goss_other = 0.3},
                                           {.rounds = 4, .dart_rate = 0.5, .dart_skip = 0}};
  for (const GradientBoostingOptions& options : kinds) {
    std::vector<Ensemble> models;
    for (const int threads : {1, 2, 5}) {
      set_num_threads(threads);
      GradientBoosting model(options);
      MatrixFitOptions how;
      if (options.objective == Objective::lambdarank) how.queries = queries;
      const auto rows = static_cast<std::size_t>(options.goss_top > 0 ? 2 * enough : enough);  // half of them drawn
      model.fit(Matrix(std::span(x).first(rows * columns), columns), std::span(y).first(rows), how);
      models.push_back(model.ensemble());
    }
    set_num_threads(0);
    EXPECT_GT(models[0].trees.back().nodes(), 20);
    EXPECT_TRUE(same(models[0], models[1])) << to_string(options.objective) << " " << options.goss_top;
    EXPECT_TRUE(same(models[0], models[2])) << to_string(options.objective) << " " << options.goss_top;
  }
}

// Under the thread sanitizer: what threads may read while one looks for another split.
TEST(GradientBoosting, SplitsThatDoNotHoldAreReplacedBesideOtherThreads) {
  const std::int64_t rows = 20'000, columns = 8;
  const Philox random(3);
  std::vector<double> x, y;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(rows * columns); ++i) x.push_back(random.uniform(i));
  for (std::int64_t row = 0; row < rows; ++row) {
    const double noise = random.uniform(static_cast<std::uint64_t>(rows * columns + row));
    y.push_back(x[static_cast<std::size_t>(row * columns)] * x[static_cast<std::size_t>(row * columns + 1)] +
                    0.2 * noise >
                0.35);
  }
  std::vector<Ensemble> models;
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    GradientBoosting model(
        {.objective = Objective::binary, .rounds = 15, .learning_rate = 0.4, .max_leaves = 60, .min_child_rows = 80});
    model.fit(Matrix(x, columns), y);
    models.push_back(model.ensemble());
  }
  set_num_threads(0);
  EXPECT_TRUE(same(models[0], models[1]));
}

TEST(GradientBoosting, MonotoneTransformOfAFeatureChangesNoTree) {
  const std::int64_t rows = 250'000, columns = 2;  // more than thresholds are looked for in
  const Philox random(8);
  std::vector<double> x, y, turned;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(rows * columns); ++i) x.push_back(random.uniform(i) * 4 - 2);
  for (std::int64_t row = 0; row < rows; ++row) y.push_back(std::sin(3 * x[row * 2]) + x[row * 2 + 1]);
  for (const double each : x) turned.push_back(std::exp(2 * each) - 7);
  GradientBoosting a({.rounds = 3, .max_leaves = 20}), b({.rounds = 3, .max_leaves = 20});
  a.fit(Matrix(x, columns), y);
  b.fit(Matrix(turned, columns), y);
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_EQ(a.ensemble().trees[t].feature, b.ensemble().trees[t].feature);
    EXPECT_EQ(a.ensemble().trees[t].leaf_value, b.ensemble().trees[t].leaf_value);
  }
  EXPECT_EQ(a.predict(Matrix(x, columns)), b.predict(Matrix(turned, columns)));
}

TEST(GradientBoosting, FloatsTrainAsTheSameDoublesDo) {
  const std::int64_t rows = 2000, columns = 6;
  const std::vector<double> x = grid(rows, columns, 5, 0.1);
  const std::vector<float> floats(x.begin(), x.end());
  const std::vector<double> y = eighths(x, columns, 5);
  GradientBoosting a({.rounds = 5}), b({.rounds = 5});
  a.fit(Matrix(x, columns), y);
  b.fit(Matrix(floats, columns), y);
  EXPECT_TRUE(same(a.ensemble(), b.ensemble()));
  EXPECT_EQ(a.predict(Matrix(x, columns)), b.predict(Matrix(floats, columns)));
}

TEST(GradientBoosting, ManyFeaturesOfFewAndManyValues) {
  const std::int64_t rows = 1500, columns = 75;
  std::vector<double> x = grid(rows, columns, 6, 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t f = 0; f < columns; f += 2) x[row * columns + f] = std::floor(x[row * columns + f]);  // 8 values
  }
  std::vector<double> y;
  for (std::int64_t row = 0; row < rows; ++row) y.push_back(8 * x[row * columns + 71] + x[row * columns + 30]);
  const GradientBoostingOptions options{.rounds = 60, .min_child_rows = 5};
  GradientBoosting model(options);
  model.fit(Matrix(x, columns), y);
  double worst = 0;
  const std::vector<double> got = model.predict(Matrix(x, columns));
  for (std::size_t row = 0; row < y.size(); ++row) worst = std::max(worst, std::fabs(got[row] - y[row]));
  EXPECT_LT(worst, 4);
  for (const std::int32_t f : model.ensemble().trees[0].feature) EXPECT_TRUE(f == 71 || f == 30);
}

TEST(GradientBoosting, EqualRowsAreOneOfTwiceTheWeight) {
  const std::int64_t rows = 500, columns = 4;
  const std::vector<double> x = grid(rows, columns, 7, 0.1);
  const std::vector<double> y = eighths(x, columns, 7);
  std::vector<double> twice_x, twice_y, weights;
  for (std::int64_t row = 0; row < rows; ++row) {
    const int copies = 1 + static_cast<int>(row % 2);
    weights.push_back(copies);
    for (int copy = 0; copy < copies; ++copy) {
      twice_x.insert(twice_x.end(), x.begin() + row * columns, x.begin() + (row + 1) * columns);
      twice_y.push_back(y[static_cast<std::size_t>(row)]);
    }
  }
  for (const Objective objective :
       {Objective::squared, Objective::binary, Objective::multiclass, Objective::absolute, Objective::huber,
        Objective::quantile, Objective::poisson, Objective::gamma, Objective::tweedie}) {
    SCOPED_TRACE(to_string(objective));
    const auto targets = [&](std::vector<double> of) {
      for (double& value : of) {
        if (objective == Objective::binary) value = value > 0;
        if (objective == Objective::multiclass) value = value < -1 ? 0 : value < 1 ? 1 : 2;
        if (objective == Objective::poisson) value = std::floor(std::fabs(value));
        if (objective == Objective::gamma || objective == Objective::tweedie) value = 0.125 + std::fabs(value);
      }
      return of;
    };
    const GradientBoostingOptions options{
        .objective = objective, .rounds = 10, .max_leaves = 8, .min_child_rows = 1, .min_child_weight = 5};
    GradientBoosting weighted(options), doubled(options);
    weighted.fit(Matrix(x, columns), targets(y), {.weights = weights});
    doubled.fit(Matrix(twice_x, columns), targets(twice_y));
    const std::vector<double> a = weighted.predict_margin(Matrix(x, columns));
    const std::vector<double> b = doubled.predict_margin(Matrix(x, columns));
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t row = 0; row < a.size(); ++row) ASSERT_NEAR(a[row], b[row], 1e-5);
  }
}

TEST(GradientBoosting, RowsOfWeightZeroAreAbsent) {
  const std::int64_t rows = 600, columns = 3;
  const std::vector<double> x = grid(rows, columns, 8, 0);
  std::vector<double> y = eighths(x, columns, 8), weights(y.size(), 1), kept_x, kept_y;
  for (std::size_t row = 0; row < y.size(); ++row) {
    if (row % 3 == 0) {
      weights[row] = 0;
      y[row] = 1e6;
      continue;
    }
    kept_x.insert(kept_x.end(), x.begin() + static_cast<std::ptrdiff_t>(row) * columns,
                  x.begin() + static_cast<std::ptrdiff_t>(row + 1) * columns);
    kept_y.push_back(y[row]);
  }
  GradientBoosting a({.rounds = 5, .max_leaves = 6}), b({.rounds = 5, .max_leaves = 6});
  a.fit(Matrix(x, columns), y, {.weights = weights});
  b.fit(Matrix(kept_x, columns), kept_y);
  const std::vector<double> p = a.predict(Matrix(kept_x, columns)), q = b.predict(Matrix(kept_x, columns));
  for (std::size_t row = 0; row < p.size(); ++row) EXPECT_NEAR(p[row], q[row], 1e-4);
}

TEST(GradientBoosting, NoLeafHasFewerRowsThanAllowed) {
  // Hessians that differ widely make a poor estimate of the rows.
  const std::int64_t rows = 5000, columns = 3;
  const std::vector<double> x = grid(rows, columns, 10, 0.1);
  std::vector<double> y;
  const Philox random(10);
  for (std::int64_t row = 0; row < rows; ++row)
    y.push_back(random.uniform(static_cast<std::uint64_t>(row)) < std::exp(-or_zero(x[row * columns])) || row == 7);
  const GradientBoostingOptions options{
      .objective = Objective::binary, .rounds = 15, .learning_rate = 0.5, .min_child_rows = 40, .min_child_weight = 0};
  GradientBoosting model(options);
  model.fit(Matrix(x, columns), y);
  for (const Tree& tree : model.ensemble().trees) {
    std::vector<int> count(tree.leaf_value.size());
    for (std::int64_t row = 0; row < rows; ++row)
      ++count[static_cast<std::size_t>(leaf_of(tree, x.data() + row * columns))];
    EXPECT_GE(*std::min_element(count.begin(), count.end()), 40);
  }
}

TEST(GradientBoosting, ColumnsWithoutInformation) {
  const std::int64_t rows = 200, columns = 3;
  std::vector<double> x = grid(rows, columns, 11, 0);
  for (std::int64_t row = 0; row < rows; ++row) x[row * columns] = kMissing, x[row * columns + 1] = 4;
  const std::vector<double> y = eighths(x, columns, 11);
  GradientBoosting model({.rounds = 5});
  model.fit(Matrix(x, columns), y);
  for (const Tree& tree : model.ensemble().trees) {
    for (const std::int32_t feature : tree.feature) EXPECT_EQ(feature, 2);
  }
  GradientBoosting constant({.rounds = 3});
  constant.fit(Matrix(x, columns), std::vector<double>(y.size(), 2.5));
  for (const double p : constant.predict(Matrix(x, columns))) EXPECT_EQ(p, 2.5);
}

// Whatever doubles stand side by side in may be targets or weights.
TEST(GradientBoosting, TargetsOfAnyContainer) {
  const std::vector<double> x{0, 1, 2, 3}, target{1, 2, 4, 8}, weights{1, 2, 1, 3};
  std::array<double, 4> array{1, 2, 4, 8}, of_weights{1, 2, 1, 3};
  double plain[4] = {1, 2, 4, 8};
  std::initializer_list<double> list{1, 2, 4, 8};
  const auto model_of = [&](const data::Vector& y, const data::Vector& w) {
    GradientBoosting model({.rounds = 2, .min_child_rows = 1});
    model.fit(Matrix(x, 1), y, {.weights = w});
    return model.ensemble();
  };
  const Ensemble wanted = model_of(target, weights);
  EXPECT_GT(wanted.trees[0].nodes(), 0);
  const auto fitted = [&](auto&& y, auto&& w) {
    GradientBoosting model({.rounds = 2, .min_child_rows = 1});
    model.fit(Matrix(x, 1), y, {.weights = w});
    return same(model.ensemble(), wanted);
  };
  EXPECT_TRUE(fitted(array, of_weights));
  EXPECT_TRUE(fitted(std::as_const(array), std::span<const double>(weights)));
  EXPECT_TRUE(fitted(plain, std::span(of_weights)));
  EXPECT_TRUE(fitted(std::span<double>(plain), std::span<const double, 4>(of_weights)));
  EXPECT_TRUE(fitted(list, weights));
  EXPECT_TRUE(fitted(from_vector(target), from_vector(weights)));
  EXPECT_TRUE(same(model_of({{1, 2, 4, 8}}, {{1, 2, 1, 3}}), wanted));
  EXPECT_FALSE(same(model_of(target, {}), wanted));
  static_assert(!std::is_convertible_v<std::vector<float>, data::Vector> && !std::is_convertible_v<int, data::Vector>);
}

TEST(GradientBoosting, ValidationIsWhole) {
  const std::vector<double> x{0, 1, 2, 3}, y{1, 2, 4, 8};
  const std::vector<std::int64_t> queries{4};
  GradientBoosting model({.rounds = 2, .min_child_rows = 1});
  EXPECT_EQ(message_of<ShapeError>([&] { model.fit(Matrix(x, 1), y, {.validation_target = y}); }),
            "[GradientBoosting] expected rows of validation of 1 columns with a target each, got 0 rows, 0 columns and "
            "4 targets");
  data::Estimator& estimator = model;
  EXPECT_THROW(estimator.fit(Matrix(x, 1), y, {.validation_target = y}), ShapeError);
  EXPECT_THROW(model.fit(Matrix(x, 1), y, {.validation = Matrix(x, 1)}), ShapeError);
  EXPECT_THROW(model.fit(Matrix(x, 1), y, {.validation = Matrix(x, 2), .validation_target = std::span(y).first(2)}),
               ShapeError);
  EXPECT_EQ(message_of<ValueError>([&] { model.fit(Matrix(x, 1), y, {.validation_weights = y}); }),
            "[GradientBoosting] expected rows of validation beside validation_weights or validation_queries, got none");
  EXPECT_THROW(model.fit(Matrix(x, 1), y, {.validation_queries = queries}), ValueError);
  model.fit(Matrix(x, 1), y, {.validation = Matrix(x, 1), .validation_target = y, .validation_weights = y});
  EXPECT_EQ(model.validation_history().size(), 2u);
}

TEST(GradientBoosting, BadInputIsRefused) {
  const std::vector<double> x = grid(10, 2, 1, 0);
  std::vector<double> y(10, 1);
  y[0] = 0;
  const auto fit = [&](GradientBoostingOptions options, std::vector<double> target, MatrixFitOptions more = {}) {
    return [=, &x] { GradientBoosting(options).fit(Matrix(x, 2), target, more); };
  };
  EXPECT_EQ(message_of<ValueError>([] { GradientBoosting({.rounds = 0}); }),
            "[GradientBoosting] expected rounds of at least 1, got 0");
  EXPECT_EQ(message_of<ValueError>([] { GradientBoosting({.max_bins = 256}); }),
            "[GradientBoosting] expected max_bins from 2 to 255, got 256");
  EXPECT_EQ(message_of<ValueError>([] { GradientBoosting().fit(Matrix(std::span<const double>(), 2), {}); }),
            "[GradientBoosting] expected rows to train on, got none");
  EXPECT_EQ(message_of<ShapeError>(fit({}, std::vector<double>(9, 1))),
            "[GradientBoosting] expected 10 targets, got 9");
  std::vector<double> bad = y;
  bad[3] = kMissing;
  EXPECT_EQ(message_of<ValueError>(fit({}, bad)), "[GradientBoosting] expected finite targets, got nan in row 3");
  bad[3] = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(message_of<ValueError>(fit({}, bad)), "[GradientBoosting] expected finite targets, got -inf in row 3");
  bad[3] = 2;
  EXPECT_EQ(message_of<ValueError>(fit({.objective = Objective::binary}, bad)),
            "[GradientBoosting] expected a target of two classes, 0 and 1, got 2 in row 3");
  EXPECT_EQ(message_of<ValueError>(fit({.objective = Objective::binary}, std::vector<double>(10, 1))),
            "[GradientBoosting] expected both classes among the rows, got 1");
  std::vector<double> weights(10, 0);
  EXPECT_EQ(message_of<ValueError>(fit({}, y, {.weights = weights})),
            "[GradientBoosting] expected weights above 0, got 0 in all rows");
  weights[2] = -1;
  EXPECT_EQ(message_of<ValueError>(fit({}, y, {.weights = weights})),
            "[GradientBoosting] expected weights of 0, or from 1e-30 to 1e30, got -1 in row 2");
  EXPECT_EQ(message_of<StateError>([&] { static_cast<void>(GradientBoosting().predict(Matrix(x, 2))); }),
            "[GradientBoosting] expected a fitted model, got one before fit");
  GradientBoosting model({.rounds = 1});
  model.fit(Matrix(x, 2), y);
  EXPECT_EQ(message_of<ShapeError>([&] { static_cast<void>(model.predict(Matrix(x, 4))); }),
            "[GradientBoosting] expected 2 columns, got 4");
  EXPECT_EQ(message_of<StateError>([&] { static_cast<void>(model.predict_probability(Matrix(x, 2))); }),
            "[GradientBoosting] expected an objective of classes, got \"squared\"");
}

// A split that parts missing values from all others sends infinity with the others.
TEST(GradientBoosting, InfinityIsNotMissing) {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> x, y;
  for (int row = 0; row < 400; ++row) {
    x.push_back(row % 2 == 0 ? nan : row);
    y.push_back(row % 2 == 0 ? 0 : 3);
  }
  GradientBoosting model({.rounds = 20});
  model.fit(Matrix(x, 1), y);
  const std::vector<double> rows{nan, 1e9, infinity, -infinity}, at = model.predict(Matrix(rows, 1));
  EXPECT_LT(at[0], 1);
  for (int row = 1; row < 4; ++row) EXPECT_GT(at[static_cast<std::size_t>(row)], 2) << row;
  for (double& value : x) value = std::isnan(value) ? nan : infinity;
  model.fit(Matrix(x, 1), y);
  EXPECT_LT(model.predict(Matrix(rows, 1))[0], 1);
  EXPECT_GT(model.predict(Matrix(rows, 1))[2], 2);
}

TEST(GradientBoosting, WhatFloatsCannotHoldIsRefused) {
  const std::vector<double> x{0, 1, 0, 1}, y{1, 2, 1, 2}, light(4, 1e-46), small{1e-46, 2e-46, 1e-46, 2e-46};
  GradientBoosting model({.rounds = 2, .min_child_rows = 1});
  EXPECT_EQ(message_of<ValueError>([&] { model.fit(Matrix(x, 1), y, {.weights = light}); }),
            "[GradientBoosting] expected weights of 0, or from 1e-30 to 1e30, got 1e-46 in row 0");
  EXPECT_EQ(message_of<ValueError>([&] { model.fit(Matrix(x, 1), small); }),
            "[GradientBoosting] expected targets of 0, or one of at least 1e-30 in size, got 2e-46");
}

// As a file with one row has it: a blank column of text reads as numbers.
TEST(GradientBoosting, AColumnWithoutValuesIsOfAnyType) {
  std::vector<double> size, y;
  std::vector<std::string> town;
  for (int row = 0; row < 60; ++row) {
    size.push_back(row % 7);
    town.push_back(row % 3 == 0 ? "Bern" : "Thun");
    y.push_back(row % 7 + (row % 3 == 0 ? 5 : 0));
  }
  const data::Table table{{"size", data::Column::from_f64(size)},
                          {"town", data::Column::from_strings(town)},
                          {"y", data::Column::from_f64(y)}};
  const std::vector<bool> none(1, false);
  const data::Table blank{{"size", data::Column::from_strings({""}, none)},
                          {"town", data::Column::from_f64({0}, none)},
                          {"y", data::Column::from_f64({1})}};
  GradientBoosting model({.rounds = 5, .min_child_rows = 1});
  model.fit(table, "y", {.validation = blank});
  const std::vector<double> missing(2, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(model.predict(blank), model.predict(Matrix(missing, 2)));
}

}  // namespace
}  // namespace tern::trees
