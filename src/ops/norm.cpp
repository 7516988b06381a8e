#include "tern/ops/norm.h"

#include <string>

#include "autograd/backward.h"
#include "base/number_text.h"
#include "slots/norm.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::Node;
using internal::OpInfo;

struct NormAttribute {
  int dims;  // that are normalised, the last ones
  double eps;
  bool centred;
};

enum Input { kX, kWeight, kBias, kStatistics };

Tensor saved_weight(const Node& node) { return node.edges()[kWeight].saved ? node.saved(kWeight) : Tensor(); }

void derivative(const Node& node, const Tensor& g, Tensor* out) {
  const auto [count, eps, centred] = node.attributes<NormAttribute>();
  const Tensor x = node.saved(kX), weight = saved_weight(node);
  Dims dims;
  for (int d = count; d > 0; --d) dims.push_back(-d);
  const Tensor c = centred ? x - mean(x, dims, true) : x;
  const Tensor scale = reciprocal(sqrt(mean(square(c), dims, true) + eps)), y = c * scale;
  if (node.wants(kX)) {
    const Tensor gw = weight.defined() ? g * weight : g;
    const Tensor along = gw - y * mean(gw * y, dims, true);
    out[kX] = scale * (centred ? along - mean(gw, dims, true) : along);
  }
  Shape shape;
  for (int d = count; d > 0; --d) shape.push_back(x.size(-d));
  if (node.wants(kWeight)) out[kWeight] = sum_to(g * y, shape);
  if (node.wants(kBias)) out[kBias] = sum_to(g, shape);
}

kernels::NormArgs arguments(const Tensor& x, const Tensor& weight, const Tensor& statistics, const NormAttribute& a) {
  const auto data = [](const Tensor& t) { return t.defined() ? t.impl()->data : nullptr; };
  kernels::NormArgs args{};
  args.columns = 1;
  for (int d = 1; d <= a.dims; ++d) args.columns *= x.size(-d);
  args.rows = args.columns == 0 ? 0 : x.numel() / args.columns;
  args.centred = a.centred;
  args.eps = a.eps;
  args.x = data(x);
  args.weight = data(weight);
  args.statistics = reinterpret_cast<double*>(data(statistics));
  return args;
}

void fused(internal::Backward&, const Node& node, const Tensor& g, Tensor* out) {
  const Tensor x = node.saved(kX), weight = saved_weight(node), statistics = node.saved(kStatistics);
  const auto& a = node.attributes<NormAttribute>();
  const Tensor rows = g.contiguous();
  kernels::NormArgs args = arguments(x, weight, statistics, a);
  args.g = rows.impl()->data;
  Shape shape;
  for (int d = a.dims; d > 0; --d) shape.push_back(x.size(-d));
  const auto wanted = [&](int i, const Shape& of) -> void* {
    if (!node.wants(i)) return nullptr;
    out[i] = internal::new_tensor(of, x.dtype(), x.device());
    return out[i].impl()->data;
  };
  args.out = wanted(kX, x.shape());
  args.weight_gradient = wanted(kWeight, shape);
  args.bias_gradient = wanted(kBias, shape);
  kernels::norm_gradient(x.device(), x.dtype(), args);
}

void check_weight(const char* where, const Tensor& x, const Shape& shape, const Tensor& weight) {
  if (!weight.defined()) return;
  internal::check_devices(where, x, weight);
  if (!(weight.shape() == shape)) {
    internal::throw_shape(where, "weights of shape " + to_string(shape), to_string(weight.shape()));
  }
  if (weight.dtype() != x.dtype()) {
    internal::throw_dtype(where, "weights of type " + std::string(name(x.dtype())), std::string(name(weight.dtype())));
  }
}

Tensor normalised(const OpInfo& op, const Tensor& input, const Shape& shape, const LayerNormOptions& options,
                  bool centred) {
  const Shape& from = checked(input, op.name)->shape;
  bool fits = !shape.empty() && shape.size() <= from.size();
  for (int d = 1; fits && d <= shape.size(); ++d) fits = shape[shape.size() - d] == from[from.size() - d];
  if (!fits) internal::throw_shape(op.name, "x of shape [..., normalized] for " + to_string(shape), to_string(from));
  if (is_half(input.dtype())) {
    LayerNormOptions wide = options;
    for (Tensor* weight : {&wide.weight, &wide.bias}) {
      check_weight(op.name, input, shape, *weight);
      if (weight->defined()) *weight = weight->to(f32);
    }
    return normalised(op, input.to(f32), shape, wide, centred).to(input.dtype());
  }
  if (!(options.eps >= 0)) internal::throw_value(op.name, "eps of at least 0", internal::number_text(options.eps));
  const Tensor x = (is_floating(input.dtype()) ? input : input.to(f32)).contiguous();
  check_weight(op.name, x, shape, options.weight);
  check_weight(op.name, x, shape, options.bias);
  const Tensor weight = options.weight.defined() ? options.weight.contiguous() : Tensor();
  const Tensor bias = options.bias.defined() ? options.bias.contiguous() : Tensor();
  const NormAttribute attribute{shape.size(), options.eps, centred};
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  kernels::NormArgs args = arguments(x, weight, {}, attribute);
  const Tensor statistics = internal::new_tensor({args.rows, 2}, f64, x.device());
  args.statistics = reinterpret_cast<double*>(statistics.impl()->data);
  args.bias = bias.defined() ? bias.impl()->data : nullptr;
  args.out = out.impl()->data;
  kernels::norm(x.device(), x.dtype(), args);
  internal::tape_with(op, out, {{x, true}, {weight, weight.defined()}, {bias}, {statistics, true}}, attribute);
  return out;
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& normalized, const LayerNormOptions& options) {
  static constexpr OpInfo op{"layer_norm", &derivative, &fused};
  return normalised(op, x, normalized, options, true);
}

Tensor rms_norm(const Tensor& x, const Shape& normalized, const RmsNormOptions& options) {
  static constexpr OpInfo op{"rms_norm", &derivative, &fused};
  return normalised(op, x, normalized, {.weight = options.weight, .eps = options.eps}, false);
}

}  // namespace tern
