#include "tern/models/unsupervised.h"

#include <utility>

#include "base/retell.h"
#include "data/estimator_file.h"
#include "data/rows.h"
#include "models/fields.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::models {

using tern::internal::class_name;

Unsupervised::~Unsupervised() = default;

void Unsupervised::check_and_learn(const data::Matrix& x, const data::Vector& weights) {
  const std::string name = class_name(type());
  if (x.rows() == 0) throw ValueError("[" + name + "] expected rows to train on, got none");
  data::internal::check_weights(name, weights, x.rows());
  if (!weights.empty() && !takes_weights()) {
    throw ValueError("[" + name + "] expected no weights, of which it makes no use, got some");
  }
  data::internal::check_numbers(type(), x, names_, false, "");
  learn(x, weights.values());
}

void Unsupervised::fit(const data::Matrix& x, const RowsFit& options) {
  std::vector<std::string> old = std::exchange(names_, {});
  try {
    check_and_learn(x, options.weights);
  } catch (...) {
    names_ = std::move(old);
    throw;
  }
}

void Unsupervised::fit(const data::Table& table, const TableRowsFit& options) {
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    if (name != options.weights) features.push_back(name);
  }
  if (features.empty()) throw ValueError("[" + class_name(type()) + "] expected columns to learn from, got none");
  const std::vector<double> x = data::internal::numbers_of(table, features, class_name(type()), false);
  std::vector<double> weights;
  if (!options.weights.empty())
    weights = data::internal::numbers_of(table, {options.weights}, class_name(type()), false);
  const data::Matrix rows(x, static_cast<std::int64_t>(features.size()));
  std::vector<std::string> old = std::exchange(names_, std::move(features));  // for the messages
  try {
    check_and_learn(rows, weights);
  } catch (...) {
    names_ = std::move(old);
    throw;
  }
}

void Unsupervised::check_fitted() const {
  if (width() == 0) throw StateError("[" + class_name(type()) + "] expected a fitted model, got one before fit");
}

void Unsupervised::check_input(const data::Matrix& x) const {
  check_fitted();
  if (x.columns() != width()) {
    throw ShapeError("[" + class_name(type()) + "] expected " + std::to_string(width()) + " columns, got " +
                     std::to_string(x.columns()));
  }
  data::internal::check_numbers(type(), x, names_, false, "");
}

data::Matrix Unsupervised::rows_of(const data::Table& table) const {
  check_fitted();
  if (names_.empty()) {
    throw StateError("[" + class_name(type()) + "] expected a matrix as in fit, which names no columns, got a table");
  }
  return from_vector(data::internal::numbers_of(table, names_, class_name(type()), false),
                     {table.rows(), static_cast<std::int64_t>(names_.size())});
}

std::vector<std::int64_t> Unsupervised::predict(const data::Matrix& x) const {
  check_input(x);
  return assign(x);
}
std::vector<std::int64_t> Unsupervised::predict(const data::Table& table) const { return predict(rows_of(table)); }

std::vector<double> Unsupervised::predict_probability(const data::Matrix& x) const {
  check_input(x);
  return shares(x);
}
std::vector<double> Unsupervised::predict_probability(const data::Table& table) const {
  return predict_probability(rows_of(table));
}

Tensor Unsupervised::transform(const data::Matrix& x) const {
  check_input(x);
  return map(x);
}
Tensor Unsupervised::transform(const data::Table& table) const { return transform(rows_of(table)); }

std::vector<double> Unsupervised::score(const data::Matrix& x) const {
  if (metric().empty()) {
    throw StateError("[" + class_name(type()) + "] expected a model with a score of rows, got one without");
  }
  check_input(x);
  return judge_rows(x);
}
std::vector<double> Unsupervised::score(const data::Table& table) const { return score(rows_of(table)); }

std::vector<std::int64_t> Unsupervised::assign(const data::Matrix& /*x*/) const { return {}; }
std::vector<double> Unsupervised::shares(const data::Matrix& /*x*/) const { return {}; }
Tensor Unsupervised::map(const data::Matrix& /*x*/) const { return {}; }
std::vector<double> Unsupervised::judge_rows(const data::Matrix& /*x*/) const { return {}; }
std::int64_t Unsupervised::outputs() const { return 0; }

// Writing changes nothing: the list of fields is one for both ways.
data::EstimatorState Unsupervised::state() const {
  check_fitted();
  internal::Fields written;
  const_cast<Unsupervised*>(this)->fields(written);
  return {.type = std::string(type()), .json = written.json(), .names = names_, .tensors = written.tensors()};
}

void Unsupervised::save(const std::string& path) const { data::internal::write_state(state(), path); }

}  // namespace tern::models
