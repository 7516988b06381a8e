#pragma once

#include "cpu/strips.h"
#include "cpu/target.h"
#include "functors/binary.h"
#include "functors/unary.h"

namespace tern::kernels::cpu {

#define TERN_NAME(name, functor, types) name,
enum class UnaryOp : int { TERN_UNARY_LIST(TERN_NAME) count };
enum class BinaryOp : int { TERN_BINARY_LIST(TERN_NAME) count };
enum class CompareOp : int { TERN_COMPARE_LIST(TERN_NAME) count };
#undef TERN_NAME

/// For f32 and f64, as kReal<T> counts them.
struct UnaryTable {
  StripFn forward[static_cast<int>(UnaryOp::count)][2];   // (out, x)
  StripFn gradient[static_cast<int>(UnaryOp::count)][2];  // (out, g, saved)
};
TERN_TARGET_TABLES(UnaryTable, unary)

struct BinaryTable {
  StripFn arithmetic[static_cast<int>(BinaryOp::count)][2];  // (out, a, b)
  StripFn compare[static_cast<int>(CompareOp::count)][2];    // (bool out, a, b)
  StripFn where[2];                                          // (out, bool condition, a, b)
  StripFn clamp[2];                                          // (out, x, low, high)
  StripFn bend[2];                                           // (out, a, x, b), with the factor
  StripFn add_scaled[2];                                     // (out, a, b), with alpha
  StripFn add_product[2];                                    // (out, a, b, c)
};
TERN_TARGET_TABLES(BinaryTable, binary)

}  // namespace tern::kernels::cpu
