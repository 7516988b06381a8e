#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"

namespace tern::models {
namespace internal {
class Source;  // rows to fit on, a table's or a matrix's
class Asked;   // rows to predict
}  // namespace internal

/// Copies of estimators.
class TERN_API Members {
 public:
  Members() = default;
  Members(std::initializer_list<const data::Estimator*> estimators);
  Members(const Members& other);
  Members(Members&&) noexcept = default;
  Members& operator=(Members other) noexcept;

  Members& add(const data::Estimator& estimator);
  std::size_t size() const { return all_.size(); }
  data::Estimator& operator[](std::size_t i) { return *all_[i]; }
  const data::Estimator& operator[](std::size_t i) const { return *all_[i]; }

  /// The first that one of them is told: data::Estimator::positive.
  std::string positive() const;
  /// Of each column how many values in these rows the one that knows least does not know: data::Estimator::unseen.
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const;

 private:
  std::vector<std::unique_ptr<data::Estimator>> all_;
};

/// An estimator that asks others: they are given the rows as they came, tables with their categories.
class TERN_API Composite : public data::Estimator {
 protected:
  virtual void fit_on(const internal::Source& rows) = 0;
  virtual std::vector<double> answer(const internal::Asked& rows, bool probability) const = 0;

  void learn(const Rows& train, const Rows& validation, std::int64_t classes) final;
  std::vector<double> respond(const data::Matrix& x, bool probability) const final;
  std::int64_t width() const final { return width_; }
  void fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) final;
  void fit_matrix(const data::Matrix& x, const data::Vector& y, const data::MatrixFit& options) final;
  std::vector<double> respond_table(const data::Table& table, bool probability) const final;

  void check_some(std::int64_t rows) const;
  void check_validation(bool given) const;

  std::int64_t width_ = 0;  ///< columns of the rows; 0 before `fit`
};

}  // namespace tern::models
