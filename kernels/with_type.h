#pragma once

#include <cstdint>

#include "tern/tensor/dtype.h"
#include "tern/tensor/half.h"

namespace tern::kernels {

/// f.template operator()<T>() for the element type T of a dtype.
template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::f64:
      return f.template operator()<double>();
    case DType::f32:
      return f.template operator()<float>();
    case DType::f16:
      return f.template operator()<Half>();
    case DType::bf16:
      return f.template operator()<BFloat16>();
    case DType::i64:
      return f.template operator()<std::int64_t>();
    case DType::i32:
      return f.template operator()<std::int32_t>();
    case DType::u8:
      return f.template operator()<std::uint8_t>();
    case DType::boolean:
      return f.template operator()<bool>();
  }
}

}  // namespace tern::kernels
