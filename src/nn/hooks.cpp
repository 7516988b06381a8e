#include <algorithm>
#include <utility>
#include <vector>

#include "autograd/node.h"
#include "tern/base/error.h"
#include "tern/nn/module.h"

namespace tern::nn {

namespace {

template <class Hook>
using Numbered = std::vector<std::pair<std::uint64_t, Hook>>;

}  // namespace

struct internal::ModuleHooks {
  Numbered<Module::ForwardPreHook> before;
  Numbered<Module::ForwardHook> after;
  Numbered<Module::BackwardHook> backward;
  std::uint64_t last_number = 0;
};

namespace {

using internal::ModuleHooks;

template <class Hook>
std::uint64_t add(ModuleHooks& hooks, Numbered<Hook>& list, Hook hook, const char* where) {
  if (!hook) throw ValueError("[" + std::string(where) + "] expected a hook, got an empty function");
  list.emplace_back(++hooks.last_number, std::move(hook));
  return hooks.last_number;
}

// What passes between the two ends of one call on its way back.
struct Passage {
  std::shared_ptr<ModuleHooks> hooks;
  Tensor grad_output{};
  bool input_needs_grad = false;

  // The gradient of the input, as the hooks leave it.
  Tensor run(Tensor grad_input) {
    const auto list = hooks->backward;  // a hook may take itself off
    for (const auto& [number, hook] : list) {
      Tensor replaced = hook(grad_input, grad_output);
      if (!replaced.defined() || !grad_input.defined()) continue;
      if (replaced.shape() != grad_input.shape() || replaced.dtype() != grad_input.dtype()) {
        throw ShapeError("[backward_hook] expected a gradient like the one given, " +
                         std::string(name(grad_input.dtype())) + " " + to_string(grad_input.shape()) + ", got " +
                         std::string(name(replaced.dtype())) + " " + to_string(replaced.shape()));
      }
      grad_input = std::move(replaced);
    }
    grad_output = {};
    return grad_input;
  }
};

using SharedPassage = std::shared_ptr<Passage>;

// The same tensor as the result of a node of its own, whose derivative is `op`'s; true when it was taped.
bool mark(const tern::internal::OpInfo& op, Tensor& x, const SharedPassage& passage) {
  const Tensor alias = tern::internal::new_view(x, x.shape(), x.strides().data(), 0);
  const bool taped = tern::internal::tape_with(op, alias, {{x}}, passage) != nullptr;
  if (taped) x = alias;
  return taped;
}

constexpr tern::internal::OpInfo kInput{"module_input",
                                        [](const tern::internal::Node& node, const Tensor& g, Tensor* out) {
                                          out[0] = node.attributes<SharedPassage>()->run(g);
                                        },
                                        nullptr, tern::internal::drop_attributes<SharedPassage>};
constexpr tern::internal::OpInfo kOutput{"module_output",
                                         [](const tern::internal::Node& node, const Tensor& g, Tensor* out) {
                                           Passage& passage = *node.attributes<SharedPassage>();
                                           passage.grad_output = g;
                                           if (!passage.input_needs_grad) passage.run({});
                                           out[0] = g;
                                         },
                                         nullptr, tern::internal::drop_attributes<SharedPassage>};

}  // namespace

ModuleHook::ModuleHook(const std::shared_ptr<internal::ModuleHooks>& hooks, std::uint64_t number)
    : hooks_(hooks), number_(number) {}

void ModuleHook::remove() {
  const auto hooks = hooks_.lock();
  if (!hooks) return;
  const auto is_this = [&](const auto& hook) { return hook.first == number_; };
  std::erase_if(hooks->before, is_this);
  std::erase_if(hooks->after, is_this);
  std::erase_if(hooks->backward, is_this);
}

ModuleHooks& Module::hooks() {
  if (!hooks_) hooks_ = std::make_shared<ModuleHooks>();
  return *hooks_;
}

ModuleHook Module::register_forward_pre_hook(ForwardPreHook hook) {
  ModuleHooks& all = hooks();
  return {hooks_, add(all, all.before, std::move(hook), "register_forward_pre_hook")};
}

ModuleHook Module::register_forward_hook(ForwardHook hook) {
  ModuleHooks& all = hooks();
  return {hooks_, add(all, all.after, std::move(hook), "register_forward_hook")};
}

ModuleHook Module::register_backward_hook(BackwardHook hook) {
  ModuleHooks& all = hooks();
  return {hooks_, add(all, all.backward, std::move(hook), "register_backward_hook")};
}

Tensor Module::call_hooked(const Tensor& x) {
  const std::shared_ptr<ModuleHooks> hooks = hooks_;
  Tensor input = x;
  const auto before = hooks->before;
  for (const auto& [number, hook] : before) {
    if (Tensor replaced = hook(*this, input); replaced.defined()) input = std::move(replaced);
  }
  SharedPassage passage;
  if (!hooks->backward.empty()) {
    passage = std::make_shared<Passage>(Passage{.hooks = hooks});
    passage->input_needs_grad = mark(kInput, input, passage);
  }
  Tensor output = forward(input);
  const auto after = hooks->after;
  for (const auto& [number, hook] : after) {
    if (Tensor replaced = hook(*this, input, output); replaced.defined()) output = std::move(replaced);
  }
  if (passage) mark(kOutput, output, passage);
  return output;
}

}  // namespace tern::nn
