#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/families.h"
#include "functors/math.h"
#include "slots.h"
#include "tern/base/parallel.h"

// Rows are independent; a row's sums are one chain in f64, in order of its columns.
namespace tern::kernels::cpu {
namespace {

std::int64_t row_grain(std::int64_t columns) { return 4096 / std::max<std::int64_t>(columns, 1) + 1; }

template <class T>
T largest(const T* x, std::int64_t n) {
  T best = -std::numeric_limits<T>::infinity();
  for (std::int64_t c = 0; c < n; ++c) {
    if (x[c] > best || x[c] != x[c]) best = x[c];
  }
  return best;
}

// log Σ exp(x - largest); a row of infinities is left to give NaN, as its softmax is undefined.
template <class T>
double shifted_sum(const T* x, std::int64_t n, T shift) {
  double sum = 0;
  for (std::int64_t c = 0; c < n; ++c) sum += math::exp(static_cast<T>(x[c] - shift));
  return sum;
}

template <class T>
void softmax_kernel(const SoftmaxArgs& args) {
  const std::int64_t n = args.columns;
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(args.x) + r * n;
      T* out = static_cast<T*>(args.out) + r * n;
      const T shift = largest(x, n);
      double sum = 0;
      for (std::int64_t c = 0; c < n; ++c) {
        out[c] = math::exp(static_cast<T>(x[c] - shift));
        sum += out[c];
      }
      const T scale = static_cast<T>(1 / sum);
      for (std::int64_t c = 0; c < n; ++c) out[c] *= scale;
    }
  });
}

template <class T>
void log_softmax_kernel(const SoftmaxArgs& args) {
  const std::int64_t n = args.columns;
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(args.x) + r * n;
      T* out = static_cast<T*>(args.out) + r * n;
      const T shift = largest(x, n);
      const T log_sum = static_cast<T>(std::log(shifted_sum(x, n, shift)));
      for (std::int64_t c = 0; c < n; ++c) out[c] = (x[c] - shift) - log_sum;
    }
  });
}

// y (g - Σ g y).
template <class T>
void softmax_gradient_kernel(const SoftmaxArgs& args) {
  const std::int64_t n = args.columns;
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* y = static_cast<const T*>(args.x) + r * n;
      const T* g = static_cast<const T*>(args.g) + r * n;
      T* out = static_cast<T*>(args.out) + r * n;
      double dot = 0;
      for (std::int64_t c = 0; c < n; ++c) dot += static_cast<double>(g[c]) * static_cast<double>(y[c]);
      for (std::int64_t c = 0; c < n; ++c) out[c] = y[c] * (g[c] - static_cast<T>(dot));
    }
  });
}

// g - exp(y) Σ g.
template <class T>
void log_softmax_gradient_kernel(const SoftmaxArgs& args) {
  const std::int64_t n = args.columns;
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* y = static_cast<const T*>(args.x) + r * n;
      const T* g = static_cast<const T*>(args.g) + r * n;
      T* out = static_cast<T*>(args.out) + r * n;
      double sum = 0;
      for (std::int64_t c = 0; c < n; ++c) sum += g[c];
      for (std::int64_t c = 0; c < n; ++c) out[c] = g[c] - math::exp(y[c]) * static_cast<T>(sum);
    }
  });
}

template <class T>
double class_weight(const CrossEntropyArgs& args, std::int64_t c) {
  return args.weight ? static_cast<double>(static_cast<const T*>(args.weight)[c]) : 1.0;
}

template <class T>
void cross_entropy_kernel(const CrossEntropyArgs& args) {
  const std::int64_t n = args.classes;
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(args.logits) + r * n;
      const std::int64_t t = args.target[r];
      const T shift = largest(x, n);
      const double log_sum = std::log(shifted_sum(x, n, shift));
      const auto loss_of = [&](std::int64_t c) { return log_sum - static_cast<double>(x[c] - shift); };
      double loss = (1 - args.smoothing) * class_weight<T>(args, t) * loss_of(t);
      if (args.smoothing != 0) {
        double spread = 0;
        for (std::int64_t c = 0; c < n; ++c) spread += class_weight<T>(args, c) * loss_of(c);
        loss += args.smoothing / static_cast<double>(n) * spread;
      }
      static_cast<T*>(args.out)[r] = static_cast<T>(loss);
    }
  });
}

template <class T>
void cross_entropy_gradient_kernel(const CrossEntropyArgs& args) {
  const std::int64_t n = args.classes;
  const double spread = args.smoothing / static_cast<double>(n);
  double all = 0;
  for (std::int64_t c = 0; c < n; ++c) all += spread * class_weight<T>(args, c);
  parallel_for(args.rows, row_grain(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(args.logits) + r * n;
      T* out = static_cast<T*>(args.out) + r * n;
      const std::int64_t t = args.target[r];
      const double g = static_cast<double>(static_cast<const T*>(args.g)[r]);
      const double mine = (1 - args.smoothing) * class_weight<T>(args, t);
      const T shift = largest(x, n);
      double sum = 0;
      for (std::int64_t c = 0; c < n; ++c) {
        out[c] = math::exp(static_cast<T>(x[c] - shift));
        sum += out[c];
      }
      const double scale = (all + mine) / sum;
      for (std::int64_t c = 0; c < n; ++c) {
        const double q = (c == t ? mine : 0.0) + spread * class_weight<T>(args, c);
        out[c] = static_cast<T>(g * (static_cast<double>(out[c]) * scale - q));
      }
    }
  });
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  softmax.set(DeviceKind::cpu, dtype, &softmax_kernel<T>);
  softmax_gradient.set(DeviceKind::cpu, dtype, &softmax_gradient_kernel<T>);
  log_softmax.set(DeviceKind::cpu, dtype, &log_softmax_kernel<T>);
  log_softmax_gradient.set(DeviceKind::cpu, dtype, &log_softmax_gradient_kernel<T>);
  cross_entropy.set(DeviceKind::cpu, dtype, &cross_entropy_kernel<T>);
  cross_entropy_gradient.set(DeviceKind::cpu, dtype, &cross_entropy_gradient_kernel<T>);
}

}  // namespace

void register_softmax() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cpu
