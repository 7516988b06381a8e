#pragma once

#include <cstdint>

#include "cpu/target.h"
#include "slots/loss.h"
#include "slots/softmax.h"

namespace tern::kernels::cpu {

/// Rows begin … end - 1, for f32 and f64 (kReal of cpu/strips.h).
using SoftmaxRows = void (*)(const SoftmaxArgs&, std::int64_t begin, std::int64_t end);
using CrossEntropyRows = void (*)(const CrossEntropyArgs&, std::int64_t begin, std::int64_t end);
struct SoftmaxTable {
  SoftmaxRows softmax[2], softmax_gradient[2], log_softmax[2], log_softmax_gradient[2];
  CrossEntropyRows cross_entropy[2], cross_entropy_gradient[2];
};
TERN_TARGET_TABLES(SoftmaxTable, softmax_rows)

}  // namespace tern::kernels::cpu
