#pragma once

#include <cstdint>

// Inner loops that gain from wide vectors, compiled once a target and chosen at run time. What they compute does not
// depend on the target: every element has its own chain of operations, and a product is rounded before it is added.
namespace tern::kernels::cpu {

/// A tile of C, rows × columns: C += A · B, or C = A · B unless accumulating. Strides in elements; columns of B and C
/// are adjacent.
template <class T>
struct GemmTile {
  const T* a;
  std::int64_t a_row, a_column;
  const T* b;
  std::int64_t b_row;
  std::int64_t k;
  T* c;
  std::int64_t c_row;
  bool accumulate;
};

template <class T>
struct GemmMicro {
  int rows, columns;
  void (*full)(const GemmTile<T>&);     // `rows` rows
  void (*one_row)(const GemmTile<T>&);  // one row
};

struct VectorCode {
  const char* name;
  GemmMicro<float> gemm_f32;
  GemmMicro<double> gemm_f64;
  /// The words of blocks first … first + count - 1 of a Philox stream, four a block.
  void (*philox)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                 std::uint32_t* words);
};

extern const VectorCode baseline_code;
#ifdef __x86_64__
extern const VectorCode avx2_code, avx512_code;
#endif

/// The widest code that this processor runs, or, with `max_targets`, the widest among the first so many of the list
/// baseline, AVX2, AVX-512 that it runs.
const VectorCode& vector_code(int max_targets = 3);

}  // namespace tern::kernels::cpu
