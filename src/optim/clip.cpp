#include "tern/optim/clip.h"

#include <cmath>
#include <string>

#include "base/number_text.h"
#include "ops/dot.h"
#include "tensor/impl.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/reduce.h"
#include "tern/ops/rows.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

using tern::internal::TensorImpl;

namespace {
// The elements of a gradient as they are kept: a gradient of rows stays one, whose other elements are zeros.
Tensor elements_of(const Tensor& p) {
  const RowGradient rows = row_gradient(p);
  const Tensor all = rows.index.defined() ? rows.values : p.grad();
  return all.defined() ? all.detach() : all;
}

// Whether b follows a in a flat buffer of gradients: at the next multiple of 16 elements, and zeros between (see
// autograd/flat.h).
bool follows(const TensorImpl* a, const TensorImpl* b) {
  const auto* const parent = a->storage->parent;
  if (!parent || parent != b->storage->parent || !a->contiguous || !b->contiguous) return false;
  const auto offset = [&](const TensorImpl* x) {
    return (x->data - parent->data) / static_cast<std::int64_t>(size_of(x->dtype));
  };
  return offset(b) == (offset(a) + a->numel + 15) / 16 * 16;
}

// The squares of the elements of all gradients, summed, f64 [], or undefined when there is none. What lies side by side
// is one pass.
Tensor square_sum(const std::vector<Tensor>& parameters) {
  Tensor total, first, last;
  const auto add = [&] {
    if (!first.defined()) return;
    const std::int64_t strides[] = {1};
    const auto bytes = last.impl()->data - first.impl()->data;
    const bool alone = first.is_same(last);
    const std::int64_t length = bytes / static_cast<std::int64_t>(size_of(first.dtype())) + last.numel();
    const Tensor run = alone ? first : tern::internal::new_view(first, {length}, strides, 0);
    const Tensor sum = tern::internal::dot(run, run);
    total = total.defined() ? total + sum : sum;
  };
  for (const Tensor& p : parameters) {
    const Tensor gradient = elements_of(p);
    if (!gradient.defined()) continue;
    if (!last.defined() || !follows(last.impl(), gradient.impl())) {
      add();
      first = gradient;
    }
    last = gradient;
  }
  add();
  return total;
}

// Before any is written to.
void check_apart(const char* where, const std::vector<Tensor>& parameters) {
  for (const Tensor& p : parameters) {
    const Tensor gradient = elements_of(p);
    if (gradient.defined() && tern::internal::may_overlap(gradient.impl())) {
      throw ValueError("[" + std::string(where) + "] expected gradients whose elements lie apart, got one of shape " +
                       to_string(gradient.shape()) + " whose elements share memory");
    }
  }
}
}  // namespace

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    throw ValueError("[clip_grad_norm] expected max_norm > 0, got " + tern::internal::number_text(max_norm));
  }
  NoGrad no_grad;
  const Tensor total = square_sum(parameters);
  const double norm = total.defined() ? std::sqrt(total.item<double>()) : 0;
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) {
    check_apart("clip_grad_norm", parameters);
    for (const Tensor& p : parameters) {
      Tensor gradient = elements_of(p);
      if (gradient.defined()) gradient.mul_(factor);
    }
  }
  return norm;
}

Tensor clip_factor(const std::vector<Tensor>& parameters, double max_norm, const Tensor& loss_scale) {
  if (!(max_norm > 0))
    throw ValueError("[clip_factor] expected max_norm > 0, got " + tern::internal::number_text(max_norm));
  NoGrad no_grad;
  const Tensor total = square_sum(parameters);
  if (!total.defined()) throw ValueError("[clip_factor] expected a parameter with a gradient, got none");
  const Tensor back = loss_scale.defined() ? reciprocal(loss_scale.detach().to(f64).reshape({})) : scalar(1.0, f64);
  const Tensor norm = sqrt(total) * back;
  return where(isfinite(norm), clamp_max(max_norm / (norm + 1e-6), 1) * back, 0);
}

void clip_grad_value(const std::vector<Tensor>& parameters, double max_value) {
  if (!(max_value > 0)) {
    throw ValueError("[clip_grad_value] expected max_value > 0, got " + tern::internal::number_text(max_value));
  }
  NoGrad no_grad;
  check_apart("clip_grad_value", parameters);
  for (const Tensor& p : parameters) {
    Tensor gradient = elements_of(p);
    if (gradient.defined()) gradient.copy_(clamp(gradient, -max_value, max_value));
  }
}

}  // namespace tern::optim
