#include "tern/ops/unary.h"

#include "autograd/backward.h"
#include "slots.h"
#include "tensor_loop.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::Node;
using internal::OpInfo;
using kernels::Saves;

struct Unary : OpInfo {
  const kernels::KernelSlot<kernels::LoopFn>* forward;
  const kernels::KernelSlot<kernels::LoopFn>* gradient;
  Saves saves;
  bool real;
};

// Without create_graph: one kernel from the gradient and what was saved.
void fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  const auto& op = static_cast<const Unary&>(*node.op);
  const Tensor s = op.saves == Saves::input ? node.saved(0) : op.saves == Saves::output ? node.saved_output() : g;
  out[0] = internal::new_tensor(g.impl()->shape, g.impl()->dtype);
  (*op.gradient)(g.impl()->device, g.impl()->dtype, internal::make_loop(out[0], {&g, &s}));
}

Tensor apply(const Unary& op, const Tensor& x) {
  const auto* impl = internal::checked(x);
  if (!is_floating(impl->dtype) && (op.real || impl->dtype == boolean)) return apply(op, x.to(op.real ? f32 : i64));
  Tensor out = internal::new_tensor(impl->shape, impl->dtype);
  (*op.forward)(impl->device, impl->dtype, internal::make_loop(out, {&x}));
  internal::tape(op, out, {{x, op.saves == Saves::input}}, op.saves == Saves::output);
  return out;
}

template <class F>
constexpr Unary row(const char* name, internal::DerivativeFn derivative,
                    const kernels::KernelSlot<kernels::LoopFn>& forward,
                    const kernels::KernelSlot<kernels::LoopFn>& gradient, bool real) {
  return Unary{{name, derivative, &fused, nullptr}, &forward, &gradient, F::saves, real};
}

constexpr double kInverseSqrt2 = 0.70710678118654752440, kInverseSqrt2Pi = 0.39894228040143267794;
constexpr double kTwoOverSqrtPi = 1.12837916709551257390;

}  // namespace

// One op a row: its derivative, from g, the input x and the result y (each unpacked only where it is named). The
// functor in kernels/functors/unary.h states the same gradient for the fused kernel; the conformance suite holds them
// together.
#define TERN_OP(name, functor, is_real, expression)                              \
  Tensor name(const Tensor& input) {                                             \
    static constexpr auto op = row<kernels::functor>(                            \
        #name,                                                                   \
        [](const Node& node, const Tensor& g, Tensor* out) {                     \
          Tensor x, y;                                                           \
          if (kernels::functor::saves == Saves::input) x = node.saved(0);        \
          if (kernels::functor::saves == Saves::output) y = node.saved_output(); \
          out[0] = expression;                                                   \
        },                                                                       \
        kernels::unary_##name, kernels::unary_##name##_gradient, is_real);       \
    return apply(op, input);                                                     \
  }

TERN_OP(neg, Neg, false, neg(g))
TERN_OP(abs, Abs, false, g* sign(x))
TERN_OP(exp, Exp, true, g* y)
TERN_OP(log, Log, true, g / x)
TERN_OP(log1p, Log1p, true, g / (x + 1))
TERN_OP(sqrt, Sqrt, true, g * 0.5 / y)
TERN_OP(square, Square, false, g*(x + x))
TERN_OP(reciprocal, Reciprocal, true, neg(g) * y * y)
TERN_OP(tanh, Tanh, true, g*(1 - y * y))
TERN_OP(sigmoid, Sigmoid, true, g* y*(1 - y))
TERN_OP(relu, Relu, false, where(y > 0, g, 0))
TERN_OP(softplus, Softplus, true, g* sigmoid(x))
TERN_OP(erf, Erf, true, g*(kTwoOverSqrtPi* exp(neg(x* x))))
TERN_OP(gelu, Gelu, true, g*(0.5 * (1 + erf(x * kInverseSqrt2)) + x * (kInverseSqrt2Pi * exp(x * x * -0.5))))
TERN_OP(silu, Silu, true, [&] {
  const Tensor s = sigmoid(x);
  return g * (s + x * s * (1 - s));
}())
TERN_OP(sign, Sign, false, zeros_like(g))

#undef TERN_OP

Tensor isnan(const Tensor& x) { return ne(x.detach(), x.detach()); }

Tensor operator-(const Tensor& a) { return neg(a); }

}  // namespace tern
