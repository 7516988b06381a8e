#pragma once

#include <cstdint>
#include <type_traits>

#include "cpu/strips.h"
#include "cpu/target.h"

namespace tern::kernels::cpu {

/// Element types that are converted to each other here, in this order; the half types have a table of their own.
inline constexpr int kMovedTypes = 6;
template <class T>
inline constexpr int kMoved = std::is_same_v<T, double>         ? 0
                              : std::is_same_v<T, float>        ? 1
                              : std::is_same_v<T, std::int64_t> ? 2
                              : std::is_same_v<T, std::int32_t> ? 3
                              : std::is_same_v<T, std::uint8_t> ? 4
                                                                : 5;

/// to[r · row + c] = from[c · step + r] for r < rows and c < columns; row and step count elements.
struct Turn {
  const char* from;
  std::int64_t step;
  char* to;
  std::int64_t row, rows, columns;
};

struct MoveTable {
  /// Adjacent bytes.
  void (*copy)(const char* from, char* to, std::int64_t bytes, bool stream);
  /// Of 64 bytes of copies of an element.
  void (*fill)(const char* line, char* to, std::int64_t bytes, bool stream);
  /// Elements of 1, 2, 4 or 8 bytes, by the logarithm.
  void (*turn[4])(const Turn&);
  /// From the second type to the first.
  StripFn convert[kMovedTypes][kMovedTypes];
};
TERN_TARGET_TABLES(MoveTable, move)

}  // namespace tern::kernels::cpu
