#include "tern/nn/linear.h"

#include <cmath>
#include <string>

#include "nn/fields.h"
#include "tensor/impl.h"
#include "tern/autograd/autograd.h"
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

Tensor Linear::forward(const Tensor& x) { return linear(x, weight_to_read(), bias); }

void Linear::pack() {
  unpack();
  if (weight.device() != cpu() || weight.size(0) == 1 || weight.size(1) == 1) return;  // which lie one way alone
  if (tern::internal::is_written_by_others(weight.impl()->storage)) return;
  packed_ = weight.detach().t().contiguous().t();
  packed_from_ = weight;
  packed_version_ = version(weight);
}

void Linear::unpack() { packed_ = packed_from_ = Tensor(); }

const Tensor& Linear::weight_to_read() const {
  const bool holds = packed_.defined() && !is_grad_enabled() && packed_from_.is_same(weight) &&
                     version(weight) == packed_version_ &&
                     !tern::internal::is_written_by_others(weight.impl()->storage);
  return holds ? packed_ : weight;
}

void pack_weights(Module& network) {
  for (Module* part : network.modules()) {
    if (auto* layer = dynamic_cast<Linear*>(part)) layer->pack();
  }
}

void unpack_weights(Module& network) {
  for (Module* part : network.modules()) {
    if (auto* layer = dynamic_cast<Linear*>(part)) layer->unpack();
  }
}

Attributes Linear::attributes() const {
  return internal::to_attributes(LinearOptions{.in = weight.size(1), .out = weight.size(0), .bias = bias.defined()});
}

}  // namespace tern::nn
