#pragma once

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <cstdint>

// A vector register of T as a value, for the target that the file is compiled for: functors written over a scalar type
// take it as they are. Everything stands in an anonymous namespace (see cpu/target.h) and is inlined at any level of
// optimisation: an accumulator that goes through memory costs four fifths of the speed.
#define TERN_INLINE inline __attribute__((always_inline, unused))
#ifdef TERN_SANITIZE
#define TERN_UNROLL  // a check at each of many copies of an access is half of the time of a sanitized build
#elif defined(__clang__)
#define TERN_UNROLL _Pragma("unroll")
#else
#define TERN_UNROLL _Pragma("GCC unroll 16")
#endif

namespace tern::kernels::cpu {
namespace {

/// Asks for what a stream reads four kilobytes on: a functor of some length keeps the processor from looking ahead that
/// far itself, and its own prefetchers do not fill the gap everywhere. Never faults.
TERN_INLINE void fetch_ahead(const void* p) { __builtin_prefetch(static_cast<const char*>(p) + 4096); }

/// After streaming, before another thread reads.
TERN_INLINE void fence() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

template <class T>
struct LaneTypes;
template <>
struct LaneTypes<float> {
  typedef float Vector __attribute__((vector_size(TERN_VECTOR_BYTES)));
  typedef float Unaligned __attribute__((vector_size(TERN_VECTOR_BYTES), aligned(4), may_alias));
  typedef std::int32_t Bits __attribute__((vector_size(TERN_VECTOR_BYTES)));
  typedef std::uint32_t Unsigned __attribute__((vector_size(TERN_VECTOR_BYTES)));
};
template <>
struct LaneTypes<double> {
  typedef double Vector __attribute__((vector_size(TERN_VECTOR_BYTES)));
  typedef double Unaligned __attribute__((vector_size(TERN_VECTOR_BYTES), aligned(8), may_alias));
  typedef std::int64_t Bits __attribute__((vector_size(TERN_VECTOR_BYTES)));
  typedef std::uint64_t Unsigned __attribute__((vector_size(TERN_VECTOR_BYTES)));
};

/// What a comparison gives: all bits of a lane, or none.
template <class T>
struct LaneMask {
  static constexpr int kLanes = TERN_VECTOR_BYTES / static_cast<int>(sizeof(T));
  typedef signed char Bytes __attribute__((vector_size(kLanes)));
  typedef signed char UnalignedBytes __attribute__((vector_size(kLanes), aligned(1), may_alias));
  typename LaneTypes<T>::Bits bits;

  /// From and to kLanes booleans in memory.
  static TERN_INLINE LaneMask from_bytes(const char* p) {
    const Bytes bytes = *reinterpret_cast<const UnalignedBytes*>(p);
    return {__builtin_convertvector(bytes, typename LaneTypes<T>::Bits) != 0};
  }
  TERN_INLINE void to_bytes(char* p) const {
    *reinterpret_cast<UnalignedBytes*>(p) = __builtin_convertvector(bits & 1, Bytes);
  }
};

template <class T>
struct Lane {
  static constexpr int kLanes = TERN_VECTOR_BYTES / static_cast<int>(sizeof(T));
  using Scalar = T;
  using Vector = typename LaneTypes<T>::Vector;
  using Unsigned = typename LaneTypes<T>::Unsigned;
  Vector vector;

  TERN_INLINE Lane() {}  // uninitialised, as a scalar is
  template <class U>
  requires(__is_same(U, float) || __is_same(U, double) || __is_same(U, int)) TERN_INLINE explicit Lane(U value)
      : vector(static_cast<T>(value) - Vector{}) {}  // + would lose the sign of -0
  TERN_INLINE explicit Lane(Vector value) : vector(value) {}

  /// kLanes elements from `p`, which need not be aligned.
  static TERN_INLINE Lane load(const T* p) {
    return Lane(static_cast<Vector>(*reinterpret_cast<const typename LaneTypes<T>::Unaligned*>(p)));
  }
  TERN_INLINE void store(T* p) const { *reinterpret_cast<typename LaneTypes<T>::Unaligned*>(p) = vector; }

  /// The first n of kLanes elements, the others 0; memory past them is neither read nor written.
  static TERN_INLINE Lane load(const T* p, int n);
  TERN_INLINE void store(T* p, int n) const;

  /// To memory, past the caches; `p` is aligned to the vector.
  TERN_INLINE void stream(T* p) const {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<__m512i>(vector));
#elif defined(__AVX2__)
    _mm256_stream_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(vector));
#elif defined(__SSE2__)
    _mm_stream_si128(reinterpret_cast<__m128i*>(p), reinterpret_cast<__m128i>(vector));
#else
    store(p);
#endif
  }

  // What functors/math.h asks of a lane type.
  TERN_INLINE Unsigned bits() const { return reinterpret_cast<Unsigned>(vector); }
  static TERN_INLINE Lane from_bits(Unsigned bits) { return Lane(reinterpret_cast<Vector>(bits)); }
  static TERN_INLINE Lane select(LaneMask<T> mask, Lane a, Lane b) { return Lane(mask.bits ? a.vector : b.vector); }
  TERN_INLINE Lane sqrt() const;
  TERN_INLINE Lane at_most(Lane y) const { return bounded<true>(y); }
  TERN_INLINE Lane at_least(Lane y) const { return bounded<false>(y); }
#if defined(__AVX512F__)
  TERN_INLINE Lane scaled(Lane n) const;
#endif
  TERN_INLINE Lane round() const { return to_integer<0>(); }  // halves to even
  TERN_INLINE Lane floor() const { return to_integer<1>(); }
  TERN_INLINE Lane ceil() const { return to_integer<2>(); }
  TERN_INLINE Lane trunc() const { return to_integer<3>(); }
  template <class F>
  TERN_INLINE Lane each(F f) const {
    Lane out;
    for (int i = 0; i < kLanes; ++i) out.vector[i] = f(vector[i]);
    return out;
  }
  template <class F>
  TERN_INLINE Lane each(F f, Lane y) const {
    Lane out;
    for (int i = 0; i < kLanes; ++i) out.vector[i] = f(vector[i], y.vector[i]);
    return out;
  }

 private:
  // The processor takes the second operand when either is NaN.
  template <bool Most>
  TERN_INLINE Lane bounded(Lane y) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
      const auto a = reinterpret_cast<__m512>(y.vector), b = reinterpret_cast<__m512>(vector);
      return Lane(
          reinterpret_cast<Vector>(Most ? _mm512_maskz_min_ps(0xFFFF, a, b) : _mm512_maskz_max_ps(0xFFFF, a, b)));
    } else {
      const auto a = reinterpret_cast<__m512d>(y.vector), b = reinterpret_cast<__m512d>(vector);
      return Lane(reinterpret_cast<Vector>(Most ? _mm512_maskz_min_pd(0xFF, a, b) : _mm512_maskz_max_pd(0xFF, a, b)));
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) {
      const auto a = reinterpret_cast<__m256>(y.vector), b = reinterpret_cast<__m256>(vector);
      return Lane(reinterpret_cast<Vector>(Most ? _mm256_min_ps(a, b) : _mm256_max_ps(a, b)));
    } else {
      const auto a = reinterpret_cast<__m256d>(y.vector), b = reinterpret_cast<__m256d>(vector);
      return Lane(reinterpret_cast<Vector>(Most ? _mm256_min_pd(a, b) : _mm256_max_pd(a, b)));
    }
#elif defined(__SSE2__)
    if constexpr (sizeof(T) == 4) {
      const auto a = reinterpret_cast<__m128>(y.vector), b = reinterpret_cast<__m128>(vector);
      return Lane(reinterpret_cast<Vector>(Most ? _mm_min_ps(a, b) : _mm_max_ps(a, b)));
    } else {
      const auto a = reinterpret_cast<__m128d>(y.vector), b = reinterpret_cast<__m128d>(vector);
      return Lane(reinterpret_cast<Vector>(Most ? _mm_min_pd(a, b) : _mm_max_pd(a, b)));
    }
#else
    return Most ? Lane(vector > y.vector ? y.vector : vector) : Lane(vector < y.vector ? y.vector : vector);
#endif
  }

  // By the number that the processor has for the direction.
  template <int Direction>
  TERN_INLINE Lane to_integer() const {
    constexpr int kQuietly = Direction | 8;
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
      return Lane(
          reinterpret_cast<Vector>(_mm512_maskz_roundscale_ps(0xFFFF, reinterpret_cast<__m512>(vector), kQuietly)));
    } else {
      return Lane(
          reinterpret_cast<Vector>(_mm512_maskz_roundscale_pd(0xFF, reinterpret_cast<__m512d>(vector), kQuietly)));
    }
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4) {
      return Lane(reinterpret_cast<Vector>(_mm256_round_ps(reinterpret_cast<__m256>(vector), kQuietly)));
    } else {
      return Lane(reinterpret_cast<Vector>(_mm256_round_pd(reinterpret_cast<__m256d>(vector), kQuietly)));
    }
#else
    static_cast<void>(kQuietly);
    // From here on all numbers are integers; added to a smaller one, it leaves that rounded to nearest.
    const Vector large = static_cast<T>(sizeof(T) == 4 ? 0x1p23 : 0x1p52) - Vector{};
    const typename LaneTypes<T>::Bits signs = reinterpret_cast<typename LaneTypes<T>::Bits>(-Vector{});
    const auto sign = reinterpret_cast<typename LaneTypes<T>::Bits>(vector) & signs;
    const auto with_sign = [&](Vector size) {
      return reinterpret_cast<Vector>((reinterpret_cast<typename LaneTypes<T>::Bits>(size) & ~signs) | sign);
    };
    const Vector size = reinterpret_cast<Vector>(reinterpret_cast<typename LaneTypes<T>::Bits>(vector) & ~signs);
    const Vector one = static_cast<T>(1) - Vector{}, none{}, near = (size + large) - large;
    Vector result = near;
    if constexpr (Direction == 3) result = near - (near > size ? one : none);
    if constexpr (Direction == 1) result = with_sign(near) - (with_sign(near) > vector ? one : none);
    if constexpr (Direction == 2) result = with_sign(near) + (with_sign(near) < vector ? one : none);
    return Lane(size < large ? with_sign(result) : vector);
#endif
  }
};

#if defined(__AVX512F__)
// The rounded square root without the divider, which Adam needs for its quotient: Goldschmidt's iteration from an
// estimate, and a last step from the remainder (Markstein, "Software Division and Square Root Using Goldschmidt's
// Algorithms", 2004). For each z in [1, 4) every estimate within 2^-14, so every processor's, gives the rounded root.
TERN_INLINE __m512 rounded_sqrt(__m512 x) {
  const __m512 half = _mm512_set1_ps(0.5f);
  const __mmask16 tiny = _mm512_cmp_ps_mask(x, _mm512_set1_ps(0x1p-100f), _CMP_LT_OQ);
  const __m512 z = _mm512_mask_mul_ps(x, tiny, x, _mm512_set1_ps(0x1p64f));
  const __m512 estimate = _mm512_maskz_rsqrt14_ps(0xFFFF, z);
  __m512 root = _mm512_mul_ps(z, estimate), inverse = _mm512_mul_ps(estimate, half);  // half the inverse
  const __m512 error = _mm512_fnmadd_ps(inverse, root, half);
  root = _mm512_fmadd_ps(root, error, root);
  inverse = _mm512_fmadd_ps(inverse, error, inverse);
  root = _mm512_fmadd_ps(inverse, _mm512_fnmadd_ps(root, root, z), root);
  root = _mm512_mask_mul_ps(root, tiny, root, _mm512_set1_ps(0x1p-32f));
  constexpr int kZeroOrInfinity = 0x0E;  // which are their own roots
  return _mm512_mask_mov_ps(root, _mm512_fpclass_ps_mask(x, kZeroOrInfinity), x);
}
#endif

template <>
TERN_INLINE Lane<float> Lane<float>::sqrt() const {
#if defined(__AVX512F__)
  return Lane(reinterpret_cast<Vector>(rounded_sqrt(reinterpret_cast<__m512>(vector))));
#elif defined(__AVX2__)
  return Lane(reinterpret_cast<Vector>(_mm256_sqrt_ps(reinterpret_cast<__m256>(vector))));
#elif defined(__SSE2__)
  return Lane(reinterpret_cast<Vector>(_mm_sqrt_ps(reinterpret_cast<__m128>(vector))));
#else
  return each([](float x) { return __builtin_sqrtf(x); });
#endif
}
template <>
TERN_INLINE Lane<double> Lane<double>::sqrt() const {
#if defined(__AVX512F__)  // g++ 12 warns of an uninitialised value inside the plain form
  return Lane(reinterpret_cast<Vector>(_mm512_maskz_sqrt_pd(0xFF, reinterpret_cast<__m512d>(vector))));
#elif defined(__AVX2__)
  return Lane(reinterpret_cast<Vector>(_mm256_sqrt_pd(reinterpret_cast<__m256d>(vector))));
#elif defined(__SSE2__)
  return Lane(reinterpret_cast<Vector>(_mm_sqrt_pd(reinterpret_cast<__m128d>(vector))));
#else
  return each([](double x) { return __builtin_sqrt(x); });
#endif
}

#if defined(__AVX512F__)
template <>
TERN_INLINE Lane<float> Lane<float>::scaled(Lane<float> n) const {
  return Lane(reinterpret_cast<Vector>(
      _mm512_maskz_scalef_ps(0xFFFF, reinterpret_cast<__m512>(vector), reinterpret_cast<__m512>(n.vector))));
}
template <>
TERN_INLINE Lane<double> Lane<double>::scaled(Lane<double> n) const {
  return Lane(reinterpret_cast<Vector>(
      _mm512_maskz_scalef_pd(0xFF, reinterpret_cast<__m512d>(vector), reinterpret_cast<__m512d>(n.vector))));
}
TERN_INLINE __mmask16 first_lanes(int n) { return static_cast<__mmask16>((1u << n) - 1); }
template <>
TERN_INLINE Lane<float> Lane<float>::load(const float* p, int n) {
  return Lane(reinterpret_cast<Vector>(_mm512_maskz_loadu_ps(first_lanes(n), p)));
}
template <>
TERN_INLINE void Lane<float>::store(float* p, int n) const {
  _mm512_mask_storeu_ps(p, first_lanes(n), reinterpret_cast<__m512>(vector));
}
template <>
TERN_INLINE Lane<double> Lane<double>::load(const double* p, int n) {
  return Lane(reinterpret_cast<Vector>(_mm512_maskz_loadu_pd(static_cast<__mmask8>(first_lanes(n)), p)));
}
template <>
TERN_INLINE void Lane<double>::store(double* p, int n) const {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(first_lanes(n)), reinterpret_cast<__m512d>(vector));
}
#elif defined(__AVX2__)
TERN_INLINE __m256i first_lanes_32(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
TERN_INLINE __m256i first_lanes_64(int n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
template <>
TERN_INLINE Lane<float> Lane<float>::load(const float* p, int n) {
  return Lane(reinterpret_cast<Vector>(_mm256_maskload_ps(p, first_lanes_32(n))));
}
template <>
TERN_INLINE void Lane<float>::store(float* p, int n) const {
  _mm256_maskstore_ps(p, first_lanes_32(n), reinterpret_cast<__m256>(vector));
}
template <>
TERN_INLINE Lane<double> Lane<double>::load(const double* p, int n) {
  return Lane(reinterpret_cast<Vector>(_mm256_maskload_pd(p, first_lanes_64(n))));
}
template <>
TERN_INLINE void Lane<double>::store(double* p, int n) const {
  _mm256_maskstore_pd(p, first_lanes_64(n), reinterpret_cast<__m256d>(vector));
}
#else
template <class T>
TERN_INLINE Lane<T> Lane<T>::load(const T* p, int n) {
  Lane lane(T(0));
  for (int i = 0; i < n; ++i) lane.vector[i] = p[i];
  return lane;
}
template <class T>
TERN_INLINE void Lane<T>::store(T* p, int n) const {
  for (int i = 0; i < n; ++i) p[i] = vector[i];
}
#endif

template <class T>
TERN_INLINE Lane<T> operator+(Lane<T> a, Lane<T> b) {
  return Lane<T>(a.vector + b.vector);
}
template <class T>
TERN_INLINE Lane<T> operator-(Lane<T> a, Lane<T> b) {
  return Lane<T>(a.vector - b.vector);
}
template <class T>
TERN_INLINE Lane<T> operator-(Lane<T> a) {
  return Lane<T>(-a.vector);
}
template <class T>
TERN_INLINE Lane<T> operator*(Lane<T> a, Lane<T> b) {
  return Lane<T>(a.vector * b.vector);
}
template <class T>
TERN_INLINE Lane<T> operator/(Lane<T> a, Lane<T> b) {
  return Lane<T>(a.vector / b.vector);
}

template <class T>
TERN_INLINE LaneMask<T> operator<(Lane<T> a, Lane<T> b) {
  return {a.vector < b.vector};
}
template <class T>
TERN_INLINE LaneMask<T> operator<=(Lane<T> a, Lane<T> b) {
  return {a.vector <= b.vector};
}
template <class T>
TERN_INLINE LaneMask<T> operator>(Lane<T> a, Lane<T> b) {
  return {a.vector > b.vector};
}
template <class T>
TERN_INLINE LaneMask<T> operator>=(Lane<T> a, Lane<T> b) {
  return {a.vector >= b.vector};
}
template <class T>
TERN_INLINE LaneMask<T> operator==(Lane<T> a, Lane<T> b) {
  return {a.vector == b.vector};
}
template <class T>
TERN_INLINE LaneMask<T> operator!=(Lane<T> a, Lane<T> b) {
  return {a.vector != b.vector};
}

/// Lane by lane, mask ? a : b.
template <class T>
TERN_INLINE Lane<T> select(LaneMask<T> mask, Lane<T> a, Lane<T> b) {
  return Lane<T>::select(mask, a, b);
}

template <class T>
TERN_INLINE LaneMask<T> operator&(LaneMask<T> a, LaneMask<T> b) {
  return {a.bits & b.bits};
}
template <class T>
TERN_INLINE LaneMask<T> operator|(LaneMask<T> a, LaneMask<T> b) {
  return {a.bits | b.bits};
}

/// a · b + c: rounded once on avx2 and avx512, twice at the baseline, which has no such instruction.
template <class T>
TERN_INLINE Lane<T> fma(Lane<T> a, Lane<T> b, Lane<T> c) {
  return a * b + c;
}
#if defined(__AVX512F__)
template <>
TERN_INLINE Lane<float> fma(Lane<float> a, Lane<float> b, Lane<float> c) {
  return Lane<float>(reinterpret_cast<Lane<float>::Vector>(_mm512_fmadd_ps(
      reinterpret_cast<__m512>(a.vector), reinterpret_cast<__m512>(b.vector), reinterpret_cast<__m512>(c.vector))));
}
template <>
TERN_INLINE Lane<double> fma(Lane<double> a, Lane<double> b, Lane<double> c) {
  return Lane<double>(reinterpret_cast<Lane<double>::Vector>(_mm512_fmadd_pd(
      reinterpret_cast<__m512d>(a.vector), reinterpret_cast<__m512d>(b.vector), reinterpret_cast<__m512d>(c.vector))));
}
#elif defined(__AVX2__)
template <>
TERN_INLINE Lane<float> fma(Lane<float> a, Lane<float> b, Lane<float> c) {
  return Lane<float>(reinterpret_cast<Lane<float>::Vector>(_mm256_fmadd_ps(
      reinterpret_cast<__m256>(a.vector), reinterpret_cast<__m256>(b.vector), reinterpret_cast<__m256>(c.vector))));
}
template <>
TERN_INLINE Lane<double> fma(Lane<double> a, Lane<double> b, Lane<double> c) {
  return Lane<double>(reinterpret_cast<Lane<double>::Vector>(_mm256_fmadd_pd(
      reinterpret_cast<__m256d>(a.vector), reinterpret_cast<__m256d>(b.vector), reinterpret_cast<__m256d>(c.vector))));
}
#endif

/// a0 b0 a1 b1 … of the first halves, or of the second ones.
template <class T>
TERN_INLINE Lane<T> interleave_low(Lane<T> a, Lane<T> b) {
  constexpr int kLanes = Lane<T>::kLanes;
  if constexpr (kLanes == 2) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 0, 2));
  } else if constexpr (kLanes == 4) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 0, 4, 1, 5));
  } else if constexpr (kLanes == 8) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 0, 8, 1, 9, 2, 10, 3, 11));
  } else {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  }
}
template <class T>
TERN_INLINE Lane<T> interleave_high(Lane<T> a, Lane<T> b) {
  constexpr int kLanes = Lane<T>::kLanes;
  if constexpr (kLanes == 2) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 1, 3));
  } else if constexpr (kLanes == 4) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 2, 6, 3, 7));
  } else if constexpr (kLanes == 8) {
    return Lane<T>(__builtin_shufflevector(a.vector, b.vector, 4, 12, 5, 13, 6, 14, 7, 15));
  } else {
    return Lane<T>(
        __builtin_shufflevector(a.vector, b.vector, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
  }
}

/// kLanes rows of kLanes elements become columns: each step interleaves the first half of the rows with the second.
template <class T>
TERN_INLINE void transpose(Lane<T> (&rows)[Lane<T>::kLanes]) {
  constexpr int kLanes = Lane<T>::kLanes;
  TERN_UNROLL
  for (int step = 1; step < kLanes; step *= 2) {
    Lane<T> next[kLanes];
    TERN_UNROLL
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave_low(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = interleave_high(rows[i], rows[i + kLanes / 2]);
    }
    TERN_UNROLL
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

/// a0 a2 … b0 b2 …, or a1 a3 … b1 b3 …, of doubles.
TERN_INLINE Lane<double> even(Lane<double> a, Lane<double> b) {
#if TERN_VECTOR_BYTES == 64
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 0, 2, 4, 6, 8, 10, 12, 14));
#elif TERN_VECTOR_BYTES == 32
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 0, 2, 4, 6));
#else
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 0, 2));
#endif
}
TERN_INLINE Lane<double> odd(Lane<double> a, Lane<double> b) {
#if TERN_VECTOR_BYTES == 64
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 1, 3, 5, 7, 9, 11, 13, 15));
#elif TERN_VECTOR_BYTES == 32
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 1, 3, 5, 7));
#else
  return Lane<double>(__builtin_shufflevector(a.vector, b.vector, 1, 3));
#endif
}

}  // namespace
}  // namespace tern::kernels::cpu
