#include <cmath>

#include "autograd/node.h"
#include "base/number_text.h"
#include "operands.h"
#include "slots/copy.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

// In-place methods of Tensor. There is no differentiable one: what they read is taken without history.
namespace tern {

namespace {

using internal::begin_write;
using internal::checked;

// x as the operand of a write to `to`: of its type, broadcastable to it, and apart from its memory unless it is the
// same elements in the same order.
Tensor operand(const char* where, const Tensor& to, const Tensor& x) {
  const auto *target = checked(to, where), *impl = checked(x, where);
  if (!(broadcast_shapes(where, target->shape, impl->shape) == target->shape)) {
    internal::throw_shape(where, "a shape that broadcasts to " + to_string(target->shape), to_string(impl->shape));
  }
  internal::check_untaped(where, x);
  Tensor source = impl->dtype == target->dtype ? x.detach() : internal::converted(x, target->dtype);
  const auto* from = source.impl();
  const auto root = [](const internal::Storage* s) { return s->parent ? s->parent : s; };
  const bool same = from->data == target->data && from->shape == target->shape &&
                    std::equal(from->strides, from->strides + from->shape.size(), target->strides);
  return root(from->storage) == root(target->storage) && !same ? source.clone() : source;
}

// The same for arithmetic, whose kernels see one device.
Tensor beside(const char* where, const Tensor& to, const Tensor& x) {
  if (checked(to, where)->dtype == boolean) internal::throw_dtype(where, "numbers to compute with", "bool");
  if (is_floating(checked(x, where)->dtype) && !is_floating(to.dtype())) {
    internal::throw_dtype(where, "integers to compute " + std::string(name(to.dtype())) + " with",
                          std::string(name(x.dtype())));
  }
  Tensor source = operand(where, to, x);
  if (!internal::is_number(source.impl())) internal::check_devices(where, to, source);
  return source;
}

// A number as the operand of a write to `to`: a floating one would be cut off by integers.
Tensor number(const char* where, const Tensor& to, Scalar x) {
  const DType dtype = checked(to, where)->dtype;
  if (x.promoted(dtype) != dtype) {
    internal::throw_dtype(where, "a number of a kind that " + std::string(name(dtype)) + " holds",
                          internal::number_text(x.real()));
  }
  internal::check_fits(where, x, dtype);
  return scalar(x, dtype);
}

// Whether a half type would round an operand, or make it infinite, before anything is computed.
bool is_wider(const Tensor& to, const Tensor& x) {
  return to.impl() && x.impl() && is_half(to.impl()->dtype) && size_of(x.impl()->dtype) > 2 &&
         is_floating(x.impl()->dtype);
}

// Arithmetic with a wider tensor, in f32, which is rounded once.
template <class... More>
Tensor& with_wider(const char* where, Tensor& to, const Tensor& x, Tensor& (Tensor::*write)(const Tensor&, More...),
                   More... more) {
  internal::check_untaped(where, x);
  Tensor wide = to.detach().to(f32);
  (wide.*write)(x.detach(), more...);
  begin_write(where, to);
  internal::copy_elements(to, wide);
  return to;
}

// Arithmetic with a number, likewise where a half type would round it.
Tensor& with_number(const char* where, Tensor& to, Scalar x, Tensor& (Tensor::*write)(const Tensor&)) {
  return internal::rounds(to, x) ? with_wider(where, to, scalar(x, f32), write) : (to.*write)(number(where, to, x));
}

}  // namespace

Tensor& Tensor::add_(const Tensor& x, double alpha) {
  if (is_wider(*this, x)) return with_wider("add_", *this, x, &Tensor::add_, alpha);
  const Tensor source = beside("add_", *this, x);
  if (!is_floating(impl_->dtype)) {
    if (alpha != std::trunc(alpha))
      internal::throw_value("add_", "a whole alpha for integers", internal::number_text(alpha));
    internal::check_fits("add_", alpha, impl_->dtype);
  }
  begin_write("add_", *this);
  kernels::add_scaled(impl_->device, impl_->dtype, internal::make_loop(*this, this, &source), alpha);
  internal::check_in_anomaly("add_", *this);
  return *this;
}

Tensor& Tensor::add_(Scalar x) { return with_number("add_", *this, x, &Tensor::operator+=); }

Tensor& Tensor::sub_(const Tensor& x) {
  if (is_wider(*this, x)) return with_wider("sub_", *this, x, &Tensor::sub_);
  const Tensor source = beside("sub_", *this, x);
  begin_write("sub_", *this);
  kernels::binary_sub(impl_->device, impl_->dtype, internal::make_loop(*this, this, &source));
  internal::check_in_anomaly("sub_", *this);
  return *this;
}

Tensor& Tensor::sub_(Scalar x) { return with_number("sub_", *this, x, &Tensor::sub_); }

Tensor& Tensor::mul_(const Tensor& x) {
  if (is_wider(*this, x)) return with_wider("mul_", *this, x, &Tensor::mul_);
  const Tensor source = beside("mul_", *this, x);
  begin_write("mul_", *this);
  kernels::binary_mul(impl_->device, impl_->dtype, internal::make_loop(*this, this, &source));
  internal::check_in_anomaly("mul_", *this);
  return *this;
}

Tensor& Tensor::mul_(Scalar x) { return with_number("mul_", *this, x, &Tensor::mul_); }

Tensor& Tensor::div_(const Tensor& x) {
  if (is_wider(*this, x)) return with_wider("div_", *this, x, &Tensor::div_);
  if (!is_floating(checked(*this, "div_")->dtype))
    internal::throw_dtype("div_", "a floating tensor", std::string(name(dtype())));
  const Tensor source = beside("div_", *this, x);
  begin_write("div_", *this);
  kernels::binary_div(impl_->device, impl_->dtype, internal::make_loop(*this, this, &source));
  internal::check_in_anomaly("div_", *this);
  return *this;
}

Tensor& Tensor::div_(Scalar x) {
  if (!is_floating(checked(*this, "div_")->dtype)) return div_(scalar(x));  // which refuses
  return with_number("div_", *this, x, &Tensor::div_);
}

Tensor& Tensor::copy_(const Tensor& x) {
  const Tensor source = operand("copy_", *this, x);
  begin_write("copy_", *this);
  internal::copy_elements(*this, source);
  return *this;
}

Tensor& Tensor::fill_(Scalar value) {
  internal::check_fits("fill_", value, checked(*this, "fill_")->dtype);
  begin_write("fill_", *this);
  kernels::fill(impl_->device, impl_->dtype, internal::make_loop(*this), value);
  return *this;
}

}  // namespace tern
