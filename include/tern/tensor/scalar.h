#pragma once

#include <cstdint>
#include <type_traits>

#include "tern/tensor/dtype.h"

namespace tern {

/// A C++ number beside a tensor; it takes part in type promotion by its kind only (see promote).
class Scalar {
 public:
  template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
  constexpr Scalar(T value)
      : real_(static_cast<double>(value)),
        integer_(std::is_integral_v<T> ? static_cast<std::int64_t>(value) : 0),
        kind_(std::is_same_v<T, bool>                      ? DType::boolean
              : std::is_integral_v<T> && !is_beyond(value) ? DType::i64
                                                           : DType::f32) {}

  constexpr double real() const { return real_; }
  /// The value as an integer; a floating one is truncated, held within the range, and 0 for NaN.
  constexpr std::int64_t integer() const {
    if (kind_ != DType::f32) return integer_;
    if (!(real_ > -0x1p63)) return real_ == real_ ? INT64_MIN : 0;
    return real_ < 0x1p63 ? static_cast<std::int64_t>(real_) : INT64_MAX;
  }
  /// The type that this number and a tensor of type `tensor` compute in.
  constexpr DType promoted(DType tensor) const {
    const auto rank = [](DType t) { return t == DType::boolean ? 0 : is_floating(t) ? 2 : 1; };
    return rank(kind_) > rank(tensor) ? kind_ : tensor;
  }

 private:
  // Above what 64 bits with a sign hold: a real number then.
  template <class T>
  static constexpr bool is_beyond(T value) {
    if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) return value > std::uint64_t{INT64_MAX};
    return false;
  }

  double real_;
  std::int64_t integer_;
  DType kind_;
};

}  // namespace tern
