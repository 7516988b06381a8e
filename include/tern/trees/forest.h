#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/trees/ensemble.h"
#include "tern/trees/predictor.h"

namespace tern::trees {

/// What a split lowers, and so what the target is.
enum class Criterion : std::uint8_t {
  gini,     ///< of classes: Gini's impurity
  entropy,  ///< of classes: Shannon's, in nats
  squared,  ///< of values: their squared distance to the mean
};

/// The criterion's name: "gini", "entropy", "squared".
TERN_API std::string_view to_string(Criterion criterion);
/// The criterion of a name. Throws ValueError, listing the names.
TERN_API Criterion parse_criterion(std::string_view name);

/// Settings of RandomForest and ExtraTrees. In brackets the names in scikit-learn, where they are others.
struct ForestOptions {
  Criterion criterion = Criterion::gini;
  int trees = 100;                  ///< [n_estimators]; >= 1
  int max_features = 0;             ///< drawn for a split, at most all; 0: the root of all for classes, all for values
  int max_depth = 0;                ///< edges from the root to a leaf; 0: no limit
  int max_leaves = 0;               ///< of a tree, which then grows where it gains most [max_leaf_nodes]; 0: no limit
  std::int64_t min_child_rows = 1;  ///< of a side of a split [min_samples_leaf]
  std::int64_t min_split_rows = 2;  ///< of a node that is split [min_samples_split]
  /// Each tree sees as many rows as there are, drawn with repeats. Not told: of a random forest, not of extra trees.
  std::optional<bool> bootstrap{};
  int max_bins = 255;      ///< of the values of a feature, missing ones not counted; 2 … 255
  bool oob_score = false;  ///< predict each row of training by the trees that have not seen it
  /// Levels of fewer rows of training are not kept, and go as unseen ones do.
  std::int64_t min_level_rows = 1;
  std::string positive{};  ///< the level of a target of two classes in a table that is class 1; empty: the last
  /// Columns of a matrix whose numbers from 0 up are levels, by their whole parts; negative ones and NaN are missing.
  std::vector<std::int64_t> categorical{};
  std::uint64_t seed = 0;
};

/// A mean of trees that are grown on their own: what RandomForest and ExtraTrees share.
///
/// Columns of a table are taken as they are: numbers, booleans and timestamps by their order, categoricals and strings
/// by sets of levels, in order of their means, or of the direction in which their shares of classes differ most. A
/// missing value goes to the side that is better for those of training; where there were none, to the heavier side; so
/// do unseen levels. Numbers of more than `max_bins` values are put into bins; a threshold stands in the middle of the
/// bins that the node has no row in. A column without values, or of one value, is never split; a target of one value
/// alone gives trees of one leaf. Leaves are means, or shares of classes. Same rows, options and seed give the same
/// bits at any number of threads, of which each grows trees of its own. Rows in another order give the same bits with
/// Gini's impurity where no rows are drawn (`bootstrap` off), for weights that are whole numbers or none, and up to
/// 200,000 rows.
class TERN_API Forest : public data::Estimator {
 public:
  bool classifies() const override { return options_.criterion != Criterion::squared; }
  std::string positive() const override { return options_.positive; }
  bool takes_missing() const override { return true; }
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override;

  /// The trained model, whose rounds are averaged. Throws StateError before `fit`.
  const Ensemble& ensemble() const;
  const ForestOptions& options() const { return options_; }
  /// For each row of the last `fit` the mean of the trees that have not seen it [rows], or shares of classes [rows x
  /// classes]; NaN where all have. Throws StateError without `oob_score`; files do not keep it.
  const std::vector<double>& oob_prediction() const;
  /// Accuracy of these predictions, or R², by the rows' weights (0 counts for nothing); rows without one do not count,
  /// NaN when none has. Throws StateError as above.
  double oob_score() const;

 protected:
  Forest(ForestOptions options, bool random_thresholds);

  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  std::int64_t width() const override;
  std::string to_json() const override;
  void fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) override;
  std::vector<double> respond_table(const data::Table& table, bool probability) const override;

  /// Options of a state. Throws FormatError.
  static ForestOptions options_of(const data::EstimatorState& state);
  /// What a state has learned. Throws FormatError.
  void restore(const data::EstimatorState& state);

 private:
  std::vector<double> answer(std::vector<double> margins, bool probability) const;
  void keep(Ensemble model);

  ForestOptions options_;
  bool random_thresholds_;
  std::shared_ptr<const Ensemble> ensemble_;
  std::shared_ptr<const Predictor> predictor_;
  std::vector<double> oob_prediction_;
  double oob_score_ = 0;
  const Ensemble* table_ = nullptr;  // while a table is learned: its features and classes
};

/// Random forest (Breiman 2001): each tree on rows drawn with repeats, the best split among some features.
class TERN_API RandomForest : public Forest {
 public:
  /// Throws ValueError for an option out of its range.
  explicit RandomForest(ForestOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static RandomForest load(const std::string& path);
  /// Makes it again for `data::make_estimator`. Throws FormatError.
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "random_forest"; }
  std::unique_ptr<data::Estimator> clone() const override;
};

/// Extra trees (Geurts, Ernst and Wehenkel 2006): of each drawn feature one threshold between the least and the most
/// bin of the node's rows, or one set of levels, is drawn, and the best of them splits; each tree sees all rows.
class TERN_API ExtraTrees : public Forest {
 public:
  /// Throws ValueError for an option out of its range.
  explicit ExtraTrees(ForestOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static ExtraTrees load(const std::string& path);
  /// Makes it again for `data::make_estimator`. Throws FormatError.
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "extra_trees"; }
  std::unique_ptr<data::Estimator> clone() const override;
};

}  // namespace tern::trees
