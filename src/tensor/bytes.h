#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tern/base/error.h"
#include "tern/tensor/tensor.h"

namespace tern::internal {

/// The elements of a contiguous tensor as they lie in memory.
inline std::string_view bytes_of(const Tensor& contiguous) {
  const auto view = [&]<class T>(std::span<const T> elements) {
    return std::string_view(reinterpret_cast<const char*>(elements.data()), elements.size_bytes());
  };
  switch (contiguous.dtype()) {
    case DType::f64:
      return view(contiguous.span<double>());
    case DType::f32:
      return view(contiguous.span<float>());
    case DType::f16:
      return view(contiguous.span<Half>());
    case DType::bf16:
      return view(contiguous.span<BFloat16>());
    case DType::i32:
      return view(contiguous.span<std::int32_t>());
    case DType::i64:
      return view(contiguous.span<std::int64_t>());
    case DType::u8:
      return view(contiguous.span<std::uint8_t>());
    case DType::boolean:
      return view(contiguous.span<bool>());
  }
  throw DTypeError("[bytes_of] expected a known type, got " + std::string(name(contiguous.dtype())));
}

}  // namespace tern::internal
