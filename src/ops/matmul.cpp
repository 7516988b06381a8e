#include "tern/ops/matmul.h"

#include "autograd/backward.h"
#include "slots.h"
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
}

// A · B with either as it lies or transposed.
kernels::GemmArgs product(const TensorImpl* a, bool ta, const TensorImpl* b, bool tb, void* c) {
  kernels::GemmArgs args;
  args.m = a->shape[ta];
  args.k = a->shape[!ta];
  args.n = b->shape[!tb];
  args.a = a->data;
  args.a_row = a->strides[ta];
  args.a_column = a->strides[!ta];
  args.b = b->data;
  args.b_row = b->strides[tb];
  args.b_column = b->strides[!tb];
  args.c = c;
  args.c_row = args.n;
  return args;
}

void product_into(const Sink& sink, const TensorImpl* a, bool ta, const TensorImpl* b, bool tb) {
  kernels::GemmArgs args = product(a, ta, b, tb, sink.data);
  args.accumulate = sink.accumulate;
  kernels::gemm(a->device, a->dtype, args);
}

void matmul_fused(Backward& run, const Node& node, const Tensor& g, Tensor*) {
  if (node.wants(0)) {
    const Tensor b = node.saved(1);
    product_into(run.sink(node, 0, {g.size(0), b.size(0)}, g.dtype()), g.impl(), false, b.impl(), true);
  }
  if (node.wants(1)) {
    const Tensor a = node.saved(0);
    product_into(run.sink(node, 1, {a.size(1), g.size(1)}, g.dtype()), a.impl(), true, g.impl(), false);
  }
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  static constexpr OpInfo op{"matmul",
                             [](const Node& node, const Tensor& g, Tensor* out) {
                               if (node.wants(0)) out[0] = matmul(g, node.saved(1).t());
                               if (node.wants(1)) out[1] = matmul(node.saved(0).t(), g);
                             },
                             &matmul_fused};
  const auto *ia = checked(a), *ib = checked(b);
  if (ia->shape.size() != 2 || ib->shape.size() != 2 || ia->shape[1] != ib->shape[0]) {
    throw_shape("matmul", "[M, K] and [K, N]", to_string(ia->shape) + " and " + to_string(ib->shape));
  }
  check_types("matmul", ia, ib);
  Tensor out = internal::new_tensor({ia->shape[0], ib->shape[1]}, ia->dtype);
  kernels::gemm(ia->device, ia->dtype, product(ia, false, ib, false, out.impl()->data));
  internal::tape(op, out, {{a, ib->requires_grad}, {b, ia->requires_grad}});
  return out;
}

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
    const Tensor y = node.saved_output();
    z = internal::new_tensor(g.impl()->shape, g.impl()->dtype);
    const auto& kernel = activation == Activation::relu   ? kernels::unary_relu_gradient
                         : activation == Activation::tanh ? kernels::unary_tanh_gradient
                                                          : kernels::unary_sigmoid_gradient;
    kernel(g.impl()->device, g.impl()->dtype, internal::make_loop(z, {&g, &y}));
  }
  if (node.wants(1)) {
    const Tensor x = node.saved(0);
    product_into(run.sink(node, 1, {z.impl()->shape[1], x.impl()->shape[1]}, z.impl()->dtype), z.impl(), true, x.impl(),
                 false);
  }
  if (node.wants(0)) {
    const Tensor weight = node.saved(1);
    product_into(run.sink(node, 0, {z.impl()->shape[0], weight.impl()->shape[1]}, z.impl()->dtype), z.impl(), false,
                 weight.impl(), false);
  }
  if (node.wants(2)) out[2] = sum(z, {0});
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Activation activation) {
  static constexpr OpInfo op{"linear", &linear_derivative, &linear_fused};
  const auto *ix = checked(x), *iw = checked(weight);
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
  Tensor out = internal::new_tensor({ix->shape[0], iw->shape[0]}, ix->dtype);
  kernels::GemmArgs args = product(ix, false, iw, true, out.impl()->data);
  args.bias = ib ? row.impl()->data : nullptr;
  args.activation = activation;
  kernels::gemm(ix->device, ix->dtype, args);
  internal::tape_with(op, out, {{x, iw->requires_grad}, {weight, ix->requires_grad}, {row}},
                      LinearAttribute{activation}, activation != Activation::none);
  return out;
}

}  // namespace tern
