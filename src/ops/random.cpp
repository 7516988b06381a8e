#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "base/number_text.h"
#include "operands.h"
#include "slots/random.h"
#include "tensor/impl.h"
#include "tern/base/random.h"
#include "tern/ops/binary.h"
#include "tern/ops/sort.h"
#include "tern/tensor/creation.h"

// Random tensors of tensor/creation.h.
namespace tern {

namespace {
// The generator counts 32-bit words; a draw of `words` of them starts at a multiple of that.
std::uint64_t draw(std::int64_t numel, std::uint64_t words) {
  Generator& generator = default_generator();
  generator.offset = (generator.offset + words - 1) / words * words;
  return generator.reserve(static_cast<std::uint64_t>(numel) * words) / words;
}

Tensor uniforms(const char* where, const Shape& shape, double low, double high, DType dtype, Device device) {
  if (!(low < high) || !std::isfinite(high - low)) {
    internal::throw_value(where, "low < high, a finite distance apart",
                          internal::number_text(low) + " and " + internal::number_text(high));
  }
  if (!is_floating(dtype)) internal::throw_dtype(where, "a floating type", std::string(name(dtype)));
  Tensor out = internal::new_tensor(shape, dtype, device, where);
  const Generator& generator = default_generator();
  const std::uint64_t first = draw(out.numel(), dtype == f64 ? 2 : 1);
  kernels::random_uniform(out.device(), dtype,
                          {out.numel(), out.impl()->data, generator.seed, generator.stream, first, low, high});
  return out;
}
}  // namespace

Tensor uniform(const Shape& shape, double low, double high, DType dtype, Device device) {
  return uniforms("uniform", shape, low, high, dtype, device);
}
Tensor rand(const Shape& shape, DType dtype, Device device) { return uniforms("rand", shape, 0, 1, dtype, device); }

namespace {
Tensor normals(const char* where, const Shape& shape, DType dtype, Device device) {
  if (!is_floating(dtype)) internal::throw_dtype(where, "a floating type", std::string(name(dtype)));
  Tensor out = internal::new_tensor(shape, dtype, device, where);
  const Generator& generator = default_generator();
  const std::uint64_t first = draw(out.numel(), 4);
  kernels::random_normal(out.device(), dtype, {out.numel(), out.impl()->data, generator.seed, generator.stream, first});
  return out;
}
}  // namespace

Tensor randn(const Shape& shape, DType dtype, Device device) { return normals("randn", shape, dtype, device); }

Tensor normal(const Shape& shape, double mean, double stddev, DType dtype) {
  if (!(stddev >= 0) || !std::isfinite(stddev) || !std::isfinite(mean)) {
    internal::throw_value("normal", "a finite mean and a finite stddev of at least 0",
                          internal::number_text(mean) + " and " + internal::number_text(stddev));
  }
  return normals("normal", shape, dtype, cpu()) * stddev + mean;
}

Tensor rand_like(const Tensor& x) {
  internal::checked(x, "rand");
  return rand(x.shape(), x.dtype(), x.device());
}
Tensor randn_like(const Tensor& x) {
  internal::checked(x, "randn");
  return randn(x.shape(), x.dtype(), x.device());
}

namespace {
// Up to where a floating type holds every whole number.
std::int64_t most_exact(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return std::int64_t{1} << 53;
    case DType::f32:
      return 1 << 24;
    case DType::f16:
      return 1 << 11;
    default:
      return 1 << 8;
  }
}

// low … low + span - 1; a span of 0 stands for 2^64.
Tensor integers(const char* where, const Shape& shape, std::int64_t low, std::uint64_t span) {
  Tensor out = internal::new_tensor(shape, i64, cpu(), where);
  const Generator& generator = default_generator();
  const std::uint64_t first = draw(out.numel(), 2);
  kernels::random_integer(out.device(), i64,
                          {out.numel(), reinterpret_cast<std::int64_t*>(out.impl()->data), generator.seed,
                           generator.stream, first, low, span});
  return out;
}
}  // namespace

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype) {
  if (low >= high) {
    internal::throw_value("randint", "low < high", std::to_string(low) + " and " + std::to_string(high));
  }
  internal::check_fits("randint", low, dtype);
  internal::check_fits("randint", high - 1, dtype);
  if (is_floating(dtype) && (low < -most_exact(dtype) || high - 1 > most_exact(dtype))) {
    internal::throw_value("randint", "whole numbers that " + std::string(name(dtype)) + " holds exactly",
                          std::to_string(low) + " to " + std::to_string(high - 1));
  }
  return integers("randint", shape, low, static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)).to(dtype);
}

Tensor randperm(std::int64_t n) {
  if (n < 0) internal::throw_value("randperm", "a number of at least 0", std::to_string(n));
  return argsort(integers("randperm", {n}, 0, 0), 0);
}

Tensor bernoulli(const Tensor& x) {
  if (!is_floating(internal::checked(x, "bernoulli")->dtype)) {
    internal::throw_dtype("bernoulli", "probabilities of a floating type", std::string(name(x.dtype())));
  }
  const Tensor p = x.detach().to(f64).contiguous().to(cpu());
  for (double each : p.span<double>()) {
    if (!(each >= 0 && each <= 1)) {
      internal::throw_value("bernoulli", "probabilities in [0, 1]", internal::number_text(each));
    }
  }
  return (rand(x.shape(), f64) < p).to(x.dtype()).to(x.device());
}

namespace {
// Each index once: those with the largest u^(1 / weight), in that order.
void draw_once(std::span<const double> weights, std::span<const double> uniforms, std::span<std::int64_t> out) {
  std::vector<double> keys(weights.size());
  std::vector<std::int64_t> order(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    order[i] = static_cast<std::int64_t>(i);
    const double never = -std::numeric_limits<double>::infinity();
    keys[i] = weights[i] > 0 ? std::log(1 - uniforms[i]) / weights[i] : never;
  }
  const auto before = [&](std::int64_t a, std::int64_t b) {
    const double ka = keys[static_cast<std::size_t>(a)], kb = keys[static_cast<std::size_t>(b)];
    return ka != kb ? ka > kb : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(out.size()), order.end(), before);
  std::copy_n(order.begin(), out.size(), out.begin());
}

// By the running sums of the weights.
void draw_again(std::span<const double> weights, std::span<const double> uniforms, std::span<std::int64_t> out) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  // What rounding puts at the end falls to the last index that can be drawn.
  const auto last = std::lower_bound(sums.begin(), sums.end(), sums.back());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::upper_bound(sums.begin(), last, uniforms[i] * sums.back()) - sums.begin();
  }
}
}  // namespace

Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement) {
  Shape shape = internal::checked(weights, "multinomial")->shape;
  if (shape.empty() || shape.back() == 0) {
    internal::throw_shape("multinomial", "weights [..., n] of at least one element", to_string(shape));
  }
  if (count < 0) internal::throw_value("multinomial", "a count of at least 0", std::to_string(count));
  const auto n = static_cast<std::size_t>(shape.back()), wanted = static_cast<std::size_t>(count);
  const Tensor p = weights.detach().to(f64).contiguous().to(cpu());
  const auto all = p.span<double>();
  const std::size_t rows = all.size() / n, drawn = replacement ? wanted : n;
  for (std::size_t r = 0; r < rows; ++r) {
    std::size_t positive = 0;
    for (double w : all.subspan(r * n, n)) {
      if (!(w >= 0) || !std::isfinite(w)) {
        internal::throw_value("multinomial", "finite weights of at least 0", internal::number_text(w));
      }
      positive += w > 0 ? 1 : 0;
    }
    if (positive < (replacement ? std::min<std::size_t>(wanted, 1) : wanted)) {
      internal::throw_value("multinomial", "weights above 0 for " + std::to_string(count) + " indices",
                            std::to_string(positive) + " in row " + std::to_string(r));
    }
  }
  shape[shape.size() - 1] = count;
  Tensor out = internal::new_tensor(shape, i64, cpu(), "multinomial");
  const Tensor uniforms = rand({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(drawn)}, f64);
  const auto to = out.mutable_span<std::int64_t>();
  for (std::size_t r = 0; r < rows; ++r) {
    (replacement ? draw_again : draw_once)(all.subspan(r * n, n), uniforms.span<double>().subspan(r * drawn, drawn),
                                           to.subspan(r * wanted, wanted));
  }
  return out.to(weights.device());
}

}  // namespace tern
