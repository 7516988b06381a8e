#pragma once

#include <cstdint>

#include "cpu/vector/lane.h"

// The innermost part of matrix products: a tile of C in registers while k runs, and what tiles are laid out with. What
// a lane of A and B holds and how it is multiplied is `Kind`: Scalar, the type of a lane and of the sums; Lane
// broadcast( const Scalar*); Lane multiply_add(Lane a, Lane b, Lane sum); kPacked, whether A and B always are.
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

constexpr int64_t kLineBytes = 64;
constexpr int kLinesTogether = 4;  // that are fetched ahead in one turn: the call costs more than they do

// Memory that is fetched into the second cache line by line.
struct Ahead {
  static constexpr int64_t kNever = int64_t{1} << 62;
  const char* at = nullptr;
  int64_t stretches = 0, lines = 0, left = 0, jump = 0;  // lines of a stretch, those left, bytes between two stretches
  int64_t wait = kNever, pace = 1;                       // turns until the next line

  void after(int64_t turns) {
    wait -= turns;
    if (wait > 0) return;
    wait = pace;
    for (int i = 0; i < kLinesTogether; ++i) {
      __builtin_prefetch(at, 0, 2);
      at += kLineBytes;
      if (--left > 0) continue;
      left = lines;
      at += jump;
      if (--stretches == 0) {
        wait = kNever;
        return;
      }
    }
  }
};

// What is fetched while tiles are computed: what of B is packed or read next, and the next rows of a large A, would
// else come at the speed of the third cache or of memory, with nothing to do meanwhile.
struct Fetcher {
  Ahead a, b;
  int64_t wait = Ahead::kNever, interval = Ahead::kNever;  // turns until one of them is due, and since when

  __attribute__((noinline)) void set(Ahead Fetcher::*which, const Ahead& ahead) {
    a.wait -= interval - wait;
    b.wait -= interval - wait;
    this->*which = ahead;
    interval = wait = a.wait < b.wait ? a.wait : b.wait;
  }
  TERN_INLINE void next() {
    if (--wait <= 0) due();
  }
  __attribute__((noinline)) void due() {
    a.after(interval);
    b.after(interval);
    interval = wait = a.wait < b.wait ? a.wait : b.wait;
  }
};

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
  int tail;                   // lanes of the last vector that are columns of C
  const T* next_c = nullptr;  // the tile after this one, where C is large
  mutable Fetcher fetcher;
};

constexpr int kTogether = 4;    // rows of B in a turn of the loop: counting, too, takes the multipliers' time
constexpr int64_t kAhead = 32;  // rows of B that are fetched into the nearest cache before they are used
constexpr int64_t kStrip = 16;  // rows that are packed together, across all panels: so they are read as they lie

// Makes a pointer or a number one of which the compiler knows nothing. It else keeps each sum of two in a register of
// its own, of which there are too few, where the processor adds them while it loads.
#define TERN_HIDE(value) asm("" : "+r"(value))

enum class Order { rows, columns };  // which of A's neighbours are adjacent: those of a row, or those of a column

#if defined(__AVX2__)
// Keeps a row of B in its register: g++ would read it again for each multiply-add, at half the speed.
#define TERN_PIN(lane) asm("" : "+v"((lane).vector))
#else
#define TERN_PIN(lane) static_cast<void>(lane)
#endif

// A tile of C, so that its sums need not be waited for; a call, for it is little beside the loop over k.
template <class T>
__attribute__((noinline)) void fetch_tile(const T* c, int64_t row, int rows, int columns) {
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < columns; j += static_cast<int>(kLineBytes / sizeof(T))) __builtin_prefetch(c + i * row + j, 1);
  }
}

template <class Kind, int Rows, int Vectors, Order A, bool Partial>
void micro(const Tile<typename Kind::Scalar>& tile) {
  using T = typename Kind::Scalar;
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
      for (int v = 0; v < Vectors; ++v) sum[i][v] = L(0);
    }
  }
  if (tile.next_c) fetch_tile<T>(tile.next_c, c_row, Rows, Vectors * kLanes);
  const char* b = reinterpret_cast<const char*>(tile.b);
  constexpr auto kSize = static_cast<int64_t>(sizeof(T));
  int64_t b_row = tile.b_row * kSize, a_step = tile.a_step * kSize;
  // Three rows of A have a pointer, from which the others are one and two steps.
  constexpr int kThrees = A == Order::rows ? (Rows + 2) / 3 : 1;
  const char* a[kThrees];
  TERN_UNROLL
  for (int i = 0; i < kThrees; ++i) {
    a[i] = reinterpret_cast<const char*>(tile.a) + 3 * i * a_step;
    TERN_HIDE(a[i]);
  }
  const auto at = [](const char* p) __attribute__((always_inline)) { return reinterpret_cast<const T*>(p); };
  // The column of A that is `on` from the first, by the row of B that lies so many bytes below the first.
  const auto step = [&](int64_t on, int64_t below) __attribute__((always_inline)) {
    L right[Vectors];
    const T* row = at(b + below);
    TERN_UNROLL
    for (int v = 0; v < kLast; ++v) right[v] = L::load(row + v * kLanes);
    right[kLast] = Partial ? L::load(row + kLast * kLanes, tail) : L::load(row + kLast * kLanes);
    if constexpr (Rows > 1) {
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) TERN_PIN(right[v]);
    }
    TERN_UNROLL
    for (int i = 0; i < Rows; ++i) {
      const L left =
          Kind::broadcast(A == Order::rows ? at(a[i / 3] + i % 3 * a_step) + on : at(a[0] + on * a_step) + i);
      TERN_UNROLL
      for (int v = 0; v < Vectors; ++v) sum[i][v] = Kind::multiply_add(left, right[v], sum[i][v]);
    }
  };
  int64_t k = tile.k;
  if constexpr (Rows > 2) {
    const char* later = b + kAhead * b_row;
    int64_t three = 3 * b_row;
    TERN_HIDE(later);
    for (; k >= kTogether; k -= kTogether) {
      TERN_UNROLL
      for (int u = 0; u < kTogether; ++u) {
        TERN_HIDE(a_step);
        TERN_HIDE(b_row);
        TERN_HIDE(three);
        const int64_t below = u == 3 ? three : u * b_row;
        step(u, below);
        TERN_UNROLL
        for (int v = 0; v < Vectors; ++v) __builtin_prefetch(at(later + below) + v * kLanes);
      }
      TERN_UNROLL
      for (int i = 0; i < kThrees; ++i) a[i] += kTogether * (A == Order::rows ? kSize : a_step);
      b += kTogether * b_row;
      later += kTogether * b_row;
      tile.fetcher.next();
    }
  }
  for (; k > 0; --k) {
    step(0, 0);
    TERN_UNROLL
    for (int i = 0; i < kThrees; ++i) a[i] += A == Order::rows ? kSize : a_step;
    b += b_row;
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

// By order of A, whether the last vector is partial, rows and vectors. The combinations of no tile are null: a row
// alone is never one of several adjacent ones, and what is packed lies by columns, in panels of one width.
template <class Kind>
struct Micros {
  Micro<typename Kind::Scalar> at[2][2][kRows + 1][kMostVectors + 1] = {};

  template <int Rows, int Vectors>
  constexpr void set() {
    constexpr int kWidest = Kind::kPacked || Rows > 2 ? kVectors : Rows == 1 ? kWide1 : kWide2;
    if constexpr (Vectors <= kWidest) {
      if constexpr (!Kind::kPacked && Rows > 1) {
        at[0][0][Rows][Vectors] = &micro<Kind, Rows, Vectors, Order::rows, false>;
        at[0][1][Rows][Vectors] = &micro<Kind, Rows, Vectors, Order::rows, true>;
      }
      at[1][0][Rows][Vectors] = &micro<Kind, Rows, Vectors, Order::columns, false>;
      at[1][1][Rows][Vectors] = &micro<Kind, Rows, Vectors, Order::columns, true>;
      set<Rows, Vectors + 1>();
    } else if constexpr (Rows < kRows) {
      set<Rows + 1, 1>();
    }
  }
  constexpr Micros() { set<1, 1>(); }
};
template <class Kind>
constinit const Micros<Kind> micros;

template <class T>
int64_t whole_vectors(int64_t columns) {
  return (columns + Lane<T>::kLanes - 1) / Lane<T>::kLanes * Lane<T>::kLanes;
}

int64_t less(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t more(int64_t a, int64_t b) { return a > b ? a : b; }

// Rows are split evenly into tiles: the first `larger` of them have one more than the others.
struct RowTiles {
  int64_t count, rows, larger;
  explicit RowTiles(int64_t m)
      : count((m + kRows - 1) / kRows),
        rows(m <= kRows       ? m
             : m % kRows == 0 ? kRows
                              : m / count),
        larger(m - rows * count) {}
  int64_t of(int64_t tile) const { return rows + (tile < larger); }
  /// Rows of the tiles before this one.
  int64_t before(int64_t tile) const { return tile * rows + less(tile, larger); }
};

}  // namespace
}  // namespace tern::kernels::cpu::TERN_TARGET
