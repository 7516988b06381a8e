#pragma once

#include "conformance/row.h"

// What the rows of ops that take indices share.
namespace conformance {

inline const std::vector<TypeRule> kSums{{tern::i64, tern::i64}, {tern::u8, tern::u8}};

inline Index with(Index index, std::size_t d, std::int64_t value) {
  index[d] = value;
  return index;
}

inline std::int64_t whole(double x) { return static_cast<std::int64_t>(x); }

inline Input index_below(double size) {
  return {.low = 0, .high = size, .whole = true, .varies = false, .dtype = tern::i64};
}

}  // namespace conformance
