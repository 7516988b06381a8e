#pragma once

#include <cstdint>

#include "tern/base/export.h"

/// Decompositions of small dense matrices, row by row in double, by Eigen on the calling thread.
namespace tern::kernels {

/// Solves A X = B for a symmetric positive definite A [n, n], of which the lower triangle is read, and B [n, m], which
/// becomes X. False when A is not positive definite to working precision; B is then spoilt.
TERN_API bool cholesky_solve(const double* a, std::int64_t n, double* b, std::int64_t m);

/// Eigenvalues [n] of a symmetric A [n, n], ascending, and unit eigenvectors, each a row of `vectors` [n, n].
TERN_API void symmetric_eigen(const double* a, std::int64_t n, double* values, double* vectors);

/// The k greatest eigenvalues, descending, and their unit eigenvectors [k, n].
TERN_API void greatest_eigen(const double* a, std::int64_t n, std::int64_t k, double* values, double* vectors);

}  // namespace tern::kernels
