#pragma once

#include <cstdint>

#include "tern/base/export.h"

namespace tern::optim {

/// What the learning rate does after the warm-up.
enum class Schedule : std::uint8_t {
  constant,
  linear,    ///< in equal steps down to min_ratio
  cosine,    ///< along half a cosine down to min_ratio, without restarts (Loshchilov and Hutter, arXiv 1608.03983)
  one_cycle  ///< up and down along half cosines (Smith and Topin, arXiv 1708.07120); knows no other warm-up
};

struct ScheduleOptions {
  Schedule kind = Schedule::constant;
  double min_ratio = 0;           ///< linear, cosine: last learning rate over the base, in [0, 1]
  std::int64_t warmup_steps = 0;  ///< steps that rise in equal parts to the base; or:
  double warmup_fraction = 0;     ///< the same as a share of all steps, in [0, 1], rounded down
  double warmup_start = 0.1;      ///< first learning rate of the warm-up over the base, in (0, 1]
  double rise = 0.3;              ///< one_cycle: share of all steps before the peak, in [0, 1]
  double start_divisor = 25;      ///< one_cycle: peak over the first learning rate, above 0
  double final_divisor = 1e4;     ///< one_cycle: first over the last learning rate, above 0
};

/// Throws ValueError that names the first option outside its range.
TERN_API void check(const ScheduleOptions& options);

/// The learning rate of step `step` of `total_steps`, both counted in optimizer steps from 0: that of PyTorch's
/// LinearLR followed by ConstantLR, LinearLR or CosineAnnealingLR over what is left, or of its OneCycleLR with
/// `base_lr` as the peak. From step `total_steps` on it stays at its last value. Throws ValueError on options outside
/// their ranges, a negative step, or no steps at all.
TERN_API double learning_rate(const ScheduleOptions& options, double base_lr, std::int64_t step,
                              std::int64_t total_steps);

}  // namespace tern::optim
