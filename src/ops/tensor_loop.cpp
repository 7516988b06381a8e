#include "tensor_loop.h"

#include "slots.h"

namespace tern::internal {
namespace {

bool flat(const Tensor& out, std::initializer_list<const Tensor*> inputs) {
  if (!out.impl()->contiguous) return false;
  for (const Tensor* x : inputs) {
    if (!x->impl()->contiguous || !(x->impl()->shape == out.impl()->shape)) return false;
  }
  return true;
}

}  // namespace

kernels::Loop make_loop(const Tensor& out, std::initializer_list<const Tensor*> inputs) {
  kernels::Loop loop;
  const TensorImpl* target = out.impl();
  loop.numel = target->numel;
  loop.data[0] = target->data;
  int count = 1;
  for (const Tensor* x : inputs) loop.data[count++] = x->impl()->data;
  if (flat(out, inputs)) {
    loop.dims = 1;
    loop.sizes[0] = target->numel;
    for (int k = 0; k < count; ++k) loop.strides[k][0] = 1;
    return loop;
  }
  // Dimensions outer to inner, each merged into the one before where every operand allows.
  const int dims = target->shape.size();
  loop.dims = 0;
  for (int d = 0; d < dims; ++d) {
    const std::int64_t size = target->shape[d];
    if (size == 1) continue;
    std::int64_t stride[4];
    stride[0] = target->strides[d];
    int k = 1;
    for (const Tensor* x : inputs) {
      const TensorImpl* impl = x->impl();
      const int at = d - (dims - impl->shape.size());
      stride[k++] = at < 0 || impl->shape[at] == 1 ? 0 : impl->strides[at];
    }
    bool merge = loop.dims > 0;
    for (int o = 0; o < count && merge; ++o) merge = loop.strides[o][loop.dims - 1] == stride[o] * size;
    if (merge) {
      loop.sizes[loop.dims - 1] *= size;
      for (int o = 0; o < count; ++o) loop.strides[o][loop.dims - 1] = stride[o];
    } else {
      loop.sizes[loop.dims] = size;
      for (int o = 0; o < count; ++o) loop.strides[o][loop.dims] = stride[o];
      ++loop.dims;
    }
  }
  if (loop.dims == 0) {
    loop.dims = 1;
    loop.sizes[0] = target->numel;
    for (int o = 0; o < count; ++o) loop.strides[o][0] = 0;
    loop.strides[0][0] = 1;
  }
  return loop;
}

void copy_elements(const Tensor& to, const Tensor& from) {
  kernels::convert(to.impl()->device, to.impl()->dtype, make_loop(to, {&from}), from.impl()->dtype);
}

void add_in_place(TensorImpl* to, const Tensor& x) {
  const Tensor target(share(to));
  kernels::add_scaled(to->device, to->dtype, make_loop(target, {&target, &x}), 1.0);
}

}  // namespace tern::internal
