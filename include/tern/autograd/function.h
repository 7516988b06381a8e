#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

namespace internal {
struct Node;
struct CustomFunction;
}  // namespace internal

/// What a function keeps from its forward for its backward.
class TERN_API FunctionContext {
 public:
  /// Keeps a tensor for backward: an input, the result, or any other. Only in forward; throws StateError in backward.
  void save(const Tensor& tensor);
  /// The tensor kept as number `i`. Only in backward. An input or the result that was kept is part of the graph again,
  /// so that a pass with create_graph differentiates through it; another tensor, an intermediate one say, is a constant
  /// there, and what the derivative owes to it is missing from the second one. Throws IndexError, and
  /// StateError when the tensor was written in place since.
  Tensor saved(std::size_t i) const;
  /// Whether the pass wants the gradient of input `i`; the others need not be computed. True in forward.
  bool wants(std::size_t i) const;

 private:
  friend class Function;
  friend struct internal::CustomFunction;
  std::vector<Tensor> kept_;
  const internal::Node* node_ = nullptr;
};

/// A differentiable function of one's own, from its value and its derivative:
///
///   const Function cube("cube",
///       [](FunctionContext& context, const std::vector<Tensor>& in) {
///         context.save(in[0]);
///         return in[0] * in[0] * in[0];
///       },
///       [](const FunctionContext& context, const Tensor& g) -> std::vector<Tensor> {
///         const Tensor x = context.saved(0);
///         return {g * 3 * x * x};
///       });
///   Tensor y = cube({x});
///
/// `forward` is called outside the tape and returns one tensor, which must not be an input written in place. `backward`
/// gets the gradient of that tensor and returns one for each input, of its shape and type, or undefined ones for zero
/// or where none is wanted. Written in public ops it can be differentiated again. Copies share one function; calls from
/// several threads are allowed when both callables allow it.
class TERN_API Function {
 public:
  using Forward = std::function<Tensor(FunctionContext&, const std::vector<Tensor>&)>;
  using Backward = std::function<std::vector<Tensor>(const FunctionContext&, const Tensor&)>;

  /// `name` stands in error messages.
  Function(std::string name, Forward forward, Backward backward);
  /// The value. Throws StateError on an undefined input or result; backward throws StateError, ShapeError or DTypeError
  /// when the gradients are not one for each input, of its shape and type.
  Tensor operator()(const std::vector<Tensor>& inputs) const;

 private:
  std::shared_ptr<const internal::CustomFunction> function_;
};

}  // namespace tern
