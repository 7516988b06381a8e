#pragma once

#include <functional>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

/// A gradient that is 0 but in some rows of the first dimension: what embedding with .sparse leaves in its weight, so
/// that a large table need not be filled with zeros, nor walked through by the optimizer.
struct RowGradient {
  Tensor index;   ///< i64 [k], ascending, each row once
  Tensor values;  ///< [k, ...]
};

/// The gradient of a leaf that backward left as rows; undefined tensors when it has none, or has a dense one. Where
/// rows meet a dense gradient they become dense; grad() gives a dense copy of them, and clear_grad() drops them.
TERN_API RowGradient row_gradient(const Tensor& leaf);

/// What moves rows, given as contiguous vectors: any of the steps of ops/optimizer_step.h.
using RowStep = std::function<void(const Tensor& value, const Tensor& gradient, const std::vector<Tensor>& states)>;

/// The lazy step of a gradient of rows: takes those rows out of `value` and `states` (contiguous, [n, ...]), calls
/// `step` once and puts them back. Rows without a gradient do not move, and their states neither decay nor grow. Throws
/// ShapeError, DTypeError, IndexError, or StateError when value needs a gradient outside NoGrad.
TERN_API void step_rows(Tensor value, const RowGradient& gradient, const std::vector<Tensor>& states,
                        const RowStep& step);

}  // namespace tern
