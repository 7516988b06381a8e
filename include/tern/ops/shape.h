#pragma once

#include <span>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

TERN_API Tensor reshape(const Tensor& x, const Shape& shape);
TERN_API Tensor flatten(const Tensor& x, int first = 1, int last = -1);
/// Tensors side by side along an existing dimension, promoted to one type. Throws ShapeError unless the other sizes
/// agree, ValueError on an empty list.
TERN_API Tensor cat(const std::vector<Tensor>& tensors, int dim = 0);
/// Tensors of one shape side by side along a new dimension.
TERN_API Tensor stack(const std::vector<Tensor>& tensors, int dim = 0);
/// Rows `index` (i64, one dimension) of dimension `dim`. Throws IndexError on an index outside [0, size).
TERN_API Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// x with `source`'s rows added at `index` of dimension `dim`, in the order of the index. Throws IndexError,
/// ShapeError.
TERN_API Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// x with x.slice(dim, begin, end, step) replaced by `source`.
TERN_API Tensor slice_scatter(const Tensor& x, const Tensor& source, int dim, std::int64_t begin, std::int64_t end,
                              std::int64_t step = 1);

}  // namespace tern
