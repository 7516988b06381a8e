#include "tern/train/baselines.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/data/pipeline.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/multiclass.h"
#include "tern/metrics/regression.h"
#include "tern/tensor/creation.h"

namespace tern::train {
namespace {

std::vector<double> values_of(const Task& task, const data::Column& target) {
  if (task.kind() == TaskKind::regression) return target.numeric();
  const std::vector<std::uint8_t> labels = task.labels(target);
  return {labels.begin(), labels.end()};
}

// The prior's prediction for each of some rows.
std::vector<double> constant(const Task& task, const std::vector<double>& prior, std::size_t rows) {
  if (task.kind() == TaskKind::binary) return std::vector<double>(rows, prior.at(1));
  std::vector<double> values;
  for (std::size_t i = 0; i < rows; ++i) values.insert(values.end(), prior.begin(), prior.end());
  return values;
}

struct Scored {
  std::string name;
  std::vector<double> predictions;
  double threshold;
};

Judged judge_one(const Task& task, const Scored& scored, const std::vector<double>& truth,
                 const JudgeOptions& options) {
  Judged judged;
  judged.name = scored.name;
  const std::vector<double>& predictions = scored.predictions;
  if (task.kind() == TaskKind::binary) {
    const std::vector<std::uint8_t> labels(truth.begin(), truth.end());
    metrics::BinaryReportOptions how{.threshold = std::isnan(scored.threshold) ? task.threshold() : scored.threshold,
                                     .groups = options.groups,
                                     .resamples = options.resamples,
                                     .seed = options.seed,
                                     .note = options.note,
                                     .min_per_class = min_rows_to_judge};
    if (const metrics::ThresholdRule& rule = task.threshold_rule(); rule.kind == metrics::ThresholdRule::Kind::cost) {
      how.false_negative_cost = rule.false_negative_cost;
      how.false_positive_cost = rule.false_positive_cost;
    }
    judged.binary = metrics::binary_report(predictions, labels, how);
  } else if (task.kind() == TaskKind::multiclass) {
    const std::vector<std::int64_t> labels(truth.begin(), truth.end());
    const std::vector<std::int64_t> decided = metrics::most_probable(predictions, task.outputs());
    const metrics::ConfusionMatrix counts = metrics::confusion_matrix(decided, labels, task.outputs());
    judged.figures = {{"accuracy", counts.accuracy()},
                      {"balanced_accuracy", counts.balanced_accuracy()},
                      {"f1_macro", counts.f1(metrics::Average::macro)},
                      {"f1_weighted", counts.f1(metrics::Average::weighted)},
                      {"log_loss", metrics::log_loss(predictions, labels)}};
  } else {
    judged.figures = {{"rmse", metrics::root_mean_squared_error(predictions, truth)},
                      {"mae", metrics::mean_absolute_error(predictions, truth)},
                      {"mape", metrics::mean_absolute_percentage_error(predictions, truth)},
                      {"r2", metrics::r2(predictions, truth)}};
  }
  return judged;
}

}  // namespace

Baselines fit_baselines(const Task& task, const data::Dataset& training) {
  const std::vector<double> truth = values_of(task, training.target());
  const auto rows = static_cast<double>(truth.size());
  Baselines baselines;
  if (task.kind() == TaskKind::regression) {
    double sum = 0;
    for (const double y : truth) sum += y;
    baselines.prior = {sum / rows};
    return baselines;
  }
  baselines.prior.assign(task.classes().size(), 0);
  for (const double label : truth) baselines.prior[static_cast<std::size_t>(label)] += 1 / rows;
  if (task.kind() == TaskKind::binary && training.width() > 0) {
    const std::vector<std::uint8_t> labels(truth.begin(), truth.end());
    baselines.logistic = fit_logistic(training.features(), labels, {.weights = task.row_weights(training.target())});
  }
  return baselines;
}

data::Dataset baseline_rows(const Baselines& baselines, const Task& task, const data::Table& features) {
  if (!baselines.features.empty()) {
    return data::Pipeline::from_json(baselines.features).transform(features, {.scoring = true});
  }
  return {empty({features.rows(), 0}), {}, features.row_ids(), features.column(task.target())};
}

Baselines fit_baselines(const Task& task, const data::Table& training) {
  if (task.kind() != TaskKind::binary) return fit_baselines(task, baseline_rows({}, task, training));
  std::vector<std::string> blank;
  for (const std::string& name : training.names()) {
    const data::Column& column = training.column(name);
    bool any = false;
    for (std::int64_t i = 0; i < column.size() && !any; ++i) {
      any = !column.is_null(i) && !(column.is_numeric() && std::isnan(column.numeric(i)));
    }
    if (!any) blank.push_back(name);
  }
  if (static_cast<std::size_t>(training.width()) == blank.size() + 1) {  // nothing to learn from
    return fit_baselines(task, baseline_rows({}, task, training));
  }
  constexpr std::int64_t least_rows = 10;  // of a level; what fewer share is not kept
  data::Pipeline features({data::drop(data::columns(blank)),
                           data::missing_indicator(data::numeric() | data::timestamp()),
                           data::date_parts(data::timestamp()), data::impute(data::numeric(), data::Fill::median),
                           data::standardize(data::numeric()),
                           data::one_hot(data::categorical() | data::text(), {.min_count = least_rows})});
  Baselines baselines = fit_baselines(task, features.fit_transform(training, task.target()));
  baselines.features = features.to_json();
  return baselines;
}

void choose_thresholds(Baselines& baselines, const Task& task, const data::Dataset& validation) {
  if (task.kind() != TaskKind::binary) return;
  const std::vector<std::uint8_t> labels = task.labels(validation.target());
  const auto choose = [&](const std::vector<double>& scores) {
    return metrics::choose_threshold(task.threshold_rule(), scores, labels);
  };
  if (!baselines.prior.empty()) baselines.prior_threshold = choose(constant(task, baselines.prior, labels.size()));
  if (!baselines.logistic.coefficients.empty())
    baselines.logistic_threshold = choose(baselines.logistic.predict(validation.features()));
}

std::string to_json(const Baselines& baselines) {
  internal::OrderedJson json;
  json["format"] = 1;
  json["prior"] = baselines.prior;
  if (std::isfinite(baselines.prior_threshold)) json["prior_threshold"] = baselines.prior_threshold;
  if (std::isfinite(baselines.logistic_threshold)) json["logistic_threshold"] = baselines.logistic_threshold;
  if (!baselines.logistic.coefficients.empty()) {
    json["logistic"] = {{"intercept", baselines.logistic.intercept},
                        {"coefficients", baselines.logistic.coefficients},
                        {"iterations", baselines.logistic.iterations},
                        {"converged", baselines.logistic.converged}};
  }
  if (!baselines.features.empty()) json["features"] = internal::parse_json(baselines.features, "features");
  return internal::json_text(json);
}

Baselines baselines_from_json(std::string_view text) {
  using internal::json_get;
  static const std::string what = "baselines.json";
  const internal::Json json = internal::parse_json(text, what);
  if (json_get<int>(json, "format", what) != 1) throw FormatError("[baselines.json] expected format 1, got another");
  Baselines baselines;
  baselines.prior = json_get<std::vector<double>>(json, "prior", what);
  // Absent where none was chosen, as in bundles older than these thresholds.
  baselines.prior_threshold = internal::json_get_or(json, "prior_threshold", baselines.prior_threshold, what);
  baselines.logistic_threshold = internal::json_get_or(json, "logistic_threshold", baselines.logistic_threshold, what);
  if (json.contains("logistic")) {
    const internal::Json& logistic = json.at("logistic");
    baselines.logistic = Logistic{.coefficients = json_get<std::vector<double>>(logistic, "coefficients", what),
                                  .intercept = json_get<double>(logistic, "intercept", what),
                                  .iterations = json_get<int>(logistic, "iterations", what),
                                  .converged = json_get<bool>(logistic, "converged", what)};
  }
  if (json.contains("features")) {
    baselines.features = data::Pipeline::from_json(internal::json_text(json.at("features"))).to_json();
  }
  return baselines;
}

Report judge(const Task& task, const std::vector<double>& predictions, const data::Dataset& dataset,
             const Baselines& baselines, const JudgeOptions& options) {
  const std::vector<double> truth = values_of(task, dataset.target());
  Report report;
  report.rows_name = options.rows_name;
  report.note = options.note;
  report.target = task.target();
  report.binary = task.kind() == TaskKind::binary;
  if (report.binary) {
    report.positive = task.positive();
    report.negative = task.classes().at(0);
    report.threshold_rule = metrics::to_string(task.threshold_rule());
  }
  report.rows = static_cast<std::int64_t>(truth.size());
  report.model = judge_one(task, {"model", predictions, task.threshold()}, truth, options);
  if (!baselines.prior.empty()) {
    report.baselines.push_back(judge_one(
        task, {"prior", constant(task, baselines.prior, truth.size()), baselines.prior_threshold}, truth, options));
  }
  if (!baselines.logistic.coefficients.empty()) {
    report.baselines.push_back(judge_one(
        task, {"logistic regression", baselines.logistic.predict(dataset.features()), baselines.logistic_threshold},
        truth, options));
  }
  const metrics::BinaryReport& judged = report.model.binary;
  report.warning = few_rows({.rows = report.rows,
                             .positives = report.binary ? judged.positives : -1,
                             .groups = judged.groups,
                             .positive_groups = judged.positive_groups,
                             .negative_groups = judged.negative_groups});
  if (const std::string beaten = beaten_by_prior(report); !beaten.empty()) {
    report.warning += (report.warning.empty() ? "" : "; ") + beaten;
  }
  return report;
}

}  // namespace tern::train
