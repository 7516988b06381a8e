#include "cpu/vector/lane.h"
#include "cpu/vector/reduce.h"

// Reductions of integers: plain loops, which the compiler makes vectors of. No order of theirs changes a result.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

struct Larger {
  template <class T>
  static TERN_INLINE bool better(T x, T best) {
    return x > best;
  }
};
struct Smaller {
  template <class T>
  static TERN_INLINE bool better(T x, T best) {
    return x < best;
  }
};

template <class T>
std::uint64_t sum(const T* x, std::int64_t n) {
  using Part = std::conditional_t<sizeof(T) == 1, std::uint32_t, std::uint64_t>;  // a chunk of bytes fits 32 bits
  Part total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += static_cast<Part>(x[i]);
  return total;
}

template <class T>
void sum_columns(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t columns, std::uint64_t* total) {
  for (std::int64_t r = 0; r < rows; ++r, x += stride) {
    for (std::int64_t c = 0; c < columns; ++c) total[c] += static_cast<std::uint64_t>(x[c]);
  }
}

template <class Order, class T>
T extreme(const T* x, std::int64_t n) {
  T best = x[0];
  for (std::int64_t i = 1; i < n; ++i) best = Order::better(x[i], best) ? x[i] : best;
  return best;
}

template <class Order, class T>
void extreme_columns(const T* x, std::int64_t columns, T* best) {
  for (std::int64_t c = 0; c < columns; ++c) best[c] = Order::better(x[c], best[c]) ? x[c] : best[c];
}

template <class T>
std::int64_t find(const T* x, std::int64_t n, T value) {
  constexpr std::int64_t kBlock = 64;  // looked at as a whole
  std::int64_t i = 0;
  for (; i + kBlock <= n; i += kBlock) {
    T found = 0;
    for (std::int64_t j = 0; j < kBlock; ++j) found |= static_cast<T>(x[i + j] == value);
    if (found) break;
  }
  while (i < n && x[i] != value) ++i;
  return i;
}

template <class Order, class T>
void choose_columns(const T* x, std::int64_t columns, typename Reductions<T>::Index row, T* best,
                    typename Reductions<T>::Index* at) {
  for (std::int64_t c = 0; c < columns; ++c) {
    const bool better = Order::better(x[c], best[c]);
    best[c] = better ? x[c] : best[c];
    at[c] = better ? row : at[c];
  }
}

template <class T>
void cumulate_columns(const T* x, std::int64_t columns, std::uint64_t* total, T* to) {
  for (std::int64_t c = 0; c < columns; ++c) to[c] = static_cast<T>(total[c] += static_cast<std::uint64_t>(x[c]));
}

template <class T>
constexpr Reductions<T> table() {
  return {.sum = &sum<T>,
          .sum_columns = &sum_columns<T>,
          .max = &extreme<Larger, T>,
          .min = &extreme<Smaller, T>,
          .max_columns = &extreme_columns<Larger, T>,
          .min_columns = &extreme_columns<Smaller, T>,
          .find = &find<T>,
          .argmax_columns = &choose_columns<Larger, T>,
          .argmin_columns = &choose_columns<Smaller, T>,
          .cumulate_columns = &cumulate_columns<T>};
}

}  // namespace

constinit const WholeReduceTable whole_reduce{
    .of_i64 = table<std::int64_t>(), .of_i32 = table<std::int32_t>(), .of_u8 = table<std::uint8_t>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
