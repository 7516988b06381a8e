#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"

/// Linear models of a value.
namespace tern::models {

/// Options of Ridge.
struct RidgeOptions {
  double alpha = 1;           ///< penalty on |w|²; 0: ordinary least squares
  bool fit_intercept = true;  ///< a free constant, which is not penalised
};

/// Minimises Σ weight (y - x·w - b)² + alpha |w|² (Hoerl & Kennard 1970) by its normal equations, in double.
class TERN_API Ridge : public data::Estimator {
 public:
  /// Throws ValueError unless alpha is finite and at least 0.
  explicit Ridge(RidgeOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Ridge load(const std::string& path);
  /// Makes it again for `data::make_estimator`. Throws FormatError.
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "ridge"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }

  const RidgeOptions& options() const { return options_; }
  const std::vector<double>& coefficients() const { return coefficients_; }  ///< [d]
  double intercept() const { return intercept_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  std::int64_t width() const override { return static_cast<std::int64_t>(coefficients_.size()); }
  std::string to_json() const override;

 private:
  RidgeOptions options_;
  std::vector<double> coefficients_;
  double intercept_ = 0;
};

}  // namespace tern::models
