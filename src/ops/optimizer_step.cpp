#include "tern/ops/optimizer_step.h"

#include "slots.h"
#include "tensor/impl.h"

namespace tern {
namespace {

using internal::checked;

// Throws unless `x` lies as `value` does.
void check(const char* where, const Tensor& value, const Tensor& x) {
  const auto *iv = checked(value), *ix = checked(x);
  if (!(iv->shape == ix->shape) || !iv->contiguous || !ix->contiguous) {
    internal::throw_shape(where, "contiguous tensors of one shape",
                          to_string(iv->shape) + " and " + to_string(ix->shape));
  }
  if (iv->dtype != ix->dtype || !is_floating(iv->dtype)) {
    internal::throw_dtype(where, "equal floating types",
                          std::string(name(iv->dtype)) + " and " + std::string(name(ix->dtype)));
  }
}

}  // namespace

void sgd_step(Tensor value, const Tensor& gradient, Tensor buffer, const SgdStep& step) {
  check("sgd_step", value, gradient);
  if (step.momentum != 0) check("sgd_step", value, buffer);
  internal::begin_write("sgd_step", value);
  const bool uses_buffer = step.momentum != 0;
  if (uses_buffer) internal::begin_write("sgd_step", buffer);
  kernels::sgd(
      value.device(), value.dtype(),
      {value.numel(), value.impl()->data, gradient.impl()->data, uses_buffer ? buffer.impl()->data : nullptr, nullptr},
      step);
}

void adamw_step(Tensor value, const Tensor& gradient, Tensor mean, Tensor square, const AdamWStep& step) {
  check("adamw_step", value, gradient);
  check("adamw_step", value, mean);
  check("adamw_step", value, square);
  if (step.step < 1) internal::throw_value("adamw_step", "a step of at least 1", std::to_string(step.step));
  for (const Tensor* x : {&value, &mean, &square}) internal::begin_write("adamw_step", *x);
  kernels::adamw(value.device(), value.dtype(),
                 {value.numel(), value.impl()->data, gradient.impl()->data, mean.impl()->data, square.impl()->data},
                 step);
}

}  // namespace tern
