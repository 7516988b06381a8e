#pragma once

#include <cstdint>

namespace tern::trees::internal {

/// 32 mixed bits; the function of the vector kernels.
inline std::uint32_t mixed(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

}  // namespace tern::trees::internal
