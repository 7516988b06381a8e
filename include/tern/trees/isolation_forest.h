#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/matrix.h"
#include "tern/data/steps.h"
#include "tern/data/table.h"
#include "tern/trees/ensemble.h"
#include "tern/trees/predictor.h"

namespace tern::trees {

/// Settings of IsolationForest.
struct IsolationForestOptions {
  int trees = 100;             ///< >= 1
  std::int64_t samples = 256;  ///< rows that a tree sees, drawn without repeats; >= 2; all of them if there are fewer
  /// Share of the rows of training, below 1/2, that shall count as outliers; 0: those of a score above 1/2.
  double contamination = 0;
  std::uint64_t seed = 0;
};

/// Isolation forest (Liu, Ting and Zhou 2008): rows that random splits set apart early are outliers. A split takes a
/// feature whose values differ in the node, and a threshold drawn evenly between the least and the most of them, or a
/// random set of levels; missing values and unseen levels go where most rows go. Same rows, options and seed give the
/// same bits at any number of threads.
class TERN_API IsolationForest {
 public:
  /// Throws ValueError for an option out of its range.
  explicit IsolationForest(IsolationForestOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static IsolationForest load(const std::string& path);

  /// Trains on all columns of a table. Throws ValueError for fewer than two rows, no columns or infinite numbers.
  void fit(const data::Table& table);
  /// The same on a matrix; NaN is missing.
  void fit(const data::Matrix& x);

  /// Scores in (0, 1] [rows]: 2 ^ (-mean depth / c(samples)), near 1 for outliers, 1/2 where nothing stands out. Throws
  /// StateError before `fit`, DataError for a column that is missing or of another kind, ShapeError.
  std::vector<double> score(const data::Table& table) const;
  std::vector<double> score(const data::Matrix& x) const;
  /// 1 for rows whose score is above `threshold` [rows].
  std::vector<std::uint8_t> predict(const data::Table& table) const;
  std::vector<std::uint8_t> predict(const data::Matrix& x) const;

  /// The score above which rows are outliers. Throws StateError before `fit`.
  double threshold() const;
  /// The trained model: leaves hold -ln 2 x depth / c(samples), averaged, with Link::exp. Throws StateError before
  /// `fit`.
  const Ensemble& ensemble() const;
  const IsolationForestOptions& options() const { return options_; }
  /// Writes it atomically. Throws StateError before `fit`, FileError.
  void save(const std::string& path) const;
  /// The file's text, and one read from it. Throw StateError before `fit`, FormatError.
  std::string to_json() const;
  static IsolationForest from_json(std::string_view text);

 private:
  void learn(const data::Matrix& x, std::vector<Feature> features);
  void keep(Ensemble model);

  IsolationForestOptions options_;
  std::shared_ptr<const Ensemble> ensemble_;
  std::shared_ptr<const Predictor> predictor_;
  double threshold_ = 0.5;
};

/// A step of a data::Pipeline that keeps the chosen columns, numbers (which may be missing) or categories, and puts
/// their score, `isolation_forest`, behind them: a feature, or what a rule looks at. A pipeline with it loads after
/// `register_estimators()`. Throws ValueError for an option out of its range.
TERN_API data::StepPtr isolation_forest_step(data::Selector columns, const IsolationForestOptions& options = {});

namespace internal {
/// Makes the step known to `data::load_step`; once.
void register_isolation_step();
}  // namespace internal

}  // namespace tern::trees
