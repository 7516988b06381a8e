#pragma once

#include <cstdint>

#include "slot.h"

// Kernel slots and their arguments: draws from Philox streams.
namespace tern::kernels {

/// Element i draws from index `first + i` (see tensor/creation.h for the units).
struct RandomArgs {
  std::int64_t numel;
  void* out;
  std::uint64_t seed, stream, first;
  double low = 0, high = 1;
};
inline constinit KernelSlot<void(const RandomArgs&)> random_uniform{"uniform"};
inline constinit KernelSlot<void(const RandomArgs&)> random_normal{"randn"};

/// low + Philox::below(first + i, span), i64; a span of 0 stands for 2^64.
struct RandomIntegerArgs {
  std::int64_t numel;
  std::int64_t* out;
  std::uint64_t seed, stream, first;
  std::int64_t low;
  std::uint64_t span;
};
inline constinit KernelSlot<void(const RandomIntegerArgs&)> random_integer{"randint"};

/// out = x / (1 - p) where word first + i, as a uniform, is at least p, else 0; contiguous.
struct DropoutArgs {
  std::int64_t numel;
  const void* x;
  void* out;
  std::uint64_t seed, stream, first;
  double p;
};
inline constinit KernelSlot<void(const DropoutArgs&)> dropout{"dropout"};

}  // namespace tern::kernels
