#pragma once

#include "slots/index.h"
#include "tern/tensor/tensor.h"

namespace tern::internal {

/// A contiguous index of type i64, from one of i64 or i32, each in [0, size). Throws DTypeError, IndexError.
Tensor checked_index(const char* where, const Tensor& index, std::int64_t size);

/// x as [outer, shape[dim], inner], with `count` rows of it at `index`.
kernels::IndexArgs index_args(const Shape& shape, int dim, std::int64_t count, const Tensor& index);

/// x.select(d, i), whose errors name `where`.
Tensor select(const char* where, const Tensor& x, int d, std::int64_t i);

/// Throws DTypeError unless a tensor of this type holds numbers of the value's kind.
void check_kind(const char* where, DType dtype, Scalar value);

}  // namespace tern::internal
