#pragma once

#include "tern/ops/rows.h"

namespace tern::internal {

/// Adds rows to the gradient of a leaf: `values[i]` to row `index[i]`, repeated ones in order.
void add_rows(TensorImpl* leaf, const Tensor& index, const Tensor& values);

}  // namespace tern::internal
