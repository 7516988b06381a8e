#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "tern/data/estimator.h"

// What estimators made of others share.
namespace tern::models::internal {

using RowNumbers = std::vector<std::int64_t>;

/// Rows to fit on, a table's or a matrix's. Holds references.
class Source {
 public:
  /// `name` begins the messages.
  Source(std::string name, const data::Table& table, std::string target, const data::TableFit& options,
         std::string positive = {})
      : name_(std::move(name)),
        table_(&table),
        target_(std::move(target)),
        table_fit_(&options),
        positive_(std::move(positive)) {}
  Source(std::string name, const data::Matrix& x, const data::Vector& y, const data::MatrixFit& options)
      : name_(std::move(name)), x_(&x), y_(&y), matrix_fit_(&options) {}

  std::int64_t rows() const { return table_ ? table_->rows() : x_->rows(); }
  std::int64_t columns() const;
  /// The words of the classes, or numbers from 0. Throws as `fit` does.
  std::vector<std::string> classes() const;
  /// Values, or numbers of these classes.
  std::vector<double> truth(const std::vector<std::string>& classes) const;
  std::vector<double> weights() const;

  /// On all rows, or on these, with the rows of validation where the estimator makes use of them.
  void fit(data::Estimator& estimator) const;
  void fit(data::Estimator& estimator, const RowNumbers& rows) const;
  /// Values, or probabilities in terms of `classes`, of some rows; of a linear model of margins alone the sigmoids of
  /// margin / margin_scale.
  std::vector<double> predict(const data::Estimator& estimator, const RowNumbers& rows,
                              const std::vector<std::string>& classes, double margin_scale = 1) const;
  /// The largest margin of a fitted linear model of margins alone, by which its sigmoids saturate nowhere; else 1.
  double largest_margin(const data::Estimator& estimator) const;
  /// Predictions of each row by a copy of the estimator that was fitted on other folds.
  std::vector<double> predict_out_of_fold(const data::Estimator& estimator, int folds, std::uint64_t seed,
                                          const std::vector<std::string>& classes, double margin_scale = 1) const;

 private:
  std::string name_;
  const data::Table* table_ = nullptr;
  std::string target_;
  const data::TableFit* table_fit_ = nullptr;
  std::string positive_{};
  const data::Matrix* x_ = nullptr;
  const data::Vector* y_ = nullptr;
  const data::MatrixFit* matrix_fit_ = nullptr;
};

/// Rows to predict.
class Asked {
 public:
  explicit Asked(const data::Table& table) : table_(&table) {}
  explicit Asked(const data::Matrix& x) : x_(&x) {}
  std::int64_t rows() const { return table_ ? table_->rows() : x_->rows(); }
  /// Values, or probabilities (sigmoids as Source's) in terms of `classes` where there are any. Throws StateError for
  /// as many as do not fit.
  std::vector<double> predict(const data::Estimator& estimator, const std::vector<std::string>& classes,
                              double margin_scale = 1) const;
  /// The number among `classes` of each row's class.
  std::vector<double> predict_class(const data::Estimator& estimator, const std::vector<std::string>& classes) const;

 private:
  const data::Table* table_ = nullptr;
  const data::Matrix* x_ = nullptr;
};

/// A share of each class's rows (or of all rows) drawn at random, at least one where there are two: these, and the
/// others.
std::pair<RowNumbers, RowNumbers> draw(const std::vector<double>& truth, bool classes, double share,
                                       std::uint64_t seed);

/// Rows dealt into folds at random, of each class (or of all rows) as evenly as can be.
std::vector<RowNumbers> deal(const std::string& name, const std::vector<double>& truth, bool classes, int folds,
                             std::uint64_t seed);

/// Whether `Source` and `Asked` have numbers in [0, 1] of its classes: probabilities, or the sigmoids of a linear
/// model's margins, which only a calibrator takes for such.
bool can_calibrate(const data::Estimator& estimator);

/// The numbers of the likeliest classes, from probabilities as predict_probability gives them.
std::vector<double> decide(const std::vector<double>& probabilities, std::size_t classes);
/// The place of the greatest of so many numbers of each row, the first of those that tie.
std::vector<double> most(const std::vector<double>& of_rows, std::size_t each);

/// Members of a file: their states as JSON, and their tensors under "NUMBER.".
tern::internal::Json member_json(const data::Estimator& member);
void add_tensors(std::vector<data::NamedTensor>& to, const data::Estimator& member, std::size_t number);
/// Makes member `number` again. Throws FormatError.
std::unique_ptr<data::Estimator> make_member(const tern::internal::Json& json, const data::EstimatorState& whole,
                                             std::size_t number);

}  // namespace tern::models::internal
