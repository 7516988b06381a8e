#pragma once

#include "loop.h"
#include "tensor/impl.h"

namespace tern::internal {

/// Sizes and strides of a loop over `operands`, of which the first is written and the others broadcast to it.
void strided_loop(kernels::Loop& loop, const TensorImpl* const* operands, int count);

/// Notes that operand k lies on another device than `out`.
TERN_COLD void place(kernels::Loop& loop, const TensorImpl* out, const TensorImpl* x, int k);

/// The loop over `out` and `inputs`, which broadcast to out's shape. Operands without gaps, and single elements, make
/// one dimension.
template <class... Inputs>
inline kernels::Loop make_loop(const TensorImpl* out, Inputs... inputs) {
  kernels::Loop loop;
  loop.numel = out->numel;
  loop.data[0] = out->data;
  loop.strides[0][0] = 1;
  bool flat = out->contiguous;
  [[maybe_unused]] int k = 0;
  [[maybe_unused]] const auto take = [&](const TensorImpl* x) {
    loop.data[++k] = x->data;
    if (!on_one_device(x, out)) [[unlikely]]
      place(loop, out, x, k);
    const bool whole = x->contiguous && x->numel == out->numel;
    loop.strides[k][0] = whole ? 1 : 0;
    flat = flat && (whole || x->numel == 1);
  };
  (take(inputs), ...);
  if (flat) [[likely]] {
    loop.dims = 1;
    loop.sizes[0] = loop.numel;
  } else {
    const TensorImpl* const operands[] = {out, inputs...};
    strided_loop(loop, operands, sizeof...(inputs) + 1);
  }
  return loop;
}
template <class... Inputs>
inline kernels::Loop make_loop(const Tensor& out, Inputs... inputs) {
  return make_loop(out.impl(), inputs->impl()...);
}

/// Copies elements, broadcasting and converting, from any device; no tape, no version.
void copy_elements(const Tensor& to, const Tensor& from);
/// The same on one device.
void convert_elements(const Tensor& to, const Tensor& from);

/// to += x, of one shape and type; no tape, no version.
void add_in_place(TensorImpl* to, const Tensor& x);

}  // namespace tern::internal
