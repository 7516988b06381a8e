#include "tern/nn/activations.h"

#include <cmath>
#include <string>

#include "nn/fields.h"
#include "tern/ops/binary.h"
#include "tern/ops/dropout.h"
#include "tern/ops/shape.h"
#include "tern/ops/unary.h"

namespace tern::nn {

Tensor Relu::forward(const Tensor& x) { return relu(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Gelu::forward(const Tensor& x) { return gelu(x); }
Tensor Silu::forward(const Tensor& x) { return silu(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x); }

LeakyRelu::LeakyRelu(const LeakyReluOptions& options) : options_(options) {
  if (!std::isfinite(options.slope)) {
    throw ValueError("[leaky_relu] expected a finite slope, got " + std::to_string(options.slope));
  }
}

Tensor LeakyRelu::forward(const Tensor& x) { return where(x > 0, x, x * options_.slope); }

Attributes LeakyRelu::attributes() const { return internal::to_attributes(options_); }

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
  if (!(options.p >= 0 && options.p <= 1)) {
    throw ValueError("[dropout] expected p in [0, 1], got " + std::to_string(options.p));
  }
}

Tensor Dropout::forward(const Tensor& x) { return is_training() && options_.p > 0 ? dropout(x, options_.p) : x; }

Attributes Dropout::attributes() const { return internal::to_attributes(options_); }

Flatten::Flatten(const FlattenOptions& options) : options_(options) {
  if (options.first < -kMaxDims || options.first >= kMaxDims || options.last < -kMaxDims || options.last >= kMaxDims) {
    throw ValueError("[flatten] expected dimensions of at most " + std::to_string(kMaxDims) + ", got " +
                     std::to_string(options.first) + " and " + std::to_string(options.last));
  }
}

Tensor Flatten::forward(const Tensor& x) {
  return flatten(x, static_cast<int>(options_.first), static_cast<int>(options_.last));
}

Attributes Flatten::attributes() const { return internal::to_attributes(options_); }

}  // namespace tern::nn
