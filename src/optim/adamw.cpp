#include <string>

#include "tern/base/error.h"
#include "tern/ops/optimizer_step.h"
#include "tern/optim/optimizer.h"

namespace tern::optim {

namespace {

void check(const AdamWOptions& options) {
  if (!(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1)) {
    throw ValueError("[adamw] expected beta1 and beta2 in [0, 1), got " + std::to_string(options.beta1) + " and " +
                     std::to_string(options.beta2));
  }
  if (!(options.epsilon >= 0 && options.weight_decay >= 0)) {
    throw ValueError("[adamw] expected epsilon and weight_decay of at least 0, got " + std::to_string(options.epsilon) +
                     " and " + std::to_string(options.weight_decay));
  }
}

}  // namespace

AdamW::AdamW(std::vector<Tensor> parameters, const AdamWOptions& options)
    : AdamW(std::vector<AdamWGroup>{{std::move(parameters), options}}) {}

AdamW::AdamW(const std::vector<AdamWGroup>& groups)
    : Optimizer(
          [&] {
            std::vector<Group> list;
            for (const AdamWGroup& group : groups) {
              check(group.options);
              list.push_back({group.parameters, group.options.lr});
            }
            return list;
          }(),
          {"exp_avg", "exp_avg_sq"}) {
  for (const AdamWGroup& group : groups) options_.push_back(group.options);
}

void AdamW::update(const Run& run) {
  const AdamWOptions& options = options_[run.group];
  adamw_step(run.value, run.gradient, run.slots[0], run.slots[1],
             {.lr = run.lr,
              .beta1 = options.beta1,
              .beta2 = options.beta2,
              .epsilon = options.epsilon,
              .weight_decay = options.weight_decay,
              .step = run.step});
}

}  // namespace tern::optim
