#pragma once

#include <cstdint>

#include "loop.h"
#include "tern/tensor/dtype.h"

// Elementwise loops in vector code: the threads, the walk and operands that do not lie side by side are the baseline's;
// a function of the target's table computes strips of adjacent elements. Every element is computed alone, by the same
// operations wherever it lies, so neither grid nor strides nor a strip's end change its bits.
namespace tern::kernels::cpu {

/// n adjacent elements. Input k starts at in[k] and steps by step[k] elements: 1, or 0 where 64 bytes of one value
/// stand for all.
struct Strip {
  char* out;
  const char* in[3];
  std::int64_t step[3];
  std::int64_t n;
  double parameter;  // of the function, where it has one
  bool stream;       // so much is written that it had better not push everything else out of the caches
};
using StripFn = void (*)(const Strip&);

/// The size of each operand's elements, the written one first. Those of two bytes are of the type `half`, and a strip
/// has them as f32: they are converted block by block on the way in and rounded on the way out.
struct ElementSizes {
  int count;
  std::int64_t bytes[4];
  DType half;  // or f32: there is none

  bool is_half(int k) const { return bytes[k] == 2; }
};
template <class... T>
inline constexpr ElementSizes kSizes{sizeof...(T),
                                     {sizeof(T)...},
                                     (std::is_same_v<T, Half> || ...)       ? f16
                                     : (std::is_same_v<T, BFloat16> || ...) ? bf16
                                                                            : f32};

inline constexpr std::int64_t kLongestStrip = 32768;  // elements

/// Of a function that is null, elements are moved as they are: then of one size.
void run_any_strips(const Loop& loop, const ElementSizes& sizes, StripFn fn, double parameter);

/// The same over operands of these types. What small loops mostly are, one strip, is run at once.
template <class... T>
inline void run_strips(const Loop& loop, StripFn fn, double parameter = 0) {
  constexpr const ElementSizes& sizes = kSizes<T...>;
  bool one = sizes.half == f32 && loop.dims == 1 && loop.numel <= kLongestStrip && loop.numel > 0 && fn;
  for (int k = 0; k < sizes.count; ++k) one = one && loop.strides[k][0] == 1;
  if (!one) return run_any_strips(loop, sizes, fn, parameter);
  Strip strip;
  strip.out = loop.data[0];
  for (int k = 1; k < sizes.count; ++k) {
    strip.in[k - 1] = loop.data[k];
    strip.step[k - 1] = 1;
  }
  strip.n = loop.numel;
  strip.parameter = parameter;
  strip.stream = false;
  fn(strip);
}

/// Place of a floating type in the tables: half types are computed in f32.
template <class T>
inline constexpr int kReal = sizeof(T) == 8 ? 1 : 0;

inline constexpr std::int64_t kStreamBytes = 128ll << 20;  // results from this size on are written past the caches

}  // namespace tern::kernels::cpu
