#include "models/source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "data/estimator_file.h"
#include "data/rows.h"
#include "models/links.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/models/linear.h"

namespace tern::models::internal {
namespace {

using tern::internal::class_name;

std::vector<double> gather(const data::Matrix& x, const RowNumbers& rows) {
  std::vector<double> out;
  out.reserve(rows.size() * static_cast<std::size_t>(x.columns()));
  for (const std::int64_t row : rows) {
    for (std::int64_t column = 0; column < x.columns(); ++column) out.push_back(x.at(row, column));
  }
  return out;
}

// A linear model of margins alone, or none.
const LinearModel* of_margins(const data::Estimator& estimator) {
  return estimator.has_probability() ? nullptr : dynamic_cast<const LinearModel*>(&estimator);
}

// Of a linear model of margins alone the sigmoids of margin / scale.
template <class Rows>
std::vector<double> probabilities(const data::Estimator& estimator, const Rows& rows, double scale) {
  const LinearModel* linear = of_margins(estimator);
  if (!linear) return estimator.predict_probability(rows);
  std::vector<double> out = linear->scores(rows);
  for (double& score : out) score = sigmoid(score / scale);
  return out;
}

std::vector<double> gather(const data::Vector& values, const RowNumbers& rows) {
  std::vector<double> out;
  if (values.empty()) return out;
  for (const std::int64_t row : rows) out.push_back(values[row]);
  return out;
}

}  // namespace

std::int64_t Source::columns() const {
  if (x_) return x_->columns();
  return table_->width() - 1 - (table_fit_->weights.empty() ? 0 : 1);
}

std::vector<std::string> Source::classes() const {
  if (table_) return data::target_classes((*table_)[target_], positive_);
  double most = 0;
  for (const double y : y_->values()) {
    if (!(y >= 0 && y < 10'000 && y == std::floor(y))) {
      throw ValueError("[" + name_ + "] expected classes 0, 1, … as targets, got " + tern::internal::number_text(y));
    }
    most = std::max(most, y);
  }
  std::vector<std::string> names;
  for (int k = 0; k <= static_cast<int>(most); ++k) names.push_back(std::to_string(k));
  return names;
}

std::vector<double> Source::truth(const std::vector<std::string>& classes) const {
  if (table_) return data::target_values(*table_, target_, classes);
  return {y_->values().begin(), y_->values().end()};
}

std::vector<double> Source::weights() const {
  if (table_) return table_fit_->weights.empty() ? std::vector<double>() : (*table_)[table_fit_->weights].numeric();
  return {matrix_fit_->weights.values().begin(), matrix_fit_->weights.values().end()};
}

void Source::fit(data::Estimator& estimator) const {
  if (table_) {
    data::TableFit how = *table_fit_;
    if (!estimator.takes_validation()) how.validation.reset();
    estimator.fit(*table_, target_, how);
  } else {
    data::MatrixFit how = *matrix_fit_;
    if (!estimator.takes_validation()) how.validation = {};
    if (!estimator.takes_validation()) how.validation_target = {};
    estimator.fit(*x_, *y_, how);
  }
}

void Source::fit(data::Estimator& estimator, const RowNumbers& rows) const {
  if (table_) {
    Source(name_, table_->take(rows), target_, *table_fit_).fit(estimator);
    return;
  }
  const std::vector<double> x = gather(*x_, rows), y = gather(*y_, rows), weights = gather(matrix_fit_->weights, rows);
  data::MatrixFit how = *matrix_fit_;
  how.weights = weights;
  const data::Matrix part(x, x_->columns());
  const data::Vector target(y);
  Source(name_, part, target, how).fit(estimator);
}

std::vector<double> Source::predict(const data::Estimator& estimator, const RowNumbers& rows,
                                    const std::vector<std::string>& classes, double margin_scale) const {
  std::vector<double> given;
  if (table_) {
    const data::Table part = table_->take(rows);
    given = classes.empty() ? estimator.predict(part) : probabilities(estimator, part, margin_scale);
  } else {
    const std::vector<double> x = gather(*x_, rows);
    const data::Matrix part(x, x_->columns());
    given = classes.empty() ? estimator.predict(part) : probabilities(estimator, part, margin_scale);
  }
  return classes.empty() ? given : data::internal::in_classes(std::move(given), estimator.classes(), classes);
}

double Source::largest_margin(const data::Estimator& estimator) const {
  double most = 0;
  if (const LinearModel* linear = of_margins(estimator)) {
    for (const double m : table_ ? linear->scores(*table_) : linear->scores(*x_)) most = std::max(most, std::abs(m));
  }
  return most > 0 ? most : 1;
}

std::vector<double> Source::predict_out_of_fold(const data::Estimator& estimator, int folds, std::uint64_t seed,
                                                const std::vector<std::string>& classes, double margin_scale) const {
  const std::vector<RowNumbers> parts = deal(name_, truth(classes), !classes.empty(), folds, seed);
  std::vector<double> out;
  for (const RowNumbers& part : parts) {
    RowNumbers others;
    for (const RowNumbers& other : parts) {
      if (&other != &part) others.insert(others.end(), other.begin(), other.end());
    }
    std::sort(others.begin(), others.end());
    const std::unique_ptr<data::Estimator> model = estimator.clone();
    fit(*model, others);
    const std::vector<double> predictions = predict(*model, part, classes, margin_scale);
    const std::size_t width = predictions.size() / part.size();
    out.resize(static_cast<std::size_t>(rows()) * width);
    for (std::size_t i = 0; i < predictions.size(); ++i) {
      out[static_cast<std::size_t>(part[i / width]) * width + i % width] = predictions[i];
    }
  }
  return out;
}

std::vector<double> Asked::predict(const data::Estimator& estimator, const std::vector<std::string>& classes,
                                   double margin_scale) const {
  std::vector<double> out;
  if (classes.empty()) {
    out = table_ ? estimator.predict(*table_) : estimator.predict(*x_);
  } else {
    out = table_ ? probabilities(estimator, *table_, margin_scale) : probabilities(estimator, *x_, margin_scale);
    out = data::internal::in_classes(std::move(out), estimator.classes(), classes);
  }
  const std::size_t width = classes.size() > 2 ? classes.size() : 1;
  if (out.size() != static_cast<std::size_t>(rows()) * width) {
    throw StateError("[" + class_name(estimator.type()) + "] expected " + std::to_string(width) +
                     " numbers for each of " + std::to_string(rows()) + " rows, got " + std::to_string(out.size()));
  }
  return out;
}

std::vector<double> Asked::predict_class(const data::Estimator& estimator,
                                         const std::vector<std::string>& classes) const {
  std::vector<double> out = table_ ? estimator.predict(*table_) : estimator.predict(*x_);
  const std::vector<std::string>& known = estimator.classes();
  for (double& k : out) {
    const auto at = static_cast<std::size_t>(k);
    const auto found = at < known.size() ? std::find(classes.begin(), classes.end(), known[at]) : classes.end();
    if (found == classes.end()) {
      throw StateError("[" + class_name(estimator.type()) + "] expected one of " + std::to_string(classes.size()) +
                       " classes, got number " + std::to_string(at));
    }
    k = static_cast<double>(found - classes.begin());
  }
  return out;
}

std::pair<RowNumbers, RowNumbers> draw(const std::vector<double>& truth, bool classes, double share,
                                       std::uint64_t seed) {
  RowNumbers order = permutation(static_cast<std::int64_t>(truth.size()), Philox(seed, 0xd5a3));
  const auto value = [&](std::int64_t row) { return classes ? truth[static_cast<std::size_t>(row)] : 0; };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return value(a) < value(b); });
  std::pair<RowNumbers, RowNumbers> out;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && value(order[end]) == value(order[begin])) ++end;
    const std::size_t count = end - begin;
    auto drawn = static_cast<std::size_t>(std::lround(share * static_cast<double>(count)));
    if (count > 1) drawn = std::clamp<std::size_t>(drawn, 1, count - 1);
    for (std::size_t i = begin; i < end; ++i) (i < begin + drawn ? out.first : out.second).push_back(order[i]);
  }
  std::sort(out.first.begin(), out.first.end());
  std::sort(out.second.begin(), out.second.end());
  return out;
}

std::vector<RowNumbers> deal(const std::string& name, const std::vector<double>& truth, bool classes, int folds,
                             std::uint64_t seed) {
  const auto n = static_cast<std::int64_t>(truth.size());
  if (n < folds) {
    throw ValueError("[" + name + "] expected rows for " + std::to_string(folds) + " folds, got " + std::to_string(n));
  }
  RowNumbers order = permutation(n, Philox(seed, 0xf01d5));
  if (classes) {
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      return truth[static_cast<std::size_t>(a)] < truth[static_cast<std::size_t>(b)];
    });
  }
  std::vector<RowNumbers> parts(static_cast<std::size_t>(folds));
  for (std::size_t i = 0; i < order.size(); ++i) parts[i % parts.size()].push_back(order[i]);
  for (RowNumbers& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

bool can_calibrate(const data::Estimator& estimator) {
  return estimator.classifies() && (estimator.has_probability() || of_margins(estimator) != nullptr);
}

std::vector<double> decide(const std::vector<double>& probabilities, std::size_t classes) {
  if (classes != 2) return most(probabilities, classes);
  std::vector<double> out;
  for (const double p : probabilities) out.push_back(p >= 0.5);
  return out;
}

std::vector<double> most(const std::vector<double>& of_rows, std::size_t each) {
  std::vector<double> out;
  const auto count = static_cast<std::ptrdiff_t>(each);
  for (auto row = of_rows.begin(); row != of_rows.end(); row += count) {
    out.push_back(static_cast<double>(std::max_element(row, row + count) - row));
  }
  return out;
}

tern::internal::Json member_json(const data::Estimator& member) {
  return data::internal::state_json(member.state());  // as text, which the member's own loader parses
}

void add_tensors(std::vector<data::NamedTensor>& to, const data::Estimator& member, std::size_t number) {
  for (auto& [name, tensor] : member.state().tensors) to.emplace_back(std::to_string(number) + "." + name, tensor);
}

std::unique_ptr<data::Estimator> make_member(const tern::internal::Json& json, const data::EstimatorState& whole,
                                             std::size_t number) {
  if (!json.is_string())
    throw FormatError("[" + class_name(whole.type) + "] expected a member as text, got " + json.type_name());
  data::EstimatorState state = data::internal::read_state(json.get_ref<const std::string&>());
  const std::string prefix = std::to_string(number) + ".";
  for (const auto& [name, tensor] : whole.tensors) {
    if (name.starts_with(prefix)) state.tensors.emplace_back(name.substr(prefix.size()), tensor);
  }
  std::unique_ptr<data::Estimator> member = data::make_estimator(state);
  if (member->names() != whole.names && !(member->names().empty() || whole.names.empty())) {
    throw FormatError("[" + class_name(whole.type) + "] expected members of the same columns, got others");
  }
  return member;
}

}  // namespace tern::models::internal
