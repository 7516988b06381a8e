#include "cpu/vector/random.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

// Salmon et al. (SC 2011), as Philox::block, sixteen blocks side by side.
void philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::int64_t count, std::uint32_t* words) {
  constexpr int kSide = 16;
  constexpr std::uint32_t kFirst = 0xD2511F53u, kSecond = 0xCD9E8D57u;
  for (std::int64_t block = 0; block < count; block += kSide) {
    std::uint32_t c0[kSide], c1[kSide], c2[kSide], c3[kSide];
    for (int i = 0; i < kSide; ++i) {
      const std::uint64_t counter = first + static_cast<std::uint64_t>(block + i);
      c0[i] = static_cast<std::uint32_t>(counter);
      c1[i] = static_cast<std::uint32_t>(counter >> 32);
      c2[i] = static_cast<std::uint32_t>(stream);
      c3[i] = static_cast<std::uint32_t>(stream >> 32);
    }
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < kSide; ++i) {
        const std::uint64_t p0 = std::uint64_t{kFirst} * c0[i], p1 = std::uint64_t{kSecond} * c2[i];
        c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
        c1[i] = static_cast<std::uint32_t>(p1);
        c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
        c3[i] = static_cast<std::uint32_t>(p0);
      }
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    const int side = count - block < kSide ? static_cast<int>(count - block) : kSide;
    std::uint32_t* out = words + 4 * block;
    for (int i = 0; i < side; ++i) {
      out[4 * i] = c0[i];
      out[4 * i + 1] = c1[i];
      out[4 * i + 2] = c2[i];
      out[4 * i + 3] = c3[i];
    }
  }
}

}  // namespace

constinit const RandomTable random{.philox = &philox};

}  // namespace tern::kernels::cpu::TERN_TARGET
