#pragma once

#include "functors/binary.h"
#include "functors/unary.h"
#include "loop.h"
#include "slot.h"

// Kernel slots and their arguments: elementwise families, expanded from their lists, and what goes through operands as
// they do.
namespace tern::kernels {

using LoopFn = void(const Loop&);

// Elementwise families expand from their lists: forward (out, x) and gradient (out, g, saved).
#define TERN_SLOT(name, functor, types)                    \
  inline constinit KernelSlot<LoopFn> unary_##name{#name}; \
  inline constinit KernelSlot<LoopFn> unary_##name##_gradient{#name " gradient"};
TERN_UNARY_LIST(TERN_SLOT)
#undef TERN_SLOT
#define TERN_SLOT(name, functor, types) inline constinit KernelSlot<LoopFn> binary_##name{#name};
TERN_BINARY_LIST(TERN_SLOT)
TERN_BITWISE_LIST(TERN_SLOT)
TERN_COMPARE_LIST(TERN_SLOT)
#undef TERN_SLOT

/// out = the function of this order (functors/special.h) of x; of f32 and f64.
inline constinit KernelSlot<void(const Loop&, std::int64_t order)> special_function{"special_function"};
/// out = condition ? a : b.
inline constinit KernelSlot<LoopFn> where{"where"};
/// out = x held within [low, high]; of floating types.
inline constinit KernelSlot<LoopFn> clamp{"clamp"};
/// out = x > 0 ? a : factor * b, of a, x and b; of f32 and f64.
inline constinit KernelSlot<void(const Loop&, double factor)> bend{"bend"};
/// out = a + alpha * b.
inline constinit KernelSlot<void(const Loop&, double alpha)> add_scaled{"add_scaled"};
/// out = a + b * c, the product rounded first; of floating types.
inline constinit KernelSlot<LoopFn> add_product{"add_product"};

}  // namespace tern::kernels
