#include "tern/ops/binary.h"

#include "autograd/node.h"
#include "slots.h"
#include "tensor_loop.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::needs_grad;
using internal::Node;
using internal::OpInfo;
using Slot = kernels::KernelSlot<kernels::LoopFn>;

// Which operands the derivative reads: each one where the other needs a gradient, or both.
enum class Reads { none, other, both };

struct Binary : OpInfo {
  const Slot* kernel;
  bool real;
  Reads reads;
};

// Converts and broadcasts. An operand that needs a gradient is expanded as an op of its own, so that derivatives only
// ever see equal shapes; another one is left to the loop.
TERN_COLD Tensor unequal(const Binary& op, const Tensor& a, const Tensor& b);

inline Tensor run(const Binary& op, const Tensor& a, const Tensor& b, const Shape& shape) {
  const auto *ia = a.impl(), *ib = b.impl();
  Tensor out = internal::new_tensor(shape, ia->dtype);
  (*op.kernel)(ia->device, ia->dtype, internal::make_loop(out, {&a, &b}));
  const bool both = op.reads == Reads::both, other = op.reads == Reads::other;
  internal::tape(op, out, {{a, both || (other && ib->requires_grad)}, {b, both || (other && ia->requires_grad)}});
  return out;
}

inline Tensor apply(const Binary& op, const Tensor& a, const Tensor& b) {
  const auto *ia = checked(a), *ib = checked(b);
  if (ia->dtype != ib->dtype || !is_floating(ia->dtype) || !(ia->shape == ib->shape)) return unequal(op, a, b);
  return run(op, a, b, ia->shape);
}

DType computed(DType dtype, bool real) {
  if (is_floating(dtype)) return dtype;
  return real ? f32 : dtype == boolean ? i64 : dtype;
}

Tensor unequal(const Binary& op, const Tensor& a, const Tensor& b) {
  const DType dtype = computed(promote(a.dtype(), b.dtype()), op.real);
  const Shape shape = broadcast_shapes(op.name, a.shape(), b.shape());
  const auto ready = [&](const Tensor& x) {
    const Tensor converted = x.to(dtype);
    return needs_grad(converted) ? converted.expand(shape) : converted;
  };
  return run(op, ready(a), ready(b), shape);
}

// A number beside a tensor, of the type that promotion gives.
Tensor wrap(Scalar value, const Tensor& beside) { return scalar(value, value.promoted(beside.dtype())); }

Tensor compare(const char* name, const Slot& kernel, const Tensor& a, const Tensor& b) {
  const auto *ia = checked(a), *ib = checked(b);
  const DType dtype = promote(ia->dtype, ib->dtype);
  const Tensor left = a.detach().to(dtype), right = b.detach().to(dtype);
  Tensor out = internal::new_tensor(broadcast_shapes(name, ia->shape, ib->shape), boolean);
  kernel(ia->device, dtype, internal::make_loop(out, {&left, &right}));
  return out;
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"add",
                              [](const Node&, const Tensor& g, Tensor* out) {
                                out[0] = g;
                                out[1] = g;
                              }},
                             &kernels::binary_add,
                             false,
                             Reads::none};
  return apply(op, a, b);
}

Tensor sub(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"sub",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                out[0] = g;
                                if (node.wants(1)) out[1] = neg(g);
                              }},
                             &kernels::binary_sub,
                             false,
                             Reads::none};
  return apply(op, a, b);
}

Tensor mul(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"mul",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                if (node.wants(0)) out[0] = g * node.saved(1);
                                if (node.wants(1)) out[1] = g * node.saved(0);
                              }},
                             &kernels::binary_mul,
                             false,
                             Reads::other};
  return apply(op, a, b);
}

Tensor div(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"div",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor b = node.saved(1);
                                if (node.wants(0)) out[0] = g / b;
                                if (node.wants(1)) out[1] = neg(g * (node.saved(0) / b)) / b;
                              }},
                             &kernels::binary_div,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

Tensor pow(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"pow",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                // b a^(b-1) is 0 for b = 0, also at a = 0, where the power alone is infinite.
                                if (node.wants(0)) out[0] = where(b == 0, 0, g * b * pow(a, b - 1));
                                if (node.wants(1)) {
                                  const Tensor zero = a == 0;
                                  out[1] = where(zero, 0, g * pow(a, b) * log(where(zero, 1, a)));
                                }
                              }},
                             &kernels::binary_pow,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

namespace {
// The share of the gradient that goes to the first operand.
Tensor share_of_first(const Tensor& wins, const Tensor& ties, DType dtype) {
  return wins.to(dtype) + ties.to(dtype) * 0.5;
}
}  // namespace

Tensor maximum(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"maximum",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                if (node.wants(0)) out[0] = g * share_of_first(a > b, a == b, g.dtype());
                                if (node.wants(1)) out[1] = g * share_of_first(b > a, a == b, g.dtype());
                              }},
                             &kernels::binary_maximum,
                             false,
                             Reads::both};
  return apply(op, a, b);
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"minimum",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                if (node.wants(0)) out[0] = g * share_of_first(a < b, a == b, g.dtype());
                                if (node.wants(1)) out[1] = g * share_of_first(b < a, a == b, g.dtype());
                              }},
                             &kernels::binary_minimum,
                             false,
                             Reads::both};
  return apply(op, a, b);
}

Tensor pow(const Tensor& a, Scalar b) { return pow(a, wrap(b, a)); }
Tensor pow(Scalar a, const Tensor& b) { return pow(wrap(a, b), b); }
Tensor maximum(const Tensor& a, Scalar b) { return maximum(a, wrap(b, a)); }
Tensor minimum(const Tensor& a, Scalar b) { return minimum(a, wrap(b, a)); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  static constexpr OpInfo op{"where", [](const Node& node, const Tensor& g, Tensor* out) {
                               const Tensor condition = node.saved(0);
                               if (node.wants(1)) out[1] = where(condition, g, 0);
                               if (node.wants(2)) out[2] = where(condition, 0, g);
                             }};
  const auto *ic = checked(condition), *ia = checked(a), *ib = checked(b);
  if (ic->dtype != boolean) internal::throw_dtype("where", "a boolean condition", std::string(name(ic->dtype)));
  const DType dtype = promote(ia->dtype, ib->dtype);
  const Shape shape = broadcast_shapes("where", broadcast_shapes("where", ia->shape, ib->shape), ic->shape);
  const auto ready = [&](const Tensor& x) {
    const Tensor converted = x.to(dtype);
    return needs_grad(converted) ? converted.expand(shape) : converted;
  };
  const Tensor left = ready(a), right = ready(b);
  Tensor out = internal::new_tensor(shape, dtype);
  kernels::where(ic->device, dtype, internal::make_loop(out, {&condition, &left, &right}));
  internal::tape(op, out, {{condition, true}, {left}, {right}});
  return out;
}
Tensor where(const Tensor& condition, const Tensor& a, Scalar b) { return where(condition, a, wrap(b, a)); }
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) { return where(condition, wrap(a, b), b); }

Tensor clamp(const Tensor& x, Scalar low, Scalar high) {
  if (!(low.real() <= high.real())) {
    internal::throw_value("clamp", "low <= high", std::to_string(low.real()) + " and " + std::to_string(high.real()));
  }
  const Tensor bottom = wrap(low, x), top = wrap(high, x);
  return where(x < bottom, bottom, where(x > top, top, x));
}

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", kernels::binary_eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", kernels::binary_ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", kernels::binary_lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", kernels::binary_le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", kernels::binary_gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", kernels::binary_ge, a, b); }

#define TERN_OPERATOR(symbol, function)                                                 \
  Tensor operator symbol(const Tensor& a, const Tensor& b) { return function(a, b); }   \
  Tensor operator symbol(const Tensor& a, Scalar b) { return function(a, wrap(b, a)); } \
  Tensor operator symbol(Scalar a, const Tensor& b) { return function(wrap(a, b), b); }
TERN_OPERATOR(+, add)
TERN_OPERATOR(-, sub)
TERN_OPERATOR(*, mul)
TERN_OPERATOR(/, div)
TERN_OPERATOR(==, eq)
TERN_OPERATOR(!=, ne)
TERN_OPERATOR(<, lt)
TERN_OPERATOR(<=, le)
TERN_OPERATOR(>, gt)
TERN_OPERATOR(>=, ge)
#undef TERN_OPERATOR

}  // namespace tern
