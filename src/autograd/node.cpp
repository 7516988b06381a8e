#include "autograd/node.h"

#include <string>

#include "slots.h"
#include "tensor/allocator.h"
#include "tensor_loop.h"
#include "tern/base/error.h"

namespace tern::internal {

namespace {
// Nodes of the calling thread that wait to be freed: a chain of any length is freed in constant stack.
struct Drain {
  Node* head = nullptr;
  bool active = false;
};
__attribute__((tls_model("initial-exec"))) constinit thread_local Drain drain{};
}  // namespace

// Lets go of everything but the node itself.
void clear_node(Node* node) noexcept {
  Edge* edges = node->edges();
  for (std::uint32_t i = 0; i < node->inputs; ++i) {
    Edge edge = std::exchange(edges[i], Edge{});
    if (edge.tensor) {
      release(edge.tensor);
    } else if (edge.node) {
      release_node(edge.node);
    }
  }
  if (node->has_attributes && node->op->drop) node->op->drop(node->attribute_memory());
  node->has_attributes = false;
  release(std::exchange(node->output, nullptr));
  node->released = true;
}

void release_node(Node* node) noexcept {
  if (!node->refs.drop()) return;
  node->next = std::exchange(drain.head, node);
  if (drain.active) return;
  drain.active = true;
  while (Node* first = drain.head) {
    drain.head = first->next;
    clear_node(first);
    release(first->pending);
    deallocate(first, first->size_class);
  }
  drain.active = false;
}

namespace {
[[noreturn]] TERN_COLD void throw_released(const Node& node) {
  throw StateError("[backward] expected a graph that still holds what " + std::string(node.op->name) +
                   " saved, got one released by an earlier backward; pass retain_graph to keep it");
}
[[noreturn]] TERN_COLD void throw_overwritten(const Node& node, const char* what, std::uint64_t saved,
                                              std::uint64_t now) {
  throw StateError("[" + std::string(node.op->name) + "] expected " + what +
                   " that backward needs to be as it was, got one written in place since (version " +
                   std::to_string(saved) + " then, " + std::to_string(now) + " now)");
}
}  // namespace

Tensor Node::saved(int i) const {
  if (released) throw_released(*this);
  const Edge& edge = edges()[i];
  const std::uint64_t now = edge.tensor->storage->version();
  if (now != edge.version) throw_overwritten(*this, "an input", edge.version, now);
  return Tensor(share(edge.tensor));
}

Tensor Node::saved_output() const {
  if (released) throw_released(*this);
  const std::uint64_t now = output->storage->version();
  if (now != output_version) throw_overwritten(*this, "its result", output_version, now);
  Tensor plain(share(output));
  if (!thread_state.grad_enabled) return plain;
  Tensor again = plain.detach();
  auto* self = const_cast<Node*>(this);
  self->refs.add();
  again.impl()->node = self;
  again.impl()->requires_grad = true;
  return again;
}

void check_anomaly(const OpInfo& op, const Tensor& x, bool backward, const In* inputs, std::size_t count) {
  const auto has_nan = [](const Tensor& t) {
    return t.defined() && is_floating(t.dtype()) && kernels::any_nan(t.device(), t.dtype(), make_loop(t, {}));
  };
  if (!has_nan(x)) return;
  bool before = false;
  for (std::size_t i = 0; i < count; ++i) before = before || has_nan(inputs[i].tensor);
  throw NumericError("[" + std::string(op.name) + "] expected " + (backward ? "gradients" : "results") +
                     " without NaN in anomaly mode, got one in the " +
                     (backward ? "gradient that its backward made" : "result") + " of shape " + to_string(x.shape()) +
                     (before ? " (an input already held one)" : ""));
}

Node* tape(const OpInfo& op, const Tensor& out, const In* inputs, std::size_t count, bool save_output,
           std::size_t attribute_bytes) {
  if (thread_state.anomaly) [[unlikely]]
    check_anomaly(op, out, false, inputs, count);
  if (!thread_state.grad_enabled) return nullptr;
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    const TensorImpl* impl = inputs[i].tensor.impl();
    any = any || (impl && impl->requires_grad);
  }
  if (!any) return nullptr;

  std::uint32_t size_class;
  void* memory = allocate(sizeof(Node) + count * sizeof(Edge) + attribute_bytes, size_class);
  Node* node = new (memory) Node;
  node->size_class = size_class;
  node->inputs = static_cast<std::uint32_t>(count);
  node->op = &op;
  std::uint32_t depth = 0;
  Edge* edges = node->edges();
  for (std::size_t i = 0; i < count; ++i) {
    Edge* edge = new (edges + i) Edge;
    TensorImpl* impl = inputs[i].tensor.impl();
    if (!impl) continue;
    edge->requires_grad = impl->requires_grad;
    if (impl->node) depth = std::max(depth, impl->node->depth);
    if (inputs[i].save || (impl->requires_grad && !impl->node)) {
      impl->refs.add();
      edge->tensor = impl;
      edge->node = impl->node;
      edge->saved = inputs[i].save;
      edge->version = impl->storage->version();
    } else if (impl->requires_grad) {
      impl->node->refs.add();
      edge->node = impl->node;
    }
  }
  node->depth = depth + 1;
  TensorImpl* result = out.impl();
  if (save_output) {
    node->output = new_view(out, result->shape, result->strides, 0).release();
    node->output_version = result->storage->version();
  }
  result->node = node;
  result->requires_grad = true;
  return node;
}

}  // namespace tern::internal
