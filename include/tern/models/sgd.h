#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/linear.h"

/// Linear models by stochastic gradient descent, a row at a time, which learn from rows in parts, too.
namespace tern::models {

/// Of classes one of the margin y · score with y = ±1; of values one of the distance between y and score, or the
/// negative log likelihood of counts of mean exp(score), whose steps are implicit (Toulis and Airoldi 2017): a step by
/// the slope where it starts would throw large counts off.
enum class SgdLoss : std::uint8_t { log_loss, hinge, squared, huber, squared_hinge, poisson };

/// The step of row t = 1, 2, …
enum class SgdSchedule : std::uint8_t {
  constant,         ///< learning_rate
  optimal,          ///< 1 / (alpha (t0 + t)), t0 as Bottou (2012) finds it
  inverse_scaling,  ///< learning_rate / t^power
};

/// Options of SgdClassifier and SgdRegressor.
struct SgdOptions {
  /// None: log_loss for classes, squared for values. Values take squared, huber and poisson, classes all but poisson.
  std::optional<SgdLoss> loss{};
  double alpha = 1e-4;                    ///< of the penalty alpha (l1_ratio |w|₁ + (1 - l1_ratio) |w|² / 2); >= 0
  double l1_ratio = 0;                    ///< in [0, 1]
  std::optional<SgdSchedule> schedule{};  ///< none: optimal for classes, inverse_scaling for values
  double learning_rate = 0.01;            ///< > 0
  double power = 0.25;                    ///< of inverse_scaling
  double huber_epsilon = 0.1;             ///< distance up to which the Huber loss is squared; > 0
  bool fit_intercept = true;
  int max_iterations = 1000;  ///< passes of `fit` over the rows; `partial_fit` makes one
  double tolerance = 1e-3;    ///< `fit` ends when five passes better the objective by less; below 0: never
  bool shuffle = true;        ///< each pass in another order
  std::uint64_t seed = 0;     ///< of the order
};

/// What SgdClassifier and SgdRegressor share. A weight scales a row's step, so that a row of weight 2 is not quite two
/// rows. L1 is applied as Tsuruoka, Tsujii and Ananiadou (ACL 2009) do. Scales of columns matter much.
class TERN_API SgdModel : public LinearModel {
 public:
  const SgdOptions& options() const { return options_; }
  /// Passes of the last `fit`.
  int iterations() const { return iterations_; }

 protected:
  SgdModel(SgdOptions options, SgdLoss loss, SgdSchedule schedule);
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  void learn_more(const Rows& rows, std::int64_t classes) override;
  void fields(internal::Fields& fields) override;
  void check() const override;

  SgdOptions options_;
  SgdLoss loss_;
  SgdSchedule schedule_;

 private:
  void run(const Rows& rows, std::int64_t classes, bool whole);
  std::int64_t steps_ = 0;
  int iterations_ = 0;
};

/// Classes by SGD, of several each against the others.
class TERN_API SgdClassifier : public SgdModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit SgdClassifier(SgdOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static SgdClassifier load(const std::string& path);
  std::string_view type() const override { return "sgd_classifier"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return true; }
  bool has_probability() const override { return loss_ == SgdLoss::log_loss; }

 protected:
  void check() const override;
  /// Probabilities of the log loss; of several classes, each one's, divided by their sum. Of other losses StateError;
  /// Calibrated gives them there.
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
};

/// Values by SGD; of the Poisson loss counts, and their means by exp(score).
class TERN_API SgdRegressor : public SgdModel {
 public:
  /// Throws ValueError for an option outside its values.
  explicit SgdRegressor(SgdOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static SgdRegressor load(const std::string& path);
  std::string_view type() const override { return "sgd_regressor"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }

 protected:
  void check() const override;
  /// Throws ValueError for a target below 0 of the Poisson loss.
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  void learn_more(const Rows& rows, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;

 private:
  void check_targets(const Rows& rows) const;
};

}  // namespace tern::models
