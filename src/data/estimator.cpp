#include "tern/data/estimator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "data/rows.h"
#include "tern/base/error.h"

namespace tern::data {
namespace {

using internal::check_weights;
using internal::numbers_of;
using tern::internal::class_name;
using tern::internal::in_validation;

constexpr std::size_t kMostClasses = 10'000;

[[noreturn]] void refuse(std::string_view type, const std::string& expected, const std::string& got) {
  throw ValueError("[" + class_name(type) + "] expected " + expected + ", got " + got);
}

void check_target(std::string_view type, const Vector& y, std::int64_t rows, bool classifies) {
  if (y.size() != rows) {
    throw ShapeError("[" + class_name(type) + "] expected " + std::to_string(rows) + " targets, got " +
                     std::to_string(y.size()));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    const double value = y[row];
    const bool good =
        classifies ? value >= 0 && value < kMostClasses && value == std::floor(value) : std::isfinite(value);
    if (!good) {
      refuse(type, classifies ? "classes 0, 1, … as targets" : "finite targets",
             tern::internal::number_text(value) + " in row " + std::to_string(row));
    }
  }
}

void check_weights_column(std::string_view type, std::string_view target, const std::string& weights) {
  if (target == weights) refuse(type, "weights other than the target", "\"" + weights + "\"");
}

// ": "a", "b", …", a few of them.
std::string first_of(const std::vector<std::string>& classes) {
  constexpr std::size_t few = 3;
  std::string text;
  for (std::size_t k = 0; k < std::min(few, classes.size()); ++k) text += (k ? ", \"" : ": \"") + classes[k] + "\"";
  return classes.size() > few ? text + ", …" : text;
}

struct Loaders {
  std::mutex mutex{};
  std::map<std::string, EstimatorLoader, std::less<>> by_type{};
};

Loaders& loaders() {
  static Loaders& instance = *new Loaders;
  return instance;
}

}  // namespace

Estimator::~Estimator() = default;

void Estimator::check_fitted() const {
  if (width() == 0) throw StateError("[" + class_name(type()) + "] expected a fitted model, got one before fit");
}

void Estimator::check_rows(const Matrix& x, const char* what) const {
  internal::check_numbers(type(), x, names_, takes_missing(), what);
}

void Estimator::check_input(const Matrix& x) const {
  check_fitted();
  if (x.columns() != width()) {
    throw ShapeError("[" + class_name(type()) + "] expected " + std::to_string(width()) + " columns, got " +
                     std::to_string(x.columns()));
  }
  check_rows(x, "");
}

void Estimator::fit(const Table& table, std::string_view target, const TableFit& options) {
  if (!options.query.empty() && !ranks())
    refuse(type(), "no query, of which it makes no use", "\"" + options.query + "\"");
  check_weights_column(type(), target, options.weights);
  fit_table(table, std::string(target), options);
  note_columns(table, target);
}

void Estimator::fit(const Matrix& x, const Vector& y, const MatrixFit& options) {
  fit_matrix(x, y, options);
  note_no_columns();
}

void Estimator::note_columns(const Table& table, std::string_view target) {
  target_ = target;
  types_.clear();
  for (const std::string& name : names_) types_.push_back(table[name].type());
}

void Estimator::note_no_columns() {
  target_.clear();
  types_.clear();
}

void Estimator::fit_table(const Table& table, const std::string& target, const TableFit& options) {
  if (table.rows() == 0) refuse(type(), "rows to train on", "none");
  const std::vector<std::string> classes = classifies() ? target_classes(table[target]) : std::vector<std::string>();
  if (classifies() && classes.size() < 2) {
    refuse(type(), "a target of at least two classes", std::to_string(classes.size()));
  }
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    if (name != target && name != options.weights) features.push_back(name);
  }
  if (features.empty()) refuse(type(), "features beside the target", "none");
  const auto width = static_cast<std::int64_t>(features.size());
  const std::vector<double> x = numbers_of(table, features, class_name(type()), takes_missing()),
                            y = target_values(table, target, classes);
  MatrixFit more;
  std::vector<double> weights, x_validation, y_validation;
  if (!options.weights.empty()) {
    weights = internal::weights_of(table, options.weights, class_name(type()));
    more.weights = weights;
  }
  if (options.validation) {
    in_validation([&] {
      x_validation = numbers_of(*options.validation, features, class_name(type()), takes_missing());
      y_validation = target_values(*options.validation, target, classes);
    });
    more.validation = Matrix(x_validation, width);
    more.validation_target = y_validation;
  }
  std::vector<std::string> old_names = std::exchange(names_, features);  // for the messages
  try {
    fit_matrix(Matrix(x, width), y, more);
  } catch (...) {
    names_ = std::move(old_names);
    throw;
  }
  names_ = std::move(features);
  classes_ = classes;
}

void Estimator::fit_matrix(const Matrix& x, const Vector& y, const MatrixFit& options) {
  if (x.rows() == 0) refuse(type(), "rows to train on", "none");
  check_target(type(), y, x.rows(), classifies());
  check_weights(class_name(type()), options.weights, x.rows());
  check_rows(x, "");
  const Matrix& validation = options.validation;
  if (validation.rows() > 0) {
    if (!takes_validation()) refuse(type(), "no rows of validation, of which it makes no use", "some");
    if (validation.columns() != x.columns()) {
      throw ShapeError("[" + class_name(type()) + "] expected " + std::to_string(x.columns()) +
                       " columns of validation, got " + std::to_string(validation.columns()));
    }
    in_validation([&] { check_target(type(), options.validation_target, validation.rows(), classifies()); });
    check_rows(validation, " of validation");
  }
  std::int64_t classes = 0;
  if (classifies()) {
    const auto y_values = y.values(), w = options.weights.values();
    const double most = *std::max_element(y_values.begin(), y_values.end());
    double first = -1;
    bool several = false;  // of the rows that count
    for (std::size_t i = 0; i < y_values.size() && !several; ++i) {
      if (!w.empty() && w[i] == 0) continue;
      if (first < 0) first = y_values[i];
      several = y_values[i] != first;
    }
    if (!several) refuse(type(), "a target of at least two classes among rows with weight", "1");
    classes = static_cast<std::int64_t>(most) + 1;
    for (const double value : options.validation_target.values()) {
      if (value >= static_cast<double>(classes)) {
        refuse(type(), "classes of the rows of training in validation", tern::internal::number_text(value));
      }
    }
  }
  learn({.x = x, .y = y.values(), .weights = options.weights.values()},
        {.x = validation, .y = options.validation_target.values(), .weights = {}}, classes);
  names_.clear();
  classes_.clear();
  for (std::int64_t k = 0; k < classes; ++k) classes_.push_back(std::to_string(k));
}

void Estimator::learn_more(const Rows& /*rows*/, std::int64_t /*classes*/) {
  throw StateError("[" + class_name(type()) +
                   "] expected an estimator that learns from rows in parts, got one of fit alone");
}

void Estimator::partial_fit(const Table& table, std::string_view target, const TablePartialFit& options) {
  const std::string name(target);
  check_weights_column(type(), target, options.weights);
  const bool first = width() == 0;
  if (!first && names_.empty()) {
    throw StateError("[" + class_name(type()) + "] expected a matrix as in the first call, got a table");
  }
  if (!first && !target_.empty() && name != target_) {
    refuse(type(), "the target of the first partial_fit, \"" + target_ + "\"", "\"" + name + "\"");
  }
  if (classifies() && first && options.classes.size() < 2) {
    refuse(type(), "all classes, two at least, at the first partial_fit", std::to_string(options.classes.size()));
  }
  for (auto each = options.classes.begin(); each != options.classes.end(); ++each) {
    if (each->empty() || std::find(options.classes.begin(), each, *each) != each) {
      refuse(type(), "classes with a name, and each once", "\"" + *each + "\"" + (each->empty() ? "" : " again"));
    }
  }
  if (!first && !options.classes.empty() && options.classes != classes_) {
    refuse(type(), "the classes of the first partial_fit", "others");
  }
  const std::vector<std::string> classes = first && classifies() ? options.classes : classes_;
  std::vector<std::string> features = names_;
  if (first) {
    for (const std::string& column : table.names()) {
      if (column != name && column != options.weights) features.push_back(column);
    }
  }
  if (features.empty()) refuse(type(), "features beside the target", "none");
  const std::vector<double> x = numbers_of(table, features, class_name(type()), takes_missing()),
                            y = target_values(table, name, classes);
  std::vector<double> weights;
  if (!options.weights.empty()) weights = internal::weights_of(table, options.weights, class_name(type()));
  partial_fit(Matrix(x, static_cast<std::int64_t>(features.size())), y,
              {.classes = static_cast<std::int64_t>(classes.size()), .weights = weights});
  names_ = std::move(features);
  classes_ = classes;
  note_columns(table, target);
}

void Estimator::partial_fit(const Matrix& x, const Vector& y, const PartialFit& options) {
  if (x.rows() == 0) refuse(type(), "rows to train on", "none");
  check_target(type(), y, x.rows(), classifies());
  check_weights(class_name(type()), options.weights, x.rows());
  const bool first = width() == 0;
  if (first) {
    check_rows(x, "");
  } else {
    check_input(x);
  }
  std::int64_t classes = 0;
  if (classifies()) {
    classes = first ? options.classes : static_cast<std::int64_t>(classes_.size());
    if (classes < 2) refuse(type(), "all classes, two at least, at the first partial_fit", std::to_string(classes));
    if (options.classes != 0 && options.classes != classes) {
      refuse(type(), "the " + std::to_string(classes) + " classes of the first partial_fit",
             std::to_string(options.classes));
    }
    for (const double value : y.values()) {
      if (value >= static_cast<double>(classes)) {
        refuse(type(), "classes below " + std::to_string(classes), tern::internal::number_text(value));
      }
    }
  }
  learn_more({.x = x, .y = y.values(), .weights = options.weights.values()}, classes);
  if (!first) return;
  names_.clear();
  note_no_columns();
  classes_.clear();
  for (std::int64_t k = 0; k < classes; ++k) classes_.push_back(std::to_string(k));
}

std::vector<double> Estimator::respond_table(const Table& table, bool probability) const {
  if (names_.empty()) {
    throw StateError("[" + class_name(type()) + "] expected a matrix as in fit, which names no columns, got a table");
  }
  const std::vector<double> x = numbers_of(table, names_, class_name(type()), takes_missing());
  return respond(Matrix(x, static_cast<std::int64_t>(names_.size())), probability);
}

void Estimator::check_types(const Table& table) const {
  const std::string name = class_name(type());
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (table.has(names_[i])) internal::check_type(name, table, names_[i], types_[i]);
  }
}

std::vector<double> Estimator::predict(const Table& table) const {
  check_fitted();
  check_types(table);
  return respond_table(table, false);
}

std::vector<double> Estimator::predict_probability(const Table& table) const {
  check_fitted();
  if (!classifies()) throw StateError("[" + class_name(type()) + "] expected a target of classes, got values");
  check_types(table);
  return respond_table(table, true);
}

std::vector<double> Estimator::predict(const Matrix& x) const {
  check_input(x);
  return respond(x, false);
}

std::vector<double> Estimator::predict_probability(const Matrix& x) const {
  check_fitted();
  if (!classifies()) throw StateError("[" + class_name(type()) + "] expected a target of classes, got values");
  check_input(x);
  return respond(x, true);
}

EstimatorState Estimator::state() const {
  check_fitted();
  return {.type = std::string(type()),
          .json = to_json(),
          .names = names_,
          .types = types_,
          .target = target_,
          .classes = classes_,
          .tensors = tensors()};
}

// One row says whether what was read fits together: as many numbers as its classes have, each a class where it is one.
void Estimator::check_answers() const {
  constexpr std::int64_t most = std::int64_t{1} << 24;
  if (width() < 1 || width() > most || (!names_.empty() && width() != static_cast<std::int64_t>(names_.size()))) {
    throw FormatError("[" + class_name(type()) + "] expected the width of its columns, 2^24 at most, got " +
                      std::to_string(width()));
  }
  const std::vector<double> zeros(static_cast<std::size_t>(width()));
  const Matrix row(zeros, width());
  const auto fail = [&](const std::string& got) {
    throw FormatError("[" + class_name(type()) + "] expected the answers of " + std::to_string(classes_.size()) +
                      " classes (0: a value), got " + got);
  };
  const std::vector<double> answer = respond(row, false);
  if (answer.size() != 1) fail(std::to_string(answer.size()) + " for a row");
  if (!classifies()) return;
  if (!(answer[0] >= 0 && answer[0] < static_cast<double>(classes_.size()))) {
    fail("class " + tern::internal::number_text(answer[0]));
  }
  if (!has_probability()) return;
  const std::size_t wanted = classes_.size() == 2 ? 1 : classes_.size();
  const std::size_t given = respond(row, true).size();
  if (given != wanted) fail(std::to_string(given) + " probabilities for a row");
}

void register_estimator(std::string type, EstimatorLoader loader) {
  Loaders& known = loaders();
  const std::lock_guard lock(known.mutex);
  if (!loader) throw ValueError("[register_estimator] expected a loader for \"" + type + "\", got an empty function");
  if (!known.by_type.emplace(type, std::move(loader)).second) {
    throw ValueError("[register_estimator] expected a new type, got \"" + type + "\" again");
  }
}

std::unique_ptr<Estimator> make_estimator(const EstimatorState& state) {
  EstimatorLoader loader;
  {
    Loaders& known = loaders();
    const std::lock_guard lock(known.mutex);
    const auto found = known.by_type.find(state.type);
    if (found == known.by_type.end()) {
      std::string names;
      for (const auto& [name, unused] : known.by_type) names += (names.empty() ? "" : ", ") + name;
      throw FormatError("[make_estimator] expected " + (names.empty() ? "" : "one of " + names + " or ") +
                        "a type given to register_estimator (models::register_estimators() and "
                        "trees::register_estimators() give theirs), got \"" +
                        state.type + "\"");
    }
    loader = found->second;
  }
  try {
    std::unique_ptr<Estimator> made = loader(state);
    if (!made)
      throw FormatError("[make_estimator] expected an estimator of the loader of \"" + state.type + "\", got none");
    made->names_ = state.names;
    made->types_ = state.types;
    made->target_ = state.target;
    made->classes_ = state.classes;
    if (!state.names.empty() && static_cast<std::int64_t>(state.names.size()) != made->width()) {
      throw FormatError("[make_estimator] expected " + std::to_string(made->width()) + " names, got " +
                        std::to_string(state.names.size()));
    }
    if (!state.types.empty() && state.types.size() != state.names.size()) {
      throw FormatError("[make_estimator] expected a type for each name, got " + std::to_string(state.types.size()));
    }
    if (made->classifies() == state.classes.empty()) {
      throw FormatError("[make_estimator] expected classes of an estimator of classes and of no other, got " +
                        std::to_string(state.classes.size()));
    }
    made->check_answers();
    return made;
  } catch (const FormatError&) {
    throw;
  } catch (const Error& error) {  // what would be a mistake of the caller is damage here
    throw FormatError(std::string("[make_estimator] ") + error.what());
  }
}

std::vector<std::string> target_classes(const Column& target, const std::string& positive) {
  const auto check = [](std::size_t found) {
    if (found > kMostClasses) {
      throw ValueError("[target_classes] expected at most " + std::to_string(kMostClasses) + " classes, got " +
                       std::to_string(found));
    }
  };
  std::map<double, std::string> by_value;
  std::map<std::string, bool> by_text;
  for (std::int64_t row = 0; row < target.size(); ++row) {
    if (target.is_null(row)) continue;
    if (target.is_numeric()) {
      const double value = target.numeric(row);
      if (!std::isfinite(value) || by_value.contains(value)) continue;
      if (value != std::floor(value)) {
        throw ValueError("[target_classes] expected classes, which are words or whole numbers, got " +
                         target.text(row) +
                         "; models of values take such a target, and trees whose objective or "
                         "criterion is one of values, squared for instance");
      }
      by_value.emplace(value, target.text(row));
      check(by_value.size());
    } else {
      by_text.emplace(target.text(row), true);
      check(by_text.size());
    }
  }
  std::vector<std::string> classes;
  for (auto& [unused, text] : by_value) classes.push_back(std::move(text));
  for (const auto& [text, unused] : by_text) classes.push_back(text);
  if (positive.empty()) return classes;
  const auto found = std::find(classes.begin(), classes.end(), positive);
  if (classes.size() != 2 || found == classes.end()) {
    refuse("target_classes", "a positive class that is one of two",
           "\"" + positive + "\" and " + std::to_string(classes.size()) + " classes" + first_of(classes));
  }
  if (found == classes.begin()) std::swap(classes[0], classes[1]);
  return classes;
}

std::vector<double> target_values(const Table& table, const std::string& target,
                                  const std::vector<std::string>& classes) {
  const Column& column = table[target];
  if (classes.empty() && !column.is_numeric()) {
    throw DataError("target", internal::no_numbers(column, target), {.column = target});
  }
  std::map<std::string_view, double> number;
  for (const std::string& name : classes) number.emplace(name, static_cast<double>(number.size()));
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(table.rows()));
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (column.is_null(row)) {
      throw DataError("target", "expected a target in every row, got none", table.location(row, target));
    }
    if (classes.empty()) {
      values.push_back(column.numeric(row));
      if (std::isfinite(values.back())) continue;
      throw DataError("target", "expected a finite number, got " + column.text(row), table.location(row, target));
    }
    const bool zero = column.type() == ColumnType::f64 && column.numeric(row) == 0;  // -0 is 0
    const std::string text = zero ? (number.contains("0") ? "0" : "-0") : column.text(row);
    const auto found = number.find(text);
    if (found == number.end()) {
      throw DataError("target",
                      "expected one of " + std::to_string(classes.size()) + " classes" + first_of(classes) +
                          ", got \"" + text + "\"",
                      table.location(row, target));
    }
    values.push_back(found->second);
  }
  return values;
}

}  // namespace tern::data
