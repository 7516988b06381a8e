#include "tern/ops/matmul.h"

#include <atomic>

#include "autograd/backward.h"
#include "slots/elementwise.h"
#include "slots/gemm.h"
#include "tensor/device_runtime.h"
#include "tensor_loop.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::Backward;
using internal::checked;
using internal::Node;
using internal::OpInfo;
using internal::Sink;
using internal::TensorImpl;
using internal::throw_shape;

void check_types(const char* where, const TensorImpl* a, const TensorImpl* b) {
  if (a->dtype != b->dtype || !is_floating(a->dtype)) {
    internal::throw_dtype(where, "equal floating types",
                          std::string(name(a->dtype)) + " and " + std::string(name(b->dtype)));
  }
  if (a->device != b->device) {
    internal::throw_devices(where, to_string(a->device) + " and " + to_string(b->device));
  }
}

std::atomic<MatmulPrecision> precision{MatmulPrecision::highest};

void multiply(const TensorImpl* a, const kernels::GemmArgs& args) {
  if (a->dtype == f32 && precision.load(std::memory_order_relaxed) == MatmulPrecision::medium) [[unlikely]] {
    if (kernels::gemm_bf16.has(a->device, f32)) return kernels::gemm_bf16(a->device, f32, args);
  }
  kernels::gemm(a->device, a->dtype, args);
}

// Batch dimensions of an operand, by those of the result; a dimension that repeats has stride 0.
void lay_batch(const TensorImpl* x, const kernels::GemmArgs& args, std::int64_t* strides) {
  const int skipped = args.batch_dims - (x->shape.size() - 2);
  for (int d = 0; d < args.batch_dims; ++d) {
    strides[d] = d < skipped || x->shape[d - skipped] == 1 ? 0 : x->strides[d - skipped];
  }
}

// A · B with either as it lies or transposed; `out` is the shape of the result.
kernels::GemmArgs product(const TensorImpl* a, bool ta, const TensorImpl* b, bool tb, const Shape& out, void* c) {
  const int last = out.size() - 1, a_row = a->shape.size() - 2, b_row = b->shape.size() - 2;
  kernels::GemmArgs args;
  args.m = out[last - 1];
  args.n = out[last];
  args.k = a->shape[a_row + !ta];
  args.a = a->data;
  args.a_row = a->strides[a_row + ta];
  args.a_column = a->strides[a_row + !ta];
  args.b = b->data;
  args.b_row = b->strides[b_row + tb];
  args.b_column = b->strides[b_row + !tb];
  args.c = c;
  args.c_row = args.n;
  if (last > 1) {
    args.batch_dims = last - 1;
    for (int d = 0; d < args.batch_dims; ++d) args.batch_sizes[d] = out[d];
    lay_batch(a, args, args.a_batch);
    lay_batch(b, args, args.b_batch);
    args.c_batch = args.m * args.n;
  }
  return args;
}

void product_into(const Sink& sink, const Shape& shape, const TensorImpl* a, bool ta, const TensorImpl* b, bool tb) {
  kernels::GemmArgs args = product(a, ta, b, tb, shape, sink.data());
  args.accumulate = sink.accumulate;
  multiply(a, args);
}

bool same_batch(const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return false;
  for (int d = 0; d < a.size() - 2; ++d) {
    if (a[d] != b[d]) return false;
  }
  return true;
}

// The gradient of one operand; the batch dimensions along which it was repeated are summed.
Tensor left_gradient(const Tensor& g, const Tensor& b, const Shape& a) {
  return sum_to(matmul(g, b.transpose(-2, -1)), a);
}
Tensor right_gradient(const Tensor& g, const Tensor& a, const Shape& b) {
  return sum_to(matmul(a.transpose(-2, -1), g), b);
}

struct MatmulAttributes {
  Shape a, b;
};

void matmul_derivative(const Node& node, const Tensor& g, Tensor* out) {
  const auto& shapes = node.attributes<MatmulAttributes>();
  if (node.wants(0)) out[0] = left_gradient(g, node.saved(1), shapes.a);
  if (node.wants(1)) out[1] = right_gradient(g, node.saved(0), shapes.b);
}

void matmul_fused(Backward& run, const Node& node, const Tensor& g, Tensor* out) {
  const auto& [a_shape, b_shape] = node.attributes<MatmulAttributes>();
  if (node.wants(0)) {
    const Tensor b = node.saved(1);
    if (same_batch(a_shape, g.impl()->shape)) {
      product_into(run.sink(node, 0, a_shape, g.impl()), a_shape, g.impl(), false, b.impl(), true);
    } else {
      out[0] = left_gradient(g, b, a_shape);
    }
  }
  if (node.wants(1)) {
    const Tensor a = node.saved(0);
    if (same_batch(b_shape, g.impl()->shape)) {
      product_into(run.sink(node, 1, b_shape, g.impl()), b_shape, a.impl(), true, g.impl(), false);
    } else {
      out[1] = right_gradient(g, a, b_shape);
    }
  }
}

// The shape of the result of matrices with batch dimensions.
Shape product_shape(const Shape& a, const Shape& b) {
  const std::size_t a_batch = static_cast<std::size_t>(a.size() - 2), b_batch = static_cast<std::size_t>(b.size() - 2);
  Shape shape;
  if (a_batch + b_batch > 0) {
    shape = broadcast_shapes("matmul", Shape(a.begin(), a_batch), Shape(b.begin(), b_batch));
  }
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b[b.size() - 1]);
  return shape;
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  static constexpr OpInfo op{"matmul", &matmul_derivative, &matmul_fused};
  const auto *ia = checked(a, "matmul"), *ib = checked(b, "matmul");
  const int a_dims = ia->shape.size(), b_dims = ib->shape.size();
  if (a_dims == 0 || b_dims == 0 || ia->shape[a_dims - 1] != ib->shape[b_dims > 1 ? b_dims - 2 : 0]) {
    throw_shape("matmul", "[..., M, K] and [..., K, N]", to_string(ia->shape) + " and " + to_string(ib->shape));
  }
  check_types("matmul", ia, ib);
  if (a_dims == 1) return matmul(a.unsqueeze(0), b).squeeze(b_dims == 1 ? 0 : -2);
  if (b_dims == 1) return matmul(a, b.unsqueeze(1)).squeeze(-1);
  const Shape shape = product_shape(ia->shape, ib->shape);
  if (a_dims > 2 && b_dims == 2 && ia->contiguous) {
    // One tall product, whose gradient needs no sum over the batch.
    std::int64_t rows = 1;
    for (int d = 0; d < a_dims - 1; ++d) rows *= shape[d];
    return matmul(a.reshape({rows, ia->shape[a_dims - 1]}), b).reshape(shape);
  }
  Tensor out = internal::new_tensor(shape, ia->dtype, ia->device, "matmul");
  multiply(ia, product(ia, false, ib, false, shape, out.impl()->data));
  internal::tape_with(op, out, {{a, ib->requires_grad}, {b, ia->requires_grad}},
                      MatmulAttributes{ia->shape, ib->shape});
  return out;
}

void set_float32_matmul_precision(MatmulPrecision value) { precision.store(value, std::memory_order_relaxed); }
MatmulPrecision float32_matmul_precision() { return precision.load(std::memory_order_relaxed); }

namespace {

struct LinearAttribute {
  Activation activation;
};

// The gradient before the activation, from the gradient after it and the result.
Tensor before_activation(Activation activation, const Tensor& g, const Tensor& y) {
  switch (activation) {
    case Activation::relu:
      return where(y > 0, g, 0);
    case Activation::tanh:
      return g * (1 - y * y);
    case Activation::sigmoid:
      return g * y * (1 - y);
    case Activation::none:
      break;
  }
  return g;
}

void linear_derivative(const Node& node, const Tensor& g, Tensor* out) {
  const Activation activation = node.attributes<LinearAttribute>().activation;
  const Tensor z = activation == Activation::none ? g : before_activation(activation, g, node.saved_output());
  if (node.wants(0)) out[0] = matmul(z, node.saved(1));
  if (node.wants(1)) out[1] = matmul(z.t(), node.saved(0));
  if (node.wants(2)) out[2] = sum(z, {0});
}

void linear_fused(Backward& run, const Node& node, const Tensor& g, Tensor* out) {
  const Activation activation = node.attributes<LinearAttribute>().activation;
  Tensor z = g;
  if (activation != Activation::none) {
    const TensorImpl* ig = g.impl();
    z = internal::new_tensor(ig->shape, ig->numel, ig->dtype, ig->device);
    const auto& kernel = activation == Activation::relu   ? kernels::unary_relu_gradient
                         : activation == Activation::tanh ? kernels::unary_tanh_gradient
                                                          : kernels::unary_sigmoid_gradient;
    kernel(ig->device, ig->dtype, internal::make_loop(z.impl(), ig, node.borrow_output()));
  }
  if (node.wants(1)) {
    const TensorImpl* x = node.borrow(0);
    const Shape shape{z.impl()->shape[1], x->shape[1]};
    product_into(run.sink(node, 1, shape, z.impl()), shape, z.impl(), true, x, false);
  }
  if (node.wants(0)) {
    const TensorImpl* weight = node.borrow(1);
    const Shape shape{z.impl()->shape[0], weight->shape[1]};
    product_into(run.sink(node, 0, shape, z.impl()), shape, z.impl(), false, weight, false);
  }
  if (node.wants(2)) out[2] = sum(z, {0});
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  static constexpr OpInfo op{"linear", &linear_derivative, &linear_fused};
  const auto *ix = checked(x, "linear"), *iw = checked(weight, "linear");
  const auto* ib = bias.impl();
  if (ix->shape.empty() || iw->shape.size() != 2 || ix->shape.back() != iw->shape[1] ||
      (ib && (ib->shape.size() != 1 || ib->shape[0] != iw->shape[0]))) {
    throw_shape("linear", "input [..., in], weight [out, in] and bias [out]",
                to_string(ix->shape) + ", " + to_string(iw->shape) + (ib ? " and " + to_string(ib->shape) : ""));
  }
  check_types("linear", ix, iw);
  if (ib) check_types("linear", ix, ib);
  if (ix->shape.size() != 2) {
    Shape shape = ix->shape;
    std::int64_t rows = 1;
    for (int d = 0; d < shape.size() - 1; ++d) rows *= shape[d];
    shape[shape.size() - 1] = iw->shape[0];
    return linear(x.reshape({rows, ix->shape.back()}), weight, bias, activation).reshape(shape);
  }
  const Tensor row = ib && !ib->contiguous ? bias.contiguous() : bias;
  Tensor out = internal::new_tensor({ix->shape[0], iw->shape[0]}, ix->dtype, ix->device, "linear");
  kernels::GemmArgs args = product(ix, false, iw, true, out.impl()->shape, out.impl()->data);
  args.bias = ib ? row.impl()->data : nullptr;
  args.activation = activation;
  multiply(ix, args);
  internal::tape_with(op, out, {{x, iw->requires_grad}, {weight, ix->requires_grad}, {row}},
                      LinearAttribute{activation}, activation != Activation::none);
  return out;
}

}  // namespace tern
