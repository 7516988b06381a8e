#include "tern/nn/init.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/number_text.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

namespace tern::nn::init {

namespace {

void check_floating(const char* where, const Tensor& t) {
  if (!is_floating(t.dtype())) {
    throw DTypeError("[" + std::string(where) + "] expected a floating tensor, got " + std::string(name(t.dtype())));
  }
}

void check_matrix(const char* where, const Tensor& t) {
  if (t.dim() != 2) {
    throw ShapeError("[" + std::string(where) + "] expected two dimensions, got " + to_string(t.shape()));
  }
}

struct Fans {
  double in, out;
};

Fans fans(const char* where, const Tensor& t) {
  if (t.dim() < 2 || t.numel() == 0) {
    throw ShapeError("[" + std::string(where) + "] expected a weight [out, in, ...] with elements, got " +
                     to_string(t.shape()));
  }
  const double rest = static_cast<double>(t.numel()) / static_cast<double>(t.size(0) * t.size(1));
  return {static_cast<double>(t.size(1)) * rest, static_cast<double>(t.size(0)) * rest};
}

double kaiming_gain(const char* where, const Tensor& t, const KaimingOptions& options) {
  const Fans f = fans(where, t);
  return calculate_gain(options.nonlinearity, options.slope) / std::sqrt(options.fan == Fan::in ? f.in : f.out);
}

// Distribution function of the standard normal.
double phi(double z) { return 0.5 * std::erfc(-z * std::sqrt(0.5)); }

}  // namespace

void constant_(Tensor t, double value) {
  check_floating("constant_", t);
  NoGrad no_grad;
  t.fill_(value);
}

void zeros_(Tensor t) { constant_(t, 0); }
void ones_(Tensor t) { constant_(t, 1); }

void eye_(Tensor t) {
  check_floating("eye_", t);
  check_matrix("eye_", t);
  NoGrad no_grad;
  t.zero_();
  for (std::int64_t i = 0; i < std::min(t.size(0), t.size(1)); ++i) t[i][i].fill_(1);
}

void uniform_(Tensor t, double low, double high) {
  check_floating("uniform_", t);
  NoGrad no_grad;
  t.copy_(uniform(t.shape(), low, high, t.dtype()));
}

void normal_(Tensor t, double mean, double stddev) {
  check_floating("normal_", t);
  NoGrad no_grad;
  t.copy_(randn(t.shape(), t.dtype()) * stddev + mean);
}

void trunc_normal_(Tensor t, const TruncNormalOptions& options) {
  check_floating("trunc_normal_", t);
  if (!(options.low < options.high && options.stddev > 0)) {
    throw ValueError("[trunc_normal_] expected low < high and stddev > 0, got low " +
                     tern::internal::number_text(options.low) + ", high " + tern::internal::number_text(options.high) +
                     ", stddev " + tern::internal::number_text(options.stddev));
  }
  NoGrad no_grad;
  // Within the upper tail probabilities are all but 1: it is drawn from as the lower one, mirrored.
  const double side = options.low > options.mean ? -1 : 1;
  const auto scaled = [&](double x) { return side * (x - options.mean) / options.stddev; };
  const double low = scaled(side > 0 ? options.low : options.high),
               high = scaled(side > 0 ? options.high : options.low);
  const double below = phi(low), within = phi(high) - below;
  Tensor draws = rand(t.shape(), f64);
  for (double& x : draws.mutable_span<double>()) {
    const double wanted = below + x * within;
    double left = low, right = high;
    for (int halving = 0; halving < 64; ++halving) {
      const double middle = 0.5 * (left + right);
      (phi(middle) < wanted ? left : right) = middle;
    }
    x = std::clamp(options.mean + side * options.stddev * 0.5 * (left + right), options.low, options.high);
  }
  t.copy_(draws);
}

double calculate_gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      return 1;
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
  }
  throw ValueError("[calculate_gain] expected a known nonlinearity, got number " +
                   std::to_string(static_cast<int>(nonlinearity)));
}

void xavier_uniform_(Tensor t, double gain) {
  const Fans f = fans("xavier_uniform_", t);
  const double bound = std::abs(gain) * std::sqrt(6 / (f.in + f.out));
  if (bound == 0) return constant_(t, 0);
  uniform_(t, -bound, bound);
}

void xavier_normal_(Tensor t, double gain) {
  const Fans f = fans("xavier_normal_", t);
  normal_(t, 0, gain * std::sqrt(2 / (f.in + f.out)));
}

void kaiming_uniform_(Tensor t, const KaimingOptions& options) {
  const double bound = std::sqrt(3.0) * kaiming_gain("kaiming_uniform_", t, options);
  uniform_(t, -bound, bound);
}

void kaiming_normal_(Tensor t, const KaimingOptions& options) {
  normal_(t, 0, kaiming_gain("kaiming_normal_", t, options));
}

void orthogonal_(Tensor t, double gain) {
  check_floating("orthogonal_", t);
  fans("orthogonal_", t);
  NoGrad no_grad;
  const std::int64_t rows = t.size(0), columns = t.numel() / rows;
  const std::int64_t count = std::min(rows, columns), length = std::max(rows, columns);
  // Gram-Schmidt on `count` normal vectors, each freed twice of those before it: once more is enough (Kahan and
  // Parlett).
  std::vector<double> q = randn({count, length}, f64).to_vector<double>();
  for (std::int64_t i = 0; i < count; ++i) {
    double* v = q.data() + i * length;
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t j = 0; j < i; ++j) {
        const double* u = q.data() + j * length;
        double dot = 0;
        for (std::int64_t k = 0; k < length; ++k) dot += u[k] * v[k];
        for (std::int64_t k = 0; k < length; ++k) v[k] -= dot * u[k];
      }
    }
    double square = 0;
    for (std::int64_t k = 0; k < length; ++k) square += v[k] * v[k];
    for (std::int64_t k = 0; k < length; ++k) v[k] /= std::sqrt(square);
  }
  Tensor result = from_vector(q, {count, length});
  if (rows > columns) result = result.t();
  t.copy_((result.contiguous() * gain).reshape(t.shape()));
}

void sparse_(Tensor t, double sparsity, double stddev) {
  check_floating("sparse_", t);
  check_matrix("sparse_", t);
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw ValueError("[sparse_] expected a sparsity in [0, 1], got " + tern::internal::number_text(sparsity));
  }
  NoGrad no_grad;
  const std::int64_t rows = t.size(0), columns = t.size(1);
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  std::vector<double> values = (randn({rows, columns}, f64) * stddev).to_vector<double>();
  Generator& generator = default_generator();
  const std::uint64_t seed = generator.philox().bits32(generator.reserve(1));
  for (std::int64_t column = 0; column < columns; ++column) {
    const std::vector<std::int64_t> order = permutation(rows, Philox(seed, static_cast<std::uint64_t>(column)));
    for (std::int64_t i = 0; i < zeros; ++i) values[static_cast<std::size_t>(order[i] * columns + column)] = 0;
  }
  t.copy_(from_vector(values, {rows, columns}));
}

}  // namespace tern::nn::init
