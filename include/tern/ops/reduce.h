#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Over all dimensions when `dims` is empty. Each result has one order of summation, fixed by the number of its terms
// alone: term r goes to lane r % 8 of its chunk of 4,096, in f64 (i64 for integers); lanes, then chunks, are added in
// order.
TERN_API Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Of no terms: NaN.
TERN_API Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Largest element; NaN when there is one. Equal largest elements share the gradient. Throws ShapeError on no elements.
TERN_API Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
TERN_API Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Index (i64) of the first largest element along `dim`; a NaN counts as largest. Throws ShapeError on no elements.
TERN_API Tensor argmax(const Tensor& x, int dim, bool keepdim = false);
/// log of the sum of exponentials, without overflow. Throws ShapeError on no elements.
TERN_API Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Sums what broadcasting repeated, so that the result has `shape`. Throws ShapeError when x is no broadcast of it.
TERN_API Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace tern
