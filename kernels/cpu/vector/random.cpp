#include "cpu/vector/random.h"

#include "cpu/vector/lane.h"
#include "functors/random.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

using Long = LaneTypes<double>::Unsigned;
constexpr int kLongs = Lane<double>::kLanes;
constexpr std::uint64_t kLow = 0xFFFFFFFF;

// Of the lower halves.
TERN_INLINE Long product(Long a, std::uint64_t b) {
  const Long all = b + Long{};
#if defined(__AVX512F__)
  return reinterpret_cast<Long>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(all)));
#elif defined(__AVX2__)
  return reinterpret_cast<Long>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(all)));
#elif defined(__SSE2__)
  return reinterpret_cast<Long>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(all)));
#else
  return (a & kLow) * all;
#endif
}

// Salmon et al. (SC 2011), as Philox::block: kLongs blocks in a vector, the four words of each in the lower halves of
// lanes, and several vectors side by side.
template <int Vectors>
TERN_INLINE void blocks(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::uint32_t* words) {
  Long c0[Vectors], c1[Vectors], c2[Vectors], c3[Vectors];
  TERN_UNROLL
  for (int v = 0; v < Vectors; ++v) {
    Long counter{};
    for (int i = 0; i < kLongs; ++i) counter[i] = static_cast<std::uint64_t>(i);
    counter += first + static_cast<std::uint64_t>(v * kLongs);
    c0[v] = counter;
    c1[v] = counter >> 32;
    c2[v] = stream + Long{};
    c3[v] = (stream >> 32) + Long{};
  }
  std::uint64_t k0 = seed, k1 = seed >> 32;
  for (int round = 0; round < 10; ++round) {
    TERN_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      const Long p0 = product(c0[v], 0xD2511F53u), p1 = product(c2[v], 0xCD9E8D57u);
      c0[v] = (p1 >> 32) ^ c1[v] ^ k0;
      c1[v] = p1;
      c2[v] = (p0 >> 32) ^ c3[v] ^ k1;
      c3[v] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  auto* out = reinterpret_cast<double*>(words);
  TERN_UNROLL
  for (int v = 0; v < Vectors; ++v) {
    const auto a = Lane<double>::from_bits((c0[v] & kLow) | c1[v] << 32);
    const auto b = Lane<double>::from_bits((c2[v] & kLow) | c3[v] << 32);
    interleave_low(a, b).store(out + 2 * v * kLongs);
    interleave_high(a, b).store(out + (2 * v + 1) * kLongs);
  }
}

void philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count, std::uint32_t* words) {
  constexpr int kSide = TERN_VECTOR_BYTES == 64 ? 4 : 2;
  std::int64_t block = 0;
  for (; block + kSide * kLongs <= count; block += kSide * kLongs) {
    blocks<kSide>(seed, stream, first + static_cast<std::uint64_t>(block), words + 4 * block);
  }
  for (; block + kLongs <= count; block += kLongs) {
    blocks<1>(seed, stream, first + static_cast<std::uint64_t>(block), words + 4 * block);
  }
  if (block == count) return;
  std::uint32_t rest[4 * kLongs];
  blocks<1>(seed, stream, first + static_cast<std::uint64_t>(block), rest);
  __builtin_memcpy(words + 4 * block, rest, static_cast<std::size_t>(count - block) * 4 * sizeof *words);
}

// A vector of words, or the first n and zeros.
template <class Vector>
TERN_INLINE Vector load_words(const std::uint32_t* p) {
  Vector words;
  __builtin_memcpy(&words, p, sizeof words);
  return words;
}
template <class Vector>
TERN_INLINE Vector load_words(const std::uint32_t* p, int n) {
  Vector words{};
  __builtin_memcpy(&words, p, static_cast<std::size_t>(n) * sizeof *p);
  return words;
}

// Numbers in [0, 1): of the upper 24 bits of words, and of the upper 53 of pairs.
TERN_INLINE Lane<float> unit(LaneTypes<float>::Unsigned words) {
  const auto whole = reinterpret_cast<LaneTypes<float>::Bits>(words >> 8);
  return Lane<float>(__builtin_convertvector(whole, Lane<float>::Vector)) * Lane<float>(0x1p-24f);
}
TERN_INLINE Lane<double> unit(Long pairs) {
#if defined(__AVX512DQ__)
  const auto whole = reinterpret_cast<__m512i>(pairs >> 11);
  return Lane<double>(static_cast<Lane<double>::Vector>(_mm512_maskz_cvtepu64_pd(0xFF, whole))) * Lane<double>(0x1p-53);
#else
  // Each half below the point of a power of two, so that the sum is exact.
  const Long high = pairs >> 43 | 0x4530000000000000, low = (pairs >> 11 & kLow) | 0x4330000000000000;
  const Lane<double> above = Lane<double>::from_bits(high) - Lane<double>(0x1p84 + 0x1p52);
  return (above + Lane<double>::from_bits(low)) * Lane<double>(0x1p-53);
#endif
}

// As elements of the result.
TERN_INLINE void store(Lane<double> x, double* to) { x.store(to); }
TERN_INLINE void store(Lane<double> x, float* to) {
#if defined(__AVX512F__)
  _mm256_storeu_ps(to, _mm512_maskz_cvtpd_ps(0xFF, static_cast<__m512d>(x.vector)));
#elif defined(__AVX2__)
  _mm_storeu_ps(to, _mm256_cvtpd_ps(static_cast<__m256d>(x.vector)));
#else
  for (int l = 0; l < kLongs; ++l) to[l] = static_cast<float>(x.vector[l]);
#endif
}

// Calls body(i) for each whole vector of n elements, and body(i, rest) for what is left.
template <class T, class Body>
TERN_INLINE void each_vector(std::int64_t n, Body body) {
  std::int64_t i = 0;
  for (; i + Lane<T>::kLanes <= n; i += Lane<T>::kLanes) body(i);
  if (i < n) body(i, static_cast<int>(n - i));
}

template <class T>
TERN_INLINE Lane<T> within(Lane<T> unit, T low, T width, T end, T last) {
  const Lane<T> value = Lane<T>(low) + Lane<T>(width) * unit;
  return select(value < Lane<T>(end), value, Lane<T>(last));
}

void uniform_f32(const std::uint32_t* words, std::int64_t n, float low, float width, float end, float last,
                 float* out) {
  each_vector<float>(n, [=](std::int64_t i, auto... rest) {
    const auto drawn = load_words<LaneTypes<float>::Unsigned>(words + i, rest...);
    within(unit(drawn), low, width, end, last).store(out + i, rest...);
  });
}
void uniform_f64(const std::uint32_t* words, std::int64_t n, double low, double width, double end, double last,
                 double* out) {
  each_vector<double>(n, [=](std::int64_t i, auto... rest) {
    within(unit(load_words<Long>(words + 2 * i, 2 * rest...)), low, width, end, last).store(out + i, rest...);
  });
}

// Of four words each.
TERN_INLINE Lane<double> normal(const std::uint32_t* words) {
  const auto* pairs = reinterpret_cast<const double*>(words);
  const Lane<double> a = Lane<double>::load(pairs), b = Lane<double>::load(pairs + kLongs);
  return Normal::forward(unit(even(a, b).bits()), unit(odd(a, b).bits()));
}
template <class T>
TERN_INLINE void normals(const std::uint32_t* words, std::int64_t n, T* out) {
  each_vector<double>(n, [=](std::int64_t i, auto... rest) {
    if constexpr (sizeof...(rest) == 0) {
      store(normal(words + 4 * i), out + i);
    } else {
      const int count = (0 + ... + rest);
      std::uint32_t four[4 * kLongs] = {};
      __builtin_memcpy(four, words + 4 * i, static_cast<std::size_t>(count) * 4 * sizeof *words);
      T drawn[kLongs];
      store(normal(four), drawn);
      for (int l = 0; l < count; ++l) out[i + l] = drawn[l];
    }
  });
}
void normal_f32(const std::uint32_t* words, std::int64_t n, float* out) { normals(words, n, out); }
void normal_f64(const std::uint32_t* words, std::int64_t n, double* out) { normals(words, n, out); }

// All bits of a lane that is kept.
template <class T>
struct Keep;
template <>
struct Keep<float> {
  using Words = LaneTypes<float>::Unsigned;
  static TERN_INLINE LaneMask<float> of(Words words, std::int32_t least) {
    return {reinterpret_cast<LaneTypes<float>::Bits>(words >> 8) >= least};
  }
};
template <>
struct Keep<double> {
  typedef std::uint32_t Words __attribute__((vector_size(TERN_VECTOR_BYTES / 2)));
  static TERN_INLINE LaneMask<double> of(Words words, std::int32_t least) {
    return {__builtin_convertvector(words >> 8, LaneTypes<double>::Bits) >= least};
  }
};
template <class T>
TERN_INLINE void drop(const std::uint32_t* words, std::int64_t n, const T* x, T scale, std::int32_t least, T* out) {
  each_vector<T>(n, [=](std::int64_t i, auto... rest) {
    const auto drawn = load_words<typename Keep<T>::Words>(words + i, rest...);
    const Lane<T> scaled = Lane<T>::load(x + i, rest...) * Lane<T>(scale);
    select(Keep<T>::of(drawn, least), scaled, Lane<T>(0)).store(out + i, rest...);
  });
}
void dropout_f32(const std::uint32_t* words, std::int64_t n, const float* x, float scale, std::int32_t least,
                 float* out) {
  drop(words, n, x, scale, least, out);
}
void dropout_f64(const std::uint32_t* words, std::int64_t n, const double* x, double scale, std::int32_t least,
                 double* out) {
  drop(words, n, x, scale, least, out);
}

}  // namespace

constinit const RandomTable random{.philox = &philox,
                                   .uniform_f32 = &uniform_f32,
                                   .uniform_f64 = &uniform_f64,
                                   .normal_f32 = &normal_f32,
                                   .normal_f64 = &normal_f64,
                                   .dropout_f32 = &dropout_f32,
                                   .dropout_f64 = &dropout_f64};

}  // namespace tern::kernels::cpu::TERN_TARGET
