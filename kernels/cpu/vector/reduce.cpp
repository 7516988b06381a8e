#include "cpu/vector/reduce.h"

#include "cpu/vector/sum.h"
#include "functors/binary.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr std::int64_t kFewRows = 64;  // of them, a few columns' lanes stay in registers

template <class T>
double sum(const T* x, std::int64_t n) {
  LaneSum lanes;
  by_sixteen(
      n,
      [&](std::int64_t i) {
        fetch_ahead(x + i);
        lanes.add(x + i);
      },
      [&](std::int64_t i, int rest) { lanes.add(Sixteen<T>(x + i, rest).at); });
  return lanes.total();
}

/// Sums of `count` adjacent columns, at most Wide::kLanes.
template <class T>
TERN_INLINE Wide sum_few_columns(const T* x, std::int64_t stride, std::int64_t rows, int count) {
  const auto row = [&](std::int64_t r) {
    if (count == Wide::kLanes) return widen(x + r * stride);
    alignas(64) T at[kSumLanes];
    Lane<T>::load(x + r * stride, count).store(at);
    return widen(at);
  };
  Wide lane[kSumLanes];
  TERN_UNROLL
  for (int l = 0; l < kSumLanes; ++l) lane[l] = l < rows ? Wide(0) + row(l) : Wide(0);
  for (std::int64_t r = kSumLanes; r < rows; r += kSumLanes) {
    TERN_UNROLL
    for (int l = 0; l < kSumLanes; ++l) {
      if (r + l < rows) lane[l] = lane[l] + row(r + l);
    }
  }
  return sum_of_lanes(lane);
}

template <class T>
void sum_columns(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, double* total) {
  if (rows <= kFewRows) {
    for (std::int64_t c = 0; c < columns; c += Wide::kLanes) {
      const int count = static_cast<int>(columns - c < Wide::kLanes ? columns - c : Wide::kLanes);
      const Wide sums = sum_few_columns(x + c, stride, rows, count);
      (Wide::load(total + c, count) + sums).store(total + c, count);
    }
    return;
  }
  alignas(64) double lane[kSumLanes][kSumColumns];
  const std::int64_t whole = columns - columns % Wide::kLanes;
  for (std::int64_t r = 0; r < rows || r < kSumLanes; ++r) {
    double* to = lane[r % kSumLanes];
    if (r >= rows) {
      for (std::int64_t c = 0; c < columns; ++c) to[c] = 0;
      continue;
    }
    const T* row = x + r * stride;
    if (r < kSumLanes) {
      for (std::int64_t c = 0; c < whole; c += Wide::kLanes) (Wide(0) + widen(row + c)).store(to + c);
      for (std::int64_t c = whole; c < columns; ++c) to[c] = 0 + static_cast<double>(row[c]);
    } else {
      for (std::int64_t c = 0; c < whole; c += Wide::kLanes) (Wide::load(to + c) + widen(row + c)).store(to + c);
      for (std::int64_t c = whole; c < columns; ++c) to[c] += static_cast<double>(row[c]);
    }
  }
  for (std::int64_t c = 0; c < whole; c += Wide::kLanes) {
    Wide at[kSumLanes];
    for (int l = 0; l < kSumLanes; ++l) at[l] = Wide::load(lane[l] + c);
    (Wide::load(total + c) + sum_of_lanes(at)).store(total + c);
  }
  for (std::int64_t c = whole; c < columns; ++c) {
    double at[kSumLanes];
    for (int l = 0; l < kSumLanes; ++l) at[l] = lane[l][c];
    total[c] += sum_of_lanes(at);
  }
}

template <class Better, class T>
T extreme_of(const T* x, std::int64_t n) {
  return extreme<Better>(x, n);
}

template <class Better, class T>
void extreme_columns(const T* x, std::int64_t columns, T* best) {
  using L = Lane<T>;
  std::int64_t c = 0;
  for (; c + L::kLanes <= columns; c += L::kLanes) Better::of(L::load(best + c), L::load(x + c)).store(best + c);
  if (c < columns) {
    const int rest = static_cast<int>(columns - c);
    Better::of(L::load(best + c, rest), L::load(x + c, rest)).store(best + c, rest);
  }
}

template <class T>
TERN_INLINE bool any(LaneMask<T> mask) {
#if defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 4) {
    return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask.bits)) != 0;
  } else {
    return _mm512_movepi64_mask(reinterpret_cast<__m512i>(mask.bits)) != 0;
  }
#elif defined(__AVX2__)
  return _mm256_movemask_epi8(reinterpret_cast<__m256i>(mask.bits)) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_epi8(reinterpret_cast<__m128i>(mask.bits)) != 0;
#else
  for (int l = 0; l < LaneMask<T>::kLanes; ++l) {
    if (mask.bits[l] != 0) return true;
  }
  return false;
#endif
}

template <class T>
std::int64_t find(const T* x, std::int64_t n, T value) {
  using L = Lane<T>;
  const bool nan = value != value;
  std::int64_t i = 0;
  for (const L wanted(value); i + L::kLanes <= n; i += L::kLanes) {
    const L each = L::load(x + i);
    if (any(nan ? each != each : each == wanted)) break;
  }
  while (i < n && !(nan ? x[i] != x[i] : x[i] == value)) ++i;
  return i;
}

template <class Better, class T>
void choose_columns(const T* x, std::int64_t columns, typename Reductions<T>::Index row, T* best,
                    typename Reductions<T>::Index* at) {
  using L = Lane<T>;
  using Whole = typename LaneTypes<T>::Bits;
  std::int64_t c = 0;
  for (; c + L::kLanes <= columns; c += L::kLanes) {
    const L each = L::load(x + c), before = L::load(best + c);
    const LaneMask<T> better = Better::forward(each, before) | ((each != each) & (before == before));
    select(better, each, before).store(best + c);
    Whole where;
    __builtin_memcpy(&where, at + c, sizeof where);
    where = better.bits ? row + Whole{} : where;
    __builtin_memcpy(at + c, &where, sizeof where);
  }
  for (; c < columns; ++c) {
    if (!Better::forward(x[c], best[c]) && !(x[c] != x[c] && best[c] == best[c])) continue;
    best[c] = x[c];
    at[c] = row;
  }
}

template <class T>
void cumulate_columns(const T* x, std::int64_t columns, double* total, T* to) {
  for (std::int64_t c = 0; c < columns; ++c) to[c] = static_cast<T>(total[c] += static_cast<double>(x[c]));
}

template <class T>
constexpr Reductions<T> table() {
  return {.sum = &sum<T>,
          .sum_columns = &sum_columns<T>,
          .max = &extreme_of<Larger, T>,
          .min = &extreme_of<Smaller, T>,
          .max_columns = &extreme_columns<Larger, T>,
          .min_columns = &extreme_columns<Smaller, T>,
          .find = &find<T>,
          .argmax_columns = &choose_columns<Gt, T>,
          .argmin_columns = &choose_columns<Lt, T>,
          .cumulate_columns = &cumulate_columns<T>};
}

}  // namespace

constinit const ReduceTable reduce{.of_f32 = table<float>(), .of_f64 = table<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
