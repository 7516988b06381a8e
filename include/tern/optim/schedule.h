#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tern/base/export.h"

namespace tern::optim {

/// What the learning rate does after the warm-up. The first five run to the last step; the others go on for ever.
enum class Schedule : std::uint8_t {
  constant,
  linear,           ///< in equal steps down to min_ratio
  cosine,           ///< along half a cosine down to min_ratio (Loshchilov and Hutter, arXiv 1608.03983)
  polynomial,       ///< down to 0 as (1 - t)^power
  one_cycle,        ///< up and down along half cosines (Smith and Topin, arXiv 1708.07120); knows no other warm-up
  step,             ///< times gamma after every `period` steps
  multi_step,       ///< times gamma at each of the milestones
  exponential,      ///< times gamma after each step
  cosine_restarts,  ///< cosine over `period` steps, again and again, each cycle period_factor times as long
};

struct ScheduleOptions {
  Schedule kind = Schedule::constant;
  double min_ratio = 0;            ///< linear, cosine(_restarts): least learning rate over the base, in [0, 1]
  std::int64_t warmup_steps = 0;   ///< steps that rise in equal parts to the base; or:
  double warmup_fraction = 0;      ///< the same as a share of all steps, in [0, 1], rounded down
  double warmup_start = 0.1;       ///< first learning rate of the warm-up over the base, in (0, 1]
  double rise = 0.3;               ///< one_cycle: share of all steps before the peak, in [0, 1]
  double start_divisor = 25;       ///< one_cycle: peak over the first learning rate, above 0
  double final_divisor = 1e4;      ///< one_cycle: first over the last learning rate, above 0
  double gamma = 0.1;              ///< step, multi_step, exponential: factor of a decay, above 0
  double power = 1;                ///< polynomial: exponent, at least 0
  std::int64_t period = 1;         ///< step, cosine_restarts: steps of the (first) period, at least 1
  std::int64_t period_factor = 1;  ///< cosine_restarts: length of a cycle over that before, at least 1
  std::vector<std::int64_t> milestones = {};  ///< multi_step: steps counted from the warm-up, in ascending order
};

/// Throws ValueError that names the first option outside its range.
TERN_API void check(const ScheduleOptions& options);

/// The learning rate of step `step` of `total_steps`, both counted in optimizer steps from 0: that of PyTorch's
/// LinearLR followed by its scheduler of the kind over what is left, or of its OneCycleLR with `base_lr` as the peak.
/// The kinds that run to the last step keep their last value from `total_steps` on. Throws ValueError on options
/// outside their ranges, a negative step, or no steps at all.
TERN_API double learning_rate(const ScheduleOptions& options, double base_lr, std::int64_t step,
                              std::int64_t total_steps);

/// The learning rate over its base at each step, counted from 0. Any function will do: PyTorch's LambdaLR.
using Factor = std::function<double(std::int64_t step)>;

/// That of `options` over `total_steps`, which only the kinds that run to the last step and warmup_fraction look at.
/// Throws ValueError on options outside their ranges or no steps.
TERN_API Factor factor(const ScheduleOptions& options, std::int64_t total_steps = 1);
/// The product of factors. Throws ValueError on an empty one.
TERN_API Factor chained(std::vector<Factor> factors);
/// One after another: factor i + 1 begins, at its own step 0, at milestones[i]. Throws ValueError unless there is a
/// milestone between each two, in ascending order.
TERN_API Factor sequential(std::vector<Factor> factors, std::vector<std::int64_t> milestones);

}  // namespace tern::optim
