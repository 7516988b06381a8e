#include "cpu/vector/trees.h"

#include "cpu/vector/lane.h"
#include "functors/math.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

using std::int32_t;
using std::int64_t;
using std::uint32_t;
using std::uint8_t;

void flush(int32_t* sums, PairSum* histogram, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const int32_t sum = sums[i];
    histogram[i] += (static_cast<int64_t>(sum >> 16) << 32) + (sum & 0xFFFF);
    sums[i] = 0;
  }
}

void add(PairSum* to, const PairSum* what, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] += what[i];
}

void subtract(PairSum* from, const PairSum* what, int64_t n) {
  for (int64_t i = 0; i < n; ++i) from[i] -= what[i];
}

int64_t partition(const uint8_t* column, const uint32_t (&set)[8], const uint32_t* rows, int64_t begin, int64_t end,
                  uint32_t* left, uint32_t* right) {
  int64_t l = 0, r = 0, i = begin;
#if defined(__AVX512F__)
  const __m512i words = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(set)));
  const __m512i byte = _mm512_set1_epi32(0xFF), bit = _mm512_set1_epi32(31), one = _mm512_set1_epi32(1);
  const __m512i count = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (; i + 16 <= end; i += 16) {
    const __m512i row =
        rows ? _mm512_loadu_si512(rows + i) : _mm512_add_epi32(count, _mm512_set1_epi32(static_cast<int32_t>(i)));
    const __m512i bins = _mm512_and_si512(_mm512_mask_i32gather_epi32(byte, 0xFFFF, row, column, 1), byte);
    const __m512i word = _mm512_maskz_permutexvar_epi32(0xFFFF, _mm512_maskz_srli_epi32(0xFFFF, bins, 5), words);
    const __m512i mask = _mm512_maskz_sllv_epi32(0xFFFF, one, _mm512_and_si512(bins, bit));
    const __mmask16 goes = _mm512_test_epi32_mask(word, mask);
    const int n = __builtin_popcount(goes);
    _mm512_mask_storeu_epi32(left + l, first_lanes(n), _mm512_maskz_compress_epi32(goes, row));
    _mm512_mask_storeu_epi32(right + r, first_lanes(16 - n),
                             _mm512_maskz_compress_epi32(static_cast<__mmask16>(~goes), row));
    l += n;
    r += 16 - n;
  }
#endif
  for (; i < end; ++i) {
    const uint32_t row = rows ? rows[i] : static_cast<uint32_t>(i);
    const uint32_t bin = column[row], goes = (set[bin / 32] >> (bin % 32)) & 1;
    left[l] = row;  // in place: never ahead of what is read
    right[r] = row;
    l += goes;
    r += 1 - goes;
  }
  return l;
}

using Real = Lane<double>;
using Words = LaneTypes<double>::Unsigned;

// Integers of 32 bits as doubles: as the last bits of 2^52, less what that adds.
TERN_INLINE Real gradients_of(Words sums) {
  return Real::from_bits(((sums >> 32) ^ 0x80000000) | 0x4330000000000000) - Real(0x1p52 + 0x1p31);
}
TERN_INLINE Real hessians_of(Words sums) {
  return Real::from_bits((sums & 0xFFFFFFFF) | 0x4330000000000000) - Real(0x1p52);
}

BestThreshold best_threshold(const PairSum* histogram, const ThresholdSearch& search) {
  constexpr int kLanes = Real::kLanes;
  const int64_t bins = search.bins, whole = (bins + kLanes - 1) / kLanes * kLanes;
  PairSum left[256 + kLanes];
  PairSum sum = search.beside;
  for (int64_t i = 0; i < bins; ++i) left[i] = sum += histogram[i];
  for (int64_t i = bins; i < whole; ++i) left[i] = 0;  // no hessian: never the best
  const Real g(search.g), h(search.h), lambda(search.lambda), least(search.least);
  Real best_top(0), best_bottom(1), best_at(-1), at(0);
  for (int l = 0; l < kLanes; ++l) at.vector[l] = l;
  for (int64_t i = 0; i < whole; i += kLanes) {
    Words sums;
    __builtin_memcpy(&sums, left + i, sizeof sums);
    const Real gl = gradients_of(sums), hl = hessians_of(sums), gr = g - gl, hr = h - hl;
    const Real dl = hl + lambda, dr = hr + lambda;
    const Real top = gl * gl * dr + gr * gr * dl, bottom = dl * dr;
    const auto better = (hl >= least) & (hr >= least) & (top * best_bottom > best_top * bottom);
    best_top = select(better, top, best_top);
    best_bottom = select(better, bottom, best_bottom);
    best_at = select(better, at, best_at);
    at = at + Real(kLanes);
  }
  BestThreshold best;
  for (int l = 0; l < kLanes; ++l) {
    const auto bin = static_cast<int64_t>(best_at.vector[l]);
    if (bin < 0) continue;
    const double ours = best_top.vector[l] * best.denominator, theirs = best.numerator * best_bottom.vector[l];
    if (best.bin < 0 || ours > theirs || (ours == theirs && bin < best.bin)) {
      best = {best_top.vector[l], best_bottom.vector[l], bin};
    }
  }
  return best;
}

using Float = Lane<float>;
constexpr int kFloats = Float::kLanes;

void logistic(const double* margins, const float* labels, int64_t n, float* pairs) {
  for (int64_t i = 0; i < n; i += kFloats) {
    const int count = n - i < kFloats ? static_cast<int>(n - i) : kFloats;
    float m[kFloats] = {}, y[kFloats] = {}, out[2 * kFloats];
    for (int l = 0; l < count; ++l) m[l] = static_cast<float>(margins[i + l]);
    __builtin_memcpy(y, labels + i, static_cast<std::size_t>(count) * sizeof *y);
    const Float p = Float(1) / (Float(1) + math::exp(-Float::load(m)));
    const Float g = p - Float::load(y), h = p * (Float(1) - p);
    interleave_low(g, h).store(out);
    interleave_high(g, h).store(out + kFloats);
    __builtin_memcpy(pairs + 2 * i, out, static_cast<std::size_t>(count) * 2 * sizeof *out);
  }
}

// Of Wellons, "Prospecting for hash functions" (2018): the mixer of lowest bias of its form.
TERN_INLINE uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

// By keys of the rows, or by their numbers without.
template <bool Keyed>
TERN_INLINE void quantise(const float* pairs, int64_t n, uint32_t seed, uint32_t first, const uint32_t* keys,
                          float g_scale, float h_scale, int32_t* packed) {
  for (int64_t i = 0; i < n; ++i) {
    uint32_t row = first + static_cast<uint32_t>(i);
    if constexpr (Keyed) {
      uint32_t bits;
      __builtin_memcpy(&bits, pairs + 2 * i, sizeof bits);
      row = keys[i] ^ mixed(bits);
    }
    const uint32_t random = mixed(row ^ seed);
    const float g = pairs[2 * i] * g_scale, h = pairs[2 * i + 1] * h_scale;
    auto g_down = static_cast<int32_t>(g), h_down = static_cast<int32_t>(h);
    g_down -= static_cast<float>(g_down) > g;  // a hessian is not negative
    // Up as often as what is cut off says; never where that is nothing.
    g_down += static_cast<float>(static_cast<int32_t>(random >> 16)) * 0x1p-16f < g - static_cast<float>(g_down);
    h_down += static_cast<float>(static_cast<int32_t>(random & 0xFFFF)) * 0x1p-16f < h - static_cast<float>(h_down);
    packed[i] = g_down * 65536 + h_down;
  }
}
void quantise_rows(const float* pairs, int64_t n, uint32_t seed, uint32_t first, float g_scale, float h_scale,
                   int32_t* packed) {
  quantise<false>(pairs, n, seed, first, nullptr, g_scale, h_scale, packed);
}
void quantise_keyed(const float* pairs, int64_t n, uint32_t seed, const uint32_t* keys, float g_scale, float h_scale,
                    int32_t* packed) {
  quantise<true>(pairs, n, seed, 0, keys, g_scale, h_scale, packed);
}

// A binary search in eight steps for many values side by side.
template <class T>
TERN_INLINE void bins(const T* values, int64_t step, int64_t n, const T* thresholds, uint8_t missing, uint8_t* out) {
  constexpr int kSide = 16;
  for (int64_t i = 0; i < n; i += kSide) {
    T value[kSide];
    int32_t bin[kSide] = {};
    const int count = n - i < kSide ? static_cast<int>(n - i) : kSide;
    for (int l = 0; l < kSide; ++l) value[l] = values[(i + (l < count ? l : 0)) * step];
    for (int32_t half = 128; half > 0; half /= 2) {
      for (int l = 0; l < kSide; ++l) bin[l] += thresholds[bin[l] + half - 1] < value[l] ? half : 0;
    }
    for (int l = 0; l < count; ++l) out[i + l] = value[l] == value[l] ? static_cast<uint8_t>(bin[l]) : missing;
  }
}
void bins_f32(const float* values, int64_t step, int64_t n, const float* thresholds, uint8_t missing, uint8_t* out) {
  bins(values, step, n, thresholds, missing, out);
}
void bins_f64(const double* values, int64_t step, int64_t n, const double* thresholds, uint8_t missing, uint8_t* out) {
  bins(values, step, n, thresholds, missing, out);
}

}  // namespace

constinit const TreesTable trees{.flush = &flush,
                                 .add = &add,
                                 .subtract = &subtract,
                                 .partition = &partition,
                                 .best_threshold = &best_threshold,
                                 .logistic = &logistic,
                                 .quantise = &quantise_rows,
                                 .quantise_keyed = &quantise_keyed,
                                 .bins_f32 = &bins_f32,
                                 .bins_f64 = &bins_f64};

}  // namespace tern::kernels::cpu::TERN_TARGET
