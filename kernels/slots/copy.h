#pragma once

#include <cstdint>

#include "loop.h"
#include "slot.h"
#include "tern/tensor/scalar.h"

// Kernel slots and their arguments: what moves elements, makes them or looks at them.
namespace tern::kernels {

/// Converts to the slot's type from `from`.
inline constinit KernelSlot<void(const Loop&, DType from)> convert{"convert"};
inline constinit KernelSlot<void(const Loop&, Scalar)> fill{"fill"};
/// 0, 1, … count - 1.
inline constinit KernelSlot<void(std::int64_t count, std::int64_t* out)> arange{"arange"};
/// Sets *found when operand 0 holds a NaN; only reads.
inline constinit KernelSlot<void(const Loop&, bool* found)> find_nan{"find_nan"};

inline bool any_nan(Device device, DType dtype, const Loop& loop) {
  bool found = false;
  find_nan(device, dtype, loop, &found);
  return found;
}

}  // namespace tern::kernels
