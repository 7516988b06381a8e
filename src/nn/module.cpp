#include "tern/nn/module.h"

#include <algorithm>
#include <unordered_set>

#include "nn/take_over.h"
#include "tensor/impl.h"
#include "tern/base/error.h"

namespace tern::nn {

namespace {

// parts() hands out what a caller may write to; whoever reads alone may ask a module that is const.
std::vector<Part> parts_of(const Module& module) { return const_cast<Module&>(module).parts(); }

template <class F>
void visit_parameters(const Module& module, const std::string& prefix, F&& f) {
  for (const Part& part : parts_of(module)) {
    if (part.module) {
      visit_parameters(*part.module, prefix + part.name + ".", f);
    } else if (part.parameter->defined()) {
      f(prefix + part.name, *part.parameter);
    }
  }
}

template <class M>
void collect_modules(M& module, std::vector<M*>& list) {
  list.push_back(&module);
  for (const Part& part : parts_of(module)) {
    if (part.module) collect_modules<M>(*part.module, list);
  }
}

}  // namespace

void internal::take_over(const Tensor& p, const Tensor& fresh) {
  tern::internal::TensorImpl* to = p.impl();
  tern::internal::TensorImpl* from = fresh.impl();
  tern::internal::take_elements(to, from);
  to->dtype = from->dtype;
  to->device = from->device;
  to->grad_buffer = false;
  Tensor(p).clear_grad();
}

Module::~Module() = default;

Tensor Module::call_watched(const Tensor& x) {
  if (!is_anomaly_enabled()) return call_hooked(x);
  const CallScope scope(type_name());
  return hooks_ ? call_hooked(x) : forward(x);
}

Tensor Module::operator()(const Tensor& x) const {
  if (training_) {
    throw StateError(
        "[" + std::string(type_name()) +
        "] expected a module in evaluation mode, as one that is const may not change, got one in training; "
        "call eval() before");
  }
  return const_cast<Module&>(*this)(x);
}

Attributes Module::attributes() const { return {}; }

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> list;
  std::unordered_set<const void*> seen;
  visit_parameters(*this, "", [&](const std::string&, const Tensor& p) {
    if (seen.insert(p.impl()).second) list.push_back(p);
  });
  return list;
}

NamedTensors Module::named_parameters() const {
  NamedTensors list;
  std::unordered_set<const void*> seen;
  visit_parameters(*this, "", [&](std::string name, const Tensor& p) {
    if (seen.insert(p.impl()).second) list.emplace_back(std::move(name), p);
  });
  return list;
}

NamedTensors all_named_parameters(const Module& module) {
  NamedTensors list;
  visit_parameters(module, "", [&](std::string name, const Tensor& p) { list.emplace_back(std::move(name), p); });
  return list;
}

std::vector<Module*> Module::modules() {
  std::vector<Module*> list;
  collect_modules(*this, list);
  return list;
}

std::vector<const Module*> Module::modules() const {
  std::vector<const Module*> list;
  collect_modules(*this, list);
  return list;
}

std::int64_t Module::num_parameters() const {
  std::int64_t count = 0;
  for (const Tensor& p : parameters()) count += p.numel();
  return count;
}

Module& Module::train(bool on) {
  for (Module* module : modules()) module->training_ = on;
  return *this;
}

Module& Module::to(DType dtype) {
  if (!is_floating(dtype)) {
    throw DTypeError("[module.to] expected a floating type, got " + std::string(name(dtype)));
  }
  for (Tensor& p : parameters()) {
    if (p.dtype() == dtype) continue;
    if (!p.is_leaf()) throw StateError("[module.to] expected parameters that are leaves, got the result of an op");
    const Tensor gradient = p.grad();
    internal::take_over(p, p.detach().to(dtype));
    if (gradient.defined()) p.set_grad(gradient.detach().to(dtype));
  }
  return *this;
}

Module& Module::to(Device device) {
  for (Tensor& p : parameters()) {
    if (p.device() == device) continue;
    if (!p.is_leaf()) throw StateError("[module.to] expected parameters that are leaves, got the result of an op");
    const Tensor gradient = p.grad();
    internal::take_over(p, p.detach().to(device));
    if (gradient.defined()) p.set_grad(gradient.detach().to(device));
  }
  return *this;
}

void Module::zero_grad() {
  for (Tensor& p : parameters()) p.clear_grad();
}

std::vector<Part> internal::name_parts(const char* names, const Part* unnamed, std::size_t count) {
  std::vector<Part> parts(unnamed, unnamed + count);
  std::string_view rest(names);
  for (Part& part : parts) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    part.name = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 1));
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
  }
  return parts;
}

}  // namespace tern::nn
