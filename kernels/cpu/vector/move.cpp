#include "cpu/vector/move.h"

#include <limits>
#include <type_traits>

#include "cpu/vector/strips.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

// Bytes lie at any address, which a lane of numbers does not.
TERN_INLINE Lane<double> load_bytes(const char* from) {
  Lane<double>::Vector bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return Lane<double>(bytes);
}

void copy(const char* from, char* to, std::int64_t bytes, bool stream) {
  constexpr std::int64_t kBytes = TERN_VECTOR_BYTES;
  if (!stream || reinterpret_cast<std::uintptr_t>(to) % kBytes != 0) {
    __builtin_memcpy(to, from, static_cast<std::size_t>(bytes));
    return;
  }
  for (; bytes >= kBytes; bytes -= kBytes, from += kBytes, to += kBytes) {
    load_bytes(from).stream(reinterpret_cast<double*>(to));
  }
  __builtin_memcpy(to, from, static_cast<std::size_t>(bytes));
  fence();
}

void fill(const char* line, char* to, std::int64_t bytes, bool stream) {
  constexpr std::int64_t kBytes = TERN_VECTOR_BYTES;
  const Lane<double> value = load_bytes(line);
  if (stream && reinterpret_cast<std::uintptr_t>(to) % kBytes == 0) {
    for (; bytes >= kBytes; bytes -= kBytes, to += kBytes) value.stream(reinterpret_cast<double*>(to));
    fence();
  }
  for (; bytes >= kBytes; bytes -= kBytes, to += kBytes) __builtin_memcpy(to, &value.vector, kBytes);
  __builtin_memcpy(to, line, static_cast<std::size_t>(bytes));
}

template <class T>
TERN_INLINE void turn_each(const Turn& t, std::int64_t r0, std::int64_t c0) {
  const T* from = reinterpret_cast<const T*>(t.from);
  T* to = reinterpret_cast<T*>(t.to);
  for (std::int64_t c = c0; c < t.columns; ++c) {
    for (std::int64_t r = r0; r < t.rows; ++r) to[r * t.row + c] = from[c * t.step + r];
  }
}

template <class T>
void turn_words(const Turn& t) {
  turn_each<T>(t, 0, 0);
}

// Squares of kLanes × kLanes turn in registers. While a line of `from` is here, the next is asked for.
template <class T>
void turn_lanes(const Turn& t) {
  using L = Lane<T>;
  constexpr int kLanes = L::kLanes;
  const T* from = reinterpret_cast<const T*>(t.from);
  T* to = reinterpret_cast<T*>(t.to);
  const std::int64_t rows = t.rows - t.rows % kLanes, columns = t.columns - t.columns % kLanes;
  for (std::int64_t c = 0; c < columns; c += kLanes) {
    for (std::int64_t r = 0; r < rows; r += kLanes) {
      L lines[kLanes];
      TERN_UNROLL
      for (int i = 0; i < kLanes; ++i) {
        const T* line = from + (c + i) * t.step + r;
        __builtin_prefetch(line + 64 / sizeof(T));
        lines[i] = L::load(line);
      }
      transpose(lines);
      TERN_UNROLL
      for (int i = 0; i < kLanes; ++i) lines[i].store(to + (r + i) * t.row + c);
    }
  }
  if (columns < t.columns) turn_each<T>(t, 0, columns);
  if (rows < t.rows) {
    const Turn rest{t.from, t.step, t.to, t.row, t.rows, columns};
    turn_each<T>(rest, rows, 0);
  }
}

// A floating value outside the integers' range saturates, and NaN gives 0: the conversion in C++ would be undefined.
template <class To, class From>
TERN_INLINE To converted(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
    constexpr To kLargest = std::numeric_limits<To>::max();
    constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From kEnd = static_cast<From>((kLargest >> 1) + 1) * 2;  // exactly the largest and 1
    constexpr From kBelow = kEnd * (1 - std::numeric_limits<From>::epsilon() / 2);
    const From above = x > kLow ? x : kLow, inside = above < kEnd ? above : kBelow;
    const To number = x == x ? static_cast<To>(inside) : To(0);
    return x >= kEnd ? kLargest : number;
  } else {
    return static_cast<To>(x);
  }
}

template <class To, class From>
void convert(const Strip& strip) {
  const From* from = reinterpret_cast<const From*>(strip.in[0]);
  To* to = reinterpret_cast<To*>(strip.out);
  const std::int64_t n = strip.n;
  if (strip.step[0] == 0) {
    const To value = converted<To>(*from);
    for (std::int64_t i = 0; i < n; ++i) to[i] = value;
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i] = converted<To>(from[i]);
  }
}

}  // namespace

#define TERN_FROM(To)                                                                                  \
  {                                                                                                    \
    &convert<To, double>, &convert<To, float>, &convert<To, std::int64_t>, &convert<To, std::int32_t>, \
        &convert<To, std::uint8_t>, &convert<To, std::uint8_t> /* booleans are bytes of 0 and 1 */     \
  }
constinit const MoveTable move{
    .copy = &copy,
    .fill = &fill,
    .turn = {&turn_words<std::uint8_t>, &turn_words<std::uint16_t>, &turn_lanes<float>, &turn_lanes<double>},
    .convert = {TERN_FROM(double), TERN_FROM(float), TERN_FROM(std::int64_t), TERN_FROM(std::int32_t),
                TERN_FROM(std::uint8_t), TERN_FROM(bool)}};

}  // namespace tern::kernels::cpu::TERN_TARGET
