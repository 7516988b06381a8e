#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/linear.h"

/// Generalised linear models.
namespace tern::models {

/// Options of LogisticRegression.
struct LogisticOptions {
  double inverse_penalty = 1;  ///< C; > 0, infinity: no penalty
  double l1_ratio = 0;         ///< of the penalty: 0 is |w|² / 2, 1 is |w|₁
  bool fit_intercept = true;   ///< free constants, which are not penalised
  int max_iterations = 100;
  /// Ends when no part of the gradient is above tolerance * Σ weight, times the column's deviation where that is below
  /// 1, so that small units do not end it early.
  double tolerance = 1e-4;
};

/// Minimises C Σ weight · loss + (1 - l1_ratio) |w|² / 2 + l1_ratio |w|₁ with the log loss of two classes, or of
/// several by a softmax. By limited-memory BFGS, with L1 in its orthant-wise form (Andrew and Gao, ICML 2007); sums in
/// double, products of f32 rows in f32, of columns with a large mean less that. A constant column has weight 0. `fit`
/// throws ValueError for columns whose squares have no finite sum.
class TERN_API LogisticRegression : public LinearModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit LogisticRegression(LogisticOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static LogisticRegression load(const std::string& path);

  std::string_view type() const override { return "logistic_regression"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return true; }
  const LogisticOptions& options() const { return options_; }
  int iterations() const { return iterations_; }
  bool converged() const { return converged_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  void fields(internal::Fields& fields) override;
  void check() const override;

 private:
  LogisticOptions options_;
  int iterations_ = 0;
  bool converged_ = false;
};

/// Options of PoissonRegression.
struct PoissonOptions {
  double alpha = 1;           ///< penalty on |w|² / 2; >= 0
  bool fit_intercept = true;  ///< a free constant, which is not penalised
  int max_iterations = 100;
  double tolerance = 1e-4;  ///< ends when the gradient's largest part is below tolerance
};

/// Minimises Σ weight (μ - y log μ) / Σ weight + alpha |w|² / 2 for counts or rates y >= 0 with μ = exp(x·w + b). `fit`
/// throws ValueError for a target below 0, or of zeros alone.
class TERN_API PoissonRegression : public LinearModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit PoissonRegression(PoissonOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static PoissonRegression load(const std::string& path);

  std::string_view type() const override { return "poisson_regression"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }
  const PoissonOptions& options() const { return options_; }
  int iterations() const { return iterations_; }
  bool converged() const { return converged_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  void fields(internal::Fields& fields) override;
  void check() const override;

 private:
  PoissonOptions options_;
  int iterations_ = 0;
  bool converged_ = false;
};

}  // namespace tern::models
