#include "tern/ops/loss.h"

#include <algorithm>

#include "autograd/backward.h"
#include "slots.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/ops/softmax.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::Node;
using internal::OpInfo;

void check_pair(const char* where, const Tensor& a, const Tensor& b) {
  const auto *ia = checked(a), *ib = checked(b);
  if (!(ia->shape == ib->shape)) {
    internal::throw_shape(where, "a target of shape " + to_string(ia->shape), to_string(ib->shape));
  }
  if (ia->dtype != ib->dtype || !is_floating(ia->dtype)) {
    internal::throw_dtype(where, "prediction and target of one floating type",
                          std::string(name(ia->dtype)) + " and " + std::string(name(ib->dtype)));
  }
}

Tensor reduce(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::mean ? losses.mean() : reduction == Reduction::sum ? losses.sum() : losses;
}

kernels::BceArgs arguments(const Tensor& logits, const Tensor& target, const Tensor& weight, const Tensor& pos_weight,
                           const Tensor& out) {
  const auto data = [](const Tensor& x) -> const void* { return x.defined() ? x.impl()->data : nullptr; };
  return {logits.numel(), data(logits), data(target), data(weight), data(pos_weight), nullptr, 0, out.impl()->data};
}

Tensor saved_if_any(const Node& node, int i) { return node.edges()[i].saved ? node.saved(i) : Tensor(); }

Tensor times_if_any(const Tensor& x, const Tensor& factor) { return factor.defined() ? x * factor : x; }

// Of the target and of the weights, which seldom need a gradient.
void bce_derivative_of_the_rest(const Node& node, const Tensor& g, Tensor* out) {
  if (!node.wants(1) && !node.wants(2) && !node.wants(3)) return;
  const Tensor x = node.saved(0), t = node.saved(1), weight = saved_if_any(node, 2), share = saved_if_any(node, 3);
  const Tensor positive = softplus(-x), negative = softplus(x), scaled = times_if_any(g, weight);
  if (node.wants(1)) out[1] = scaled * (times_if_any(positive, share) - negative);
  if (node.wants(2)) out[2] = g * (times_if_any(t, share) * positive + (1 - t) * negative);
  if (node.wants(3)) out[3] = scaled * t * positive;
}

void bce_derivative(const Node& node, const Tensor& g, Tensor* out) {
  if (node.wants(0)) {
    const Tensor x = node.saved(0), t = node.saved(1);
    const Tensor slope = (1 - t) * sigmoid(x) - times_if_any(t, saved_if_any(node, 3)) * sigmoid(-x);
    out[0] = times_if_any(g, saved_if_any(node, 2)) * slope;
  }
  bce_derivative_of_the_rest(node, g, out);
}

void bce_fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  if (node.wants(0)) {
    const Tensor x = node.saved(0);
    // The gradient of a mean or a sum is one number repeated.
    const auto strides = g.strides();
    const bool repeated = std::all_of(strides.begin(), strides.end(), [](std::int64_t step) { return step == 0; });
    const Tensor each = repeated ? g : g.contiguous();
    out[0] = internal::new_tensor(x.shape(), x.dtype());
    auto args = arguments(x, node.saved(1), saved_if_any(node, 2), saved_if_any(node, 3), out[0]);
    args.g = each.impl()->data;
    args.g_step = repeated ? 0 : 1;
    kernels::bce_with_logits_gradient(x.device(), x.dtype(), args);
  }
  bce_derivative_of_the_rest(node, g, out);
}

// A weight as the kernel takes it: of the logits' type and shape.
Tensor spread(const Tensor& weight, const Tensor& logits) {
  if (!weight.defined()) return weight;
  const Shape& shape = logits.shape();
  if (!(broadcast_shapes("bce_with_logits", weight.shape(), shape) == shape)) {
    internal::throw_shape("bce_with_logits", "weights that broadcast to " + to_string(shape),
                          to_string(weight.shape()));
  }
  return weight.to(logits.dtype()).expand(shape).contiguous();
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceOptions& options) {
  static constexpr OpInfo op{"bce_with_logits", &bce_derivative, &bce_fused};
  check_pair("bce_with_logits", logits, target);
  const Tensor x = logits.contiguous(), t = target.contiguous();
  const Tensor weight = spread(options.weight, x), share = spread(options.pos_weight, x);
  Tensor losses = internal::new_tensor(x.shape(), x.dtype());
  kernels::bce_with_logits(x.device(), x.dtype(), arguments(x, t, weight, share, losses));
  internal::tape(op, losses, {{x, true}, {t, true}, {weight, weight.defined()}, {share, share.defined()}});
  return reduce(losses, options.reduction);
}

namespace {

struct CrossEntropyAttribute {
  double smoothing;
};

kernels::CrossEntropyArgs arguments(const Tensor& logits, const Tensor& target, const Tensor& weight, double smoothing,
                                    const Tensor& g, const Tensor& out) {
  return {logits.impl()->shape[0],
          logits.impl()->shape[1],
          logits.impl()->data,
          reinterpret_cast<const std::int64_t*>(target.impl()->data),
          weight.defined() ? weight.impl()->data : nullptr,
          smoothing,
          g.defined() ? g.impl()->data : nullptr,
          out.impl()->data};
}

// q of the kernel's contract, [N, C]: what each class of each row counts.
Tensor shares(const Tensor& target, const Tensor& weight, double smoothing, std::int64_t classes, DType dtype) {
  const Tensor w = weight.defined() ? weight.detach() : ones({classes}, dtype);
  const Tensor one_hot = (target.unsqueeze(1) == arange(classes).unsqueeze(0)).to(dtype);
  return (one_hot * (1 - smoothing) + smoothing / static_cast<double>(classes)) * w;
}

// Losses of the rows, [N].
Tensor cross_entropy_rows(const Tensor& logits, const Tensor& target, const Tensor& weight, double smoothing) {
  static constexpr OpInfo op{
      "cross_entropy",
      [](const Node& node, const Tensor& g, Tensor* out) {
        const Tensor logits = node.saved(0);
        const Tensor q = shares(node.saved(1), saved_if_any(node, 2),
                                node.attributes<CrossEntropyAttribute>().smoothing, logits.size(1), g.dtype());
        out[0] = g.unsqueeze(1) * (softmax(logits) * sum(q, {1}, true) - q);
      },
      [](internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
        const Tensor logits = node.saved(0), rows = g.contiguous();
        out[0] = internal::new_tensor(logits.shape(), logits.dtype());
        kernels::cross_entropy_gradient(logits.device(), logits.dtype(),
                                        arguments(logits, node.saved(1), saved_if_any(node, 2),
                                                  node.attributes<CrossEntropyAttribute>().smoothing, rows, out[0]));
      }};
  Tensor out = internal::new_tensor({logits.size(0)}, logits.dtype());
  kernels::cross_entropy(logits.device(), logits.dtype(), arguments(logits, target, weight, smoothing, {}, out));
  internal::tape_with(op, out, {{logits, true}, {target, true}, {weight, weight.defined()}},
                      CrossEntropyAttribute{smoothing});
  return out;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  const auto *il = checked(logits), *it = checked(target);
  if (il->shape.size() != 2 || it->shape.size() != 1 || il->shape[0] != it->shape[0]) {
    internal::throw_shape("cross_entropy", "logits [N, C] and target [N]",
                          to_string(il->shape) + " and " + to_string(it->shape));
  }
  if (!is_floating(il->dtype) || it->dtype != i64) {
    internal::throw_dtype("cross_entropy", "floating logits and an i64 target",
                          std::string(name(il->dtype)) + " and " + std::string(name(it->dtype)));
  }
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    internal::throw_value("cross_entropy", "label_smoothing in [0, 1]", std::to_string(options.label_smoothing));
  }
  const std::int64_t classes = il->shape[1];
  const Tensor labels = target.contiguous();
  const auto label = labels.span<std::int64_t>();
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] < 0 || label[i] >= classes) {
      throw IndexError("[cross_entropy] expected classes in [0, " + std::to_string(classes) + "), got " +
                       std::to_string(label[i]) + " in row " + std::to_string(i));
    }
  }
  Tensor weight;
  if (options.weight.defined()) {
    if (!(options.weight.shape() == Shape{classes})) {
      internal::throw_shape("cross_entropy", "class weights [" + std::to_string(classes) + "]",
                            to_string(options.weight.shape()));
    }
    weight = options.weight.detach().to(il->dtype).contiguous();
  }
  const Tensor rows = cross_entropy_rows(logits.contiguous(), labels, weight, options.label_smoothing);
  if (options.reduction != Reduction::mean || !weight.defined()) return reduce(rows, options.reduction);
  double total = 0;
  const Tensor real = weight.to(f64);
  for (std::int64_t c : label) total += real.span<double>()[static_cast<std::size_t>(c)];
  return rows.sum() / total;
}

Tensor mse_loss(const Tensor& prediction, const Tensor& target, Reduction reduction) {
  check_pair("mse_loss", prediction, target);
  return reduce(square(prediction - target), reduction);
}

Tensor l1_loss(const Tensor& prediction, const Tensor& target, Reduction reduction) {
  check_pair("l1_loss", prediction, target);
  return reduce(abs(prediction - target), reduction);
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, double delta, Reduction reduction) {
  check_pair("huber_loss", prediction, target);
  if (!(delta > 0)) internal::throw_value("huber_loss", "delta > 0", std::to_string(delta));
  const Tensor error = prediction - target, size = abs(error);
  return reduce(where(size <= delta, square(error) * 0.5, delta * (size - 0.5 * delta)), reduction);
}

}  // namespace tern
