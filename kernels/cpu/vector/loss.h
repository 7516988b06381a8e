#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// n elements of bce_with_logits. What stands for all elements lies 64 bytes of copies long and has step 0; the others
/// have step 1.
template <class T>
struct BceStrip {
  std::int64_t n;
  const T *logits, *target, *weight, *pos_weight, *g;
  std::int64_t weight_step, pos_weight_step, g_step;
  T* out;
};
template <class T>
struct BceLoops {
  void (*forward)(const BceStrip<T>&);
  void (*gradient)(const BceStrip<T>&);
};
struct LossTable {
  BceLoops<float> f32;
  BceLoops<double> f64;
};
TERN_TARGET_TABLES(LossTable, loss)

}  // namespace tern::kernels::cpu
