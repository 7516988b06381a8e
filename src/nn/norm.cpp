#include "tern/nn/norm.h"

#include <cmath>
#include <string>

#include "nn/fields.h"
#include "tern/ops/norm.h"
#include "tern/tensor/creation.h"

namespace tern::nn {

namespace {

void check(const std::string& where, std::int64_t size, double eps, DType dtype) {
  constexpr std::int64_t limit = std::int64_t{1} << 40;
  if (size < 1 || size > limit) {
    throw ValueError("[" + where + "] expected size in [1, 2^40], got " + std::to_string(size));
  }
  if (!(eps >= 0 && std::isfinite(eps))) {
    throw ValueError("[" + where + "] expected eps finite and at least 0, got " + std::to_string(eps));
  }
  if (!is_floating(dtype)) {
    throw DTypeError("[" + where + "] expected a floating type, got " + std::string(name(dtype)));
  }
}

}  // namespace

LayerNorm::LayerNorm(const LayerNormOptions& options) : size_(options.size), eps_(options.eps) {
  check("layer_norm", options.size, options.eps, options.dtype);
  if (!options.affine) return;
  weight = ones({size_}, options.dtype).requires_grad_();
  if (options.bias) bias = zeros({size_}, options.dtype).requires_grad_();
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, {size_}, {.weight = weight, .bias = bias, .eps = eps_});
}

Attributes LayerNorm::attributes() const {
  return internal::to_attributes(LayerNormOptions{
      .size = size_, .eps = eps_, .affine = weight.defined(), .bias = !weight.defined() || bias.defined()});
}

RmsNorm::RmsNorm(const RmsNormOptions& options) : size_(options.size), eps_(options.eps) {
  check("rms_norm", options.size, options.eps, options.dtype);
  if (options.affine) weight = ones({size_}, options.dtype).requires_grad_();
}

Tensor RmsNorm::forward(const Tensor& x) { return rms_norm(x, {size_}, {.weight = weight, .eps = eps_}); }

Attributes RmsNorm::attributes() const {
  return internal::to_attributes(RmsNormOptions{.size = size_, .eps = eps_, .affine = weight.defined()});
}

}  // namespace tern::nn
