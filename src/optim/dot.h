#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tern/base/parallel.h"
#include "tern/ops/binary.h"
#include "tern/tensor/tensor.h"

namespace tern::optim::internal {

/// The sum of products of the elements of two contiguous floating tensors of one shape and type, in f64, in an order
/// that their number alone decides.
inline double dot(const Tensor& a, const Tensor& b) {
  if (a.device() != cpu()) return (a.to(f64) * b.to(f64)).sum().item<double>();
  constexpr std::int64_t grain = 1 << 15;
  const auto sum = [&]<class T>(std::span<const T> x, std::span<const T> y) {
    const auto n = static_cast<std::int64_t>(x.size());
    std::vector<double> partial(static_cast<std::size_t>((n + grain - 1) / grain));
    parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
      double sums[4] = {};
      for (std::int64_t i = begin; i < end; ++i) {
        sums[(i - begin) & 3] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      }
      partial[begin / grain] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    });
    double total = 0;
    for (const double part : partial) total += part;
    return total;
  };
  if (a.dtype() == f64) return sum(a.span<double>(), b.span<double>());
  const Tensor x = a.to(f32), y = b.to(f32);
  return sum(x.span<float>(), y.span<float>());
}

}  // namespace tern::optim::internal
