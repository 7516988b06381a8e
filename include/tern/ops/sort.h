#pragma once

#include <cstdint>

#include "tern/tensor/tensor.h"

namespace tern {

// By size along a dimension: NaN counts as the largest, -0 as 0, and of equal elements the one with the lower index
// comes first, descending too. Indices are i64; values have a gradient.

/// Elements, and where they stood along the dimension.
struct Ordered {
  Tensor values, indices;
};

/// Each row of `dim` in order.
TERN_API Ordered sort(const Tensor& x, int dim = -1, bool descending = false);
/// The indices that sort gives, without a gradient.
TERN_API Tensor argsort(const Tensor& x, int dim = -1, bool descending = false);

struct TopkOptions {
  int dim = -1;
  bool largest = true;  ///< else the smallest
  bool sorted = true;   ///< else in order of their indices
};

/// The k largest elements of each row. Throws ValueError unless 0 ≤ k ≤ size.
TERN_API Ordered topk(const Tensor& x, std::int64_t k, const TopkOptions& options = {});
/// The k-th smallest element of each row, counted from 1. Throws ValueError unless 1 ≤ k ≤ size.
TERN_API Ordered kthvalue(const Tensor& x, std::int64_t k, int dim = -1, bool keepdim = false);
/// The middle element of each row in order, of two the lower; NaN when there is one. Throws ShapeError on no elements.
TERN_API Ordered median(const Tensor& x, int dim, bool keepdim = false);
/// That of all elements.
TERN_API Tensor median(const Tensor& x);

/// The distinct elements, without a gradient.
struct Distinct {
  Tensor values;   ///< ascending, each once; every NaN counts as distinct
  Tensor inverse;  ///< i64, of x's shape: which value each element is
  Tensor counts;   ///< i64: how often each value occurs
};
TERN_API Distinct unique(const Tensor& x);

}  // namespace tern
