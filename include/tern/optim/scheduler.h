#pragma once

#include <cstdint>
#include <vector>

#include "tern/optim/optimizer.h"
#include "tern/optim/schedule.h"

namespace tern::optim {

/// Sets the learning rates of an optimizer step by step: that of each group is its own, as it stood when the scheduler
/// was made, times the factor of the step. For loops of one's own; train::Trainer has a schedule among its options. The
/// optimizer must outlive the scheduler.
class TERN_API Scheduler {
 public:
  /// Sets the rates of step 0. Throws ValueError on an empty factor, or one that gives no rate of at least 0.
  Scheduler(Optimizer& optimizer, Factor factor);

  /// To be called after each step of the optimizer: sets the rates of the next. Throws ValueError as above.
  void step();
  /// The steps so far.
  std::int64_t steps() const { return step_; }

  /// "step" (i64, one number) and "base_lr" (f64, of each group), as copies.
  nn::NamedTensors state_dict() const;
  /// Takes over what state_dict gave and sets the rates. Throws FormatError on another state, and then nothing is
  /// changed.
  void load_state_dict(const nn::NamedTensors& state);

 private:
  void apply(std::int64_t step, const std::vector<double>& base);

  Optimizer& optimizer_;
  Factor factor_;
  std::vector<double> base_;
  std::int64_t step_ = 0;
};

struct PlateauOptions {
  double factor = 0.1;      ///< what a reduction leaves of the learning rate, in (0, 1)
  int patience = 10;        ///< figures without improvement that are borne, at least 0
  double threshold = 1e-4;  ///< improvements below it do not count, at least 0
  bool relative = true;     ///< the threshold is a share of the best figure
  bool maximize = false;    ///< a higher figure is better
  int cooldown = 0;         ///< figures after a reduction that are not counted, at least 0
  double min_ratio = 0;     ///< the least that is left of the learning rate after all reductions, in [0, 1]
  double epsilon = 1e-8;    ///< a rate that would fall by no more stays, at least 0; of an optimizer's rates alone
};

/// Reduces learning rates when a figure stops improving, as PyTorch's ReduceLROnPlateau does. A NaN is no improvement.
/// A Scheduler sets rates anew from its base and would undo that: beside one, let this count alone and multiply the
/// Scheduler's factor by ratio().
class TERN_API ReduceOnPlateau {
 public:
  /// Counts, and leaves it to the caller to use ratio(). Throws ValueError naming an option outside its range.
  explicit ReduceOnPlateau(const PlateauOptions& options);
  /// Reduces the rates of every group of `optimizer`, which must outlive it.
  explicit ReduceOnPlateau(Optimizer& optimizer, const PlateauOptions& options = {});

  /// Takes the figure of an epoch; true when the rates were reduced.
  bool step(double figure);
  /// The product of all reductions.
  double ratio() const { return ratio_; }

  /// "plateau" (f64: best figure, figures without improvement, figures of cooldown left, ratio).
  nn::NamedTensors state_dict() const;
  /// Takes over what state_dict gave; the rates themselves are part of the optimizer's state. Throws FormatError on
  /// another state, and then nothing is changed.
  void load_state_dict(const nn::NamedTensors& state);

 private:
  Optimizer* optimizer_ = nullptr;
  PlateauOptions options_;
  double best_;
  int bad_ = 0, cooling_ = 0;
  double ratio_ = 1;
};

}  // namespace tern::optim
