#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <stdexcept>

#include "conformance/row.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/device.h"

// Inputs of a row: drawn as arrays of doubles, laid out as tensors of any type, strides and device, and read back. Part
// of the runner's unit: as one of its own it takes half as long again under the sanitizers, which inline little.
namespace conformance {
namespace {

/// SplitMix64: the inputs of large cases are most of what this program computes.
struct Draws {
  std::uint64_t state;
  double uniform() {
    std::uint64_t bits = state += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return static_cast<double>((bits ^ bits >> 31) >> 11) * 0x1p-53;
  }
};

enum class Layout { contiguous, transposed, sliced };
using tern::Device;
using tern::f32;
using tern::f64;

Shape shape_of(const Index& sizes) { return Shape(sizes); }

// --- values in and out, element by element

template <class T>
Tensor make(const Array& a) {
  const auto elements = std::make_unique<T[]>(a.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) elements[i] = static_cast<T>(a.values[i]);
  return tern::from_span(std::span<const T>(elements.get(), a.values.size()), shape_of(a.sizes));
}

Tensor tensor_of(const Array& a, DType dtype) {
  switch (dtype) {
    case DType::f64:
      return make<double>(a);
    case DType::f32:
      return make<float>(a);
    case DType::f16:
      return make<tern::Half>(a);
    case DType::bf16:
      return make<tern::BFloat16>(a);
    case DType::i64:
      return make<std::int64_t>(a);
    case DType::i32:
      return make<std::int32_t>(a);
    case DType::u8:
      return make<std::uint8_t>(a);
    case DType::boolean:
      return make<bool>(a);
  }
  throw std::logic_error("a type that the runner does not know");
}

template <class T>
Array values_as(const Tensor& x) {
  const std::vector<T> elements = x.to_vector<T>();
  Array out{sizes_of(x.shape()), Numbers(elements.size())};
  double* to = out.values.data();
  for (const T element : elements) *to++ = static_cast<double>(element);
  return out;
}

Array values_of(const Tensor& x) {
  switch (x.dtype()) {
    case DType::f64:
      return values_as<double>(x);
    case DType::f32:
      return values_as<float>(x);
    case DType::f16:
      return values_as<tern::Half>(x);
    case DType::bf16:
      return values_as<tern::BFloat16>(x);
    case DType::i64:
      return values_as<std::int64_t>(x);
    case DType::i32:
      return values_as<std::int32_t>(x);
    case DType::u8:
      return values_as<std::uint8_t>(x);
    case DType::boolean:
      return values_as<bool>(x);
  }
  throw std::logic_error("a type that the runner does not know");
}

double rounded(double x, DType dtype) {
  if (dtype == f32) return static_cast<float>(x);
  if (dtype == tern::f16) return static_cast<double>(tern::Half(x));
  if (dtype == tern::bf16) return static_cast<double>(tern::BFloat16(x));
  if (dtype == tern::u8) return static_cast<std::uint8_t>(static_cast<std::int64_t>(x));
  return x;
}

// From 1 to the next number: results that are computed exactly enough and rounded once differ by no more.
double step_of(DType half) { return half == tern::f16 ? 0x1p-10 : 0x1p-7; }

// --- inputs

// The real values of a call are one shuffled grid with jitter: none equals another or a kink.
Arrays draw(const Row& row, const Case& c, const Shapes& shapes, DType dtype, std::uint64_t seed) {
  Draws random{seed};
  std::int64_t count = 0;
  for (const Shape& shape : shapes) count += product(sizes_of(shape));
  const auto cells = std::make_unique<std::int32_t[]>(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto j = static_cast<std::int64_t>(random.uniform() * static_cast<double>(i + 1));
    cells[i] = cells[j];
    cells[j] = static_cast<std::int32_t>(i);
  }
  const std::int32_t* next = cells.get();
  Arrays out;
  for (std::size_t k = 0; k < c.inputs.size(); ++k) {
    const Input& input = c.inputs[k];
    const DType type = input.dtype.value_or(dtype);
    const double step = (input.high - input.low) / static_cast<double>(count);
    Array array{sizes_of(shapes[k]), Numbers(static_cast<std::size_t>(product(sizes_of(shapes[k]))))};
    for (double& value : array.values) {
      double x = input.low + step * (*next++ + 0.25 + 0.5 * random.uniform());
      if (input.whole) {
        x = std::floor(x);
      } else {
        for (double kink : row.kinks) {
          if (std::abs(x - kink) < 0.02) x = kink + (x < kink ? -0.02 : 0.02) * (1 + random.uniform());
        }
      }
      value = rounded(x, type);
    }
    out.push_back(std::move(array));
  }
  return out;
}

constexpr double kFiller = 7;

// The same values with other strides; the gaps hold something else.
Tensor laid_out(const Array& a, DType dtype, Layout layout, Device device = tern::cpu()) {
  const int dims = static_cast<int>(a.sizes.size());
  if (layout == Layout::contiguous || dims == 0) return tensor_of(a, dtype).to(device);
  if (layout == Layout::transposed && dims > 1) {
    const Index turned(a.sizes.rbegin(), a.sizes.rend());
    Index from(a.sizes.size());
    const Array b = build(turned, [&](const Index& i) {
      std::copy(i.rbegin(), i.rend(), from.begin());
      return a.at(from);
    });
    Shape order;
    for (int d = dims - 1; d >= 0; --d) order.push_back(d);
    return tensor_of(b, dtype).to(device).permute(order).detach();
  }
  Index wide = a.sizes;
  wide.back() = 2 * wide.back() + 1;
  std::size_t next = 0;
  const Array b = build(wide, [&](const Index& i) { return i.back() % 2 == 1 ? a.values[next++] : kFiller; });
  return tensor_of(b, dtype).to(device).slice(-1, 1, wide.back(), 2).detach();
}

Tensors tensors_of(const Case& c, const Arrays& arrays, DType dtype, Layout layout = Layout::contiguous,
                   bool with_grad = false, Device device = tern::cpu()) {
  Tensors out;
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    out.push_back(laid_out(arrays[k], c.inputs[k].dtype.value_or(dtype), layout, device));
    if (with_grad && c.inputs[k].varies && tern::is_floating(out[k].dtype())) out[k].requires_grad_();
  }
  return out;
}

}  // namespace
}  // namespace conformance
