#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "tensor/impl.h"
#include "tern/tensor/tensor.h"

namespace tern {
namespace {

constexpr std::int64_t kEdge = 3;      // shown at either end of an elided dimension
constexpr std::int64_t kWhole = 1000;  // elements up to which nothing is elided

std::string element(const Tensor& x, std::int64_t offset) {
  const auto* impl = x.impl();
  const auto* at = impl->data + offset * static_cast<std::int64_t>(size_of(impl->dtype));
  const auto real = [](double value, const char* format = "%.6g") {
    if (std::isnan(value)) return std::string("nan");  // of either sign
    char text[40];
    std::snprintf(text, sizeof text, format, value);
    return std::string(text);
  };
  switch (impl->dtype) {
    case DType::f64:
      return real(*reinterpret_cast<const double*>(at));
    case DType::f32:
      return real(static_cast<double>(*reinterpret_cast<const float*>(at)));
    case DType::f16:
      return real(static_cast<double>(*reinterpret_cast<const Half*>(at)), "%.4g");
    case DType::bf16:
      return real(static_cast<double>(*reinterpret_cast<const BFloat16*>(at)), "%.4g");
    case DType::i64:
      return std::to_string(*reinterpret_cast<const std::int64_t*>(at));
    case DType::i32:
      return std::to_string(*reinterpret_cast<const std::int32_t*>(at));
    case DType::u8:
      return std::to_string(*reinterpret_cast<const std::uint8_t*>(at));
    case DType::boolean:
      return *reinterpret_cast<const bool*>(at) ? "true" : "false";
  }
  return "";
}

void append(std::string& text, const Tensor& x, int dim, std::int64_t offset, bool elide, std::size_t width) {
  const auto* impl = x.impl();
  if (dim == impl->shape.size()) {
    const std::string value = element(x, offset);
    text.append(width > value.size() ? width - value.size() : 0, ' ') += value;
    return;
  }
  const bool last = dim + 1 == impl->shape.size();
  const std::int64_t size = impl->shape[dim];
  text += '[';
  for (std::int64_t i = 0; i < size; ++i) {
    if (i > 0) text += last ? ", " : ",\n" + std::string(static_cast<std::size_t>(dim) + 1, ' ');
    if (elide && size > 2 * kEdge && i == kEdge) {
      text += "…";
      i = size - kEdge - 1;
      continue;
    }
    append(text, x, dim + 1, offset + i * impl->strides[dim], elide, width);
  }
  text += ']';
}

// The widest value shown, so that columns line up.
std::size_t widest(const Tensor& x, int dim, std::int64_t offset, bool elide) {
  const auto* impl = x.impl();
  if (dim == impl->shape.size()) return element(x, offset).size();
  std::size_t width = 0;
  for (std::int64_t i = 0; i < impl->shape[dim]; ++i) {
    if (elide && impl->shape[dim] > 2 * kEdge && i == kEdge) i = impl->shape[dim] - kEdge;
    width = std::max(width, widest(x, dim + 1, offset + i * impl->strides[dim], elide));
  }
  return width;
}

}  // namespace

std::string to_string(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined tensor";
  if (tensor.device() != cpu()) {
    const Tensor copy = tensor.detach().to(cpu());
    return to_string(copy).insert(internal::describe(copy).size(), " on " + to_string(tensor.device()));
  }
  const bool elide = tensor.numel() > kWhole;
  std::string text = internal::describe(tensor);
  text += tensor.dim() > 1 ? "\n" : " ";
  if (tensor.numel() == 0) return text + "[]";
  append(text, tensor, 0, 0, elide, tensor.dim() > 1 ? widest(tensor, 0, 0, elide) : 0);
  return text;
}

}  // namespace tern
