#include "tern/optim/clip.h"

#include <cmath>
#include <string>

#include "optim/dot.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"

namespace tern::optim {

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
    square += internal::dot(elements, elements);
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
