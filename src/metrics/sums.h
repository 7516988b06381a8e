#pragma once

#include <cstdint>

namespace tern::metrics::internal {

/// f(begin) + … + f(end - 1) by halving down to runs of 128, so that rounding grows with the logarithm of the count.
template <class F>
double pairwise_sum(std::int64_t begin, std::int64_t end, const F& f) {
  if (end - begin <= 128) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += f(i);
    return sum;
  }
  const std::int64_t middle = begin + (end - begin) / 2;
  return pairwise_sum(begin, middle, f) + pairwise_sum(middle, end, f);
}

}  // namespace tern::metrics::internal
