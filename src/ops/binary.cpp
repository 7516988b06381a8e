#include "tern/ops/binary.h"

#include <cmath>
#include <limits>
#include <utility>

#include "autograd/backward.h"
#include "base/number_text.h"
#include "operands.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/ops/compare.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::checked;
using internal::needs_grad;
using internal::Node;
using internal::OpInfo;
using internal::real;
using internal::rounds;
using internal::wrap;
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
  Tensor out = internal::new_result(shape, ia->dtype, ia, ib);
  (*op.kernel)(out.impl()->device, ia->dtype, internal::make_loop(out, &a, &b));
  const bool both = op.reads == Reads::both, other = op.reads == Reads::other;
  internal::tape(op, out, {{a, both || (other && ib->requires_grad)}, {b, both || (other && ia->requires_grad)}});
  return out;
}

inline Tensor apply(const Binary& op, const Tensor& a, const Tensor& b) {
  const auto *ia = checked(a, op.name), *ib = checked(b, op.name);
  if (ia->dtype == ib->dtype && is_floating(ia->dtype)) [[likely]] {
    if (ia->shape == ib->shape) [[likely]]
      return run(op, a, b, ia->shape);
    if (ib->shape.empty() && !ib->requires_grad) return run(op, a, b, ia->shape);
    if (ia->shape.empty() && !ia->requires_grad) return run(op, a, b, ib->shape);
  }
  return unequal(op, a, b);
}

DType computed(DType dtype, bool real) {
  if (is_floating(dtype)) return dtype;
  return real ? f32 : dtype == boolean ? i64 : dtype;
}

Tensor ready(const Tensor& x, DType dtype, const Shape& shape) {
  const Tensor converted = x.to(dtype);
  return needs_grad(converted) ? converted.expand(shape) : converted;
}

Tensor unequal(const Binary& op, const Tensor& a, const Tensor& b) {
  const DType dtype = computed(promote(a.dtype(), b.dtype()), op.real);
  const Shape shape = broadcast_shapes(op.name, a.shape(), b.shape());
  return run(op, ready(a, dtype, shape), ready(b, dtype, shape), shape);
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

namespace {
void mul_fused(internal::Backward& run, const Node& node, const Tensor& g, Tensor*) {
  const internal::TensorImpl* ig = g.impl();
  for (int i = 0; i < 2; ++i) {
    if (!node.wants(i)) continue;
    const internal::TensorImpl* other = node.borrow(1 - i);
    const internal::Sink sink = run.sink(node, i, ig->shape, ig);
    if (sink.accumulate) {
      kernels::add_product(ig->device, ig->dtype, internal::make_loop(sink.to, sink.to, ig, other));
    } else {
      kernels::binary_mul(ig->device, ig->dtype, internal::make_loop(sink.to, ig, other));
    }
  }
}
}  // namespace

Tensor mul(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"mul",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                if (node.wants(0)) out[0] = g * node.saved(1);
                                if (node.wants(1)) out[1] = g * node.saved(0);
                              },
                              &mul_fused},
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
                                // b a^(b-1) is 0 for b = 0, also at a = 0, where the power alone is infinite, as its
                                // derivatives are: so the exponent is another there as well.
                                if (node.wants(0)) {
                                  const Tensor constant = b == 0;
                                  out[0] = where(constant, 0, g * b * pow(a, where(constant, 0, b - 1)));
                                }
                                if (node.wants(1)) {
                                  const Tensor zero = (a == 0) & (b >= 0);
                                  out[1] = where(zero, 0, g * pow(a, b) * log(where(zero, 1, a)));
                                }
                              }},
                             &kernels::binary_pow,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

namespace {
// The share of the gradient that goes to an operand: all of it to both where one is NaN.
Tensor share_of(const Tensor& loses, const Tensor& ties, DType dtype) {
  return 1 - loses.to(dtype) - ties.to(dtype) * 0.5;
}
}  // namespace

Tensor maximum(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"maximum",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                if (node.wants(0)) out[0] = g * share_of(a < b, a == b, g.dtype());
                                if (node.wants(1)) out[1] = g * share_of(b < a, a == b, g.dtype());
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
                                if (node.wants(0)) out[0] = g * share_of(a > b, a == b, g.dtype());
                                if (node.wants(1)) out[1] = g * share_of(b > a, a == b, g.dtype());
                              }},
                             &kernels::binary_minimum,
                             false,
                             Reads::both};
  return apply(op, a, b);
}

Tensor atan2(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"atan2",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1), square = a * a + b * b;
                                const Tensor scaled = g / where(square == 0, 1, square);
                                if (node.wants(0)) out[0] = scaled * b;
                                if (node.wants(1)) out[1] = neg(scaled * a);
                              }},
                             &kernels::binary_atan2,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

Tensor hypot(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"hypot",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1), y = hypot(a, b);
                                if (node.wants(0)) out[0] = g * (a / y);
                                if (node.wants(1)) out[1] = g * (b / y);
                              }},
                             &kernels::binary_hypot,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

Tensor logaddexp(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"logaddexp",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                // Equal infinities count by halves.
                                const Tensor apart = where((a == b) & isinf(a), 0, a - b);
                                if (node.wants(0)) out[0] = g * sigmoid(apart);
                                if (node.wants(1)) out[1] = g * sigmoid(neg(apart));
                              }},
                             &kernels::binary_logaddexp,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

Tensor xlogy(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"xlogy",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                // Without a product there where log b is no number, and linear in a elsewhere.
                                const Tensor none = (a == 0) & (b <= 0), positive = where(none, 1, b);
                                if (node.wants(0)) out[0] = xlogy(g, positive);
                                if (node.wants(1)) out[1] = g * (where(none, 0, a) / positive);
                              }},
                             &kernels::binary_xlogy,
                             true,
                             Reads::both};
  return apply(op, a, b);
}

// Of the bits, as integers: a, with those in which b differs turned over, where they are the sign.
Tensor copysign(const Tensor& a, const Tensor& b) {
  static constexpr OpInfo op{"copysign", [](const Node& node, const Tensor& g, Tensor* out) {
                               if (node.wants(0)) out[0] = g * (sign(node.saved(0)) * copysign(1, node.saved(1)));
                               if (node.wants(1)) out[1] = zeros_like(g);
                             }};
  const Shape shape = internal::broadcast(op.name, {&a, &b});
  const DType dtype = computed(internal::promoted({&a, &b}), true);
  if (is_half(dtype)) return copysign(a.to(f32), b.to(f32)).to(dtype);
  const Tensor from = ready(a, dtype, shape), like = ready(b, dtype, shape);
  Tensor out = internal::new_result(shape, dtype, from.impl(), like.impl());
  const Tensor bit = dtype == f64 ? scalar(INT64_MIN, i64) : scalar(INT32_MIN, i32);
  const Device device = out.device();
  kernels::binary_bitwise_xor(device, bit.dtype(), internal::make_loop(out, &from, &like));
  kernels::binary_bitwise_and(device, bit.dtype(), internal::make_loop(out, &out, &bit));
  kernels::binary_bitwise_xor(device, bit.dtype(), internal::make_loop(out, &out, &from));
  internal::tape(op, out, {{from, true}, {like, true}});
  return out;
}

namespace {
// A processor traps where an integer is divided by 0.
void check_divisor(const char* name, const Tensor& a, const Tensor& b) {
  if (is_floating(checked(a, name)->dtype) || is_floating(checked(b, name)->dtype)) return;
  if (b.numel() > 0 && (b == 0).max().item<bool>()) {
    internal::throw_value(name, "integer divisors other than 0", "0");
  }
}
}  // namespace

Tensor remainder(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"remainder",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                out[0] = g;
                                if (node.wants(1)) out[1] = neg(g * floor_divide(node.saved(0), node.saved(1)));
                              }},
                             &kernels::binary_remainder,
                             false,
                             Reads::both};
  check_divisor("remainder", a, b);
  return apply(op, a, b);
}

Tensor fmod(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{{"fmod",
                              [](const Node& node, const Tensor& g, Tensor* out) {
                                const Tensor a = node.saved(0), b = node.saved(1);
                                out[0] = g;
                                // The whole quotient, from what is a multiple of b: a / b may have been rounded up.
                                if (node.wants(1)) out[1] = neg(g * round((a - fmod(a, b)) / b).detach());
                              }},
                             &kernels::binary_fmod,
                             false,
                             Reads::both};
  check_divisor("fmod", a, b);
  return apply(op, a, b);
}

Tensor floor_divide(const Tensor& a, const Tensor& b) {
  static constexpr Binary op{
      {"floor_divide", [](const Node&, const Tensor&, Tensor*) {}}, &kernels::binary_floor_divide, false, Reads::none};
  checked(a, "floor_divide");
  checked(b, "floor_divide");
  check_divisor("floor_divide", a, b);
  return apply(op, a.detach(), b.detach());
}

Tensor pow(const Tensor& a, Scalar b) {
  if (rounds(a, b)) [[unlikely]]
    return pow(a.to(f32), scalar(b, f32)).to(a.dtype());
  if (b.real() == 2 && is_floating(checked(a, "pow")->dtype)) return square(a);
  return pow(a, wrap("pow", b, a));
}
Tensor pow(Scalar a, const Tensor& b) {
  if (rounds(b, a)) [[unlikely]]
    return pow(scalar(a, f32), b.to(f32)).to(b.dtype());
  return pow(wrap("pow", a, b), b);
}

#define TERN_WITH_NUMBERS(name, function)                       \
  Tensor name(const Tensor& a, Scalar b) {                      \
    if (rounds(a, b)) [[unlikely]]                              \
      return function(a.to(f32), scalar(b, f32)).to(a.dtype()); \
    return function(a, wrap(#function, b, a));                  \
  }                                                             \
  Tensor name(Scalar a, const Tensor& b) {                      \
    if (rounds(b, a)) [[unlikely]]                              \
      return function(scalar(a, f32), b.to(f32)).to(b.dtype()); \
    return function(wrap(#function, a, b), b);                  \
  }
TERN_WITH_NUMBERS(maximum, maximum)
TERN_WITH_NUMBERS(minimum, minimum)
TERN_WITH_NUMBERS(remainder, remainder)
TERN_WITH_NUMBERS(fmod, fmod)
TERN_WITH_NUMBERS(floor_divide, floor_divide)
TERN_WITH_NUMBERS(atan2, atan2)
TERN_WITH_NUMBERS(hypot, hypot)
TERN_WITH_NUMBERS(logaddexp, logaddexp)
TERN_WITH_NUMBERS(xlogy, xlogy)
TERN_WITH_NUMBERS(operator+, add)
TERN_WITH_NUMBERS(operator-, sub)
TERN_WITH_NUMBERS(operator*, mul)
TERN_WITH_NUMBERS(operator/, div)
#undef TERN_WITH_NUMBERS

// Of a number only the sign or the size is taken, which an integer's type need not hold.
Tensor copysign(const Tensor& a, Scalar b) {
  return copysign(a, scalar(b.real(), computed(checked(a, "copysign")->dtype, true)));
}
Tensor copysign(Scalar a, const Tensor& b) {
  if (rounds(b, a)) [[unlikely]]
    return copysign(scalar(a, f32), b.to(f32)).to(b.dtype());
  return copysign(scalar(a.real(), computed(checked(b, "copysign")->dtype, true)), b);
}

Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  static constexpr OpInfo op{"where", [](const Node& node, const Tensor& g, Tensor* out) {
                               const Tensor condition = node.saved(0);
                               if (node.wants(1)) out[1] = where(condition, g, 0);
                               if (node.wants(2)) out[2] = where(condition, 0, g);
                             }};
  const auto *ic = checked(condition, "where"), *ia = checked(a, "where"), *ib = checked(b, "where");
  if (ic->dtype != boolean) internal::throw_dtype("where", "a boolean condition", std::string(name(ic->dtype)));
  const DType dtype = promote(ia->dtype, ib->dtype);
  const Shape shape = broadcast_shapes("where", broadcast_shapes("where", ia->shape, ib->shape), ic->shape);
  const auto ready = [&](const Tensor& x) {
    const Tensor converted = x.to(dtype);
    return needs_grad(converted) ? converted.expand(shape) : converted;
  };
  const Tensor left = ready(a), right = ready(b);
  const bool numbers = internal::is_number(left.impl()) && internal::is_number(right.impl());
  Tensor out = numbers ? internal::new_tensor(shape, dtype, ic->device)
                       : internal::new_result(shape, dtype, left.impl(), right.impl());
  kernels::where(out.impl()->device, dtype, internal::make_loop(out, &condition, &left, &right));
  internal::tape(op, out, {{condition, true}, {left}, {right}});
  return out;
}
Tensor where(const Tensor& condition, const Tensor& a, Scalar b) { return where(condition, a, wrap("where", b, a)); }
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) { return where(condition, wrap("where", a, b), b); }

Tensor where(const Tensor& condition, Scalar a, Scalar b) {
  const DType dtype = promote(a.promoted(boolean), b.promoted(boolean));
  return where(condition, scalar(a, dtype), scalar(b, dtype));
}

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

// Of floating x by numbers, of which an infinite one holds nothing back. The gradient passes between them.
Tensor held(const OpInfo& op, const Tensor& x, Scalar low, Scalar high) {
  const Tensor bottom = scalar(low, x.dtype()), top = scalar(high, x.dtype());
  Tensor out = internal::new_result(x.shape(), x.dtype(), x.impl());
  kernels::clamp(out.impl()->device, x.dtype(), internal::make_loop(out, &x, &bottom, &top));
  internal::tape_with(op, out, {{x, true}}, std::pair(low.real(), high.real()));
  return out;
}

void held_derivative(const Node& node, const Tensor& g, Tensor* out) {
  const auto& [low, high] = node.attributes<std::pair<double, double>>();
  const Tensor x = node.saved(0);
  out[0] = g;
  if (low > -infinity) out[0] = where(x <= low, 0, out[0]);
  if (high < infinity) out[0] = where(x >= high, 0, out[0]);
}

void check_bound(const char* where, Scalar bound) {
  if (std::isnan(bound.real())) internal::throw_value(where, "a bound", "nan");
}
}  // namespace

Tensor clamp(const Tensor& x, Scalar low, Scalar high) {
  static constexpr OpInfo op{"clamp", &held_derivative};
  const DType dtype = checked(x, "clamp")->dtype;
  internal::check_fits("clamp", low, low.promoted(dtype));
  internal::check_fits("clamp", high, high.promoted(dtype));
  const bool whole = low.promoted(i64) == i64 && high.promoted(i64) == i64 && !is_floating(dtype);
  if (!(whole ? low.integer() <= high.integer() : low.real() <= high.real())) {
    const auto text = [&](Scalar x) { return whole ? std::to_string(x.integer()) : internal::number_text(x.real()); };
    internal::throw_value("clamp", "low <= high", text(low) + " and " + text(high));
  }
  if (is_floating(dtype)) return held(op, x, low, high);
  return clamp_max(clamp_min(x, low), high);
}
Tensor clamp_min(const Tensor& x, Scalar low) {
  static constexpr OpInfo op{"clamp_min", &held_derivative};
  check_bound("clamp_min", low);
  if (is_floating(checked(x, "clamp_min")->dtype)) return held(op, x, low, infinity);
  const Tensor bottom = wrap("clamp_min", low, x);
  return where(x <= bottom, bottom, x);
}
Tensor clamp_max(const Tensor& x, Scalar high) {
  static constexpr OpInfo op{"clamp_max", &held_derivative};
  check_bound("clamp_max", high);
  if (is_floating(checked(x, "clamp_max")->dtype)) return held(op, x, -infinity, high);
  const Tensor top = wrap("clamp_max", high, x);
  return where(x >= top, top, x);
}
Tensor clamp(const Tensor& x, const Tensor& low, const Tensor& high) {
  internal::broadcast("clamp", {&x, &low, &high});
  return minimum(maximum(x, low), high);
}
Tensor clamp_min(const Tensor& x, const Tensor& low) {
  internal::broadcast("clamp_min", {&x, &low});
  return maximum(x, low);
}
Tensor clamp_max(const Tensor& x, const Tensor& high) {
  internal::broadcast("clamp_max", {&x, &high});
  return minimum(x, high);
}

// From the nearer end, so that weights 0 and 1 give the ends themselves.
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  internal::broadcast("lerp", {&a, &b, &weight});
  const DType dtype = internal::promoted({&a, &b, &weight});
  if (is_half(dtype)) return lerp(a.to(f32), b.to(f32), weight.to(f32)).to(dtype);
  const Tensor apart = real(b) - real(a), share = real(weight);
  return where(abs(share) < 0.5, a + share * apart, b - apart * (1 - share));
}
Tensor lerp(const Tensor& a, const Tensor& b, double weight) {
  internal::broadcast("lerp", {&a, &b});
  const DType dtype = internal::promoted({&a, &b});
  if (is_half(dtype)) return lerp(a.to(f32), b.to(f32), weight).to(dtype);
  const Tensor apart = real(b) - real(a);
  return std::abs(weight) < 0.5 ? a + weight * apart : b - apart * (1 - weight);
}

Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  internal::broadcast("addcmul", {&x, &a, &b});
  const DType dtype = internal::promoted({&x, &a, &b});
  if (is_half(dtype)) return addcmul(x.to(f32), a.to(f32), b.to(f32), value).to(dtype);
  return x + value * (a * b);
}
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value) {
  internal::broadcast("addcdiv", {&x, &a, &b});
  const DType dtype = internal::promoted({&x, &a, &b});
  if (is_half(dtype)) return addcdiv(x.to(f32), a.to(f32), b.to(f32), value).to(dtype);
  return x + value * (a / b);
}

}  // namespace tern
