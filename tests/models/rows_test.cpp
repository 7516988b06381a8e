// Clusters, neighbours and factorisations of the iris data against scikit-learn (golden/make_rows.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tern/models/clusters.h"
#include "tern/models/decomposition.h"
#include "tern/models/neighbors.h"
#include "tern/models/register.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using Values = std::vector<double>;

const nlohmann::json& golden() {
  static const nlohmann::json& read =
      *new nlohmann::json(nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/rows.json")));
  return read;
}
Values values(const char* of, const char* what) { return golden()[of][what].get<Values>(); }
double value(const char* of, const char* what) { return golden()[of][what].get<double>(); }

Tensor iris() { return from_vector(golden()["x"].get<Values>(), {150, 4}); }
Tensor species() { return from_vector(golden()["y"].get<Values>()); }

void expect_near(const Values& found, const Values& expected, double tolerance, const char* what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_NEAR(found[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << what << ", element " << i;
  }
}
Values numbers(const std::vector<std::int64_t>& labels) { return {labels.begin(), labels.end()}; }
Values numbers(const Tensor& x) { return x.to_vector<double>(); }

Tensor centers() {
  const Tensor x = iris();
  return from_vector(
      [&] {
        Values rows;
        for (const int row : {0, 50, 100}) {
          const Values one = x[row].to_vector<double>();
          rows.insert(rows.end(), one.begin(), one.end());
        }
        return rows;
      }(),
      {3, 4});
}

TEST(ScikitLearn, KMeans) {
  KMeans model({.clusters = 3, .centers = centers()});
  model.fit(iris());
  expect_near(model.centers(), values("k_means", "centers"), 1e-12, "centers");
  EXPECT_NEAR(model.inertia(), value("k_means", "inertia"), 1e-10);
  EXPECT_EQ(model.iterations(), value("k_means", "iterations"));
  EXPECT_EQ(numbers(model.predict(iris())), values("k_means", "labels"));
  expect_near(numbers(model.transform(iris().slice(0, 0, 5))), values("k_means", "distances"), 1e-12, "distances");
  Values weights;
  for (int i = 0; i < 150; ++i) weights.push_back(1 + i % 3);
  model.fit(iris(), {.weights = weights});
  expect_near(model.centers(), values("k_means_weighted", "centers"), 1e-12, "weighted centers");
  EXPECT_NEAR(model.inertia(), value("k_means_weighted", "inertia"), 1e-10);
  model.fit(iris().to(f32));
  expect_near(model.centers(), values("k_means", "centers"), 1e-6, "centers of floats");
}

// At its own draws, step by step (golden/make_draws.py).
TEST(KMeans, MiniBatchesAreThoseOfTheFormula) {
  const nlohmann::json all = nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/draws.json"));
  const nlohmann::json& told = all["mini_batches"];
  Values weights;
  for (int i = 0; i < 150; ++i) weights.push_back(1 + i % 3);
  for (const char* name : {"plain", "weighted", "ended"}) {
    const bool ended = std::string(name) == "ended", weighted = std::string(name) == "weighted";
    KMeans model({.clusters = 3,
                  .centers = centers(),
                  .max_iterations = ended ? 100 : told["max_iterations"].get<int>(),
                  .batch_rows = told["batch_rows"].get<std::int64_t>(),
                  .seed = told["seed"].get<std::uint64_t>()});
    model.fit(iris(), {.weights = weighted ? data::Vector(weights) : data::Vector()});
    expect_near(model.centers(), told[name]["centers"].get<Values>(), 1e-8, name);
    EXPECT_EQ(model.iterations(), told[name]["iterations"].get<int>()) << name;
    EXPECT_NEAR(model.inertia(), told[name]["inertia"].get<double>(), 1e-6) << name;
  }
}

TEST(ScikitLearn, MiniBatchKMeans) {
  for (const std::uint64_t seed : {1, 2, 3}) {
    KMeans model({.clusters = 3, .starts = 3, .batch_rows = 30, .seed = seed});
    model.fit(iris());
    EXPECT_LT(model.inertia(), 1.02 * value("k_means_batches", "inertia")) << seed;
  }
}

TEST(ScikitLearn, Dbscan) {
  for (const NeighborSearch search : {NeighborSearch::brute, NeighborSearch::kd_tree}) {
    Dbscan model({.radius = 0.5, .min_weight = 5, .search = search});
    model.fit(iris());
    EXPECT_EQ(numbers(model.labels()), golden()["dbscan"].get<Values>());
    EXPECT_EQ(model.predict(iris()), model.labels());
    Dbscan fine({.radius = 0.35, .min_weight = 4, .search = search});
    fine.fit(iris());
    EXPECT_EQ(numbers(fine.labels()), golden()["dbscan_fine"].get<Values>());
    EXPECT_EQ(fine.predict(iris()), fine.labels());
  }
}

TEST(ScikitLearn, GaussianMixture) {
  using Covariance = GaussianMixtureOptions::Covariance;
  for (const auto& [name, kind] : {std::pair("mixture_full", Covariance::full),
                                   {"mixture_diag", Covariance::diagonal},
                                   {"mixture_spherical", Covariance::spherical}}) {
    GaussianMixture model(
        {.components = 3, .covariance = kind, .tolerance = 1e-9, .max_iterations = 2000, .starts = 5});
    model.fit(iris());
    EXPECT_TRUE(model.converged());
    EXPECT_NEAR(model.mean_log_likelihood(), value(name, "likelihood"), 1e-6) << name;
    std::vector<std::size_t> order = {0, 1, 2};
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return model.means()[a * 4] < model.means()[b * 4]; });
    const auto ordered = [&](const Values& of) {
      Values out;
      const std::size_t each = of.size() / 3;
      for (const std::size_t c : order) {
        for (std::size_t i = 0; i < each; ++i) out.push_back(of[c * each + i]);
      }
      return out;
    };
    expect_near(ordered(model.weights()), values(name, "weights"), 1e-4, name);
    expect_near(ordered(model.means()), values(name, "means"), 1e-4, name);
    expect_near(ordered(model.covariances()), values(name, "covariances"), 1e-4, name);
    const Tensor some = iris().slice(0, 0, 150, 10);
    expect_near(model.log_likelihood(some), values(name, "scores"), 1e-3, name);
    Values found, all = model.predict_probability(some);
    for (std::size_t row = 0; row < 15; ++row) {
      for (const std::size_t c : order) found.push_back(all[row * 3 + c]);
    }
    expect_near(found, values(name, "probabilities"), 1e-3, name);
  }
}

TEST(ScikitLearn, Neighbors) {
  using Votes = KNeighborsOptions::Votes;
  const Tensor even = iris().slice(0, 0, 150, 2), odd = iris().slice(0, 1, 150, 2);
  for (const NeighborSearch search : {NeighborSearch::brute, NeighborSearch::kd_tree}) {
    for (const auto& [name, votes] :
         {std::pair("neighbors_uniform", Votes::uniform), {"neighbors_distance", Votes::distance}}) {
      KNeighborsClassifier classifier({.neighbors = 5, .votes = votes, .search = search});
      classifier.fit(even, species().slice(0, 0, 150, 2));
      expect_near(classifier.predict(odd), values(name, "classes"), 0, name);
      expect_near(classifier.predict_probability(odd), values(name, "probabilities"), 1e-12, name);
      KNeighborsRegressor regressor({.neighbors = 5, .votes = votes, .search = search});
      regressor.fit(even.slice(1, 0, 3), even.select(1, 3));
      expect_near(regressor.predict(odd.slice(1, 0, 3)), values(name, "values"), 1e-12, name);
    }
  }
}

void expect_pca(const Pca& model, const char* name, double tolerance) {
  expect_near(model.components(), values(name, "components"), tolerance, name);
  expect_near(model.mean(), values(name, "mean"), tolerance, name);
  expect_near(model.explained_variance(), values(name, "variance"), tolerance, name);
  expect_near(model.explained_variance_ratio(), values(name, "ratio"), tolerance, name);
  expect_near(model.singular_values(), values(name, "singular"), tolerance, name);
  expect_near(numbers(model.transform(iris().slice(0, 0, 5))), values(name, "coordinates"), tolerance, name);
}

TEST(ScikitLearn, Pca) {
  Pca exact({.components = 3}), white({.components = 3, .whiten = true}),
      random({.components = 3, .factorisation = Factorisation::randomised}),
      parts({.components = 3, .factorisation = Factorisation::incremental, .batch_rows = 40});
  exact.fit(iris());
  expect_pca(exact, "pca", 1e-10);
  white.fit(iris());
  expect_pca(white, "pca_whiten", 1e-10);
  random.fit(iris());
  expect_pca(random, "pca", 1e-9);
  parts.fit(iris());
  expect_pca(parts, "pca_incremental", 1e-10);
  Pca batches({.components = 3, .factorisation = Factorisation::incremental});
  for (int begin = 0; begin < 150; begin += 40) batches.partial_fit(iris().slice(0, begin, begin + 40));
  expect_pca(batches, "pca_incremental", 1e-10);
  exact.fit(iris().to(f32));
  expect_pca(exact, "pca", 1e-5);
  Pca wide;
  wide.fit(iris().slice(0, 0, 8).t());
  expect_near(wide.explained_variance(), values("pca_wide", "variance"), 1e-10, "wide");
}

TEST(ScikitLearn, TruncatedSvd) {
  for (const Factorisation how : {Factorisation::exact, Factorisation::randomised}) {
    TruncatedSvd model({.components = 3, .factorisation = how});
    model.fit(iris());
    expect_near(model.singular_values(), values("svd", "singular"), 1e-8, "singular values");
    Values expected = values("svd", "components");
    for (std::size_t c = 0; c < 3; ++c) {  // signs differ between its releases
      double along = 0;
      for (std::size_t j = 0; j < 4; ++j) along += expected[c * 4 + j] * model.components()[c * 4 + j];
      for (std::size_t j = 0; j < 4; ++j) expected[c * 4 + j] *= along < 0 ? -1 : 1;
    }
    expect_near(model.components(), expected, 1e-7, "components");
  }
}

TEST(ScikitLearn, Nmf) {
  for (const auto& [name, iterations] : {std::pair("nmf_1", 1), {"nmf_10", 10}, {"nmf_200", 200}}) {
    Nmf model({.components = 3, .max_iterations = iterations});
    model.fit(iris());
    EXPECT_EQ(model.iterations(), value(name, "iterations"));
    expect_near(model.components(), values(name, "components"), 1e-6, name);
    EXPECT_NEAR(model.reconstruction_error(), value(name, "error"), 1e-6);
    // It follows all rows until their sum is settled, ours each alone.
    if (iterations == 200) expect_near(numbers(model.transform(iris().slice(0, 0, 5))), values(name, "w"), 2e-2, name);
  }
}

// A file whose numbers do not fit each other is refused when it is read, not met by a prediction.
TEST(KNeighbors, AlteredFilesAreRefused) {
  register_estimators();
  const std::vector<double> x = {1, 2, 3, 4, 5, 6}, three = {0, 1, 2, 0, 1, 2};
  const auto refused = [&](data::Estimator& model, const std::vector<double>& y, const char* told) {
    model.fit(data::Matrix(x, 1), y);
    const data::EstimatorState state = model.state();
    const std::string before = "\"outcomes\":" + std::string(told);
    for (const char* value : {"-1", "0", "1", "2", "3", "7", "20000"}) {
      if (std::string(value) == told) continue;
      data::EstimatorState altered = state;
      const std::size_t at = altered.json.find(before);
      ASSERT_NE(at, std::string::npos) << altered.json;
      altered.json.replace(at, before.size(), "\"outcomes\":" + std::string(value));
      EXPECT_THROW(data::make_estimator(altered), FormatError) << value;
    }
  };
  KNeighborsClassifier classifier({.neighbors = 2});
  refused(classifier, three, "3");
  KNeighborsRegressor regressor({.neighbors = 2});
  refused(regressor, x, "0");
}

}  // namespace
}  // namespace tern::models
