#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

// Threads: a graph may be built and run by any thread, several graphs at once. Two threads that run backward through
// the same node at once get StateError; two that accumulate into the same leaf at once need a lock of their own.

/// Options of `grad`.
struct GradOptions {
  bool retain_graph = false;  ///< keep what was saved, for another pass
  bool create_graph = false;  ///< tape the pass itself; implies retain_graph
  bool allow_unused = false;  ///< an input that no output depends on gets an undefined gradient, not an error
  std::vector<Tensor>
      grad_outputs{};  ///< one a output, undefined ones for outputs of one element; empty: all undefined
};

/// Gradients of the sum of `outputs` with respect to `inputs` (leaves or results), one each; no leaf's own gradient is
/// touched. Throws StateError on an unused input unless allowed, or when the graph is released.
TERN_API std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                                  const GradOptions& options = {});
TERN_API std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs,
                                  const GradOptions& options = {});

/// Gradients of inputs that were given in braces, to be taken apart or as a vector.
template <std::size_t N>
struct Gradients : std::array<Tensor, N> {
  operator std::vector<Tensor>() const { return {this->begin(), this->end()}; }
};
/// The same as above of inputs in braces: `auto [gw, gb] = grad(y.sum(), {w, b})`.
template <std::size_t N>
Gradients<N> grad(const Tensor& output, const Tensor (&inputs)[N], const GradOptions& options = {}) {
  std::vector<Tensor> all = grad(output, std::vector<Tensor>(inputs, inputs + N), options);
  Gradients<N> gradients;
  for (std::size_t i = 0; i < N; ++i) gradients[i] = static_cast<Tensor&&>(all[i]);
  return gradients;
}

/// True when ops on this thread are taped.
TERN_API bool is_grad_enabled();

/// Turns taping off on this thread for a scope; in-place writes are allowed inside.
class TERN_API NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Turns taping on for a scope, inside a NoGrad.
class TERN_API EnableGrad {
 public:
  EnableGrad();
  ~EnableGrad();
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

/// For a scope on this thread, checks for NaN the result of every op, forward and backward, of arithmetic in place and
/// of optimizer steps, the sum where gradients meet, and what hooks leave. Throws NumericError naming the op whose
/// result, or whose gradient, was the first to hold one, or the ops whose gradients met, and where that op was called:
/// the modules (and other CallScopes) around it and the functions on the stack, of which the program's own are named
/// unless it is stripped (`addr2line -Cfpie PROGRAM OFFSET` gives the lines of one with debug information). The ops
/// that a backward is asked about must have been called in anomaly mode too for that. What writes values as they are
/// (fill_, copy_, creation) is not looked at. It costs time; outside of it there is no cost.
class TERN_API AnomalyMode {
 public:
  AnomalyMode();
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};
TERN_API bool is_anomaly_enabled();

/// Names a part of the program for the messages of anomaly mode, on this thread and for a scope. Every call of a module
/// is one, with its type's name. `label` must outlive it. Outside anomaly mode it does nothing.
class TERN_API CallScope {
 public:
  explicit CallScope(std::string_view label);
  ~CallScope();
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

 private:
  alignas(void*) std::byte memory_[3 * sizeof(void*)];
  bool on_;
};

}  // namespace tern

template <std::size_t N>
struct std::tuple_size<tern::Gradients<N>> : std::integral_constant<std::size_t, N> {};
template <std::size_t I, std::size_t N>
struct std::tuple_element<I, tern::Gradients<N>> {
  using type = tern::Tensor;
};
