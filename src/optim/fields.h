#pragma once

#include <string>

#include "tern/base/error.h"
#include "tern/optim/optimizers.h"

// The name and the options of each optimizer, for whoever records them: f(name, value) for each option.
namespace tern::optim::internal {

constexpr const char* name_of(const SgdOptions&) { return "SGD"; }
constexpr const char* name_of(const AdamOptions&) { return "Adam"; }
constexpr const char* name_of(const AdamWOptions&) { return "AdamW"; }
constexpr const char* name_of(const NAdamOptions&) { return "NAdam"; }
constexpr const char* name_of(const RAdamOptions&) { return "RAdam"; }
constexpr const char* name_of(const RmspropOptions&) { return "RMSprop"; }
constexpr const char* name_of(const AdagradOptions&) { return "Adagrad"; }
constexpr const char* name_of(const AdadeltaOptions&) { return "Adadelta"; }
constexpr const char* name_of(const LionOptions&) { return "Lion"; }

template <class F>
void fields(const SgdOptions& o, F&& f) {
  f("lr", o.lr);
  f("momentum", o.momentum);
  f("dampening", o.dampening);
  f("nesterov", o.nesterov);
  f("weight_decay", o.weight_decay);
  f("maximize", o.maximize);
}

/// What the options of Adam and of its kin have in common.
template <class Options, class F>
void adam_fields(const Options& o, F&& f) {
  f("lr", o.lr);
  f("beta1", o.beta1);
  f("beta2", o.beta2);
  f("epsilon", o.epsilon);
  f("weight_decay", o.weight_decay);
  f("maximize", o.maximize);
}
template <class F>
void fields(const AdamOptions& o, F&& f) {
  adam_fields(o, f);
  f("amsgrad", o.amsgrad);
}
template <class F>
void fields(const AdamWOptions& o, F&& f) {
  adam_fields(o, f);
  f("amsgrad", o.amsgrad);
}
template <class F>
void fields(const NAdamOptions& o, F&& f) {
  adam_fields(o, f);
  f("decoupled", o.decoupled);
  f("momentum_decay", o.momentum_decay);
}
template <class F>
void fields(const RAdamOptions& o, F&& f) {
  adam_fields(o, f);
  f("decoupled", o.decoupled);
}
template <class F>
void fields(const RmspropOptions& o, F&& f) {
  f("lr", o.lr);
  f("alpha", o.alpha);
  f("epsilon", o.epsilon);
  f("weight_decay", o.weight_decay);
  f("momentum", o.momentum);
  f("centered", o.centered);
  f("maximize", o.maximize);
}
template <class F>
void fields(const AdagradOptions& o, F&& f) {
  f("lr", o.lr);
  f("lr_decay", o.lr_decay);
  f("epsilon", o.epsilon);
  f("weight_decay", o.weight_decay);
  f("initial", o.initial);
  f("maximize", o.maximize);
}
template <class F>
void fields(const AdadeltaOptions& o, F&& f) {
  f("lr", o.lr);
  f("rho", o.rho);
  f("epsilon", o.epsilon);
  f("weight_decay", o.weight_decay);
  f("maximize", o.maximize);
}
template <class F>
void fields(const LionOptions& o, F&& f) {
  f("lr", o.lr);
  f("beta1", o.beta1);
  f("beta2", o.beta2);
  f("weight_decay", o.weight_decay);
  f("maximize", o.maximize);
}

/// f(options) with the options of the kind.
template <class F>
auto visit(const OptimizerOptions& o, F&& f) {
  using Kind = OptimizerOptions::Kind;
  switch (o.kind) {
    case Kind::adamw:
      return f(o.adamw);
    case Kind::sgd:
      return f(o.sgd);
    case Kind::adam:
      return f(o.adam);
    case Kind::nadam:
      return f(o.nadam);
    case Kind::radam:
      return f(o.radam);
    case Kind::rmsprop:
      return f(o.rmsprop);
    case Kind::adagrad:
      return f(o.adagrad);
    case Kind::adadelta:
      return f(o.adadelta);
    case Kind::lion:
      return f(o.lion);
  }
  throw ValueError("[optimizer] expected a known kind, got number " + std::to_string(static_cast<int>(o.kind)));
}

}  // namespace tern::optim::internal
