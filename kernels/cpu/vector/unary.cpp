#include "cpu/vector/elementwise.h"
#include "cpu/vector/strips.h"

namespace tern::kernels::cpu::TERN_TARGET {

#define TERN_FORWARD(name, functor, types) {&unary_strip<functor, float>, &unary_strip<functor, double>},
#define TERN_GRADIENT(name, functor, types) {&gradient_strip<functor, float>, &gradient_strip<functor, double>},
constinit const UnaryTable unary{.forward = {TERN_UNARY_LIST(TERN_FORWARD)},
                                 .gradient = {TERN_UNARY_LIST(TERN_GRADIENT)}};

}  // namespace tern::kernels::cpu::TERN_TARGET
