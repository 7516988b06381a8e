#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tern/base/export.h"

namespace tern {

/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
/// (SC 2011). Word `i` depends on (seed, stream, i) alone, so any thread may draw any index in any order.
class Philox {
 public:
  explicit constexpr Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  constexpr std::uint64_t seed() const { return seed_; }
  constexpr std::uint64_t stream() const { return stream_; }

  /// The four 32-bit words of block `counter`.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t counter) const {
    std::uint32_t c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    std::uint32_t c2 = static_cast<std::uint32_t>(stream_), c3 = static_cast<std::uint32_t>(stream_ >> 32);
    std::uint32_t k0 = static_cast<std::uint32_t>(seed_), k1 = static_cast<std::uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
      const std::uint32_t hi0 = static_cast<std::uint32_t>(p0 >> 32), lo0 = static_cast<std::uint32_t>(p0);
      const std::uint32_t hi1 = static_cast<std::uint32_t>(p1 >> 32), lo1 = static_cast<std::uint32_t>(p1);
      c0 = hi1 ^ c1 ^ k0;
      c1 = lo1;
      c2 = hi0 ^ c3 ^ k1;
      c3 = lo0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
  }

  /// 32 random bits at `index`.
  constexpr std::uint32_t bits32(std::uint64_t index) const { return block(index >> 2)[index & 3]; }
  /// 64 random bits at `index`; words 2 * index and 2 * index + 1 of the 32-bit sequence.
  constexpr std::uint64_t bits64(std::uint64_t index) const {
    const auto words = block(index >> 1);
    const unsigned at = (index & 1) * 2;
    return words[at] | std::uint64_t{words[at + 1]} << 32;
  }
  /// Uniform in [0, 1), 53 bits.
  constexpr double uniform(std::uint64_t index) const { return static_cast<double>(bits64(index) >> 11) * 0x1p-53; }
  /// Uniform in [0, 1), 24 bits of word `index`.
  constexpr float uniform_float(std::uint64_t index) const { return static_cast<float>(bits32(index) >> 8) * 0x1p-24f; }
  /// Uniform integer in [0, bound), bound > 0, by the high half of a 128-bit product (bias below bound / 2^64).
  constexpr std::uint64_t below(std::uint64_t index, std::uint64_t bound) const { return scaled(bits64(index), bound); }
  /// Calls take(below(i, bound)) for i = 0 … count - 1, a block for every two.
  template <class Take>
  constexpr void each_below(std::uint64_t count, std::uint64_t bound, Take take) const {
    for (std::uint64_t i = 0; i < count; i += 2) {
      const auto words = block(i >> 1);
      take(scaled(words[0] | std::uint64_t{words[1]} << 32, bound));
      if (i + 1 < count) take(scaled(words[2] | std::uint64_t{words[3]} << 32, bound));
    }
  }

 private:
  static constexpr std::uint64_t scaled(std::uint64_t bits, std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(bits) * bound) >> 64);
  }

  std::uint64_t seed_, stream_;
};

/// Standard normal at `index` (Box and Muller 1958), from uniforms 2 * index and 2 * index + 1.
TERN_API double normal(const Philox& random, std::uint64_t index);

/// A uniformly random order of 0 … n-1 (Fisher and Yates), the same for the same (seed, stream) everywhere.
TERN_API std::vector<std::int64_t> permutation(std::int64_t n, const Philox& random);

/// A cursor over one Philox stream: random ops reserve the indices that they draw.
struct Generator {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
  std::uint64_t offset = 0;

  /// Reserves `count` indices and returns the first.
  std::uint64_t reserve(std::uint64_t count) {
    const std::uint64_t first = offset;
    offset += count;
    return first;
  }
  Philox philox() const { return Philox(seed, stream); }
};

/// The calling thread's generator, used by random ops and initialisers. Starts at seed 0, so runs repeat by default.
TERN_API Generator& default_generator();

/// Sets the calling thread's generator to the start of (seed, stream 0).
TERN_API void manual_seed(std::uint64_t seed);

/// Replaces the calling thread's generator for a scope.
class TERN_API GeneratorScope {
 public:
  explicit GeneratorScope(Generator generator);
  ~GeneratorScope();
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 private:
  Generator saved_;
};

}  // namespace tern
