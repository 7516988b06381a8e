#include "tern/optim/scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {

[[noreturn]] void bad_schedule(const std::string& expected) {
  throw FormatError("[load_state_dict] expected " + expected + ", got another state");
}

double improvement_begins(const PlateauOptions& options, double best) {
  const double gain = options.maximize ? options.threshold : -options.threshold;
  return options.relative ? best * (1 + gain) : best + gain;
}

void check(const PlateauOptions& options) {
  const auto require = [](bool holds, const std::string& expected, double got) {
    if (!holds)
      throw ValueError("[reduce_on_plateau] expected " + expected + ", got " + tern::internal::number_text(got));
  };
  require(options.factor > 0 && options.factor < 1, "factor in (0, 1)", options.factor);
  require(options.patience >= 0, "patience of at least 0", options.patience);
  require(options.threshold >= 0 && options.threshold < (options.relative ? 1 : HUGE_VAL),
          options.relative ? "threshold in [0, 1)" : "threshold finite and at least 0", options.threshold);
  require(options.cooldown >= 0, "cooldown of at least 0", options.cooldown);
  require(options.epsilon >= 0 && std::isfinite(options.epsilon), "epsilon finite and at least 0", options.epsilon);
  require(options.min_ratio >= 0 && options.min_ratio <= 1, "min_ratio in [0, 1]", options.min_ratio);
}

}  // namespace

Scheduler::Scheduler(Optimizer& optimizer, Factor factor) : optimizer_(optimizer), factor_(std::move(factor)) {
  if (!factor_) throw ValueError("[scheduler] expected a factor, got an empty one");
  for (std::size_t g = 0; g < optimizer_.num_groups(); ++g) base_.push_back(optimizer_.lr(g));
  apply(0, base_);
}

void Scheduler::apply(std::int64_t step, const std::vector<double>& base) {
  const double now = factor_(step);
  if (!(now >= 0 && std::isfinite(now))) {
    throw ValueError("[scheduler] expected a finite factor of at least 0 at step " + std::to_string(step) + ", got " +
                     tern::internal::number_text(now));
  }
  for (std::size_t g = 0; g < base.size(); ++g) optimizer_.set_lr(g, base[g] * now);
}

void Scheduler::step() {
  apply(step_ + 1, base_);
  ++step_;
}

nn::NamedTensors Scheduler::state_dict() const {
  return {{"step", scalar(step_, i64)}, {"base_lr", from_vector(base_)}};
}

void Scheduler::load_state_dict(const nn::NamedTensors& state) {
  const bool turned = !state.empty() && state[0].first == "base_lr";  // files order by size, others by name
  if (state.size() != 2 || state[turned].first != "step" || state[!turned].first != "base_lr") {
    bad_schedule("step and base_lr");
  }
  const Tensor &step = state[turned].second, &base = state[!turned].second;
  if (!step.defined() || !base.defined()) bad_schedule("defined tensors");
  if (step.dtype() != i64 || !step.shape().empty() || step.item<std::int64_t>() < 0) bad_schedule("a count as step");
  const auto groups = static_cast<std::int64_t>(base_.size());
  if (base.dtype() != f64 || base.shape() != Shape{groups}) {
    bad_schedule("f64 [" + std::to_string(groups) + "] as base_lr");
  }
  std::vector<double> rates = base.to_vector<double>();
  for (const double rate : rates) {
    if (!(rate >= 0 && std::isfinite(rate))) bad_schedule("finite rates of at least 0 as base_lr");
  }
  apply(step.item<std::int64_t>(), rates);
  base_ = std::move(rates);
  step_ = step.item<std::int64_t>();
}

ReduceOnPlateau::ReduceOnPlateau(const PlateauOptions& options)
    : options_(options),
      best_(options.maximize ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity()) {
  check(options);
}

ReduceOnPlateau::ReduceOnPlateau(Optimizer& optimizer, const PlateauOptions& options) : ReduceOnPlateau(options) {
  optimizer_ = &optimizer;
}

bool ReduceOnPlateau::step(double figure) {
  const double bar = improvement_begins(options_, best_);
  if (options_.maximize ? figure > bar : figure < bar) {
    best_ = figure;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooling_ > 0) {
    --cooling_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return false;
  bad_ = 0;
  cooling_ = options_.cooldown;
  const double next = std::max(ratio_ * options_.factor, options_.min_ratio);
  if (next >= ratio_) return false;
  if (optimizer_) {
    bool any = false;
    for (std::size_t g = 0; g < optimizer_->num_groups(); ++g) {
      const double before = optimizer_->lr(g), reduced = before * (next / ratio_);
      if (!(before - reduced > options_.epsilon)) continue;
      optimizer_->set_lr(g, reduced);
      any = true;
    }
    if (!any) return false;
  }
  ratio_ = next;
  return true;
}

nn::NamedTensors ReduceOnPlateau::state_dict() const {
  return {{"plateau",
           from_vector(std::vector<double>{best_, static_cast<double>(bad_), static_cast<double>(cooling_), ratio_})}};
}

void ReduceOnPlateau::load_state_dict(const nn::NamedTensors& state) {
  if (state.size() != 1 || state[0].first != "plateau" || !state[0].second.defined() ||
      state[0].second.dtype() != f64 || state[0].second.shape() != Shape{4}) {
    bad_schedule("f64 [4] as plateau");
  }
  const std::vector<double> values = state[0].second.to_vector<double>();
  const auto is_count = [](double x, int most) { return x >= 0 && x <= most && x == std::floor(x); };
  if (std::isnan(values[0]) || !is_count(values[1], options_.patience) || !is_count(values[2], options_.cooldown) ||
      !(values[3] > 0 || values[3] == options_.min_ratio) || values[3] > 1) {
    bad_schedule("counts within patience and cooldown and a ratio in (0, 1] as plateau");
  }
  best_ = values[0];
  bad_ = static_cast<int>(values[1]);
  cooling_ = static_cast<int>(values[2]);
  ratio_ = values[3];
}

}  // namespace tern::optim
