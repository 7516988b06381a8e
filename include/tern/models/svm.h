#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/linear.h"

namespace tern::models {

/// max(0, 1 - margin), or its square.
enum class HingeLoss : std::uint8_t { squared_hinge, hinge };

/// Options of LinearSvm.
struct LinearSvmOptions {
  double inverse_penalty = 1;  ///< C; > 0
  HingeLoss loss = HingeLoss::squared_hinge;
  bool fit_intercept = true;  ///< a constant, which is penalised as the weight of a feature that is 1 in every row
  int max_iterations = 1000;  ///< passes over the rows
  double tolerance = 1e-4;    ///< ends when the projected gradients of the dual lie within it
  std::uint64_t seed = 0;     ///< of the order of the rows
};

/// Linear support vector classification: minimises |w|² / 2 + b² / 2 + C Σ weight · loss, of several classes each
/// against the others, by dual coordinate descent (Hsieh et al., ICML 2008) in double. Scales of columns matter. Has no
/// probabilities: `predict_probability` throws StateError; Calibrated gives them, and takes it into a bundle.
class TERN_API LinearSvm : public LinearModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit LinearSvm(LinearSvmOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static LinearSvm load(const std::string& path);

  std::string_view type() const override { return "linear_svm"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return true; }
  bool has_probability() const override { return false; }
  const LinearSvmOptions& options() const { return options_; }
  bool converged() const { return converged_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  void fields(internal::Fields& fields) override;
  void check() const override;

 private:
  LinearSvmOptions options_;
  bool converged_ = false;
};

}  // namespace tern::models
