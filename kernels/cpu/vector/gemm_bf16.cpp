#include "cpu/vector/gemm.h"
#include "cpu/vector/gemm_tile.h"

// Matrix products in bf16. A lane holds the elements 2i and 2i + 1 of a row of A or a column of B. Both operands are
// always packed: what they lie in has other neighbours, or must be rounded first.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr int kLanes = Lane<float>::kLanes;
constexpr int64_t kWidth = kVectors * kLanes;  // columns of a panel of B
constexpr int64_t kDepth = 512;                // pairs of a stretch of k
constexpr int64_t kColumns = 192;              // of B at a time
constexpr int64_t kPackedRows = 512;           // of A at a time
constexpr int64_t kPackedElements = int64_t{1} << 20;

struct Pairs {
  using Scalar = float;
  static constexpr bool kPacked = true;
  static TERN_INLINE Lane<float> broadcast(const float* p) {
    int pair;
    __builtin_memcpy(&pair, p, sizeof pair);
    return Lane<float>(reinterpret_cast<Lane<float>::Vector>(_mm512_set1_epi32(pair)));
  }
  static TERN_INLINE Lane<float> multiply_add(Lane<float> a, Lane<float> b, Lane<float> sum) {
    return Lane<float>(reinterpret_cast<Lane<float>::Vector>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum.vector),
                                                                              reinterpret_cast<__m512bh>(a.vector),
                                                                              reinterpret_cast<__m512bh>(b.vector))));
  }
};

TERN_INLINE __mmask16 first16(int64_t n) {
  return n >= 16  ? static_cast<__mmask16>(0xFFFF)
         : n <= 0 ? static_cast<__mmask16>(0)
                  : first_lanes(static_cast<int>(n));
}
TERN_INLINE __mmask32 first32(int64_t n) { return n >= 32 ? 0xFFFFFFFFu : n <= 0 ? 0u : (1u << n) - 1; }

TERN_INLINE Lane<float> as_lane(__m512i bits) { return Lane<float>(reinterpret_cast<Lane<float>::Vector>(bits)); }

// The words of the lower half in even places, those of the upper half in odd ones.
TERN_INLINE __m512i interleave_halves(__m512i words) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_maskz_permutexvar_epi16(0xFFFFFFFFu, order, words);
}

// Pairs of `columns` neighbours in one row and the next, which is missing when there is no `second`.
TERN_INLINE Lane<float> across(const float* row, int64_t step, bool second, int64_t columns) {
  const __mmask16 mask = first16(columns);
  const __m512 low = _mm512_maskz_loadu_ps(mask, row);
  const __m512 high = second ? _mm512_maskz_loadu_ps(mask, row + step) : _mm512_setzero_ps();
  return as_lane(interleave_halves(reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low))));
}
TERN_INLINE Lane<float> across(const std::uint16_t* row, int64_t step, bool second, int64_t columns) {
  const __mmask16 mask = first16(columns);
  const __m256i low = _mm256_maskz_loadu_epi16(mask, row);
  const __m256i high = second ? _mm256_maskz_loadu_epi16(mask, row + step) : _mm256_setzero_si256();
  const __m512i odd = _mm512_maskz_slli_epi32(0xFFFF, _mm512_maskz_cvtepu16_epi32(0xFFFF, high), 16);
  return as_lane(_mm512_or_si512(_mm512_maskz_cvtepu16_epi32(0xFFFF, low), odd));
}

// Pairs along k from contiguous elements, of which so many are left.
TERN_INLINE Lane<float> along(const float* p, int64_t left) {
  return as_lane(reinterpret_cast<__m512i>(
      _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(first16(left - 16), p + 16), _mm512_maskz_loadu_ps(first16(left), p))));
}
TERN_INLINE Lane<float> along(const std::uint16_t* p, int64_t left) {
  return as_lane(_mm512_maskz_loadu_epi16(first32(left), p));
}

TERN_INLINE std::uint16_t word(std::uint16_t x) { return x; }
TERN_INLINE std::uint16_t word(float x) {
  const __m512i both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(_mm512_setzero_ps(), _mm512_set1_ps(x)));
  return static_cast<std::uint16_t>(reinterpret_cast<Lane<float>::Unsigned>(both)[0]);
}

// to[p * width + j] = the pair of from[(2p, 2p + 1) * row + j * column], j < columns ≤ width; 0 for the others.
template <class S>
void pack_panel(const S* from, int64_t row, int64_t column, int64_t k, int64_t columns, float* to, int64_t width) {
  const int64_t pairs = (k + 1) / 2;
  for (int64_t j = 0; j < width; j += kLanes) {
    const int room = static_cast<int>(less(width - j, kLanes));
    const int64_t given = less(columns - j, kLanes);
    if (column == 1) {
      for (int64_t p = 0; p < pairs; ++p) {
        across(from + 2 * p * row + j, row, 2 * p + 1 < k, given).store(to + p * width + j, room);
      }
    } else if (row == 1) {
      for (int64_t p = 0; p < pairs; p += kLanes) {
        const int64_t left = k - 2 * p;
        Lane<float> lines[kLanes];
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) {
          lines[i] = i < given ? along(from + (j + i) * column + 2 * p, left) : Lane<float>(0);
        }
        transpose(lines);
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) {
          if (p + i < pairs) lines[i].store(to + (p + i) * width + j, room);
        }
      }
    } else {
      for (int64_t p = 0; p < pairs; ++p) {
        for (int i = 0; i < room; ++i) {
          const S* at = from + 2 * p * row + (j + i) * column;
          const std::uint32_t low = i < given ? word(*at) : 0u;
          const std::uint32_t high = i < given && 2 * p + 1 < k ? word(at[row]) : 0u;
          const std::uint32_t pair = low | high << 16;
          __builtin_memcpy(to + p * width + j + i, &pair, sizeof pair);
        }
      }
    }
  }
}

// As in gemm.cpp: panels of kWidth columns, and tiles of rows.
template <class S>
void pack_columns(const S* from, int64_t row, int64_t column, int64_t k, int64_t columns, float* to) {
  const int64_t strip = column == 1 ? 2 * kStrip : more(k, 1), pairs = (k + 1) / 2;
  for (int64_t k0 = 0; k0 < k; k0 += strip) {
    for (int64_t j = 0; j < columns; j += kWidth) {
      const int64_t n = less(kWidth, columns - j), padded = whole_vectors<float>(n);
      pack_panel(from + k0 * row + j * column, row, column, less(strip, k - k0), n, to + j * pairs + k0 / 2 * padded,
                 padded);
    }
  }
}
template <class S>
void pack_rows(const S* from, int64_t row, int64_t column, int64_t k, const RowTiles& tiles, float* to) {
  const int64_t strip = row == 1 ? 2 * kStrip : more(k, 1), pairs = (k + 1) / 2;
  for (int64_t k0 = 0; k0 < k; k0 += strip) {
    int64_t i = 0;
    for (int64_t t = 0; t < tiles.count; ++t) {
      const int64_t rows = tiles.of(t);
      pack_panel(from + i * row + k0 * column, column, row, less(strip, k - k0), rows, to + i * pairs + k0 / 2 * rows,
                 rows);
      i += rows;
    }
  }
}

template <class In, class S>
void block(const GemmBlock<In, float>& g, const S* a, const S* b) {
  if (g.m == 0 || g.n == 0) return;
  const int64_t a_row = g.m == 1 ? 1 : g.a_row, b_column = g.n == 1 ? 1 : g.b_column;
  const int64_t rows_at_once = less(g.m, more(kPackedRows, kPackedElements / (g.k + 1)));
  const int64_t deep_at_once =
      more(1, less(g.k, more(2 * kDepth, kPackedElements / rows_at_once / (2 * kDepth) * (2 * kDepth))));
  const int64_t of_a = rows_at_once * ((deep_at_once + 1) / 2);
  const int64_t of_b = kDepth * whole_vectors<float>(less(kColumns, g.n));
  std::uint32_t size_class = 0;
  auto* packed_a = static_cast<float*>(
      take_scratch(static_cast<std::size_t>((of_a + 63) / 64 * 64 + of_b + 64) * sizeof(float), size_class));
  float* packed_b = packed_a + (of_a + 63) / 64 * 64;

  Tile<float> tile;
  tile.c_row = g.c_row;
  for (int64_t i0 = 0; i0 < g.m; i0 += rows_at_once) {
    const int64_t m = less(rows_at_once, g.m - i0);
    const RowTiles tiles(m);
    for (int64_t d0 = 0; d0 == 0 || d0 < g.k; d0 += deep_at_once) {
      const int64_t deep = less(deep_at_once, g.k - d0);
      for (int64_t k0 = 0; k0 < deep; k0 += 2 * kDepth) {
        pack_rows(a + i0 * a_row + (d0 + k0) * g.a_column, a_row, g.a_column, less(2 * kDepth, deep - k0), tiles,
                  packed_a + k0 / 2 * m);
      }
      for (int64_t j0 = 0; j0 < g.n; j0 += kColumns) {
        const int64_t j1 = less(g.n, j0 + kColumns);
        for (int64_t k0 = d0; k0 == d0 || k0 < d0 + deep; k0 += 2 * kDepth) {
          const int64_t k = less(2 * kDepth, d0 + deep - k0), pairs = (k + 1) / 2;
          const bool last = k0 + k == g.k;
          pack_columns(b + k0 * g.b_row + j0 * b_column, g.b_row, b_column, k, j1 - j0, packed_b);
          tile.k = pairs;
          tile.accumulate = g.accumulate || k0 > 0;
          tile.relu = last && g.relu;
          tile.a = packed_a + (k0 - d0) / 2 * m;
          int64_t i = i0;
          for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t rows = tiles.of(t);
            tile.a_step = rows;
            for (int64_t j = j0; j < j1; j += kWidth) {
              const int64_t columns = less(kWidth, j1 - j), used = (columns + kLanes - 1) / kLanes;
              tile.tail = static_cast<int>(columns - (used - 1) * kLanes);
              tile.b = packed_b + (j - j0) * pairs;
              tile.b_row = used * kLanes;
              tile.c = g.c + i * g.c_row + j;
              tile.bias = last && g.bias ? g.bias + j : nullptr;
              micros<Pairs>.at[1][tile.tail != kLanes][rows][used](tile);
            }
            tile.a += rows * pairs;
            i += rows;
          }
        }
      }
    }
  }
  give_scratch(packed_a, size_class);
}

void block_f32(const GemmBlock<float>& g) { block(g, g.a, g.b); }
void block_bf16(const GemmBlock<BFloat16, float>& g) {
  block(g, reinterpret_cast<const std::uint16_t*>(g.a), reinterpret_cast<const std::uint16_t*>(g.b));
}

}  // namespace

constinit const GemmBf16Table gemm_bf16{.f32 = &block_f32, .bf16 = &block_bf16};

}  // namespace tern::kernels::cpu::TERN_TARGET
