#pragma once

#include <cstdint>

#include "slot.h"
#include "tern/ops/optimizer_step.h"

// Kernel slots and their arguments: a step of an optimizer in one pass.
namespace tern::kernels {

/// States that a step does without are null.
struct OptimizerArgs {
  std::int64_t numel;
  void* value;
  const void* gradient;
  void* states[3];
};
inline constinit KernelSlot<void(const OptimizerArgs&, const SgdStep&)> sgd{"sgd"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdamStep&)> adam{"adam"};
inline constinit KernelSlot<void(const OptimizerArgs&, const RmspropStep&)> rmsprop{"rmsprop"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdagradStep&)> adagrad{"adagrad"};
inline constinit KernelSlot<void(const OptimizerArgs&, const AdadeltaStep&)> adadelta{"adadelta"};
inline constinit KernelSlot<void(const OptimizerArgs&, const LionStep&)> lion{"lion"};

}  // namespace tern::kernels
