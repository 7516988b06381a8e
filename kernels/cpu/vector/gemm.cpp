#include "cpu/vector/gemm.h"

#include "cpu/vector/gemm_tile.h"

// The contract stands at GemmArgs: an element of C is one chain in order of k. Tiles of C stay in registers while k
// runs; where k is cut, the next stretch starts from what the last one stored, so no cut shows in the bits.
//
// A is read as it lies when its rows are contiguous and packing does not pay, else it is packed, tile by tile, once for
// all columns. B is read as it lies when its rows are contiguous and few rows of A reuse it, else it is packed in
// panels that stay in the cache while all tiles of rows go over them.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr int64_t kDepth = 768;          // of a stretch of k at most
constexpr int64_t kColumns = 96;         // of B at a time: a stretch of them, and A beside it, stay in the second cache
constexpr int64_t kDirectRows = 64;      // more rows of A than this pay for packing a B
constexpr int64_t kDirectB = 256 * 256;  // with more elements than this
constexpr int64_t kDirectA = 64 * 64;    // elements of a transposed A that are read as they lie
constexpr int64_t kPackedRows = 512;     // of A at a time, packed
constexpr int64_t kPackedElements = 1 << 22;
constexpr int64_t kNearB = 1 << 18;  // elements of a B that stays in the second cache anyhow
constexpr int64_t kNearA = 1 << 21;  // of an A that stays in the third
constexpr int64_t kNearC = 1 << 16;  // of a C that is at hand

template <class T>
struct Real {
  using Scalar = T;
  static constexpr bool kPacked = false;
  static TERN_INLINE Lane<T> broadcast(const T* p) { return Lane<T>(*p); }
  static TERN_INLINE Lane<T> multiply_add(Lane<T> a, Lane<T> b, Lane<T> sum) {
#if defined(__AVX2__)
    // By this form alone: g++ else takes those that overwrite a factor, and moves sums about.
    if constexpr (sizeof(T) == 4) {
      asm("vfmadd231ps %2, %1, %0" : "+v"(sum.vector) : "v"(a.vector), "v"(b.vector));
    } else {
      asm("vfmadd231pd %2, %1, %0" : "+v"(sum.vector) : "v"(a.vector), "v"(b.vector));
    }
    return sum;
#else
    return fma(a, b, sum);
#endif
  }
};

// to[k * width + j] = from[k * row + j * column] for `columns` ≤ width of them, 0 for the others.
template <class T>
void pack_panel(const T* from, int64_t row, int64_t column, int64_t k, int64_t columns, T* to, int64_t width) {
  using L = Lane<T>;
  constexpr int kLanes = L::kLanes;
  if (column == 1) {
    for (int64_t j = 0; j < width; j += kLanes) {
      const int64_t given = columns - j, room = width - j;
      if (given >= kLanes) {
        for (int64_t p = 0; p < k; ++p) L::load(from + p * row + j).store(to + p * width + j);
      } else {
        const int n = given > 0 ? static_cast<int>(given) : 0, r = static_cast<int>(room < kLanes ? room : kLanes);
        for (int64_t p = 0; p < k; ++p) L::load(from + p * row + j, n).store(to + p * width + j, r);
      }
    }
    return;
  }
  if (row != 1) {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t j = 0; j < width; ++j) to[p * width + j] = j < columns ? from[p * row + j * column] : T(0);
    }
    return;
  }
  for (int64_t j = 0; j < width; j += kLanes) {
    const int given = static_cast<int>(columns - j < kLanes ? columns - j : kLanes);
    const int room = static_cast<int>(width - j < kLanes ? width - j : kLanes);
    const T* source = from + j * column;
    T* target = to + j;
    for (int64_t p = 0; p < k; p += kLanes) {
      const int deep = static_cast<int>(k - p < kLanes ? k - p : kLanes);
      L lines[kLanes];
      if (given == kLanes && deep == kLanes) {
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) lines[i] = L::load(source + i * column + p);
      } else {
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) lines[i] = i < given ? L::load(source + i * column + p, deep) : L(0);
      }
      transpose(lines);
      if (room == kLanes && deep == kLanes) {
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) lines[i].store(target + (p + i) * width);
      } else {
        TERN_UNROLL
        for (int i = 0; i < kLanes; ++i) {
          if (i < deep) lines[i].store(target + (p + i) * width, room);
        }
      }
    }
  }
}

// Panels of `width` columns from `columns` of them, each k rows deep and `step` elements after the last.
template <class T>
void pack_columns(const T* from, int64_t row, int64_t column, int64_t k, int64_t columns, int64_t width, int64_t step,
                  T* to) {
  const int64_t strip = column == 1 ? kStrip : more(k, 1);
  for (int64_t k0 = 0; k0 < k; k0 += strip) {
    T* panel = to;
    for (int64_t j = 0; j < columns; j += width, panel += step) {
      const int64_t n = less(width, columns - j), padded = whole_vectors<T>(n);
      pack_panel(from + k0 * row + j * column, row, column, less(strip, k - k0), n, panel + k0 * padded, padded);
    }
  }
}

// Tiles [first, end) of rows, each k columns deep.
template <class T>
void pack_rows(const T* from, int64_t row, int64_t column, int64_t k, const RowTiles& tiles, int64_t first, int64_t end,
               T* to) {
  const int64_t strip = row == 1 ? kStrip : more(k, 1), before = tiles.before(first);
  for (int64_t k0 = 0; k0 < k; k0 += strip) {
    T* panel = to + before * k;
    int64_t i = before;
    for (int64_t t = first; t < end; ++t) {
      const int64_t rows = tiles.of(t);
      pack_panel(from + i * row + k0 * column, column, row, less(strip, k - k0), rows, panel + k0 * rows, rows);
      i += rows;
      panel += rows * k;
    }
  }
}

// `size` cut evenly into as few parts of at most `most` as there can be: a short last part would not be worth the
// loading and packing that each part costs.
int64_t even_part(int64_t size, int64_t most) {
  if (size <= most) return more(1, size);  // a small product takes less time than a few divisions
  const int64_t count = more(1, (size + most - 1) / most);
  return more(1, (size + count - 1) / count);
}
int64_t depth_of(int64_t k) { return even_part(k, kDepth); }

// Stretches of `length` elements, `step` apart, within so many turns of the innermost loop.
template <class T>
Ahead paced(const T* from, int64_t stretches, int64_t length, int64_t step, int64_t turns) {
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  Ahead ahead;
  ahead.at = reinterpret_cast<const char*>(from);
  ahead.stretches = stretches;
  ahead.lines = ahead.left = (length * kSize + kLineBytes - 1) / kLineBytes;
  ahead.jump = step * kSize - ahead.lines * kLineBytes;
  ahead.wait = ahead.pace = more(1, kLinesTogether * turns / (ahead.lines * stretches));
  return ahead;
}

// What rows [k0, k0 + k) and columns [j0, j1) of B are read or packed from, at the pace at which the tiles of as large
// a block take time.
template <class T>
Ahead ahead_of(const GemmBlock<T>& g, int64_t width, int64_t k0, int64_t k, int64_t j0, int64_t j1) {
  const int64_t panels = (j1 - j0 + width - 1) / width;
  const T* from = g.b + k0 * g.b_row + j0 * g.b_column;
  int64_t stretches = k, length = j1 - j0, step = g.b_row;
  if (g.packed) {
    from = g.b + j0 * g.k + k0 * width;
    stretches = panels, length = k * width, step = g.k * width;
  } else if (g.b_row == 1) {
    stretches = j1 - j0, length = k, step = g.b_column;
  }
  const int64_t tiles = (g.m + kRows - 1) / kRows;
  return paced(from, stretches, length, step, tiles * panels * (k / kTogether));
}

template <class T>
void block(const GemmBlock<T>& g) {
  constexpr int kLanes = Lane<T>::kLanes;
  if (g.m == 0 || g.n == 0) return;
  const int64_t a_row = g.m == 1 ? 1 : g.a_row;
  const int64_t b_column = g.n == 1 ? 1 : g.b_column;
  const int64_t vectors = g.packed || g.m > 2 ? kVectors : g.m == 1 ? kWide1 : kWide2;
  const int64_t width = vectors * kLanes;

  const bool worth = rows_pay_for_packing<T>(g.a_row, g.m, g.n, g.k);
  const bool by_rows = !g.a_packed && g.a_column == 1 && g.m > 1 && !worth;
  const bool pack_a = !g.a_packed && !by_rows && (worth || a_row != 1 || (g.m > 1 && g.m * g.k > kDirectA));
  const bool pack_b = !g.packed && (b_column != 1 || (g.m > kDirectRows && g.n * g.k > kDirectB));
  const int64_t across = more(kColumns, width);
  const int64_t columns_at_once = g.n <= across ? g.n : (even_part(g.n, across) + width - 1) / width * width;
  const int64_t depth = depth_of(g.k);
  const int64_t rows_at_once = pack_a ? even_part(g.m, more(kPackedRows, kPackedElements / (g.k + 1))) : g.m;
  const int64_t deep_at_once =
      more(1, pack_a ? less(g.k, more(1, kPackedElements / rows_at_once / depth) * depth) : g.k);

  T* packed_a = nullptr;
  T* packed_b = nullptr;
  T* scratch = nullptr;
  std::uint32_t size_class = 0;
  if (pack_a || pack_b) {
    const int64_t of_a = pack_a ? (rows_at_once * deep_at_once + 63) / 64 * 64 : 0;
    const int64_t of_b = pack_b ? depth * whole_vectors<T>(less(columns_at_once, g.n)) : 0;
    scratch = static_cast<T*>(take_scratch(static_cast<std::size_t>(of_a + of_b + 64) * sizeof(T), size_class));
    packed_a = scratch;
    packed_b = scratch + of_a;
  }

  const bool far_a = g.m * g.k > kNearA && (by_rows || pack_a || g.a_packed), far_b = g.n * g.k > kNearB,
             far_c = g.m * g.n > kNearC;
  Tile<T> tile;
  tile.c_row = g.c_row;
  const auto& by_order = micros<Real<T>>.at[by_rows ? 0 : 1];
  for (int64_t i0 = 0; i0 < g.m; i0 += rows_at_once) {
    const int64_t m = less(rows_at_once, g.m - i0);
    const RowTiles tiles(m);
    for (int64_t d0 = 0; d0 == 0 || d0 < g.k; d0 += deep_at_once) {
      const int64_t deep = less(deep_at_once, g.k - d0);
      if (pack_a) {
        for (int64_t k0 = 0; k0 < deep; k0 += depth) {
          pack_rows(g.a + i0 * a_row + (d0 + k0) * g.a_column, a_row, g.a_column, less(depth, deep - k0), tiles, 0,
                    tiles.count, packed_a + k0 * m);
        }
      }
      for (int64_t j0 = 0; j0 < g.n; j0 += columns_at_once) {
        const int64_t j1 = less(g.n, j0 + columns_at_once);
        for (int64_t k0 = d0; k0 == d0 || k0 < d0 + deep; k0 += depth) {
          const int64_t k = less(depth, d0 + deep - k0);
          const bool last = k0 + k == g.k;
          if (pack_b) {
            pack_columns(g.b + k0 * g.b_row + j0 * b_column, g.b_row, b_column, k, j1 - j0, width, width * k, packed_b);
          }
          if (far_b) {  // the next block of B, while this one is used
            tile.fetcher.set(&Fetcher::b,
                             k0 + k < d0 + deep ? ahead_of(g, width, k0 + k, less(depth, d0 + deep - k0 - k), j0, j1)
                             : j1 < g.n ? ahead_of(g, width, d0, less(depth, deep), j1, less(g.n, j1 + columns_at_once))
                                        : Ahead());
          }
          tile.k = k;
          tile.accumulate = g.accumulate || k0 > 0;
          tile.relu = last && g.relu;
          const T* a = g.a_packed ? g.a_packed + k0 * m
                       : pack_a   ? packed_a + (k0 - d0) * m
                                  : g.a + i0 * a_row + k0 * g.a_column;
          int64_t i = i0;
          for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t rows = tiles.of(t);
            tile.a = a;
            const bool packed = pack_a || g.a_packed;
            tile.a_step = by_rows ? g.a_row : packed ? rows : g.a_column;
            a += packed ? rows * k : rows * a_row;
            const bool more_rows = t + 1 < tiles.count;
            if (far_a) {  // the next tile's rows, while this one goes over the panels of B
              const int64_t next = more_rows ? tiles.of(t + 1) : 0,
                            turns = (j1 - j0 + width - 1) / width * (k / kTogether);
              tile.fetcher.set(&Fetcher::a, !more_rows ? Ahead()
                                            : packed   ? paced(a, 1, next * k, 0, turns)
                                                       : paced(a, next, k, a_row, turns));
            }
            for (int64_t j = j0; j < j1; j += width) {
              const int64_t columns = less(width, j1 - j);
              const int64_t used = (columns + kLanes - 1) / kLanes;
              tile.tail = static_cast<int>(columns - (used - 1) * kLanes);
              tile.c = g.c + i * g.c_row + j;
              tile.bias = last && g.bias ? g.bias + j : nullptr;
              if (far_c) {
                tile.next_c = j + width < j1 ? tile.c + width : more_rows ? g.c + (i + rows) * g.c_row + j0 : nullptr;
              }
              bool partial = tile.tail != kLanes;
              if (g.packed) {
                tile.b = g.b + j * g.k + k0 * used * kLanes;
                tile.b_row = used * kLanes;
              } else if (pack_b) {
                tile.b = packed_b + (j - j0) * k;
                tile.b_row = used * kLanes;
              } else {
                tile.b = g.b + k0 * g.b_row + j;
                tile.b_row = g.b_row;
              }
              by_order[partial][rows][used](tile);
            }
            i += rows;
          }
        }
      }
    }
  }
  if (scratch) give_scratch(scratch, size_class);
}

template <class T>
void pack(const GemmBlock<T>& g, T* to) {
  const int64_t width = kVectors * Lane<T>::kLanes;
  pack_columns(g.b, g.b_row, g.n == 1 ? 1 : g.b_column, g.k, g.n, width, width * g.k, to);
}

template <class T>
void pack_a(const GemmBlock<T>& g, int64_t part, int64_t parts, T* to) {
  const RowTiles tiles(g.m);
  const int64_t first = tiles.count * part / parts, end = tiles.count * (part + 1) / parts, depth = depth_of(g.k);
  for (int64_t k0 = 0; k0 < g.k; k0 += depth) {
    pack_rows(g.a + k0 * g.a_column, g.a_row, g.a_column, less(depth, g.k - k0), tiles, first, end, to + k0 * g.m);
  }
}

template <class T>
constexpr GemmCode<T> code() {
  return {kVectors * Lane<T>::kLanes, &block<T>, &pack<T>, &pack_a<T>};
}

}  // namespace

constinit const GemmTable gemm{.f32 = code<float>(), .f64 = code<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
