#pragma once

#include "cpu/vector/lane.h"
#include "cpu/vector/reduce.h"
#include "functors/math.h"

// The order of summation of kernels/cpu/reduce.cpp, in the lanes of a target.
namespace tern::kernels::cpu {
namespace {

using Wide = Lane<double>;
constexpr int kWides = kSumLanes / Wide::kLanes;

/// Wide::kLanes numbers as doubles.
TERN_INLINE Wide widen(const double* p) { return Wide::load(p); }
TERN_INLINE Wide widen(const float* p) {
#if defined(__AVX512F__)  // of a conversion of generic vectors g++ 12 makes two of halves
  return Wide(static_cast<Wide::Vector>(_mm512_maskz_cvtps_pd(0xFF, _mm256_loadu_ps(p))));
#elif defined(__AVX2__)
  return Wide(static_cast<Wide::Vector>(_mm256_cvtps_pd(_mm_loadu_ps(p))));
#else
  typedef float Half __attribute__((vector_size(TERN_VECTOR_BYTES / 2)));
  typedef float UnalignedHalf __attribute__((vector_size(TERN_VECTOR_BYTES / 2), aligned(4), may_alias));
  const Half half = *reinterpret_cast<const UnalignedHalf*>(p);
  return Wide(__builtin_convertvector(half, Wide::Vector));
#endif
}

template <class L>
TERN_INLINE L sum_of_lanes(const L* lane) {
  L four[4];
  for (int i = 0; i < 4; ++i) four[i] = (lane[4 * i] + lane[4 * i + 1]) + (lane[4 * i + 2] + lane[4 * i + 3]);
  return (four[0] + four[1]) + (four[2] + four[3]);
}

/// Lane l of the sum takes terms l, l + 16, ….
struct LaneSum {
  Wide part[kWides];
  TERN_INLINE LaneSum() {
    for (Wide& p : part) p = Wide(0);
  }
  template <class T>
  TERN_INLINE void add(const T* x) {
    for (int v = 0; v < kWides; ++v) part[v] = part[v] + widen(x + v * Wide::kLanes);
  }
  /// Products of elements.
  template <class T>
  TERN_INLINE void add(const T* x, const T* y) {
    for (int v = 0; v < kWides; ++v) {
      part[v] = part[v] + widen(x + v * Wide::kLanes) * widen(y + v * Wide::kLanes);
    }
  }
  TERN_INLINE double total() const {
    double lane[kSumLanes];
    for (int v = 0; v < kWides; ++v) part[v].store(lane + v * Wide::kLanes);
    return sum_of_lanes(lane);
  }
};

/// Calls each(i) for every 16 of n elements, and last(i, n - i) for the rest, if any.
template <class Each, class Last>
TERN_INLINE void by_sixteen(std::int64_t n, Each each, Last last) {
  std::int64_t i = 0;
  for (; i + kSumLanes <= n; i += kSumLanes) each(i);
  if (i < n) last(i, static_cast<int>(n - i));
}

/// n <= 16 elements, and zeros for the others.
template <class T>
struct Sixteen {
  alignas(64) T at[kSumLanes] = {};
  TERN_INLINE Sixteen(const T* x, int n) {
    for (int i = 0; i < n; ++i) at[i] = x[i];
  }
};

struct Larger {
  template <class L>
  static TERN_INLINE L of(L best, L x) {
    return math::select((x > best) | (x != x), x, best);
  }
};
struct Smaller {
  template <class L>
  static TERN_INLINE L of(L best, L x) {
    return math::select((x < best) | (x != x), x, best);
  }
};

/// The larger, but either where one is NaN: enough for a shift of exponentials, whose sum is NaN then.
struct LargerShift {
  template <class L>
  static TERN_INLINE L of(L best, L x) {
    if constexpr (requires { x.at_least(best); }) {
      return x.at_least(best);
    } else {
      return x < best ? best : x;
    }
  }
};

template <class Better, class T>
TERN_INLINE T best_lane(Lane<T> lanes) {
  T each[Lane<T>::kLanes];
  lanes.store(each);
  for (int half = Lane<T>::kLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) each[l] = Better::of(each[l], each[l + half]);
  }
  return each[0];
}

/// Of n >= 1 elements. The last vector may overlap the one before: taking an element twice changes nothing.
template <class Better, class T>
TERN_INLINE T extreme(const T* x, std::int64_t n) {
  using L = Lane<T>;
  constexpr int kChains = 4;
  T best = x[0];
  if (n < L::kLanes) {
    for (std::int64_t i = 1; i < n; ++i) best = Better::of(best, x[i]);
    return best;
  }
  L lanes[kChains];
  for (L& lane : lanes) lane = L::load(x);
  std::int64_t i = 0;
  for (; i + kChains * L::kLanes <= n; i += kChains * L::kLanes) {
    for (int c = 0; c < kChains; ++c) {
      fetch_ahead(x + i + c * L::kLanes);
      lanes[c] = Better::of(lanes[c], L::load(x + i + c * L::kLanes));
    }
  }
  for (; i + L::kLanes <= n; i += L::kLanes) lanes[0] = Better::of(lanes[0], L::load(x + i));
  lanes[1] = Better::of(lanes[1], L::load(x + n - L::kLanes));
  return best_lane<Better>(Better::of(Better::of(lanes[0], lanes[1]), Better::of(lanes[2], lanes[3])));
}

}  // namespace
}  // namespace tern::kernels::cpu
