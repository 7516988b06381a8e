#include "tern/optim/clip.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/ops/binary.h"

namespace tern::optim {

double clip_grad_norm(const std::vector<Tensor>& parameters, double max_norm) {
  if (!(max_norm > 0)) {
    throw ValueError("[clip_grad_norm] expected max_norm > 0, got " + std::to_string(max_norm));
  }
  NoGrad no_grad;
  constexpr std::int64_t grain = 1 << 15;
  double square = 0;
  std::vector<double> partial;
  const auto add_squares = [&]<class T>(std::span<const T> elements) {
    const auto n = static_cast<std::int64_t>(elements.size());
    partial.assign((n + grain - 1) / grain, 0);
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      double sums[4] = {};
      for (std::int64_t i = begin; i < end; ++i) {
        const double x = static_cast<double>(elements[i]);
        sums[(i - begin) & 3] += x * x;
      }
      partial[begin / grain] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    });
    for (const double part : partial) square += part;
  };
  for (const Tensor& p : parameters) {
    const Tensor gradient = p.grad();
    if (!gradient.defined()) continue;
    const Tensor elements = gradient.detach().contiguous();
    elements.dtype() == f64 ? add_squares(elements.span<double>()) : add_squares(elements.span<float>());
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
