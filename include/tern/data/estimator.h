#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/data/matrix.h"
#include "tern/data/table.h"

namespace tern::data {

/// What `fit` takes beside a table and its target.
struct TableFit {
  std::optional<Table> validation{};  ///< with the same columns, for early stopping
  std::string weights{};              ///< column of weights, which is no feature
  std::string query{};  ///< of one that ranks: column that tells queries apart, whose rows stand together; no feature
};

/// What `fit` takes beside a matrix and its target.
struct MatrixFit {
  Vector weights{};     ///< of rows, >= 0; empty: all 1
  Matrix validation{};  ///< rows for early stopping
  Vector validation_target{};
};

/// What `partial_fit` takes beside rows of a matrix.
struct PartialFit {
  std::int64_t classes = 0;  ///< how many there will be in all: at the first call of one that classifies
  Vector weights{};          ///< of rows, >= 0; empty: all 1
};

/// What `partial_fit` takes beside rows of a table.
struct TablePartialFit {
  std::vector<std::string> classes{};  ///< all that there will be, in the order of their numbers: at the first call
  std::string weights{};               ///< column of weights, which is no feature
};

/// An estimator as files keep it.
struct EstimatorState {
  std::string type{};                ///< under which it is registered
  std::string json{};                ///< options and what was learned, an object
  std::vector<std::string> names{};  ///< of the table's columns that are its features, in order; empty: none known
  std::vector<ColumnType> types{};   ///< of these columns; empty: none known
  std::string target{};              ///< the target's column; empty: none known
  std::vector<std::string> classes{};
  std::vector<NamedTensor> tensors{};  ///< large arrays that were learned
};

/// What learns a target from features, beside the modules of `nn`: one shape for boosted trees, forests and the
/// classic models. Classes are numbered 0, 1, …; in a table they are the levels of the target, sorted as text or, of
/// numbers, by value. `fit` again forgets what was learned; one that throws leaves what was there. Prediction is const,
/// safe from many threads, and gives the same bits for a row alone as in a table.
class TERN_API Estimator {
 public:
  virtual ~Estimator();

  /// The name under which it is registered: "ridge".
  virtual std::string_view type() const = 0;
  /// A deep copy, with what was learned.
  virtual std::unique_ptr<Estimator> clone() const = 0;
  /// Whether the target is a class, not a value.
  virtual bool classifies() const = 0;
  /// Writes it atomically as one file, which the class's `load` and `load_estimator` read: JSON, or safetensors with
  /// the JSON in its metadata where large arrays were learned; with the SHA-256 of its content, which loading checks.
  /// Throws StateError before `fit`, FileError.
  virtual void save(const std::string& path) const;

  /// Trains on all other columns of a table, which are numbers or booleans unless the class says otherwise. Throws
  /// ValueError for no rows or features, one class alone, weights that are all 0, or a validation or a query that the
  /// class makes no use of; DataError naming row or column for a target that is missing or not finite, a weight that
  /// is missing, negative or not finite, a column of another type, a missing value where the class takes none.
  void fit(const Table& table, std::string_view target, const TableFit& options = {});
  /// The same on a matrix [n, d] with a target [n] (both may be tensors); classes are 0, 1, … to the greatest in the
  /// target: one that has no row there counts, and is given (next to) no probability. Throws ShapeError when lengths
  /// differ too.
  void fit(const Matrix& x, const Vector& y, const MatrixFit& options = {});

  /// Learns from more rows and keeps what was learned before; one that throws may have learned from some. Of a table,
  /// the first call tells the columns and the target. Throws what `fit` throws, but one class alone is fine; ValueError
  /// where no classes are told at the first call, or one twice or without a name, or others later, or another target;
  /// StateError where the class learns from all rows at once alone.
  void partial_fit(const Table& table, std::string_view target, const TablePartialFit& options = {});
  void partial_fit(const Matrix& x, const Vector& y, const PartialFit& options = {});

  /// Values [n], or numbers of classes. Columns are found by name. Throws StateError before `fit`, DataError for a
  /// column that is missing or of another type, and a number other than 0 and 1 where it was boolean, ShapeError for
  /// another number of columns.
  std::vector<double> predict(const Table& table) const;
  std::vector<double> predict(const Matrix& x) const;
  /// Of two classes the probability of the second [n], of several those of each [n * classes], row by row. Throws
  /// StateError where there are no classes, or no probabilities.
  std::vector<double> predict_probability(const Table& table) const;
  std::vector<double> predict_probability(const Matrix& x) const;

  /// Of each feature that has any, how many values in these rows it does not know: levels that are new, or that it did
  /// not keep. They are no errors.
  virtual std::vector<std::pair<std::string, std::int64_t>> unseen(const Table& /*table*/) const { return {}; }

  /// Of a table's two classes the one that is told to be the second; empty: the last.
  virtual std::string positive() const { return {}; }
  virtual bool has_probability() const { return classifies(); }    ///< whether predict_probability answers
  virtual bool ranks() const { return false; }                     ///< whether it orders the rows of a TableFit::query
  virtual bool takes_missing() const { return false; }             ///< whether NaN may stand among the features
  virtual bool takes_validation() const { return false; }          ///< whether rows of validation are made use of
  virtual bool stops_early() const { return takes_validation(); }  ///< whether they say when training ends

  /// The features' names where it was fitted on a table, and their types.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<ColumnType>& types() const { return types_; }
  /// The target's name where it was fitted on a table.
  const std::string& target() const { return target_; }
  /// The classes' words, "0", "1", … where it was fitted on a matrix; empty for values and before `fit`.
  const std::vector<std::string>& classes() const { return classes_; }
  /// As files keep it. Throws StateError before `fit`.
  EstimatorState state() const;

 protected:
  /// Rows to learn from: x [n, d], y [n], weights [n] or none. All checked.
  struct Rows {
    Matrix x{};
    std::span<const double> y{};
    std::span<const double> weights{};
  };

  Estimator() = default;
  Estimator(const Estimator&) = default;
  Estimator(Estimator&&) = default;
  Estimator& operator=(const Estimator&) = default;
  Estimator& operator=(Estimator&&) = default;

  /// Learns; `classes` is 0 for values.
  virtual void learn(const Rows& train, const Rows& validation, std::int64_t classes) = 0;
  /// Learns from more rows, the first ones where `width()` is 0.
  virtual void learn_more(const Rows& rows, std::int64_t classes);
  /// Of rows of as many columns as were learned: values or numbers of classes, or probabilities.
  virtual std::vector<double> respond(const Matrix& x, bool probability) const = 0;
  /// Columns that were learned; 0 before.
  virtual std::int64_t width() const = 0;
  /// Options and what was learned.
  virtual std::string to_json() const = 0;
  virtual std::vector<NamedTensor> tensors() const { return {}; }

  /// Where tables are more than numbers (categories), a class brings its own of these three.
  virtual void fit_table(const Table& table, const std::string& target, const TableFit& options);
  virtual void fit_matrix(const Matrix& x, const Vector& y, const MatrixFit& options);
  virtual std::vector<double> respond_table(const Table& table, bool probability) const;
  /// Notes the target and the types of the columns that `names_` names. `fit` does it; a class with a fit of its own
  /// calls it there.
  void note_columns(const Table& table, std::string_view target);
  /// Forgets them: what was fitted on has no columns.
  void note_no_columns();

  /// What every call that takes rows checks. Throws as `predict` does.
  void check_input(const Matrix& x) const;

  std::vector<std::string> names_, classes_;

 private:
  friend TERN_API std::unique_ptr<Estimator> make_estimator(const EstimatorState& state);
  void check_fitted() const;
  void check_types(const Table& table) const;
  void check_answers() const;
  void check_rows(const Matrix& x, const char* what) const;

  std::vector<ColumnType> types_;
  std::string target_;
};

/// Makes an estimator again from what `Estimator::state` gave. Throws FormatError.
using EstimatorLoader = std::function<std::unique_ptr<Estimator>(const EstimatorState& state)>;
/// Registers a type. Throws ValueError when the name is taken.
TERN_API void register_estimator(std::string type, EstimatorLoader loader);
/// Loads one of a registered type. Throws FormatError that lists the types when the name is unknown.
TERN_API std::unique_ptr<Estimator> make_estimator(const EstimatorState& state);

/// Reads what `Estimator::save` wrote, of any registered type or, where it is told, of this one. Throws FileError,
/// FormatError.
TERN_API std::unique_ptr<Estimator> load_estimator(const std::string& path, std::string_view type = {});

/// The classes of a target, in the order of their numbers: its levels that occur, sorted as text or, of numbers, by
/// value; of two, `positive` is the second where it is told. Missing and infinite values are left out. Throws
/// ValueError for more than 10,000, a number that is not whole, and a positive class that is not one of two.
TERN_API std::vector<std::string> target_classes(const Column& target, const std::string& positive = {});
/// The number of each row's class, or its value where there are no classes. Throws DataError naming the row for a
/// target that is missing, not finite or none of the classes, or not a number where there are none.
TERN_API std::vector<double> target_values(const Table& table, const std::string& target,
                                           const std::vector<std::string>& classes);

}  // namespace tern::data
