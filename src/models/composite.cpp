#include "tern/models/composite.h"

#include <algorithm>

#include "base/retell.h"
#include "base/warnings.h"
#include "data/rows.h"
#include "models/source.h"
#include "tern/base/error.h"

namespace tern::models {

using tern::internal::class_name;

Members::Members(std::initializer_list<const data::Estimator*> estimators) {
  for (const data::Estimator* each : estimators) add(*each);
}

Members::Members(const Members& other) {
  for (const auto& each : other.all_) all_.push_back(each->clone());
}

Members& Members::operator=(Members other) noexcept {
  all_.swap(other.all_);
  return *this;
}

Members& Members::add(const data::Estimator& estimator) {
  all_.push_back(estimator.clone());
  return *this;
}

std::string Members::positive() const {
  for (const auto& each : all_) {
    if (std::string told = each->positive(); !told.empty()) return told;
  }
  return {};
}

std::vector<std::pair<std::string, std::int64_t>> Members::unseen(const data::Table& table) const {
  std::vector<std::pair<std::string, std::int64_t>> all;
  for (const auto& each : all_) {
    for (auto& column : each->unseen(table)) {
      const auto known =
          std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == column.first; });
      if (known == all.end()) {
        all.push_back(std::move(column));
      } else {
        known->second = std::max(known->second, column.second);
      }
    }
  }
  return all;
}

void Composite::check_validation(bool given) const {
  if (!given || takes_validation()) return;
  throw ValueError("[" + class_name(type()) +
                   "] expected no rows of validation, of which no member makes use, got some");
}

void Composite::check_some(std::int64_t rows) const {
  if (rows == 0) throw ValueError("[" + class_name(type()) + "] expected rows to train on, got none");
}

void Composite::fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) {
  check_some(table.rows());
  check_validation(options.validation.has_value());
  if (!options.weights.empty()) {  // of all rows: members are given some
    const std::vector<double> weights = data::internal::numbers_of(table, {options.weights}, class_name(type()), false);
    data::internal::check_weights(class_name(type()), weights, table.rows());
  }
  const internal::Source source(class_name(type()), table, target, options, positive());
  const tern::internal::FewWarnings few;
  fit_on(source);
  names_.clear();
  for (const std::string& name : table.names()) {
    if (name != target && name != options.weights) names_.push_back(name);
  }
  width_ = static_cast<std::int64_t>(names_.size());
  classes_ = classifies() ? source.classes() : std::vector<std::string>();
}

void Composite::fit_matrix(const data::Matrix& x, const data::Vector& y, const data::MatrixFit& options) {
  if (y.size() != x.rows()) {
    throw ShapeError("[" + class_name(type()) + "] expected " + std::to_string(x.rows()) + " targets, got " +
                     std::to_string(y.size()));
  }
  check_some(x.rows());
  check_validation(options.validation.rows() > 0);
  data::internal::check_weights(class_name(type()), options.weights, x.rows());
  if (options.validation.rows() != options.validation_target.size() ||
      (options.validation.rows() > 0 && options.validation.columns() != x.columns())) {
    throw ShapeError("[" + class_name(type()) + "] expected rows of validation of " + std::to_string(x.columns()) +
                     " columns with a target each, got " + std::to_string(options.validation.rows()) + " rows, " +
                     std::to_string(options.validation.columns()) + " columns and " +
                     std::to_string(options.validation_target.size()) + " targets");
  }
  const internal::Source source(class_name(type()), x, y, options);
  const tern::internal::FewWarnings few;
  fit_on(source);
  names_.clear();
  width_ = x.columns();
  classes_ = classifies() ? source.classes() : std::vector<std::string>();
}

void Composite::learn(const Rows& /*train*/, const Rows& /*validation*/, std::int64_t /*classes*/) {
  throw StateError("[" + class_name(type()) + "] expected fit, which gives the members their rows, got learn");
}

std::vector<double> Composite::respond(const data::Matrix& x, bool probability) const {
  return answer(internal::Asked(x), probability);
}

std::vector<double> Composite::respond_table(const data::Table& table, bool probability) const {
  return answer(internal::Asked(table), probability);
}

}  // namespace tern::models
