#include "tern/base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace tern {

double normal(const Philox& random, std::uint64_t index) {
  const double u1 = 1.0 - random.uniform(2 * index);  // (0, 1]: the logarithm stays finite
  const double u2 = random.uniform(2 * index + 1);
  return std::sqrt(-2.0 * std::log(u1)) * std::cos(2.0 * std::numbers::pi * u2);
}

std::vector<std::int64_t> permutation(std::int64_t n, const Philox& random) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n > 0 ? n : 0));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto j = random.below(static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(i) + 1);
    std::swap(order[static_cast<std::size_t>(i)], order[j]);
  }
  return order;
}

Generator& default_generator() {
  thread_local Generator generator;
  return generator;
}

void manual_seed(std::uint64_t seed) { default_generator() = Generator{.seed = seed}; }

GeneratorScope::GeneratorScope(Generator generator) : saved_(default_generator()) { default_generator() = generator; }

GeneratorScope::~GeneratorScope() { default_generator() = saved_; }

}  // namespace tern
