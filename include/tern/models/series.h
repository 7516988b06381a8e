#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tern/base/export.h"

/// Forecasts of a series of numbers at even steps, from its own past.
namespace tern::models {

enum class Trend : std::uint8_t { none, additive, damped };
enum class Seasonality : std::uint8_t { none, additive, multiplicative };

/// Options of HoltWinters. A smoothing that is not told is chosen for the least squared error one step ahead, of those
/// with β <= α and γ <= 1 - α (Hyndman & Athanasopoulos), which those that are told need not keep to.
struct HoltWintersOptions {
  Trend trend = Trend::additive;
  Seasonality seasonality = Seasonality::none;
  int period = 12;                  ///< steps of a season; >= 2
  std::optional<double> level{};    ///< smoothing of the level α, in [0, 1]
  std::optional<double> slope{};    ///< of the trend β, in [0, 1]
  std::optional<double> season{};   ///< of the seasons γ, in [0, 1]
  std::optional<double> damping{};  ///< of the trend φ, in (0, 1]; chosen in [0.8, 0.995]
};

/// Exponential smoothing (Holt 1957, Winters 1960; the component form of Hyndman & Athanasopoulos, Forecasting:
/// Principles and Practice, ch. 8). The first level, trend and seasons come from a moving average and a line through
/// its first ten steps (Hyndman, Koehler, Ord & Snyder 2008, 2.6.1).
class TERN_API HoltWinters {
 public:
  /// Throws ValueError for an option out of its range, and a smoothing of a trend or season that is off.
  explicit HoltWinters(HoltWintersOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static HoltWinters load(const std::string& path);

  /// Throws ValueError for fewer than 10 steps (with seasons: 10 + 2 (period / 2) and two periods), a value that is not
  /// finite or, with multiplicative seasons, not above 0.
  void fit(std::span<const double> series);
  /// The next steps. Throws StateError before `fit`, ValueError below one step.
  std::vector<double> forecast(int steps) const;
  /// Writes JSON atomically. Throws StateError before `fit`, FileError.
  void save(const std::string& path) const;

  /// The options with the smoothings that were chosen.
  const HoltWintersOptions& options() const { return options_; }
  /// Forecasts of the steps of `fit`, each from those before.
  const std::vector<double>& fitted() const { return fitted_; }
  /// Root of their mean squared error.
  double rmse() const { return rmse_; }

 private:
  struct State {
    double level = 0, slope = 0;
    std::vector<double> seasons;  // of the next steps, in their order
  };
  State first_state(std::span<const double> series) const;
  double run(std::span<const double> series, const HoltWintersOptions& how, State& state,
             std::vector<double>* fitted) const;

  HoltWintersOptions told_, options_;
  State state_;
  std::vector<double> fitted_;
  double rmse_ = 0;
};

/// Options of AutoRegression.
struct AutoRegressionOptions {
  int lags = 1;                ///< steps that a value is a sum of; >= 1
  std::vector<int> further{};  ///< lags beyond them, as that of a season; > lags
  bool trend = false;          ///< a line in time beside the constant
};

/// y_t = c + d t + Σ w_k y_{t-k} + error, by least squares given the first steps.
class TERN_API AutoRegression {
 public:
  /// Throws ValueError for an option out of its range.
  explicit AutoRegression(AutoRegressionOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static AutoRegression load(const std::string& path);

  /// Throws ValueError for a series that is too short for its numbers, a value that is not finite, or one without
  /// variation.
  void fit(std::span<const double> series);
  /// The next steps. Throws StateError before `fit`, ValueError below one step.
  std::vector<double> forecast(int steps) const;
  /// Writes JSON atomically. Throws StateError before `fit`, FileError.
  void save(const std::string& path) const;

  const AutoRegressionOptions& options() const { return options_; }
  /// The constant, with `trend` the slope, then the weights by lag.
  const std::vector<double>& coefficients() const { return coefficients_; }
  /// Standard deviation of the errors, with n - coefficients.
  double sigma() const { return sigma_; }
  /// Standard deviations of the forecasts' errors, of errors that are independent; the coefficients are taken as known.
  /// Throws as `forecast`.
  std::vector<double> deviations(int steps) const;

 private:
  std::vector<int> all_lags() const;
  void need_fitted() const;

  AutoRegressionOptions options_;
  std::vector<double> coefficients_, last_;
  std::int64_t steps_ = 0;  // of the series
  double sigma_ = 0;
};

}  // namespace tern::models
