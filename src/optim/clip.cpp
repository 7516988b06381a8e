#include "tern/optim/clip.h"

#include <cmath>
#include <string>

#include "optim/dot.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {
Tensor square_sum(const Tensor& x) { return square(is_half(x.dtype()) ? x.to(f32) : x).sum().to(f64); }
}  // namespace

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    throw ValueError("[clip_grad_norm] expected max_norm > 0, got " + std::to_string(max_norm));
  }
  NoGrad no_grad;
  double square = 0;
  for (const Tensor& p : parameters) {
    const Tensor gradient = p.grad();
    if (!gradient.defined()) continue;
    const Tensor elements = gradient.detach().contiguous();
    square += elements.device() == cpu() ? internal::dot(elements, elements) : square_sum(elements).item<double>();
  }
  const double norm = std::sqrt(square);
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) {
    for (const Tensor& p : parameters) {
      Tensor gradient = p.grad();
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
    const Tensor gradient = p.grad();
    if (!gradient.defined()) continue;
    const Tensor sum = square_sum(gradient.detach());
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
    Tensor gradient = p.grad();
    if (gradient.defined()) gradient.copy_(clamp(gradient.detach(), -max_value, max_value));
  }
}

}  // namespace tern::optim
