#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/data/table.h"
#include "tern/metrics/threshold.h"
#include "tern/tensor/tensor.h"

namespace tern::train {

enum class TaskKind : std::uint8_t { binary, multiclass, regression };

struct BinaryOptions {
  std::string target{};                ///< column with the two classes
  std::string positive{};              ///< the positive class; may stay empty for 0/1, no/yes, n/y, false/true, f/t
  metrics::ThresholdRule threshold{};  ///< how the decision threshold is chosen on validation
  bool balanced_weights = false;       ///< weigh classes by n / (2 n_class) in the loss
};

struct MulticlassOptions {
  std::string target{};
  std::vector<std::string> classes{};  ///< fixed order of the classes; empty: sorted values of the training target
  bool balanced_weights = false;
};

struct RegressionOptions {
  std::string target{};
  bool standardize = true;  ///< train on (y - mean) / sd of the training rows; predictions come back in units of y
};

/// What is learned: which column, which loss and link, how outputs become predictions. A value; saved in the bundle.
/// Binary: one logit, binary cross-entropy, sigmoid. Multiclass: C logits, cross-entropy, softmax. Regression: one
/// output, squared error, identity.
class TERN_API Task {
 public:
  Task() = default;
  TaskKind kind() const { return kind_; }
  const std::string& target() const { return target_; }
  /// Class names: binary {negative, positive}, multiclass in output order; empty before `fit` and for regression.
  const std::vector<std::string>& classes() const { return classes_; }
  const std::string& positive() const { return positive_; }
  bool fitted() const { return fitted_; }
  /// Outputs the model must have: 1, or the number of classes.
  std::int64_t outputs() const;

  /// Learns classes, class weights or target scale from the training target. Throws DataError when the target is
  /// constant, all missing, has another number of classes than two (binary), or when the positive class must be given.
  void fit(const data::Column& target);

  /// The target as training sees it: binary and regression f32 [n], multiclass i64 [n]. Throws DataError naming the row
  /// of a missing or unknown value.
  Tensor encode(const data::Column& target) const;
  /// Binary and multiclass labels as class indices; classes that are numbers or true and false are known in any
  /// spelling (1.0, TRUE). Throws like `encode`.
  std::vector<std::uint8_t> labels(const data::Column& target) const;

  /// The class weight of each row in double, empty when weights are off.
  std::vector<double> row_weights(const data::Column& target) const;

  /// Mean loss of a batch, a scalar that can run backward. `output` [n, outputs], `y` as `encode` gives it.
  Tensor loss(const Tensor& output, const Tensor& y) const;
  /// Predictions in user's terms: binary probability of the positive class [n], multiclass [n, C] row by row,
  /// regression value [n]. Computed in double from the model's output, row by row.
  std::vector<double> predict(const Tensor& output) const;

  double threshold() const { return threshold_; }
  void set_threshold(double value) { threshold_ = value; }
  const metrics::ThresholdRule& threshold_rule() const { return rule_; }

  std::string to_json() const;
  static Task from_json(std::string_view text);

 private:
  friend TERN_API Task binary(BinaryOptions);
  friend TERN_API Task multiclass(MulticlassOptions);
  friend TERN_API Task regression(RegressionOptions);

  TaskKind kind_ = TaskKind::binary;
  std::string target_, positive_;
  std::vector<std::string> classes_;
  std::vector<double> class_weights_;  // per class, empty when off
  bool balanced_ = false, standardize_ = false, fitted_ = false;
  double mean_ = 0, scale_ = 1;
  metrics::ThresholdRule rule_{};
  double threshold_ = 0.5;
};

TERN_API Task binary(BinaryOptions options);
TERN_API Task multiclass(MulticlassOptions options);
TERN_API Task regression(RegressionOptions options);

}  // namespace tern::train
