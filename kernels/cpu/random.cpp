#include <algorithm>
#include <cmath>
#include <type_traits>

#include "cpu/families.h"
#include "cpu/vector/random.h"
#include "functors/random.h"
#include "slots/random.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kGrain = 8192;
constexpr std::int64_t kWords = 1024;  // drawn at a time

struct RandomStream {
  std::uint64_t seed, stream;
};

/// Calls `take(words, i, n)` for stretches of `count` words of a Philox stream from word `first` on: `n` of them from
/// `words` on, the first being number `i`.
template <class Take>
void for_words(const RandomStream& stream, std::uint64_t first, std::int64_t count, Take take) {
  static const RandomTable& code = chosen(random_tables);
  alignas(64) std::uint32_t words[kWords];
  auto skip = static_cast<std::int64_t>(first & 3);
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t n = std::min<std::int64_t>(count - i, kWords - skip);
    code.philox(stream.seed, stream.stream, (first + static_cast<std::uint64_t>(i)) >> 2, (skip + n + 3) / 4, words);
    take(words + skip, i, n);
    i += n;
    skip = 0;
  }
}

template <class T>
T within(double low, double high, float unit) {
  const T value(static_cast<float>(low) + static_cast<float>(high - low) * unit), end(high);
  // Rounding may reach the upper end, which is excluded.
  return static_cast<float>(value) < static_cast<float>(end) ? value : next_half(end, T(low));
}

float unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// f32 rounded to a half type.
template <class T>
void uniform_of_halves(const RandomArgs& args) {
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    T* out = static_cast<T*>(args.out) + begin;
    for_words({args.seed, args.stream}, args.first + static_cast<std::uint64_t>(begin), end - begin,
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                for (std::int64_t w = 0; w < n; ++w) out[i + w] = within<T>(args.low, args.high, unit(words[w]));
              });
  });
}

// Elements of `each` words: stretches hold whole elements, as the first word is a multiple of that.
template <class T, class Code>
void for_elements(const RandomArgs& args, std::int64_t each, std::int64_t grain, Code code) {
  parallel_for(args.numel, grain, [&](std::int64_t begin, std::int64_t end) {
    T* out = static_cast<T*>(args.out) + begin;
    for_words(
        {args.seed, args.stream}, (args.first + static_cast<std::uint64_t>(begin)) * static_cast<std::uint64_t>(each),
        (end - begin) * each,
        [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) { code(words, n / each, out + i / each); });
  });
}

template <class T>
void uniform_kernel(const RandomArgs& args) {
  const RandomTable& table = chosen(random_tables);
  const T low = static_cast<T>(args.low), end = static_cast<T>(args.high), last = std::nextafter(end, low);
  const T width = static_cast<T>(args.high - args.low);
  for_elements<T>(args, sizeof(T) / 4, kGrain, [&](const std::uint32_t* words, std::int64_t n, T* out) {
    if constexpr (sizeof(T) == 4) {
      table.uniform_f32(words, n, low, width, end, last, out);
    } else {
      table.uniform_f64(words, n, low, width, end, last, out);
    }
  });
}

template <class T>
void normal_kernel(const RandomArgs& args) {
  const RandomTable& table = chosen(random_tables);
  for_elements<T>(args, 4, kGrain / 4, [&](const std::uint32_t* words, std::int64_t n, T* out) {
    if constexpr (sizeof(T) == 8) {
      table.normal_f64(words, n, out);
    } else if constexpr (sizeof(T) == 4) {
      table.normal_f32(words, n, out);
    } else {
      float drawn[kWords / 4];
      table.normal_f32(words, n, drawn);
      for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(drawn[i]);
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
  const RandomTable& table = chosen(random_tables);
  const T scale = args.p < 1 ? static_cast<T>(1 / (1 - args.p)) : T(0);
  // unit(word) >= p, told by whole numbers: p * 2^24 is exact.
  const auto least = static_cast<std::int32_t>(std::ceil(args.p * 0x1p24));
  parallel_for(args.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    const T* x = static_cast<const T*>(args.x) + begin;
    T* out = static_cast<T*>(args.out) + begin;
    for_words({args.seed, args.stream}, args.first + static_cast<std::uint64_t>(begin), end - begin,
              [&](const std::uint32_t* words, std::int64_t i, std::int64_t n) {
                if constexpr (sizeof(T) == 4) {
                  table.dropout_f32(words, n, x + i, scale, least, out + i);
                } else {
                  table.dropout_f64(words, n, x + i, scale, least, out + i);
                }
              });
  });
}

}  // namespace

void register_random() {
  random_uniform.set(DeviceKind::cpu, f32, &uniform_kernel<float>);
  random_uniform.set(DeviceKind::cpu, f16, &uniform_of_halves<Half>);
  random_uniform.set(DeviceKind::cpu, bf16, &uniform_of_halves<BFloat16>);
  random_uniform.set(DeviceKind::cpu, f64, &uniform_kernel<double>);
  random_normal.set(DeviceKind::cpu, f32, &normal_kernel<float>);
  random_normal.set(DeviceKind::cpu, f16, &normal_kernel<Half>);
  random_normal.set(DeviceKind::cpu, bf16, &normal_kernel<BFloat16>);
  random_normal.set(DeviceKind::cpu, f64, &normal_kernel<double>);
  random_integer.set(DeviceKind::cpu, i64, &integer_kernel);
  dropout.set(DeviceKind::cpu, f32, &dropout_kernel<float>);
  dropout.set(DeviceKind::cpu, f64, &dropout_kernel<double>);
}

}  // namespace tern::kernels::cpu
