#pragma once

#include <cstdint>

#include "slot.h"

// Kernel slots and their arguments: softmax of rows.
namespace tern::kernels {

/// Contiguous rows. Forward writes `out` from `x`; the gradient writes `out` from `g` and the saved result `x`.
struct SoftmaxArgs {
  std::int64_t rows, columns;
  const void* x;
  const void* g;
  void* out;
};
using SoftmaxFn = void(const SoftmaxArgs&);
inline constinit KernelSlot<SoftmaxFn> softmax{"softmax"};
inline constinit KernelSlot<SoftmaxFn> softmax_gradient{"softmax gradient"};
inline constinit KernelSlot<SoftmaxFn> log_softmax{"log_softmax"};
inline constinit KernelSlot<SoftmaxFn> log_softmax_gradient{"log_softmax gradient"};

}  // namespace tern::kernels
