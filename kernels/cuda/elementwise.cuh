#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>
#include <utility>

#include "cuda/context.h"
#include "cuda/launch.h"
#include "tern/tensor/dtype.h"

// Elementwise loops on a GPU. Contract: every element is computed alone, by the functor that the CPU compiles, with
// each operation rounded (-fmad=false), so the elements of functors over Tern's own exp, log, tanh and erf have the
// CPU's bits; where the functor calls the C library, CUDA's functions stand in its place, within the row's tolerance.
// f16 and bf16 are computed in f32 and rounded once.
namespace tern::kernels::cuda {

/// What an element is computed in, and how it is read and written.
template <class T>
struct Element {
  using Lane = T;
  static __device__ Lane load(T x) { return x; }
  static __device__ T store(Lane x) { return x; }
};
template <>
struct Element<Half> {
  using Lane = float;
  static __device__ float load(Half x) { return __half2float(__ushort_as_half(x.bits)); }
  static __device__ Half store(float x) { return Half::from_bits(__half_as_ushort(__float2half_rn(x))); }
};
template <>
struct Element<BFloat16> {
  using Lane = float;
  static __device__ float load(BFloat16 x) { return __uint_as_float(static_cast<unsigned>(x.bits) << 16); }
  static __device__ BFloat16 store(float x) {
    return BFloat16::from_bits(__bfloat16_as_ushort(__float2bfloat16_rn(x)));
  }
};
template <class T>
using LaneOf = typename Element<T>::Lane;

/// Elements of operand k.
template <class T>
__device__ __forceinline__ const T* operand(const LoopParameters& p, int k) {
  return static_cast<const T*>(p.data[k] ? p.data[k] : static_cast<const void*>(p.value[k]));
}

/// n elements of an operand of stride 1 or 0.
template <int N, class T>
__device__ __forceinline__ Pack<T, N> load_pack(const T* x, std::int64_t i, bool repeats) {
  if (!repeats) return *reinterpret_cast<const Pack<T, N>*>(x + i);
  Pack<T, N> pack;
  const T value = *x;
#pragma unroll
  for (int j = 0; j < N; ++j) pack.at[j] = value;
  return pack;
}

template <class Unsigned, int Operands>
__device__ __forceinline__ void offsets_of(const LoopParameters& p, std::int64_t i, std::int64_t* offsets) {
  auto rest = static_cast<Unsigned>(i);
  for (int k = 0; k < Operands; ++k) offsets[k] = 0;
  for (int d = p.dims - 1; d > 0; --d) {
    const auto size = static_cast<Unsigned>(p.sizes[d]);
    const Unsigned next = rest / size, at = rest - next * size;
    for (int k = 0; k < Operands; ++k) offsets[k] += static_cast<std::int64_t>(at) * p.strides[k][d];
    rest = next;
  }
  for (int k = 0; k < Operands; ++k) offsets[k] += static_cast<std::int64_t>(rest) * p.strides[k][0];
}

template <class F, class Out, class... In, std::size_t... K>
__device__ __forceinline__ void map_all(const LoopParameters& p, const F& f, std::index_sequence<K...>) {
  constexpr int kOperands = 1 + sizeof...(In), kItems = kPack<Out, In...>;
  Out* const out = static_cast<Out*>(p.data[0]);
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  std::int64_t from = first;
  if (p.vectors) {
    const std::int64_t packs = p.numel / kItems;
    for (std::int64_t i = first; i < packs; i += threads) {
      const auto apply = [&](const auto&... pack) {
        Pack<Out, kItems> result;
#pragma unroll
        for (int j = 0; j < kItems; ++j) {
          result.at[j] = Element<Out>::store(static_cast<LaneOf<Out>>(f(Element<In>::load(pack.at[j])...)));
        }
        *reinterpret_cast<Pack<Out, kItems>*>(out + i * kItems) = result;
      };
      apply(load_pack<kItems>(operand<In>(p, K + 1), i * kItems, p.strides[K + 1][0] == 0)...);
    }
    from += packs * kItems;
  }
  for (std::int64_t i = from; i < p.numel; i += threads) {
    std::int64_t offsets[kOperands];
    offsets_of<std::uint32_t, kOperands>(p, i, offsets);
    out[offsets[0]] =
        Element<Out>::store(static_cast<LaneOf<Out>>(f(Element<In>::load(operand<In>(p, K + 1)[offsets[K + 1]])...)));
  }
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads) map_kernel(const __grid_constant__ LoopParameters p, const F f) {
  map_all<F, Out, In...>(p, f, std::index_sequence_for<In...>());
}

/// Launches a kernel of LoopParameters and `functor` for a loop: the host's half of map, one for all of them. Operands
/// have `bytes` an element, and a thread takes what fills kPackBytes of the widest.
void launch_map(const void* kernel, const Loop& loop, int operands, const std::size_t* bytes, const void* functor);

/// out = f(in…) of the elements of a loop.
template <class Out, class... In, class F>
void map(const Loop& loop, const F& f) {
  static constexpr std::size_t bytes[] = {sizeof(Out), sizeof(In)...};
  launch_map(reinterpret_cast<const void*>(&map_kernel<F, Out, In...>), loop, 1 + sizeof...(In), bytes, &f);
}

}  // namespace tern::kernels::cuda
