#include "tern/nn/linear.h"

#include <cmath>
#include <string>

#include "nn/fields.h"
#include "tern/nn/init.h"
#include "tern/ops/matmul.h"
#include "tern/tensor/creation.h"

namespace tern::nn {

Linear::Linear(const LinearOptions& options) {
  constexpr std::int64_t limit = std::int64_t{1} << 40;
  if (options.in < 1 || options.out < 1 || options.in > limit / options.out) {
    throw ValueError("[linear] expected in and out of at least 1 and at most 2^40 weights, got in " +
                     std::to_string(options.in) + ", out " + std::to_string(options.out));
  }
  if (!is_floating(options.dtype)) {
    throw DTypeError("[linear] expected a floating type, got " + std::string(name(options.dtype)));
  }
  weight = empty({options.out, options.in}, options.dtype);
  init::kaiming_uniform_(weight, {.slope = std::sqrt(5.0)});  // comes to ±1 / sqrt(in)
  weight.requires_grad_();
  if (!options.bias) return;
  const double bound = 1 / std::sqrt(static_cast<double>(options.in));
  bias = empty({options.out}, options.dtype);
  init::uniform_(bias, -bound, bound);
  bias.requires_grad_();
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

Attributes Linear::attributes() const {
  return internal::to_attributes(LinearOptions{.in = weight.size(1), .out = weight.size(0), .bias = bias.defined()});
}

}  // namespace tern::nn
