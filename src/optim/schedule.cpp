#include "tern/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "tern/base/error.h"

namespace tern::optim {

namespace {

void require(bool holds, const char* expected, double got) {
  if (!holds) throw ValueError("[learning_rate] expected " + std::string(expected) + ", got " + std::to_string(got));
}

// From `begin` to `end` along half a cosine; `at` in [0, 1].
double half_cosine(double begin, double end, double at) {
  return end + (begin - end) * (1 + std::cos(std::numbers::pi * at)) / 2;
}

double one_cycle(const ScheduleOptions& options, double peak, double step, double total) {
  const double first = peak / options.start_divisor, last = first / options.final_divisor;
  const double top = options.rise * total - 1, end = total - 1;  // steps at which the two phases end
  if (step <= top) return half_cosine(first, peak, top > 0 ? step / top : 1);
  return half_cosine(peak, last, end > top ? (step - top) / (end - top) : 1);
}

}  // namespace

void check(const ScheduleOptions& options) {
  require(options.min_ratio >= 0 && options.min_ratio <= 1, "min_ratio in [0, 1]", options.min_ratio);
  require(options.warmup_steps >= 0, "warmup_steps of at least 0", static_cast<double>(options.warmup_steps));
  require(options.warmup_fraction >= 0 && options.warmup_fraction <= 1, "warmup_fraction in [0, 1]",
          options.warmup_fraction);
  require(options.warmup_steps == 0 || options.warmup_fraction == 0,
          "one of warmup_steps and warmup_fraction, got both", options.warmup_fraction);
  require(options.warmup_start > 0 && options.warmup_start <= 1, "warmup_start in (0, 1]", options.warmup_start);
  require(options.rise >= 0 && options.rise <= 1, "rise in [0, 1]", options.rise);
  require(options.start_divisor > 0, "start_divisor above 0", options.start_divisor);
  require(options.final_divisor > 0, "final_divisor above 0", options.final_divisor);
  const bool warms_up = options.warmup_steps != 0 || options.warmup_fraction != 0;
  require(options.kind != Schedule::one_cycle || !warms_up, "no warm-up beside one_cycle's own",
          options.warmup_steps ? static_cast<double>(options.warmup_steps) : options.warmup_fraction);
}

double learning_rate(const ScheduleOptions& options, double base_lr, std::int64_t step, std::int64_t total_steps) {
  check(options);
  require(step >= 0, "a step of at least 0", static_cast<double>(step));
  require(total_steps >= 1, "at least one step in all", static_cast<double>(total_steps));
  const double total = static_cast<double>(total_steps);
  if (options.kind == Schedule::one_cycle) {
    return one_cycle(options, base_lr, static_cast<double>(std::min(step, total_steps - 1)), total);
  }
  const std::int64_t warmup = std::min(
      total_steps, options.warmup_steps ? options.warmup_steps
                                        : static_cast<std::int64_t>(std::floor(options.warmup_fraction * total)));
  if (step < warmup) {
    const double at = static_cast<double>(step) / static_cast<double>(warmup);
    return base_lr * (options.warmup_start + (1 - options.warmup_start) * at);
  }
  if (options.kind == Schedule::constant) return base_lr;
  const double low = base_lr * options.min_ratio;
  if (warmup == total_steps) return low;
  const double at =
      static_cast<double>(std::min(step, total_steps) - warmup) / static_cast<double>(total_steps - warmup);
  return options.kind == Schedule::linear ? base_lr + (low - base_lr) * at : half_cosine(base_lr, low, at);
}

}  // namespace tern::optim
