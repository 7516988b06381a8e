#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

/// What is made of the words of a Philox stream: n elements, of a word each, two for a double, four for a normal.
struct RandomTable {
  /// The words of blocks first … first + count - 1, four a block.
  void (*philox)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                 std::uint32_t* words);
  /// low + width · u, and `last` where rounding reaches `end`.
  void (*uniform_f32)(const std::uint32_t* words, std::int64_t n, float low, float width, float end, float last,
                      float* out);
  void (*uniform_f64)(const std::uint32_t* words, std::int64_t n, double low, double width, double end, double last,
                      double* out);
  /// Computed in f64.
  void (*normal_f32)(const std::uint32_t* words, std::int64_t n, float* out);
  void (*normal_f64)(const std::uint32_t* words, std::int64_t n, double* out);
  /// x · scale where the upper 24 bits of a word are at least `least`, else 0.
  void (*dropout_f32)(const std::uint32_t* words, std::int64_t n, const float* x, float scale, std::int32_t least,
                      float* out);
  void (*dropout_f64)(const std::uint32_t* words, std::int64_t n, const double* x, double scale, std::int32_t least,
                      double* out);
};
TERN_TARGET_TABLES(RandomTable, random)

}  // namespace tern::kernels::cpu
