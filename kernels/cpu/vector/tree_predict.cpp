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

void count(const double* values, std::int64_t n, const double* cuts, const double* heads, std::uint16_t* codes) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = values[i];
    const int block = 16 * below(heads, value);
    codes[i] = static_cast<std::uint16_t>(value == value ? block + below(cuts + block, value) : 0xFFFF);
  }
}

// ---- The leaf of each row: every node is looked at for all rows, and a mask says which of them reach it.

#if defined(__AVX512F__)
TERN_INLINE std::uint64_t in_set(const std::uint8_t* set, const std::uint8_t* codes) {
  const __m512i low = _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_loadu_si128(reinterpret_cast<const __m128i*>(set)));
  const __m512i high =
      _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_loadu_si128(reinterpret_cast<const __m128i*>(set + 16)));
  const __m512i bytes = _mm512_or_si512(_mm512_shuffle_epi8(low, _mm512_loadu_si512(codes)),
                                        _mm512_shuffle_epi8(high, _mm512_loadu_si512(codes + kTreeRows)));
  return _cvtmask64_u64(_mm512_test_epi8_mask(bytes, _mm512_loadu_si512(codes + 2 * kTreeRows)));
}

void leaves(const TreeProgram& tree, const std::uint8_t* codes, std::uint8_t* leaf) {
  std::uint64_t masks[kPlaces][2];
  masks[0][0] = masks[0][1] = ~std::uint64_t{0};
  const std::uint8_t(*set)[32] = tree.sets;
  for (std::int32_t node = 0; node < tree.nodes; ++node) {
    const TreeStep& step = tree.steps[node];
    const std::uint8_t* column = codes + kTreeRows * step.column;
    std::uint64_t left[2];
    if (step.categorical) {
      left[0] = in_set(*set, column);
      left[1] = in_set(*set++, column + 64);
    } else {
      const __m512i cut = _mm512_set1_epi8(static_cast<char>(step.cut));
      left[0] = _cvtmask64_u64(_mm512_cmple_epu8_mask(_mm512_loadu_si512(column), cut));
      left[1] = _cvtmask64_u64(_mm512_cmple_epu8_mask(_mm512_loadu_si512(column + 64), cut));
    }
    TERN_UNROLL for (int half = 0; half < 2; ++half) {
      const std::uint64_t here = masks[node][half];
      masks[step.left][half] = here & left[half];
      masks[step.right][half] = here & ~left[half];
    }
  }
  __m512i number = _mm512_setzero_si512(), first = number, second = number;
  const __m512i one = _mm512_set1_epi8(1);
  for (std::int32_t i = 0; i <= tree.nodes; ++i) {
    first = _mm512_mask_mov_epi8(first, masks[tree.nodes + i][0], number);
    second = _mm512_mask_mov_epi8(second, masks[tree.nodes + i][1], number);
    number = _mm512_add_epi8(number, one);
  }
  _mm512_storeu_si512(leaf, first);
  _mm512_storeu_si512(leaf + 64, second);
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

// ---- One row through many trees: the codes stay in two registers, so that a step waits for the node alone.

#if defined(__AVX512F__)
// Four steps in 64 trees, from `at`; says which of each 16 are not at a leaf yet. More would spill.
TERN_INLINE void four_steps(const std::uint32_t* nodes, __m512i low, __m512i high, const std::int32_t* roots,
                            __m512i (&at)[4], __mmask16 (&going)[4]) {
  const __m512i byte = _mm512_set1_epi32(255);
  for (int step = 0; step < 4; ++step) {
    TERN_UNROLL for (int i = 0; i < 4; ++i) {
      const __m512i node = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xFFFF, at[i], nodes, 4);
      const __m512i column = _mm512_and_si512(_mm512_maskz_srli_epi32(0xFFFF, node, 8), byte);
      const __m512i code = _mm512_and_si512(_mm512_permutex2var_epi16(low, column, high), byte);
      const __m512i above = _mm512_sub_epi32(_mm512_and_si512(node, byte), code);
      const __m512i left =
          _mm512_add_epi32(_mm512_loadu_si512(roots + 16 * i), _mm512_maskz_srli_epi32(0xFFFF, node, 16));
      const __m512i next = _mm512_add_epi32(left, _mm512_maskz_srli_epi32(0xFFFF, above, 31));
      if (step == 3) going[i] = _mm512_cmpneq_epi32_mask(next, at[i]);
      at[i] = next;
    }
  }
}

void walk(const std::uint32_t* nodes, const std::int32_t* roots, std::int32_t count, const std::uint16_t* codes,
          std::int32_t* at) {
  alignas(64) std::int32_t root[kWalkTrees + 64], place[kWalkTrees + 64], tree[kWalkTrees + 64];
  for (std::int32_t i = 0; i < kWalkTrees; ++i) {
    root[i] = place[i] = roots[i < count ? i : 0];
    tree[i] = i;
  }
  const __m512i low = _mm512_loadu_si512(codes), high = _mm512_loadu_si512(codes + 32);
  while (count > 0) {
    std::int32_t left = 0;
    for (std::int32_t i = 0; i < count; i += 64) {
      __m512i now[4];
      __mmask16 going[4];
      TERN_UNROLL for (int j = 0; j < 4; ++j) now[j] = _mm512_loadu_si512(place + i + 16 * j);
      four_steps(nodes, low, high, root + i, now, going);
      TERN_UNROLL for (int j = 0; j < 4; ++j) {  // those that go on move to the front
        const std::int32_t first = i + 16 * j, real = count - first;
        const auto valid = static_cast<__mmask16>(real >= 16 ? 0xFFFF : real <= 0 ? 0 : (1 << real) - 1);
        const __m512i which = _mm512_loadu_si512(tree + first);
        _mm512_mask_i32scatter_epi32(at, valid, which, now[j], 4);
        const auto on = static_cast<__mmask16>(going[j] & valid);
        const __m512i from = _mm512_loadu_si512(root + first);
        _mm512_mask_compressstoreu_epi32(root + left, on, from);
        _mm512_mask_compressstoreu_epi32(place + left, on, now[j]);
        _mm512_mask_compressstoreu_epi32(tree + left, on, which);
        left += __builtin_popcount(on);
      }
    }
    count = left;
  }
}
#else
constexpr auto walk = nullptr;
#endif

// ---- One row through trees side by side.

#if defined(__AVX512F__)
void remaining_leaves(const std::uint16_t* nodes, const std::uint32_t* keep, std::int32_t slots,
                      const std::uint16_t* codes, std::uint32_t* leaves) {
  const __m512i low = _mm512_loadu_si512(codes), high = _mm512_loadu_si512(codes + 32);
  const __m512i byte = _mm512_set1_epi16(255);
  __m512i first = _mm512_set1_epi32(-1), second = first;
  for (std::int32_t slot = 0; slot < slots; ++slot, nodes += kSideBySide, keep += kSideBySide) {
    const __m512i node = _mm512_loadu_si512(nodes);
    const __m512i code = _mm512_permutex2var_epi16(low, _mm512_srli_epi16(node, 8), high);
    const std::uint32_t right = _cvtmask32_u32(_mm512_cmpgt_epu16_mask(code, _mm512_and_si512(node, byte)));
    first = _mm512_mask_and_epi32(first, static_cast<__mmask16>(right), first, _mm512_loadu_si512(keep));
    second = _mm512_mask_and_epi32(second, static_cast<__mmask16>(right >> 16), second, _mm512_loadu_si512(keep + 16));
  }
  _mm512_storeu_si512(leaves, first);
  _mm512_storeu_si512(leaves + 16, second);
}
#elif defined(__AVX2__)
void remaining_leaves(const std::uint16_t* nodes, const std::uint32_t* keep, std::int32_t slots,
                      const std::uint16_t* codes, std::uint32_t* leaves) {
  const auto load = [](const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); };
  const __m256i byte = _mm256_set1_epi16(255);
  __m256i sixteen[4], remain[4];  // codes as bytes, twice each; leaves of trees 0 to 7, 16 to 23, 8 to 15, 24 to 31
  TERN_UNROLL for (int i = 0; i < 4; ++i) {
    const __m256i some = load(codes + 16 * i);
    sixteen[i] = _mm256_permute4x64_epi64(_mm256_packus_epi16(some, some), 0b10'00'10'00);
    remain[i] = _mm256_set1_epi32(-1);
  }
  for (std::int32_t slot = 0; slot < slots; ++slot, nodes += kSideBySide, keep += kSideBySide) {
    const __m256i low = load(nodes), high = load(nodes + 16);
    const __m256i column = _mm256_packus_epi16(_mm256_srli_epi16(low, 8), _mm256_srli_epi16(high, 8));
    const __m256i cut = _mm256_packus_epi16(_mm256_and_si256(low, byte), _mm256_and_si256(high, byte));
    const __m256i odd = _mm256_slli_epi16(column, 3), upper = _mm256_slli_epi16(column, 2);  // bits 4 and 5 lead
    const auto look = [&](int i) { return _mm256_shuffle_epi8(sixteen[i], column); };
    const __m256i code =
        _mm256_blendv_epi8(_mm256_blendv_epi8(look(0), look(1), odd), _mm256_blendv_epi8(look(2), look(3), odd), upper);
    const __m256i passes = _mm256_cmpeq_epi8(_mm256_min_epu8(code, cut), code);
    const __m128i half[2] = {_mm256_castsi256_si128(passes), _mm256_extracti128_si256(passes, 1)};
    TERN_UNROLL for (int i = 0; i < 4; ++i) {
      const __m128i eight = i % 2 == 0 ? half[i / 2] : _mm_srli_si128(half[i / 2], 8);
      const __m256i kept = _mm256_or_si256(load(keep + 16 * (i % 2) + 8 * (i / 2)), _mm256_cvtepi8_epi32(eight));
      remain[i] = _mm256_and_si256(remain[i], kept);
    }
  }
  TERN_UNROLL for (int i = 0; i < 4; ++i) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(leaves + 16 * (i % 2) + 8 * (i / 2)), remain[i]);
  }
}
#else
constexpr auto remaining_leaves = nullptr;
#endif

}  // namespace

const TreePredictTable tree_predict{
    .count = count, .leaves = leaves, .walk = walk, .remaining_leaves = remaining_leaves};

}  // namespace tern::kernels::cpu::TERN_TARGET
