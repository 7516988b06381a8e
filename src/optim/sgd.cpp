#include <string>

#include "tern/base/error.h"
#include "tern/ops/optimizer_step.h"
#include "tern/optim/optimizer.h"

namespace tern::optim {

namespace {

// A buffer is kept where some group has momentum.
std::vector<std::string> slots_of(const std::vector<SgdGroup>& groups) {
  for (const SgdGroup& group : groups) {
    if (group.options.momentum != 0) return {"momentum_buffer"};
  }
  return {};
}

void check(const SgdOptions& options) {
  if (!(options.momentum >= 0)) {
    throw ValueError("[sgd] expected a momentum of at least 0, got " + std::to_string(options.momentum));
  }
  if (!(options.weight_decay >= 0)) {
    throw ValueError("[sgd] expected a weight_decay of at least 0, got " + std::to_string(options.weight_decay));
  }
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    throw ValueError("[sgd] expected momentum above 0 and dampening 0 with nesterov, got momentum " +
                     std::to_string(options.momentum) + ", dampening " + std::to_string(options.dampening));
  }
}

}  // namespace

Sgd::Sgd(std::vector<Tensor> parameters, const SgdOptions& options)
    : Sgd(std::vector<SgdGroup>{{std::move(parameters), options}}) {}

Sgd::Sgd(const std::vector<SgdGroup>& groups)
    : Optimizer(
          [&] {
            std::vector<Group> list;
            for (const SgdGroup& group : groups) {
              check(group.options);
              list.push_back({group.parameters, group.options.lr});
            }
            return list;
          }(),
          slots_of(groups)) {
  for (const SgdGroup& group : groups) options_.push_back(group.options);
}

void Sgd::update(const Run& run) {
  const SgdOptions& options = options_[run.group];
  sgd_step(run.value, run.gradient, options.momentum != 0 ? run.slots[0] : Tensor(),
           {.lr = run.lr,
            .momentum = options.momentum,
            .dampening = options.dampening,
            .weight_decay = options.weight_decay,
            .nesterov = options.nesterov,
            .first = run.step == 1});
}

}  // namespace tern::optim
