#pragma once

#include <cstdint>

#include "cpu/target.h"

namespace tern::kernels::cpu {

struct RandomTable {
  /// The words of blocks first … first + count - 1 of a Philox stream, four a block.
  void (*philox)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count,
                 std::uint32_t* words);
};
TERN_TARGET_TABLES(RandomTable, random)

}  // namespace tern::kernels::cpu
