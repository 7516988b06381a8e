#include "autograd/backward.h"

#include <algorithm>
#include <string>
#include <unordered_set>

#include "autograd/extras.h"
#include "tensor_loop.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"

namespace tern::internal {

void let_go(Node* node) noexcept;

namespace {
const auto shallower = [](const Node* a, const Node* b) { return a->depth < b->depth; };

// An uninitialised contiguous tensor of this shape, which most often is that of `like`.
Tensor new_gradient(const Shape& shape, const TensorImpl* like) {
  if (&shape == &like->shape) return new_tensor(shape, like->numel, like->dtype, like->device);
  return new_tensor(shape, like->dtype, like->device);
}

// What a caller lent is never ours to write to, whoever holds it.
bool sole_owner(const TensorImpl* impl) {
  const Storage* storage = impl->storage;
  return impl->refs.unique() && storage->refs.unique() && !storage->parent && impl->contiguous &&
         !(storage->foreign && storage->foreign->lent);
}

// A hook may write to what it sees, so that is nobody else's.
Tensor hooked_gradient(const Extras& extras, Tensor gradient, const char* of) {
  if (extras.hooks && !gradient.requires_grad() && !sole_owner(gradient.impl())) gradient = gradient.clone();
  gradient = run_hooks(extras, std::move(gradient));
  if (thread_state.anomaly && extras.hooks) check_hooked(of, gradient);
  return gradient;
}

// Its ops are not looked at themselves in anomaly mode.
struct WithinDerivative {
  bool before = std::exchange(thread_state.derivative, true);
  ~WithinDerivative() { thread_state.derivative = before; }
};

[[noreturn]] TERN_COLD void throw_busy(const Node* node) {
  throw StateError("[backward] expected a graph that one pass runs through at a time, got two at once in " +
                   std::string(node->op->name));
}

// Throws where a graph that an earlier pass went through has let go of something, before leaves are added to.
TERN_COLD void check_whole(const Node* root) {
  std::vector<const Node*> stack{root};
  std::unordered_set<const Node*> seen{root};
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    if (node->released) throw_released(*node);
    for (std::uint32_t i = 0; i < node->inputs; ++i) {
      const Edge& edge = node->edges()[i];
      if (edge.requires_grad && edge.node && seen.insert(edge.node).second) stack.push_back(edge.node);
    }
  }
}

[[noreturn]] TERN_COLD void throw_gradient(const OpInfo& op, const TensorImpl* leaf, const std::string& got) {
  throw StateError("[" + std::string(op.name) + "] expected a gradient of type " + std::string(name(leaf->dtype)) +
                   ", shape " + to_string(leaf->shape) + ", on " + to_string(leaf->device) + ", as the leaf is, got " +
                   got);
}
[[noreturn]] TERN_COLD void throw_sink(const OpInfo& op, const TensorImpl* leaf, const TensorImpl* like) {
  throw_gradient(op, leaf, std::string(name(like->dtype)) + " on " + to_string(like->device));
}
}  // namespace

Backward::~Backward() {
  for (Node* node : heap_) {  // left over when a derivative threw
    release(std::exchange(node->pending, nullptr));
    node->claimed_by.store(nullptr, std::memory_order_release);
    release_node(node);
  }
  for (auto& [leaf, pending] : hooked_) {
    release(leaf);
    release(pending);
  }
  if (!captured_) return;
  for (auto& [key, collected] : captured_->wanted) release(collected);
}

void Backward::capture(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs) {
  captured_ = std::make_unique<Captured>();
  auto& [wanted, reaches] = *captured_;
  for (const Tensor& input : inputs) {
    TensorImpl* impl = checked(input, "grad");
    if (!impl->requires_grad) throw StateError("[grad] expected inputs that need a gradient, got one that does not");
    wanted[impl->node ? static_cast<const void*>(impl->node) : impl] = nullptr;
  }
  // Nodes in post-order, so that a node is judged after all that it depends on; an explicit stack for long chains.
  struct Visit {
    Node* node;
    std::uint32_t next;
  };
  std::vector<Visit> stack;
  const auto enter = [&](Node* node) {
    if (captured_->reaches.emplace(node, captured_->wanted.count(node) > 0).second) stack.push_back({node, 0});
  };
  for (const Tensor& output : outputs) {
    if (Node* root = checked(output, "grad")->node) enter(root);
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next < top.node->inputs) {
        const Edge& edge = top.node->edges()[top.next++];
        if (edge.requires_grad && edge.node) enter(edge.node);
        continue;
      }
      bool found = reaches[top.node];
      for (std::uint32_t i = 0; i < top.node->inputs; ++i) {
        const Edge& edge = top.node->edges()[i];
        if (edge.requires_grad) found = found || (edge.node ? reaches[edge.node] : wanted.count(edge.tensor) > 0);
      }
      reaches[top.node] = found;
      stack.pop_back();
    }
  }
}

bool Backward::reaches(const Edge& edge) const {
  if (!edge.node) return captured_->wanted.count(edge.tensor) > 0;
  const auto found = captured_->reaches.find(edge.node);
  return found != captured_->reaches.end() && found->second;
}

void Backward::enqueue(const Edge& edge) {
  Node* node = edge.node;
  Backward* owner = node->claimed_by.load(std::memory_order_acquire);
  if (owner == this) return;
  // Reached through this edge alone, which is this pass's, the node is nobody else's either: plain writes will do.
  const bool alone = node->refs.unique() && (!edge.tensor || edge.tensor->refs.unique());
  if (alone && owner == nullptr) {
    node->claimed_by.store(this, std::memory_order_relaxed);
    node->refs.value.store(2, std::memory_order_relaxed);
  } else if (owner == nullptr && node->claimed_by.compare_exchange_strong(owner, this, std::memory_order_acq_rel)) {
    node->refs.add();
  } else {
    throw_busy(node);
  }
  __builtin_prefetch(node->edges() + 1);
  if (heap_.empty() && heap_.capacity() == 0) heap_.reserve(32);
  heap_.push_back(node);
  if (heap_.size() > 1) std::push_heap(heap_.begin(), heap_.end(), shallower);
}

void Backward::start(const Tensor& output, Tensor gradient) {
  static const OpInfo root{"backward", nullptr};
  Edge edge;
  edge.tensor = output.impl();
  edge.node = output.impl()->node;
  edge.requires_grad = true;
  if (needed(edge)) deliver(edge, std::move(gradient), root);
  if (edge.node && edge.node->passed && !captured_) [[unlikely]]
    check_whole(edge.node);
}

void Backward::add_to(TensorImpl*& slot, Tensor gradient) const {
  if (!slot) {
    slot = gradient.release();
    return;
  }
  if (!create_ && sole_owner(slot)) {
    add_in_place(slot, gradient);
  } else if (!create_ && sole_owner(gradient.impl())) {
    add_in_place(gradient.impl(), Tensor(share(slot)));
    release(std::exchange(slot, gradient.release()));
  } else {
    Tensor sum = add(Tensor(share(slot)), gradient);
    release(std::exchange(slot, sum.release()));
  }
}

void Backward::into_leaf(TensorImpl* leaf, Tensor gradient, const OpInfo& op) {
  if (!(gradient.impl()->shape == leaf->shape) || gradient.impl()->dtype != leaf->dtype ||
      gradient.impl()->device != leaf->device) {
    throw_gradient(op, leaf, describe(gradient));
  }
  if (captured_) {
    const auto found = captured_->wanted.find(leaf);
    if (found != captured_->wanted.end()) add_to(found->second, std::move(gradient));
    return;
  }
  if (create_) {
    Tensor sum = leaf->grad_present            ? add(Tensor(share(leaf->grad)), gradient)
                 : sole_owner(gradient.impl()) ? std::move(gradient)
                                               : gradient.clone();
    release(std::exchange(leaf->grad, sum.release()));
    leaf->grad_buffer = false;
  } else if (!leaf->grad) {
    leaf->grad = (sole_owner(gradient.impl()) ? std::move(gradient) : gradient.clone()).release();
  } else if (!leaf->grad_present) {
    Tensor(share(leaf->grad)).copy_(gradient);
  } else if (leaf->grad->requires_grad || !leaf->grad->contiguous) {  // whose elements may share memory
    Tensor sum = add(Tensor(share(leaf->grad)), gradient);
    release(std::exchange(leaf->grad, sum.release()));
    leaf->grad_buffer = false;
  } else {
    leaf->grad->storage->count_write();
    add_in_place(leaf->grad, gradient);
  }
  leaf->grad_present = true;
}

void Backward::deliver(const Edge& edge, Tensor gradient, const OpInfo& op) {
  if (edge.node) {
    enqueue(edge);
    add_to(edge.node->pending, std::move(gradient));
  } else if (edge.tensor->extras) [[unlikely]] {
    add_to(hooked(edge.tensor), std::move(gradient));
  } else {
    into_leaf(edge.tensor, std::move(gradient), op);
  }
}

// By the derivative, whose results can be looked at one by one, and then what they add up to.
void Backward::deliver_checked(const Node& node, const Edge& edge, const Tensor& g, Tensor gradient) {
  const In in{g};
  check_anomaly(*node.op, gradient, &node, &in, 1);
  if (!senders_) senders_ = std::make_unique<Senders>();
  const void* const target = edge.node ? static_cast<const void*>(edge.node) : edge.tensor;
  const bool at_leaf = !edge.node && !edge.tensor->extras && !captured_;
  std::vector<const char*>& senders = (*senders_)[target];
  if (senders.empty() && at_leaf && edge.tensor->grad_present) senders.push_back("an earlier pass");
  {
    const WithinDerivative within;
    deliver(edge, std::move(gradient), *node.op);
  }
  const TensorImpl* sum = edge.node ? edge.node->pending : at_leaf ? edge.tensor->grad : nullptr;
  if (!sum) sum = edge.tensor->extras ? hooked(edge.tensor) : captured_->wanted.find(edge.tensor)->second;
  check_sum(*node.op, &node, Tensor(share(const_cast<TensorImpl*>(sum))), senders);
  senders.push_back(node.op->name);
}

TensorImpl*& Backward::hooked(TensorImpl* leaf) {
  for (auto& [known, pending] : hooked_) {
    if (known == leaf) return pending;
  }
  return hooked_.emplace_back(share(leaf), nullptr).second;
}

Sink Backward::sink_of(TensorImpl*& slot, const Shape& shape, const TensorImpl* like) {
  if (!slot) {
    slot = new_gradient(shape, like).release();
    return {slot, false};
  }
  if (!sole_owner(slot)) release(std::exchange(slot, Tensor(share(slot)).clone().release()));
  return {slot, true};
}

Sink Backward::sink(const Node& node, int i, const Shape& shape, const TensorImpl* like) {
  const Edge& edge = node.edges()[i];
  if (Node* target = edge.node) {
    enqueue(edge);
    return sink_of(target->pending, shape, like);
  }
  TensorImpl* leaf = edge.tensor;
  if (leaf->dtype != like->dtype || !on_one_device(leaf, like)) [[unlikely]]
    throw_sink(*node.op, leaf, like);
  if (leaf->extras) [[unlikely]]
    return sink_of(hooked(leaf), shape, like);
  if (captured_) return sink_of(captured_->wanted.find(leaf)->second, shape, like);
  if (!leaf->grad) {
    leaf->grad = new_gradient(shape, like).release();
  } else if (leaf->grad->requires_grad || !leaf->grad->contiguous) {
    release(std::exchange(leaf->grad, Tensor(share(leaf->grad)).detach().clone().release()));
    leaf->grad_buffer = false;
  } else {
    leaf->grad->storage->count_write();
  }
  const bool present = std::exchange(leaf->grad_present, true);
  if (!present) filled_ = leaf;
  return {leaf->grad, present};
}

// The last sink is the one whose kernel may not have run to its end.
void Backward::undo_sink() noexcept {
  if (!filled_) return;
  filled_->grad_present = false;
  if (!filled_->grad_buffer) release(std::exchange(filled_->grad, nullptr));
}

bool Backward::takes_rows(const Node& node, int i) const {
  const Edge& edge = node.edges()[i];
  return !captured_ && !create_ && !edge.node && !(edge.tensor->extras && edge.tensor->extras->hooks);
}

void Backward::process(Node* node) {
  // Owned from here on, whatever throws.
  struct Claim {
    Node* node;
    ~Claim() {
      release(std::exchange(node->pending, nullptr));
      node->claimed_by.store(nullptr, std::memory_order_release);
      release_node(node);
    }
  } claim{node};

  Tensor g(std::exchange(node->pending, nullptr));
  if (node->extras) [[unlikely]] {
    g = hooked_gradient(*node->extras, std::move(g), node->op->name);
    if (node->extras->retained && !captured_) into_leaf(node->extras->retained, g, *node->op);
  }
  if (captured_) {
    const auto found = captured_->wanted.find(node);
    if (found != captured_->wanted.end()) found->second = share(g.impl());
  }
  if (node->released) [[unlikely]]
    throw_released(*node);
  const std::uint32_t count = node->inputs;
  Edge* edges = node->edges();
  bool any = false;
  for (std::uint32_t i = 0; i < count; ++i) any |= edges[i].wanted = needed(edges[i]);
  if (any) {
    constexpr std::uint32_t kFew = 4;
    Tensor few[kFew];
    const std::unique_ptr<Tensor[]> many(count > kFew ? new Tensor[count] : nullptr);
    Tensor* const out = count > kFew ? many.get() : few;
    if (thread_state.anomaly) [[unlikely]] {
      const WithinDerivative within;
      node->op->derivative(*node, g, out);
    } else if (node->op->fused && !create_) {
      filled_ = nullptr;
      try {
        node->op->fused(*this, *node, g, out);
      } catch (...) {
        undo_sink();
        throw;
      }
    } else {
      node->op->derivative(*node, g, out);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!out[i].defined() || !edges[i].wanted) continue;
      if (thread_state.anomaly) [[unlikely]] {
        deliver_checked(*node, edges[i], g, std::move(out[i]));
        continue;
      }
      deliver(edges[i], std::move(out[i]), *node->op);
    }
  }
  // Of one owner all of it goes, now; of a gradient that ends here nothing was used.
  if (!retain_ && any && !node->refs.unique()) let_go(node);
}

void Backward::run() {
  const GradMode mode(create_);
  while (!heap_.empty()) {
    if (heap_.size() > 1) std::pop_heap(heap_.begin(), heap_.end(), shallower);
    Node* node = heap_.back();
    heap_.pop_back();
    process(node);
  }
  static constexpr OpInfo hook{"hook", nullptr};
  for (auto& [leaf, pending] : hooked_) {
    if (!pending) continue;
    Tensor gradient = hooked_gradient(*leaf->extras, Tensor(std::exchange(pending, nullptr)), "a leaf");
    if (thread_state.anomaly) [[unlikely]] {
      const bool met = leaf->grad_present && !captured_;
      {
        const WithinDerivative within;
        into_leaf(leaf, std::move(gradient), hook);
      }
      if (met) check_sum(hook, nullptr, Tensor(share(leaf->grad)), {"an earlier pass"});
      continue;
    }
    into_leaf(leaf, std::move(gradient), hook);
  }
}

std::vector<Tensor> Backward::captured(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> results;
  for (const Tensor& input : inputs) {
    const TensorImpl* impl = input.impl();
    const auto found = captured_->wanted.find(impl->node ? static_cast<const void*>(impl->node) : impl);
    results.emplace_back(share(found->second));
  }
  for (auto& [key, collected] : captured_->wanted) release(std::exchange(collected, nullptr));
  // Each is the caller's own to write to: not another's memory, nor that of a gradient which was given. One that is
  // part of a graph may not be written to anyway.
  for (Tensor& result : results) {
    if (result.defined() && !result.requires_grad() && !sole_owner(result.impl())) result = result.clone();
  }
  return results;
}

namespace {
Tensor start_gradient(const char* where, const Tensor& output, const Tensor& given) {
  const TensorImpl* impl = checked(output, where);
  if (!impl->requires_grad) {
    throw StateError("[" + std::string(where) + "] expected a result that needs a gradient, got one that does not");
  }
  if (!given.defined()) {
    if (impl->numel != 1) {
      throw_shape(where, "a result of one element, or its gradient", to_string(impl->shape));
    }
    return full(impl->shape, 1, impl->dtype, impl->device);
  }
  if (!(given.shape() == impl->shape)) {
    throw_shape(where, "a gradient of shape " + to_string(impl->shape), to_string(given.shape()));
  }
  check_devices(where, output, given);
  if (given.dtype() != impl->dtype) {
    throw_dtype(where, "a gradient of type " + std::string(name(impl->dtype)), std::string(name(given.dtype())));
  }
  return given;
}
}  // namespace
}  // namespace tern::internal

namespace tern {

using internal::Backward;

void Tensor::backward() const { backward({}); }

void Tensor::backward(const BackwardOptions& options) const {
  Tensor gradient = internal::start_gradient("backward", *this, options.gradient);
  Backward pass(options.retain_graph, options.create_graph);
  const internal::GradMode mode(options.create_graph);
  pass.start(*this, std::move(gradient));
  pass.run();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options) {
  if (!options.grad_outputs.empty() && options.grad_outputs.size() != outputs.size()) {
    internal::throw_value("grad", std::to_string(outputs.size()) + " grad_outputs",
                          std::to_string(options.grad_outputs.size()));
  }
  Backward pass(options.retain_graph, options.create_graph);
  std::vector<Tensor> gradients;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor given = options.grad_outputs.empty() ? Tensor() : options.grad_outputs[i];
    gradients.push_back(internal::start_gradient("grad", outputs[i], given));
  }
  pass.capture(outputs, inputs);
  const internal::GradMode mode(options.create_graph);
  for (std::size_t i = 0; i < outputs.size(); ++i) pass.start(outputs[i], std::move(gradients[i]));
  pass.run();
  std::vector<Tensor> results = pass.captured(inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!results[i].defined() && !options.allow_unused) {
      throw StateError("[grad] expected outputs that depend on every input, got input " + std::to_string(i) +
                       " unused; pass allow_unused for an undefined gradient");
    }
  }
  return results;
}

std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs, const GradOptions& options) {
  return grad(std::vector<Tensor>{output}, inputs, options);
}

bool is_grad_enabled() { return internal::thread_state.grad_enabled; }
NoGrad::NoGrad() : before_(std::exchange(internal::thread_state.grad_enabled, false)) {}
NoGrad::~NoGrad() { internal::thread_state.grad_enabled = before_; }
EnableGrad::EnableGrad() : before_(std::exchange(internal::thread_state.grad_enabled, true)) {}
EnableGrad::~EnableGrad() { internal::thread_state.grad_enabled = before_; }

}  // namespace tern
