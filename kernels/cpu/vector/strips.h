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

// A strip of which nothing is to be fetched ahead: what lies behind it is something else.
constexpr std::int64_t kShort = 256;

template <class T, class Out, class... In, class F, int... K>
TERN_INLINE void compute(F f, const Strip& strip, std::integer_sequence<int, K...>) {
  constexpr int kLanes = Lane<T>::kLanes;
  const char* at[] = {strip.in[K]...};
  const std::int64_t step[] = {strip.step[K] * kLanes * static_cast<std::int64_t>(sizeof(In))...};
  char* out = strip.out;
  std::int64_t n = strip.n;
  if (n <= kShort && ((strip.step[K] == 1) && ...)) {
    std::int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      put(f(Operand<T, In>::load(at[K] + i * static_cast<std::int64_t>(sizeof(In)))...),
          out + i * static_cast<std::int64_t>(sizeof(Out)), false);
    }
    const int rest = static_cast<int>(n - i);
    if (rest > 0) {
      put_first(f(Operand<T, In>::load(at[K] + i * static_cast<std::int64_t>(sizeof(In)), rest)...),
                out + i * static_cast<std::int64_t>(sizeof(Out)), rest);
    }
    return;
  }
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

/// Out = f(In…), f taking lanes of T.
template <class T, class Out, class... In, class F>
TERN_INLINE void compute(F f, const Strip& strip) {
  compute<T, Out, In...>(f, strip, std::make_integer_sequence<int, sizeof...(In)>{});
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
  compute<T, T, T, T>([](auto a, auto b) { return F::forward(a, b); }, strip);
}
template <class F, class T>
void compare_strip(const Strip& strip) {
  compute<T, bool, T, T>([](auto a, auto b) { return F::forward(a, b); }, strip);
}

}  // namespace
}  // namespace tern::kernels::cpu
