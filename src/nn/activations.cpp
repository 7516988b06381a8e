#include "tern/nn/activations.h"

#include <cmath>
#include <string>

#include "base/number_text.h"
#include "nn/fields.h"
#include "tern/ops/activation.h"
#include "tern/ops/dropout.h"
#include "tern/ops/shape.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::nn {

Tensor Relu::forward(const Tensor& x) { return relu(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor Silu::forward(const Tensor& x) { return silu(x); }
Tensor Softplus::forward(const Tensor& x) { return softplus(x); }
Tensor Relu6::forward(const Tensor& x) { return relu6(x); }
Tensor Selu::forward(const Tensor& x) { return selu(x); }
Tensor Hardsigmoid::forward(const Tensor& x) { return hardsigmoid(x); }
Tensor Hardswish::forward(const Tensor& x) { return hardswish(x); }
Tensor Mish::forward(const Tensor& x) { return mish(x); }
Tensor Softsign::forward(const Tensor& x) { return softsign(x); }
Tensor LogSigmoid::forward(const Tensor& x) { return logsigmoid(x); }

namespace {

void require(bool holds, const char* where, const char* expected, double got) {
  if (!holds)
    throw ValueError("[" + std::string(where) + "] expected " + expected + ", got " + tern::internal::number_text(got));
}

void check_dim(const char* where, std::int64_t dim) {
  require(dim >= -kMaxDims && dim < kMaxDims, where, "a dim that tensors have", static_cast<double>(dim));
}

}  // namespace

Tensor Gelu::forward(const Tensor& x) { return options_.tanh ? gelu(x, GeluForm::tanh) : gelu(x); }

// Recorded where it is set alone: architectures from before it was an option have none.
Attributes Gelu::attributes() const { return options_.tanh ? internal::to_attributes(options_) : Attributes(); }

Elu::Elu(const EluOptions& options) : options_(options) {
  require(std::isfinite(options.alpha), "elu", "a finite alpha", options.alpha);
}
Tensor Elu::forward(const Tensor& x) { return elu(x, options_.alpha); }
Attributes Elu::attributes() const { return internal::to_attributes(options_); }

Celu::Celu(const CeluOptions& options) : options_(options) {
  require(std::isfinite(options.alpha) && options.alpha != 0, "celu", "a finite alpha other than 0", options.alpha);
}
Tensor Celu::forward(const Tensor& x) { return celu(x, options_.alpha); }
Attributes Celu::attributes() const { return internal::to_attributes(options_); }

Hardtanh::Hardtanh(const HardtanhOptions& options) : options_(options) {
  require(std::isfinite(options.low), "hardtanh", "a finite low", options.low);
  require(std::isfinite(options.high) && options.low <= options.high, "hardtanh", "a finite high of at least low",
          options.high);
}
Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, options_.low, options_.high); }
Attributes Hardtanh::attributes() const { return internal::to_attributes(options_); }

Threshold::Threshold(const ThresholdOptions& options) : options_(options) {
  require(std::isfinite(options.bound), "threshold", "a finite bound", options.bound);
  require(std::isfinite(options.value), "threshold", "a finite value", options.value);
}
Tensor Threshold::forward(const Tensor& x) { return threshold(x, options_.bound, options_.value); }
Attributes Threshold::attributes() const { return internal::to_attributes(options_); }

Prelu::Prelu(const PreluOptions& options) : initial_(options.initial) {
  require(options.count >= 1, "prelu", "a count of at least 1", static_cast<double>(options.count));
  require(std::isfinite(options.initial), "prelu", "a finite initial", options.initial);
  if (!is_floating(options.dtype)) {
    throw DTypeError("[prelu] expected a floating type, got " + std::string(name(options.dtype)));
  }
  weight = full({options.count}, options.initial, options.dtype).requires_grad_();
}
Tensor Prelu::forward(const Tensor& x) { return prelu(x, weight); }
Attributes Prelu::attributes() const {
  return internal::to_attributes(PreluOptions{.count = weight.numel(), .initial = initial_});
}

Softmax::Softmax(const SoftmaxOptions& options) : options_(options) { check_dim("softmax", options.dim); }
Tensor Softmax::forward(const Tensor& x) { return softmax(x, static_cast<int>(options_.dim)); }
Attributes Softmax::attributes() const { return internal::to_attributes(options_); }

LogSoftmax::LogSoftmax(const SoftmaxOptions& options) : options_(options) { check_dim("log_softmax", options.dim); }
Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, static_cast<int>(options_.dim)); }
Attributes LogSoftmax::attributes() const { return internal::to_attributes(options_); }

Glu::Glu(const GluOptions& options) : options_(options) { check_dim("glu", options.dim); }
Tensor Glu::forward(const Tensor& x) { return glu(x, static_cast<int>(options_.dim)); }
Attributes Glu::attributes() const { return internal::to_attributes(options_); }

LeakyRelu::LeakyRelu(const LeakyReluOptions& options) : options_(options) {
  if (!std::isfinite(options.slope)) {
    throw ValueError("[leaky_relu] expected a finite slope, got " + tern::internal::number_text(options.slope));
  }
}

Tensor LeakyRelu::forward(const Tensor& x) { return leaky_relu(x, options_.slope); }

Attributes LeakyRelu::attributes() const { return internal::to_attributes(options_); }

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
  if (!(options.p >= 0 && options.p <= 1)) {
    throw ValueError("[dropout] expected p in [0, 1], got " + tern::internal::number_text(options.p));
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
