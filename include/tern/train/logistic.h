#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/export.h"

namespace tern::train {

struct LogisticOptions {
  double inverse_penalty = 1;            ///< C: the penalty is |w|^2 / (2 C), the intercept free; > 0
  int max_iterations = 1000;             ///< steps of limited-memory BFGS
  double tolerance = 1e-8;               ///< ends when the gradient's largest part is below tolerance * rows
  std::span<const double> weights = {};  ///< one per row, or none
};

/// A fitted logistic regression: p = sigmoid(intercept + x . coefficients).
struct Logistic {
  std::vector<double> coefficients;
  double intercept = 0;
  int iterations = 0;
  bool converged = false;

  /// Probabilities of rows `features` [rows, width], row-major.
  TERN_API std::vector<double> predict(std::span<const float> features) const;
};

/// Fits L2-penalised logistic regression on `features` [rows, width] and labels 0/1 [rows] by
/// models::LogisticRegression in double; the same bits at any thread count. The minimum is that of scikit-learn's
/// LogisticRegression(C). Throws ShapeError when lengths do not fit and ValueError for an option out of range or fewer
/// than two classes.
TERN_API Logistic fit_logistic(std::span<const float> features, std::span<const std::uint8_t> labels,
                               const LogisticOptions& options = {});

}  // namespace tern::train
