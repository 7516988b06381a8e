#pragma once

#include <unordered_map>
#include <vector>

#include "autograd/node.h"

namespace tern::internal {

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
  /// What was collected for a captured tensor, undefined when nothing reached it.
  Tensor captured(const Tensor& input) const;

  /// Memory for the gradient of input `i`, which has this shape and type: the preset buffer of a leaf, say.
  Sink sink(const Node& node, int i, const Shape& shape, DType dtype);

 private:
  void deliver(const Edge& edge, Tensor gradient, const OpInfo& op);
  void enqueue(Node* node);
  void into_leaf(TensorImpl* leaf, Tensor gradient, const OpInfo& op);
  void add_to(TensorImpl*& slot, Tensor gradient) const;
  void process(Node* node);
  bool needed(const Edge& edge) const;

  bool retain_, create_, capturing_ = false;
  std::vector<Node*> heap_;                              // claimed and owned, deepest on top
  std::unordered_map<const void*, TensorImpl*> wanted_;  // leaf or node -> what was collected, owned
  std::unordered_map<const Node*, bool> reaches_;        // nodes from which a captured tensor is reached
};

}  // namespace tern::internal
