#include "cpu/vector/norm.h"

#include <algorithm>

#include "cpu/vector/lane.h"

// A row is summed, summed about that mean, and written. The three go on at once, in one loop, for three rows: so sums
// are waited for once a row, and reading and writing never take turns. A sum's terms go to the lanes of four vectors,
// which are emptied into f64 after every 16 terms of a lane; the order depends on the row's length alone.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

#define TERN_LAMBDA __attribute__((always_inline))

constexpr int kWays = 4;

template <class T>
TERN_INLINE Lane<T> load(const T* p, int n) {
  return n == Lane<T>::kLanes ? Lane<T>::load(p) : Lane<T>::load(p, n);
}

/// The sum of the first n lanes in f64, halves upon halves: a third of the steps that wait for one another. Three calls
/// a row are not worth three copies.
template <class T>
__attribute__((noinline)) double total(Lane<T> x, int n) {
  constexpr int kLanes = Lane<T>::kLanes;
  T lanes[kLanes];
  double sums[kLanes];
  x.store(lanes);
  for (int i = 0; i < kLanes; ++i) sums[i] = i < n ? static_cast<double>(lanes[i]) : 0;
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

/// Sums of a row: term(i, n, sums) adds the terms of elements i … i + n - 1 to one vector a sum.
template <class T, int Sums, class Term>
TERN_INLINE void row_sums(std::int64_t length, double* sums, Term term) {
  using L = Lane<T>;
  constexpr int kStep = kWays * L::kLanes;
  for (int s = 0; s < Sums; ++s) sums[s] = 0;
  std::int64_t i = 0;
  while (length - i >= kStep) {
    const std::int64_t end = length - i > 16 * kStep ? i + 16 * kStep : length;
    L ways[kWays][Sums];
    for (int w = 0; w < kWays; ++w) {
      for (int s = 0; s < Sums; ++s) ways[w][s] = L(T(0));
    }
    for (; end - i >= kStep; i += kStep) {
      for (int w = 0; w < kWays; ++w) term(i + w * L::kLanes, L::kLanes, ways[w]);
    }
    for (int s = 0; s < Sums; ++s) {
      sums[s] += total((ways[0][s] + ways[1][s]) + (ways[2][s] + ways[3][s]), L::kLanes);
    }
  }
  for (; i < length; i += L::kLanes) {
    const int n = length - i < L::kLanes ? static_cast<int>(length - i) : L::kLanes;
    L rest[Sums];
    for (int s = 0; s < Sums; ++s) rest[s] = L(T(0));
    term(i, n, rest);
    for (int s = 0; s < Sums; ++s) sums[s] += total(rest[s], n);
  }
}

/// f(i, n) for elements i … i + n - 1 of a row, a vector at a time.
template <class T, class F>
TERN_INLINE void each(std::int64_t length, F f) {
  constexpr int kLanes = Lane<T>::kLanes;
  std::int64_t i = 0;
  for (; length - i >= kLanes; i += kLanes) f(i, kLanes);
  if (i < length) f(i, static_cast<int>(length - i));
}

template <class T>
TERN_INLINE void put(Lane<T> x, T* p, int n) {
  n == Lane<T>::kLanes ? x.store(p) : x.store(p, n);
}

/// (x - mean) · scale with a mean in f64, whose part that T cannot hold comes in after the difference: exact to T's
/// last place even where the mean is large.
template <class T>
struct Normal {
  Lane<T> high, low, by;
  TERN_INLINE Normal(double mean, double scale)
      : high(static_cast<T>(mean)),
        low(static_cast<T>((static_cast<double>(static_cast<T>(mean)) - mean) * scale)),
        by(static_cast<T>(scale)) {}
  TERN_INLINE Lane<T> operator()(Lane<T> x) const { return fma(x - high, by, low); }
};

template <class T>
void forward(const NormRows<T>& rows) {
  using L = Lane<T>;
  const std::int64_t length = rows.columns;
  const T *weight = rows.weight, *bias = rows.bias;
  const bool stream =
      rows.stream && length % L::kLanes == 0 && reinterpret_cast<std::uintptr_t>(rows.out) % TERN_VECTOR_BYTES == 0;
  const double n = static_cast<double>(length);
  const auto row = [&](std::int64_t r) { return rows.x + std::clamp<std::int64_t>(r, 0, rows.rows - 1) * length; };
  T near(0);
  Normal<T> normal(0, 0);
  for (std::int64_t r = -2; r < rows.rows; ++r) {
    const T *x = row(r), *next = row(r + 1), *later = row(r + 2);
    T* out = r < 0 ? nullptr : rows.out + r * length;
    const L nearly(near);
    double sums[3];
    row_sums<T, 3>(length, sums, [=](std::int64_t i, int count, L* s) TERN_LAMBDA {
      fetch_ahead(later + i);
      s[0] = s[0] + load(later + i, count);
      const L c = load(next + i, count) - nearly;
      s[1] = s[1] + c;
      s[2] = fma(c, c, s[2]);
      if (!out) return;
      L y = normal(load(x + i, count));
      if (weight && bias) {
        y = fma(y, load(weight + i, count), load(bias + i, count));
      } else if (weight) {
        y = y * load(weight + i, count);
      } else if (bias) {
        y = y + load(bias + i, count);
      }
      if (stream) {
        y.stream(out + i);
      } else {
        put(y, out + i, count);
      }
    });
    // What the first sum lost of the mean, where it is large beside the differences, the second finds.
    const double rest = rows.centred ? sums[1] / n : 0, mean = static_cast<double>(near) + rest;
    const double scale = 1 / __builtin_sqrt(sums[2] / n - rest * rest + rows.eps);
    if (r + 1 >= 0 && r + 1 < rows.rows) {
      rows.statistics[2 * (r + 1)] = mean;
      rows.statistics[2 * (r + 1) + 1] = scale;
    }
    normal = Normal<T>(mean, scale);
    near = static_cast<T>(rows.centred ? sums[0] / n : 0);
  }
  if (stream) fence();
}

// With y = (x - mean) · scale and h = g · weight: scale · (h - mean(h) - y · mean(h · y)); without the mean of h when
// rows are not centred.
template <class T>
void gradient(const NormRows<T>& rows) {
  using L = Lane<T>;
  const std::int64_t length = rows.columns;
  const T* weight = rows.weight;
  T *weight_gradient = rows.weight_gradient, *bias_gradient = rows.bias_gradient;
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    const T *x = rows.x + r * length, *g = rows.g + r * length;
    const double scale = rows.statistics[2 * r + 1];
    const L by(static_cast<T>(scale));
    const Normal<T> normal(rows.statistics[2 * r], scale);
    if (rows.out) {
      double sums[2];
      row_sums<T, 2>(length, sums, [=](std::int64_t i, int n, L* s) TERN_LAMBDA {
        L h = load(g + i, n);
        if (weight) h = h * load(weight + i, n);
        s[0] = s[0] + h;
        s[1] = fma(h, normal(load(x + i, n)), s[1]);
      });
      const L level(static_cast<T>(rows.centred ? sums[0] / static_cast<double>(length) : 0));
      const L slope(static_cast<T>(sums[1] / static_cast<double>(length)));
      T* out = rows.out + r * length;
      each<T>(length, [=](std::int64_t i, int n) TERN_LAMBDA {
        L h = load(g + i, n);
        if (weight) h = h * load(weight + i, n);
        const L y = normal(load(x + i, n));
        put(by * ((h - level) - y * slope), out + i, n);
      });
    }
    if (weight_gradient) {
      each<T>(length, [=](std::int64_t i, int n) TERN_LAMBDA {
        const L y = normal(load(x + i, n));
        put(fma(load(g + i, n), y, load(weight_gradient + i, n)), weight_gradient + i, n);
      });
    }
    if (bias_gradient) {
      each<T>(length, [=](std::int64_t i, int n)
                          TERN_LAMBDA { put(load(bias_gradient + i, n) + load(g + i, n), bias_gradient + i, n); });
    }
  }
}

template <class T>
constexpr NormLoops<T> loops() {
  return {&forward<T>, &gradient<T>};
}

}  // namespace

constinit const NormTable norm{.f32 = loops<float>(), .f64 = loops<double>()};

}  // namespace tern::kernels::cpu::TERN_TARGET
