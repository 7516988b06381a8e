#include "cpu/vector/tree_predict.h"

#include "cpu/vector/lane.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr int kPlaces = 511;

// ---- How many of 16 ascending numbers are below a value.

#if defined(__AVX512F__)
TERN_INLINE int below(const double* cuts, double value) {
  const __m512d x = _mm512_set1_pd(value);
  const unsigned low = _mm512_cmp_pd_mask(_mm512_loadu_pd(cuts), x, _CMP_LT_OQ);
  const unsigned high = _mm512_cmp_pd_mask(_mm512_loadu_pd(cuts + 8), x, _CMP_LT_OQ);
  return __builtin_ctz(~(low | high << 8));  // they ascend, so the ones stand together
}
#elif defined(__AVX2__)
TERN_INLINE int below(const double* cuts, double value) {
  const __m256d x = _mm256_set1_pd(value);
  unsigned mask = 0;
  TERN_UNROLL for (int i = 0; i < 4; ++i) {
    const auto bits = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(cuts + 4 * i), x, _CMP_LT_OQ));
    mask |= static_cast<unsigned>(bits) << 4 * i;
  }
  return __builtin_ctz(~mask);
}
#else
TERN_INLINE int below(const double* cuts, double value) {
  int count = 0;
  TERN_UNROLL for (int step = 8; step > 0; step /= 2) count += cuts[count + step - 1] < value ? step : 0;
  return count + (cuts[count] < value ? 1 : 0);
}
#endif

void count(const double* values, const double* cuts, const double* heads, std::uint16_t* codes) {
  for (std::int64_t i = 0; i < kTreeRows; ++i) {
    const double value = values[i];
    const int block = 16 * below(heads, value);
    codes[i] = static_cast<std::uint16_t>(value == value ? block + below(cuts + block, value) : 0xFFFF);
  }
}

// ---- The leaf of each row: every node is looked at for all rows, and a mask says which of them reach it.

#if defined(__AVX512F__)
TERN_INLINE __mmask64 goes_left(const TreeStep& step, const std::uint8_t* codes, __mmask64 here) {
  const __m512i code = _mm512_loadu_si512(codes + kTreeRows * step.column);
  return _mm512_mask_cmple_epu8_mask(here, code, _mm512_set1_epi8(static_cast<char>(step.cut)));
}

TERN_INLINE __mmask64 in_set(const std::uint8_t* set, const std::uint8_t* codes, __mmask64 here) {
  const __m512i low = _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m512i high =
      _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m512i bytes = _mm512_or_si512(_mm512_shuffle_epi8(low, _mm512_loadu_si512(codes)),
                                        _mm512_shuffle_epi8(high, _mm512_loadu_si512(codes + kTreeRows)));
  return _mm512_mask_test_epi8_mask(here, bytes, _mm512_loadu_si512(codes + 2 * kTreeRows));
}

void leaves(const TreeProgram& tree, const std::uint8_t* codes, std::uint8_t* leaf) {
  __mmask64 masks[kPlaces];
  masks[0] = ~__mmask64{0};
  const std::uint8_t(*set)[32] = tree.sets;
  for (std::int32_t node = 0; node < tree.nodes; ++node) {
    const TreeStep step = tree.steps[node];
    const __mmask64 here = masks[node];
    const __mmask64 left =
        step.categorical ? in_set(*set++, codes + kTreeRows * step.column, here) : goes_left(step, codes, here);
    masks[step.left] = left;
    masks[step.right] = here & ~left;
  }
  __m512i number = _mm512_setzero_si512(), result = number;
  const __m512i one = _mm512_set1_epi8(1);
  for (std::int32_t i = 0; i <= tree.nodes; ++i) {
    result = _mm512_mask_mov_epi8(result, masks[tree.nodes + i], number);
    number = _mm512_add_epi8(number, one);
  }
  _mm512_storeu_si512(leaf, result);
}
#else
typedef std::uint8_t Bytes __attribute__((vector_size(TERN_VECTOR_BYTES)));
typedef std::uint8_t UnalignedBytes __attribute__((vector_size(TERN_VECTOR_BYTES), aligned(1), may_alias));

TERN_INLINE Bytes load(const std::uint8_t* from) { return *reinterpret_cast<const UnalignedBytes*>(from); }

TERN_INLINE Bytes in_set(const std::uint8_t* set, const std::uint8_t* codes) {
#if defined(__AVX2__)
  const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m256i bytes = _mm256_or_si256(_mm256_shuffle_epi8(low, reinterpret_cast<__m256i>(load(codes))),
                                        _mm256_shuffle_epi8(high, reinterpret_cast<__m256i>(load(codes + kTreeRows))));
  return reinterpret_cast<Bytes>((reinterpret_cast<Bytes>(bytes) & load(codes + 2 * kTreeRows)) != 0);
#else
  Bytes result{};
  for (int i = 0; i < TERN_VECTOR_BYTES; ++i) {
    const std::uint8_t low = codes[i], high = codes[kTreeRows + i];
    const std::uint8_t byte = set[low < 16 ? low : 16 + (high & 15)];
    result[i] = (byte & codes[2 * kTreeRows + i]) != 0 ? 0xFF : 0;
  }
  return result;
#endif
}

void leaves(const TreeProgram& tree, const std::uint8_t* codes, std::uint8_t* leaf) {
  Bytes masks[kPlaces];
  for (std::int64_t first = 0; first < kTreeRows; first += TERN_VECTOR_BYTES) {
    masks[0] = ~Bytes{};
    const std::uint8_t(*set)[32] = tree.sets;
    for (std::int32_t node = 0; node < tree.nodes; ++node) {
      const TreeStep step = tree.steps[node];
      const Bytes here = masks[node];
      const std::uint8_t* column = codes + kTreeRows * step.column + first;
      const Bytes left =
          step.categorical ? in_set(*set++, column) : reinterpret_cast<Bytes>(load(column) <= (Bytes{} + step.cut));
      masks[step.left] = here & left;
      masks[step.right] = here & ~left;
    }
    Bytes number{}, result{};
    for (std::int32_t i = 0; i <= tree.nodes; ++i) {
      result |= masks[tree.nodes + i] & number;
      number += 1;
    }
    *reinterpret_cast<UnalignedBytes*>(leaf + first) = result;
  }
}
#endif

}  // namespace

const TreePredictTable tree_predict{.count = count, .leaves = leaves};

}  // namespace tern::kernels::cpu::TERN_TARGET
