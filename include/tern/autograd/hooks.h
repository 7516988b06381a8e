#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "tern/tensor/tensor.h"

namespace tern {

namespace internal {
struct HookList;
}

/// Takes a hook off again. It may be dropped: the hook stays.
class TERN_API HookHandle {
 public:
  HookHandle() = default;
  HookHandle(const std::shared_ptr<internal::HookList>& list, std::uint64_t number);
  /// The hook is not called any more. Again, or once the tensor is gone, it does nothing.
  void remove();

 private:
  std::weak_ptr<internal::HookList> list_;
  std::uint64_t number_ = 0;
};

namespace internal {
TERN_API HookHandle register_hook(const Tensor& x, std::function<Tensor(const Tensor&)> hook);
}

/// Calls `hook(gradient)` whenever a pass has this tensor's gradient, the contributions of that pass added up, before
/// it is accumulated or goes on; a tensor that the hook returns takes its place, an undefined one leaves it. Hooks are
/// called in the order in which they were registered: of an op's result when the pass comes by, of a leaf at the pass's
/// end. In a pass with create_graph what a hook computes is taped. Throws StateError unless the tensor needs a
/// gradient; the pass throws ShapeError or DTypeError when a gradient is replaced by one of another shape or type.
/// A hook that holds its own tensor keeps it and its graph alive until it is removed.
template <class F>
HookHandle Tensor::register_hook(F hook) const {
  if constexpr (std::is_void_v<decltype(hook(*this))>) {
    return internal::register_hook(*this, [hook = std::move(hook)](const Tensor& gradient) mutable {
      hook(gradient);
      return Tensor();
    });
  } else {
    return internal::register_hook(*this, std::move(hook));
  }
}

}  // namespace tern
