#pragma once

#include <span>
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

/// For a scope on this thread, checks the result of every op, forward and backward, and throws NumericError naming the
/// op whose result, or whose gradient, was the first to hold a NaN.
class TERN_API AnomalyMode {
 public:
  AnomalyMode();
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  bool before_;
};

}  // namespace tern
