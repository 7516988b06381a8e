#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

inline constexpr std::int64_t kFactorStep = 8;

/// Inner loops of factor models: rows of `width` finite floats.
struct FactorsTable {
  float (*dot)(const float* a, const float* b, std::int64_t width);
  /// out = G x + Σ weights[k] (y·x) y over the n rows y of `others` that `which` names; G [width, width] is symmetric.
  void (*apply)(const float* gram, const float* others, const std::int32_t* which, const float* weights, std::int64_t n,
                const float* x, float* out, std::int64_t width);
  /// A step of conjugate gradients (Hestenes and Stiefel, 1952) along p, whose image is `ap`, from x, whose residual r
  /// has the square `rest`: moves x, r and p, and returns the square of the new residual.
  float (*conjugate_step)(float rest, const float* ap, float* x, float* r, float* p, std::int64_t width);
  /// out += weights[k] y over the same rows.
  void (*add)(const float* others, const std::int32_t* which, const float* weights, std::int64_t n, float* out,
              std::int64_t width);
  /// The lower triangle of a [width, width] += y yᵀ over the rows y [n, width], one after another.
  void (*gram)(const float* rows, std::int64_t n, float* a, std::int64_t width);
  /// The upper triangle of a [width, width] = Σ y yᵀ over the rows y [n, width], each element one chain; width is a
  /// multiple of kFactorStep. What is below the diagonal is anything.
  void (*gram_f64)(const double* rows, std::int64_t n, double* a, std::int64_t width);
  /// Solves A x = b by Cholesky's factors, for rows [n, width] of the upper triangle of A and column n, b, which are
  /// overwritten; width is a multiple of kFactorStep above n, and 0 stands in the columns behind n. False when A is
  /// not positive definite to working precision.
  bool (*solve_f64)(double* a, std::int64_t n, std::int64_t width, double* x);
};
TERN_TARGET_TABLES(FactorsTable, factors)

}  // namespace tern::kernels::cpu
