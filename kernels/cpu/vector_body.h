// The body of vector_code.h for vectors of kBytes bytes. Included by a file a target, which may be compiled with flags
// of its own: nothing here, nor in those files, instantiates a template or inline function of another header, for its
// code would be merged with that of other files and trap on older processors.
#include <cstdint>

#include "cpu/vector_code.h"

namespace tern::kernels::cpu {
namespace {

template <class T, int Rows, int Vectors>
void micro(const GemmTile<T>& tile) {
  typedef T Vector __attribute__((vector_size(kBytes)));
  typedef T Unaligned __attribute__((vector_size(kBytes), aligned(sizeof(T)), may_alias));
  constexpr int kLanes = kBytes / static_cast<int>(sizeof(T));
  Vector sum[Rows][Vectors];
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < Vectors; ++v) {
      sum[i][v] =
          tile.accumulate ? *reinterpret_cast<const Unaligned*>(tile.c + i * tile.c_row + v * kLanes) : Vector{};
    }
  }
  const T* a = tile.a;
  const T* b = tile.b;
  const std::int64_t a_row = tile.a_row;
  for (std::int64_t k = 0; k < tile.k; ++k, a += tile.a_column, b += tile.b_row) {
    Vector right[Vectors];
    for (int v = 0; v < Vectors; ++v) right[v] = *reinterpret_cast<const Unaligned*>(b + v * kLanes);
    for (int i = 0; i < Rows; ++i) {
      const T left = a[i * a_row];
      for (int v = 0; v < Vectors; ++v) sum[i][v] += left * right[v];
    }
  }
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < Vectors; ++v) *reinterpret_cast<Unaligned*>(tile.c + i * tile.c_row + v * kLanes) = sum[i][v];
  }
}

template <class T>
constexpr GemmMicro<T> gemm_micro() {
  return {kRows, kVectors * kBytes / static_cast<int>(sizeof(T)), &micro<T, kRows, kVectors>, &micro<T, 1, kVectors>};
}

// Salmon et al. (SC 2011), as Philox::block, sixteen blocks side by side.
inline void philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                   std::uint32_t* words) {
  constexpr int kSide = 16;
  constexpr std::uint32_t kFirst = 0xD2511F53u, kSecond = 0xCD9E8D57u;
  for (std::int64_t block = 0; block < count; block += kSide) {
    std::uint32_t c0[kSide], c1[kSide], c2[kSide], c3[kSide];
    for (int i = 0; i < kSide; ++i) {
      const std::uint64_t counter = first + static_cast<std::uint64_t>(block + i);
      c0[i] = static_cast<std::uint32_t>(counter);
      c1[i] = static_cast<std::uint32_t>(counter >> 32);
      c2[i] = static_cast<std::uint32_t>(stream);
      c3[i] = static_cast<std::uint32_t>(stream >> 32);
    }
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < kSide; ++i) {
        const std::uint64_t p0 = std::uint64_t{kFirst} * c0[i], p1 = std::uint64_t{kSecond} * c2[i];
        c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
        c1[i] = static_cast<std::uint32_t>(p1);
        c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
        c3[i] = static_cast<std::uint32_t>(p0);
      }
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const int side = count - block < kSide ? static_cast<int>(count - block) : kSide;
    std::uint32_t* out = words + 4 * block;
    for (int i = 0; i < side; ++i) {
      out[4 * i] = c0[i];
      out[4 * i + 1] = c1[i];
      out[4 * i + 2] = c2[i];
      out[4 * i + 3] = c3[i];
    }
  }
}

}  // namespace
}  // namespace tern::kernels::cpu
