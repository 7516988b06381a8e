#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/data/selectors.h"
#include "tern/data/steps.h"
#include "tern/data/table.h"

namespace tern::data {

/// A column as it comes before the first step.
struct InputColumn {
  std::string name{};
  ColumnType type = ColumnType::f64;
  bool operator==(const InputColumn& other) const = default;
};

/// Options of Pipeline::fit and fit_transform.
struct PipelineFitOptions {
  std::uint64_t seed = 0;  ///< of whatever steps draw
};

/// Options of Pipeline::transform.
struct TransformOptions {
  /// The rows are scored, not trained on: rows that the pipeline was fitted on are no error. Otherwise a step that
  /// encodes by the target refuses them.
  bool scoring = false;
};

/// Steps one after the other, from a raw table to the features of a model. Copies are deep. After `fit` the const
/// members may be called from any number of threads at once; rows keep their order, and a row alone gives the same bits
/// as in a table.
class TERN_API Pipeline {
 public:
  Pipeline();
  /// Copies the steps. Throws ValueError when one is null.
  Pipeline(std::initializer_list<StepPtr> steps);
  explicit Pipeline(const std::vector<StepPtr>& steps);
  Pipeline(const Pipeline& other);
  Pipeline& operator=(const Pipeline& other);
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;
  ~Pipeline();

  /// Fits each step on what the one before it gives. All columns but `target` (empty: none) are inputs. Throws
  /// DataError when a column cannot be learned from, or is no number after the last step. A failed fit leaves the
  /// pipeline as it was.
  void fit(const Table& table, const std::string& target = {}, const PipelineFitOptions& options = {});
  /// Fits, and gives the features to train on: supervised steps answer out of fold. Throws as `fit` does, and on a
  /// missing value that no step fills.
  Dataset fit_transform(const Table& table, const std::string& target = {}, const PipelineFitOptions& options = {});
  /// Fits, and gives the features as a table, the target last, for an estimator that takes more than numbers: features
  /// may be of any type and have missing values. Where some are no numbers, `transform_table` gives those of new rows
  /// and `transform` does not.
  Table fit_transform_table(const Table& table, const std::string& target = {}, const PipelineFitOptions& options = {});
  /// Features of new rows, with the target where the table has it. Throws StateError before `fit`; DataError naming
  /// file and column when an input is missing or of another type, or when a feature is missing or not finite. Further
  /// columns are ignored; an all-blank column, whatever its type, is one of missing values. Throws StateError too where
  /// a step refuses rows that it was fitted on (target_encoding), unless they are scored, and where features are no
  /// numbers.
  Dataset transform(const Table& table, const TransformOptions& options = {}) const;
  /// The same as a table, columns in the order of `feature_names`, the target last where there is one.
  Table transform_table(const Table& table, const TransformOptions& options = {}) const;
  /// Of each input that has any, how many of its values in these rows no step knows: levels that are rare or new, words
  /// beside yes and no. They are no errors. Throws as `transform` does.
  std::vector<std::pair<std::string, std::int64_t>> unseen(const Table& table) const;

  bool fitted() const { return fitted_; }
  /// Number of features. Throws StateError before `fit`, as do the next three.
  std::int64_t width() const;
  const std::vector<std::string>& feature_names() const;
  /// The raw columns that rows must have when they are transformed, with their types, in the order of the fitted table.
  std::vector<InputColumn> inputs() const;
  /// The target's name, empty when there was none.
  const std::string& target() const;
  /// Number of steps.
  std::int64_t size() const;
  const Step& step(std::int64_t i) const;

  /// Everything that was fitted. Throws StateError before `fit`.
  std::string to_json() const;
  /// Reads what `to_json` gave. Throws FormatError on anything else.
  static Pipeline from_json(std::string_view text);

 private:
  struct Input {
    InputColumn column{};
    bool needed = true;
  };

  void need_fitted(const char* what) const;
  Table fit_steps(const Table& table, const std::string& target, std::uint64_t seed, bool numbers);
  Table conform(const Table& table) const;
  Dataset to_dataset(const Table& features, const Table& raw) const;

  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<Input> inputs_;
  std::vector<std::string> features_;
  std::string target_;
  bool fitted_ = false;
  bool numbers_ = true;  // whether all features are
};

}  // namespace tern::data
