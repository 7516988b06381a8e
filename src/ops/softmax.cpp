#include "tern/ops/softmax.h"

#include "autograd/backward.h"
#include "slots/softmax.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::checked;
using internal::Node;
using internal::OpInfo;
using Slot = kernels::KernelSlot<kernels::SoftmaxFn>;

struct Rows : OpInfo {
  const Slot* forward;
  const Slot* gradient;
};

// Without create_graph: one kernel over the rows of the gradient and the saved result.
void fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  const auto& op = static_cast<const Rows&>(*node.op);
  const Tensor y = node.saved_output(), rows = g.contiguous();
  out[0] = internal::new_tensor(y.shape(), y.dtype(), y.device());
  const std::int64_t columns = y.size(-1);
  (*op.gradient)(
      y.device(), y.dtype(),
      {columns == 0 ? 0 : y.numel() / columns, columns, y.impl()->data, rows.impl()->data, out[0].impl()->data});
}

// The kernel works on contiguous rows; another dimension is brought to the end and back.
Tensor apply(const Rows& op, const Tensor& input, int dim) {
  if (is_half(checked(input, op.name)->dtype)) return apply(op, input.to(f32), dim).to(input.dtype());
  const Tensor x = is_floating(input.dtype()) ? input : input.to(f32);
  if (x.dim() == 0) return apply(op, x.reshape({1}), dim).reshape({});
  dim = internal::wrap_dim(op.name, dim, x.dim());
  if (dim != x.dim() - 1) return apply(op, x.transpose(dim, -1), -1).transpose(dim, -1);
  const Tensor rows = x.contiguous();
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  const std::int64_t columns = x.size(-1);
  (*op.forward)(x.device(), x.dtype(),
                {columns == 0 ? 0 : x.numel() / columns, columns, rows.impl()->data, nullptr, out.impl()->data});
  internal::tape(op, out, {{rows}}, true);
  return out;
}

}  // namespace

Tensor softmax(const Tensor& x, int dim) {
  static constexpr Rows op{{"softmax",
                            [](const Node& node, const Tensor& g, Tensor* out) {
                              const Tensor y = node.saved_output();
                              out[0] = y * (g - sum(g * y, {-1}, true));
                            },
                            &fused},
                           &kernels::softmax,
                           &kernels::softmax_gradient};
  return apply(op, x, dim);
}

Tensor log_softmax(const Tensor& x, int dim) {
  static constexpr Rows op{{"log_softmax",
                            [](const Node& node, const Tensor& g, Tensor* out) {
                              out[0] = g - exp(node.saved_output()) * sum(g, {-1}, true);
                            },
                            &fused},
                           &kernels::log_softmax,
                           &kernels::log_softmax_gradient};
  return apply(op, x, dim);
}

}  // namespace tern
