#include "tern/ops/activation.h"

#include "autograd/backward.h"
#include "base/number_text.h"
#include "operands.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::in_real;
using internal::real;

using internal::Node;

// x where it is positive, factor * x elsewhere, or factor * (exp(x) - 1).
struct Bent : internal::OpInfo {
  bool exponential;
};

void derivative(const Node& node, const Tensor& g, Tensor* out) {
  const Tensor x = node.saved(0), positive = x > 0;
  Tensor rest = g * node.attributes<double>();
  if (static_cast<const Bent&>(*node.op).exponential) rest = rest * exp(where(positive, 0, x));
  out[0] = where(positive, g, rest);
}

// Without create_graph. Where x is positive, the exponentials may overflow: they are not taken.
void fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  const internal::TensorImpl *ig = g.impl(), *ix = node.borrow(0), *rest = ig;
  out[0] = internal::new_result(ig->shape, ig->dtype, ig);
  const internal::TensorImpl* io = out[0].impl();
  if (static_cast<const Bent&>(*node.op).exponential) {
    kernels::unary_exp(ig->device, ig->dtype, internal::make_loop(io, ix));
    kernels::binary_mul(ig->device, ig->dtype, internal::make_loop(io, ig, io));
    rest = io;
  }
  kernels::bend(ig->device, ig->dtype, internal::make_loop(io, ig, ix, rest), node.attributes<double>());
}

Tensor apply(const Bent& op, const Tensor& input, double factor) {
  return in_real(op.name, input, [&](const Tensor& x) {
    const internal::TensorImpl *ix = x.impl(), *rest = ix;
    Tensor out = internal::new_result(ix->shape, ix->dtype, ix);
    if (op.exponential) {
      rest = out.impl();
      kernels::unary_expm1(ix->device, ix->dtype, internal::make_loop(rest, ix));
    }
    kernels::bend(ix->device, ix->dtype, internal::make_loop(out.impl(), ix, ix, rest), factor);
    internal::tape_with(op, out, {{x, true}}, factor);
    return out;
  });
}

}  // namespace

Tensor leaky_relu(const Tensor& x, double slope) {
  static constexpr Bent op{{"leaky_relu", &derivative, &fused}, false};
  return apply(op, x, slope);
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  const auto *ix = internal::checked(x, "prelu"), *iw = internal::checked(weight, "prelu");
  const std::int64_t channels = ix->shape.size() > 1 ? ix->shape[1] : 1;
  if (iw->shape.size() != 1 || (iw->shape[0] != 1 && iw->shape[0] != channels)) {
    internal::throw_shape("prelu", "a weight of shape [1] or [" + std::to_string(channels) + "]", to_string(iw->shape));
  }
  if (ix->dtype != iw->dtype || !is_floating(ix->dtype)) {
    internal::throw_dtype("prelu", "x and weight of one floating type",
                          std::string(name(ix->dtype)) + " and " + std::string(name(iw->dtype)));
  }
  internal::check_together("prelu", {&x, &weight});
  Shape beside;
  for (int d = 0; d < ix->shape.size(); ++d) beside.push_back(d == 1 ? iw->shape[0] : 1);
  return where(x > 0, x, x * weight.reshape(beside));
}

Tensor elu(const Tensor& x, double alpha) {
  static constexpr Bent op{{"elu", &derivative, &fused}, true};
  return apply(op, x, alpha);
}

Tensor selu(const Tensor& x) {
  constexpr double alpha = 1.6732632423543772848170429916717, scale = 1.0507009873554804934193349852946;
  return in_real("selu", x, [](const Tensor& r) { return scale * elu(r, alpha); });
}

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) internal::throw_value("celu", "an alpha other than 0", "0");
  return in_real("celu", x, [=](const Tensor& r) {
    const Tensor positive = r > 0;
    return where(positive, r, alpha * expm1(where(positive, 0, r) / alpha));  // which may overflow beside them
  });
}

Tensor hardtanh(const Tensor& x, double low, double high) {
  internal::checked(x, "hardtanh");
  if (!(low <= high)) {
    internal::throw_value("hardtanh", "low <= high",
                          internal::number_text(low) + " and " + internal::number_text(high));
  }
  return clamp(real(x), low, high);
}

Tensor relu6(const Tensor& x) {
  internal::checked(x, "relu6");
  return hardtanh(x, 0, 6);
}
Tensor hardsigmoid(const Tensor& x) {
  return in_real("hardsigmoid", x, [](const Tensor& r) { return relu6(r + 3) / 6; });
}
Tensor hardswish(const Tensor& input) {
  static constexpr internal::OpInfo op{"hardswish",
                                       [](const Node& node, const Tensor& g, Tensor* out) {
                                         const Tensor x = node.saved(0);
                                         out[0] = g * where(x <= -3, 0, where(x >= 3, 1, x / 3 + 0.5));
                                       },
                                       [](internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
                                         const internal::TensorImpl* ig = g.impl();
                                         out[0] = internal::new_result(ig->shape, ig->dtype, ig);
                                         kernels::unary_hardswish_gradient(
                                             ig->device, ig->dtype,
                                             internal::make_loop(out[0].impl(), ig, node.borrow(0)));
                                       }};
  return in_real("hardswish", input, [](const Tensor& x) {
    const internal::TensorImpl* ix = x.impl();
    Tensor out = internal::new_result(ix->shape, ix->dtype, ix);
    kernels::unary_hardswish(ix->device, ix->dtype, internal::make_loop(out.impl(), ix));
    internal::tape(op, out, {{x, true}});
    return out;
  });
}
Tensor mish(const Tensor& x) {
  return in_real("mish", x, [](const Tensor& r) { return r * tanh(softplus(r)); });
}
Tensor softsign(const Tensor& x) {
  return in_real("softsign", x, [](const Tensor& r) { return r / (1 + abs(r)); });
}
Tensor logsigmoid(const Tensor& x) {
  internal::checked(x, "logsigmoid");
  return -softplus(-real(x));
}

Tensor threshold(const Tensor& x, double bound, double value) {
  internal::checked(x, "threshold");
  const Tensor input = real(x);
  return where(input <= bound, value, input);
}

Tensor glu(const Tensor& x, int dim) {
  const Shape& shape = internal::checked(x, "glu")->shape;
  dim = internal::wrap_dim("glu", dim, shape.size());
  const std::int64_t half = shape[dim] / 2;
  if (shape[dim] % 2 != 0) {
    internal::throw_shape("glu", "an even size of dimension " + std::to_string(dim), to_string(shape));
  }
  return in_real("glu", x,
                 [=](const Tensor& r) { return r.slice(dim, 0, half) * sigmoid(r.slice(dim, half, 2 * half)); });
}

}  // namespace tern
