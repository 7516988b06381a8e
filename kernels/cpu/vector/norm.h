#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// Contiguous rows as NormArgs has them (kernels/slots/norm.h). `weight_gradient` and `bias_gradient` are added to.
template <class T>
struct NormRows {
  std::int64_t rows, columns;
  bool centred;
  bool stream;  // past the caches, as cpu/strips.h has it
  double eps;
  const T *x, *weight, *bias, *g;
  double* statistics;
  T *out, *weight_gradient, *bias_gradient;
};

template <class T>
struct NormLoops {
  void (*forward)(const NormRows<T>&);
  void (*gradient)(const NormRows<T>&);
};

struct NormTable {
  NormLoops<float> f32;
  NormLoops<double> f64;
};
TERN_TARGET_TABLES(NormTable, norm)

}  // namespace tern::kernels::cpu
