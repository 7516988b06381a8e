#include "tern/models/cross_validate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "base/number_text.h"
#include "base/retell.h"
#include "base/warnings.h"
#include "data/rows.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/data/splits.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/multiclass.h"
#include "tern/metrics/ranking.h"
#include "tern/metrics/regression.h"

namespace tern::models {
namespace {

using tern::internal::saying;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t kSearchStream = 0x5ea6c4;

[[noreturn]] void refuse(const std::string& where, const std::string& expected, const std::string& got) {
  throw ValueError("[" + where + "] expected " + expected + ", got " + got);
}

std::string fold_text(std::size_t fold, std::size_t folds, const CrossValidateOptions& options, int repeat) {
  return "in fold " + std::to_string(fold + 1) + " of " + std::to_string(folds) +
         (options.repeats > 1 ? " of repeat " + std::to_string(repeat + 1) : "") + ": ";
}

std::string settings_text(const Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += (text.empty() ? "of " : ", ") + name + " = " + tern::internal::number_text(value);
  }
  return text.empty() ? text : text + ": ";
}

std::vector<std::string> own_metrics_of(const data::Estimator& estimator, std::size_t classes) {
  if (estimator.ranks()) return {"ndcg"};
  if (!estimator.classifies()) return {"rmse", "mae", "r2"};
  if (!estimator.has_probability()) return {"accuracy", "f1_macro"};
  if (classes == 2) return {"log_loss", "brier", "auroc", "average_precision", "accuracy"};
  return {"log_loss", "accuracy", "f1_macro"};
}

std::vector<std::string> metrics_of(const data::Estimator& estimator, std::size_t classes,
                                    const metrics::CustomMetric& own) {
  std::vector<std::string> names = own_metrics_of(estimator, classes);
  if (!own.value && own.name.empty()) return names;
  if (!own.value) refuse("cross_validate", "a metric with a name and a value", "\"" + own.name + "\" alone");
  if (own.name.empty() || std::find(names.begin(), names.end(), own.name) != names.end()) {
    refuse("cross_validate", "a metric with a name of its own", "\"" + own.name + "\"");
  }
  names.insert(names.begin(), own.name);
  return names;
}

// Predictions of a fold's model in terms of all classes: it may have seen fewer of them.
std::vector<double> predict_all(const data::Estimator& model, const data::Table& rows,
                                const std::vector<std::string>& classes) {
  if (!model.classifies()) return model.predict(rows);
  if (model.has_probability())
    return data::internal::in_classes(model.predict_probability(rows), model.classes(), classes);
  std::vector<double> out = model.predict(rows);
  for (double& k : out) {
    const std::string& name = model.classes()[static_cast<std::size_t>(k)];
    k = static_cast<double>(std::find(classes.begin(), classes.end(), name) - classes.begin());
  }
  return out;
}

std::vector<double> score(const data::Estimator& model, const std::vector<double>& predictions,
                          const std::vector<double>& truth, const std::vector<double>& weights, std::size_t classes) {
  if (!model.classifies()) {
    return {metrics::root_mean_squared_error(predictions, truth, weights),
            metrics::mean_absolute_error(predictions, truth, weights), metrics::r2(predictions, truth, weights)};
  }
  if (classes == 2 && model.has_probability()) {
    std::vector<std::uint8_t> labels;
    for (const double y : truth) labels.push_back(y == 1);
    const auto counts = metrics::binary_confusion(predictions, labels, {.threshold = 0.5, .weights = weights});
    return {metrics::log_loss(predictions, labels, weights), metrics::brier(predictions, labels, weights),
            metrics::auroc(predictions, labels, weights), metrics::average_precision(predictions, labels, weights),
            counts.accuracy()};
  }
  std::vector<std::int64_t> labels, decided;
  for (const double y : truth) labels.push_back(static_cast<std::int64_t>(y));
  const auto count = static_cast<std::int64_t>(classes);
  if (model.has_probability()) {
    decided = metrics::most_probable(predictions, count);
  } else {
    for (const double k : predictions) decided.push_back(static_cast<std::int64_t>(k));
  }
  const metrics::ConfusionMatrix counts = metrics::confusion_matrix(decided, labels, count, weights);
  std::vector<double> out;
  if (model.has_probability()) out.push_back(metrics::log_loss(predictions, labels, weights));
  out.push_back(counts.accuracy());
  out.push_back(counts.f1(metrics::Average::macro));
  return out;
}

// What stands beside the features.
struct Rows {
  const data::Table& all;
  data::Table features;  // and the target
  std::string target;
  bool ranks = false;
  std::vector<std::string> classes{};
  std::vector<double> truth{}, weights{};
};

template <class T>
std::vector<T> at(const std::vector<T>& values, const std::vector<std::int64_t>& rows) {
  std::vector<T> out;
  if (values.empty()) return out;
  for (const std::int64_t row : rows) out.push_back(values[static_cast<std::size_t>(row)]);
  return out;
}

// The pipeline's features of rows, with their weights again, and their queries.
data::Table with_weights(data::Table features, const Rows& rows, const CrossValidateOptions& options,
                         const std::vector<std::int64_t>& which) {
  if (!options.weights.empty()) features.add(options.weights, data::Column::from_f64(at(rows.weights, which)));
  if (rows.ranks) features.add(options.group, rows.all[options.group].take(which));
  return features;
}

// Rows of each query, which stand together.
std::vector<std::int64_t> queries_of(const data::Column& query, const std::vector<std::int64_t>& rows) {
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || query.text(rows[i]) != query.text(rows[i - 1])) counts.push_back(0);
    ++counts.back();
  }
  return counts;
}

struct FoldScores {
  std::vector<double> held_out, train;
  std::vector<double> predictions;
  std::int64_t rows = 0;
};

// The first of an order that all shares have in common: a row of each stratum of `strata` (of all rows, or none), then
// all of them evenly.
std::vector<std::int64_t> part_of(const std::vector<std::int64_t>& rows, const std::vector<double>& strata,
                                  double share, std::uint64_t seed) {
  std::map<double, std::vector<std::int64_t>> drawn;
  for (const std::int64_t at :
       permutation(static_cast<std::int64_t>(rows.size()), Philox(seed, static_cast<std::uint64_t>(rows.size())))) {
    const std::int64_t row = rows[static_cast<std::size_t>(at)];
    drawn[strata.empty() ? 0 : strata[static_cast<std::size_t>(row)]].push_back(row);
  }
  std::vector<std::pair<double, std::int64_t>> order;  // how far it is through its stratum
  for (const auto& [stratum, of] : drawn) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      order.emplace_back(i == 0 ? 0 : (static_cast<double>(i) + 0.5) / static_cast<double>(of.size()), of[i]);
    }
  }
  std::sort(order.begin(), order.end());
  const auto kept = std::max(
      {std::size_t{2}, drawn.size(), static_cast<std::size_t>(std::llround(share * static_cast<double>(rows.size())))});
  order.resize(std::min(kept, order.size()));
  std::vector<std::int64_t> part;
  for (const auto& [through, row] : order) part.push_back(row);
  std::sort(part.begin(), part.end());
  return part;
}

// The same of whole queries.
std::vector<std::int64_t> part_of_queries(const std::vector<std::int64_t>& rows, const data::Column& query,
                                          double share, std::uint64_t seed) {
  std::vector<std::vector<std::int64_t>> of_query;
  std::size_t at = 0;
  for (const std::int64_t count : queries_of(query, rows)) {
    const auto end = at + static_cast<std::size_t>(count);
    of_query.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(at),
                          rows.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  std::vector<std::int64_t> numbers(of_query.size()), part;
  std::iota(numbers.begin(), numbers.end(), 0);
  for (const std::int64_t q : part_of(numbers, {}, share, seed)) {
    const auto& of = of_query[static_cast<std::size_t>(q)];
    part.insert(part.end(), of.begin(), of.end());
  }
  return part;
}

FoldScores run_fold(const data::Estimator& estimator, const data::Pipeline& steps, const Rows& rows,
                    const data::Fold& fold, const CrossValidateOptions& options, std::uint64_t seed, double share) {
  std::vector<std::int64_t> train = fold.train, stopping;
  const bool stratified = estimator.classifies() && options.group.empty() && options.time.empty();
  if (estimator.stops_early() && options.validation > 0) {
    const data::Splits inner = data::split(rows.all.take(train), {.train = 1 - options.validation,
                                                                  .validation = options.validation,
                                                                  .test = 0,
                                                                  .stratify = stratified ? rows.target : "",
                                                                  .group = options.group,
                                                                  .time = options.time,
                                                                  .seed = seed,
                                                                  .target = rows.target});
    stopping = at(train, inner.validation_rows);
    train = at(train, inner.train_rows);
  }
  if (share > 0 && share < 1) {
    const std::vector<double> strata = stratified ? rows.truth : std::vector<double>();
    const auto part = [&](const std::vector<std::int64_t>& of) {
      return rows.ranks ? part_of_queries(of, rows.all[options.group], share, seed) : part_of(of, strata, share, seed);
    };
    train = part(train);
    if (!stopping.empty()) stopping = part(stopping);
  }
  data::Pipeline pipeline = steps;
  const data::Table fitted = with_weights(
      pipeline.fit_transform_table(rows.features.take(train), rows.target, {.seed = seed}), rows, options, train);
  data::TableFit how{.validation = {}, .weights = options.weights, .query = rows.ranks ? options.group : ""};
  if (!stopping.empty()) {
    how.validation = with_weights(pipeline.transform_table(rows.features.take(stopping)), rows, options, stopping);
  }
  const std::unique_ptr<data::Estimator> model = estimator.clone();
  model->fit(fitted, rows.target, how);

  FoldScores out;
  out.rows = static_cast<std::int64_t>(train.size());
  const auto judge = [&](const std::vector<std::int64_t>& which, std::vector<double>& scores) {
    const data::Table features = pipeline.transform_table(rows.features.take(which), {.scoring = true});
    std::vector<double> predictions = predict_all(*model, features, rows.classes);
    const std::vector<double> truth = at(rows.truth, which);
    if (rows.ranks) {
      scores = {metrics::ndcg(predictions, truth, queries_of(rows.all[options.group], which), options.ndcg_at)};
    } else {
      scores = score(*model, predictions, truth, at(rows.weights, which), rows.classes.size());
    }
    if (options.metric.value) {
      scores.insert(scores.begin(), options.metric.value(predictions, truth, at(rows.weights, which)));
    }
    return predictions;
  };
  out.predictions = judge(fold.validation, out.held_out);
  if (share > 0) judge(train, out.train);
  return out;
}

void check(const CrossValidateOptions& options) {
  const std::string where = "cross_validate";
  if (options.folds < 2) refuse(where, "folds of at least 2", std::to_string(options.folds));
  if (options.repeats < 1) refuse(where, "repeats of at least 1", std::to_string(options.repeats));
  if (!(options.validation >= 0 && options.validation < 1)) {
    refuse(where, "a validation in [0, 1)", tern::internal::number_text(options.validation));
  }
  if (options.repeats > 1 && !options.time.empty())
    refuse(where, "one repeat by time", std::to_string(options.repeats));
  if (options.ndcg_at < 1) refuse(where, "an ndcg_at of at least 1", std::to_string(options.ndcg_at));
}

// The table without what is no feature, and the weights.
Rows rows_of(const data::Table& table, const std::string& target, const CrossValidateOptions& options) {
  for (const std::string& name : {options.weights, options.group, options.time}) {
    if (!name.empty() && name == target)
      refuse("cross_validate", "weights, group and time other than the target", "\"" + name + "\"");
  }
  Rows rows{.all = table, .features = table, .target = target};
  if (!options.weights.empty()) rows.weights = data::internal::weights_of(table, options.weights, "cross_validate");
  data::internal::check_weights("cross_validate", rows.weights, table.rows());
  for (const std::string& name : {options.weights, options.group, options.time}) {
    if (!name.empty() && rows.features.has(name)) rows.features = rows.features.drop({name});
  }
  return rows;
}

data::KFoldOptions folds_of(const std::string& target, const CrossValidateOptions& options, int repeat) {
  data::KFoldOptions how{.folds = options.folds, .stratify = {}, .group = options.group, .time = options.time};
  how.seed = options.seed + static_cast<std::uint64_t>(repeat);
  how.target = target;
  if (!options.weights.empty()) how.ignore = {options.weights};
  return how;
}

// Puts a fold's predictions where their rows are among all.
void place(const std::vector<double>& predictions, const std::vector<std::int64_t>& rows, std::int64_t all_rows,
           std::vector<double>& all) {
  const std::size_t width = predictions.size() / rows.size();
  if (all.empty()) all.assign(static_cast<std::size_t>(all_rows) * width, kNone);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    all[static_cast<std::size_t>(rows[i / width]) * width + i % width] = predictions[i];
  }
}

// `share` 0: all rows, and no scores on them.
LearningPoint run(const data::Estimator& estimator, const data::Pipeline& steps, const data::Table& table,
                  const std::string& target, const CrossValidateOptions& options, double share) {
  check(options);
  const tern::internal::FewWarnings few;
  Rows rows = rows_of(table, target, options);
  rows.ranks = estimator.ranks();
  if (rows.ranks && options.group.empty()) {
    refuse("cross_validate", "the queries of an estimator that ranks as group", "none");
  }
  if (estimator.classifies()) rows.classes = data::target_classes(table[target], estimator.positive());
  rows.truth = data::target_values(table, target, rows.classes);
  LearningPoint point;
  point.share = share;
  point.held_out.metrics = point.train.metrics = metrics_of(estimator, rows.classes.size(), options.metric);
  point.held_out.classes = point.train.classes = rows.classes;
  const bool plain = options.group.empty() && options.time.empty();
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    data::KFoldOptions how = folds_of(target, options, repeat);
    if (plain && estimator.classifies()) how.stratify = target;
    const std::vector<data::Fold> folds = data::k_fold(table, how);
    for (std::size_t k = 0; k < folds.size(); ++k) {
      const data::Fold& fold = folds[k];
      FoldScores scores = saying(fold_text(k, folds.size(), options, repeat),
                                 [&] { return run_fold(estimator, steps, rows, fold, options, how.seed, share); });
      point.held_out.scores.push_back(std::move(scores.held_out));
      if (share > 0) point.train.scores.push_back(std::move(scores.train));
      point.rows += scores.rows;
      if (repeat == 0) place(scores.predictions, fold.validation, table.rows(), point.held_out.predictions);
    }
  }
  point.rows /= std::max<std::int64_t>(1, std::ssize(point.held_out.scores));
  return point;
}

std::vector<double> defined(const CrossValidation& result, std::string_view metric) {
  const auto found = std::find(result.metrics.begin(), result.metrics.end(), metric);
  if (found == result.metrics.end()) {
    std::string names;
    for (const std::string& name : result.metrics) names += (names.empty() ? "" : ", ") + name;
    refuse("CrossValidation", "one of " + names, "\"" + std::string(metric) + "\"");
  }
  std::vector<double> values;
  for (const auto& fold : result.scores) {
    const double value = fold[static_cast<std::size_t>(found - result.metrics.begin())];
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

bool smaller_is_better(std::string_view metric) {
  return metric == "log_loss" || metric == "brier" || metric == "rmse" || metric == "mae";
}

Search search(const MakeEstimator& make, std::vector<Settings> settings, const data::Pipeline& steps,
              const data::Table& table, const std::string& target, const SearchOptions& options) {
  const tern::internal::FewWarnings few;
  Search out;
  out.settings = std::move(settings);
  double best = kNone;
  std::vector<std::unique_ptr<data::Estimator>> made;
  for (const Settings& each : out.settings) {
    made.push_back(saying(settings_text(each), [&] { return make(each); }));
    if (!made.back()) refuse("search", "an estimator of the settings", "none");
    if (options.metric.empty()) continue;
    const data::Estimator& estimator = *made.back();
    const std::size_t classes =
        estimator.classifies() ? data::target_classes(table[target], estimator.positive()).size() : 0;
    CrossValidation known;
    known.metrics = metrics_of(estimator, classes, options.validation.metric);
    known.mean(options.metric);  // throws where it is not there
  }
  for (std::size_t i = 0; i < out.settings.size(); ++i) {
    out.results.push_back(saying(settings_text(out.settings[i]),
                                 [&] { return cross_validate(*made[i], steps, table, target, options.validation); }));
    const CrossValidation& result = out.results.back();
    out.metric = options.metric.empty() ? result.metrics.front() : options.metric;
    const double value = result.mean(out.metric);
    const metrics::CustomMetric& own = options.validation.metric;
    const bool smaller = own.value && out.metric == own.name ? !own.larger_is_better : smaller_is_better(out.metric);
    const bool better = std::isnan(best) || (smaller ? value < best : value > best);
    if (std::isnan(value) || !better) continue;
    best = value;
    out.best = i;
  }
  if (!out.settings.empty() && std::isnan(best))
    refuse("search", "settings of which " + out.metric + " is defined", "none");
  return out;
}

}  // namespace

double CrossValidation::mean(std::string_view metric) const {
  const std::vector<double> values = defined(*this, metric);
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? kNone : sum / static_cast<double>(values.size());
}

double CrossValidation::standard_deviation(std::string_view metric) const {
  const std::vector<double> values = defined(*this, metric);
  if (values.size() < 2) return kNone;
  const double centre = mean(metric);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

CrossValidation cross_validate(const data::Estimator& estimator, const data::Pipeline& steps, const data::Table& table,
                               const std::string& target, const CrossValidateOptions& options) {
  return run(estimator, steps, table, target, options, 0).held_out;
}

CrossValidation cross_validate(const Unsupervised& model, const data::Pipeline& steps, const data::Table& table,
                               const CrossValidateOptions& options) {
  check(options);
  if (options.metric.value)
    refuse("cross_validate", "no metric of one's own of a model without a target", "\"" + options.metric.name + "\"");
  if (model.metric().empty()) {
    refuse("cross_validate", "a model with a score of rows",
           tern::internal::class_name(model.type()) + ", which has none");
  }
  const tern::internal::FewWarnings few;
  const Rows rows = rows_of(table, "", options);
  CrossValidation out;
  out.metrics = {std::string(model.metric())};
  for (int repeat = 0; repeat < options.repeats; ++repeat) {
    const data::KFoldOptions how = folds_of("", options, repeat);
    const std::vector<data::Fold> folds = data::k_fold(table, how);
    for (std::size_t k = 0; k < folds.size(); ++k) {
      const data::Fold& fold = folds[k];
      saying(fold_text(k, folds.size(), options, repeat), [&] {
        data::Pipeline pipeline = steps;
        const data::Table train = pipeline.fit_transform_table(rows.features.take(fold.train), "", {.seed = how.seed});
        const std::unique_ptr<Unsupervised> fitted = model.clone();
        fitted->fit(with_weights(train, rows, options, fold.train), {.weights = options.weights});
        const std::vector<double> scores =
            fitted->score(pipeline.transform_table(rows.features.take(fold.validation), {.scoring = true}));
        const std::vector<double> weights = at(rows.weights, fold.validation);
        data::internal::check_weights("cross_validate", weights, std::ssize(scores));
        double sum = 0, total = 0;
        for (std::size_t i = 0; i < scores.size(); ++i) {
          const double weight = weights.empty() ? 1 : weights[i];
          sum += weight * scores[i];
          total += weight;
        }
        out.scores.push_back({sum / total});
        if (repeat == 0) place(scores, fold.validation, table.rows(), out.predictions);
      });
    }
  }
  return out;
}

std::vector<LearningPoint> learning_curve(const data::Estimator& estimator, const data::Pipeline& steps,
                                          const data::Table& table, const std::string& target,
                                          const std::vector<double>& shares, const CrossValidateOptions& options) {
  const tern::internal::FewWarnings few;
  std::vector<LearningPoint> points;
  for (const double share : shares) {
    if (!(share > 0 && share <= 1)) refuse("learning_curve", "shares in (0, 1]", tern::internal::number_text(share));
    points.push_back(run(estimator, steps, table, target, options, share));
  }
  return points;
}

Search grid_search(const MakeEstimator& make, const std::vector<GridAxis>& axes, const data::Pipeline& steps,
                   const data::Table& table, const std::string& target, const SearchOptions& options) {
  std::vector<Settings> all{{}};
  for (const GridAxis& axis : axes) {
    if (axis.values.empty()) refuse("grid_search", "values of \"" + axis.name + "\"", "none");
    std::vector<Settings> more;
    for (const Settings& before : all) {
      for (const double value : axis.values) {
        more.push_back(before);
        more.back().emplace_back(axis.name, value);
      }
    }
    all = std::move(more);
  }
  return search(make, std::move(all), steps, table, target, options);
}

Search random_search(const MakeEstimator& make, const std::vector<RandomAxis>& axes, int trials,
                     const data::Pipeline& steps, const data::Table& table, const std::string& target,
                     const SearchOptions& options) {
  if (trials < 1) refuse("random_search", "trials of at least 1", std::to_string(trials));
  for (const RandomAxis& axis : axes) {
    if (!(axis.low <= axis.high) || !std::isfinite(axis.low) || !std::isfinite(axis.high) ||
        (axis.log && axis.low <= 0)) {
      refuse("random_search", axis.log ? "0 < low <= high" : "low <= high",
             tern::internal::number_text(axis.low) + " and " + tern::internal::number_text(axis.high) + " of \"" +
                 axis.name + "\"");
    }
    if (!std::isfinite(axis.high - axis.low)) {
      refuse("random_search", "a finite distance from low to high",
             tern::internal::number_text(axis.low) + " and " + tern::internal::number_text(axis.high) + " of \"" +
                 axis.name + "\"");
    }
    if (axis.whole && std::ceil(axis.low) > std::floor(axis.high)) {
      refuse("random_search", "a whole number from low to high",
             tern::internal::number_text(axis.low) + " and " + tern::internal::number_text(axis.high) + " of \"" +
                 axis.name + "\"");
    }
  }
  const Philox philox(options.validation.seed, kSearchStream);
  std::vector<Settings> all;
  std::uint64_t draw = 0;
  for (int trial = 0; trial < trials; ++trial) {
    Settings settings;
    for (const RandomAxis& axis : axes) {
      const double u = philox.uniform(draw++);
      const double low = axis.whole ? std::ceil(axis.low) : axis.low;
      const double most = axis.whole ? std::floor(axis.high) : axis.high, high = axis.whole ? most + 1 : most;
      double value = axis.log ? std::exp(std::log(low) + u * (std::log(high) - std::log(low))) : low + u * (high - low);
      if (axis.whole) value = std::floor(value);
      settings.emplace_back(axis.name, std::clamp(value, low, most));
    }
    all.push_back(std::move(settings));
  }
  return search(make, std::move(all), steps, table, target, options);
}

}  // namespace tern::models
