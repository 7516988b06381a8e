#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/data/matrix.h"
#include "tern/data/table.h"
#include "tern/metrics/custom_metric.h"
#include "tern/trees/ensemble.h"
#include "tern/trees/predictor.h"

namespace tern::trees {

/// What is minimised, with the target y that it takes, and the link from margin to prediction.
enum class Objective : std::uint8_t {
  squared,     ///< (f - y)² / 2
  binary,      ///< log loss of two classes; sigmoid
  multiclass,  ///< log loss of several classes, a tree for each in every round; softmax
  absolute,    ///< |f - y|; leaves are medians
  huber,       ///< squared up to `huber_delta`, linear beyond
  quantile,    ///< pinball loss of `quantile`; leaves are quantiles
  poisson,     ///< counts y >= 0, not all of them 0; exp
  gamma,       ///< amounts y > 0; exp
  tweedie,     ///< amounts y >= 0, many but not all of them 0, of variance power `tweedie_power`; exp
  lambdarank,  ///< order within a query by grades y = 0, 1, … (Burges 2010), weighted by NDCG
  custom,      ///< `custom_objective`
};

/// The objective's name: "squared", "binary", ….
TERN_API std::string_view to_string(Objective objective);
/// The objective of a name. Throws ValueError, listing the names.
TERN_API Objective parse_objective(std::string_view name);

/// The node that is divided next.
enum class Growth : std::uint8_t {
  leaf_wise,   ///< the one that gains most
  depth_wise,  ///< the one nearest to the root
};

/// An objective of one's own.
struct CustomObjective {
  std::string name{};
  /// Writes first and second derivatives of the loss by the margin, a row each; hessians are not negative.
  std::function<void(std::span<const double> margins, std::span<const double> targets, std::span<double> gradients,
                     std::span<double> hessians)>
      derivatives{};
  double base = 0;             ///< margin before the first tree
  Link link = Link::identity;  ///< none but softmax, for there is one output
};

/// Settings of GradientBoosting. In brackets the names in XGBoost, LightGBM or scikit-learn, where they are others.
struct GradientBoostingOptions {
  Objective objective = Objective::squared;
  int rounds = 100;            ///< trees, or trees for each class [n_estimators, num_iterations]; >= 1
  double learning_rate = 0.1;  ///< what a tree adds of its leaves' values [eta]; > 0
  Growth growth = Growth::leaf_wise;
  int max_leaves = 31;               ///< of a tree [num_leaves]; 0: no limit
  int max_depth = 0;                 ///< edges from the root to a leaf; 0: no limit
  std::int64_t min_child_rows = 20;  ///< of a side of a split [min_data_in_leaf]. Few splits at the limit are missed.
  double min_child_weight = 1e-3;    ///< sum of hessians of a side [min_sum_hessian_in_leaf]
  double lambda_l1 = 0;              ///< [reg_alpha]
  double lambda_l2 = 0;              ///< [reg_lambda]
  double min_split_gain = 0;         ///< [gamma, min_gain_to_split]
  double max_delta_step = 0;         ///< most that a leaf adds before `learning_rate`; 0: none, of classes 30
  int max_bins = 255;                ///< of the values of a feature, missing ones not counted; 2 … 255

  double subsample = 1;         ///< share of rows for a tree, without repeats [bagging_fraction]
  double colsample_bytree = 1;  ///< share of features for a tree [feature_fraction]
  double colsample_bynode = 1;  ///< share of those for a split [feature_fraction_bynode]
  /// Of each number one threshold is tried, drawn between the least and the most of the node's rows (Geurts, Ernst and
  /// Wehenkel 2006).
  bool extra_trees = false;
  /// Gradient-based one-side sampling (Ke et al., NIPS 2017): share of rows of largest gradients that are kept, and
  /// share of all rows that is drawn from the others. 0: off.
  double goss_top = 0, goss_other = 0;
  /// DART (Rashmi and Gilad-Bachrach, AISTATS 2015): chance that a tree is left out while the next one is trained, that
  /// none is, and the most left out. 0: off.
  double dart_rate = 0, dart_skip = 0.5;
  int dart_most = 50;

  /// Levels of fewer rows of training are not kept, and go as unseen ones do: 10 keeps out of the model what fewer than
  /// ten rows share [min_data_per_group].
  std::int64_t min_level_rows = 1;
  int one_against_rest_levels = 4;  ///< up to so many levels, one is split from the others [max_cat_to_onehot]
  int max_categories_in_set = 32;   ///< levels in the smaller set of a split [max_cat_threshold]
  /// Weight of the node's mean in that of a level [cat_smooth]. Of a feature of more than 16 levels, those of about
  /// fewer rows of the node are in no set.
  double categorical_smoothing = 10;
  double categorical_l2 = 10;  ///< added to `lambda_l2` where sets of levels are split [cat_l2]

  /// Features in which the margin never falls (1) or never rises (-1) [monotone_constraints]; of any objective. Where
  /// leaves are medians or quantiles, those of sides that overlap are cut off midway between the sides' means.
  std::vector<std::pair<std::string, int>> monotone{};
  /// Groups of features that may stand on one way from a root to a leaf; those named nowhere are a group of their own.
  std::vector<std::vector<std::string>> interactions{};

  double huber_delta = 1;              ///< > 0
  double quantile = 0.5;               ///< in (0, 1)
  double tweedie_power = 1.5;          ///< in (1, 2)
  int ndcg_at = 10;                    ///< rows of a query that lambdarank's metric looks at
  std::string positive{};              ///< the level of a table's target of two that is class 1; empty: the last
  CustomObjective custom_objective{};  ///< of Objective::custom alone

  /// Rounds without a better validation metric that end training; 0: off. `fit` then needs rows of validation and,
  /// beside a custom objective, `metric`. Any number is better than NaN; NaN alone is a NumericError.
  int early_stopping_rounds = 0;
  /// By how much the metric must be better than at the best round so far for a later one to take its place; >= 0.
  double early_stopping_min_delta = 0;
  /// Instead of the objective's own: of predictions as `predict_probability` or, of objectives without classes,
  /// `predict` gives them.
  metrics::CustomMetric metric{};
  /// Called after each round, from 1 on, with the validation metric (NaN without); false ends training.
  std::function<bool(int round, double metric)> on_round{};
  std::uint64_t seed = 0;  ///< of sampling, and of rounding gradients
  /// Gradients are summed up in whole numbers: of few bits, which is fast (Shi et al., NeurIPS 2022), or of many.
  /// Not told: few for many rows, where objective and weights bound the gradients. Rounding is up or down by chance,
  /// which goes by a row's number, and with `false` by what the row holds: then rows of training in another order give
  /// the same bits, unless there are more than 200,000 (of which some, by number, are looked at for bins) or rows are
  /// drawn (`subsample`, GOSS). Of lambdarank whole queries may change places, of a custom objective rows where its
  /// derivatives take each by itself.
  std::optional<bool> coarse_gradients{};
};

using data::Matrix;

class GradientBoosting;

/// What `fit` takes beside a table.
struct FitOptions {
  std::optional<data::Table> validation{};  ///< with the same columns
  std::string weights{};                    ///< column of weights, which is no feature
  std::string query{};                      ///< column that tells queries apart, whose rows stand together
  const GradientBoosting* start = nullptr;  ///< a fitted model that training goes on from, with its columns alone
};

/// What `fit` takes beside a matrix; targets of classes are 0, 1, ….
struct MatrixFitOptions {
  data::Vector weights{};
  std::span<const std::int64_t> queries{};  ///< rows of each query, in order
  Matrix validation{};
  data::Vector validation_target{};
  data::Vector validation_weights{};
  std::span<const std::int64_t> validation_queries{};
  std::vector<std::string> names{};         ///< of the columns; "f0", "f1", … when empty
  std::vector<std::int64_t> categorical{};  ///< of levels 0, 1, …: whole parts; below 0: missing
  const GradientBoosting* start = nullptr;
};

/// Gradient boosted decision trees (Friedman 2001) on binned features, with second-order leaves.
///
/// Columns of a table are taken as they are: numbers, booleans and timestamps by their order, categoricals and strings
/// by sets of levels. A missing value goes to the side that is better for those of training; where there were none, to
/// the heavier side; so do unseen levels. Of more levels than bins, the rarest count as unseen, which is logged. A
/// column without values, or of one value, is never split. Same rows, options and seed give the same bits at any number
/// of threads. Two equal rows are one of weight 2 up to the rounding of gradients, which goes row by row, and where a
/// feature has no more values than `max_bins`: bins of more values go by rows, not by weights. `min_child_rows` and
/// `categorical_smoothing` count rows.
class TERN_API GradientBoosting : public data::Estimator {
 public:
  /// Throws ValueError for an option out of its range.
  explicit GradientBoosting(GradientBoostingOptions options = {});
  /// Reads what `save` wrote, with its options but for functions of one's own: one that was trained with a custom
  /// objective, or stopped early by a metric of one's own, predicts and is not fitted again. Throws FileError,
  /// FormatError.
  static GradientBoosting load(const std::string& path);
  /// Makes it again for `data::make_estimator`. Throws FormatError.
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "gradient_boosting"; }
  std::unique_ptr<data::Estimator> clone() const override;
  /// Whether the objective is of classes.
  bool classifies() const override;
  std::string positive() const override { return options_.positive; }
  bool ranks() const override { return options_.objective == Objective::lambdarank; }
  bool takes_missing() const override { return true; }
  bool takes_validation() const override { return true; }
  bool stops_early() const override { return options_.early_stopping_rounds > 0; }
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override;

  /// Trains on all other columns of a table. Throws DataError for a column that is not there or does not fit,
  /// ValueError for no rows, a target that is missing, not finite or outside what the objective takes, one class alone
  /// or more than 10,000 of them, weights that are negative, beyond 1e30, below 1e-30 but not 0, all 0 or the target, a
  /// query for an objective other than lambdarank, and `early_stopping_rounds` without rows of validation.
  void fit(const data::Table& table, std::string_view target, const FitOptions& options = {});
  /// The same on a matrix with a target [n] (both may be tensors); NaN is missing. Throws ShapeError when lengths
  /// differ.
  void fit(const Matrix& features, const data::Vector& target, const MatrixFitOptions& options = {});

  /// Values [rows], or numbers of the likeliest classes. Columns are found by name. Throws StateError before `fit`,
  /// DataError for a column that is missing or of another kind.
  std::vector<double> predict(const data::Table& table) const;
  std::vector<double> predict(const Matrix& features) const;
  /// Of two classes the probability of the second [rows], of several those of each [rows x classes]. Throws StateError
  /// without classes.
  std::vector<double> predict_probability(const data::Table& table) const;
  std::vector<double> predict_probability(const Matrix& features) const;
  /// Sums of the trees before the link [rows x outputs].
  std::vector<double> predict_margin(const data::Table& table) const;
  std::vector<double> predict_margin(const Matrix& features) const;

  /// The trained model. Throws StateError before `fit`.
  const Ensemble& ensemble() const;
  const GradientBoostingOptions& options() const { return options_; }
  /// Seconds that the last `fit` took to find bins and put rows into them, and to grow the trees.
  std::pair<double, double> seconds() const { return {binning_seconds_, training_seconds_}; }
  /// The metric on the validation rows after each round; empty without.
  const std::vector<double>& validation_history() const { return history_; }
  /// What `validation_history` holds: "log_loss", "rmse", ….
  const std::string& metric_name() const { return metric_name_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const Matrix& x, bool probability) const override;
  std::int64_t width() const override;
  std::string to_json() const override;
  void fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) override;
  std::vector<double> respond_table(const data::Table& table, bool probability) const override;

 private:
  std::vector<double> linked(std::vector<double> margins, bool probability) const;
  void keep(Ensemble model, std::vector<double> history, std::string metric);

  GradientBoostingOptions options_;
  std::shared_ptr<const Ensemble> ensemble_;
  std::shared_ptr<const Predictor> predictor_;
  std::vector<double> history_;
  std::string metric_name_;
  double binning_seconds_ = 0, training_seconds_ = 0;
};

}  // namespace tern::trees
