#pragma once

#include <cstdint>

#include "slot.h"

// Kernel slots and their arguments: losses with a kernel of their own.
namespace tern::kernels {

/// Row i with class t: loss = Σ_c q_c (logsumexp(x) - x_c), q_c = (1 - smoothing) w_t [c = t] + smoothing / C · w_c.
struct CrossEntropyArgs {
  std::int64_t rows, classes;
  const void* logits;
  const std::int64_t* target;
  const void* weight;  // [classes] or null
  double smoothing;
  const void* g;  // [rows], of the gradient
  void* out;      // losses [rows], or the gradient [rows, classes]
};
using CrossEntropyFn = void(const CrossEntropyArgs&);
inline constinit KernelSlot<CrossEntropyFn> cross_entropy{"cross_entropy"};
inline constinit KernelSlot<CrossEntropyFn> cross_entropy_gradient{"cross_entropy gradient"};

/// Element x with target t: w (p t softplus(-x) + (1 - t) softplus(x)); contiguous. g's elements lie `g_step` apart.
struct BceArgs {
  std::int64_t numel;
  const void* logits;
  const void* target;
  const void* weight;      // w, or null: 1
  const void* pos_weight;  // p, or null: 1
  const void* g;           // of the gradient
  std::int64_t g_step;
  void* out;  // losses, or the gradient of the logits
};
using BceFn = void(const BceArgs&);
inline constinit KernelSlot<BceFn> bce_with_logits{"bce_with_logits"};
inline constinit KernelSlot<BceFn> bce_with_logits_gradient{"bce_with_logits gradient"};

}  // namespace tern::kernels
