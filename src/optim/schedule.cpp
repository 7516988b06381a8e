#include "tern/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "base/number_text.h"
#include "tern/base/error.h"

namespace tern::optim {

namespace {

void require(bool holds, const char* expected, double got) {
  if (!holds)
    throw ValueError("[learning_rate] expected " + std::string(expected) + ", got " + tern::internal::number_text(got));
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

double to_double(std::int64_t n) { return static_cast<double>(n); }

// Of a kind that knows no last step, at a step counted from the warm-up.
double endless(const ScheduleOptions& options, double base_lr, std::int64_t step) {
  switch (options.kind) {
    case Schedule::step:
      return base_lr * std::pow(options.gamma, to_double(step / options.period));
    case Schedule::multi_step: {
      const auto passed = std::upper_bound(options.milestones.begin(), options.milestones.end(), step);
      return base_lr * std::pow(options.gamma, to_double(passed - options.milestones.begin()));
    }
    case Schedule::exponential:
      return base_lr * std::pow(options.gamma, to_double(step));
    case Schedule::cosine_restarts: {
      double length = to_double(options.period), at = to_double(step);
      if (options.period_factor == 1) at = to_double(step % options.period);
      for (; at >= length; length *= to_double(options.period_factor)) at -= length;
      return half_cosine(base_lr, base_lr * options.min_ratio, at / length);
    }
    default:
      return base_lr;
  }
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
  require(options.gamma > 0 && std::isfinite(options.gamma), "gamma finite and above 0", options.gamma);
  require(options.power >= 0 && std::isfinite(options.power), "power finite and at least 0", options.power);
  require(options.period >= 1, "period of at least 1", to_double(options.period));
  require(options.period_factor >= 1, "period_factor of at least 1", to_double(options.period_factor));
  for (std::size_t i = 0; i < options.milestones.size(); ++i) {
    require(options.milestones[i] > (i ? options.milestones[i - 1] : -1), "milestones in ascending order",
            to_double(options.milestones[i]));
  }
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
  const bool ends =
      options.kind == Schedule::linear || options.kind == Schedule::cosine || options.kind == Schedule::polynomial;
  if (!ends) return endless(options, base_lr, step - warmup);
  const double low = options.kind == Schedule::polynomial ? 0 : base_lr * options.min_ratio;
  if (warmup == total_steps) return low;
  const double at = to_double(std::min(step, total_steps) - warmup) / to_double(total_steps - warmup);
  if (options.kind == Schedule::polynomial) return base_lr * std::pow(1 - at, options.power);
  return options.kind == Schedule::linear ? base_lr + (low - base_lr) * at : half_cosine(base_lr, low, at);
}

Factor factor(const ScheduleOptions& options, std::int64_t total_steps) {
  learning_rate(options, 1, 0, total_steps);  // for what it throws
  return [=](std::int64_t step) { return learning_rate(options, 1, step, total_steps); };
}

Factor chained(std::vector<Factor> factors) {
  for (const Factor& f : factors) {
    if (!f) throw ValueError("[chained] expected factors, got an empty one");
  }
  return [factors = std::move(factors)](std::int64_t step) {
    double product = 1;
    for (const Factor& f : factors) product *= f(step);
    return product;
  };
}

Factor sequential(std::vector<Factor> factors, std::vector<std::int64_t> milestones) {
  for (const Factor& f : factors) {
    if (!f) throw ValueError("[sequential] expected factors, got an empty one");
  }
  if (factors.size() != milestones.size() + 1 || !std::is_sorted(milestones.begin(), milestones.end()) ||
      (!milestones.empty() && milestones[0] < 0)) {
    throw ValueError("[sequential] expected a milestone between each two factors, in ascending order, got " +
                     std::to_string(milestones.size()) + " for " + std::to_string(factors.size()) + " factors");
  }
  return [factors = std::move(factors), milestones = std::move(milestones)](std::int64_t step) {
    const auto passed = std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin();
    return factors[static_cast<std::size_t>(passed)](passed ? step - milestones[static_cast<std::size_t>(passed - 1)]
                                                            : step);
  };
}

}  // namespace tern::optim
