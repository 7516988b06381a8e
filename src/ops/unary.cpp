#include "tern/ops/unary.h"

#include <algorithm>
#include <limits>
#include <string>

#include "autograd/backward.h"
#include "functors/special.h"
#include "operands.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/ops/binary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::Node;
using internal::OpInfo;
using kernels::Saves;

// What becomes of integers: computed as f32, computed as they are (booleans as i64), or whole already.
enum class Integers { real, taken, kept };

struct Unary : OpInfo {
  const kernels::KernelSlot<kernels::LoopFn>* forward;
  const kernels::KernelSlot<kernels::LoopFn>* gradient;
  Saves saves;
  Integers integers;
};

// Without create_graph: one kernel from the gradient and what was saved.
void fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  const auto& op = static_cast<const Unary&>(*node.op);
  const internal::TensorImpl* ig = g.impl();
  const internal::TensorImpl* saved = op.saves == Saves::input    ? node.borrow(0)
                                      : op.saves == Saves::output ? node.borrow_output()
                                                                  : ig;
  out[0] = internal::new_result(ig->shape, ig->dtype, ig);
  (*op.gradient)(ig->device, ig->dtype, internal::make_loop(out[0].impl(), ig, saved));
}

Tensor apply(const Unary& op, const Tensor& x) {
  const auto* impl = internal::checked(x, op.name);
  if (!is_floating(impl->dtype)) {
    if (op.integers == Integers::real) return apply(op, x.to(f32));
    if (impl->dtype == boolean) return apply(op, x.to(i64));
    if (op.integers == Integers::kept) return x.clone();
  }
  Tensor out = internal::new_result(impl->shape, impl->dtype, impl);
  (*op.forward)(impl->device, impl->dtype, internal::make_loop(out, &x));
  internal::tape(op, out, {{x, op.saves == Saves::input}}, op.saves == Saves::output);
  return out;
}

template <class F>
constexpr Unary row(const char* name, internal::DerivativeFn derivative,
                    const kernels::KernelSlot<kernels::LoopFn>& forward,
                    const kernels::KernelSlot<kernels::LoopFn>& gradient, Integers integers) {
  return Unary{{name, derivative, &fused, nullptr}, &forward, &gradient, F::saves, integers};
}

constexpr double kInverseSqrt2 = 0.70710678118654752440, kInverseSqrt2Pi = 0.39894228040143267794;
constexpr double kTwoOverSqrtPi = 1.12837916709551257390, kSqrt2OverPi = 0.79788456080286535588;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLn2 = 0.69314718055994530942, kLn10 = 2.30258509299404568402;

}  // namespace

// One op a row: its derivative, from g, the input x and the result y (each unpacked only where it is named). The
// functor in kernels/functors/unary.h states the same gradient for the fused kernel; the conformance suite holds them
// together.
#define TERN_OP(name, functor, integers, expression)                                  \
  Tensor name(const Tensor& input) {                                                  \
    static constexpr auto op = row<kernels::functor>(                                 \
        #name,                                                                        \
        [](const Node& node, const Tensor& g, Tensor* out) {                          \
          Tensor x, y;                                                                \
          if (kernels::functor::saves == Saves::input) x = node.saved(0);             \
          if (kernels::functor::saves == Saves::output) y = node.saved_output();      \
          out[0] = expression;                                                        \
        },                                                                            \
        kernels::unary_##name, kernels::unary_##name##_gradient, Integers::integers); \
    return apply(op, input);                                                          \
  }

TERN_OP(neg, Neg, taken, neg(g))
TERN_OP(abs, Abs, taken, g* sign(x))
TERN_OP(exp, Exp, real, g* y)
TERN_OP(log, Log, real, g / x)
TERN_OP(log1p, Log1p, real, g / (x + 1))
TERN_OP(sqrt, Sqrt, real, g * 0.5 / y)
TERN_OP(square, Square, taken, g*(x + x))
TERN_OP(reciprocal, Reciprocal, real, neg(g) * y * y)
TERN_OP(tanh, Tanh, real, g*(1 - y * y))
TERN_OP(sigmoid, Sigmoid, real, g* y*(1 - y))
TERN_OP(relu, Relu, taken, where(y > 0, g, 0))
TERN_OP(softplus, Softplus, real, g* sigmoid(x))
TERN_OP(erf, Erf, real, g*(kTwoOverSqrtPi* exp(neg(x* x))))
TERN_OP(gelu, Gelu, real, g*(0.5 * (1 + erf(x * kInverseSqrt2)) + x * (kInverseSqrt2Pi * exp(x * x * -0.5))))
TERN_OP(silu, Silu, real, [&] {
  const Tensor s = sigmoid(x);
  return g * (s + x * s * (1 - s));
}())
TERN_OP(sign, Sign, taken, zeros_like(g))
TERN_OP(rsqrt, Rsqrt, real, g*(-0.5 * y * y * y))
TERN_OP(exp2, Exp2, real, g*(y* kLn2))
TERN_OP(expm1, Expm1, real, g*(y + 1))
TERN_OP(log2, Log2, real, g / (x * kLn2))
TERN_OP(log10, Log10, real, g / (x * kLn10))
TERN_OP(sin, Sin, real, g* cos(x))
TERN_OP(cos, Cos, real, neg(g) * sin(x))
TERN_OP(tan, Tan, real, g*(1 + y * y))
TERN_OP(asin, Asin, real, g / sqrt(1 - x * x))
TERN_OP(acos, Acos, real, neg(g) / sqrt(1 - x * x))
TERN_OP(atan, Atan, real, g / (1 + x * x))
TERN_OP(sinh, Sinh, real, g* cosh(x))
TERN_OP(cosh, Cosh, real, g* sinh(x))
TERN_OP(asinh, Asinh, real, g / sqrt(x * x + 1))
TERN_OP(acosh, Acosh, real, g / sqrt(x * x - 1))
TERN_OP(atanh, Atanh, real, g / (1 - x * x))
TERN_OP(erfc, Erfc, real, g*(-kTwoOverSqrtPi* exp(neg(x* x))))
TERN_OP(floor, Floor, kept, zeros_like(g))
TERN_OP(ceil, Ceil, kept, zeros_like(g))
TERN_OP(trunc, Trunc, kept, zeros_like(g))
TERN_OP(round, Round, kept, zeros_like(g))

#undef TERN_OP

namespace {
Tensor gelu_tanh(const Tensor& input) {
  static constexpr auto op = row<kernels::GeluTanh>(
      "gelu",
      [](const Node& node, const Tensor& g, Tensor* out) {
        const Tensor x = node.saved(0), t = tanh(kSqrt2OverPi * (x + 0.044715 * x * x * x));
        out[0] = g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (kSqrt2OverPi * (1 + 3 * 0.044715 * x * x)));
      },
      kernels::unary_gelu_tanh, kernels::unary_gelu_tanh_gradient, Integers::real);
  return apply(op, input);
}
}  // namespace

Tensor gelu(const Tensor& x, GeluForm form) { return form == GeluForm::exact ? gelu(x) : gelu_tanh(x); }

namespace {
[[gnu::noinline]] Tensor special(const OpInfo& op, const Tensor& input, std::int64_t order) {
  return internal::in_real(op.name, input, [&](const Tensor& x) {
    const auto* impl = x.impl();
    Tensor out = internal::new_result(impl->shape, impl->dtype, impl);
    kernels::special_function(impl->device, impl->dtype, internal::make_loop(out, &x), order);
    const bool inverse = order == kernels::special::kErfinv;
    internal::tape_with(op, out, {{x, !inverse}}, order, inverse);
    return out;
  });
}
void next_order(const Node& node, const Tensor& g, Tensor* out) {
  static constexpr OpInfo op{"polygamma", &next_order};
  out[0] = g * special(op, node.saved(0), node.attributes<std::int64_t>() + 1);
}
}  // namespace

Tensor lgamma(const Tensor& x) {
  static constexpr OpInfo op{"lgamma", &next_order};
  return special(op, x, -1);
}
Tensor digamma(const Tensor& x) {
  static constexpr OpInfo op{"digamma", &next_order};
  return special(op, x, 0);
}
Tensor polygamma(int n, const Tensor& x) {
  static constexpr OpInfo op{"polygamma", &next_order};
  if (n < 0) internal::throw_value("polygamma", "an order n of at least 0", std::to_string(n));
  return special(op, x, n);
}
Tensor erfinv(const Tensor& x) {
  static constexpr OpInfo op{"erfinv", [](const Node& node, const Tensor& g, Tensor* out) {
                               out[0] = g * (exp(square(node.saved_output())) / kTwoOverSqrtPi);
                             }};
  return special(op, x, kernels::special::kErfinv);
}

Tensor frac(const Tensor& x) {
  internal::checked(x, "frac");
  return x - trunc(x);
}

Tensor logit(const Tensor& x) {
  return internal::in_real("logit", x, [](const Tensor& p) { return log(p) - log1p(-p); });
}

Tensor nan_to_num(const Tensor& x, const NanToNumOptions& options) {
  const DType dtype = internal::checked(x, "nan_to_num")->dtype;
  if (!is_floating(dtype)) return x.clone();
  const double most = dtype == f64    ? std::numeric_limits<double>::max()
                      : dtype == f16  ? 65504
                      : dtype == bf16 ? 0x1.FEp127
                                      : std::numeric_limits<float>::max();
  const Tensor finite = where(x == -kInfinity, std::clamp(options.minus_infinity, -most, most),
                              where(x == kInfinity, std::clamp(options.infinity, -most, most), x));
  return where(isnan(x), options.nan, finite);
}

Tensor isinf(const Tensor& x) {
  internal::checked(x, "isinf");
  return abs(x.detach()) == kInfinity;
}
Tensor isfinite(const Tensor& x) {
  internal::checked(x, "isfinite");
  return abs(x.detach()) < kInfinity;
}
Tensor logical_not(const Tensor& x) {
  internal::checked(x, "logical_not");
  return x == false;
}

Tensor isnan(const Tensor& x) {
  internal::checked(x, "isnan");
  return x != x;
}

Tensor operator-(const Tensor& a) { return neg(a); }

}  // namespace tern
