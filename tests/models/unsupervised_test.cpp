// What holds for clusters, neighbours and factorisations of any rows.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>

#include "message_of.h"
#include "models/blocks.h"
#include "resealed.h"
#include "sanitized.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/data/pipeline.h"
#include "tern/models/models.h"
#include "tern/ops/matmul.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using Values = std::vector<double>;

// Rows of three blobs, far from the origin.
Tensor blobs(std::int64_t rows, std::int64_t d, std::uint64_t seed = 1) {
  const Philox random(seed);
  Values values;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t j = 0; j < d; ++j) {
      const double center = 20 + 3 * std::sin(static_cast<double>((row % 3) * d + j));
      values.push_back(center + normal(random, static_cast<std::uint64_t>(row * d + j)) *
                                    (1 + 0.2 * static_cast<double>(j % 4)));
    }
  }
  return from_vector(values, {rows, d});
}
Values thirds(std::int64_t rows) {
  Values y;
  for (std::int64_t row = 0; row < rows; ++row) y.push_back(static_cast<double>(row % 3));
  return y;
}

// Everything that a fitted model says of rows, as doubles: one kind after the other.
template <class Model>
std::vector<Values> kinds(const Model& model, const data::Matrix& x) {
  std::vector<Values> out;
  bool shares = true;
  if constexpr (requires { model.classifies(); }) shares = model.classifies();
  if constexpr (requires { model.predict_probability(x); }) {
    if (shares) out.push_back(model.predict_probability(x));
  }
  if constexpr (requires { model.predict(x); }) {
    const auto labels = model.predict(x);
    out.emplace_back(labels.begin(), labels.end());
  }
  if constexpr (requires { model.transform(x); }) {
    out.push_back(model.transform(x).to(f64).template to_vector<double>());
  }
  return out;
}
template <class Model>
Values answers(const Model& model, const Tensor& x) {
  Values out;
  for (const Values& kind : kinds(model, x)) out.insert(out.end(), kind.begin(), kind.end());
  return out;
}

template <class Model>
void fit(Model& model, const Tensor& x) {
  if constexpr (std::is_base_of_v<data::Estimator, Model>) {
    model.fit(x, thirds(x.size(0)));
  } else {
    model.fit(x);
  }
}

// The same bits at any number of threads, and of a row alone as among others; and after a file.
template <class Model>
void expect_sound(const Model& untrained, const Tensor& x) {
  const std::string what(untrained.type());
  Values first;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Model model(untrained);
    fit(model, x);
    const Values found = answers(model, x);
    if (threads == 1) first = found;
    EXPECT_EQ(found, first) << what << ", " << threads << " threads";
    if (threads != 2) continue;
    const std::vector<Values> all = kinds(model, x), alone = kinds(model, x.slice(0, 7, 8));
    for (std::size_t kind = 0; kind < all.size(); ++kind) {
      const std::size_t columns = alone[kind].size();
      ASSERT_EQ(all[kind].size(), columns * static_cast<std::size_t>(x.size(0))) << what;
      const auto row = all[kind].begin() + static_cast<std::ptrdiff_t>(7 * columns);
      EXPECT_EQ(alone[kind], Values(row, row + static_cast<std::ptrdiff_t>(columns))) << what << ", a row alone";
    }
    const std::string path = temporary_path(what + ".tern");
    model.save(path);
    EXPECT_EQ(answers(Model::load(path), x), found) << what;
    const std::string bytes = read_file(path);
    for (const std::size_t cut : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
      write_file(path, bytes.substr(0, cut));
      EXPECT_THROW(Model::load(path), FormatError) << what;
    }
    std::string other = bytes;
    other.replace(other.find(what), 1, "X");
    write_file(path, resealed(other));
    EXPECT_THROW(Model::load(path), FormatError) << what;
    std::filesystem::remove(path);
  }
  set_num_threads(0);
}

TEST(Unsupervised, GivesTheSameBitsAtAnyThreadsAndForARowAlone) {
  const Tensor x = blobs(700, 7);
  for (const Tensor& of : {x, x.to(f32)}) {
    expect_sound(KMeans({.clusters = 4}), of);
    expect_sound(KMeans({.clusters = 4, .batch_rows = 64}), of);
    expect_sound(Dbscan({.radius = 2.5}), of);
    expect_sound(GaussianMixture({.components = 3}), of);
    expect_sound(GaussianMixture({.components = 3, .covariance = GaussianMixtureOptions::Covariance::diagonal}), of);
    expect_sound(KNeighborsClassifier({.search = NeighborSearch::brute}), of);
    expect_sound(KNeighborsClassifier({.search = NeighborSearch::kd_tree}), of);
    expect_sound(KNeighborsRegressor({.votes = KNeighborsOptions::Votes::distance}), of);
    expect_sound(Pca({.components = 3}), of);
    expect_sound(Pca({.components = 3, .factorisation = Factorisation::randomised}), of);
    expect_sound(Pca({.components = 3, .factorisation = Factorisation::incremental}), of);
    expect_sound(TruncatedSvd({.components = 3}), of);
    expect_sound(Nmf({.components = 3, .max_iterations = 20}), of);
  }
}

TEST(KMeans, InertiaNeverGrowsAndAgreesWithPlainLloyd) {
  const std::int64_t n = 900, d = 3, k = 7;
  const Tensor x = blobs(n, d, 3);
  const Values rows = x.to_vector<double>();
  Values centers(rows.begin(), rows.begin() + k * d);
  double before = std::numeric_limits<double>::infinity();
  for (int iterations = 1; iterations <= 25; ++iterations) {
    KMeans model({.clusters = k,
                  .centers = from_vector(Values(rows.begin(), rows.begin() + k * d), {k, d}),
                  .max_iterations = iterations,
                  .tolerance = 0});
    model.fit(x);
    EXPECT_LE(model.inertia(), before * (1 + 1e-12));
    before = model.inertia();
    Values sums(static_cast<std::size_t>(k * d)), counts(static_cast<std::size_t>(k));  // one plain step
    for (std::int64_t row = 0; row < n; ++row) {
      std::int64_t nearest = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::int64_t c = 0; c < k; ++c) {
        double square = 0;
        for (std::int64_t j = 0; j < d; ++j)
          square +=
              std::pow(rows[static_cast<std::size_t>(row * d + j)] - centers[static_cast<std::size_t>(c * d + j)], 2);
        if (square < least) {
          least = square;
          nearest = c;
        }
      }
      counts[static_cast<std::size_t>(nearest)] += 1;
      for (std::int64_t j = 0; j < d; ++j)
        sums[static_cast<std::size_t>(nearest * d + j)] += rows[static_cast<std::size_t>(row * d + j)];
    }
    for (std::size_t i = 0; i < sums.size(); ++i) centers[i] = sums[i] / counts[i / static_cast<std::size_t>(d)];
    if (model.iterations() < iterations) break;
    for (std::size_t i = 0; i < centers.size(); ++i) EXPECT_NEAR(model.centers()[i], centers[i], 1e-9);
  }
}

TEST(KMeans, AFileKeepsTheCentersToStartFrom) {
  const Tensor x = blobs(60, 2, 3);
  KMeans model({.clusters = 2, .centers = from_vector(Values{0, 0, 1, 1}, {2, 2})});
  model.fit(x);
  const std::string path = temporary_path("k_means_centers.tern");
  model.save(path);
  KMeans again = KMeans::load(path);
  EXPECT_EQ(again.options().centers.to_vector<double>(), (Values{0, 0, 1, 1}));
  again.fit(x);
  EXPECT_EQ(again.inertia(), model.inertia());
  EXPECT_EQ(again.predict(x), model.predict(x));
  KMeans({.clusters = 2}).fit(x);
  std::filesystem::remove(path);
}

TEST(KMeans, FillsEmptyClustersAndTakesRowsThatRepeat) {
  Values values;
  for (int i = 0; i < 40; ++i) values.push_back(i < 20 ? i % 2 : 100 + i % 2);
  KMeans model({.clusters = 4, .centers = from_vector(Values{0, 500, 600, 700}, {4, 1})});
  model.fit(from_vector(values, {40, 1}));
  EXPECT_NEAR(model.inertia(), 0, 1e-20);
  KMeans more({.clusters = 5});  // than rows that differ
  more.fit(ones({20, 3}));
  EXPECT_EQ(more.inertia(), 0);
  EXPECT_EQ(more.predict(ones({2, 3})), (std::vector<std::int64_t>{0, 0}));
}

TEST(KMeans, StartsAndBatchesComeNear) {
  const Tensor x = blobs(2000, 5, 4);
  KMeans best({.clusters = 3, .starts = 5}),
      random({.clusters = 3, .start = KMeansOptions::Start::random, .starts = 5}),
      batches({.clusters = 3, .batch_rows = 100});
  best.fit(x);
  random.fit(x);
  batches.fit(x);
  EXPECT_NEAR(random.inertia(), best.inertia(), 1e-3 * best.inertia());
  EXPECT_LT(batches.inertia(), 1.05 * best.inertia());
}

// Rows twice, or of weight 2.
template <class Model, class Learned>
void expect_twice(Model model, const Tensor& x, const Learned& learned, double tolerance) {
  Model other(model);
  model.fit(cat({x, x}, 0));
  other.fit(x, {.weights = Values(static_cast<std::size_t>(x.size(0)), 2)});
  const Values twice = learned(model), heavy = learned(other);
  ASSERT_EQ(twice.size(), heavy.size());
  for (std::size_t i = 0; i < twice.size(); ++i) EXPECT_NEAR(twice[i], heavy[i], tolerance) << model.type() << " " << i;
}

TEST(Unsupervised, TwoEqualRowsAreOneOfWeightTwo) {
  const Tensor x = blobs(60, 4, 5);
  const auto variance = [](const Pca& model) { return model.explained_variance(); };
  expect_twice(
      KMeans({.clusters = 3, .centers = x.slice(0, 0, 3)}), x, [](const KMeans& m) { return m.centers(); }, 1e-9);
  expect_twice(
      GaussianMixture({.components = 1}), x, [](const GaussianMixture& m) { return m.covariances(); }, 1e-9);
  expect_twice(Pca(), x, variance, 1e-9);
  expect_twice(Pca({.components = 2, .factorisation = Factorisation::randomised}), x, variance, 1e-6);
  expect_twice(
      TruncatedSvd(), x, [](const TruncatedSvd& m) { return m.singular_values(); }, 1e-6);
  expect_twice(
      Dbscan({.radius = 1.5, .min_weight = 6}), x,
      [](const Dbscan& m) { return Values{static_cast<double>(m.clusters())}; }, 0);
}

TEST(GaussianMixture, LikelihoodNeverFalls) {
  const Tensor x = blobs(500, 3, 6);
  for (const auto kind : {GaussianMixtureOptions::Covariance::full, GaussianMixtureOptions::Covariance::spherical}) {
    double before = -std::numeric_limits<double>::infinity();
    for (int iterations = 1; iterations < 30; ++iterations) {
      GaussianMixture model(
          {.components = 4, .covariance = kind, .regularization = 0, .tolerance = 0, .max_iterations = iterations});
      model.fit(x);
      EXPECT_GE(model.mean_log_likelihood(), before - 1e-12);
      before = model.mean_log_likelihood();
    }
    GaussianMixture model({.components = 4, .covariance = kind});
    model.fit(x);
    const Values shares = model.predict_probability(x);
    for (std::size_t row = 0; row < 500; ++row) {
      EXPECT_NEAR(shares[row * 4] + shares[row * 4 + 1] + shares[row * 4 + 2] + shares[row * 4 + 3], 1, 1e-12);
    }
  }
}

TEST(Neighbors, TreeAndProductsFindTheSame) {
  // Numbers of few digits, so that many distances are equal; and hard ones: far from 0, tiny, with outliers.
  constexpr int kN = repeats(1500, 1100);
  const Philox random(7);
  for (const double scale : {1.0, 1e-30, 1e30}) {
    for (const double offset : {0.0, 1000.0}) {
      Values values;
      for (std::uint64_t i = 0; i < std::uint64_t{kN} * 3; ++i)
        values.push_back(scale * (offset + static_cast<double>(random.below(i, 9))));
      const Tensor x = from_vector(values, {kN, 3});
      for (const Tensor& of : {x, x.to(f32)}) {
        KNeighborsRegressor tree({.search = NeighborSearch::kd_tree}), brute({.search = NeighborSearch::brute});
        tree.fit(of, thirds(kN));
        brute.fit(of, thirds(kN));
        for (const std::int64_t k : {1, 40, kN}) {
          const Neighbors a = tree.neighbors(of.slice(0, 0, 300), k), b = brute.neighbors(of.slice(0, 0, 300), k);
          EXPECT_EQ(a.rows, b.rows) << scale << " " << offset << " " << k;
          EXPECT_EQ(a.distances, b.distances);
        }
        const double radius = 2 * scale;
        Dbscan by_tree({.radius = radius, .min_weight = 14, .search = NeighborSearch::kd_tree}),
            by_products({.radius = radius, .min_weight = 14, .search = NeighborSearch::brute});
        by_tree.fit(of);
        by_products.fit(of);
        EXPECT_EQ(by_tree.labels(), by_products.labels());
      }
    }
  }
  KNeighborsRegressor model({.neighbors = 3});
  model.fit(from_vector(Values(50, 1.0), {50, 1}), thirds(50));  // equally near: the first
  EXPECT_EQ(model.neighbors(ones({1, 1}), 3).rows, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_THROW(model.neighbors(ones({1, 1}), 51), ValueError);
}

TEST(Pca, OfTurnedRowsTurns) {
  const Tensor x = blobs(300, 5, 8);
  Pca basis, plain, turned;
  basis.fit(blobs(50, 5, 9));
  const Tensor turn = from_vector(basis.components(), {5, 5});  // orthogonal
  plain.fit(x);
  turned.fit(matmul(x, turn.t()));
  const Values expected = matmul(from_vector(plain.components(), {5, 5}), turn.t()).to_vector<double>();
  for (std::size_t c = 0; c < 5; ++c) {
    EXPECT_NEAR(turned.explained_variance()[c], plain.explained_variance()[c], 1e-9);
    double along = 0;
    for (std::size_t j = 0; j < 5; ++j) along += expected[c * 5 + j] * turned.components()[c * 5 + j];
    EXPECT_NEAR(std::abs(along), 1, 1e-9);
  }
  const Tensor back = plain.inverse_transform(plain.transform(x));
  for (std::int64_t row = 0; row < 300; row += 37) {
    for (std::int64_t j = 0; j < 5; ++j) EXPECT_NEAR(back[row][j].item<double>(), x[row][j].item<double>(), 1e-9);
  }
}

// Many columns, of which the greatest directions come by another way than all of them.
TEST(Pca, OfManyColumnsIsOrthonormalAndAgreesWithAll) {
  const Tensor wide = blobs(150, 120, 10);
  Tensor flat = cat({wide, ones({150, 40}, f64)}, 1);  // and columns without variance
  Pca all, some({.components = 20}),
      random({.components = 20, .factorisation = Factorisation::randomised, .power_iterations = 30, .tolerance = 0});
  all.fit(flat);
  some.fit(flat);
  random.fit(flat);
  for (std::size_t a = 0; a < 20; ++a) {
    EXPECT_NEAR(some.explained_variance()[a], all.explained_variance()[a], 1e-9);
    EXPECT_NEAR(random.explained_variance()[a], all.explained_variance()[a], 1e-4 * all.explained_variance()[0]);
    for (std::size_t b = 0; b <= a; ++b) {
      double along = 0;
      for (std::size_t j = 0; j < 160; ++j) along += some.components()[a * 160 + j] * some.components()[b * 160 + j];
      EXPECT_NEAR(along, a == b, 1e-10);
    }
  }
  Pca repeated({.components = 10});  // eigenvalues that are all the same
  repeated.fit(cat({eye(80, f64), -eye(80, f64)}, 0));
  for (const double variance : repeated.explained_variance()) EXPECT_NEAR(variance, 2.0 / 159, 1e-12);
}

// Enough floats that their products are floats: columns of falling variance, some of them far from 0.
TEST(Pca, RandomisedOfManyFloatsComesNearTheExact) {
  constexpr std::int64_t kN = 40000, kD = 256, kK = 90;
  manual_seed(12);
  const Tensor j = arange(kD).to(f32);
  const Tensor x = 1000 * (j > 250).to(f32) + rand({kN, kD}) * 8 / (8 + j);
  Pca exact({.components = kK}), random_one({.components = kK, .factorisation = Factorisation::randomised});
  exact.fit(x);
  const int outside = num_threads();
  std::vector<Values> found;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    random_one.fit(x);
    found.push_back(random_one.components());
  }
  set_num_threads(outside);
  EXPECT_EQ(found[0], found[1]);
  const auto sum = [](const Values& all) { return std::accumulate(all.begin(), all.end(), 0.0); };
  EXPECT_NEAR(sum(random_one.explained_variance()) / sum(exact.explained_variance()), 1, 1e-3);
  EXPECT_NEAR(sum(random_one.explained_variance_ratio()) / sum(exact.explained_variance_ratio()), 1, 1e-3);
  double kept = 0;  // of the variance of independent columns, by the directions themselves
  for (std::size_t j = 0; j < kD; ++j) {
    const double deviation = 8 / (8 + static_cast<double>(j)) / std::sqrt(12.0);
    for (std::size_t c = 0; c < kK; ++c) kept += std::pow(found[0][c * kD + j] * deviation, 2);
    EXPECT_NEAR(random_one.mean()[j], exact.mean()[j], 1e-7 * (1 + exact.mean()[j]));
  }
  EXPECT_NEAR(kept / sum(exact.explained_variance()), 1, 2e-3);
  for (std::size_t a = 0; a < kK; ++a) {
    EXPECT_NEAR(internal::dot(&found[0][a * kD], &found[0][a * kD], kD), 1, 1e-10);
    if (a == 0) continue;
    EXPECT_NEAR(internal::dot(&found[0][a * kD], &found[0][(a - 1) * kD], kD), 0, 1e-10);
  }
  Pca heavy({.components = kK, .factorisation = Factorisation::randomised, .tolerance = 1});
  heavy.fit(x, {.weights = Values(kN, 4)});
  EXPECT_NEAR(heavy.singular_values()[0], 2 * exact.singular_values()[0], 1e-3 * exact.singular_values()[0]);
  EXPECT_THROW(random_one.fit(1e30f * x), ValueError);  // whose squares are infinite
  Tensor lone = x.clone();
  lone.mutable_span<float>()[17 * kD + 200] = 1e5f;  // a direction that no sample has
  random_one.fit(lone);
  EXPECT_NEAR(random_one.explained_variance()[0], 1e10 / kN, 1e-3 * 1e10 / kN);
  EXPECT_NEAR(random_one.components()[200], 1, 1e-6);
}

data::Table table_of(const Tensor& x) {
  data::Table table;
  for (std::int64_t j = 0; j < x.size(1); ++j) {
    table.add("c" + std::to_string(j), data::Column::from_f64(x.select(1, j).to_vector<double>()));
  }
  return table;
}

TEST(Unsupervised, LearnsTablesByName) {
  data::Table table = table_of(blobs(90, 3));
  Pca model({.components = 2});
  EXPECT_THROW(model.transform(table), StateError);
  model.fit(table);
  EXPECT_EQ(model.names(), (std::vector<std::string>{"c0", "c1", "c2"}));
  const data::Table mixed = table.select({"c2", "c0", "c1"});
  EXPECT_EQ(model.transform(mixed).to_vector<double>(), model.transform(table).to_vector<double>());
  EXPECT_THROW(model.transform(table.drop({"c1"})), DataError);
  table.add("w", data::Column::from_f64(Values(90, 1)));
  model.fit(table, {.weights = "w"});
  EXPECT_EQ(model.names().size(), 3U);
  table.replace("c1", data::Column::from_f64([] {
                  Values hole(90, 1);
                  hole[3] = std::nan("");
                  return hole;
                }()));
  try {
    model.fit(table);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("column \"c1\""), std::string::npos) << error.what();
  }
  EXPECT_EQ(model.names().size(), 3U) << "what was learned stays";
  table.add("word", data::Column::from_strings(std::vector<std::string>(90, "a")));
  EXPECT_THROW(model.fit(table), DataError);
}

TEST(Unsupervised, AreStepsOfAPipeline) {
  register_estimators();
  data::Table table = table_of(blobs(120, 6));
  table.add("pca_1", data::Column::from_f64(thirds(120)));
  table.add("y", data::Column::from_f64(thirds(120)));
  const std::vector<data::StepPtr> steps[] = {
      {data::standardize(data::columns({"c0", "c1", "c2"})), pca_step({"c0", "c1", "c2"}, {.components = 2})},
      {truncated_svd_step({"c0", "c1", "c2"})},
      {nmf_step({"c3", "c4", "c5"})},
      {k_means_step({"c0", "c5"}, {.clusters = 3})},
      {gaussian_mixture_step({"c0", "c5"}, {.components = 2})}};
  for (const auto& list : steps) {
    data::Pipeline pipeline(list);
    pipeline.fit(table, "y");
    EXPECT_EQ(pipeline.inputs().size(), 7U);
    const data::Table out = pipeline.transform_table(table);
    const data::Pipeline loaded = data::Pipeline::from_json(pipeline.to_json());
    EXPECT_TRUE(loaded.transform_table(table).equals(out));
    EXPECT_TRUE(loaded.transform_table(table.slice(7, 1)).equals(out.slice(7, 1)));
    EXPECT_FALSE(out.has("c0") && out.has("c5"));
  }
  data::Pipeline pipeline({pca_step({"c0", "c1"}, {.components = 1})});
  pipeline.fit(table, "y");
  EXPECT_TRUE(pipeline.transform_table(table).has("pca_1_2"));
  EXPECT_THROW(pipeline.transform(table.drop({"c1"})), DataError);
  table.replace("c1", data::Column::from_f64(Values(120, std::nan(""))));
  EXPECT_THROW(pipeline.transform(table), DataError);
  EXPECT_THROW(data::load_step("pca", "{}"), FormatError);
  EXPECT_THROW(pca_step({"c0"})->transform(table), StateError);
}

template <class Model>
void expect_refusals(const Model& untrained) {
  Model model(untrained);
  const double nan = std::nan(""), infinite = std::numeric_limits<double>::infinity();
  EXPECT_THROW(model.save(temporary_path("none.tern")), StateError);
  for (const double bad : {nan, infinite}) {
    EXPECT_THROW(fit(model, from_vector(Values{1, 2, 3, bad, 5, 6}, {3, 2})), ValueError) << model.type();
  }
  EXPECT_THROW(fit(model, empty({0, 2})), ValueError);
  const Tensor x = blobs(60, 4);
  fit(model, x);
  const Values before = answers(model, x);
  EXPECT_THROW(answers(model, blobs(5, 3)), ShapeError);
  EXPECT_THROW(answers(model, from_vector(Values{1, 2, nan, 4}, {1, 4})), ValueError);
  EXPECT_THROW(fit(model, full({60, 4}, nan, f64)), ValueError);
  EXPECT_EQ(answers(model, x), before) << "what was learned stays";
  Model constant(untrained);
  fit(constant, ones({60, 4}));
  for (const double value : answers(constant, ones({3, 4}))) EXPECT_TRUE(std::isfinite(value)) << model.type();
}

// What counts, or looks at nearness alone, does not mind in which order rows come.
TEST(RowsInAnotherOrder, GiveTheSameBitsWhereDocsSaySo) {
  const std::int64_t n = 200;
  const Tensor x = blobs(n, 3);
  const Values y = thirds(n);
  const std::vector<std::int64_t> order = permutation(n, Philox(31));
  Values shuffled, shuffled_y;
  for (const std::int64_t row : order) {
    const Values one = x[row].to_vector<double>();
    shuffled.insert(shuffled.end(), one.begin(), one.end());
    shuffled_y.push_back(y[static_cast<std::size_t>(row)]);
  }
  const Tensor other = from_vector(shuffled, {n, 3});
  const Tensor asked = blobs(50, 3, 2);
  const auto expect = [&](data::Estimator&& model, const auto& form) {
    const std::unique_ptr<data::Estimator> again = model.clone();
    model.fit(form(x), y);
    again->fit(form(other), shuffled_y);
    const Tensor rows = form(asked);
    EXPECT_EQ(model.predict(rows), again->predict(rows)) << model.type();
    if (model.classifies()) {
      EXPECT_EQ(model.predict_probability(rows), again->predict_probability(rows)) << model.type();
    }
  };
  // Whole weights are as exact; fractions are added up in the order of the rows.
  Values weights, shuffled_weights;
  for (std::int64_t row = 0; row < n; ++row) weights.push_back(static_cast<double>(row % 4));
  for (const std::int64_t row : order) shuffled_weights.push_back(weights[static_cast<std::size_t>(row)]);
  const auto expect_weighted = [&](data::Estimator&& model, const auto& form) {
    const std::unique_ptr<data::Estimator> again = model.clone();
    model.fit(form(x), y, {.weights = weights});
    again->fit(form(other), shuffled_y, {.weights = shuffled_weights});
    const Tensor rows = form(asked);
    EXPECT_EQ(model.predict_probability(rows), again->predict_probability(rows)) << model.type();
  };
  const auto as_it_is = [](const Tensor& of) { return of; };
  const auto whole = [](const Tensor& of) { return of.to(i64).to(f64); };
  for (const NeighborSearch search : {NeighborSearch::brute, NeighborSearch::kd_tree}) {
    for (const auto votes : {KNeighborsOptions::Votes::uniform, KNeighborsOptions::Votes::distance}) {
      expect(KNeighborsClassifier({.votes = votes, .search = search}), as_it_is);
      expect(KNeighborsRegressor({.votes = votes, .search = search}), as_it_is);
    }
  }
  expect(BernoulliNaiveBayes({.threshold = 20}), as_it_is);
  expect(MultinomialNaiveBayes(), whole);
  expect_weighted(BernoulliNaiveBayes({.threshold = 20}), as_it_is);
  expect_weighted(MultinomialNaiveBayes(), whole);

  Values p, shuffled_p, zeros(200, 0.0);
  std::vector<std::int64_t> labels, shuffled_labels;
  Interactions seen, later;
  seen.item_names = {"a", "b", "c"};
  seen.user_names = {"u"};
  later = seen;
  for (std::int64_t row = 0; row < n; ++row) p.push_back(static_cast<double>(row * row % 101) / 100);  // with ties
  for (std::int64_t row = 0; row < n; ++row) labels.push_back(row % 7 < 3);
  for (const std::int64_t row : order) {
    shuffled_p.push_back(p[static_cast<std::size_t>(row)]);
    shuffled_labels.push_back(labels[static_cast<std::size_t>(row)]);
  }
  const Calibrator straight(CalibrationMethod::isotonic, p, labels, 2);
  EXPECT_EQ(straight.to_json(), Calibrator(CalibrationMethod::isotonic, shuffled_p, shuffled_labels, 2).to_json());
  EXPECT_EQ(Calibrator(CalibrationMethod::isotonic, p, labels, 2, weights).to_json(),
            Calibrator(CalibrationMethod::isotonic, shuffled_p, shuffled_labels, 2, shuffled_weights).to_json());
  EXPECT_EQ(ConformalIntervals(p, zeros, 0.9).radius(), ConformalIntervals(shuffled_p, zeros, 0.9).radius());
  for (Interactions* rows : {&seen, &later}) {
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t row = rows == &seen ? i : order[static_cast<std::size_t>(i)];
      rows->users.push_back(0);
      rows->items.push_back(static_cast<std::int32_t>(row * row % 3));
      rows->values.push_back(1);
    }
  }
  Popularity popular, again;
  popular.fit(seen);
  again.fit(later);
  EXPECT_EQ(popular.scores(0), again.scores(0));
}

template <class Model>
void expect_weights_refused(Model&& model, const Tensor& x) {
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    Values weights(static_cast<std::size_t>(x.size(0)), 1);
    weights[3] = bad;
    EXPECT_THROW(model.fit(x, {.weights = weights}), ValueError) << model.type() << " " << bad;
    data::Table table = table_of(x);
    table.add("w", data::Column::from_f64(weights));
    if (std::isfinite(bad)) {
      EXPECT_THROW(model.fit(table, {.weights = "w"}), ValueError) << model.type();
    } else {
      EXPECT_THROW(model.fit(table, {.weights = "w"}), DataError) << model.type();
    }
  }
  EXPECT_THROW(model.fit(x, {.weights = Values(static_cast<std::size_t>(x.size(0)), 0)}), ValueError) << model.type();
  EXPECT_THROW(model.state(), StateError) << "nothing was learned";
}

TEST(Unsupervised, RefuseBadWeights) {
  const Tensor x = blobs(20, 3);
  expect_weights_refused(KMeans({.clusters = 2}), x);
  expect_weights_refused(KMeans({.clusters = 2, .batch_rows = 8}), x);
  expect_weights_refused(Dbscan(), x);
  expect_weights_refused(GaussianMixture({.components = 2}), x);
  expect_weights_refused(Pca(), x);
  expect_weights_refused(TruncatedSvd(), x);
}

TEST(Unsupervised, SayWhatIsWrong) {
  expect_refusals(KMeans({.clusters = 3}));
  expect_refusals(Dbscan());
  expect_refusals(GaussianMixture({.components = 2}));
  expect_refusals(KNeighborsClassifier());
  expect_refusals(KNeighborsRegressor());
  expect_refusals(Pca({.whiten = true}));
  expect_refusals(TruncatedSvd());
  expect_refusals(Nmf());
  const Tensor x = blobs(10, 4);
  EXPECT_THROW(KMeans({.clusters = 11}).fit(x), ValueError);
  EXPECT_THROW(KMeans({.clusters = 2, .centers = x.slice(0, 0, 2)}).fit(blobs(10, 3)), ShapeError);
  EXPECT_THROW(GaussianMixture({.components = 11}).fit(x), ValueError);
  EXPECT_THROW(GaussianMixture({.components = 2, .regularization = 0}).fit(ones({10, 2})), ValueError);
  EXPECT_THROW(Pca({.components = 5}).fit(x), ValueError);
  EXPECT_THROW(Pca().fit(x.slice(0, 0, 1)), ValueError);
  EXPECT_THROW(Pca().partial_fit(x), StateError);
  EXPECT_THROW(TruncatedSvd({.components = 5}).fit(x), ValueError);
  EXPECT_THROW(Nmf({.components = 5}).fit(x), ValueError);
  EXPECT_THROW(Nmf().fit(-x), ValueError);
  EXPECT_THROW(Nmf().fit(x, {.weights = Values(10, 1)}), ValueError);
  EXPECT_THROW(KNeighborsClassifier({.neighbors = 11}).fit(x, thirds(10)), ValueError);
  EXPECT_THROW(KNeighborsClassifier().fit(x, thirds(10), {.weights = Values(10, 1)}), ValueError);
  EXPECT_THROW(KNeighborsClassifier().fit(1e200 * x, thirds(10)), ValueError);
  EXPECT_THROW(KMeans({.clusters = 2}).fit(1e200 * x), ValueError);
  EXPECT_THROW(KMeans({.clusters = 2, .centers = full({2, 4}, std::nan(""))}), ValueError);
  for (const auto factorisation : {Factorisation::exact, Factorisation::randomised, Factorisation::incremental}) {
    for (const Tensor& large : {1e160 * x, 1e160 * x.slice(0, 0, 3)}) {
      EXPECT_THROW(Pca({.components = 2, .factorisation = factorisation}).fit(large), ValueError);
      if (factorisation == Factorisation::incremental) continue;
      EXPECT_THROW(TruncatedSvd({.components = 2, .factorisation = factorisation}).fit(large), ValueError);
    }
  }
  GaussianMixture mixture({.components = 2});
  mixture.fit(x);
  for (const double size : {1e160, 1e300}) {  // no distances, and no answers that are no numbers
    EXPECT_THROW(mixture.predict(size * x), ValueError);
    EXPECT_THROW(mixture.predict_probability(size * x), ValueError);
    EXPECT_THROW(mixture.log_likelihood(size * x), ValueError);
  }
  for (const double share : mixture.predict_probability(1e140 * x)) EXPECT_TRUE(share >= 0 && share <= 1);
  EXPECT_THROW(KMeans().fit(x, {.weights = Values(10, 0)}), ValueError);
  EXPECT_THROW(KMeans().fit(x, {.weights = Values(9, 1)}), ShapeError);
  EXPECT_THROW(KMeans({.clusters = 0}), ValueError);
  EXPECT_THROW(Dbscan({.radius = 0}), ValueError);
  EXPECT_THROW(GaussianMixture({.regularization = -1}), ValueError);
  EXPECT_THROW(Pca({.components = -1}), ValueError);
  EXPECT_THROW(Pca({.tolerance = -1}), ValueError);
  EXPECT_THROW(TruncatedSvd({.factorisation = Factorisation::incremental}), ValueError);
  EXPECT_THROW(Nmf({.tolerance = -1}), ValueError);
  EXPECT_THROW(KNeighborsClassifier({.neighbors = 0}), ValueError);
}

TEST(Messages, NameTheClassThatWasCalled) {
  const Tensor x = blobs(10, 4), large = 1e200 * x;
  const LogisticRegression logistic;
  const Values y = thirds(10);
  EXPECT_EQ(message_of<Error>([&] {
              GaussianMixture({.components = 2}).fit(large);
            }).find("[GaussianMixture] expected numbers"),
            0u);
  EXPECT_EQ(message_of<Error>([&] { Dbscan().fit(large); }).find("[Dbscan] expected numbers of at most 1e150"), 0u);
  EXPECT_EQ(
      message_of<Error>([&] { KNeighborsClassifier().fit(large, y); }).find("[KNeighborsClassifier] expected numbers"),
      0u);
  EXPECT_EQ(
      message_of<Error>([] { KNeighborsRegressor({.neighbors = 0}); }).find("[KNeighborsRegressor] expected at least"),
      0u);
  EXPECT_EQ(
      message_of<Error>([&] { LinearRegression().fit(large, y); }).find("[LinearRegression] expected numbers whose"),
      0u);
  EXPECT_EQ(message_of<Error>([&] { Lasso().fit(large, y); }).find("[Lasso] expected numbers whose"), 0u);
  EXPECT_EQ(
      message_of<Error>([&] { ElasticNet({.l1_ratio = 0}).fit(large, y); }).find("[ElasticNet] expected numbers whose"),
      0u);
  EXPECT_EQ(message_of<Error>([&] {
              ElasticNet({.alpha = 1e308, .l1_ratio = 0}).fit(x, y);
            }).find("[ElasticNet] expected a finite alpha"),
            0u);
  EXPECT_EQ(message_of<Error>([&] { GaussianMixture({.components = 11}).fit(x); }),
            "[GaussianMixture] expected at most as many components as rows, got 11 of 10");
  EXPECT_EQ(message_of<Error>([] { Lasso({.alpha = -1}); }).find("[Lasso] expected a finite alpha"), 0u);
  EXPECT_EQ(message_of<Error>([&] { lasso_path(large, y); }).find("[lasso_path] expected numbers whose"), 0u);
  EXPECT_EQ(message_of<Error>([&] { lasso_path(x, Values(9)); }).find("[lasso_path] expected 10 targets"), 0u);
  EXPECT_EQ(message_of<Error>([] { SgdClassifier({.l1_ratio = 2}); }).find("[SgdClassifier] expected l1_ratio"), 0u);
  EXPECT_EQ(message_of<Error>([&] { KMeans().predict(x); }).find("[KMeans] expected a fitted model"), 0u);
  EXPECT_EQ(message_of<Error>([&] {
              Pca({.components = 1}).fit(data::Table{{"a", data::Column::from_strings({"b"})}});
            }).find("[Pca] column \"a\": expected numbers"),
            0u);
  EXPECT_EQ(message_of<Error>([] { Popularity().fit({}); }).find("[Popularity] expected rows"), 0u);
  EXPECT_EQ(message_of<Error>([&] { Voting({&logistic}).fit(x, Values(9)); }).find("[Voting] expected 10 targets"), 0u);
  data::Pipeline step({pca_step({"a"}, {.components = 1})});
  const data::Table missing = {{"a", data::Column::from_f64({1, std::nan("")})}};
  EXPECT_EQ(message_of<Error>([&] {
              step.fit_transform_table(missing);
            }).find("[pca_step] row 1, column \"a\": expected finite numbers"),
            0u);
  EXPECT_EQ(message_of<Error>([] { SgdRegressor({.l1_ratio = 2}); }).find("[SgdRegressor] expected l1_ratio"), 0u);
}

}  // namespace
}  // namespace tern::models
