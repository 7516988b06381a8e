#pragma once

#include <cstdint>

#include "slot.h"

// Kernel slots and their arguments: normalisation of rows.
namespace tern::kernels {

/// Contiguous rows: out = (x - mean) / sqrt(variance + eps) · weight + bias, the variance taken about 0 unless
/// `centred`. Forward writes the statistics, (mean, 1 / sqrt(variance + eps)) a row; the gradient reads them, and
/// writes what is not null of `out`, `weight_gradient` and `bias_gradient`.
struct NormArgs {
  std::int64_t rows, columns;
  bool centred;
  double eps;
  const void* x;
  const void* weight;  // [columns] or null, as the bias
  const void* bias;
  const void* g;
  double* statistics;  // [rows, 2]
  void* out;
  void* weight_gradient;
  void* bias_gradient;
};
using NormFn = void(const NormArgs&);
inline constinit KernelSlot<NormFn> norm{"norm"};
inline constinit KernelSlot<NormFn> norm_gradient{"norm gradient"};

}  // namespace tern::kernels
