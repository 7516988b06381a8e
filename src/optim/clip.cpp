#include "tern/optim/clip.h"

#include <cmath>
#include <string>

#include "optim/dot.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/reduce.h"
#include "tern/ops/rows.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {
Tensor square_sum(const Tensor& x) { return square(x.to(f64)).sum(); }

// The elements of a gradient as they are kept: a gradient of rows stays one, whose other elements are zeros.
Tensor elements_of(const Tensor& p) {
  const RowGradient rows = row_gradient(p);
  const Tensor all = rows.index.defined() ? rows.values : p.grad();
  return all.defined() ? all.detach() : all;
}
}  // namespace

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    throw ValueError("[clip_grad_norm] expected max_norm > 0, got " + std::to_string(max_norm));
  }
  NoGrad no_grad;
  double square = 0;
  for (const Tensor& p : parameters) {
    const Tensor gradient = elements_of(p);
    if (!gradient.defined()) continue;
    const Tensor elements = gradient.contiguous();
    square += internal::dot(elements, elements);
  }
  const double norm = std::sqrt(square);
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) {
    for (const Tensor& p : parameters) {
      Tensor gradient = elements_of(p);
      if (gradient.defined()) gradient.mul_(factor);
    }
  }
  return norm;
}

Tensor clip_factor(const std::vector<Tensor>& parameters, double max_norm, const Tensor& loss_scale) {
  if (!(max_norm > 0)) throw ValueError("[clip_factor] expected max_norm > 0, got " + std::to_string(max_norm));
  NoGrad no_grad;
  Tensor total;
  for (const Tensor& p : parameters) {
    const Tensor gradient = elements_of(p);
    if (!gradient.defined()) continue;
    const Tensor sum = square_sum(gradient);
    total = total.defined() ? total + sum : sum;
  }
  if (!total.defined()) throw ValueError("[clip_factor] expected a parameter with a gradient, got none");
  const Tensor back = loss_scale.defined() ? reciprocal(loss_scale.detach().to(f64).reshape({})) : scalar(1.0, f64);
  const Tensor norm = sqrt(total) * back;
  return where(isfinite(norm), clamp_max(max_norm / (norm + 1e-6), 1) * back, 0);
}

void clip_grad_value(const std::vector<Tensor>& parameters, double max_value) {
  if (!(max_value > 0)) {
    throw ValueError("[clip_grad_value] expected max_value > 0, got " + std::to_string(max_value));
  }
  NoGrad no_grad;
  for (const Tensor& p : parameters) {
    Tensor gradient = elements_of(p);
    if (gradient.defined()) gradient.copy_(clamp(gradient, -max_value, max_value));
  }
}

}  // namespace tern::optim
