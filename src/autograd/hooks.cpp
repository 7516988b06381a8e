#include "tern/autograd/hooks.h"

#include <algorithm>
#include <string>

#include "autograd/extras.h"
#include "autograd/node.h"
#include "tern/base/error.h"

namespace tern {

HookHandle::HookHandle(const std::shared_ptr<internal::HookList>& list, std::uint64_t number)
    : list_(list), number_(number) {}

void HookHandle::remove() {
  const auto list = list_.lock();
  if (!list) return;
  std::erase_if(list->hooks, [&](const auto& hook) { return hook.first == number_; });
}

namespace internal {

HookHandle register_hook(const Tensor& x, std::function<Tensor(const Tensor&)> hook) {
  TensorImpl* impl = checked(x, "register_hook");
  if (!impl->requires_grad) {
    throw StateError("[register_hook] expected a tensor that needs a gradient, got " + describe(x));
  }
  std::shared_ptr<HookList>& list = extras_of(impl->node ? impl->node->extras : impl->extras).hooks;
  if (!list) list = std::make_shared<HookList>();
  list->hooks.emplace_back(list->next, std::move(hook));
  return {list, list->next++};
}

Tensor run_hooks(const Extras& extras, Tensor gradient) {
  if (!extras.hooks) return gradient;
  const auto hooks = extras.hooks->hooks;  // a hook may remove itself
  for (const auto& [number, hook] : hooks) {
    Tensor instead = hook(gradient);
    if (!instead.defined()) continue;
    if (!(instead.shape() == gradient.shape())) {
      throw_shape("hook", "a gradient of shape " + to_string(gradient.shape()), to_string(instead.shape()));
    }
    if (instead.dtype() != gradient.dtype()) {
      throw_dtype("hook", "a gradient of type " + std::string(name(gradient.dtype())),
                  std::string(name(instead.dtype())));
    }
    check_devices("hook", gradient, instead);
    gradient = std::move(instead);
  }
  return gradient;
}

void destroy_extras(TensorImpl* impl) noexcept {
  if (impl->retains_grad && impl->node && impl->node->extras) impl->node->extras->retained = nullptr;
  delete impl->extras;
}

}  // namespace internal

void Tensor::retain_grad() {
  auto* impl = internal::checked(*this, "retain_grad");
  if (!impl->requires_grad) {
    throw StateError("[retain_grad] expected a tensor that needs a gradient, got " + internal::describe(*this));
  }
  if (!impl->node) return;
  impl->retains_grad = true;
  internal::extras_of(impl->node->extras).retained = impl;
}

}  // namespace tern
