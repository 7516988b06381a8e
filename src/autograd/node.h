#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "tensor/impl.h"
#include "tensor/thread_state.h"

// The tape. A node holds, for each input, either a saved tensor or the bare edge to what produced it; of a saved output
// it holds the storage, in whose block the tensor lies, so that a node never owns itself. Depth (one more than the
// deepest input) orders the backward pass: whatever uses a result lies deeper, also when several threads built the
// graph.
namespace tern::internal {

/// Sets grad mode for a scope.
class GradMode {
 public:
  explicit GradMode(bool enabled) : before_(std::exchange(thread_state.grad_enabled, enabled)) {}
  ~GradMode() { thread_state.grad_enabled = before_; }
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};

class Backward;

/// The derivative as an expression in public ops: from the gradient of the result, `out[i]` for each input that
/// `node.wants(i)`; one left undefined is zero.
using DerivativeFn = void (*)(const Node& node, const Tensor& g, Tensor* out);
/// The same by kernels, used when the pass itself is not taped; may write into `run.sink` instead of `out`.
using FusedFn = void (*)(Backward& run, const Node& node, const Tensor& g, Tensor* out);

struct OpInfo {
  const char* name;
  DerivativeFn derivative;
  FusedFn fused = nullptr;
  void (*drop)(void* attributes) = nullptr;  // destroys attributes that need it
};

struct Edge {
  TensorImpl* tensor = nullptr;  // owned: the saved value, or the leaf
  Node* node = nullptr;          // what produced the input; owned when `tensor` is null
  std::uint64_t version = 0;
  bool requires_grad = false;
  bool saved = false;
  bool wanted = false;  // by the pass that runs now
};

struct Node {
  InlineRefCount refs;
  std::uint16_t size_class = 0;
  bool released : 1 = false;
  bool passed : 1 = false;  // by a pass that let go of what it did not retain
  bool has_attributes = false;
  std::uint32_t depth = 0;
  std::uint32_t inputs = 0;
  const OpInfo* op = nullptr;
  std::atomic<Backward*> claimed_by{nullptr};
  TensorImpl* pending = nullptr;       // the gradient collected so far, owned by the pass
  const TensorImpl* output = nullptr;  // the saved result: its storage is owned, it may itself be gone (see TensorImpl)
  union {
    std::uint64_t output_version = 0;
    Node* next;  // of those that wait to be freed
  };
  Extras* extras = nullptr;  // hooks of the result and the like; seldom there

  Edge* edges() { return reinterpret_cast<Edge*>(this + 1); }
  const Edge* edges() const { return reinterpret_cast<const Edge*>(this + 1); }
  void* attribute_memory() { return edges() + inputs; }
  template <class A>
  const A& attributes() const {
    return *reinterpret_cast<const A*>(edges() + inputs);
  }

  bool wants(int i) const { return edges()[i].wanted; }
  /// The saved input. Throws StateError naming the op when it was written since.
  Tensor saved(int i) const { return Tensor(share(const_cast<TensorImpl*>(borrow(i)))); }
  /// The saved result; part of the graph again when the pass is taped.
  Tensor saved_output() const;
  /// The same for kernels: lent while the node lives. Of the result only shape, strides, type and data are to be read.
  const TensorImpl* borrow(int i) const {
    const Edge& edge = edges()[i];
    if (released || edge.tensor->storage->version() != edge.version) [[unlikely]]
      throw_saved(i);
    return edge.tensor;
  }
  const TensorImpl* borrow_output() const {
    if (released || output->storage->version() != output_version) [[unlikely]]
      throw_saved(-1);
    return output;
  }

 private:
  [[noreturn]] TERN_COLD void throw_saved(int i) const;  // of the result: -1
};

// A node of two inputs is two lines of the cache: long chains live from those.
static_assert(sizeof(Node) <= 64 && sizeof(Edge) <= 32);

struct In {
  const Tensor& tensor;
  bool save = false;
};

[[noreturn]] TERN_COLD void throw_released(const Node& node);

/// Makes `out` the result of a new node.
TERN_API Node* record(const OpInfo& op, TensorImpl* out, const In* inputs, std::size_t count, bool save_output,
                      std::size_t attribute_bytes);
/// Throws NumericError naming `op`, and where it was called, when `x` holds a NaN: its result, or, with a node, a
/// gradient that it made.
TERN_API void check_anomaly(const OpInfo& op, const Tensor& x, const Node* node, const In* inputs, std::size_t count);
/// The same of what an op without a tape wrote, after the write.
TERN_COLD void check_written(const char* op, const Tensor& x);
/// Throws NumericError when the sum of gradients that meet holds a NaN: `op`, of `node` if there is one, made the last,
/// `others` those before.
TERN_COLD void check_sum(const OpInfo& op, const Node* node, const Tensor& sum, const std::vector<const char*>& others);
/// Throws NumericError when a hook of `of` gave a gradient with a NaN.
TERN_COLD void check_hooked(const char* of, const Tensor& gradient);

/// After a write in place.
inline void check_in_anomaly(const char* op, const Tensor& x) {
  if (thread_state.anomaly) [[unlikely]]
    check_written(op, x);
}

/// Tapes an op: `out` becomes the result of a new node if taping is on and an input needs a gradient. Returns the node,
/// or null. In anomaly mode checks `out` first.
inline Node* tape(const OpInfo& op, const Tensor& out, const In* inputs, std::size_t count, bool save_output = false,
                  std::size_t attribute_bytes = 0) {
  if (thread_state.anomaly && !thread_state.derivative) [[unlikely]]
    check_anomaly(op, out, nullptr, inputs, count);
  if (!thread_state.grad_enabled) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const TensorImpl* impl = inputs[i].tensor.impl();
    if (impl && impl->requires_grad) return record(op, out.impl(), inputs, count, save_output, attribute_bytes);
  }
  return nullptr;
}

inline Node* tape(const OpInfo& op, const Tensor& out, std::initializer_list<In> inputs, bool save_output = false) {
  return tape(op, out, inputs.begin(), inputs.size(), save_output);
}

template <class A>
Node* tape_with(const OpInfo& op, const Tensor& out, std::initializer_list<In> inputs, const A& attributes,
                bool save_output = false) {
  static_assert(alignof(A) <= 8);
  Node* node = tape(op, out, inputs.begin(), inputs.size(), save_output, sizeof(A));
  if (node) {
    new (node->attribute_memory()) A(attributes);
    node->has_attributes = true;
  }
  return node;
}

/// Destroys attributes of type A; for OpInfo::drop.
template <class A>
void drop_attributes(void* attributes) {
  static_cast<A*>(attributes)->~A();
}

inline bool needs_grad(const Tensor& x) { return x.impl()->requires_grad && thread_state.grad_enabled; }

/// Where a kernel writes a gradient: a contiguous tensor, overwritten or added to.
struct Sink {
  TensorImpl* to;
  bool accumulate;
  void* data() const { return to->data; }
};

}  // namespace tern::internal
