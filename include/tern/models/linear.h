#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/model.h"

/// Linear models.
namespace tern::models {

/// What linear models share: scores x · coefficientsᵀ + intercepts, of one output or of one for each class.
class TERN_API LinearModel : public Model {
 public:
  const std::vector<double>& coefficients() const { return coefficients_; }  ///< [outputs, d]
  const std::vector<double>& intercepts() const { return intercepts_; }      ///< [outputs]; empty before `fit`
  /// Of the first output; 0 before `fit`.
  double intercept() const { return intercepts_.empty() ? 0 : intercepts_[0]; }
  /// The scores of rows, [n, outputs]. Throw as `predict` does.
  std::vector<double> scores(const data::Matrix& x) const;
  std::vector<double> scores(const data::Table& table) const;

 protected:
  /// Scores as values.
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  /// The greatest score's class, or of one score that above 0: for those that classify.
  std::vector<double> greatest(const data::Matrix& x) const;

  std::vector<double> coefficients_, intercepts_;
};

/// Options of Ridge.
struct RidgeOptions {
  double alpha = 1;           ///< penalty on |w|²; 0: ordinary least squares
  bool fit_intercept = true;  ///< a free constant, which is not penalised
};

/// Minimises Σ weight (y - x·w - b)² + alpha |w|² (Hoerl & Kennard 1970) by its normal equations in double; of many
/// f32 rows products are f32. Where columns determine each other and alpha is 0, the solution of least |w|.
class TERN_API Ridge : public LinearModel {
 public:
  /// Throws ValueError unless alpha is finite and at least 0.
  explicit Ridge(RidgeOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Ridge load(const std::string& path);

  std::string_view type() const override { return "ridge"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }
  const RidgeOptions& options() const { return options_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  void fields(internal::Fields& fields) override;
  void check() const override;

 private:
  RidgeOptions options_;
};

/// Options of LinearRegression.
struct LinearRegressionOptions {
  bool fit_intercept = true;
};

/// Ordinary least squares: Ridge with alpha 0.
class TERN_API LinearRegression : public Ridge {
 public:
  explicit LinearRegression(LinearRegressionOptions options = {})
      : Ridge({.alpha = 0, .fit_intercept = options.fit_intercept}) {}
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static LinearRegression load(const std::string& path);
  std::string_view type() const override { return "linear_regression"; }
  std::unique_ptr<data::Estimator> clone() const override;
};

}  // namespace tern::models
