#pragma once

#include "tern/tensor/tensor.h"

namespace tern::internal {

/// The sum of products of the elements of two floating tensors of one shape, type and device, f64 [] on that device, in
/// one pass and in an order that their number alone decides. Not taped.
TERN_API Tensor dot(const Tensor& a, const Tensor& b);

}  // namespace tern::internal
