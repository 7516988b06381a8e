#pragma once

#include <cstdint>

#include "tern/tensor/dtype.h"

namespace tern::kernels::cpu {

/// Calls f(dtype, word) for each element type with an unsigned integer of its size: what only moves elements needs no
/// more of their type.
template <class F>
void each_word(F f) {
  for (int i = 0; i < kMaxDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    switch (size_of(dtype)) {
      case 8:
        f(dtype, std::uint64_t{});
        break;
      case 4:
        f(dtype, std::uint32_t{});
        break;
      case 2:
        f(dtype, std::uint16_t{});
        break;
      default:
        f(dtype, std::uint8_t{});
    }
  }
}

/// An element as a number to reckon and compare with: f16 and bf16 as float.
template <class T>
auto number(T x) {
  if constexpr (is_half(dtype_of<T>())) {
    return static_cast<float>(x);
  } else {
    return x;
  }
}

}  // namespace tern::kernels::cpu
