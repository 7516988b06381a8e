#include <cmath>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "functors/random.h"
#include "slots/random.h"
#include "tern/base/random.h"

// Philox by logical index, as on the CPU and with its bits: uniforms, integers, dropout masks, and normals, by the
// functor that the CPU compiles. While a step is recorded, `further` is added to the first word, so that a replay draws
// what the step itself would draw then.
namespace tern::kernels::cuda {
namespace {

struct Draw {
  std::uint64_t seed, stream, first;
  const std::uint64_t* further;
  /// The first draw's number, of draws of `words` words each.
  __device__ std::uint64_t start(std::uint64_t words) const {
    return further ? (first * words + *further) / words : first;
  }
  __device__ Philox philox() const { return Philox(seed, stream); }
};

// Words 0 … count - 1 from `first` on, four of a block to a thread: four(i, words) where a block begins with word i and
// `packs` allows four elements at once, else one(i, word).
template <class Four, class One>
__device__ __forceinline__ void each_word(const Philox& random, std::uint64_t first, std::int64_t count, bool packs,
                                          Four four, One one) {
  const std::int64_t skip = static_cast<std::int64_t>(first & 3), blocks = (count + skip + 3) / 4;
  each(blocks, [&](std::int64_t b) {
    const auto words = random.block((first >> 2) + static_cast<std::uint64_t>(b));
    if (packs && skip == 0 && 4 * b + 4 <= count) return four(4 * b, words);
#pragma unroll
    for (int w = 0; w < 4; ++w) {
      const std::int64_t i = 4 * b + w - skip;
      if (i >= 0 && i < count) one(i, words[static_cast<unsigned>(w)]);
    }
  });
}

__device__ float towards(float from, float to) { return ::nextafterf(from, to); }
__device__ double towards(double from, double to) { return ::nextafter(from, to); }
template <class T>
__device__ T towards(T from, T to) {
  return next_half(from, to);
}

template <class Out, class T>
__device__ Out within(double low, double high, T unit) {
  const Out value(static_cast<T>(low) + static_cast<T>(high - low) * unit), end(high);
  return static_cast<T>(value) < static_cast<T>(end) ? value : towards(end, Out(low));
}

template <class T>
__global__ void __launch_bounds__(kThreads) uniform_kernel(const RandomArgs args, const Draw draw, bool packs) {
  T* const out = static_cast<T*>(args.out);
  const Philox random = draw.philox();
  if constexpr (sizeof(T) == 8) {
    const std::uint64_t first = draw.start(2);
    each(args.numel, [&](std::int64_t i) {
      out[i] = within<double>(args.low, args.high, random.uniform(first + static_cast<std::uint64_t>(i)));
    });
  } else {
    const auto drawn = [&](std::uint32_t word) {
      return within<T>(args.low, args.high, static_cast<float>(word >> 8) * 0x1p-24f);
    };
    each_word(
        random, draw.start(1), args.numel, packs,
        [&](std::int64_t i, const auto& words) {
          *reinterpret_cast<Pack<T, 4>*>(out + i) = {drawn(words[0]), drawn(words[1]), drawn(words[2]),
                                                     drawn(words[3])};
        },
        [&](std::int64_t i, std::uint32_t word) { out[i] = drawn(word); });
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads) normal_kernel(const RandomArgs args, const Draw draw) {
  const Philox random = draw.philox();
  const std::uint64_t first = draw.start(4);
  each(args.numel, [&](std::int64_t i) {
    const std::uint64_t at = first + static_cast<std::uint64_t>(i);
    const double drawn = Normal::forward(random.uniform(2 * at), random.uniform(2 * at + 1));
    if constexpr (sizeof(T) == 8) {
      static_cast<T*>(args.out)[i] = drawn;
    } else {
      static_cast<T*>(args.out)[i] = static_cast<T>(static_cast<float>(drawn));
    }
  });
}

__global__ void __launch_bounds__(kThreads) integer_kernel(const RandomIntegerArgs args, const Draw draw) {
  const Philox random = draw.philox();
  const std::uint64_t first = draw.start(2), low = static_cast<std::uint64_t>(args.low);
  each(args.numel, [&](std::int64_t i) {
    const std::uint64_t bits = random.bits64(first + static_cast<std::uint64_t>(i));
    args.out[i] = static_cast<std::int64_t>(low + (args.span == 0 ? bits : __umul64hi(bits, args.span)));
  });
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    dropout_kernel(const DropoutArgs args, const Draw draw, T scale, std::int32_t least, bool packs) {
  const T* const x = static_cast<const T*>(args.x);
  T* const out = static_cast<T*>(args.out);
  const auto kept = [=](T value, std::uint32_t word) {
    return static_cast<std::int32_t>(word >> 8) >= least ? value * scale : T(0);
  };
  each_word(
      draw.philox(), draw.start(1), args.numel, packs,
      [&](std::int64_t i, const auto& words) {
        auto pack = *reinterpret_cast<const Pack<T, 4>*>(x + i);
#pragma unroll
        for (unsigned w = 0; w < 4; ++w) pack.at[w] = kept(pack.at[w], words[w]);
        *reinterpret_cast<Pack<T, 4>*>(out + i) = pack;
      },
      [&](std::int64_t i, std::uint32_t word) { out[i] = kept(x[i], word); });
}

// Whether four elements at once may be read and written.
template <class T>
bool in_fours(std::uintptr_t addresses) {
  return addresses % sizeof(Pack<T, 4>) == 0;
}

template <class Args>
Draw draw_of(const Args& args, const Context& on) {
  return {args.seed, args.stream, args.first, on.further};
}

template <class T>
void uniform(const RandomArgs& args) {
  if (args.numel == 0) return;
  const Context on = context();
  uniform_kernel<T><<<blocks_for(args.numel, 4), kThreads, 0, on.stream>>>(
      args, draw_of(args, on), in_fours<T>(reinterpret_cast<std::uintptr_t>(args.out)));
  check_launch();
}
template <class T>
void normal(const RandomArgs& args) {
  if (args.numel == 0) return;
  const Context on = context();
  normal_kernel<T><<<blocks_for(args.numel), kThreads, 0, on.stream>>>(args, draw_of(args, on));
  check_launch();
}
void integer(const RandomIntegerArgs& args) {
  if (args.numel == 0) return;
  const Context on = context();
  integer_kernel<<<blocks_for(args.numel), kThreads, 0, on.stream>>>(args, draw_of(args, on));
  check_launch();
}
template <class T>
void drop(const DropoutArgs& args) {
  if (args.numel == 0) return;
  const Context on = context();
  const T scale = args.p < 1 ? static_cast<T>(1 / (1 - args.p)) : T(0);
  const auto least = static_cast<std::int32_t>(std::ceil(args.p * 0x1p24));
  const bool packs = in_fours<T>(reinterpret_cast<std::uintptr_t>(args.x) | reinterpret_cast<std::uintptr_t>(args.out));
  dropout_kernel<T>
      <<<blocks_for(args.numel, 4), kThreads, 0, on.stream>>>(args, draw_of(args, on), scale, least, packs);
  check_launch();
}

}  // namespace

void register_random() {
  random_uniform.set(DeviceKind::cuda, f32, &uniform<float>);
  random_uniform.set(DeviceKind::cuda, f16, &uniform<Half>);
  random_uniform.set(DeviceKind::cuda, bf16, &uniform<BFloat16>);
  random_uniform.set(DeviceKind::cuda, f64, &uniform<double>);
  random_normal.set(DeviceKind::cuda, f32, &normal<float>);
  random_normal.set(DeviceKind::cuda, f16, &normal<Half>);
  random_normal.set(DeviceKind::cuda, bf16, &normal<BFloat16>);
  random_normal.set(DeviceKind::cuda, f64, &normal<double>);
  random_integer.set(DeviceKind::cuda, i64, &integer);
  dropout.set(DeviceKind::cuda, f32, &drop<float>);
  dropout.set(DeviceKind::cuda, f64, &drop<double>);
}

}  // namespace tern::kernels::cuda
