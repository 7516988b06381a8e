#pragma once

#include <initializer_list>

#include "loop.h"
#include "tensor/impl.h"

namespace tern::internal {

/// Sizes and strides of a loop over `operands`, of which the first is written and the others broadcast to it.
void strided_loop(kernels::Loop& loop, const TensorImpl* const* operands, int count);

/// Notes that operand k lies on another device than `out`.
TERN_COLD void place(kernels::Loop& loop, const TensorImpl* out, const TensorImpl* x, int k);

/// The loop over `out` and `inputs`, which broadcast to out's shape. Operands without gaps, and single elements, make
/// one dimension.
inline kernels::Loop make_loop(const TensorImpl* out, std::initializer_list<const TensorImpl*> inputs) {
  kernels::Loop loop;
  const TensorImpl* operands[4] = {out};
  loop.numel = out->numel;
  loop.data[0] = out->data;
  loop.strides[0][0] = 1;
  bool flat = out->contiguous;
  int count = 1;
  for (const TensorImpl* x : inputs) {
    operands[count] = x;
    loop.data[count] = x->data;
    if (x->device != out->device) [[unlikely]]
      place(loop, out, x, count);
    const bool whole = x->contiguous && x->numel == out->numel;
    loop.strides[count][0] = whole ? 1 : 0;
    flat = flat && (whole || x->numel == 1);
    ++count;
  }
  if (flat) [[likely]] {
    loop.dims = 1;
    loop.sizes[0] = loop.numel;
  } else {
    strided_loop(loop, operands, count);
  }
  return loop;
}
inline kernels::Loop make_loop(const Tensor& out, std::initializer_list<const Tensor*> inputs) {
  const Tensor* const* x = inputs.begin();
  switch (inputs.size()) {
    case 0:
      return make_loop(out.impl(), {});
    case 1:
      return make_loop(out.impl(), {x[0]->impl()});
    case 2:
      return make_loop(out.impl(), {x[0]->impl(), x[1]->impl()});
    default:
      return make_loop(out.impl(), {x[0]->impl(), x[1]->impl(), x[2]->impl()});
  }
}

/// Copies elements, broadcasting and converting, from any device; no tape, no version.
void copy_elements(const Tensor& to, const Tensor& from);
/// The same on one device.
void convert_elements(const Tensor& to, const Tensor& from);

/// to += x, of one shape and type; no tape, no version.
void add_in_place(TensorImpl* to, const Tensor& x);

}  // namespace tern::internal
