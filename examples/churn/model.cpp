#include "model.h"

#include "journey.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

using namespace tern;

data::Pipeline make_pipeline(const std::vector<std::string>& left_out, const Formats& booleans) {
  return data::Pipeline({data::drop(data::columns(left_out)),
                         // runs row by row when serving too
                         data::normalize_formats({.formats = booleans, .find_formats = false}),
                         data::missing_indicator(data::numeric() | data::timestamp()),  // one for all parts of a date
                         data::date_parts(data::timestamp()), data::impute(data::numeric(), data::Fill::median),
                         data::standardize(data::numeric()),
                         data::one_hot(data::categorical() | data::text(), {.min_count = min_level_rows})});
}

data::Pipeline make_cleaning(const std::vector<std::string>& left_out, const Formats& booleans) {
  return data::Pipeline({data::drop(data::columns(left_out)),
                         data::normalize_formats({.formats = booleans, .find_formats = false}),
                         data::date_parts(data::timestamp())});
}

std::string reason(train::StopReason stopped, const std::string& last) {
  switch (stopped) {
    case train::StopReason::max_epochs:
      return last;
    case train::StopReason::early_stopping:
      return "early stopping";
    case train::StopReason::max_time:
      return "the time limit";
    case train::StopReason::requested:
      return "an interrupt";
  }
  return "";
}

std::string figures_text(const train::Fitted& fitted) {
  return fitted.report.model.binary.no_intervals.empty() ? "figures, with intervals by bootstrap"
                                                         : "figures, without intervals";
}

namespace {

constexpr const char* best_is_0 = "the model is the logistic regression it begins as";

// Rows a batch: the power of two nearest to a 32nd of the rows, from 32 to 512.
std::int64_t batch_size(std::int64_t rows) {
  const double power = std::round(std::log2(static_cast<double>(rows) / 32));
  return static_cast<std::int64_t>(std::exp2(std::clamp(power, 5.0, 9.0)));
}

constexpr std::int64_t hidden[] = {64, 32};  // units of the network's layers

// A linear model beside a small network whose last layer starts at zero: before its first step it is the logistic
// regression, and it learns what that leaves over (Wide & Deep, arXiv 1606.07792).
std::unique_ptr<nn::Module> make_mlp(std::int64_t width, const train::Logistic& start, std::uint64_t seed) {
  manual_seed(seed);
  nn::Linear wide(width, 1), last(hidden[1], 1);
  const NoGrad no_grad;
  wide.weight.copy_(from_vector(start.coefficients, {1, width}));
  wide.bias.fill_(start.intercept);
  last.weight.zero_();
  last.bias.zero_();
  nn::Sequential deep(nn::Linear(width, hidden[0]), nn::Relu(), nn::Dropout(0.3), nn::Linear(hidden[0], hidden[1]),
                      nn::Relu(), nn::Dropout(0.3), std::move(last));
  return std::make_unique<nn::Sum>(std::move(wide), std::move(deep));
}

// What the table of epochs shows, and its heading.
void print_epochs_heading(std::int64_t validation_rows, bool balanced) {
  std::printf(
      "  * the best epoch so far, whose weights are kept. Epoch 0 is the logistic regression that the network begins "
      "as; a\n"
      "  later one is better when the log loss, summed over %lld validation rows, falls more than %g nats (%.2g a row) "
      "below\n"
      "  that of the best so far. The train loss is with dropout.\n"
      "%s"
      "             train  validation\n"
      "              loss  log loss   AUROC  avg. precision   Brier\n",
      static_cast<long long>(validation_rows), least_gain, least_gain / static_cast<double>(validation_rows),
      balanced ? balanced_losses : "");
  std::fflush(stdout);
}

// All of the first twenty epochs, then every tenth and those that are best.
bool print_epoch(const train::Epoch& epoch) {
  if (epoch.epoch > 20 && epoch.epoch % 10 != 0 && !epoch.best) return true;
  if (epoch.epoch == 0) {
    std::printf("  epoch   0       -");  // no step was taken, so there is no train loss
  } else {
    std::printf("  epoch %3d  %6.4f", epoch.epoch, epoch.train_loss);
  }
  for (std::size_t i = 0; i < epoch.figures.size(); ++i) {
    constexpr int widths[] = {10, 8, 16, 8};
    std::printf("%*.4f", widths[i], epoch.figures[i].second);
  }
  std::printf("%s\n", epoch.best ? " *" : "");
  std::fflush(stdout);
  return true;
}

}  // namespace

Trained train_model(const TrainOptions& options, const train::Task& task, const TrainingRows& given, Journey& journey) {
  if (options.model == "gbdt") return train_trees(options, task, given, journey);
  const data::Dataset &training = given.training, &validation = given.validation;
  Trained trained;
  if (options.model == "logistic") {
    auto linear = std::make_unique<nn::Linear>(training.width(), 1);
    trained.fitted = train::fit_logistic_model(*linear, task, training, validation,
                                               {.seed = options.seed, .groups = given.validation_groups});
    trained.model = std::move(linear);
    trained.summary = "logistic regression, to its optimum";
    trained.details = {{"model", "logistic"}, {"features", training.width()}};
    journey.done("train", trained.summary, journey.seconds() - trained.fitted.report_seconds);
    journey.done("report", figures_text(trained.fitted));
    return trained;
  }
  train::Task fitted_task = task;
  fitted_task.fit(training.target());  // the weights of --balanced are those of the training rows
  const train::Baselines baselines = train::fit_baselines(fitted_task, training);
  trained.model = make_mlp(training.width(), baselines.logistic, options.seed);
  journey.done("start", "a network that begins as the logistic regression");

  const std::int64_t rows = training.rows();
  const std::int64_t batch = std::min(rows, batch_size(rows));
  const int epochs = std::max(40, static_cast<int>((1000 + rows / batch - 1) / (rows / batch)));
  optim::ScheduleOptions schedule{.kind = optim::Schedule::cosine, .warmup_fraction = 0.05};
  const train::TrainerOptions recipe{
      .task = task,
      .optimizer = optim::AdamWOptions{.lr = 2e-3, .weight_decay = 1.0},
      .schedule = std::move(schedule),
      .batch_size = batch,
      .max_epochs = options.max_epochs > 0 ? options.max_epochs : epochs,
      .max_seconds = options.max_time,
      .drop_last = true,
      .decay_biases = false,
      .early_stopping = train::EarlyStopping{.monitor = "validation/log_loss",
                                             .patience = std::max(12, epochs / 4),
                                             .min_delta = least_gain / static_cast<double>(validation.rows()),
                                             .initial = true},
      .seed = options.seed,
      .device = device_from(options.device),
      .callbacks = {print_epoch},
      .stop_requested = interrupted,
      .checkpoint = options.checkpoint(),
      .resume = options.resume,
      .baselines = baselines,
      .groups = given.validation_groups};
  std::error_code ignored;
  const bool unfinished = std::filesystem::exists(recipe.checkpoint, ignored);
  if (options.resume) {
    std::printf("  %s %s\n", unfinished ? "resumes from" : "nothing to resume, trains from the start: there is no",
                recipe.checkpoint.c_str());
  } else if (unfinished) {
    std::printf(
        "  starts anew: %s, of a run that was not finished, is replaced when the first epoch ends (--resume goes on "
        "from it)\n",
        recipe.checkpoint.c_str());
  }
  note_interrupts();
  print_epochs_heading(validation.rows(), options.balanced);
  try {
    trained.fitted = train::Trainer(recipe).fit(*trained.model, training, validation);
  } catch (const FormatError& error) {  // the one file that training reads
    throw FormatError("[churn --resume] " + recipe.checkpoint + ": this checkpoint cannot be read: " + error.what());
  }
  const train::Fitted& fitted = trained.fitted;
  trained.summary = std::to_string(fitted.history.size()) + " epochs, best " + std::to_string(fitted.best_epoch) +
                    (fitted.best_epoch == 0 ? " (" + std::string(best_is_0) + ")" : "") + ", ended by " +
                    reason(fitted.stopped, "the last epoch");
  journey.done("train", trained.summary, fitted.epoch_seconds);
  journey.done("keep", "checkpoints, and making ready", journey.seconds() - fitted.report_seconds);
  nlohmann::ordered_json history = nlohmann::ordered_json::array(), initial = nlohmann::ordered_json::object();
  for (const auto& [name, value] : fitted.initial) initial[name] = value;
  for (const train::Epoch& epoch : fitted.history) {
    nlohmann::ordered_json entry = {
        {"epoch", epoch.epoch}, {"train_loss", epoch.train_loss}, {"seconds", epoch.seconds}};
    for (const auto& [name, value] : epoch.figures) entry[name] = value;
    history.push_back(std::move(entry));
  }
  trained.details = {{"model", "mlp"},
                     {"hidden", hidden},
                     {"features", training.width()},
                     {"rows", rows},
                     {"parameters", trained.model->num_parameters()},
                     {"epochs", fitted.history.size()},
                     {"best_epoch", fitted.best_epoch},
                     {"batch_size", recipe.batch_size},
                     {"stopped", reason(fitted.stopped, "the last epoch")},
                     {"settings", nlohmann::ordered_json::parse(fitted.settings)},
                     {"initial", std::move(initial)},
                     {"history", std::move(history)}};
  if (fitted.best_epoch == 0) trained.details["note"] = "best epoch 0: " + std::string(best_is_0);
  journey.done("report", figures_text(trained.fitted));
  return trained;
}
