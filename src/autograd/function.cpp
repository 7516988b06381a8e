#include "tern/autograd/function.h"

#include <algorithm>
#include <utility>

#include "autograd/extras.h"
#include "autograd/node.h"
#include "tensor/device_runtime.h"
#include "tern/base/error.h"

namespace tern {

namespace internal {

// One op of the tape for each function; the node keeps it alive.
struct CustomFunction {
  std::string name;
  Function::Forward forward;
  Function::Backward backward;
  OpInfo op;

  // What the gradient of an input is checked against.
  struct Input {
    Shape shape;
    DType dtype;
    Device device;
  };
  // What a node remembers: for each kept tensor the input of the node that it is, -1 for the result; and the inputs.
  // Kept tensors that are neither follow the inputs, as inputs that need no gradient.
  struct Attribute {
    const CustomFunction* function;
    std::vector<int> kept;
    std::vector<Input> inputs;
  };

  static void derivative(const Node& node, const Tensor& g, Tensor* out) {
    const auto& attribute = node.attributes<Attribute>();
    FunctionContext context;
    context.node_ = &node;
    std::vector<Tensor> gradients = attribute.function->backward(context, g);
    const std::string& name = attribute.function->name;
    if (gradients.size() != attribute.inputs.size()) {
      throw StateError("[" + name + "] expected " + std::to_string(attribute.inputs.size()) +
                       " gradients from backward, one for each input, got " + std::to_string(gradients.size()));
    }
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined() || !node.wants(static_cast<int>(i))) continue;
      const auto& [shape, dtype, device] = attribute.inputs[i];
      if (!(gradients[i].shape() == shape)) {
        throw_shape(name.c_str(), "a gradient of shape " + to_string(shape) + " for input " + std::to_string(i),
                    to_string(gradients[i].shape()));
      }
      if (gradients[i].dtype() != dtype) {
        throw_dtype(name.c_str(),
                    "a gradient of type " + std::string(tern::name(dtype)) + " for input " + std::to_string(i),
                    std::string(tern::name(gradients[i].dtype())));
      }
      if (gradients[i].device() != device) {
        throw_devices(name.c_str(), to_string(device) + " of input " + std::to_string(i) + " and " +
                                        to_string(gradients[i].device()));
      }
      out[i] = std::move(gradients[i]);
    }
  }
};

}  // namespace internal

using internal::CustomFunction;

void FunctionContext::save(const Tensor& tensor) {
  if (node_) throw StateError("[save] expected to be called in forward, got a call in backward");
  internal::checked(tensor, "save");
  kept_.push_back(tensor);
}

Tensor FunctionContext::saved(std::size_t i) const {
  if (!node_) throw StateError("[saved] expected to be called in backward, got a call in forward");
  const auto& kept = node_->attributes<CustomFunction::Attribute>().kept;
  if (i >= kept.size()) {
    throw IndexError("[" + std::string(node_->op->name) + "] expected the number of a saved tensor, below " +
                     std::to_string(kept.size()) + ", got " + std::to_string(i));
  }
  return kept[i] < 0 ? node_->saved_output() : node_->saved(kept[i]);
}

bool FunctionContext::wants(std::size_t i) const { return !node_ || node_->wants(static_cast<int>(i)); }

Function::Function(std::string name, Forward forward, Backward backward) {
  auto function = std::make_shared<CustomFunction>(
      CustomFunction{std::move(name), std::move(forward), std::move(backward), {nullptr, &CustomFunction::derivative}});
  function->op.name = function->name.c_str();
  function->op.drop = &internal::drop_attributes<CustomFunction::Attribute>;
  function_ = std::move(function);
}

Tensor Function::operator()(const std::vector<Tensor>& inputs) const {
  for (const Tensor& x : inputs) internal::checked(x, function_->name.c_str());
  FunctionContext context;
  Tensor out;
  {
    const internal::GradMode off(false);
    out = function_->forward(context, inputs);
  }
  if (!out.defined()) throw StateError("[" + function_->name + "] expected a result from forward, got none");
  // The result is a tensor of its own, whose block a node can hold on to.
  const auto* impl = out.impl();
  const bool shared = impl->home != impl->storage || impl->requires_grad ||
                      std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& x) { return x.is_same(out); });
  Tensor result = shared ? out.detach().clone() : out;
  if (!is_floating(result.dtype())) return result;  // it has no gradient

  CustomFunction::Attribute attribute{function_.get(), {}, {}};
  std::vector<internal::In> list;
  std::vector<bool> save(inputs.size());
  std::vector<const Tensor*> others;
  bool save_result = false;
  for (const Tensor& kept : context.kept_) {
    std::size_t i = 0;
    while (i < inputs.size() && !inputs[i].is_same(kept)) ++i;
    if (i < inputs.size()) {
      save[i] = true;
      attribute.kept.push_back(static_cast<int>(i));
    } else if (kept.is_same(out)) {
      save_result = true;
      attribute.kept.push_back(-1);
    } else {
      attribute.kept.push_back(static_cast<int>(inputs.size() + others.size()));
      others.push_back(&kept);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    list.push_back({inputs[i], save[i]});
    attribute.inputs.push_back({inputs[i].shape(), inputs[i].dtype(), inputs[i].device()});
  }
  std::vector<Tensor> constants;
  constants.reserve(others.size());
  for (const Tensor* other : others) constants.push_back(other->requires_grad() ? other->detach() : *other);
  for (const Tensor& constant : constants) list.push_back({constant, true});
  internal::Node* node =
      internal::tape(function_->op, result, list.data(), list.size(), save_result, sizeof(attribute));
  if (node) {
    new (node->attribute_memory()) CustomFunction::Attribute(std::move(attribute));
    node->has_attributes = true;
    internal::extras_of(node->extras).function = function_;
  }
  return result;
}

}  // namespace tern
