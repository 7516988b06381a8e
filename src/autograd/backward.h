#pragma once

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autograd/node.h"
#include "tensor/allocator.h"

namespace tern::internal {

/// Takes a vector's memory from the tensors' cache.
template <class T>
struct CacheAllocator {
  using value_type = T;
  T* allocate(std::size_t n) {
    std::uint32_t size_class;
    return static_cast<T*>(internal::allocate(n * sizeof(T), size_class));
  }
  void deallocate(T* memory, std::size_t n) noexcept { internal::deallocate(memory, memory::class_of(n * sizeof(T))); }
  bool operator==(const CacheAllocator&) const { return true; }
};

/// One pass over a graph, from results to leaves.
class Backward {
 public:
  Backward(bool retain_graph, bool create_graph) : retain_(retain_graph || create_graph), create_(create_graph) {}
  ~Backward();
  Backward(const Backward&) = delete;
  Backward& operator=(const Backward&) = delete;

  /// Collects gradients for these tensors instead of accumulating into leaves; before `start`.
  void capture(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs);
  /// Enters the gradient of a result.
  void start(const Tensor& output, Tensor gradient);
  void run();
  /// What was collected for each captured tensor, undefined when nothing reached it; once, after `run`.
  std::vector<Tensor> captured(const std::vector<Tensor>& inputs);

  /// Memory for the gradient of input `i`, which has this shape, and the type and device of `like`: the preset buffer
  /// of a leaf, say. It counts as the gradient from then on, so one sink is filled before the next is asked for.
  /// Throws StateError when the leaf has another type or device by now.
  Sink sink(const Node& node, int i, const Shape& shape, const TensorImpl* like);

  /// Whether the gradient of input `i` may be left as rows (ops/rows.h): it is a leaf without hooks, which
  /// accumulates.
  bool takes_rows(const Node& node, int i) const;

 private:
  // What `capture` was asked for.
  struct Captured {
    std::unordered_map<const void*, TensorImpl*> wanted;  // leaf or node -> what was collected, owned
    std::unordered_map<const Node*, bool> reaches;        // nodes from which a captured tensor is reached
  };

  void deliver(const Edge& edge, Tensor gradient, const OpInfo& op);
  void deliver_checked(const Node& node, const Edge& edge, const Tensor& g, Tensor gradient);  // in anomaly mode
  void enqueue(const Edge& edge);
  // The gradient so far of a leaf with hooks, which are called at the end.
  TensorImpl*& hooked(TensorImpl* leaf);
  void undo_sink() noexcept;
  Sink sink_of(TensorImpl*& slot, const Shape& shape, const TensorImpl* like);
  void into_leaf(TensorImpl* leaf, Tensor gradient, const OpInfo& op);
  void add_to(TensorImpl*& slot, Tensor gradient) const;
  void process(Node* node);
  bool needed(const Edge& edge) const { return edge.requires_grad && (!captured_ || reaches(edge)); }
  bool reaches(const Edge& edge) const;

  bool retain_, create_;
  TensorImpl* filled_ = nullptr;  // the leaf of the node's last sink, where it had no gradient before
  std::unique_ptr<Captured> captured_;
  std::vector<std::pair<TensorImpl*, TensorImpl*>> hooked_;  // both owned
  std::vector<Node*, CacheAllocator<Node*>> heap_;           // claimed and owned, deepest on top
  // In anomaly mode: which ops gave gradients to a node or leaf.
  using Senders = std::unordered_map<const void*, std::vector<const char*>>;
  std::unique_ptr<Senders> senders_;
};

}  // namespace tern::internal
