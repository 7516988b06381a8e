#pragma once

#include <cstdint>

#include "tern/tensor/shape.h"

namespace tern::kernels {

/// An elementwise loop over strided operands of one shape; operand 0 is written. Dimensions that can be are merged, and
/// a broadcast operand has stride 0. Strides count elements.
struct Loop {
  int dims;
  std::int64_t numel;
  std::int64_t sizes[kMaxDims];
  std::int64_t strides[4][kMaxDims];
  char* data[4];
};

}  // namespace tern::kernels
