#include "tern/optim/optimizers.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/number_text.h"
#include "optim/fields.h"
#include "tern/base/error.h"
#include "tern/ops/optimizer_step.h"

namespace tern::optim {

namespace {

using Slots = std::vector<std::string>;

template <class Options>
bool any(const std::vector<Options>& groups, bool (*holds)(const Options&)) {
  return std::any_of(groups.begin(), groups.end(), holds);
}

// What is particular to one optimizer: the values it keeps of an element, and its step, written over Run,
// which is Optimizer's own. A value is kept when some group needs it.
template <class Options>
struct Method;

template <>
struct Method<SgdOptions> {
  static bool uses_momentum(const SgdOptions& o) { return o.momentum != 0; }
  static Slots slots(const std::vector<SgdOptions>& groups) {
    return any(groups, uses_momentum) ? Slots{"momentum_buffer"} : Slots{};
  }
  static void step(const SgdOptions& o, const auto& run) {
    sgd_step(run.value, run.gradient, uses_momentum(o) ? run.slots[0] : Tensor(),
             {.lr = run.lr,
              .momentum = o.momentum,
              .dampening = o.dampening,
              .weight_decay = o.weight_decay,
              .nesterov = o.nesterov,
              .first = run.step == 1,
              .maximize = o.maximize});
  }
};

template <class Options>
AdamStep adam_settings(const Options& o, const auto& run) {
  return {.lr = run.lr,
          .beta1 = o.beta1,
          .beta2 = o.beta2,
          .epsilon = o.epsilon,
          .weight_decay = o.weight_decay,
          .maximize = o.maximize,
          .step = run.step,
          .resident = run.resident};
}

template <class Options>
struct AdamMethod {
  static Slots slots(const std::vector<Options>& groups) {
    Slots names{"exp_avg", "exp_avg_sq"};
    if (any<Options>(groups, [](const Options& o) { return o.amsgrad; })) names.emplace_back("max_exp_avg_sq");
    return names;
  }
  static void step(const Options& o, const auto& run) {
    AdamStep settings = adam_settings(o, run);
    settings.decoupled = std::is_same_v<Options, AdamWOptions>;
    adam_step(run.value, run.gradient, run.slots[0], run.slots[1], o.amsgrad ? run.slots[2] : Tensor(), settings);
  }
};
template <>
struct Method<AdamOptions> : AdamMethod<AdamOptions> {};
template <>
struct Method<AdamWOptions> : AdamMethod<AdamWOptions> {};

// The product of beta1 (1 - 0.96^(t momentum_decay) / 2) over t below `step`.
double momentum_product(double beta1, double momentum_decay, std::int64_t step) {
  constexpr double none = 1e-20;  // 1 minus it is 1
  const double ratio = std::pow(0.96, momentum_decay);
  double product = 1, power = 1;
  for (std::int64_t t = 1; t < step && product > none; ++t) {
    power *= ratio;
    product *= beta1 * (1 - 0.5 * power);
  }
  return product;
}

template <>
struct Method<NAdamOptions> {
  static Slots slots(const std::vector<NAdamOptions>&) { return {"exp_avg", "exp_avg_sq"}; }
  static void step(const NAdamOptions& o, const auto& run) {
    AdamStep settings = adam_settings(o, run);
    settings.form = AdamForm::nadam;
    settings.decoupled = o.decoupled;
    settings.momentum_decay = o.momentum_decay;
    settings.momentum_product = momentum_product(o.beta1, o.momentum_decay, run.step);
    adam_step(run.value, run.gradient, run.slots[0], run.slots[1], {}, settings);
  }
};

template <>
struct Method<RAdamOptions> {
  static Slots slots(const std::vector<RAdamOptions>&) { return {"exp_avg", "exp_avg_sq"}; }
  static void step(const RAdamOptions& o, const auto& run) {
    AdamStep settings = adam_settings(o, run);
    settings.form = AdamForm::radam;
    settings.decoupled = o.decoupled;
    adam_step(run.value, run.gradient, run.slots[0], run.slots[1], {}, settings);
  }
};

template <>
struct Method<RmspropOptions> {
  static bool is_centered(const RmspropOptions& o) { return o.centered; }
  static bool uses_momentum(const RmspropOptions& o) { return o.momentum != 0; }
  static Slots slots(const std::vector<RmspropOptions>& groups) {
    Slots names{"square_avg"};
    if (any(groups, uses_momentum)) names.emplace_back("momentum_buffer");
    if (any(groups, is_centered)) names.emplace_back("grad_avg");
    return names;
  }
  static void step(const RmspropOptions& o, const auto& run) {
    rmsprop_step(run.value, run.gradient, run.slots[0], o.centered ? run.slots.back() : Tensor(),
                 uses_momentum(o) ? run.slots[1] : Tensor(),
                 {.lr = run.lr,
                  .alpha = o.alpha,
                  .epsilon = o.epsilon,
                  .weight_decay = o.weight_decay,
                  .momentum = o.momentum,
                  .maximize = o.maximize});
  }
};

template <>
struct Method<AdagradOptions> {
  static Slots slots(const std::vector<AdagradOptions>&) { return {"sum"}; }
  static void start(const AdagradOptions& o, const std::vector<Tensor>& slots) {
    if (o.initial != 0) Tensor(slots[0]).fill_(o.initial);
  }
  static void step(const AdagradOptions& o, const auto& run) {
    adagrad_step(run.value, run.gradient, run.slots[0],
                 {.lr = run.lr / (1 + static_cast<double>(run.step - 1) * o.lr_decay),
                  .epsilon = o.epsilon,
                  .weight_decay = o.weight_decay,
                  .maximize = o.maximize});
  }
};

template <>
struct Method<AdadeltaOptions> {
  static Slots slots(const std::vector<AdadeltaOptions>&) { return {"square_avg", "acc_delta"}; }
  static void step(const AdadeltaOptions& o, const auto& run) {
    adadelta_step(
        run.value, run.gradient, run.slots[0], run.slots[1],
        {.lr = run.lr, .rho = o.rho, .epsilon = o.epsilon, .weight_decay = o.weight_decay, .maximize = o.maximize});
  }
};

template <>
struct Method<LionOptions> {
  static Slots slots(const std::vector<LionOptions>&) { return {"exp_avg"}; }
  static void step(const LionOptions& o, const auto& run) {
    lion_step(
        run.value, run.gradient, run.slots[0],
        {.lr = run.lr, .beta1 = o.beta1, .beta2 = o.beta2, .weight_decay = o.weight_decay, .maximize = o.maximize});
  }
};

// Decays of means lie in [0, 1); what else is a number is finite and not negative.
template <class Options>
void check(const Options& options) {
  internal::fields(options, [&](std::string_view option, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>) {
      const bool is_decay = option == "beta1" || option == "beta2" || option == "alpha" || option == "rho";
      if (value >= 0 && (is_decay ? value < 1 : std::isfinite(value))) return;
      throw ValueError("[" + std::string(internal::name_of(options)) + "] expected " + std::string(option) +
                       (is_decay ? " in [0, 1)" : " finite and at least 0") + ", got " +
                       tern::internal::number_text(value));
    }
  });
  if constexpr (std::is_same_v<Options, SgdOptions>) {
    if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
      throw ValueError("[SGD] expected momentum above 0 and dampening 0 with nesterov, got momentum " +
                       tern::internal::number_text(options.momentum) + ", dampening " +
                       tern::internal::number_text(options.dampening));
    }
  }
}

template <class Options>
std::vector<Options> options_of(const std::vector<ParameterGroup<Options>>& groups) {
  std::vector<Options> list;
  for (const auto& group : groups) {
    check(group.options);
    list.push_back(group.options);
  }
  return list;
}

}  // namespace

template <class Options>
ElementwiseOptimizer<Options>::ElementwiseOptimizer(std::vector<Tensor> parameters, const Options& options)
    : ElementwiseOptimizer(std::vector<ParameterGroup<Options>>{{std::move(parameters), options}}) {}

template <class Options>
ElementwiseOptimizer<Options>::ElementwiseOptimizer(const std::vector<ParameterGroup<Options>>& groups)
    : Optimizer(
          [&] {
            std::vector<Group> list;
            for (const auto& group : groups) list.push_back({group.parameters, group.options.lr});
            return list;
          }(),
          Method<Options>::slots(options_of(groups))),
      options_(options_of(groups)) {}

template <class Options>
std::string_view ElementwiseOptimizer<Options>::name() const {
  return internal::name_of(Options());
}

template <class Options>
void ElementwiseOptimizer<Options>::update(const Run& run) {
  Method<Options>::step(options_[run.group], run);
}

template <class Options>
void ElementwiseOptimizer<Options>::start(std::size_t group, const std::vector<Tensor>& slots) {
  if constexpr (requires { &Method<Options>::start; }) Method<Options>::start(options_[group], slots);
}

template <class Options>
bool ElementwiseOptimizer<Options>::takes_resident() const {
  return std::is_same_v<Options, AdamOptions> || std::is_same_v<Options, AdamWOptions>;
}

template class ElementwiseOptimizer<SgdOptions>;
template class ElementwiseOptimizer<AdamOptions>;
template class ElementwiseOptimizer<AdamWOptions>;
template class ElementwiseOptimizer<NAdamOptions>;
template class ElementwiseOptimizer<RAdamOptions>;
template class ElementwiseOptimizer<RmspropOptions>;
template class ElementwiseOptimizer<AdagradOptions>;
template class ElementwiseOptimizer<AdadeltaOptions>;
template class ElementwiseOptimizer<LionOptions>;

OptimizerOptions::OptimizerOptions(const AdamWOptions& options) : adamw(options) {}
OptimizerOptions::OptimizerOptions(const SgdOptions& options) : kind(Kind::sgd), sgd(options) {}
OptimizerOptions::OptimizerOptions(const AdamOptions& options) : kind(Kind::adam), adam(options) {}
OptimizerOptions::OptimizerOptions(const NAdamOptions& options) : kind(Kind::nadam), nadam(options) {}
OptimizerOptions::OptimizerOptions(const RAdamOptions& options) : kind(Kind::radam), radam(options) {}
OptimizerOptions::OptimizerOptions(const RmspropOptions& options) : kind(Kind::rmsprop), rmsprop(options) {}
OptimizerOptions::OptimizerOptions(const AdagradOptions& options) : kind(Kind::adagrad), adagrad(options) {}
OptimizerOptions::OptimizerOptions(const AdadeltaOptions& options) : kind(Kind::adadelta), adadelta(options) {}
OptimizerOptions::OptimizerOptions(const LionOptions& options) : kind(Kind::lion), lion(options) {}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerOptions& options, std::vector<Tensor> parameters) {
  return internal::visit(options, [&]<class Options>(const Options& o) -> std::unique_ptr<Optimizer> {
    return std::make_unique<ElementwiseOptimizer<Options>>(std::move(parameters), o);
  });
}

}  // namespace tern::optim
