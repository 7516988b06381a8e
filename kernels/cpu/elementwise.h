#pragma once

#include <cstdint>

#include "loop.h"
#include "tern/base/parallel.h"

// Elementwise loops on the CPU. Every element is computed alone, so the grid changes no bits.
namespace tern::kernels::cpu {

inline constexpr std::int64_t kGrain = 16384;

/// Calls `row(offsets, n)` for each innermost row; offsets of the operands are in elements.
template <int Operands, class Row>
inline void for_each_row(const Loop& loop, Row row) {
  if (loop.dims <= 1) {
    const std::int64_t n = loop.numel;
    parallel_for(n, kGrain, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t offsets[Operands];
      for (int k = 0; k < Operands; ++k) offsets[k] = begin * loop.strides[k][0];
      row(offsets, end - begin);
    });
    return;
  }
  const int last = loop.dims - 1;
  const std::int64_t inner = loop.sizes[last];
  if (inner == 0) return;
  const std::int64_t rows = loop.numel / inner;
  parallel_for(rows, kGrain / inner + 1, [&](std::int64_t begin, std::int64_t end) {
    std::int64_t at[kMaxDims] = {}, offsets[Operands] = {};
    std::int64_t rest = begin;
    for (int d = last - 1; d >= 0; --d) {
      at[d] = rest % loop.sizes[d];
      rest /= loop.sizes[d];
      for (int k = 0; k < Operands; ++k) offsets[k] += at[d] * loop.strides[k][d];
    }
    for (std::int64_t r = begin; r < end; ++r) {
      row(offsets, inner);
      for (int d = last - 1; d >= 0; --d) {
        ++at[d];
        for (int k = 0; k < Operands; ++k) offsets[k] += loop.strides[k][d];
        if (at[d] < loop.sizes[d]) break;
        for (int k = 0; k < Operands; ++k) offsets[k] -= at[d] * loop.strides[k][d];
        at[d] = 0;
      }
    }
  });
}

inline std::int64_t inner_stride(const Loop& loop, int operand) {
  return loop.strides[operand][loop.dims > 0 ? loop.dims - 1 : 0];
}

/// out = f(a).
template <class Out, class A, class F>
inline void map1(const Loop& loop, F f) {
  auto* out = reinterpret_cast<Out*>(loop.data[0]);
  const auto* a = reinterpret_cast<const A*>(loop.data[1]);
  const std::int64_t so = inner_stride(loop, 0), sa = inner_stride(loop, 1);
  for_each_row<2>(loop, [=](const std::int64_t* at, std::int64_t n) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    if (so == 1 && sa == 1) {
      for (std::int64_t i = 0; i < n; ++i) o[i] = f(x[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) o[i * so] = f(x[i * sa]);
    }
  });
}

/// out = f(a, b).
template <class Out, class A, class B, class F>
inline void map2(const Loop& loop, F f) {
  auto* out = reinterpret_cast<Out*>(loop.data[0]);
  const auto* a = reinterpret_cast<const A*>(loop.data[1]);
  const auto* b = reinterpret_cast<const B*>(loop.data[2]);
  const std::int64_t so = inner_stride(loop, 0), sa = inner_stride(loop, 1), sb = inner_stride(loop, 2);
  for_each_row<3>(loop, [=](const std::int64_t* at, std::int64_t n) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    const B* y = b + at[2];
    if (so == 1 && sa == 1 && sb == 1) {
      for (std::int64_t i = 0; i < n; ++i) o[i] = f(x[i], y[i]);
    } else if (so == 1 && sa == 1 && sb == 0) {
      const B value = *y;
      for (std::int64_t i = 0; i < n; ++i) o[i] = f(x[i], value);
    } else if (so == 1 && sa == 0 && sb == 1) {
      const A value = *x;
      for (std::int64_t i = 0; i < n; ++i) o[i] = f(value, y[i]);
    } else {
      for (std::int64_t i = 0; i < n; ++i) o[i * so] = f(x[i * sa], y[i * sb]);
    }
  });
}

/// out = f(a, b, c).
template <class Out, class A, class B, class C, class F>
inline void map3(const Loop& loop, F f) {
  auto* out = reinterpret_cast<Out*>(loop.data[0]);
  const auto* a = reinterpret_cast<const A*>(loop.data[1]);
  const auto* b = reinterpret_cast<const B*>(loop.data[2]);
  const auto* c = reinterpret_cast<const C*>(loop.data[3]);
  const std::int64_t so = inner_stride(loop, 0), sa = inner_stride(loop, 1), sb = inner_stride(loop, 2),
                     sc = inner_stride(loop, 3);
  for_each_row<4>(loop, [=](const std::int64_t* at, std::int64_t n) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    const B* y = b + at[2];
    const C* z = c + at[3];
    for (std::int64_t i = 0; i < n; ++i) o[i * so] = f(x[i * sa], y[i * sb], z[i * sc]);
  });
}

}  // namespace tern::kernels::cpu
