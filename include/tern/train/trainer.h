#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"
#include "tern/data/loader.h"
#include "tern/nn/linear.h"
#include "tern/nn/module.h"
#include "tern/optim/optimizers.h"
#include "tern/optim/schedule.h"
#include "tern/optim/scheduler.h"
#include "tern/train/baselines.h"
#include "tern/train/report.h"
#include "tern/train/task.h"

namespace tern::data {
class Estimator;
}

namespace tern::train {

/// Ends training when the monitored figure has not improved for `patience` epochs; the best weights come back.
struct EarlyStopping {
  std::string monitor = "validation/log_loss";  ///< a figure of the history; lower is better for losses and errors
  int patience = 10;                            ///< epochs without improvement, above 0
  double min_delta = 0;                         ///< smaller gains do not count
  /// The weights before the first epoch count as epoch 0: where no epoch gains more than min_delta on them, they are
  /// what training ends with, and `best_epoch` is 0.
  bool initial = false;
};

/// Reduces the learning rate that the schedule gives when the monitored figure stops improving, counted in epochs
/// (optim::ReduceOnPlateau). `maximize` of the rule follows from the figure, and `epsilon` is not looked at.
struct Plateau {
  std::string monitor = "validation/log_loss";  ///< a figure of the history
  optim::PlateauOptions rule{};
};

/// One epoch as it went. With class weights on, validation/log_loss is weighted as the training loss is.
struct Epoch {
  int epoch = 0;                                        ///< 1-based; 0: before the first, without a train loss
  std::int64_t steps = 0;                               ///< optimizer steps so far
  double learning_rate = 0;                             ///< at the epoch's last step
  double train_loss = 0;                                ///< mean over the epoch's batches, dropout on
  std::vector<std::pair<std::string, double>> figures;  ///< "validation/log_loss", "validation/auroc", …
  bool best = false;
  double seconds = 0;
};

enum class StopReason : std::uint8_t { max_epochs, early_stopping, max_time, requested };

/// What a training run leaves behind; the best weights are in the model.
struct Fitted {
  Task task;                   ///< with classes and the threshold chosen on validation
  std::vector<Epoch> history;  ///< from epoch 1 on
  std::vector<std::pair<std::string, double>>
      initial{};       ///< figures of epoch 0, where it counts (EarlyStopping::initial)
  int best_epoch = 0;  ///< 1-based; 0: the weights before the first epoch
  StopReason stopped = StopReason::max_epochs;
  Report report;        ///< validation figures ("used for selection") beside the baselines
  Baselines baselines;  ///< what the report compares with, to be scored again on other rows
  std::vector<std::int64_t> train_rows, validation_rows;  ///< row ids
  double seconds = 0;                                     ///< in all
  double epoch_seconds = 0;                               ///< of the epochs that this call ran, validation included
  double report_seconds =
      0;                   ///< of choosing thresholds, of the baselines beside an estimator, and of writing the report
  std::string settings{};  ///< the trainer's options as JSON
  bool resumable = false;  ///< the checkpoint file is of this run, not of none or of an earlier one
};

/// Called after each epoch, epoch 0 of a new run included where it counts; may ask to stop by returning false.
using EpochCallback = std::function<bool(const Epoch&)>;
/// A user's own training step: the loss of a batch, to run backward.
using StepFunction = std::function<Tensor(nn::Module&, const data::Batch&)>;

struct TrainerOptions {
  Task task{};
  optim::OptimizerOptions optimizer = optim::AdamWOptions{};
  optim::ScheduleOptions schedule{};  ///< of the learning rate over all steps
  std::optional<Plateau> plateau{};   ///< reductions on top of the schedule
  std::int64_t batch_size = 64;
  std::int64_t accumulate = 1;  ///< batches whose gradients, weighed by their rows, are averaged for one step
  int max_epochs = 100;
  double max_seconds = 0;    ///< 0: no limit; checked at each step
  bool drop_last = false;    ///< leave out an epoch's last batch when it is smaller than the others
  bool decay_biases = true;  ///< whether weight decay touches parameters of fewer than two dimensions
  double clip_norm = 0;      ///< gradient clipping by global norm; 0: none
  std::optional<EarlyStopping> early_stopping{};
  std::uint64_t seed = 0;  ///< order of batches and dropout
  Device device{};         ///< where the model trains; it ends on the CPU
  std::vector<EpochCallback> callbacks{};
  std::function<bool()> stop_requested{};  ///< asked at each step; true ends training with the best weights
  StepFunction step{};                     ///< in place of `task.loss(model(batch.x()), batch.y())`
  std::string checkpoint{};                ///< file that is replaced after each epoch; empty: none
  bool resume = false;                     ///< go on from the checkpoint when it is there
  Baselines baselines{};                   ///< of the report; fitted when without a prior
  int bootstrap = 1000;                    ///< resamples behind the report's intervals
  std::vector<std::int64_t> groups{};      ///< of the validation rows, or none: the report resamples whole groups
};

/// The usual loop: mini-batches, loss, backward, clipping, step, schedule, validation, early stopping, checkpoints.
/// The same seed gives the same bits at any thread count, and after any interruption that a checkpoint survived.
class TERN_API Trainer {
 public:
  explicit Trainer(TrainerOptions options);

  /// Trains `model` in place and puts its best weights back. Throws DataError for a target that does not fit,
  /// ShapeError when the model's width does, DeviceError when the device is not there, StateError when the checkpoint
  /// belongs to another run, NumericError when the loss or a gradient is not finite (the step, and the op found by
  /// replaying it in anomaly mode).
  Fitted fit(nn::Module& model, data::Dataset training, data::Dataset validation);

 private:
  TrainerOptions options_;
};

struct LogisticModelOptions {
  double inverse_penalty = 1;          ///< C: the penalty is |w|^2 / (2 C), the bias free
  std::uint64_t seed = 0;              ///< of the report's bootstrap
  int bootstrap = 1000;                ///< resamples behind the report's intervals
  std::vector<std::int64_t> groups{};  ///< of the validation rows, or none: the report resamples whole groups
};

/// Sets `model`, Linear(width, 1), to the optimum of L2-penalised logistic regression (fit_logistic) and reports as a
/// Trainer does. Throws ValueError unless the task is binary, ShapeError when the model's shape differs.
TERN_API Fitted fit_logistic_model(nn::Linear& model, Task task, const data::Dataset& training,
                                   const data::Dataset& validation, const LogisticModelOptions& options = {});

struct EstimatorOptions {
  std::uint64_t seed = 0;              ///< of the report's bootstrap
  int bootstrap = 1000;                ///< resamples behind the report's intervals
  std::vector<std::int64_t> groups{};  ///< of the validation rows, or none: the report resamples whole groups
  /// Of the training rows, or none: `fit` is told of them, times the task's weights of classes. Early stopping,
  /// threshold, baselines and report know none but the latter.
  std::vector<double> weights{};
};

/// Fits an estimator (boosted trees, a classic model) on a table of its features and the target, as
/// `Pipeline::fit_transform_table` gives it, and reports as a Trainer does. Validation rows stop it early where it
/// makes use of them; threshold and report are made on them. Throws as `Task::fit` and `Estimator::fit`, ShapeError for
/// weights of another number of rows, and ValueError for weights that are not finite, below 0 or all 0, when one is of
/// classes and the other of values, or classes come without probabilities (models::Calibrated gives them).
TERN_API Fitted fit_estimator(data::Estimator& estimator, Task task, const data::Table& training,
                              const data::Table& validation, const EstimatorOptions& options = {});

/// Runs `model` over all rows in batches without a tape and gives predictions in the task's terms.
TERN_API std::vector<double> predict(nn::Module& model, const Task& task, const data::Dataset& dataset);
/// The same of an estimator, on a table of its features. Throws ValueError when one of its classes is none of the
/// task's.
TERN_API std::vector<double> predict(const data::Estimator& estimator, const Task& task, const data::Table& features);

}  // namespace tern::train
