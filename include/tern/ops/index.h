#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

// An `index` is of type i64 or i32; one outside [0, size) throws IndexError naming the op, the index and its position.
// Where an index repeats, values are added or written in the order of the index, at any number of threads.

// Whole rows of dimension `dim`; `index` has one dimension.
/// Rows `index` of dimension `dim`.
TERN_API Tensor index_select(const Tensor& x, int dim, const Tensor& index);
/// x with `source`'s rows added at `index` of dimension `dim`. Throws IndexError, ShapeError, DTypeError.
TERN_API Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// x with rows `index` of dimension `dim` replaced by `source`'s; of several at one index the last counts, and alone
/// has a gradient. Throws IndexError, ShapeError, DTypeError.
TERN_API Tensor index_copy(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
/// x with rows `index` of dimension `dim` set to `value`. Throws DTypeError when x's type cannot hold its kind.
TERN_API Tensor index_fill(const Tensor& x, int dim, const Tensor& index, Scalar value);

// Element by element along `dim`: `index` has x's dimensions, and is no larger than x in the others.
/// out[i][j][k] = x[i][index[i][j][k]][k] for dim 1. Throws ShapeError, IndexError.
TERN_API Tensor gather(const Tensor& x, int dim, const Tensor& index);
/// gather, where x and `index` broadcast in the other dimensions (NumPy's take_along_axis).
TERN_API Tensor take_along_dim(const Tensor& x, const Tensor& index, int dim);
/// x with x[i][index[i][j][k]][k] = source[i][j][k] for dim 1; of several at one place the last counts, and alone has a
/// gradient. `source` is at least as large as `index`. Throws ShapeError, DTypeError, IndexError.
TERN_API Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source);
TERN_API Tensor scatter(const Tensor& x, int dim, const Tensor& index, Scalar value);
/// The same, added.
TERN_API Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source);

// By masks: boolean, broadcast to x.
/// x with `value` where the mask holds. Throws DTypeError when x's type cannot hold its kind.
TERN_API Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
/// The same with a tensor of no dimensions.
TERN_API Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);
/// The elements where the mask holds, [count], in order.
TERN_API Tensor masked_select(const Tensor& x, const Tensor& mask);
/// x with the elements where the mask holds replaced by the first ones of `source`, in order. Throws ShapeError when it
/// has too few.
TERN_API Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);

/// x with x[indices] replaced by `values`, broadcast and of x's type, or with them added to it (`accumulate`); of
/// several at one place the last counts. Throws IndexError, ShapeError, DTypeError.
TERN_API Tensor index_put(const Tensor& x, std::initializer_list<Index> indices, const Tensor& values,
                          bool accumulate = false);

// Without a gradient.
/// Indices (i64 [count, dimensions]) of the elements that are not 0, in order.
TERN_API Tensor nonzero(const Tensor& x);
/// The same, a vector for each dimension, as x[{…}] takes them.
TERN_API std::vector<Tensor> where(const Tensor& condition);
/// 1 (i64) at the class, [..., classes]; -1: one more than the largest class. Throws IndexError.
TERN_API Tensor one_hot(const Tensor& index, std::int64_t classes = -1);
/// How often each of 0, 1, … occurs in the vector x, at least `min_length` long. Throws IndexError below 0.
TERN_API Tensor bincount(const Tensor& x, std::int64_t min_length = 0);
/// The sums of `weights` ([size of x]) at each of 0, 1, …, differentiable.
TERN_API Tensor bincount(const Tensor& x, const Tensor& weights, std::int64_t min_length = 0);
/// Where each value would be put into the ascending row of `sorted` ([n], or [..., n] beside values [..., m]): before
/// equal ones, or after them (`right`); i64. NaN counts as largest. Throws ShapeError, DTypeError.
TERN_API Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right = false);

}  // namespace tern
