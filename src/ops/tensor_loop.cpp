#include "tensor_loop.h"

#include "slots/copy.h"
#include "slots/elementwise.h"

namespace tern::internal {

void place(kernels::Loop& loop, const TensorImpl* out, const TensorImpl* x, int k) {
  if (is_number(x)) {
    loop.on_host = static_cast<std::uint8_t>(loop.on_host | 1 << k);
  } else {
    loop.mixed = true;
    loop.devices[0] = out->device;
    loop.devices[1] = x->device;
  }
}

void strided_loop(kernels::Loop& loop, const TensorImpl* const* operands, int count) {
  const TensorImpl* target = operands[0];
  // Dimensions outer to inner as the result lies in memory, each merged into the one before where every operand allows.
  const int dims = target->shape.size();
  int order[kMaxDims];
  for (int d = 0; d < dims; ++d) {
    int at = d;
    for (; at > 0 && !target->contiguous && target->strides[order[at - 1]] < target->strides[d]; --at) {
      order[at] = order[at - 1];
    }
    order[at] = d;
  }
  loop.dims = 0;
  for (int i = 0; i < dims; ++i) {
    const int d = order[i];
    const std::int64_t size = target->shape[d];
    if (size == 1) continue;
    std::int64_t stride[4];
    stride[0] = target->strides[d];
    for (int k = 1; k < count; ++k) {
      const TensorImpl* impl = operands[k];
      const int at = d - (dims - impl->shape.size());
      stride[k] = at < 0 || impl->shape[at] == 1 ? 0 : impl->strides[at];
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
}

void convert_elements(const Tensor& to, const Tensor& from) {
  kernels::convert(to.impl()->device, to.impl()->dtype, make_loop(to, &from), from.impl()->dtype);
}

void add_in_place(TensorImpl* to, const Tensor& x) {
  kernels::add_scaled(to->device, to->dtype, make_loop(to, to, x.impl()), 1.0);
}

}  // namespace tern::internal
