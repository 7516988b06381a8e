#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/nn/attributes.h"
#include "tern/tensor/tensor.h"

namespace tern::nn {

class Module;

/// A part of a module: exactly one of the two pointers is set.
struct Part {
  std::string name{};
  Module* module = nullptr;
  Tensor* parameter = nullptr;
};

namespace internal {
struct ModuleHooks;
}

/// A hook that stands on a module. It may be dropped: the hook stays.
class TERN_API ModuleHook {
 public:
  ModuleHook() = default;
  ModuleHook(const std::shared_ptr<internal::ModuleHooks>& hooks, std::uint64_t number);
  /// The hook is not called any more. Again, or once the module is gone, it does nothing.
  void remove();

 private:
  std::weak_ptr<internal::ModuleHooks> hooks_;
  std::uint64_t number_ = 0;
};

/// Tensors by name, in order.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// Something with parameters that maps a tensor to a tensor. A type of one's own derives from it, names its parts once
/// with TERN_MODULE and writes `forward`. Modules are moved or cloned (nn/architecture.h), never copied.
class TERN_API Module {
 public:
  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module();

  /// The output for `x`. In evaluation, under NoGrad, it must not write to the module: then one module serves any
  /// number of threads at once.
  virtual Tensor forward(const Tensor& x) = 0;
  /// Calls forward; every call of a module passes here.
  Tensor operator()(const Tensor& x) {
    if (hooks_ || is_anomaly_enabled()) [[unlikely]]
      return call_watched(x);
    return forward(x);
  }
  /// The same of a module that nothing is to change, by any number of threads, under NoGrad. Throws StateError unless
  /// it is in evaluation mode.
  Tensor operator()(const Tensor& x) const;

  /// Whether a hook is set.
  bool has_hooks() const { return hooks_ != nullptr; }

  // Hooks, each kind called in the order in which they were set whenever the module is called, not when its forward is.
  // A hook returns a tensor to take the place of the one it saw, or an undefined one. They move with the module, and
  // are neither saved nor cloned. A module without hooks pays for none.
  using ForwardPreHook = std::function<Tensor(Module& module, const Tensor& input)>;
  using ForwardHook = std::function<Tensor(Module& module, const Tensor& input, const Tensor& output)>;
  using BackwardHook = std::function<Tensor(const Tensor& grad_input, const Tensor& grad_output)>;
  /// Before forward; may replace the input.
  ModuleHook register_forward_pre_hook(ForwardPreHook hook);
  /// After forward; may replace the output.
  ModuleHook register_forward_hook(ForwardHook hook);
  /// When backward has passed the module, with the gradients of its input and of its output; may replace that of the
  /// input. When the input needs no gradient, grad_input is undefined and what is returned counts for nothing.
  ModuleHook register_backward_hook(BackwardHook hook);

  /// The type's name, as an architecture records it. TERN_MODULE writes it.
  virtual std::string_view type_name() const = 0;
  /// The parts, in order. TERN_MODULE writes it.
  virtual std::vector<Part> parts() = 0;
  /// The options that a factory needs to make this module again; none unless overridden.
  virtual Attributes attributes() const;

  /// The parameters in order of the parts, depth first, as handles that share them; a tied one comes once.
  std::vector<Tensor> parameters() const;
  /// The same with PyTorch's names ("0.weight", "head.bias"); a tied one has the first of its names.
  NamedTensors named_parameters() const;
  /// This module and, depth first, all within it.
  std::vector<Module*> modules();
  std::vector<const Module*> modules() const;
  /// Number of elements of all parameters.
  std::int64_t num_parameters() const;

  /// Sets training, or evaluation, here and in every part.
  Module& train(bool on = true);
  Module& eval() { return train(false); }
  bool is_training() const { return training_; }

  /// Converts parameters and their gradients, in place: handles to them, tied ones and optimizers' too, stay valid,
  /// but an optimizer's own state keeps its type. Throws DTypeError unless `dtype` is floating.
  Module& to(DType dtype);
  /// Moves parameters and their gradients to a device, in place likewise; make the optimizer afterwards. Throws
  /// DeviceError when the device is not there.
  Module& to(Device device);
  /// The parameters have no gradient any more. Missing is not zero: optimizers skip it.
  void zero_grad();

 private:
  Tensor call_watched(const Tensor& x);
  Tensor call_hooked(const Tensor& x);
  internal::ModuleHooks& hooks();

  bool training_ = true;
  std::shared_ptr<internal::ModuleHooks> hooks_;  ///< null without hooks
};

/// Every parameter with every name that it has: a tied one comes once for each place where it stands.
TERN_API NamedTensors all_named_parameters(const Module& module);

namespace internal {
inline Part part_of(Module& module) { return {.module = &module}; }
inline Part part_of(Tensor& parameter) { return {.parameter = &parameter}; }
// `names` as the preprocessor writes a macro's arguments: "conv1, norm1, head".
TERN_API std::vector<Part> name_parts(const char* names, const Part* parts, std::size_t count);
template <class... Parts>
std::vector<Part> list_parts(const char* names, Parts&... parts) {
  const Part list[] = {part_of(parts)..., {}};
  return name_parts(names, list, sizeof...(parts));
}
}  // namespace internal

}  // namespace tern::nn

// The functions that TERN_MODULE writes override, but do not say so, so that a struct may say it of all its own or of
// none.
#ifdef __clang__
#define TERN_MODULE_BEGIN_                                                                                 \
  _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Winconsistent-missing-override\"") \
      _Pragma("clang diagnostic ignored \"-Wsuggest-override\"")
#define TERN_MODULE_END_ _Pragma("clang diagnostic pop")
#else
#define TERN_MODULE_BEGIN_ _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wsuggest-override\"")
#define TERN_MODULE_END_ _Pragma("GCC diagnostic pop")
#endif

/// Inside a type derived from tern::nn::Module: gives its name and its parts, which are members that are modules or
/// tensors (parameters; an undefined one is no part), each named once: `TERN_MODULE(Net, conv1, norm1, head)`.
#define TERN_MODULE(Type, ...)                                                        \
  TERN_MODULE_BEGIN_                                                                  \
  std::string_view type_name() const { return #Type; }                                \
  std::vector<::tern::nn::Part> parts() {                                             \
    return ::tern::nn::internal::list_parts(#__VA_ARGS__ __VA_OPT__(, ) __VA_ARGS__); \
  }                                                                                   \
  TERN_MODULE_END_
