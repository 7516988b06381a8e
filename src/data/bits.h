#pragma once

#include <cstdint>
#include <vector>

// Bits of a mask, the lowest of a byte first, as Arrow lays them out.
namespace tern::data::internal {

inline void set_bit(std::vector<std::uint8_t>& bits, std::int64_t i) {
  bits[static_cast<std::size_t>(i >> 3)] |= static_cast<std::uint8_t>(1u << (i & 7));
}

inline bool get_bit(const std::vector<std::uint8_t>& bits, std::int64_t i) {
  return (bits[static_cast<std::size_t>(i >> 3)] >> (i & 7)) & 1;
}

}  // namespace tern::data::internal
