#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// n adjacent elements of a half type to f32, exactly, and back, rounded to nearest and ties to even: the bits of
/// tensor/half.h on every target, but that a target with instructions for it makes a signalling NaN quiet.
struct HalfCode {
  void (*widen)(const std::uint16_t* from, float* to, std::int64_t n);
  void (*narrow)(const float* from, std::uint16_t* to, std::int64_t n);
};

struct HalfTable {
  HalfCode f16, bf16;
};
TERN_TARGET_TABLES(HalfTable, half)

}  // namespace tern::kernels::cpu
