#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace tern {

namespace internal {

/// A C++ number as a float from which rounding to a shorter type gives what rounding the number itself gives: what a
/// float cannot hold is rounded to odd (Boldo and Melquiond, IEEE Trans. Computers 57, 2008).
template <class T>
constexpr float as_float(T value) {
  if constexpr (std::is_same_v<T, float> || (std::is_integral_v<T> && sizeof(T) < 3)) {
    return static_cast<float>(value);
  } else if constexpr (std::is_integral_v<T> && sizeof(T) > 4) {
    // Odd to 53 bits first.
    const bool negative = value < T(0);
    const std::uint64_t size = negative ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : value;
    const std::uint64_t kept = size >> 53 == 0 ? size : (size >> 11 | ((size & 0x7FF) != 0)) << 11;
    return as_float(negative ? -static_cast<double>(kept) : static_cast<double>(kept));
  } else {
    const double exact = static_cast<double>(value);
    const float near = static_cast<float>(exact);
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(near);
    const double got = static_cast<double>(near);
    if (got == exact || exact != exact || (bits & 1) != 0) return near;
    return std::bit_cast<float>((exact < 0 ? got < exact : got > exact) ? bits - 1 : bits + 1);
  }
}

constexpr std::uint16_t half_from(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value), sign = bits >> 16 & 0x8000;
  std::uint32_t size = bits & 0x7FFFFFFF;
  if (size > 0x7F800000) return static_cast<std::uint16_t>(sign | 0x7E00 | (size >> 13 & 0x3FF));  // a quiet NaN
  if (size >= 0x477FF000) return static_cast<std::uint16_t>(sign | 0x7C00);  // 65520 and above: infinity
  if (size < 0x38800000) {  // subnormal, a multiple of 2^-24: so are the floats from 0.5 to 1
    const float shifted = std::bit_cast<float>(size) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3F000000));
  }
  size += 0xFFF + (size >> 13 & 1);
  return static_cast<std::uint16_t>(sign | (size - 0x38000000) >> 13);
}

constexpr float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} << 16 & 0x80000000, size = half & 0x7FFF;
  if (size >= 0x7C00) return std::bit_cast<float>(sign | 0x7F800000 | (size & 0x3FF) << 13);
  if (size >= 0x400) return std::bit_cast<float>(sign | ((size << 13) + 0x38000000));
  const float small = static_cast<float>(static_cast<std::int32_t>(size)) * 0x1p-24f;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(small));
}

constexpr std::uint16_t bfloat16_from(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);  // a quiet NaN
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

}  // namespace internal

/// IEEE 754 binary16, for storage: a sign, 5 bits of exponent and 10 of fraction, up to 65504. Made from any C++ number
/// and turned into one explicitly; made by rounding once, to nearest and ties to even, above the range to infinity.
struct Half {
  std::uint16_t bits;

  Half() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr explicit Half(T value) : bits(internal::half_from(internal::as_float(value))) {}
  static constexpr Half from_bits(std::uint16_t bits) {
    Half half;
    half.bits = bits;
    return half;
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr explicit operator T() const { return static_cast<T>(internal::float_from_half(bits)); }
  friend constexpr bool operator==(Half a, Half b) { return static_cast<float>(a) == static_cast<float>(b); }
};

/// The upper half of a binary32, for storage: a sign, 8 bits of exponent and 7 of fraction. Converts as Half does.
struct BFloat16 {
  std::uint16_t bits;

  BFloat16() = default;
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr explicit BFloat16(T value) : bits(internal::bfloat16_from(internal::as_float(value))) {}
  static constexpr BFloat16 from_bits(std::uint16_t bits) {
    BFloat16 half;
    half.bits = bits;
    return half;
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr explicit operator T() const { return static_cast<T>(std::bit_cast<float>(std::uint32_t{bits} << 16)); }
  friend constexpr bool operator==(BFloat16 a, BFloat16 b) { return static_cast<float>(a) == static_cast<float>(b); }
};

}  // namespace tern
