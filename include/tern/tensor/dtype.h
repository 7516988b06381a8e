#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "tern/base/export.h"
#include "tern/tensor/half.h"

namespace tern {

/// Element types.
enum class DType : std::uint8_t { f64, f32, i64, u8, boolean, i32, f16, bf16 };

inline constexpr DType f64 = DType::f64;
inline constexpr DType f32 = DType::f32;
inline constexpr DType f16 = DType::f16;
inline constexpr DType bf16 = DType::bf16;
inline constexpr DType i64 = DType::i64;
inline constexpr DType i32 = DType::i32;
inline constexpr DType u8 = DType::u8;
inline constexpr DType boolean = DType::boolean;

/// Upper bound on the number of element types; tables indexed by DType have this size.
inline constexpr int kMaxDTypes = 8;

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    default:
      return 1;
  }
}

/// f16 or bf16: types of storage, whose arithmetic is done in f32 and rounded once.
constexpr bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }
constexpr bool is_floating(DType dtype) { return dtype == DType::f64 || dtype == DType::f32 || is_half(dtype); }

/// "f64", "f32", "f16", "bf16", "i64", "i32", "u8" or "bool".
TERN_API std::string_view name(DType dtype);

/// The type that an operation on `a` and `b` computes in. The rules, all of them:
///  1. kinds are ordered boolean < integer < floating, and the higher kind gives the type: i64 with f32 is f32;
///  2. within a kind the wider type wins: f64 over f32 over f16, i64 over i32 over u8; f16 with bf16, of which neither
///     holds the other, gives f32;
///  3. a C++ number takes the tensor's type when its kind is not higher: f32 * 2.0 is f32, i32 + 1 is i32. A floating
///     number beside an integer or boolean tensor gives f32, an integer beside a boolean one gives i64;
///  4. tensors of no dimensions count like any other tensor;
///  5. arithmetic on two booleans gives i64; comparisons give boolean; functions of real numbers (exp, div, pow, mean,
///     softmax, …) take integers and booleans as f32; sums of integers and booleans are i64;
///  6. f16 and bf16 are computed in f32 and the result is rounded once;
///  7. in-place operations and gradients keep the type of the tensor that is written; matmul, linear and losses want
///     equal floating types and throw DTypeError otherwise.
constexpr DType promote(DType a, DType b) {
  if (a == b) return a;
  const auto kind = [](DType t) { return t == DType::boolean ? 0 : is_floating(t) ? 2 : 1; };
  if (kind(a) != kind(b)) return kind(a) > kind(b) ? a : b;
  if (size_of(a) == size_of(b)) return DType::f32;  // f16 and bf16
  return size_of(a) > size_of(b) ? a : b;
}

/// The DType of a C++ element type.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, double>) {
    return DType::f64;
  } else if constexpr (std::is_same_v<T, float>) {
    return DType::f32;
  } else if constexpr (std::is_same_v<T, Half>) {
    return DType::f16;
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return DType::bf16;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return DType::i32;
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return DType::u8;
  } else if constexpr (std::is_same_v<T, bool>) {
    return DType::boolean;
  } else {
    static_assert(std::is_integral_v<T> && sizeof(T) == 8 && std::is_signed_v<T>,
                  "elements are double, float, Half, BFloat16, int64_t, int32_t, uint8_t or bool");
    return DType::i64;
  }
}

}  // namespace tern
