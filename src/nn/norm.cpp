#include "tern/nn/norm.h"

#include <cmath>
#include <string>

#include "base/number_text.h"
#include "nn/fields.h"
#include "tern/ops/norm.h"
#include "tern/tensor/creation.h"

namespace tern::nn {

namespace {

void check(const std::string& where, const Shape& shape, double eps, DType dtype) {
  if (!internal::elements(shape)) {
    throw ValueError("[" + where + "] expected sizes of at least 1, at most 2^40 elements, got " + to_string(shape));
  }
  if (!(eps >= 0 && std::isfinite(eps))) {
    throw ValueError("[" + where + "] expected eps finite and at least 0, got " + tern::internal::number_text(eps));
  }
  if (!is_floating(dtype)) {
    throw DTypeError("[" + where + "] expected a floating type, got " + std::string(name(dtype)));
  }
}

}  // namespace

LayerNorm::LayerNorm(std::int64_t size) : LayerNorm(LayerNormOptions{.shape = {size}}) {}

LayerNorm::LayerNorm(const Shape& shape) : LayerNorm(LayerNormOptions{.shape = shape}) {}

LayerNorm::LayerNorm(const LayerNormOptions& options) : shape_(options.shape), eps_(options.eps) {
  check("layer_norm", options.shape, options.eps, options.dtype);
  if (!options.affine) return;
  weight = ones(shape_, options.dtype).requires_grad_();
  if (options.bias) bias = zeros(shape_, options.dtype).requires_grad_();
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, shape_, {.weight = weight, .bias = bias, .eps = eps_});
}

Attributes LayerNorm::attributes() const {
  return internal::to_attributes(LayerNormOptions{
      .shape = shape_, .eps = eps_, .affine = weight.defined(), .bias = !weight.defined() || bias.defined()});
}

RmsNorm::RmsNorm(std::int64_t size) : RmsNorm(RmsNormOptions{.shape = {size}}) {}

RmsNorm::RmsNorm(const Shape& shape) : RmsNorm(RmsNormOptions{.shape = shape}) {}

RmsNorm::RmsNorm(const RmsNormOptions& options) : shape_(options.shape), eps_(options.eps) {
  check("rms_norm", options.shape, options.eps, options.dtype);
  if (options.affine) weight = ones(shape_, options.dtype).requires_grad_();
}

Tensor RmsNorm::forward(const Tensor& x) { return rms_norm(x, shape_, {.weight = weight, .eps = eps_}); }

Attributes RmsNorm::attributes() const {
  return internal::to_attributes(RmsNormOptions{.shape = shape_, .eps = eps_, .affine = weight.defined()});
}

}  // namespace tern::nn
