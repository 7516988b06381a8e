#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Of boolean type, without a gradient, broadcasting and promoting (tensor/dtype.h). Comparisons with NaN are false,
// save ne.
TERN_API Tensor eq(const Tensor& a, const Tensor& b);
TERN_API Tensor eq(const Tensor& a, Scalar b);
TERN_API Tensor eq(Scalar a, const Tensor& b);
TERN_API Tensor ne(const Tensor& a, const Tensor& b);
TERN_API Tensor ne(const Tensor& a, Scalar b);
TERN_API Tensor ne(Scalar a, const Tensor& b);
TERN_API Tensor lt(const Tensor& a, const Tensor& b);
TERN_API Tensor lt(const Tensor& a, Scalar b);
TERN_API Tensor lt(Scalar a, const Tensor& b);
TERN_API Tensor le(const Tensor& a, const Tensor& b);
TERN_API Tensor le(const Tensor& a, Scalar b);
TERN_API Tensor le(Scalar a, const Tensor& b);
TERN_API Tensor gt(const Tensor& a, const Tensor& b);
TERN_API Tensor gt(const Tensor& a, Scalar b);
TERN_API Tensor gt(Scalar a, const Tensor& b);
TERN_API Tensor ge(const Tensor& a, const Tensor& b);
TERN_API Tensor ge(const Tensor& a, Scalar b);
TERN_API Tensor ge(Scalar a, const Tensor& b);

// Of any type; elements other than 0 are true, NaN too. logical_not stands in ops/unary.h, and is operator!.
TERN_API Tensor logical_and(const Tensor& a, const Tensor& b);
TERN_API Tensor logical_and(const Tensor& a, Scalar b);
TERN_API Tensor logical_and(Scalar a, const Tensor& b);
TERN_API Tensor logical_or(const Tensor& a, const Tensor& b);
TERN_API Tensor logical_or(const Tensor& a, Scalar b);
TERN_API Tensor logical_or(Scalar a, const Tensor& b);
TERN_API Tensor logical_xor(const Tensor& a, const Tensor& b);
TERN_API Tensor logical_xor(const Tensor& a, Scalar b);
TERN_API Tensor logical_xor(Scalar a, const Tensor& b);

// Bit by bit, of integers or booleans, with the promoted type and without a gradient; operators &, |, ^ and ~. Throw
// DTypeError on floating types.
TERN_API Tensor bitwise_and(const Tensor& a, const Tensor& b);
TERN_API Tensor bitwise_and(const Tensor& a, Scalar b);
TERN_API Tensor bitwise_and(Scalar a, const Tensor& b);
TERN_API Tensor bitwise_or(const Tensor& a, const Tensor& b);
TERN_API Tensor bitwise_or(const Tensor& a, Scalar b);
TERN_API Tensor bitwise_or(Scalar a, const Tensor& b);
TERN_API Tensor bitwise_xor(const Tensor& a, const Tensor& b);
TERN_API Tensor bitwise_xor(const Tensor& a, Scalar b);
TERN_API Tensor bitwise_xor(Scalar a, const Tensor& b);
TERN_API Tensor bitwise_not(const Tensor& a);
/// a · 2^b, of integers; 0 when b is negative or not below the number of bits.
TERN_API Tensor bitwise_left_shift(const Tensor& a, const Tensor& b);
TERN_API Tensor bitwise_left_shift(const Tensor& a, Scalar b);
TERN_API Tensor bitwise_left_shift(Scalar a, const Tensor& b);
/// a / 2^b rounded down, of integers; 0 or -1 when b is negative or not below the number of bits.
TERN_API Tensor bitwise_right_shift(const Tensor& a, const Tensor& b);
TERN_API Tensor bitwise_right_shift(const Tensor& a, Scalar b);
TERN_API Tensor bitwise_right_shift(Scalar a, const Tensor& b);

struct IsCloseOptions {
  double rtol = 1e-5;      ///< share of |b|
  double atol = 1e-8;      ///< added to it
  bool equal_nan = false;  ///< whether NaN is close to NaN
};
/// |a - b| <= atol + rtol |b|, or equal infinities; integers are compared in f64. Throws ValueError on a negative
/// tolerance.
TERN_API Tensor isclose(const Tensor& a, const Tensor& b, const IsCloseOptions& options = {});
TERN_API Tensor isclose(const Tensor& a, Scalar b, const IsCloseOptions& options = {});
TERN_API Tensor isclose(Scalar a, const Tensor& b, const IsCloseOptions& options = {});
/// True when isclose holds everywhere.
TERN_API bool allclose(const Tensor& a, const Tensor& b, const IsCloseOptions& options = {});
/// True when a and b have one shape and, after promotion, equal elements.
TERN_API bool equal(const Tensor& a, const Tensor& b);

}  // namespace tern
