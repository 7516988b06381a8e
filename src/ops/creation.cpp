#include "tern/tensor/creation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/number_text.h"
#include "operands.h"
#include "slots/copy.h"
#include "tensor/device_runtime.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"

namespace tern {

using internal::checked;

Tensor empty(const Shape& shape, DType dtype, Device device) {
  return internal::new_tensor(shape, dtype, device, "empty");
}

namespace {
Tensor filled(const char* where, const Shape& shape, Scalar value, DType dtype, Device device) {
  internal::check_fits(where, value, dtype);
  Tensor out = internal::new_tensor(shape, dtype, device, where);
  kernels::fill(device, dtype, internal::make_loop(out), value);
  return out;
}

Tensor zeroed(const char* where, const Shape& shape, DType dtype, Device device) {
  Tensor out = internal::new_tensor(shape, dtype, device, where);
  const std::size_t bytes = static_cast<std::size_t>(out.impl()->numel) * size_of(dtype);
  if (device.kind == DeviceKind::cpu) {
    std::memset(out.impl()->data, 0, bytes);
  } else {
    internal::runtime(device).zero(device.index, out.impl()->data, bytes);
  }
  return out;
}
}  // namespace

Tensor full(const Shape& shape, Scalar value, DType dtype, Device device) {
  return filled("full", shape, value, dtype, device);
}
Tensor zeros(const Shape& shape, DType dtype, Device device) { return zeroed("zeros", shape, dtype, device); }
Tensor ones(const Shape& shape, DType dtype, Device device) { return filled("ones", shape, 1, dtype, device); }
Tensor empty_like(const Tensor& x) {
  checked(x, "empty_like");
  return empty(x.shape(), x.dtype(), x.device());
}
Tensor zeros_like(const Tensor& x) {
  checked(x, "zeros_like");
  return zeros(x.shape(), x.dtype(), x.device());
}
Tensor ones_like(const Tensor& x) {
  checked(x, "ones_like");
  return ones(x.shape(), x.dtype(), x.device());
}
Tensor full_like(const Tensor& x, Scalar value) {
  checked(x, "full_like");
  return filled("full_like", x.shape(), value, x.dtype(), x.device());
}
Tensor scalar(Scalar value, DType dtype) {
  if (dtype != f32 && dtype != f64) return filled("scalar", {}, value, dtype, cpu());
  Tensor out = internal::new_tensor({}, dtype, cpu());  // numbers beside tensors come here: no kernel for one element
  if (dtype == f32) {
    *reinterpret_cast<float*>(out.impl()->data) = static_cast<float>(value.real());
  } else {
    *reinterpret_cast<double*>(out.impl()->data) = value.real();
  }
  return out;
}

Tensor arange(double begin, double end, double step, DType dtype) {
  if (step == 0 || !std::isfinite(step) || !std::isfinite(begin) || !std::isfinite(end)) {
    internal::throw_value(
        "arange", "finite bounds and a step other than 0",
        internal::number_text(begin) + ", " + internal::number_text(end) + ", step " + internal::number_text(step));
  }
  const double steps = std::ceil((end - begin) / step);
  if (steps > 0x1p53) internal::throw_value("arange", "fewer than 2^53 elements", internal::number_text(steps));
  const auto count = static_cast<std::int64_t>(std::max(0.0, steps));
  const auto whole = [](double x) { return x == std::trunc(x) && std::abs(x) < 0x1p62; };
  if (dtype == i64 && whole(begin) && whole(step) && whole(end)) {  // exact beyond 2^53
    Tensor values = internal::new_tensor({count}, i64, cpu(), "arange");
    auto at = static_cast<std::int64_t>(begin);
    for (std::int64_t& x : values.mutable_span<std::int64_t>()) {
      x = std::exchange(at, at + static_cast<std::int64_t>(step));
    }
    return values;
  }
  Tensor values = internal::new_tensor({count}, f64, cpu(), "arange");
  auto elements = values.mutable_span<double>();
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i] = begin + static_cast<double>(i) * step;
  return values.to(dtype);
}
Tensor arange(std::int64_t count, DType dtype, Device device) {
  if (count < 0) internal::throw_shape("arange", "a count of at least 0", std::to_string(count));
  const Tensor values = internal::new_tensor({count}, i64, device, "arange");
  kernels::arange(device, i64, count, reinterpret_cast<std::int64_t*>(values.impl()->data));
  return values.to(dtype);
}
namespace {
Tensor spaced(const char* where, double begin, double end, std::int64_t count) {
  if (count < 0) internal::throw_value(where, "a count of at least 0", std::to_string(count));
  Tensor values = internal::new_tensor({count}, f64, cpu(), where);
  const double step = count > 1 ? (end - begin) / static_cast<double>(count - 1) : 0;
  std::int64_t i = 0;
  // From both ends, so that each is exact.
  for (double& x : values.mutable_span<double>()) {
    x = 2 * i < count ? begin + static_cast<double>(i) * step : end - static_cast<double>(count - 1 - i) * step;
    ++i;
  }
  return values;
}
}  // namespace

Tensor linspace(double begin, double end, std::int64_t count, DType dtype) {
  return spaced("linspace", begin, end, count).to(dtype);
}
Tensor logspace(double begin, double end, std::int64_t count, DType dtype) {
  return pow(10.0, spaced("logspace", begin, end, count)).to(dtype);
}
Tensor eye(std::int64_t n, DType dtype) {
  if (n < 0) internal::throw_shape("eye", "a size of at least 0", std::to_string(n));
  Tensor out = zeroed("eye", {n, n}, dtype, cpu());
  const std::int64_t strides[1] = {n + 1};
  internal::new_view(out, {n}, strides, 0).fill_(1);
  return out;
}

Tensor internal::copy_in(const char* where, const void* elements, std::size_t count, const Shape& shape, DType dtype) {
  Tensor out = new_tensor(shape, dtype, cpu());
  if (static_cast<std::size_t>(out.numel()) != count) {
    throw_shape(where, std::to_string(out.numel()) + " elements for " + to_string(shape), std::to_string(count));
  }
  if (count > 0) std::memcpy(out.impl()->data, elements, count * size_of(dtype));
  return out;
}

Tensor internal::narrowed(const Tensor& wide, DType dtype) {
  if (!is_floating(dtype) && dtype != boolean && dtype != wide.dtype()) {
    const auto check = [&](const auto& elements) {
      for (const auto value : elements) check_fits("tensor", value, dtype);
    };
    if (wide.dtype() == i64) {
      check(wide.span<std::int64_t>());
    } else {
      check(wide.span<double>());
    }
  }
  return converted(wide, dtype);
}

// By way of the widest type of its kind, so that integers keep all their digits.
Tensor internal::from_scalars(const Scalar* values, std::size_t count, DType dtype) {
  const Shape shape{static_cast<std::int64_t>(count)};
  if (is_floating(dtype) || dtype == boolean) {
    Tensor out = empty(shape, f64);
    std::transform(values, values + count, out.mutable_span<double>().begin(),
                   [](const Scalar& value) { return value.real(); });
    return converted(out, dtype);
  }
  for (std::size_t i = 0; i < count; ++i) check_fits("tensor", values[i], dtype);
  Tensor out = empty(shape, i64);
  std::transform(values, values + count, out.mutable_span<std::int64_t>().begin(),
                 [](const Scalar& value) { return value.integer(); });
  return converted(out, dtype);
}
Tensor tensor(std::initializer_list<std::initializer_list<Scalar>> rows, DType dtype) {
  if (rows.size() == 0) return internal::from_scalars(nullptr, 0, dtype);  // `{}` is a vector of nothing
  const std::size_t width = rows.begin()->size();
  std::vector<Scalar> values;
  for (const auto& row : rows) {
    if (row.size() != width) {
      internal::throw_shape("tensor", "rows of " + std::to_string(width) + " values", std::to_string(row.size()));
    }
    values.insert(values.end(), row.begin(), row.end());
  }
  return internal::from_scalars(values.data(), values.size(), dtype)
      .reshape({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)});
}

}  // namespace tern
