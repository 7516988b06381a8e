#pragma once

#include <cstdint>

#include "cuda/launch.h"

// A row is worked on by a team: a warp, or a block of kThreads. What the members hold is combined in a tree of fixed
// shape, so that a row's result depends on the row alone.
namespace tern::kernels::cuda {

template <int kMembers>
struct Team {
  static_assert(kMembers == 32 || kMembers == kThreads);
  static constexpr int kTeams = kThreads / kMembers;  // to a block
  static constexpr int members = kMembers;

  static __device__ int member() { return threadIdx.x % kMembers; }
  static __device__ std::int64_t first_row() { return std::int64_t{blockIdx.x} * kTeams + threadIdx.x / kMembers; }
  static __device__ std::int64_t row_step() { return std::int64_t{gridDim.x} * kTeams; }

  /// merge(a, b) of the values of all members, which all receive.
  template <class V, class Merge>
  static __device__ V all(V value, Merge merge) {
#pragma unroll
    for (int step = 16; step > 0; step /= 2) value = merge(value, shuffle(value, step));
    if constexpr (kMembers > 32) {
      __shared__ V parts[kMembers / 32];
      __syncthreads();  // of a call before
      if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
      __syncthreads();
      value = parts[0];
#pragma unroll
      for (int w = 1; w < kMembers / 32; ++w) value = merge(value, parts[w]);
    }
    return value;
  }
  template <class V>
  static __device__ V sum(V value) {
    return all(value, [](V a, V b) { return a + b; });
  }

 private:
  // Butterfly: every member adds the same two numbers, so all hold the same bits.
  template <class V>
  static __device__ V shuffle(V value, int step) {
    if constexpr (sizeof(V) <= 8) {
      return __shfl_xor_sync(0xFFFFFFFF, value, step);
    } else {
      static_assert(sizeof(V) % 4 == 0);
      struct Words {
        int at[sizeof(V) / 4];
      };
      Words words = __builtin_bit_cast(Words, value);
#pragma unroll
      for (int& word : words.at) word = __shfl_xor_sync(0xFFFFFFFF, word, step);
      return __builtin_bit_cast(V, words);
    }
  }
};

}  // namespace tern::kernels::cuda
