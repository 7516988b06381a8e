#include "tern/ops/dropout.h"

#include "autograd/node.h"
#include "base/number_text.h"
#include "slots/random.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

struct Mask {
  std::uint64_t seed, stream, first;
  double p;
};

// The mask is drawn again in backward rather than kept; the op is linear, so it is its own derivative.
Tensor with_mask(const Tensor& input, const Mask& mask) {
  static constexpr internal::OpInfo op{"dropout", [](const internal::Node& node, const Tensor& g, Tensor* out) {
                                         out[0] = with_mask(g, node.attributes<Mask>());
                                       }};
  const Tensor x = input.contiguous();
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  kernels::dropout(x.device(), x.dtype(),
                   {x.numel(), x.impl()->data, out.impl()->data, mask.seed, mask.stream, mask.first, mask.p});
  internal::tape_with(op, out, {{x}}, mask);
  return out;
}

}  // namespace

Tensor dropout(const Tensor& input, double p) {
  if (!(p >= 0 && p <= 1)) internal::throw_value("dropout", "a probability in [0, 1]", internal::number_text(p));
  if (is_half(internal::checked(input, "dropout")->dtype)) return dropout(input.to(f32), p).to(input.dtype());
  Tensor x = is_floating(input.dtype()) ? input : input.to(f32);
  Generator& generator = default_generator();
  const std::uint64_t first = generator.reserve(static_cast<std::uint64_t>(x.numel()));
  if (p == 0) return x;
  return with_mask(x, {generator.seed, generator.stream, first, p});
}

}  // namespace tern
