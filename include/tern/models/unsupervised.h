#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/data/matrix.h"
#include "tern/data/table.h"
#include "tern/tensor/tensor.h"

namespace tern::models {

namespace internal {
class Fields;
struct Restore;
struct Access;
}  // namespace internal

/// What `fit` without a target takes beside a matrix.
struct RowsFit {
  data::Vector weights{};  ///< of rows, >= 0; empty: all 1
};

/// What `fit` without a target takes beside a table.
struct TableRowsFit {
  std::string weights{};  ///< column of weights, which is no feature
};

/// What learns from features alone: clusters, mixtures, factorisations. `fit` again forgets what was learned; one that
/// throws leaves what was there. What is const is safe from many threads, and gives the same bits for a row alone as in
/// a table.
class TERN_API Unsupervised {
 public:
  virtual ~Unsupervised();

  /// The name in files: "k_means".
  virtual std::string_view type() const = 0;
  /// A deep copy, with what was learned.
  virtual std::unique_ptr<Unsupervised> clone() const = 0;
  /// Writes it atomically as one file, which the class's `load` reads. Throws StateError before `fit`, FileError.
  void save(const std::string& path) const;

  /// Learns from rows [n, d] (a tensor too). Throws ValueError for no rows, a number that is not finite, weights that
  /// are negative, not finite, all 0 or of no use to the class, ShapeError when lengths differ.
  void fit(const data::Matrix& x, const RowsFit& options = {});
  /// Learns from all columns of a table, numbers or booleans. Throws DataError naming a column of another type too.
  void fit(const data::Table& table, const TableRowsFit& options = {});

  /// What `score` tells, by which cross_validate judges: "log_likelihood" (the more the better), "squared_distance"
  /// (the less); empty: nothing.
  virtual std::string_view metric() const { return {}; }
  /// Of each row, [n]: how well the model fits it, by `metric`. Throws as `predict` does, and StateError where the
  /// class has no metric.
  std::vector<double> score(const data::Matrix& x) const;
  std::vector<double> score(const data::Table& table) const;

  /// The columns' names where it was fitted on a table.
  const std::vector<std::string>& names() const { return names_; }
  /// As files keep it. Throws StateError before `fit`.
  data::EstimatorState state() const;

 protected:
  friend struct internal::Restore;
  friend struct internal::Access;
  Unsupervised() = default;
  Unsupervised(const Unsupervised&) = default;
  Unsupervised(Unsupervised&&) = default;
  Unsupervised& operator=(const Unsupervised&) = default;
  Unsupervised& operator=(Unsupervised&&) = default;

  // Classes make those public that they have. Columns of a table are found by name. Each throws StateError before
  // `fit`, DataError for a column that is missing or of another type, ShapeError for another number of columns,
  // ValueError for a number that is not finite.
  std::vector<std::int64_t> predict(const data::Matrix& x) const;
  std::vector<std::int64_t> predict(const data::Table& table) const;
  std::vector<double> predict_probability(const data::Matrix& x) const;
  std::vector<double> predict_probability(const data::Table& table) const;
  Tensor transform(const data::Matrix& x) const;
  Tensor transform(const data::Table& table) const;

  /// Learns from rows that were checked.
  virtual void learn(const data::Matrix& x, std::span<const double> weights) = 0;
  virtual bool takes_weights() const { return true; }
  /// Columns that were learned; 0 before.
  virtual std::int64_t width() const = 0;
  /// Writes or reads every option and all that was learned.
  virtual void fields(internal::Fields& fields) = 0;
  /// Throws ValueError for an option outside its values, or for what was learned where it does not fit together.
  virtual void check() const = 0;
  virtual std::vector<std::int64_t> assign(const data::Matrix& x) const;
  virtual std::vector<double> shares(const data::Matrix& x) const;
  virtual Tensor map(const data::Matrix& x) const;
  virtual std::vector<double> judge_rows(const data::Matrix& x) const;
  /// Columns of what `transform` gives.
  virtual std::int64_t outputs() const;

  void check_fitted() const;
  /// Throws as `predict` does.
  void check_input(const data::Matrix& x) const;
  data::Matrix rows_of(const data::Table& table) const;

 private:
  void check_and_learn(const data::Matrix& x, const data::Vector& weights);

  std::vector<std::string> names_;
};

}  // namespace tern::models
