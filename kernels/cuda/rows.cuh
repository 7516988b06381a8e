#pragma once

#include <cstdint>

#include "cuda/team.cuh"

// Rows of contiguous elements, read once in packs of 16 bytes. A row that fits stays in shared memory; a longer one is
// read again, from the second-level cache where that holds it.
namespace tern::kernels::cuda {

/// Calls f(column, value) of a row for the member's share of it, in packs where row and length allow.
template <class Group, class T, class F>
__device__ __forceinline__ void each_column(const T* row, std::int64_t columns, bool packs, F f) {
  constexpr int kItems = 16 / sizeof(T);
  if (packs) {
    for (std::int64_t c = Group::member(); c < columns / kItems; c += Group::members) {
      const auto pack = *reinterpret_cast<const Pack<T, kItems>*>(row + c * kItems);
#pragma unroll
      for (int j = 0; j < kItems; ++j) f(c * kItems + j, pack.at[j]);
    }
  } else {
    for (std::int64_t c = Group::member(); c < columns; c += Group::members) f(c, row[c]);
  }
}

/// out[c] = f(c, row[c]).
template <class Group, class T, class F>
__device__ __forceinline__ void map_row(T* out, const T* row, std::int64_t columns, bool packs, F f) {
  constexpr int kItems = 16 / sizeof(T);
  if (packs) {
    for (std::int64_t c = Group::member(); c < columns / kItems; c += Group::members) {
      auto pack = *reinterpret_cast<const Pack<T, kItems>*>(row + c * kItems);
#pragma unroll
      for (int j = 0; j < kItems; ++j) pack.at[j] = f(c * kItems + j, pack.at[j]);
      *reinterpret_cast<Pack<T, kItems>*>(out + c * kItems) = pack;
    }
  } else {
    for (std::int64_t c = Group::member(); c < columns; c += Group::members) out[c] = f(c, row[c]);
  }
}

extern __shared__ __align__(16) unsigned char shared_rows[];

/// The team's part of shared memory, of `rows` rows; null when they do not fit.
template <class Group, class T>
__device__ T* kept_rows(std::int64_t columns, int rows, bool fits) {
  if (!fits) return nullptr;
  const std::int64_t bytes = row_bytes<T>(columns) * rows;
  return reinterpret_cast<T*>(shared_rows + (threadIdx.x / Group::members) * bytes);
}

/// Bytes of shared memory for `rows` rows of every team, or 0 when they do not fit.
template <class T>
std::size_t shared_bytes(std::int64_t columns, int rows) {
  const int teams = columns <= kWarpRow ? kThreads / 32 : 1;
  const std::int64_t bytes = row_bytes<T>(columns) * rows * teams;
  return bytes <= kSharedBytes ? static_cast<std::size_t>(bytes) : 0;
}

/// Whether rows of these may be read and written in packs.
template <class T, class... P>
bool in_packs(std::int64_t columns, const P*... pointers) {
  const bool aligned = ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
  return aligned && columns * static_cast<std::int64_t>(sizeof(T)) % 16 == 0;
}

}  // namespace tern::kernels::cuda
