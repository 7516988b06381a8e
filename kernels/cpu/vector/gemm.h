#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/target.h"

namespace tern {
struct BFloat16;
}

namespace tern::kernels::cpu {

/// C [m, n] = relu?(A [m, k] · B [k, n] + bias?), or C += A · B. Strides in elements; C's columns are adjacent.
template <class In, class Out = In>
struct GemmBlock {
  std::int64_t m, n, k;
  const In* a = nullptr;
  std::int64_t a_row = 0, a_column = 0;
  const In* b = nullptr;  // or what `pack` made of all of B, when `packed`
  std::int64_t b_row = 0, b_column = 0;
  Out* c = nullptr;
  std::int64_t c_row = 0;
  const Out* bias = nullptr;  // [n] or null
  bool accumulate = false, relu = false, packed = false;
  const In* a_packed = nullptr;  // what `pack_a` made of all of A, or null
};

template <class T>
struct GemmCode {
  /// Columns that are packed side by side: parts of a packed B begin at multiples of it.
  int columns;
  void (*block)(const GemmBlock<T>&);
  /// B of `block`, k rows and n columns, in the order in which it is read, for any number of calls; `to` has room for
  /// k · n' elements, n' being n rounded up to `columns`, aligned to 64 bytes.
  void (*pack)(const GemmBlock<T>& block, T* to);
  /// The share `part` of `parts` of A, likewise; `to` has room for m · k elements.
  void (*pack_a)(const GemmBlock<T>& block, std::int64_t part, std::int64_t parts, T* to);
};

/// Whether an A of contiguous rows is used often enough, by n columns, to pack it all the same: because its rows lie
/// whole pages apart, all of them in one set of the nearest cache, or because A does not stay in the caches.
template <class T>
bool rows_pay_for_packing(std::int64_t row, std::int64_t m, std::int64_t n, std::int64_t k) {
  const bool collide = row != 0 && row * static_cast<std::int64_t>(sizeof(T)) % 4096 == 0;
  return m >= 64 && ((collide && n >= 512) || (m * k > (std::int64_t{1} << 21) && n >= 2048));
}

struct GemmTable {
  GemmCode<float> f32;
  GemmCode<double> f64;
};
TERN_TARGET_TABLES(GemmTable, gemm)

/// Products in bf16 with sums in f32, by the processor's dot product of pairs, of f32 (rounded to bf16) or bf16
/// elements. An element of C is one chain over the pairs (2i, 2i + 1) of k in order. The instruction takes subnormal
/// numbers as 0.
struct GemmBf16Table {
  void (*f32)(const GemmBlock<float>&);
  void (*bf16)(const GemmBlock<BFloat16, float>&);
};
#ifdef __x86_64__
namespace avx512_bf16 {
extern const GemmBf16Table gemm_bf16;
}
#endif

/// Memory for packing, aligned to 64 bytes, by functions that are no inline ones. Throws MemoryError.
void* take_scratch(std::size_t bytes, std::uint32_t& size_class);
void give_scratch(void* memory, std::uint32_t size_class);

}  // namespace tern::kernels::cpu
