#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "journey.h"
#include "model.h"
#include "tern/trees/trees.h"

using namespace tern;

namespace {

constexpr int most_rounds = 2000;  // early stopping ends before
constexpr int patience = 50;       // rounds without a lower validation log loss

void print_rounds_heading(std::int64_t validation_rows, bool balanced) {
  std::printf(
      "  The rounds up to the best one are the model. A later round is better when the log loss, summed over %lld "
      "validation\n"
      "  rows, falls more than %g nats (%.2g a row) below that of the best so far.\n"
      "%s"
      "             validation log loss\n",
      static_cast<long long>(validation_rows), least_gain, least_gain / static_cast<double>(validation_rows),
      balanced ? balanced_losses : "");
}

void print_round(int round, double log_loss) {
  if (round != 1 && round % 20 != 0) return;
  std::printf("  round %4d           %6.4f\n", round, log_loss);
  std::fflush(stdout);
}

// Where the trees do not earn their place beside a simpler predictor, on the rows that chose them; else empty.
std::string not_better(const train::Report& report, bool balanced) {
  const auto rows = static_cast<double>(report.rows);
  std::string said;
  for (const train::Judged& simple : report.baselines) {
    const double gain = rows * (simple.binary.log_loss.value - report.model.binary.log_loss.value);
    if (gain > least_gain || (balanced && simple.name == "prior")) continue;  // which knows the rows' true share
    char text[160];
    std::snprintf(text, sizeof text,
                  "the log loss of the trees, summed over %.0f validation rows, is %.1f nats %s that of the %s", rows,
                  std::abs(gain), gain < 0 ? "above" : "below", simple.name.c_str());
    said = text;
  }
  return said;
}

}  // namespace

Trained train_trees(const TrainOptions& options, const train::Task& task, const TrainingRows& given, Journey& journey) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start;
  train::StopReason stopped = train::StopReason::early_stopping;
  const int rounds = options.max_epochs > 0 ? options.max_epochs : most_rounds;
  trees::GradientBoostingOptions recipe{
      .objective = trees::Objective::binary,
      .rounds = rounds,
      .learning_rate = 0.05,
      .max_leaves = 15,
      .lambda_l2 = 1,
      .subsample = 0.8,
      .colsample_bynode = 0.5,
      .min_level_rows = min_level_rows,
      .early_stopping_rounds = patience,
      .early_stopping_min_delta = least_gain / static_cast<double>(given.validation_table.rows()),
      .seed = options.seed};
  recipe.on_round = [&](int round, double log_loss) {
    print_round(round, log_loss);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (interrupted()) {
      stopped = train::StopReason::requested;
    } else if (options.max_time > 0 && seconds >= options.max_time) {
      stopped = train::StopReason::max_time;
    } else {
      return true;
    }
    return false;
  };
  note_interrupts();
  print_rounds_heading(given.validation_table.rows(), options.balanced);
  auto model = std::make_unique<trees::GradientBoosting>(std::move(recipe));
  Trained trained;
  train::Fitted& fitted = trained.fitted;
  start = Clock::now();
  fitted = train::fit_estimator(*model, task, given.training_table, given.validation_table,
                                {.seed = options.seed, .groups = given.validation_groups});
  const std::vector<double>& history = model->validation_history();
  const trees::Ensemble& ensemble = model->ensemble();
  fitted.best_epoch = ensemble.best_round + 1;
  const bool early = static_cast<int>(history.size()) - fitted.best_epoch >= patience;
  if (stopped == train::StopReason::early_stopping && !early) stopped = train::StopReason::max_epochs;
  fitted.stopped = stopped;
  nlohmann::ordered_json log = nlohmann::ordered_json::array();
  for (std::size_t round = 0; round < history.size(); ++round) {
    fitted.history.push_back({.epoch = static_cast<int>(round) + 1,
                              .train_loss = std::nan(""),
                              .figures = {{"validation/log_loss", history[round]}}});
    log.push_back(history[round]);
  }
  const std::string ended = reason(stopped, "the last round");
  trained.summary =
      std::to_string(history.size()) + " rounds, best " + std::to_string(fitted.best_epoch) + ", ended by " + ended;
  journey.done("train", trained.summary, journey.seconds() - fitted.report_seconds);
  trained.details = {{"model", "gbdt"},
                     {"features", ensemble.features.size()},
                     {"rows", given.training_table.rows()},
                     {"rounds", history.size()},
                     {"best_round", fitted.best_epoch},
                     {"stopped", ended},
                     {"settings", nlohmann::ordered_json::parse(model->state().json)["options"]},
                     {"validation_log_loss", std::move(log)}};
  if (const std::string said = not_better(fitted.report, options.balanced); !said.empty()) {
    trained.details["note"] = said;
    journey.note(said);
  }
  trained.trees = std::move(model);
  journey.done("report", figures_text(fitted));
  return trained;
}
