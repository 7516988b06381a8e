#pragma once

#include "cpu/vector/sum.h"

// Rows of few elements, of which a register would hold several: here a lane is a row, and a row's terms are taken in
// the order of `sum`, so that it gets the bits that it would get alone.
namespace tern::kernels::cpu {
namespace {

/// A number a row.
template <class T>
struct alignas(64) OfRows {
  T at[Lane<float>::kLanes] = {};
  TERN_INLINE T& operator[](std::int64_t row) { return at[row]; }
  TERN_INLINE T operator[](std::int64_t row) const { return at[row]; }
};

/// The first n of Lane<T>::kLanes elements `step` apart, the others 0.
template <class T>
TERN_INLINE Lane<T> load_apart(const T* p, std::int64_t step, int n) {
#if defined(__AVX512F__)
  using Vector = typename Lane<T>::Vector;
  const int apart = static_cast<int>(step);
  if constexpr (sizeof(T) == 4) {
    const __m512i ranks = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_maskz_mullo_epi32(0xFFFF, ranks, _mm512_set1_epi32(apart));
    return Lane<T>(reinterpret_cast<Vector>(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), first_lanes(n), at, p, 4)));
  } else {
    const __m256i at = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(apart));
    const auto first = static_cast<__mmask8>(first_lanes(n));
    return Lane<T>(reinterpret_cast<Vector>(_mm512_mask_i32gather_pd(_mm512_setzero_pd(), first, at, p, 8)));
  }
#else
  alignas(64) T lanes[Lane<T>::kLanes];
  if (n == Lane<T>::kLanes) {
    TERN_UNROLL
    for (int i = 0; i < Lane<T>::kLanes; ++i) lanes[i] = p[i * step];
  } else {
    for (int i = 0; i < Lane<T>::kLanes; ++i) lanes[i] = i < n ? p[i * step] : T(0);
  }
  return Lane<T>::load(lanes);
#endif
}

/// Lane<T>::kLanes rows, or fewer and zeros for the others, of 1 to kSumLanes elements.
template <class T>
struct NarrowRows {
  using L = Lane<T>;
  static constexpr int kRows = L::kLanes;

  std::int64_t rows, columns;
  alignas(64) T at[kSumLanes][kRows];  // by column, of which the first `columns` are set

  NarrowRows(const T* x, std::int64_t rows, std::int64_t columns) : rows(rows), columns(columns) {
    std::int64_t c = 0;
    do {
      load_apart(x + c, columns, static_cast<int>(rows)).store(at[c]);
    } while (++c < columns);
  }

  TERN_INLINE L column(std::int64_t c) const { return L::load(at[c]); }
  TERN_INLINE void set(std::int64_t c, L lanes) { lanes.store(at[c]); }

  void store(T* out) const {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) out[r * columns + c] = at[c][r];
    }
  }

  /// Of each row, as a shift of exponentials.
  TERN_INLINE L largest() const {
    L best = column(0);
    for (std::int64_t c = 1; c < columns; ++c) best = LargerShift::of(best, column(c));
    return best;
  }

  /// Σ term(column c, lanes l … of its rows as f64), of each row.
  template <class Term>
  TERN_INLINE void sums(Term term, OfRows<double>& to) const {
    for (int l = 0; l < kRows; l += Wide::kLanes) {
      Wide four[4] = {Wide(0), Wide(0), Wide(0), Wide(0)};
      for (std::int64_t c = 0; c < columns; c += 4) {
        const auto lane = [&](std::int64_t i) { return i < columns ? Wide(0) + term(i, l) : Wide(0); };
        four[c / 4] = (lane(c) + lane(c + 1)) + (lane(c + 2) + lane(c + 3));
      }
      ((four[0] + four[1]) + (four[2] + four[3])).store(to.at + l);
    }
  }
  TERN_INLINE void sums(OfRows<double>& to) const {
    sums([&](std::int64_t c, int l) { return widen(at[c] + l); }, to);
  }
};

/// Calls f(r, count) for rows r … r + count - 1 of [begin, end), as many as NarrowRows<T> takes.
template <class T, class F>
TERN_INLINE void by_narrow_rows(std::int64_t begin, std::int64_t end, F f) {
  for (std::int64_t r = begin; r < end; r += NarrowRows<T>::kRows) {
    f(r, end - r < NarrowRows<T>::kRows ? end - r : NarrowRows<T>::kRows);
  }
}

}  // namespace
}  // namespace tern::kernels::cpu
