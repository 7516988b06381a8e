#pragma once

#include <cstdint>

#include "tern/tensor/device.h"
#include "tern/tensor/shape.h"

namespace tern::kernels {

/// An elementwise loop over strided operands of one shape; operand 0 is written. Dimensions that can be are merged, and
/// a broadcast operand has stride 0. Strides count elements.
struct Loop {
  int dims;
  /// Of a loop on another device: which operands are numbers on the host (bit k), whose value the kernel takes along.
  std::uint8_t on_host = 0;
  bool mixed = false;  ///< operands lie on different devices: a slot does not run it
  Device devices[2];   ///< then, two of them
  std::int64_t numel;
  std::int64_t sizes[kMaxDims];
  std::int64_t strides[4][kMaxDims];
  char* data[4];
};

}  // namespace tern::kernels
