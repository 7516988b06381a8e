#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>

#include "cpu/families.h"
#include "cpu/vector/random.h"
#include "slots.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 8192;

struct RandomStream {
  std::uint64_t seed, stream;
};

/// Calls `take(words, i, n)` for stretches of `count` words of a Philox stream from word `first` on: `n` of them from
/// `words` on, the first being number `i`.
template <class Take>
void for_words(const RandomStream& stream, std::uint64_t first, std::int64_t count, Take take) {
  static const RandomTable& code = chosen(random_tables);
  constexpr std::int64_t kBlocks = 256;
  alignas(64) std::uint32_t words[4 * kBlocks];
  auto skip = static_cast<std::int64_t>(first & 3);
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t n = std::min<std::int64_t>(count - i, 4 * kBlocks - skip);
    code.philox(stream.seed, stream.stream, (first + static_cast<std::uint64_t>(i)) >> 2, (skip + n + 3) / 4, words);
    take(words + skip, i, n);
    i += n;
    skip = 0;
  }
}

template <class T>
T towards(T from, T to) {
  if constexpr (sizeof(T) > 2) {
    return std::nextafter(from, to);
  } else {
    const bool down = static_cast<float>(to) < static_cast<float>(from), negative = from.bits >> 15 != 0;
    if (from == to) return from;
    if ((from.bits & 0x7FFF) == 0) return T::from_bits(down ? 0x8001 : 1);
    return T::from_bits(static_cast<std::uint16_t>(down == negative ? from.bits + 1 : from.bits - 1));
  }
}

template <class Out, class T>
Out within(double low, double high, T unit) {
  const Out value(static_cast<T>(low) + static_cast<T>(high - low) * unit), end(high);
  // Rounding may reach the upper end, which is excluded.
  return static_cast<T>(value) < static_cast<T>(end) ? value : towards(end, Out(low));
}

float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// f32, or f32 rounded to a half type.
template <class T>
void uniform_kernel(const RandomArgs& args) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    T* out = static_cast<T*>(args.out) + begin;
    for_words({args.seed, args.stream}, args.first + static_cast<std::uint64_t>(begin), end - begin,
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                for (std::int64_t w = 0; w < n; ++w) out[i + w] = within<T>(args.low, args.high, unit(words[w]));
              });
  });
}

void uniform_f64(const RandomArgs& args) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    double* out = static_cast<double*>(args.out) + begin;
    // Pairs of words start at even ones, and stretches hold whole pairs.
    for_words({args.seed, args.stream}, 2 * (args.first + static_cast<std::uint64_t>(begin)), 2 * (end - begin),
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                for (std::int64_t w = 0; w < n; w += 2) {
                  const std::uint64_t bits = words[w] | std::uint64_t{words[w + 1]} << 32;
                  out[(i + w) / 2] = within<double>(args.low, args.high, static_cast<double>(bits >> 11) * 0x1p-53);
                }
              });
  });
}

template <class T>
void normal_kernel(const RandomArgs& args) {
  const Philox random(args.seed, args.stream);
  parallel_for(args.numel, kGrain / 4, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      static_cast<T*>(args.out)[i] = static_cast<T>(normal(random, args.first + static_cast<std::uint64_t>(i)));
    }
  });
}

void integer_kernel(const RandomIntegerArgs& args) {
  parallel_for(args.numel, kGrain / 2, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t* out = args.out + begin;
    const auto low = static_cast<std::uint64_t>(args.low);
    for_words({args.seed, args.stream}, 2 * (args.first + static_cast<std::uint64_t>(begin)), 2 * (end - begin),
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                for (std::int64_t w = 0; w < n; w += 2) {
                  const std::uint64_t bits = words[w] | std::uint64_t{words[w + 1]} << 32;
                  const auto high = static_cast<std::uint64_t>(static_cast<unsigned __int128>(bits) * args.span >> 64);
                  out[(i + w) / 2] = static_cast<std::int64_t>(low + (args.span == 0 ? bits : high));
                }
              });
  });
}

template <class T>
void dropout_kernel(const DropoutArgs& args) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  const T scale = args.p < 1 ? static_cast<T>(1 / (1 - args.p)) : T(0);
  // unit(word) >= p, told by whole numbers: p * 2^24 is exact.
  const auto least = static_cast<std::int32_t>(std::ceil(args.p * 0x1p24));
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const T* x = static_cast<const T*>(args.x) + begin;
    T* out = static_cast<T*>(args.out) + begin;
    for_words({args.seed, args.stream}, args.first + static_cast<std::uint64_t>(begin), end - begin,
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                for (std::int64_t w = 0; w < n; ++w) {
                  // Without a branch, which would be mispredicted at every third element.
                  const auto keep = static_cast<Bits>(static_cast<std::int32_t>(words[w] >> 8) >= least);
                  out[i + w] = std::bit_cast<T>(std::bit_cast<Bits>(x[i + w] * scale) & (Bits{0} - keep));
                }
              });
  });
}

}  // namespace

void register_random() {
  random_uniform.set(DeviceKind::cpu, f32, &uniform_kernel<float>);
  random_uniform.set(DeviceKind::cpu, f16, &uniform_kernel<Half>);
  random_uniform.set(DeviceKind::cpu, bf16, &uniform_kernel<BFloat16>);
  random_uniform.set(DeviceKind::cpu, f64, &uniform_f64);
  random_normal.set(DeviceKind::cpu, f32, &normal_kernel<float>);
  random_normal.set(DeviceKind::cpu, f16, &normal_kernel<Half>);
  random_normal.set(DeviceKind::cpu, bf16, &normal_kernel<BFloat16>);
  random_normal.set(DeviceKind::cpu, f64, &normal_kernel<double>);
  random_integer.set(DeviceKind::cpu, i64, &integer_kernel);
  dropout.set(DeviceKind::cpu, f32, &dropout_kernel<float>);
  dropout.set(DeviceKind::cpu, f64, &dropout_kernel<double>);
}

}  // namespace tern::kernels::cpu
