#pragma once

#include "tensor/impl.h"

namespace tern::internal {

/// A tensor over memory that is not Tern's; `strides` may be null. Throws ShapeError or ValueError naming `where`, and
/// then `foreign.release` is not called.
Tensor new_foreign(const char* where, void* data, const Shape& shape, const std::int64_t* strides, DType dtype,
                   const Foreign& foreign);

}  // namespace tern::internal
