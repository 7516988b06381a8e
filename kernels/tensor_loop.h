#pragma once

#include <initializer_list>

#include "loop.h"
#include "tensor/impl.h"

namespace tern::internal {

/// The loop over `out` and `inputs`, which broadcast to out's shape.
kernels::Loop make_loop(const Tensor& out, std::initializer_list<const Tensor*> inputs);

/// Copies elements, broadcasting and converting; no tape, no version.
void copy_elements(const Tensor& to, const Tensor& from);

/// to += x, of one shape and type; no tape, no version.
void add_in_place(TensorImpl* to, const Tensor& x);

}  // namespace tern::internal
