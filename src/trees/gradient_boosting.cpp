#include "tern/trees/gradient_boosting.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>

#include "base/number_text.h"
#include "base/retell.h"
#include "data/rows.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "trees/inputs.h"
#include "trees/objective.h"
#include "trees/options.h"
#include "trees/table_features.h"
#include "trees/trainer.h"

namespace tern::trees {
namespace {

using internal::FeatureColumns;
using internal::Targets;
using internal::Training;
using tern::internal::in_validation;

constexpr std::int64_t kMostRows = std::int64_t{1} << 27;  // sums of all rows stay within 32 bits
constexpr double kLeastTarget = 1e-30, kLeastWeight = 1e-30, kMostWeight = 1e30;  // weighted gradients are floats
constexpr double kMostClasses = 10'000;

[[noreturn]] void refuse(const std::string& expected, const std::string& got) {
  throw ValueError("[GradientBoosting] expected " + expected + ", got " + got);
}

template <class T>
void check_option(bool good, const char* expected, T got) {
  if (!good) refuse(expected, tern::internal::number_text(got));
}

bool of_classes(Objective objective) { return objective == Objective::binary || objective == Objective::multiclass; }

bool share(double x) { return x > 0 && x <= 1; }

void check_options(const GradientBoostingOptions& o) {
  check_option(o.rounds >= 1, "rounds of at least 1", o.rounds);
  check_option(o.learning_rate > 0 && std::isfinite(o.learning_rate), "a learning_rate above 0", o.learning_rate);
  check_option(o.max_leaves == 0 || o.max_leaves >= 2, "max_leaves of at least 2, or 0", o.max_leaves);
  check_option(o.max_depth >= 0, "a max_depth of at least 0", o.max_depth);
  check_option(o.min_child_rows >= 0, "min_child_rows of at least 0", o.min_child_rows);
  check_option(o.min_child_weight >= 0, "a min_child_weight of at least 0", o.min_child_weight);
  check_option(o.lambda_l1 >= 0, "a lambda_l1 of at least 0", o.lambda_l1);
  check_option(o.lambda_l2 >= 0, "a lambda_l2 of at least 0", o.lambda_l2);
  check_option(o.min_split_gain >= 0, "a min_split_gain of at least 0", o.min_split_gain);
  check_option(o.max_delta_step >= 0, "a max_delta_step of at least 0", o.max_delta_step);
  check_option(o.max_bins >= 2 && o.max_bins <= internal::kMostBins, "max_bins from 2 to 255", o.max_bins);
  check_option(share(o.subsample), "a subsample in (0, 1]", o.subsample);
  check_option(share(o.colsample_bytree), "a colsample_bytree in (0, 1]", o.colsample_bytree);
  check_option(share(o.colsample_bynode), "a colsample_bynode in (0, 1]", o.colsample_bynode);
  check_option(o.goss_top >= 0 && o.goss_other >= 0 && o.goss_top + o.goss_other <= 1,
               "goss_top and goss_other of at least 0 whose sum is at most 1", o.goss_top + o.goss_other);
  check_option((o.goss_top > 0) == (o.goss_other > 0), "goss_top and goss_other together", o.goss_top + o.goss_other);
  check_option(o.goss_top == 0 || o.subsample == 1, "no subsample beside goss_top", o.subsample);
  check_option(o.dart_rate >= 0 && o.dart_rate <= 1, "a dart_rate in [0, 1]", o.dart_rate);
  check_option(o.dart_skip >= 0 && o.dart_skip <= 1, "a dart_skip in [0, 1]", o.dart_skip);
  check_option(o.dart_most >= 1, "a dart_most of at least 1", o.dart_most);
  check_option(o.dart_rate == 0 || o.early_stopping_rounds == 0,
               "no early stopping beside dart_rate, which changes earlier trees", o.early_stopping_rounds);
  check_option(o.min_level_rows >= 0, "min_level_rows of at least 0", o.min_level_rows);
  check_option(o.one_against_rest_levels >= 0, "one_against_rest_levels of at least 0", o.one_against_rest_levels);
  check_option(o.max_categories_in_set >= 1, "max_categories_in_set of at least 1", o.max_categories_in_set);
  check_option(o.categorical_smoothing >= 0, "a categorical_smoothing of at least 0", o.categorical_smoothing);
  check_option(o.categorical_l2 >= 0, "a categorical_l2 of at least 0", o.categorical_l2);
  check_option(o.huber_delta > 0, "a huber_delta above 0", o.huber_delta);
  check_option(o.quantile > 0 && o.quantile < 1, "a quantile in (0, 1)", o.quantile);
  check_option(o.tweedie_power > 1 && o.tweedie_power < 2, "a tweedie_power in (1, 2)", o.tweedie_power);
  check_option(o.ndcg_at >= 1, "an ndcg_at of at least 1", o.ndcg_at);
  check_option(o.early_stopping_rounds >= 0, "early_stopping_rounds of at least 0", o.early_stopping_rounds);
  check_option(o.early_stopping_min_delta >= 0, "an early_stopping_min_delta of at least 0",
               o.early_stopping_min_delta);
  if (!o.positive.empty() && !of_classes(o.objective)) {
    refuse("no positive class for an objective of values", "\"" + o.positive + "\"");
  }
  if (o.objective != Objective::custom && o.custom_objective.derivatives) {
    refuse("the objective custom beside a custom_objective", std::string(to_string(o.objective)));
  }
  if (o.objective == Objective::custom && o.custom_objective.link == Link::softmax) {
    refuse("a link of the one output of a custom_objective", "softmax");
  }
  if (o.metric.name.empty() == static_cast<bool>(o.metric.value)) {
    refuse("a metric with a name and a value", o.metric.value ? "no name" : "\"" + o.metric.name + "\" alone");
  }
  internal::each_option(o, [](const char* name, const auto& value) {
    if constexpr (std::is_same_v<decltype(value), const double&>) {
      check_option(std::isfinite(value), (std::string("a finite ") + name).c_str(), value);
    }
  });
  std::map<std::string, int> directions;
  for (const auto& [name, direction] : o.monotone) {
    check_option(direction >= -1 && direction <= 1, "monotone directions -1, 0 or 1", direction);
    const int before = directions.emplace(name, direction).first->second;
    if (before != direction) refuse("one monotone direction of a feature", "two of \"" + name + "\"");
  }
}

// A loaded model has no functions of the user's.
void check_custom(const GradientBoostingOptions& o) {
  if (o.objective == Objective::custom && !o.custom_objective.derivatives) {
    refuse("derivatives of a custom objective", "none");
  }
  if (o.early_stopping_rounds > 0 && !o.metric.value && !o.metric.name.empty()) {
    refuse("the function of the metric for early_stopping_rounds, which no file keeps",
           "\"" + o.metric.name + "\" alone");
  }
}

// Rows of validation may be of one class alone.
void check_targets(const Targets& targets, const internal::Loss& loss, bool training = true) {
  if (targets.rows() == 0) refuse(training ? "rows to train on" : "rows", "none");
  if (targets.rows() > kMostRows) refuse("at most 2^27 rows", std::to_string(targets.rows()));
  double most = 0;
  for (std::int64_t row = 0; row < targets.rows(); ++row) {
    const double y = targets.values[static_cast<std::size_t>(row)];
    if (!std::isfinite(y)) refuse("finite targets", tern::internal::number_text(y) + " in row " + std::to_string(row));
    most = std::max(most, std::fabs(y));
  }
  if (training && most > 0 && most < kLeastTarget) {
    refuse("targets of 0, or one of at least 1e-30 in size", tern::internal::number_text(most));
  }
  if (!targets.weights.empty()) {
    if (targets.weights.size() != targets.values.size()) {
      throw ShapeError("[GradientBoosting] expected " + std::to_string(targets.values.size()) + " weights, got " +
                       std::to_string(targets.weights.size()));
    }
    double sum = 0;
    for (std::size_t row = 0; row < targets.weights.size(); ++row) {
      const double w = targets.weights[row];
      if (!(w == 0 || (w >= kLeastWeight && w <= kMostWeight))) {  // as floats
        refuse("weights of 0, or from 1e-30 to 1e30",
               tern::internal::number_text(w) + " in row " + std::to_string(row));
      }
      sum += w;
    }
    if (!(sum > 0)) refuse("weights above 0", "0 in all rows");
  }
  std::int64_t in_queries = 0;
  for (const std::int64_t rows : targets.queries) {
    check_option(rows >= 1, "queries of at least one row", rows);
    in_queries += rows;
  }
  if (!targets.queries.empty() && in_queries != targets.rows()) {
    throw ShapeError("[GradientBoosting] expected queries of " + std::to_string(targets.rows()) + " rows in all, got " +
                     std::to_string(in_queries));
  }
  loss.check(targets, training);
}

// Margins [rows x outputs] of a matrix.
std::vector<double> margins_by(const Predictor& predictor, const Matrix& matrix) {
  if (matrix.columns() != predictor.features()) {
    throw ShapeError("[GradientBoosting] expected " + std::to_string(predictor.features()) + " columns, got " +
                     std::to_string(matrix.columns()));
  }
  const auto values = static_cast<std::size_t>(matrix.rows() * matrix.columns());
  if (matrix.f64()) return predictor.margins(std::span(matrix.f64(), values));
  const std::size_t part = static_cast<std::size_t>(matrix.columns()) << 16;
  std::vector<double> margins;
  for (std::size_t first = 0; first < values; first += part) {
    const float* from = matrix.f32() + first;
    const std::vector<double> rows(from, from + std::min(part, values - first));
    const std::vector<double> more = predictor.margins(rows);
    margins.insert(margins.end(), more.begin(), more.end());
  }
  return margins;
}

// [rows x outputs] as [outputs][rows].
std::vector<double> by_output(const std::vector<double>& margins, std::int64_t outputs) {
  std::vector<double> out(margins.size());
  const std::size_t count = static_cast<std::size_t>(outputs), rows = margins.size() / count;
  for (std::size_t i = 0; i < margins.size(); ++i) out[i % count * rows + i / count] = margins[i];
  return out;
}

std::vector<std::string> classes_of(const data::Column& column, Objective objective, const std::string& positive) {
  std::vector<std::string> classes = data::target_classes(column, positive);
  if (objective == Objective::binary && classes.size() != 2) {
    refuse("a target of two classes", std::to_string(classes.size()));
  }
  if (classes.size() < 2) refuse("a target of at least two classes", std::to_string(classes.size()));
  return classes;
}

// What targets of a table are made of.
struct TableTargets {
  std::vector<double> values, weights;
  std::vector<std::int64_t> queries;
  Targets view() const { return {values, weights, queries}; }
};

TableTargets targets_of(const data::Table& table, const std::string& target, const FitOptions& options,
                        const std::vector<std::string>& classes) {
  TableTargets targets;
  targets.values = data::target_values(table, target, classes);
  if (!options.weights.empty())
    targets.weights = data::internal::weights_of(table, options.weights, "GradientBoosting");
  if (!options.query.empty()) {
    const data::Column& query = table[options.query];
    std::set<std::string> begun;
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      if (query.is_null(row)) {
        throw DataError("GradientBoosting", "expected a query in every row, got none",
                        table.location(row, options.query));
      }
      if (row > 0 && query.text(row) == query.text(row - 1)) {
        ++targets.queries.back();
        continue;
      }
      if (!begun.insert(query.text(row)).second) {
        throw DataError(
            "GradientBoosting",
            "expected the rows of a query together (sort the table by it), got " + query.text(row) + " again",
            table.location(row, options.query));
      }
      targets.queries.push_back(1);
    }
  }
  return targets;
}

// Targets, weights or queries of no rows would be left out of account without a word.
void check_validation(const Matrix& features, const MatrixFitOptions& options) {
  const Matrix& validation = options.validation;
  if (validation.rows() != options.validation_target.size() ||
      (validation.rows() > 0 && validation.columns() != features.columns())) {
    throw ShapeError("[GradientBoosting] expected rows of validation of " + std::to_string(features.columns()) +
                     " columns with a target each, got " + std::to_string(validation.rows()) + " rows, " +
                     std::to_string(validation.columns()) + " columns and " +
                     std::to_string(options.validation_target.size()) + " targets");
  }
  if (validation.rows() == 0 && !(options.validation_weights.empty() && options.validation_queries.empty())) {
    refuse("rows of validation beside validation_weights or validation_queries", "none");
  }
}

// Early stopping without what it watches would silently train all rounds.
void check_stopping(const GradientBoostingOptions& o, const internal::Loss& loss, std::int64_t validation_rows) {
  if (o.early_stopping_rounds == 0) return;
  if (validation_rows == 0) refuse("rows of validation for early_stopping_rounds", "none");
  if (!o.metric.value && loss.metric_name().empty()) {
    refuse("a metric of one's own for early_stopping_rounds beside a custom objective", "none");
  }
}

void check_start(const Ensemble* start, const internal::Loss& loss, Objective objective) {
  if (!start) return;
  if (start->classes.empty() == of_classes(objective)) {
    refuse("a model of " + std::string(of_classes(objective) ? "classes" : "values") + " to go on from",
           "one of the objective " + start->objective);
  }
  if (start->outputs != loss.outputs() || start->link != loss.link()) {
    refuse("a model to go on from with " + std::to_string(loss.outputs()) + " outputs and link " +
               std::string(to_string(loss.link())),
           std::to_string(start->outputs) + " and " + std::string(to_string(start->link)));
  }
}

}  // namespace

GradientBoosting::GradientBoosting(GradientBoostingOptions options) : options_(std::move(options)) {
  check_options(options_);
  check_custom(options_);
}

void GradientBoosting::fit(const data::Table& table, std::string_view target, const FitOptions& options) {
  const std::string name(target);
  check_custom(options_);
  if (!options.query.empty() && !ranks()) refuse("no query, of which it makes no use", "\"" + options.query + "\"");
  if (name == options.weights) refuse("weights other than the target", "\"" + name + "\"");
  if (table.rows() == 0) refuse("rows to train on", "none");
  const Ensemble* start = options.start ? &options.start->ensemble() : nullptr;
  if (start && !options.start->target().empty() && options.start->target() != name) {
    refuse("the target of the model to go on from, \"" + options.start->target() + "\"", "\"" + name + "\"");
  }
  std::vector<std::string> left_out{name};
  if (!options.weights.empty()) left_out.push_back(options.weights);
  if (!options.query.empty()) left_out.push_back(options.query);
  std::vector<std::string> classes;
  if (of_classes(options_.objective))
    classes = start ? start->classes : classes_of(table[name], options_.objective, options_.positive);

  if (start && !options_.positive.empty() && (classes.size() != 2 || classes[1] != options_.positive)) {
    refuse("the positive class of the model to go on from" + (classes.size() == 2 ? ", \"" + classes[1] + "\"" : ""),
           "\"" + options_.positive + "\"");
  }

  FeatureColumns train = start ? internal::features_like("GradientBoosting", table, start->features)
                               : internal::features_of("GradientBoosting", table, left_out, options_.min_level_rows,
                                                       static_cast<std::size_t>(options_.max_bins));
  Training training{.features = train.features, .train = {}, .validation = {}, .start = start};
  if (training.features.empty()) refuse("features beside the target", "none");
  const TableTargets targets = targets_of(table, name, options, classes);
  training.train = {.features = train.values, .rows = table.rows(), .targets = targets.view(), .margins = {}};
  FeatureColumns validation;
  TableTargets validation_targets;
  if (options.validation) {
    in_validation([&] {
      validation_targets = targets_of(*options.validation, name, options, classes);
      validation = internal::features_like("GradientBoosting", *options.validation, training.features);
    });
    training.validation = {.features = validation.values,
                           .rows = options.validation->rows(),
                           .targets = validation_targets.view(),
                           .margins = {}};
  } else {
    training.validation.features.resize(training.features.size());
  }
  const auto loss = internal::make_loss(options_, static_cast<int>(classes.size()));
  check_targets(training.train.targets, *loss);
  if (options.validation) in_validation([&] { check_targets(training.validation.targets, *loss, false); });
  check_stopping(options_, *loss, training.validation.rows);
  check_start(start, *loss, options_.objective);
  if (start) {
    const Predictor& before = *options.start->predictor_;
    training.train.margins = by_output(before.margins(table), start->outputs);
    if (options.validation) {
      training.validation.margins =
          in_validation([&] { return by_output(before.margins(*options.validation), start->outputs); });
    }
  }
  internal::Trained trained = internal::train(options_, training, *loss);
  trained.model.classes = classes;
  keep(std::move(trained.model), std::move(trained.history), loss->metric_name());
  std::tie(binning_seconds_, training_seconds_) = std::pair(trained.binning_seconds, trained.training_seconds);
  for (const Feature& feature : ensemble_->features) names_.push_back(feature.name);
  note_columns(table, target);
}

void GradientBoosting::fit(const Matrix& features, const data::Vector& target, const MatrixFitOptions& options) {
  check_custom(options_);
  if (!options.queries.empty() && !ranks()) {
    refuse("no queries, of which it makes no use", std::to_string(options.queries.size()));
  }
  if (features.rows() == 0) refuse("rows to train on", "none");
  if (target.size() != features.rows()) {
    throw ShapeError("[GradientBoosting] expected " + std::to_string(features.rows()) + " targets, got " +
                     std::to_string(target.size()));
  }
  const Ensemble* start = options.start ? &options.start->ensemble() : nullptr;
  Training training{.features = {}, .train = {}, .validation = {}, .start = start};
  const FeatureColumns train = internal::features_like(
      features,
      start ? start->features : internal::features_of(features, options.names, options.categorical, "GradientBoosting"),
      "GradientBoosting", options_.min_level_rows);
  training.features = train.features;
  int classes = 0;
  if (options_.objective == Objective::multiclass) {
    for (const double y : target.values()) {
      if (!(y >= 0 && y < kMostClasses)) refuse("a target of classes from 0 to 9999", tern::internal::number_text(y));
      classes = std::max(classes, static_cast<int>(y) + 1);
    }
    classes = start ? start->outputs : std::max(classes, 2);
  }
  const auto loss = internal::make_loss(options_, classes);
  training.train = {.features = train.values, .rows = features.rows(), .targets = {}, .margins = {}};
  training.train.targets = {target.values(), options.weights.values(), options.queries};
  check_targets(training.train.targets, *loss);
  check_validation(features, options);
  check_stopping(options_, *loss, options.validation.rows());
  check_start(start, *loss, options_.objective);
  FeatureColumns validation;
  training.validation.features.resize(training.features.size());
  if (options.validation.rows() > 0) {
    in_validation(
        [&] { validation = internal::features_like(options.validation, training.features, "GradientBoosting"); });
    auto& rows = training.validation;
    rows.features = validation.values;
    rows.rows = options.validation.rows();
    rows.targets = {options.validation_target.values(), options.validation_weights.values(),
                    options.validation_queries};
    in_validation([&] { check_targets(rows.targets, *loss, false); });
  }
  if (start) {
    const Predictor& before = *options.start->predictor_;
    training.train.margins = by_output(margins_by(before, features), start->outputs);
    if (!validation.values.empty()) {
      training.validation.margins = by_output(margins_by(before, options.validation), start->outputs);
    }
  }
  internal::Trained trained = internal::train(options_, training, *loss);
  if (!start) {
    for (int k = 0; k < classes; ++k) trained.model.classes.push_back(std::to_string(k));
    if (options_.objective == Objective::binary) trained.model.classes = {"0", "1"};
  }
  keep(std::move(trained.model), std::move(trained.history), loss->metric_name());
  note_no_columns();
  std::tie(binning_seconds_, training_seconds_) = std::pair(trained.binning_seconds, trained.training_seconds);
}

void GradientBoosting::keep(Ensemble model, std::vector<double> history, std::string metric) {
  predictor_ = std::make_shared<const Predictor>(model);
  ensemble_ = std::make_shared<const Ensemble>(std::move(model));
  history_ = std::move(history);
  metric_name_ = options_.metric.value ? options_.metric.name : std::move(metric);
  names_.clear();
  classes_ = ensemble_->classes;
}

const Ensemble& GradientBoosting::ensemble() const {
  if (!ensemble_) throw StateError("[GradientBoosting] expected a fitted model, got one before fit");
  return *ensemble_;
}

std::vector<double> GradientBoosting::linked(std::vector<double> margins, bool probability) const {
  const Ensemble& model = *ensemble_;
  if (probability && model.classes.empty()) {
    throw StateError("[GradientBoosting] expected an objective of classes, got \"" + model.objective + "\"");
  }
  std::vector<double> out = std::move(margins);
  apply_link(model, out);
  const auto outputs = static_cast<std::size_t>(model.outputs);
  if (probability && outputs == 2) {  // of two classes the second's alone, whatever the objective
    for (std::size_t row = 0; row < out.size() / 2; ++row) out[row] = out[2 * row + 1];
    out.resize(out.size() / 2);
  }
  if (probability || model.classes.empty()) return out;
  std::vector<double> classes(out.size() / outputs);
  for (std::size_t row = 0; row < classes.size(); ++row) {
    const double* p = out.data() + row * outputs;
    classes[row] = static_cast<double>(outputs == 1 ? p[0] >= 0.5 : std::max_element(p, p + outputs) - p);
  }
  return classes;
}

std::vector<double> GradientBoosting::predict(const data::Table& table) const {
  return linked(predict_margin(table), false);
}
std::vector<double> GradientBoosting::predict(const Matrix& features) const {
  return linked(predict_margin(features), false);
}
std::vector<double> GradientBoosting::predict_probability(const data::Table& table) const {
  return linked(predict_margin(table), true);
}
std::vector<double> GradientBoosting::predict_probability(const Matrix& features) const {
  return linked(predict_margin(features), true);
}
std::vector<double> GradientBoosting::predict_margin(const data::Table& table) const {
  ensemble();
  return tern::internal::speaking_as("GradientBoosting", [&] { return predictor_->margins(table); });
}
std::vector<double> GradientBoosting::predict_margin(const Matrix& features) const {
  ensemble();
  return margins_by(*predictor_, features);
}

void GradientBoosting::fit_table(const data::Table& table, const std::string& target, const data::TableFit& options) {
  fit(table, target, FitOptions{.validation = options.validation, .weights = options.weights, .query = options.query});
}

void GradientBoosting::learn(const Rows& train, const Rows& validation, std::int64_t /*classes*/) {
  fit(train.x, train.y,
      MatrixFitOptions{.weights = train.weights, .validation = validation.x, .validation_target = validation.y});
}

std::vector<double> GradientBoosting::respond_table(const data::Table& table, bool probability) const {
  return linked(predict_margin(table), probability);
}

std::vector<double> GradientBoosting::respond(const Matrix& x, bool probability) const {
  return linked(predict_margin(x), probability);
}

bool GradientBoosting::classifies() const { return of_classes(options_.objective); }

std::int64_t GradientBoosting::width() const {
  return ensemble_ ? static_cast<std::int64_t>(ensemble_->features.size()) : 0;
}

std::unique_ptr<data::Estimator> GradientBoosting::clone() const { return std::make_unique<GradientBoosting>(*this); }

std::vector<std::pair<std::string, std::int64_t>> GradientBoosting::unseen(const data::Table& table) const {
  return internal::unseen_levels("GradientBoosting", ensemble(), table);
}

}  // namespace tern::trees
