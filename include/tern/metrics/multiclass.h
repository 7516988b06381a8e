#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/export.h"

namespace tern::metrics {

/// How the figures of the classes become one. Classes for which a figure is undefined (the precision of a class never
/// predicted, the recall of a class that does not occur) are left out of macro and weighted means.
enum class Average {
  macro,     ///< plain mean over classes
  micro,     ///< from the summed counts of all classes
  weighted,  ///< mean weighted by how often each class occurs among the labels
};

/// Weighted counts of (label, prediction) pairs, and what follows from them. NaN means undefined, as in binary.h.
class TERN_API ConfusionMatrix {
 public:
  /// Counts of zero. Throws ValueError unless `classes` is 2 to 4096.
  explicit ConfusionMatrix(std::int64_t classes);

  /// Adds predictions [N] and labels [N], both classes 0 … C-1, optionally with weights [N]. Nothing is added when it
  /// throws: ShapeError, ValueError (no rows, a class or weight outside its range), NumericError.
  void add(std::span<const std::int64_t> predictions, std::span<const std::int64_t> labels,
           std::span<const double> weights = {});
  /// Adds another matrix. Throws ShapeError when the number of classes differs.
  void merge(const ConfusionMatrix& other);

  std::int64_t classes() const { return classes_; }
  /// Weight of the rows of class `label` that were given class `prediction`. Throws IndexError.
  double count(std::int64_t label, std::int64_t prediction) const;
  /// Sum of all counts.
  double total() const;

  /// Share of rows decided rightly; NaN without rows.
  double accuracy() const;
  /// Mean recall over the classes that occur among the labels.
  double balanced_accuracy() const { return recall(Average::macro); }
  double precision(Average average) const;
  double recall(Average average) const;
  /// Mean of the classes' F-beta (see BinaryConfusion::f_beta). Throws ValueError unless beta is positive and finite.
  double f_beta(double beta, Average average) const;
  double f1(Average average) const { return f_beta(1, average); }

  /// The figures of one class against all others, undefined ones NaN. Throw IndexError.
  double precision(std::int64_t index) const;
  double recall(std::int64_t index) const;
  double f_beta(double beta, std::int64_t index) const;

 private:
  struct OneClass;
  OneClass one_class(std::int64_t index) const;
  template <class F>
  double average(Average kind, const F& figure) const;

  std::int64_t classes_;
  std::vector<double> counts_;  // [label * classes + prediction]
};

/// Counts predictions [N] against labels [N], both classes 0 … C-1. Throws as ConfusionMatrix::add.
TERN_API ConfusionMatrix confusion_matrix(std::span<const std::int64_t> predictions,
                                          std::span<const std::int64_t> labels, std::int64_t classes,
                                          std::span<const double> weights = {});

/// Mean of -log(probability given to the label), from row-major probabilities [N x C] and labels [N]; C follows from
/// the lengths. Clipped to [e, 1 - e], e = 2^-52. Each row must sum to 1 within 1e-4 (ValueError); it is not rescaled.
TERN_API double log_loss(std::span<const double> probabilities, std::span<const std::int64_t> labels,
                         std::span<const double> weights = {});

/// The most probable class of each row of probabilities [N x C]; the lowest of equals. Throws ShapeError, ValueError.
TERN_API std::vector<std::int64_t> most_probable(std::span<const double> probabilities, std::int64_t classes);

}  // namespace tern::metrics
