#pragma once

#include "tern/tensor/tensor.h"

namespace tern {

// Element by element, broadcasting (NumPy's rule) and promoting (tensor/dtype.h). Throw ShapeError when shapes do not
// broadcast.
TERN_API Tensor add(const Tensor& a, const Tensor& b);
TERN_API Tensor sub(const Tensor& a, const Tensor& b);
TERN_API Tensor mul(const Tensor& a, const Tensor& b);
/// True division: integers give f32.
TERN_API Tensor div(const Tensor& a, const Tensor& b);
/// a to the power b, floating: integers give f32. The derivative with respect to b is 0 where a is 0 and b ≥ 0.
TERN_API Tensor pow(const Tensor& a, const Tensor& b);
TERN_API Tensor pow(const Tensor& a, Scalar b);
TERN_API Tensor pow(Scalar a, const Tensor& b);
/// The larger; NaN when either is. Equal elements share the gradient by halves.
TERN_API Tensor maximum(const Tensor& a, const Tensor& b);
TERN_API Tensor maximum(const Tensor& a, Scalar b);
TERN_API Tensor minimum(const Tensor& a, const Tensor& b);
TERN_API Tensor minimum(const Tensor& a, Scalar b);

// Comparisons, of boolean type and without a gradient; those with NaN are false, save ne.
TERN_API Tensor eq(const Tensor& a, const Tensor& b);
TERN_API Tensor ne(const Tensor& a, const Tensor& b);
TERN_API Tensor lt(const Tensor& a, const Tensor& b);
TERN_API Tensor le(const Tensor& a, const Tensor& b);
TERN_API Tensor gt(const Tensor& a, const Tensor& b);
TERN_API Tensor ge(const Tensor& a, const Tensor& b);

/// a where `condition` (boolean) holds, else b; broadcasting all three.
TERN_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
TERN_API Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
TERN_API Tensor where(const Tensor& condition, Scalar a, const Tensor& b);

/// x held within [low, high]; the gradient passes inside, bounds included. Throws ValueError when low > high.
TERN_API Tensor clamp(const Tensor& x, Scalar low, Scalar high);

}  // namespace tern
