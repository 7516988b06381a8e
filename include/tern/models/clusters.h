#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/unsupervised.h"

/// Clusters of rows.
namespace tern::models {

/// Options of KMeans.
struct KMeansOptions {
  enum class Start : std::uint8_t { k_means_plus_plus, random };

  std::int64_t clusters = 8;
  Start start = Start::k_means_plus_plus;  ///< Arthur & Vassilvitskii 2007, the best of 2 + ln k draws each; or rows
  Tensor centers{};                        ///< [clusters, d]: begins from these, once
  int starts = 1;                          ///< the one of least inertia counts
  int max_iterations = 300;                ///< over all rows
  double tolerance = 1e-4;                 ///< stops when Σ |movement of a center|² is less, of the mean variance
  std::int64_t batch_rows = 0;             ///< 0: all rows each time; else mini-batches (Sculley 2010) of so many
  std::uint64_t seed = 0;
};

/// K-means (Lloyd 1982), by the bounds of Hamerly 2010, which leave out most distances; products of f32 are f32. A
/// cluster that loses all rows takes the row farthest from its center.
class TERN_API KMeans : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit KMeans(KMeansOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static KMeans load(const std::string& path);

  std::string_view type() const override { return "k_means"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// The number of the nearest center, the first of equally near ones, [n].
  using Unsupervised::predict;
  /// Distances to the centers, [n, clusters], f64.
  using Unsupervised::transform;
  /// `score` is the squared distance to the nearest center.
  std::string_view metric() const override { return "squared_distance"; }

  const KMeansOptions& options() const { return options_; }
  const std::vector<double>& centers() const { return centers_; }  ///< [clusters, d]
  double inertia() const { return inertia_; }                      ///< Σ weight · distance² to the nearest center
  int iterations() const { return iterations_; }

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  std::vector<std::int64_t> assign(const data::Matrix& x) const override;
  Tensor map(const data::Matrix& x) const override;
  std::vector<double> judge_rows(const data::Matrix& x) const override;
  std::int64_t outputs() const override { return options_.clusters; }

 private:
  KMeansOptions options_;
  std::vector<double> centers_;
  double inertia_ = 0;
  int iterations_ = 0;
};

/// How neighbours are searched. All give the same.
enum class NeighborSearch : std::uint8_t {
  automatic,  ///< by a tree where there are at most 12 columns and at least 1,000 rows
  brute,      ///< all distances, by matrix products in blocks; those of rows in question again, in double
  kd_tree     ///< Bentley 1975
};

/// Options of Dbscan.
struct DbscanOptions {
  double radius = 0.5;    ///< rows within it are neighbours
  double min_weight = 5;  ///< rows whose neighbours, themselves counted, weigh as much are cores
  NeighborSearch search = NeighborSearch::automatic;
};

/// Density clusters (Ester et al. 1996): cores that are neighbours share a cluster, as do the rows around them. Memory
/// grows with the rows, not with their pairs.
class TERN_API Dbscan : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit Dbscan(DbscanOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Dbscan load(const std::string& path);

  std::string_view type() const override { return "dbscan"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// The first cluster that has a core within the radius, else -1: of the rows of `fit`, what they were given. [n]
  using Unsupervised::predict;

  const DbscanOptions& options() const { return options_; }
  /// Clusters of the rows of `fit`, numbered by their first cores; -1: none. Not kept in files.
  const std::vector<std::int64_t>& labels() const { return labels_; }
  std::int64_t clusters() const { return clusters_; }
  const Tensor& cores() const { return cores_; }  ///< [cores, d], undefined when there are none

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  std::int64_t width() const override { return width_; }
  void fields(internal::Fields& fields) override;
  void check() const override;
  std::vector<std::int64_t> assign(const data::Matrix& x) const override;

 private:
  DbscanOptions options_;
  std::vector<std::int64_t> labels_;
  std::vector<std::int64_t> core_labels_;
  Tensor cores_;
  std::int64_t clusters_ = 0, width_ = 0;
};

/// Options of GaussianMixture.
struct GaussianMixtureOptions {
  enum class Covariance : std::uint8_t { full, diagonal, spherical };

  std::int64_t components = 1;
  Covariance covariance = Covariance::full;
  double regularization = 1e-6;  ///< added to variances
  double tolerance = 1e-3;       ///< stops when the mean log-likelihood rises by less
  int max_iterations = 100;
  int starts = 1;  ///< from k-means; the one of greatest likelihood counts
  std::uint64_t seed = 0;
};

/// A mixture of normal distributions by expectation-maximisation (Dempster et al. 1977), in double. What judges rows
/// throws ValueError for one so far away (above about 1e150 deviations) that the square of the distance is not finite.
class TERN_API GaussianMixture : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit GaussianMixture(GaussianMixtureOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static GaussianMixture load(const std::string& path);

  std::string_view type() const override { return "gaussian_mixture"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// The likeliest component, [n].
  using Unsupervised::predict;
  /// Probabilities of the components, [n · components], row by row.
  using Unsupervised::predict_probability;
  /// Log-likelihoods of rows, [n], which `score` gives too. Throw as `predict` does.
  std::vector<double> log_likelihood(const data::Matrix& x) const { return score(x); }
  std::vector<double> log_likelihood(const data::Table& table) const { return score(table); }
  std::string_view metric() const override { return "log_likelihood"; }

  const GaussianMixtureOptions& options() const { return options_; }
  const std::vector<double>& weights() const { return weights_; }  ///< [components], their sum is 1
  const std::vector<double>& means() const { return means_; }      ///< [components, d]
  /// [components, d, d], [components, d] or [components], as the option has it.
  const std::vector<double>& covariances() const { return covariances_; }
  double mean_log_likelihood() const { return mean_log_likelihood_; }  ///< of the rows of `fit`, before the last step
  int iterations() const { return iterations_; }
  bool converged() const { return converged_; }

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  std::vector<std::int64_t> assign(const data::Matrix& x) const override;
  std::vector<double> shares(const data::Matrix& x) const override;
  Tensor map(const data::Matrix& x) const override;
  std::vector<double> judge_rows(const data::Matrix& x) const override { return judge(x).second; }
  std::int64_t outputs() const override { return options_.components; }

 private:
  void maximise(const data::Matrix& x, const std::vector<std::vector<double>>& parts, double total);
  std::pair<std::vector<double>, std::vector<double>> judge(const data::Matrix& x) const;

  GaussianMixtureOptions options_;
  std::vector<double> weights_, means_, covariances_;
  double mean_log_likelihood_ = 0;
  int iterations_ = 0;
  bool converged_ = false;
};

}  // namespace tern::models
