#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tern/train/trainer.h"

namespace tern::train {

/// What a run carries beside the model, the optimizer and the history.
struct RunState {
  std::int64_t steps = 0;
  int best_epoch = 0;
  double best_cost = 0;
  std::vector<Tensor> best{};  ///< parameters of the best epoch, in the model's order; empty before it
  bool stopped = false;        ///< early stopping has ended the run
};

/// The options as JSON, without the functions, the files and the limit on time.
std::string settings_json(const TrainerOptions& options);

/// JSON of a SHA-256 each of the settings, the fitted task, the architecture and both data sets (every tensor, the
/// targets, the row ids): a checkpoint of another run is refused, and told what is another.
std::string run_identity(const TrainerOptions& options, const Task& task, const nn::Module& model,
                         const data::Dataset& training, const data::Dataset& validation);

/// Replaces the checkpoint file atomically. Throws FileError.
void save_checkpoint(const std::string& path, const std::string& identity, const nn::Module& model,
                     const optim::Optimizer& optimizer, const RunState& state, const std::vector<Epoch>& history);

/// Takes a run up again; false when there is no file. Throws StateError when it belongs to another run and FormatError
/// when it is damaged, or what it says of itself does not agree; nothing is changed then. Throws FileError.
bool load_checkpoint(const std::string& path, const std::string& identity, nn::Module& model,
                     optim::Optimizer& optimizer, RunState& state, std::vector<Epoch>& history);

}  // namespace tern::train
