#include "tern/train/baselines.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/multiclass.h"
#include "tern/metrics/regression.h"

namespace tern::train {
namespace {

std::vector<double> values_of(const Task& task, const data::Column& target) {
  if (task.kind() == TaskKind::regression) return target.numeric();
  const std::vector<std::uint8_t> labels = task.labels(target);
  return {labels.begin(), labels.end()};
}

Judged judge_one(const Task& task, std::string name, const std::vector<double>& predictions,
                 const std::vector<double>& truth, const JudgeOptions& options) {
  Judged judged;
  judged.name = std::move(name);
  if (task.kind() == TaskKind::binary) {
    const std::vector<std::uint8_t> labels(truth.begin(), truth.end());
    judged.binary = metrics::binary_report(
        predictions, labels,
        {.threshold = task.threshold(), .resamples = options.resamples, .seed = options.seed, .note = options.note});
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
    baselines.logistic = fit_logistic(training.features(), labels);
  }
  return baselines;
}

std::string to_json(const Baselines& baselines) {
  internal::OrderedJson json;
  json["format"] = 1;
  json["prior"] = baselines.prior;
  if (!baselines.logistic.coefficients.empty()) {
    json["logistic"] = {{"intercept", baselines.logistic.intercept},
                        {"coefficients", baselines.logistic.coefficients},
                        {"iterations", baselines.logistic.iterations},
                        {"converged", baselines.logistic.converged}};
  }
  return json.dump();
}

Baselines baselines_from_json(std::string_view text) {
  using internal::json_get;
  static const std::string what = "baselines.json";
  const internal::Json json = internal::parse_json(text, what);
  if (json_get<int>(json, "format", what) != 1) throw FormatError("[baselines.json] expected format 1, got another");
  Baselines baselines;
  baselines.prior = json_get<std::vector<double>>(json, "prior", what);
  if (json.contains("logistic")) {
    const internal::Json& logistic = json.at("logistic");
    baselines.logistic = Logistic{.coefficients = json_get<std::vector<double>>(logistic, "coefficients", what),
                                  .intercept = json_get<double>(logistic, "intercept", what),
                                  .iterations = json_get<int>(logistic, "iterations", what),
                                  .converged = json_get<bool>(logistic, "converged", what)};
  }
  return baselines;
}

Report judge(const Task& task, const std::vector<double>& predictions, const data::Dataset& dataset,
             const Baselines& baselines, const JudgeOptions& options) {
  const std::vector<double> truth = values_of(task, dataset.target());
  Report report;
  report.rows_name = options.rows_name;
  report.note = options.note;
  report.binary = task.kind() == TaskKind::binary;
  report.rows = static_cast<std::int64_t>(truth.size());
  report.model = judge_one(task, "model", predictions, truth, options);
  if (!baselines.prior.empty()) {
    const bool binary = task.kind() == TaskKind::binary;
    std::vector<double> constant;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      if (binary) {
        constant.push_back(baselines.prior.at(1));
      } else {
        constant.insert(constant.end(), baselines.prior.begin(), baselines.prior.end());
      }
    }
    report.baselines.push_back(judge_one(task, "prior", constant, truth, options));
  }
  if (!baselines.logistic.coefficients.empty()) {
    report.baselines.push_back(
        judge_one(task, "logistic regression", baselines.logistic.predict(dataset.features()), truth, options));
  }
  return report;
}

}  // namespace tern::train
