#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/models/composite.h"

/// Probabilities that mean what they say.
namespace tern::models {

enum class CalibrationMethod : std::uint8_t {
  platt,       ///< sigmoid(a logit(p) + b) by maximum likelihood, with the smoothed targets of Platt (1999)
  isotonic,    ///< the best rising step function, between whose steps lines are drawn (Zadrozny & Elkan 2002);
               ///< rows of one class at an end give exactly 0 or 1 there, of which the logarithmic loss may be infinite
  temperature  ///< softmax(log p / T) (Guo, Pleiss, Sun & Weinberger 2017): never changes which class is likeliest
};
TERN_API std::string_view to_string(CalibrationMethod method);
/// Throws ValueError that lists the names.
TERN_API CalibrationMethod parse_calibration_method(std::string_view name);

/// A map from probabilities to calibrated ones, learned on rows that the model was not fitted, stopped or judged on.
/// Platt and isotonic treat each of several classes against the others and rescale to a sum of 1.
class TERN_API Calibrator {
 public:
  /// Of two classes probabilities [n] of the second, of several [n * classes]; labels [n] 0, 1, …; weights [n] or none.
  /// Throws ShapeError when lengths do not fit; ValueError for no rows, one class alone, a label that is no class,
  /// probabilities outside [0, 1].
  Calibrator(CalibrationMethod method, std::span<const double> probabilities, std::span<const std::int64_t> labels,
             std::int64_t classes, std::span<const double> weights = {});

  CalibrationMethod method() const { return method_; }
  std::int64_t classes() const { return classes_; }
  /// The temperature; 1 with the other methods.
  double temperature() const { return temperature_; }
  /// Calibrated probabilities in the form of those given. Throws ShapeError, ValueError for one
  /// outside [0, 1].
  std::vector<double> apply(std::span<const double> probabilities) const;

  std::string to_json() const;
  /// Throws FormatError.
  static Calibrator from_json(std::string_view text);

 private:
  struct Curve {
    double slope = 1, intercept = 0;  // platt
    std::vector<double> x, y;         // isotonic
  };
  Calibrator() = default;
  double curve(const Curve& curve, double p) const;

  CalibrationMethod method_ = CalibrationMethod::platt;
  std::int64_t classes_ = 2;
  double temperature_ = 1;
  std::vector<Curve> curves_;
};

/// Options of Calibrated.
struct CalibratedOptions {
  CalibrationMethod method = CalibrationMethod::platt;
  int folds = 5;  ///< cross-fitted: predictions out of fold calibrate, the model is fitted on all rows; 0: held out
  double holdout = 0.2;  ///< share of the rows that calibrate and are kept from the model, where folds is 0
  std::uint64_t seed = 0;
};

/// An estimator of classes with calibrated probabilities; it gives them to a linear model without (LinearSvm, hinge
/// SgdClassifier), of which it calibrates sigmoid(margin / the largest margin of the rows of `fit`), so that the scale
/// of margins does not matter. Folds and rows held out are drawn at random from each class: of rows that belong
/// together (a group, what was before) some stand on both sides, and the probabilities are too sure; there a Calibrator
/// takes predictions of rows that were cut so. Rows of validation go on to the estimator. One that holds estimators of
/// another room is loaded after that room's register_estimators().
class TERN_API Calibrated : public Composite {
 public:
  /// Takes a copy. Throws ValueError for one of values, one without probabilities that is not linear, folds of 1 or
  /// below 0, a holdout outside (0, 1).
  explicit Calibrated(const data::Estimator& estimator, CalibratedOptions options = {});
  Calibrated(const Calibrated& other);
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Calibrated load(const std::string& path);
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "calibrated"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return true; }
  std::string positive() const override { return estimator_->positive(); }
  bool takes_missing() const override { return estimator_->takes_missing(); }
  bool takes_validation() const override { return estimator_->takes_validation(); }
  bool stops_early() const override { return estimator_->stops_early(); }
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override {
    return estimator_->unseen(table);
  }

  const data::Estimator& estimator() const { return *estimator_; }
  /// Throws StateError before `fit`.
  const Calibrator& calibrator() const;
  /// What margins are divided by; 1 for an estimator with probabilities.
  double margin_scale() const { return margin_scale_; }

 protected:
  void fit_on(const internal::Source& rows) override;
  std::vector<double> answer(const internal::Asked& rows, bool probability) const override;
  std::string to_json() const override;
  std::vector<data::NamedTensor> tensors() const override;

 private:
  CalibratedOptions options_;
  std::unique_ptr<data::Estimator> estimator_;
  std::shared_ptr<const Calibrator> calibrator_;
  double margin_scale_ = 1;
};

}  // namespace tern::models
