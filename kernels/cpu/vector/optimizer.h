#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// Steps n elements: `element` is the functor of functors/optimizer.h that the function is named after.
template <class T>
using StepFn = void (*)(const void* element, std::int64_t n, T* value, const T* gradient, T* const* states);

template <class T>
struct StepLoops {
  StepFn<T> sgd[2];         // with momentum
  StepFn<T> adam[2];        // amsgrad
  StepFn<T> rmsprop[2][2];  // centred, with momentum
  StepFn<T> adagrad, adadelta, lion;
};
struct OptimizerTable {
  StepLoops<float> f32;
  StepLoops<double> f64;
};
TERN_TARGET_TABLES(OptimizerTable, optimizer)

}  // namespace tern::kernels::cpu
