#include "tern/ops/loss.h"

#include <algorithm>
#include <cmath>

#include "autograd/backward.h"
#include "base/number_text.h"
#include "slots/loss.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/compare.h"
#include "tern/ops/index.h"
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
  const auto *ia = checked(a, where), *ib = checked(b, where);
  if (!(ia->shape == ib->shape)) {
    internal::throw_shape(where, "a target of shape " + to_string(ia->shape), to_string(ib->shape));
  }
  internal::check_devices(where, a, b);
  if (ia->dtype != ib->dtype || !is_floating(ia->dtype)) {
    internal::throw_dtype(where, "prediction and target of one floating type",
                          std::string(name(ia->dtype)) + " and " + std::string(name(ib->dtype)));
  }
}

void check_reduction(const char* where, Reduction reduction) {
  if (reduction == Reduction::batchmean) internal::throw_value(where, "mean, sum or none as reduction", "batchmean");
}

Tensor reduce(const char* where, const Tensor& losses, Reduction reduction) {
  check_reduction(where, reduction);
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
    out[0] = internal::new_tensor(x.shape(), x.dtype(), x.device());
    auto args = arguments(x, node.saved(1), saved_if_any(node, 2), saved_if_any(node, 3), out[0]);
    args.g = each.impl()->data;
    args.g_step = repeated ? 0 : 1;
    kernels::bce_with_logits_gradient(x.device(), x.dtype(), args);
  }
  bce_derivative_of_the_rest(node, g, out);
}

// A weight as the kernel takes it: of the logits' type and shape.
Tensor spread(const char* where, const Tensor& weight, const Tensor& logits) {
  if (!weight.defined()) return weight;
  internal::check_devices(where, logits, weight);
  const Shape& shape = logits.shape();
  if (!(broadcast_shapes(where, weight.shape(), shape) == shape)) {
    internal::throw_shape(where, "weights that broadcast to " + to_string(shape), to_string(weight.shape()));
  }
  return weight.to(logits.dtype()).expand(shape).contiguous();
}

}  // namespace

Tensor bce_with_logits(const Tensor& logits, const Tensor& target, const BceOptions& options) {
  static constexpr OpInfo op{"bce_with_logits", &bce_derivative, &bce_fused};
  check_pair("bce_with_logits", logits, target);
  if (is_half(logits.dtype())) return bce_with_logits(logits.to(f32), target.to(f32), options).to(logits.dtype());
  const Tensor x = logits.contiguous(), t = target.contiguous();
  const Tensor weight = spread("bce_with_logits", options.weight, x),
               share = spread("bce_with_logits", options.pos_weight, x);
  Tensor losses = internal::new_tensor(x.shape(), x.dtype(), x.device());
  kernels::bce_with_logits(x.device(), x.dtype(), arguments(x, t, weight, share, losses));
  internal::tape(op, losses, {{x, true}, {t, true}, {weight, weight.defined()}, {share, share.defined()}});
  return reduce("bce_with_logits", losses, options.reduction);
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

// Class weights are constants, as in PyTorch.
void check_no_gradient(const char* op, const Tensor& weight) {
  if (!internal::needs_grad(weight)) return;
  throw StateError("[" + std::string(op) + "] expected class weights that need no gradient, got " +
                   internal::describe(weight) + "; detach() them first");
}

// q of the kernel's contract, [N, C]: what each class of each row counts.
Tensor shares(const Tensor& target, const Tensor& weight, double smoothing, std::int64_t classes, DType dtype) {
  const Tensor w = weight.defined() ? weight.detach() : ones({classes}, dtype, target.device());
  const Tensor one_hot = (target.unsqueeze(1) == arange(classes, i64, target.device()).unsqueeze(0)).to(dtype);
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
        out[0] = internal::new_tensor(logits.shape(), logits.dtype(), logits.device());
        kernels::cross_entropy_gradient(logits.device(), logits.dtype(),
                                        arguments(logits, node.saved(1), saved_if_any(node, 2),
                                                  node.attributes<CrossEntropyAttribute>().smoothing, rows, out[0]));
      }};
  Tensor out = internal::new_tensor({logits.size(0)}, logits.dtype(), logits.device());
  kernels::cross_entropy(logits.device(), logits.dtype(), arguments(logits, target, weight, smoothing, {}, out));
  internal::tape_with(op, out, {{logits, true}, {target, true}, {weight, weight.defined()}},
                      CrossEntropyAttribute{smoothing});
  return out;
}

}  // namespace

namespace {

// Logits and target of any number of dimensions as rows: [N·d…, C] and [N·d…].
struct Classes {
  Tensor rows, label;   // classes that are ignored stand as 0
  Tensor ignored;       // where, when there are any
  Tensor weight;        // [C], of the rows' type, or undefined
  double total = 0;     // of the target classes' weights
  Tensor device_total;  // the same where the device counted it
};

Classes classes(const char* op, const Tensor& logits, const Tensor& target, const Tensor& weight,
                std::int64_t ignore_index) {
  const auto *il = checked(logits, op), *it = checked(target, op);
  const int dim = il->shape.size() > 1 ? 1 : 0;
  Shape expected = il->shape;
  if (!expected.empty()) expected.erase(dim);
  if (il->shape.empty() || !(it->shape == expected)) {
    internal::throw_shape(op, "logits [N, C, …] and target [N, …]",
                          to_string(il->shape) + " and " + to_string(it->shape));
  }
  if (!is_floating(il->dtype) || (it->dtype != i64 && it->dtype != i32)) {
    internal::throw_dtype(op, "floating logits and a target of type i64 or i32",
                          std::string(name(il->dtype)) + " and " + std::string(name(it->dtype)));
  }
  internal::check_devices(op, logits, target);
  internal::check_devices(op, logits, weight);
  const std::int64_t count = il->shape[dim];
  Classes out;
  out.label = target.to(i64).reshape({it->numel}).contiguous();
  out.rows = logits;
  if (il->shape.size() != 2) {
    Dims order;
    for (int d = 0; d < il->shape.size(); ++d) {
      if (d != dim) order.push_back(d);
    }
    order.push_back(dim);
    out.rows = logits.permute(order).reshape({it->numel, count});
  }
  if (weight.defined()) {
    check_no_gradient(op, weight);
    if (!(weight.shape() == Shape{count})) {
      internal::throw_shape(op, "class weights [" + std::to_string(count) + "]", to_string(weight.shape()));
    }
    out.weight = weight.detach().to(il->dtype).contiguous();
  }
  if (out.label.device() != cpu()) {
    // No look at the labels, for which the device would have to be waited for: its kernels look as they go.
    out.ignored = out.label == ignore_index;
    out.label = where(out.ignored, 0, out.label);
    const Tensor counted =
        out.weight.defined() ? index_select(out.weight, 0, out.label) : ones({it->numel}, il->dtype, il->device);
    out.device_total = where(out.ignored, 0, counted).sum();
    return out;
  }
  const Tensor real = out.weight.defined() ? out.weight.to(f64) : Tensor();
  const double* weights = real.defined() ? real.span<double>().data() : nullptr;
  const auto label = out.label.span<std::int64_t>();
  bool ignores = false;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i] == ignore_index) {
      ignores = true;
    } else if (label[i] < 0 || label[i] >= count) {
      throw IndexError("[" + std::string(op) + "] expected classes in [0, " + std::to_string(count) + "), got " +
                       std::to_string(label[i]) + " in row " + std::to_string(i));
    } else {
      out.total += weights ? weights[label[i]] : 1;
    }
  }
  if (ignores) {
    out.ignored = out.label == ignore_index;
    out.label = where(out.ignored, 0, out.label);
  }
  return out;
}

// Losses of the rows as the target lies, or reduced.
Tensor reduce(const char* op, const Classes& of, const Tensor& losses, const Shape& shape, Reduction reduction) {
  check_reduction(op, reduction);
  const Tensor rows = of.ignored.defined() ? where(of.ignored, 0, losses) : losses;
  if (reduction == Reduction::none) return rows.reshape(shape);
  if (reduction == Reduction::sum) return rows.sum();
  return of.device_total.defined() ? rows.sum() / of.device_total : rows.sum() / of.total;
}

Tensor cross_entropy_of_probabilities(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  check_pair("cross_entropy", logits, target);
  if (is_half(logits.dtype())) {
    return cross_entropy_of_probabilities(logits.to(f32), target.to(f32), options).to(logits.dtype());
  }
  const int dim = logits.dim() > 1 ? 1 : 0;
  if (logits.dim() == 0) internal::throw_shape("cross_entropy", "logits [N, C, …]", "[]");
  const std::int64_t count = logits.size(dim);
  Tensor share = target;
  if (options.label_smoothing > 0) {
    share = target * (1 - options.label_smoothing) + options.label_smoothing / static_cast<double>(count);
  }
  if (options.weight.defined()) {
    internal::check_devices("cross_entropy", logits, options.weight);
    check_no_gradient("cross_entropy", options.weight);
    if (!(options.weight.shape() == Shape{count})) {
      internal::throw_shape("cross_entropy", "class weights [" + std::to_string(count) + "]",
                            to_string(options.weight.shape()));
    }
    Shape beside;
    for (int d = 0; d < logits.dim(); ++d) beside.push_back(d == dim ? count : 1);
    share = share * options.weight.detach().to(logits.dtype()).reshape(beside);
  }
  const Tensor losses = neg(sum(share * log_softmax(logits, dim), {dim}));
  return reduce("cross_entropy", losses, options.reduction);
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options) {
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    internal::throw_value("cross_entropy", "label_smoothing in [0, 1]", internal::number_text(options.label_smoothing));
  }
  if (checked(logits, "cross_entropy")->shape == checked(target, "cross_entropy")->shape &&
      is_floating(target.dtype())) {
    return cross_entropy_of_probabilities(logits, target, options);
  }
  if (is_half(logits.dtype())) {
    return cross_entropy(logits.to(f32), target, options).to(logits.dtype());
  }
  const Classes of = classes("cross_entropy", logits, target, options.weight, options.ignore_index);
  const Tensor losses = cross_entropy_rows(of.rows.contiguous(), of.label, of.weight, options.label_smoothing);
  return reduce("cross_entropy", of, losses, target.shape(), options.reduction);
}

Tensor nll_loss(const Tensor& log_probability, const Tensor& target, const NllOptions& options) {
  if (is_half(checked(log_probability, "nll_loss")->dtype)) {
    return nll_loss(log_probability.to(f32), target, options).to(log_probability.dtype());
  }
  const Classes of = classes("nll_loss", log_probability, target, options.weight, options.ignore_index);
  Tensor losses = neg(gather(of.rows, 1, of.label.unsqueeze(1)).squeeze(1));
  if (of.weight.defined()) losses = losses * index_select(of.weight, 0, of.label);
  return reduce("nll_loss", of, losses, target.shape(), options.reduction);
}

Tensor kl_div(const Tensor& input, const Tensor& target, const KlOptions& options) {
  check_pair("kl_div", input, target);
  if (is_half(input.dtype())) return kl_div(input.to(f32), target.to(f32), options).to(input.dtype());
  const Tensor share = options.log_target ? exp(target) : target, none = share == 0;
  // Where the target is 0, the logarithms may be infinite: nothing is computed with those.
  const Tensor apart =
      (options.log_target ? where(none, 0, target) : log(where(none, 1, target))) - where(none, 0, input);
  const Tensor losses = where(none, 0, share * apart);
  if (options.reduction != Reduction::batchmean) return reduce("kl_div", losses, options.reduction);
  return losses.sum() / (losses.dim() == 0 ? 1 : losses.size(0));
}

namespace {

// Of the probability alone: of the target it follows from the logarithms. Beside 0 and 1 the slope is held at 1e12.
Tensor bce_elements(const Tensor& probability, const Tensor& target) {
  static constexpr OpInfo op{"bce", [](const Node& node, const Tensor& g, Tensor* out) {
                               const Tensor p = node.saved(0), t = node.saved(1), q = 1 - p;
                               if (node.wants(0)) out[0] = g * (p - t) / clamp_min(p * q, 1e-12);
                               if (node.wants(1)) {
                                 out[1] = g * (clamp_min(log1p(neg(p)), -100) - clamp_min(log(p), -100));
                               }
                             }};
  const Tensor p = probability.detach(), t = target.detach();
  Tensor losses = neg(t * clamp_min(log(p), -100) + (1 - t) * clamp_min(log1p(neg(p)), -100));
  internal::tape(op, losses, {{probability, true}, {target, true}});
  return losses;
}

}  // namespace

Tensor bce(const Tensor& probability, const Tensor& target, const BceOfProbabilitiesOptions& options) {
  check_pair("bce", probability, target);
  const Tensor inside = (probability >= 0) & (probability <= 1);
  if (!all(inside).item<bool>()) {
    internal::throw_value(
        "bce", "probabilities in [0, 1]",
        internal::number_text(masked_select(probability.detach().to(cpu()), !inside.to(cpu()))[0].item<double>()));
  }
  if (is_half(probability.dtype())) return bce(probability.to(f32), target.to(f32), options).to(probability.dtype());
  Tensor losses = bce_elements(probability, target);
  if (options.weight.defined()) losses = losses * spread("bce", options.weight, probability);
  return reduce("bce", losses, options.reduction);
}

Tensor mse_loss(const Tensor& prediction, const Tensor& target, Reduction reduction) {
  check_pair("mse_loss", prediction, target);
  if (is_half(prediction.dtype())) {
    return mse_loss(prediction.to(f32), target.to(f32), reduction).to(prediction.dtype());
  }
  return reduce("mse_loss", square(prediction - target), reduction);
}

Tensor l1_loss(const Tensor& prediction, const Tensor& target, Reduction reduction) {
  check_pair("l1_loss", prediction, target);
  if (is_half(prediction.dtype())) {
    return l1_loss(prediction.to(f32), target.to(f32), reduction).to(prediction.dtype());
  }
  return reduce("l1_loss", abs(prediction - target), reduction);
}

Tensor huber_loss(const Tensor& prediction, const Tensor& target, double delta, Reduction reduction) {
  check_pair("huber_loss", prediction, target);
  if (is_half(prediction.dtype())) {
    return huber_loss(prediction.to(f32), target.to(f32), delta, reduction).to(prediction.dtype());
  }
  if (!(delta > 0 && std::isfinite(delta))) {
    internal::throw_value("huber_loss", "a finite delta > 0", internal::number_text(delta));
  }
  const Tensor error = prediction - target, size = abs(error), near = size <= delta;
  // An infinite error has no square to be differentiated.
  return reduce("huber_loss", where(near, square(where(near, error, 0)) * 0.5, delta * (size - 0.5 * delta)),
                reduction);
}

Tensor smooth_l1_loss(const Tensor& prediction, const Tensor& target, double beta, Reduction reduction) {
  check_pair("smooth_l1_loss", prediction, target);
  check_reduction("smooth_l1_loss", reduction);
  if (!(beta >= 0 && std::isfinite(beta))) {
    internal::throw_value("smooth_l1_loss", "a finite beta >= 0", internal::number_text(beta));
  }
  if (is_half(prediction.dtype())) {
    return smooth_l1_loss(prediction.to(f32), target.to(f32), beta, reduction).to(prediction.dtype());
  }
  return beta == 0 ? l1_loss(prediction, target, reduction) : huber_loss(prediction, target, beta, reduction) / beta;
}

}  // namespace tern
