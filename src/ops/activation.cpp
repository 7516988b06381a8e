#include "tern/ops/activation.h"

#include "base/number_text.h"
#include "operands.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::in_real;
using internal::real;

// x where it is positive, f(x) elsewhere; f sees 0 in place of positive elements, for which it may overflow.
template <class F>
Tensor bent(const Tensor& x, F f) {
  const Tensor positive = x > 0;
  return where(positive, x, f(where(positive, 0, x)));
}

}  // namespace

Tensor leaky_relu(const Tensor& x, double slope) {
  internal::checked(x, "leaky_relu");
  return where(x > 0, x, x * slope);
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
  return in_real("elu", x, [=](const Tensor& r) { return bent(r, [=](const Tensor& b) { return alpha * expm1(b); }); });
}

Tensor selu(const Tensor& x) {
  constexpr double alpha = 1.6732632423543772848170429916717, scale = 1.0507009873554804934193349852946;
  return in_real("selu", x, [](const Tensor& r) { return scale * elu(r, alpha); });
}

Tensor celu(const Tensor& x, double alpha) {
  if (alpha == 0) internal::throw_value("celu", "an alpha other than 0", "0");
  return in_real("celu", x,
                 [=](const Tensor& r) { return bent(r, [=](const Tensor& b) { return alpha * expm1(b / alpha); }); });
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
Tensor hardswish(const Tensor& x) {
  return in_real("hardswish", x, [](const Tensor& r) { return r * hardsigmoid(r); });
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
