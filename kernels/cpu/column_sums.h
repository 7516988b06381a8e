#pragma once

#include <cstdint>

#include "tern/base/export.h"

namespace tern::kernels::cpu {

/// total[j] += Σ x over `rows` rows of `columns` adjacent numbers, on the calling thread, by the contract of
/// reduce.cpp.
TERN_API void add_column_sums(const float* x, std::int64_t rows, std::int64_t columns, double* total);

}  // namespace tern::kernels::cpu
