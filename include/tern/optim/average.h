#pragma once

#include <cstdint>
#include <vector>

#include "tern/nn/module.h"

namespace tern::optim {

struct AverageOptions {
  enum class Kind : std::uint8_t {
    ema,  ///< average = decay · average + (1 - decay) · weights (Polyak and Juditsky, SIAM J. Control 30, 1992)
    swa   ///< all that were taken count alike (Izmailov et al., arXiv 1803.05407)
  };
  Kind kind = Kind::ema;
  double decay = 0.999;  ///< of ema, in [0, 1)
};

/// Averages of a module's weights as it is trained, for evaluation in their place, as PyTorch's AveragedModel keeps
/// them; the first that are taken are the average as they are. Those of f16 and bf16 are kept in f32. It holds the
/// parameters themselves, not the module.
class TERN_API WeightAverage {
 public:
  /// Throws ValueError on a decay outside its range.
  explicit WeightAverage(const nn::Module& module, const AverageOptions& options = {});

  /// Takes the weights as they stand: after each step of the optimizer for ema, after an epoch for swa. Throws
  /// StateError while swapped in.
  void update();
  /// The times that weights were taken.
  std::int64_t updates() const { return updates_; }

  /// Puts the averages in place of the weights; again: the weights as they were. Parameters keep their identity. Throws
  /// StateError before the first update.
  void swap();
  bool is_swapped() const { return swapped_; }

  /// "n_averaged" (i64) and, after an update, "module.NAME" for each parameter, as copies. Throws StateError while
  /// swapped in.
  nn::NamedTensors state_dict() const;
  /// Takes over what state_dict gave for such a module. Throws FormatError when names, types or shapes differ, and then
  /// nothing is changed; StateError while swapped in.
  void load_state_dict(const nn::NamedTensors& state);

 private:
  AverageOptions options_;
  nn::NamedTensors parameters_;
  std::vector<Tensor> averages_;
  std::vector<Tensor> weights_;  ///< while swapped
  std::int64_t updates_ = 0;
  bool swapped_ = false;
};

/// Has the averages in the module for a scope: `{ Averaged scope(average); evaluate(model); }`.
class TERN_API Averaged {
 public:
  /// Throws StateError before the first update.
  explicit Averaged(WeightAverage& average) : average_(average) { average_.swap(); }
  ~Averaged() { average_.swap(); }
  Averaged(const Averaged&) = delete;
  Averaged& operator=(const Averaged&) = delete;

 private:
  WeightAverage& average_;
};

}  // namespace tern::optim
