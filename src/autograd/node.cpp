#include "autograd/node.h"

#include <string>

#include "autograd/extras.h"
#include "tensor/allocator.h"
#include "tern/base/error.h"

namespace tern::internal {

namespace {
// Nodes of the calling thread that wait to be freed: a chain of any length is freed in constant stack.
struct Drain {
  Node* head = nullptr;
  bool active = false;
};
TERN_THREAD_STATE constinit thread_local Drain drain{};

// Lets go of everything but the node itself; what is `over` is not looked at again.
template <bool over>
inline void clear(Node* node) noexcept {
  Edge* edges = node->edges();
  for (std::uint32_t i = 0, inputs = node->inputs; i < inputs; ++i) {
    TensorImpl* const tensor = edges[i].tensor;
    Node* const from = edges[i].node;
    if (!over) edges[i].tensor = nullptr, edges[i].node = nullptr;
    if (tensor) {
      release(tensor);
    } else if (from) {
      release_node(from);
    }
  }
  if (node->has_attributes && node->op->drop) node->op->drop(node->attribute_memory());
  if (node->output) release_storage(node->output->storage);
  if (over) return;
  node->has_attributes = false;
  node->output = nullptr;
  node->released = true;
}

TERN_COLD void free_extras(Extras* extras) noexcept { delete extras; }
}  // namespace

// After a pass. A node that saved nothing has nothing to let go of, and another pass may run through it.
void let_go(Node* node) noexcept {
  node->passed = true;
  bool saved = node->output != nullptr;
  const Edge* edges = node->edges();
  for (std::uint32_t i = 0; i < node->inputs; ++i) saved |= edges[i].saved;
  if (saved) clear<false>(node);
}

void release_node(Node* node) noexcept {
  if (!node->refs.drop()) return;
  node->next = std::exchange(drain.head, node);
  if (drain.active) return;
  drain.active = true;
  while (Node* first = drain.head) {
    drain.head = first->next;
    if (!first->released) clear<true>(first);
    release(first->pending);
    if (first->extras) free_extras(first->extras);
    deallocate(first, first->size_class);
  }
  drain.active = false;
}

void throw_released(const Node& node) {
  throw StateError("[backward] expected a graph that still holds what " + std::string(node.op->name) +
                   " saved, got one released by an earlier backward; pass retain_graph to keep it");
}

namespace {
[[noreturn]] TERN_COLD void throw_view(const OpInfo& op) {
  throw StateError("[" + std::string(op.name) + "] expected a new tensor to be saved, got a view");
}
[[noreturn]] TERN_COLD void throw_overwritten(const Node& node, const char* what, std::uint64_t saved,
                                              std::uint64_t now) {
  throw StateError("[" + std::string(node.op->name) + "] expected " + what +
                   " that backward needs to be as it was, got one written in place since (version " +
                   std::to_string(saved) + " then, " + std::to_string(now) + " now)");
}
}  // namespace

void Node::throw_saved(int i) const {
  if (released) throw_released(*this);
  const TensorImpl* tensor = i < 0 ? output : edges()[i].tensor;
  throw_overwritten(*this, i < 0 ? "its result" : "an input", i < 0 ? output_version : edges()[i].version,
                    tensor->storage->version());
}

Tensor Node::saved_output() const {
  const TensorImpl* saved = borrow_output();
  Tensor again = new_view(saved, saved->shape, saved->strides, 0);
  if (!thread_state.grad_enabled) return again;
  auto* self = const_cast<Node*>(this);
  self->refs.add();
  again.impl()->node = self;
  again.impl()->requires_grad = true;
  return again;
}

Node* record(const OpInfo& op, TensorImpl* out, const In* inputs, std::size_t count, bool save_output,
             std::size_t attribute_bytes) {
  std::uint32_t size_class;
  void* memory = allocate(sizeof(Node) + count * sizeof(Edge) + attribute_bytes, size_class);
  Node* node = new (memory) Node;
  node->size_class = static_cast<std::uint16_t>(size_class);
  node->inputs = static_cast<std::uint32_t>(count);
  node->op = &op;
  std::uint32_t depth = 0;
  Edge* edges = node->edges();
  for (std::size_t i = 0; i < count; ++i) {
    TensorImpl* const impl = inputs[i].tensor.impl();
    if (!impl) {
      new (edges + i) Edge;
      continue;
    }
    Node* const from = impl->node;
    const bool save = inputs[i].save, needs = impl->requires_grad;
    if (from) depth = std::max(depth, from->depth);
    if (save || (needs && !from)) {
      impl->refs.add();
      new (edges + i) Edge{impl, from, save ? impl->storage->version() : 0, needs, save};
    } else {
      if (needs) from->refs.add();
      new (edges + i) Edge{nullptr, needs ? from : nullptr, 0, needs};
    }
  }
  node->depth = depth + 1;
  if (save_output) {
    if (out->home != out->storage) [[unlikely]]
      throw_view(op);
    out->storage->refs.add();
    node->output = out;
    node->output_version = out->storage->version();
  }
  if (thread_state.anomaly) [[unlikely]]
    extras_of(node->extras).called = call_site();
  out->node = node;
  out->requires_grad = true;
  return node;
}

}  // namespace tern::internal
