#pragma once

#include <cstdint>
#include <utility>

#include "cpu/strips.h"
#include "cpu/vector/lane.h"

// What stands behind a StripFn: a functor over lanes, compiled for whole vectors and for the last, partial one.
namespace tern::kernels::cpu {
namespace {

// A vector of `In`, as lanes of T: numbers, or of bytes a mask.
template <class T, class In>
struct Operand {
  static TERN_INLINE Lane<T> load(const char* p) { return Lane<T>::load(reinterpret_cast<const T*>(p)); }
  static TERN_INLINE Lane<T> load(const char* p, int n) { return Lane<T>::load(reinterpret_cast<const T*>(p), n); }
};
template <class T>
struct Operand<T, bool> {
  static TERN_INLINE LaneMask<T> load(const char* p) { return LaneMask<T>::from_bytes(p); }
  static TERN_INLINE LaneMask<T> load(const char* p, int n) {
    char bytes[Lane<T>::kLanes] = {};
    for (int i = 0; i < n; ++i) bytes[i] = p[i];
    return LaneMask<T>::from_bytes(bytes);
  }
};

template <class T>
TERN_INLINE void put(Lane<T> lane, char* p, bool stream) {
  T* to = reinterpret_cast<T*>(p);
  if (stream) {
    lane.stream(to);
  } else {
    lane.store(to);
  }
}
template <class T>
TERN_INLINE void put(LaneMask<T> mask, char* p, bool) {
  mask.to_bytes(p);
}
template <class T>
TERN_INLINE void put_first(Lane<T> lane, char* p, int n) {
  lane.store(reinterpret_cast<T*>(p), n);
}
template <class T>
TERN_INLINE void put_first(LaneMask<T> mask, char* p, int n) {
  char bytes[Lane<T>::kLanes];
  mask.to_bytes(bytes);
  for (int i = 0; i < n; ++i) p[i] = bytes[i];
}

template <class T, class Out, class... In, class F, int... K>
TERN_INLINE void compute(F f, const Strip& strip, std::integer_sequence<int, K...>) {
  constexpr int kLanes = Lane<T>::kLanes;
  const char* at[] = {strip.in[K]...};
  const std::int64_t step[] = {strip.step[K] * kLanes * static_cast<std::int64_t>(sizeof(In))...};
  char* out = strip.out;
  std::int64_t n = strip.n;
  const bool stream = strip.stream && reinterpret_cast<std::uintptr_t>(out) % TERN_VECTOR_BYTES == 0;
  for (; n >= kLanes; n -= kLanes) {
    (fetch_ahead(at[K]), ...);
    put(f(Operand<T, In>::load(at[K])...), out, stream);
    out += kLanes * sizeof(Out);
    ((at[K] += step[K]), ...);
  }
  if (n > 0) put_first(f(Operand<T, In>::load(at[K], static_cast<int>(n))...), out, static_cast<int>(n));
  if (stream) fence();
}

// The same of adjacent elements, without fetching ahead: what lies behind a short strip is something else.
template <class T, class Out, class... In, class F, int... K>
TERN_INLINE void compute_short(F f, const Strip& strip, std::integer_sequence<int, K...>) {
  constexpr std::int64_t kLanes = Lane<T>::kLanes;
  std::int64_t i = 0;
  for (; i + kLanes <= strip.n; i += kLanes) {
    put(f(Operand<T, In>::load(strip.in[K] + i * static_cast<std::int64_t>(sizeof(In)))...),
        strip.out + i * static_cast<std::int64_t>(sizeof(Out)), false);
  }
  const int rest = static_cast<int>(strip.n - i);
  if (rest > 0) {
    put_first(f(Operand<T, In>::load(strip.in[K] + i * static_cast<std::int64_t>(sizeof(In)), rest)...),
              strip.out + i * static_cast<std::int64_t>(sizeof(Out)), rest);
  }
}

inline constexpr std::int64_t kShort = 256;  // elements

/// Out = f(In…), f taking lanes of T. `Brief`: the work of f is so little that short strips have code of their own.
template <class T, class Out, class... In, class F, bool Brief = false>
TERN_INLINE void compute(F f, const Strip& strip, std::bool_constant<Brief> = {}) {
  constexpr std::make_integer_sequence<int, sizeof...(In)> kInputs;
  if constexpr (Brief) {
    bool adjacent = true;
    for (std::size_t k = 0; k < sizeof...(In); ++k) adjacent = adjacent && strip.step[k] == 1;
    if (strip.n <= kShort && adjacent) return compute_short<T, Out, In...>(f, strip, kInputs);
  }
  compute<T, Out, In...>(f, strip, kInputs);
}

template <class F, class T>
void unary_strip(const Strip& strip) {
  compute<T, T, T>([](auto x) { return F::forward(x); }, strip);
}
template <class F, class T>
void gradient_strip(const Strip& strip) {
  compute<T, T, T, T>([](auto g, auto saved) { return F::gradient(g, saved); }, strip);
}
template <class F, class T>
void binary_strip(const Strip& strip) {
  compute<T, T, T, T>([](auto a, auto b) { return F::forward(a, b); }, strip, std::true_type{});
}
template <class F, class T>
void compare_strip(const Strip& strip) {
  compute<T, bool, T, T>([](auto a, auto b) { return F::forward(a, b); }, strip);
}

}  // namespace
}  // namespace tern::kernels::cpu
