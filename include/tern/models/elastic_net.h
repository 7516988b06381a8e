#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/linear.h"

/// Linear models with a penalty on |w|₁, by coordinate descent.
namespace tern::models {

/// Options of ElasticNet.
struct ElasticNetOptions {
  double alpha = 1;           ///< of the penalty; > 0
  double l1_ratio = 0.5;      ///< of the penalty: 1 is |w|₁, 0 is |w|² / 2
  bool fit_intercept = true;  ///< a free constant, which is not penalised
  int max_iterations = 1000;  ///< passes over the coefficients
  double tolerance = 1e-4;    ///< ends when the duality gap is below tolerance * Σ weight (y - mean)²
};

/// Minimises Σ weight (y - x·w - b)² / (2 Σ weight) + alpha (l1_ratio |w|₁ + (1 - l1_ratio) |w|² / 2) by coordinate
/// descent (Friedman, Hastie and Tibshirani 2010) in double.
class TERN_API ElasticNet : public LinearModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit ElasticNet(ElasticNetOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static ElasticNet load(const std::string& path);

  std::string_view type() const override { return "elastic_net"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }
  const ElasticNetOptions& options() const { return options_; }
  int iterations() const { return iterations_; }
  /// The duality gap at the end, of the function that is minimised.
  double gap() const { return gap_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  void fields(internal::Fields& fields) override;
  void check() const override;

 private:
  ElasticNetOptions options_;
  int iterations_ = 0;
  double gap_ = 0;
};

/// Options of Lasso, as ElasticNet has them.
struct LassoOptions {
  double alpha = 1;
  bool fit_intercept = true;
  int max_iterations = 1000;
  double tolerance = 1e-4;
};

/// ElasticNet with l1_ratio 1 (Tibshirani 1996).
class TERN_API Lasso : public ElasticNet {
 public:
  /// Throws ValueError for an option outside its values.
  explicit Lasso(const LassoOptions& options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Lasso load(const std::string& path);
  std::string_view type() const override { return "lasso"; }
  std::unique_ptr<data::Estimator> clone() const override;
};

/// Options of lasso_path.
struct PathOptions {
  double l1_ratio = 1;           ///< in (0, 1]
  std::vector<double> alphas{};  ///< > 0; empty: `count` of them, from the least at which all coefficients are 0
  int count = 100;
  double shortest = 1e-3;  ///< the last of those over the first; in (0, 1)
  bool fit_intercept = true;
  int max_iterations = 1000;
  double tolerance = 1e-4;
  data::Vector weights{};
};

/// Models of a path.
struct LassoPath {
  std::vector<double> alphas{};        ///< falling
  std::vector<double> coefficients{};  ///< [alphas, d]
  std::vector<double> intercepts{};    ///< [alphas]
  std::vector<double> gaps{};          ///< duality gaps [alphas]
};

/// ElasticNet for many alphas, each started from the one before. Throws as `ElasticNet::fit` does.
TERN_API LassoPath lasso_path(const data::Matrix& x, const data::Vector& y, const PathOptions& options = {});

}  // namespace tern::models
