#include "tern/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <set>
#include <span>
#include <type_traits>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "checkpoint.h"
#include "data/rows.h"
#include "optim/fields.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/random.h"
#include "tern/data/estimator.h"
#include "tern/metrics/binary.h"
#include "tern/metrics/multiclass.h"
#include "tern/metrics/regression.h"
#include "tern/optim/clip.h"
#include "tern/tensor/creation.h"

namespace tern::train {
namespace {

using Clock = std::chrono::steady_clock;

// Rows of a forward pass without a tape; bounds its memory.
constexpr std::int64_t predict_rows = 1024;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool higher_is_better(std::string_view figure) {
  const std::string_view name = figure.substr(figure.rfind('/') + 1);
  return name == "auroc" || name == "average_precision" || name == "accuracy" || name == "r2";
}

struct ConcludeOptions {
  std::uint64_t seed = 0;
  int bootstrap = 1000;
  std::span<const std::int64_t> groups = {};
};

using Figures = std::vector<std::pair<std::string, double>>;

Figures validation_figures(const Task& task, const std::vector<double>& predictions, const data::Column& target) {
  if (task.kind() == TaskKind::regression) {
    const std::vector<double> truth = target.numeric();
    return {{"validation/rmse", metrics::root_mean_squared_error(predictions, truth)},
            {"validation/mae", metrics::mean_absolute_error(predictions, truth)},
            {"validation/r2", metrics::r2(predictions, truth)}};
  }
  const std::vector<std::uint8_t> labels = task.labels(target);
  if (task.kind() == TaskKind::multiclass) {
    const std::vector<std::int64_t> wide(labels.begin(), labels.end());
    const auto decided = metrics::most_probable(predictions, task.outputs());
    return {{"validation/log_loss", metrics::log_loss(predictions, wide)},
            {"validation/accuracy", metrics::confusion_matrix(decided, wide, task.outputs()).accuracy()}};
  }
  return {{"validation/log_loss", metrics::log_loss(predictions, labels, task.row_weights(target))},
          {"validation/auroc", metrics::auroc(predictions, labels)},
          {"validation/average_precision", metrics::average_precision(predictions, labels)},
          {"validation/brier", metrics::brier(predictions, labels)}};
}

double figure(const Figures& figures, const std::string& name) {
  std::string known;
  for (const auto& [key, value] : figures) {
    if (key == name) return value;
    known += (known.empty() ? "" : ", ") + key;
  }
  throw ValueError("[trainer] expected monitor to be one of " + known + ", got \"" + name + "\"");
}

std::vector<Tensor> copies(const std::vector<Tensor>& tensors) {
  const NoGrad no_grad;
  std::vector<Tensor> result;
  result.reserve(tensors.size());
  for (const Tensor& t : tensors) result.push_back(t.clone());
  return result;
}

void put_back(const std::vector<Tensor>& from, std::vector<Tensor>& into) {
  const NoGrad no_grad;
  for (std::size_t i = 0; i < from.size(); ++i) into[i].copy_(from[i]);
}

// Chooses the thresholds and writes the report on validation rows, for predictions of them.
void conclude(Fitted& fitted, const std::vector<double>& predictions, const data::Dataset& validation,
              std::vector<std::int64_t> train_rows, const ConcludeOptions& options) {
  const Clock::time_point begin = Clock::now();
  if (fitted.task.kind() == TaskKind::binary) {
    fitted.task.set_threshold(
        metrics::choose_threshold(fitted.task.threshold_rule(), predictions, fitted.task.labels(validation.target())));
  }
  choose_thresholds(fitted.baselines, fitted.task, validation);
  fitted.report = judge(fitted.task, predictions, validation, fitted.baselines,
                        {.rows_name = "validation",
                         .note = "used for selection",
                         .resamples = options.bootstrap,
                         .seed = options.seed,
                         .groups = options.groups});
  fitted.train_rows = std::move(train_rows);
  fitted.validation_rows = validation.row_ids();
  fitted.report_seconds = since(begin);
}

// Everything that a run carries from epoch to epoch.
class Run {
 public:
  Run(const TrainerOptions& options, nn::Module& model, data::Dataset training, data::Dataset validation)
      : options_(options),
        model_(model),
        training_(std::move(training)),
        validation_(std::move(validation)),
        parameters_(model.to(options.device).parameters()),
        start_(Clock::now()) {
    prepare();
  }

  Fitted go() {
    while (!ended_ && fitted_.history.size() < static_cast<std::size_t>(options_.max_epochs)) one_epoch();
    if (options_.early_stopping && !state_.best.empty()) put_back(state_.best, parameters_);
    model_.eval();
    model_.to(cpu());
    return finish();
  }

 private:
  void prepare() {
    const auto need = [](bool holds, const std::string& message) {
      if (!holds) throw ValueError("[trainer] expected " + message);
    };
    need(options_.batch_size > 0, "batch_size above 0, got " + std::to_string(options_.batch_size));
    need(options_.accumulate > 0, "accumulate above 0, got " + std::to_string(options_.accumulate));
    need(options_.max_epochs > 0, "max_epochs above 0, got " + std::to_string(options_.max_epochs));
    need(options_.max_seconds >= 0,
         "max_seconds of 0 or more, got " + tern::internal::number_text(options_.max_seconds));
    need(options_.clip_norm >= 0, "clip_norm of 0 or more, got " + tern::internal::number_text(options_.clip_norm));
    need(!options_.early_stopping || options_.early_stopping->patience > 0, "early stopping's patience above 0");
    need(!options_.resume || !options_.checkpoint.empty(), "a checkpoint file to resume from, got none");
    need(training_.rows() > 0 && validation_.rows() > 0, "training and validation rows, got none");
    need(!options_.drop_last || training_.rows() >= options_.batch_size, "a batch of training rows, got fewer");
    need(!parameters_.empty(), "a model with parameters, got none");
    need(options_.groups.empty() || static_cast<std::int64_t>(options_.groups.size()) == validation_.rows(),
         "a group for each validation row, or none");
    task_ = options_.task;
    task_.fit(training_.target());
    training_.set("y", task_.encode(training_.target()));
    validation_.set("y", task_.encode(validation_.target()));
    optimizer_ = make_optimizer();
    base_rate_ = optimizer_->lr();
    fitted_.baselines = options_.baselines.prior.empty() ? fit_baselines(task_, training_) : options_.baselines;
    if (options_.plateau) {
      optim::PlateauOptions rule = options_.plateau->rule;
      rule.maximize = higher_is_better(options_.plateau->monitor);
      plateau_.emplace(rule);
    }
    const bool initial = options_.early_stopping && options_.early_stopping->initial;
    Epoch before;
    if (initial) before = judge_initial();
    resume();
    if (initial && fitted_.history.empty()) call_back(before);
  }

  // Groups of their own for what weight decay leaves alone.
  std::unique_ptr<optim::Optimizer> make_optimizer() const {
    if (options_.decay_biases) return optim::make_optimizer(options_.optimizer, parameters_);
    std::vector<Tensor> matrices, vectors;
    for (const Tensor& p : parameters_) (p.dim() < 2 ? vectors : matrices).push_back(p);
    const auto make = [&]<class Options>(const Options& decayed) -> std::unique_ptr<optim::Optimizer> {
      std::vector<optim::ParameterGroup<Options>> groups;
      if (!matrices.empty()) groups.push_back({matrices, decayed});
      if (!vectors.empty()) groups.push_back({vectors, decayed});
      if (!vectors.empty()) groups.back().options.weight_decay = 0;
      return std::make_unique<optim::ElementwiseOptimizer<Options>>(groups);
    };
    return optim::internal::visit(options_.optimizer, make);
  }

  void resume() {
    if (options_.checkpoint.empty()) return;
    identity_ = run_identity(options_, task_, model_, training_, validation_);
    if (options_.resume &&
        load_checkpoint(options_.checkpoint, identity_, model_, *optimizer_, state_, fitted_.history)) {
      fitted_.resumable = true;
      log(LogLevel::info, "resumed after epoch " + std::to_string(fitted_.history.size()));
      ended_ = state_.stopped;
      for (const Epoch& epoch : fitted_.history) watch_plateau(epoch);
      if (ended_) fitted_.stopped = StopReason::early_stopping;
    }
  }

  Epoch judge_initial() {
    Epoch before{
        .train_loss = std::numeric_limits<double>::quiet_NaN(),
        .figures = validation_figures(task_, train::predict(model_, task_, validation_), validation_.target())};
    fitted_.initial = before.figures;
    judge_epoch(before);
    return before;
  }

  void call_back(const Epoch& epoch) {
    for (const EpochCallback& callback : options_.callbacks) {
      if (!callback(epoch) && !ended_) end(StopReason::requested);
    }
  }

  void one_epoch() {
    const Clock::time_point begin = Clock::now();
    Epoch epoch;
    epoch.epoch = static_cast<int>(fitted_.history.size()) + 1;
    data::Loader loader(training_, {.batch_size = options_.batch_size,
                                    .shuffle = true,
                                    .device = options_.device,
                                    .seed = options_.seed,
                                    .drop_last = options_.drop_last});
    loader.set_epoch(epoch.epoch - 1);
    const std::int64_t batches = loader.batches();
    const std::int64_t total = (batches + options_.accumulate - 1) / options_.accumulate * options_.max_epochs;
    std::int64_t taken = 0;
    std::vector<data::Batch> group;  // of one step
    double loss_sum = 0;
    std::int64_t rows = 0;
    model_.train();
    for (const data::Batch& batch : loader) {
      group.push_back(batch);
      if (++taken < batches && std::ssize(group) < options_.accumulate) continue;
      if (options_.stop_requested && options_.stop_requested()) return end(StopReason::requested);
      if (options_.max_seconds > 0 && since(start_) >= options_.max_seconds) return end(StopReason::max_time);
      const double scheduled = optim::learning_rate(options_.schedule, base_rate_, state_.steps, total);
      optimizer_->set_lr(plateau_ ? scheduled * plateau_->ratio() : scheduled);
      const double loss = one_step(group, epoch.epoch);
      const std::int64_t step_rows = rows_of(group);
      loss_sum += loss * static_cast<double>(step_rows);
      rows += step_rows;
      group.clear();
      ++state_.steps;
      report_progress(
          {.stage = "train", .done = state_.steps, .total = total, .unit = "steps", .seconds = since(start_)});
    }
    epoch.steps = state_.steps;
    epoch.learning_rate = optimizer_->lr();
    epoch.train_loss = rows > 0 ? loss_sum / static_cast<double>(rows) : 0;
    epoch.figures = validation_figures(task_, train::predict(model_, task_, validation_), validation_.target());
    judge_epoch(epoch);
    watch_plateau(epoch);
    epoch.seconds = since(begin);
    fitted_.epoch_seconds += epoch.seconds;
    fitted_.history.push_back(epoch);
    if (!options_.checkpoint.empty()) {
      save_checkpoint(options_.checkpoint, identity_, model_, *optimizer_, state_, fitted_.history);
      saved_ = fitted_.resumable = true;
    }
    call_back(epoch);
  }

  static std::int64_t rows_of(const std::vector<data::Batch>& group) {
    std::int64_t rows = 0;
    for (const data::Batch& batch : group) rows += batch.rows();
    return rows;
  }

  double one_step(const std::vector<data::Batch>& group, int epoch) {
    // Each step draws from its own stream, so a resumed run and a replayed step see the same masks.
    const Generator generator{.seed = options_.seed, .stream = static_cast<std::uint64_t>(state_.steps) + 1};
    const GeneratorScope scope(generator);
    optimizer_->zero_grad();
    const double rows = static_cast<double>(rows_of(group));
    double value = 0;
    for (const data::Batch& batch : group) {
      const double share = static_cast<double>(batch.rows()) / rows;
      const Tensor loss = compute_loss(batch);
      value += share * loss.item<double>();
      if (!std::isfinite(value)) explain(group, generator, epoch, "the loss is " + tern::internal::number_text(value));
      (group.size() == 1 ? loss : loss * share).backward();
    }
    // Also where nothing is clipped: a gradient beyond the range would only show in the next step's loss.
    const double most = options_.clip_norm > 0 ? options_.clip_norm : std::numeric_limits<double>::infinity();
    const double norm = optim::clip_grad_norm(parameters_, most);
    if (!std::isfinite(norm))
      explain(group, generator, epoch, "the gradient's norm is " + tern::internal::number_text(norm));
    optimizer_->step();
    return value;
  }

  Tensor compute_loss(const data::Batch& batch) {
    return options_.step ? options_.step(model_, batch) : task_.loss(model_(batch.x()), batch.y());
  }

  // Runs a step that went wrong again, with every op checked, to name the first op that made a NaN.
  [[noreturn]] void explain(const std::vector<data::Batch>& group, const Generator& generator, int epoch,
                            const std::string& what) {
    if (saved_ && !options_.resume) std::remove(options_.checkpoint.c_str());  // this run's own, which leads nowhere
    const std::string place = "[trainer] step " + std::to_string(state_.steps) + " (epoch " + std::to_string(epoch) +
                              "): expected finite numbers, but " + what;
    try {
      const GeneratorScope scope(generator);
      const AnomalyMode anomaly;
      for (const data::Batch& batch : group) compute_loss(batch).backward();
    } catch (const NumericError& error) {
      throw NumericError(place + "; " + error.what());
    }
    throw NumericError(place + "; no op made a NaN, so a value grew beyond the range: lower the learning rate");
  }

  void judge_epoch(Epoch& epoch) {
    if (!options_.early_stopping) {
      fitted_.best_epoch = epoch.epoch;
      return;
    }
    const EarlyStopping& rule = *options_.early_stopping;
    const double value = figure(epoch.figures, rule.monitor);
    const double cost = higher_is_better(rule.monitor) ? -value : value;
    if (std::isfinite(cost) && (state_.best.empty() || cost < state_.best_cost - rule.min_delta)) {
      state_.best_cost = cost;
      state_.best_epoch = epoch.epoch;
      state_.best = copies(parameters_);
      epoch.best = true;
    } else if (epoch.epoch - state_.best_epoch >= rule.patience) {
      end(StopReason::early_stopping);
      state_.stopped = true;
    }
  }

  // Its state is that of the history, and needs no place in a checkpoint.
  void watch_plateau(const Epoch& epoch) {
    if (plateau_) plateau_->step(figure(epoch.figures, options_.plateau->monitor));
  }

  void end(StopReason reason) {
    ended_ = true;
    fitted_.stopped = reason;
  }

  Fitted finish() {
    if (options_.early_stopping) fitted_.best_epoch = state_.best_epoch;
    fitted_.task = task_;
    conclude(fitted_, train::predict(model_, task_, validation_), validation_, training_.row_ids(),
             {.seed = options_.seed, .bootstrap = options_.bootstrap, .groups = options_.groups});
    fitted_.settings = settings_json(options_);
    fitted_.seconds = since(start_);
    return std::move(fitted_);
  }

  const TrainerOptions& options_;
  nn::Module& model_;
  data::Dataset training_, validation_;
  std::vector<Tensor> parameters_;
  Clock::time_point start_;
  Task task_{};
  std::unique_ptr<optim::Optimizer> optimizer_;
  double base_rate_ = 0;
  std::optional<optim::ReduceOnPlateau> plateau_{};
  std::string identity_;
  RunState state_{};
  Fitted fitted_{};
  bool ended_ = false;
  bool saved_ = false;  ///< the checkpoint file is of this run
};

}  // namespace

Trainer::Trainer(TrainerOptions options) : options_(std::move(options)) {}

Fitted Trainer::fit(nn::Module& model, data::Dataset training, data::Dataset validation) {
  return Run(options_, model, std::move(training), std::move(validation)).go();
}

Fitted fit_logistic_model(nn::Linear& model, Task task, const data::Dataset& training, const data::Dataset& validation,
                          const LogisticModelOptions& options) {
  if (task.kind() != TaskKind::binary) throw ValueError("[fit_logistic_model] expected a binary task, got another");
  if (model.weight.shape() != Shape{1, training.width()} || !model.bias.defined()) {
    throw ShapeError("[fit_logistic_model] expected a Linear from " + std::to_string(training.width()) +
                     " features to 1 with a bias, got weight " + to_string(model.weight.shape()));
  }
  const Clock::time_point start = Clock::now();
  Fitted fitted;
  fitted.task = std::move(task);
  fitted.task.fit(training.target());
  fitted.baselines = fit_baselines(fitted.task, training);
  const Logistic logistic =
      fit_logistic(training.features(), fitted.task.labels(training.target()),
                   {.inverse_penalty = options.inverse_penalty, .weights = fitted.task.row_weights(training.target())});
  {
    const NoGrad no_grad;
    model.weight.copy_(from_vector(logistic.coefficients, {1, training.width()}));
    model.bias.copy_(from_vector(std::vector<double>{logistic.intercept}));
  }
  conclude(fitted, predict(model, fitted.task, validation), validation, training.row_ids(),
           {.seed = options.seed, .bootstrap = options.bootstrap, .groups = options.groups});
  fitted.settings = internal::json_text(internal::OrderedJson{{"solver", "newton"}, {"C", options.inverse_penalty}});
  fitted.seconds = since(start);
  return fitted;
}

Fitted fit_estimator(data::Estimator& estimator, Task task, const data::Table& training, const data::Table& validation,
                     const EstimatorOptions& options) {
  const auto fail = [](const std::string& expected, const std::string& got) {
    throw ValueError("[fit_estimator] expected " + expected + ", got " + got);
  };
  const bool classes = task.kind() != TaskKind::regression;
  if (estimator.classifies() != classes) {
    fail(std::string("an estimator of ") + (classes ? "classes" : "values") + " for the task",
         std::string(estimator.type()) + " of " + (classes ? "values" : "classes"));
  }
  if (classes && !estimator.has_probability()) {
    fail("an estimator with probabilities",
         std::string(estimator.type()) + " without; models::Calibrated gives them, soft votes do in Voting");
  }
  if (training.rows() == 0 || validation.rows() == 0) fail("training and validation rows", "none");
  if (!options.groups.empty() && static_cast<std::int64_t>(options.groups.size()) != validation.rows()) {
    fail("a group for each validation row, or none", std::to_string(options.groups.size()));
  }
  data::internal::check_weights("fit_estimator", options.weights, training.rows());
  const Clock::time_point start = Clock::now();
  Fitted fitted;
  fitted.task = std::move(task);
  const data::Column& target = training.column(fitted.task.target());
  fitted.task.fit(target);

  data::Table rows = training;
  data::TableFit how;
  if (estimator.takes_validation()) how.validation = validation;
  std::vector<double> weights = fitted.task.row_weights(target);
  for (std::size_t i = 0; i < std::min(weights.size(), options.weights.size()); ++i) weights[i] *= options.weights[i];
  if (weights.empty()) weights = options.weights;
  if (!weights.empty()) {
    how.weights = "weight";
    while (rows.has(how.weights) || validation.has(how.weights)) how.weights += '_';
    rows.add(how.weights, data::Column::from_f64(weights));
    if (how.validation) {
      weights = fitted.task.row_weights(validation.column(fitted.task.target()));
      if (weights.empty()) weights = std::vector<double>(static_cast<std::size_t>(validation.rows()), 1.0);
      how.validation->add(how.weights, data::Column::from_f64(weights));
    }
  }
  estimator.fit(rows, fitted.task.target(), how);
  const Clock::time_point learned = Clock::now();
  fitted.baselines = fit_baselines(fitted.task, training);  // after: a limit on the estimator's time is none on theirs
  conclude(fitted, predict(estimator, fitted.task, validation),
           baseline_rows(fitted.baselines, fitted.task, validation), training.row_ids(),
           {.seed = options.seed, .bootstrap = options.bootstrap, .groups = options.groups});
  fitted.report_seconds = since(learned);
  fitted.settings = internal::json_text(internal::OrderedJson{{"estimator", estimator.type()}});
  fitted.seconds = since(start);
  return fitted;
}

std::vector<double> predict(nn::Module& model, const Task& task, const data::Dataset& dataset) {
  const NoGrad no_grad;
  model.eval();
  std::vector<double> predictions;
  const Tensor& x = dataset.x();
  const std::vector<Tensor> parameters = model.parameters();
  const Device device = parameters.empty() ? cpu() : parameters[0].device();
  for (std::int64_t begin = 0; begin < dataset.rows(); begin += predict_rows) {
    const Tensor rows = x.slice(0, begin, std::min(dataset.rows(), begin + predict_rows));
    const std::vector<double> part = task.predict(model(rows.to(device)));
    predictions.insert(predictions.end(), part.begin(), part.end());
  }
  return predictions;
}

std::vector<double> predict(const data::Estimator& estimator, const Task& task, const data::Table& features) {
  if (task.kind() == TaskKind::regression) return estimator.predict(features);
  std::vector<double> given = estimator.predict_probability(features);
  const bool binary = task.kind() == TaskKind::binary;
  if (estimator.classes() == task.classes() && (binary || task.classes().size() != 2)) return given;
  std::vector<std::string> from;  // the estimator's classes, spelled as the task does
  try {
    for (const std::uint8_t label : task.labels(data::Column::from_strings(estimator.classes()))) {
      from.push_back(task.classes()[label]);
    }
  } catch (const DataError& error) {
    throw ValueError("[predict] expected classes of the task of the estimator: " + error.message());
  }
  if (const std::set<std::string> distinct(from.begin(), from.end());
      distinct.size() != from.size() || (binary && from.size() != 2)) {
    throw ValueError("[predict] expected an estimator of " + std::string(binary ? "two " : "distinct ") +
                     "classes, got " + std::to_string(distinct.size()) + " under " + std::to_string(from.size()) +
                     " names");
  }
  std::vector<double> values = data::internal::in_classes(std::move(given), from, task.classes());
  if (binary || task.classes().size() != 2) return values;
  std::vector<double> both;  // of two classes an estimator gives the probability of the second alone
  for (const double p : values) both.insert(both.end(), {1 - p, p});
  return both;
}

}  // namespace tern::train
