#include "cpu/vector/gemm.h"

#include "cpu/vector/lane.h"
#include "tensor/allocator.h"

// The contract stands at GemmArgs: an element of C is one chain in order of k. Tiles of C stay in registers while k
// runs; where k is cut, the next stretch starts from what the last one stored, so no cut shows in the bits.
//
// A is read as it lies when its rows are contiguous, else it is packed, tile by tile, once for all columns. B is read
// as it lies when its rows are contiguous and few rows of A reuse it, else it is packed in panels that stay in the
// cache while all tiles of rows go over them.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

using std::int64_t;

// Rows and vectors of a tile: its sums, a row of B and an element of A fill the registers.
constexpr int kRows = TERN_VECTOR_BYTES == 64 ? 8 : TERN_VECTOR_BYTES == 32 ? 6 : 4;
constexpr int kVectors = TERN_VECTOR_BYTES == 64 ? 3 : 2;
// One or two rows alone have too few sums to hide the latency of an addition: their tiles are wider.
constexpr int kWide1 = TERN_VECTOR_BYTES == 64 ? 8 : 6;
constexpr int kWide2 = TERN_VECTOR_BYTES == 64 ? 6 : 4;
constexpr int kMostVectors = kWide1;

constexpr int64_t kDepth = 512;               // of a stretch of k
constexpr int64_t kPackedColumns = 384;       // of B at a time, packed
constexpr int64_t kDirectColumns = 96;        // of B at a time, as it lies
constexpr int64_t kDirectRows = 256;          // more rows of A than this pay for packing B
constexpr int64_t kDirectElements = 64 * 64;  // as many of a transposed A are read as they lie
constexpr int64_t kPackedRows = 512;          // of A at a time, packed
constexpr int64_t kPackedElements = 1 << 20;

template <class T>
struct Tile {
  const T* a;
  int64_t a_step;  // from row to row when A lies by rows, else from column to column
  const T* b;
  int64_t b_row;
  int64_t k;
  T* c;
  int64_t c_row;
  const T* bias;
  bool accumulate, relu;
  int tail;  // lanes of the last vector that are columns of C
};

enum class Order { rows, columns };  // which of A's neighbours are adjacent: those of a row, or those of a column

#if defined(__AVX2__)
// Keeps a row of B in its register: g++ would read it again for each multiply-add, at half the speed.
#define TERN_PIN(lane) asm("" : "+v"((lane).vector))
#else
#define TERN_PIN(lane) static_cast<void>(lane)
#endif

template <class T, int Rows, int Vectors, Order A, bool Partial>
void micro(const Tile<T>& tile) {
  using L = Lane<T>;
  constexpr int kLanes = L::kLanes, kLast = Vectors - 1;
  const int64_t c_row = tile.c_row;
  const int tail = Partial ? tile.tail : kLanes;
  L sum[Rows][Vectors];
  if (tile.accumulate) {
    TERN_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const T* c = tile.c + i * c_row;
      TERN_UNROLL
      for (int v = 0; v < kLast; ++v) sum[i][v] = L::load(c + v * kLanes);
      sum[i][kLast] = Partial ? L::load(c + kLast * kLanes, tail) : L::load(c + kLast * kLanes);
    }
  } else {
    TERN_UNROLL
    for (int i = 0; i < Rows; ++i) {
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) {
        sum[i][v] = L(0);
        __builtin_prefetch(tile.c + i * c_row + v * kLanes, 1);
      }
    }
  }
  const T* b = tile.b;
  const int64_t b_row = tile.b_row, a_step = tile.a_step;
  const T* a[Rows];
  TERN_UNROLL
  for (int i = 0; i < Rows; ++i) a[i] = tile.a + (A == Order::rows ? i * a_step : i);
  for (int64_t k = 0, end = tile.k; k < end; ++k, b += b_row) {
    L right[Vectors];
    TERN_UNROLL
    for (int v = 0; v < kLast; ++v) right[v] = L::load(b + v * kLanes);
    right[kLast] = Partial ? L::load(b + kLast * kLanes, tail) : L::load(b + kLast * kLanes);
    if constexpr (Rows > 1) {
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) TERN_PIN(right[v]);
    }
    TERN_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const L left(A == Order::rows ? a[i][k] : a[0][i]);
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) sum[i][v] = fma(left, right[v], sum[i][v]);
    }
    if constexpr (A == Order::columns) a[0] += a_step;
  }
  if (tile.bias) {
    TERN_UNROLL
    for (int v = 0; v < Vectors; ++v) {
      const L bias = Partial && v == kLast ? L::load(tile.bias + v * kLanes, tail) : L::load(tile.bias + v * kLanes);
      TERN_UNROLL
      for (int i = 0; i < Rows; ++i) sum[i][v] = sum[i][v] + bias;
    }
  }
  if (tile.relu) {
    TERN_UNROLL
    for (int i = 0; i < Rows; ++i) {
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) sum[i][v] = select(sum[i][v] <= L(0), L(0), sum[i][v]);  // NaN stays NaN
    }
  }
  TERN_UNROLL
  for (int i = 0; i < Rows; ++i) {
    T* c = tile.c + i * c_row;
    TERN_UNROLL
    for (int v = 0; v < kLast; ++v) sum[i][v].store(c + v * kLanes);
    if constexpr (Partial) {
      sum[i][kLast].store(c + kLast * kLanes, tail);
    } else {
      sum[i][kLast].store(c + kLast * kLanes);
    }
  }
}

template <class T>
using Micro = void (*)(const Tile<T>&);

// By order of A, whether the last vector is partial, rows and vectors; the combinations of no tile are null.
template <class T>
struct Micros {
  Micro<T> at[2][2][kRows + 1][kMostVectors + 1] = {};

  template <int Rows, int Vectors>
  constexpr void set() {
    constexpr int kWidest = Rows == 1 ? kWide1 : Rows == 2 ? kWide2 : kVectors;
    if constexpr (Vectors <= kWidest) {
      // A whole vector is as fast through a mask where there are masks.
      constexpr bool kWhole = TERN_VECTOR_BYTES == 64;
      at[0][0][Rows][Vectors] = &micro<T, Rows, Vectors, Order::rows, kWhole>;
      at[0][1][Rows][Vectors] = &micro<T, Rows, Vectors, Order::rows, true>;
      at[1][0][Rows][Vectors] = &micro<T, Rows, Vectors, Order::columns, kWhole>;
      at[1][1][Rows][Vectors] = &micro<T, Rows, Vectors, Order::columns, true>;
      set<Rows, Vectors + 1>();
    } else if constexpr (Rows < kRows) {
      set<Rows + 1, 1>();
    }
  }
  constexpr Micros() { set<1, 1>(); }
};
template <class T>
constinit const Micros<T> micros;

// kLanes rows of kLanes elements become columns: each step interleaves the first half of the rows with the second.
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

template <class T>
int64_t whole_vectors(int64_t columns) {
  return (columns + Lane<T>::kLanes - 1) / Lane<T>::kLanes * Lane<T>::kLanes;
}

int64_t less(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t more(int64_t a, int64_t b) { return a > b ? a : b; }

// Rows are split evenly into tiles: the first `larger` of them have one more than the others.
struct RowTiles {
  int64_t count, rows, larger;
  explicit RowTiles(int64_t m) : count((m + kRows - 1) / kRows), rows(m / count), larger(m % count) {}
  int64_t of(int64_t tile) const { return rows + (tile < larger); }
};

// B of the block, k rows from k0 on, in panels of `width` columns, each `step` elements after the last.
template <class T>
void pack_columns(const GemmBlock<T>& g, int64_t j0, int64_t j1, int64_t k0, int64_t k, int64_t width, int64_t step,
                  T* to) {
  for (int64_t j = j0; j < j1; j += width, to += step) {
    const int64_t columns = less(width, j1 - j);
    pack_panel(g.b + k0 * g.b_row + j * g.b_column, g.b_row, g.b_column, k, columns, to, whole_vectors<T>(columns));
  }
}

template <class T>
void block(const GemmBlock<T>& g) {
  constexpr int kLanes = Lane<T>::kLanes;
  if (g.m == 0 || g.n == 0) return;
  const int64_t a_row = g.m == 1 ? 1 : g.a_row;
  const int64_t b_column = g.n == 1 ? 1 : g.b_column;
  const int64_t vectors = g.packed || g.m > 2 ? kVectors : g.m == 1 ? kWide1 : kWide2;
  const int64_t width = vectors * kLanes;

  const bool by_rows = g.a_column == 1 && g.m > 1;
  const bool pack_a = !by_rows && (a_row != 1 || (g.m > 1 && g.m * g.k > kDirectElements));
  const bool pack_b = !g.packed && (b_column != 1 || (g.m > kDirectRows && g.n * g.k > kDirectElements));
  const int64_t across = pack_b || g.packed ? kPackedColumns / width * width : kDirectColumns / width * width;
  const int64_t columns_at_once = more(across, width);
  const int64_t rows_at_once = pack_a ? less(g.m, more(kPackedRows, kPackedElements / (g.k + 1))) : g.m;
  const int64_t deep_at_once =
      more(1, pack_a ? less(g.k, more(kDepth, kPackedElements / rows_at_once / kDepth * kDepth)) : g.k);

  T* packed_a = nullptr;
  T* packed_b = nullptr;
  T* scratch = nullptr;
  std::uint32_t size_class = 0;
  if (pack_a || pack_b) {
    const int64_t of_a = pack_a ? (rows_at_once * deep_at_once + 63) / 64 * 64 : 0;
    const int64_t of_b = pack_b ? less(kDepth, g.k) * whole_vectors<T>(less(columns_at_once, g.n)) : 0;
    scratch =
        static_cast<T*>(tern::internal::allocate(static_cast<std::size_t>(of_a + of_b + 64) * sizeof(T), size_class));
    packed_a = scratch;
    packed_b = scratch + of_a;
  }

  Tile<T> tile;
  tile.c_row = g.c_row;
  const auto& by_order = micros<T>.at[by_rows ? 0 : 1];
  for (int64_t i0 = 0; i0 < g.m; i0 += rows_at_once) {
    const int64_t m = less(rows_at_once, g.m - i0);
    const RowTiles tiles(m);
    for (int64_t d0 = 0; d0 == 0 || d0 < g.k; d0 += deep_at_once) {
      const int64_t deep = less(deep_at_once, g.k - d0);
      if (pack_a) {
        T* to = packed_a;
        for (int64_t k0 = 0; k0 < deep; k0 += kDepth) {
          const int64_t k = less(kDepth, deep - k0);
          int64_t i = i0;
          for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t rows = tiles.of(t);
            pack_panel(g.a + i * a_row + (d0 + k0) * g.a_column, g.a_column, a_row, k, rows, to, rows);
            i += rows;
            to += rows * k;
          }
        }
      }
      for (int64_t j0 = 0; j0 < g.n; j0 += columns_at_once) {
        const int64_t j1 = less(g.n, j0 + columns_at_once);
        for (int64_t k0 = d0; k0 == d0 || k0 < d0 + deep; k0 += kDepth) {
          const int64_t k = less(kDepth, d0 + deep - k0);
          const bool last = k0 + k == g.k;
          if (pack_b) pack_columns(g, j0, j1, k0, k, width, width * k, packed_b);
          tile.k = k;
          tile.accumulate = g.accumulate || k0 > 0;
          tile.relu = last && g.relu;
          const T* a = pack_a ? packed_a + (k0 - d0) * m : g.a + i0 * a_row + k0 * g.a_column;
          int64_t i = i0;
          for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t rows = tiles.of(t);
            tile.a = a;
            tile.a_step = by_rows ? g.a_row : pack_a ? rows : g.a_column;
            a += pack_a ? rows * k : rows * a_row;
            for (int64_t j = j0; j < j1; j += width) {
              const int64_t columns = less(width, j1 - j);
              const int64_t used = (columns + kLanes - 1) / kLanes;
              tile.tail = static_cast<int>(columns - (used - 1) * kLanes);
              tile.c = g.c + i * g.c_row + j;
              tile.bias = last && g.bias ? g.bias + j : nullptr;
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
  if (scratch) tern::internal::deallocate(scratch, size_class);
}

template <class T>
void pack(const GemmBlock<T>& g, T* to) {
  const int64_t width = kVectors * Lane<T>::kLanes;
  GemmBlock<T> source = g;
  if (g.n == 1) source.b_column = 1;
  pack_columns(source, 0, g.n, 0, g.k, width, width * g.k, to);
}

template <class T>
constexpr GemmCode<T> code() {
  return {kVectors * Lane<T>::kLanes, &block<T>, &pack<T>};
}

}  // namespace

constinit const GemmTable gemm{.f32 = code<float>(), .f64 = code<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
