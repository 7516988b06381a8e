#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Over all dimensions when `dims` is empty. Each result has one order of summation, fixed by the number of its terms
// alone: term r goes to lane r % 16 of its chunk of 4,096, in f64; the lanes are added in a tree, neighbours first,
// then the chunks in order. Integers are added in i64.
TERN_API Tensor sum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Of no terms: NaN.
TERN_API Tensor mean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Largest element; NaN when there is one. Equal largest elements, or all that are NaN, share the gradient. Throws
/// ShapeError on no elements.
TERN_API Tensor max(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
TERN_API Tensor min(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Index (i64) of the first largest element along `dim`; a NaN counts as largest. Throws ShapeError on no elements.
TERN_API Tensor argmax(const Tensor& x, int dim, bool keepdim = false);
/// Index (i64) of the first smallest element along `dim`; a NaN counts as smallest. Throws ShapeError on no elements.
TERN_API Tensor argmin(const Tensor& x, int dim, bool keepdim = false);
/// The product, by halves: the first half of the terms times the second, again and again; integers and booleans give
/// i64, no terms 1. The gradient is exact where terms are 0.
TERN_API Tensor prod(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// True where an element other than 0 is found (a NaN is one); of no terms: false. Boolean, without a gradient.
TERN_API Tensor any(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// True where no element is 0; of no terms: true. Boolean, without a gradient.
TERN_API Tensor all(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Number (i64) of elements other than 0, without a gradient.
TERN_API Tensor count_nonzero(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Sum of what is not NaN.
TERN_API Tensor nansum(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Mean of what is not NaN; of no terms: NaN.
TERN_API Tensor nanmean(const Tensor& x, const Dims& dims = {}, bool keepdim = false);

struct VarianceOptions {
  double correction = 1;  ///< what is taken from the number of terms before dividing by it: 1 for a sample, 0 for all
  bool keepdim = false;
};
/// Mean square of the distance from the mean; when there are no more terms than the correction takes away, infinite, or
/// NaN of equal terms.
TERN_API Tensor var(const Tensor& x, const Dims& dims = {}, const VarianceOptions& options = {});
/// Square root of the variance; its derivative at 0 is 0. The variance is of x's type: in f32 it is 0 where x spreads
/// by less than 1e-22, and infinite beyond 1e19.
TERN_API Tensor std(const Tensor& x, const Dims& dims = {}, const VarianceOptions& options = {});

struct NormOptions {
  double p = 2;  ///< 0 counts the elements other than 0; ∞ and -∞ give the largest and the smallest size
  bool keepdim = false;
};
/// (Σ |x|^p)^(1/p); its derivative is 0 where x is 0 throughout. Throws ValueError on a NaN, and for infinite p
/// ShapeError on no elements.
TERN_API Tensor norm(const Tensor& x, const Dims& dims = {}, const NormOptions& options = {});

/// Sums of the elements up to each along `dim`, added in order in f64; integers and booleans give i64.
TERN_API Tensor cumsum(const Tensor& x, int dim);
/// Products of the elements up to each along `dim`; integers and booleans give i64. The gradient is exact where
/// elements are 0.
TERN_API Tensor cumprod(const Tensor& x, int dim);
/// log of the sum of exponentials, without overflow. Throws ShapeError on no elements.
TERN_API Tensor logsumexp(const Tensor& x, const Dims& dims = {}, bool keepdim = false);
/// Sums what broadcasting repeated, so that the result has `shape`. Throws ShapeError when x is no broadcast of it.
TERN_API Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace tern
