#include "cpu/vector/factors.h"

#include "cpu/vector/lane.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

using std::int32_t;
using std::int64_t;

typedef LaneTypes<float>::Vector Vector;
typedef LaneTypes<float>::Unaligned Unaligned;
constexpr int64_t kLanes = TERN_VECTOR_BYTES / 4, kWide = 4 * kLanes;  // floats in four registers

TERN_INLINE Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
TERN_INLINE void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }

TERN_INLINE Lane<float> halves_added(Lane<float> a, Lane<float> b) {
  return interleave_low(a, b) + interleave_high(a, b);
}

float dot(const float* a, const float* b, int64_t width) {
  Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
  int64_t i = 0;
  for (; i + kWide <= width; i += kWide) {
    s0 += load(a + i) * load(b + i);
    s1 += load(a + i + kLanes) * load(b + i + kLanes);
    s2 += load(a + i + 2 * kLanes) * load(b + i + 2 * kLanes);
    s3 += load(a + i + 3 * kLanes) * load(b + i + 3 * kLanes);
  }
  for (; i + kLanes <= width; i += kLanes) s0 += load(a + i) * load(b + i);
  s0 = (s0 + s1) + (s2 + s3);
  Lane<float> sum(s0);
  for (int64_t lanes = kLanes; lanes > 1; lanes /= 2) sum = halves_added(sum, sum);
  float total = sum.vector[0];
  for (; i < width; ++i) total += a[i] * b[i];
  return total;
}

// Four rows at a time, with their weights: a row's sum across lanes, and the way of `out` through memory, take longer
// than its products. Where fewer are left, the last one stands again with the weight 0.
struct Rows {
  const float* at[4];
  float weights[4];
  Rows(const float* others, const int32_t* which, const float* weight, int64_t left, int64_t width) {
    for (int64_t r = 0; r < 4; ++r) {
      at[r] = others + which[r < left ? r : left - 1] * width;
      weights[r] = r < left ? weight[r] : 0;
    }
  }
};

// weight = weight * (row, x).
TERN_INLINE void scale_by_dots(Rows& rows, const float* x, int64_t width) {
  Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    const Vector each = load(x + i);
    s0 += load(rows.at[0] + i) * each;
    s1 += load(rows.at[1] + i) * each;
    s2 += load(rows.at[2] + i) * each;
    s3 += load(rows.at[3] + i) * each;
  }
  // Lanes of row 0, 2, 1, 3, and so on; then every fourth of them added up.
  const Lane<float> sums =
      halves_added(halves_added(Lane<float>(s0), Lane<float>(s1)), halves_added(Lane<float>(s2), Lane<float>(s3)));
  float parts[kLanes];
  store(parts, sums.vector);
  for (int64_t half = kLanes / 2; half >= 4; half /= 2) {
    for (int64_t part = 0; part < half; ++part) parts[part] += parts[part + half];
  }
  float dots[4] = {parts[0], parts[2], parts[1], parts[3]};
  for (; i < width; ++i) {
    for (int64_t r = 0; r < 4; ++r) dots[r] += rows.at[r][i] * x[i];
  }
  for (int64_t r = 0; r < 4; ++r) rows.weights[r] *= dots[r];
}

// out += Σ weight * row.
TERN_INLINE void add_rows(const Rows& rows, float* out, int64_t width) {
  const auto& [a, b, c, d] = rows.weights;
  const auto& [p, q, r, s] = rows.at;
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    store(out + i, load(out + i) + ((a * load(p + i) + b * load(q + i)) + (c * load(r + i) + d * load(s + i))));
  }
  for (; i < width; ++i) out[i] += (a * p[i] + b * q[i]) + (c * r[i] + d * s[i]);
}

void apply(const float* gram, const float* others, const int32_t* which, const float* weights, int64_t n,
           const float* x, float* out, int64_t width) {
  int64_t j = 0;
  for (; j + kWide <= width; j += kWide) {  // four registers of `out` at a time, of even rows and of odd ones
    Vector even[4] = {}, odd[4] = {};
    const float* row = gram + j;
    int64_t i = 0;
    for (; i + 2 <= width; i += 2, row += 2 * width) {
      TERN_UNROLL
      for (int64_t v = 0; v < 4; ++v) {
        even[v] += x[i] * load(row + v * kLanes);
        odd[v] += x[i + 1] * load(row + width + v * kLanes);
      }
    }
    TERN_UNROLL
    for (int64_t v = 0; v < 4; ++v) {
      if (i < width) even[v] += x[i] * load(row + v * kLanes);
      store(out + j + v * kLanes, even[v] + odd[v]);
    }
  }
  for (int64_t rest = j; rest < width; ++rest) out[rest] = dot(gram + rest * width, x, width);
  for (int64_t k = 0; k < n; k += 4) {
    Rows rows(others, which + k, weights + k, n - k, width);
    scale_by_dots(rows, x, width);
    add_rows(rows, out, width);
  }
}

float conjugate_step(float rest, const float* ap, float* x, float* r, float* p, int64_t width) {
  const float rate = rest / dot(p, ap, width);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    store(x + i, load(x + i) + rate * load(p + i));
    store(r + i, load(r + i) - rate * load(ap + i));
  }
  for (; i < width; ++i) {
    x[i] += rate * p[i];
    r[i] -= rate * ap[i];
  }
  const float next = dot(r, r, width), part = next / rest;
  for (i = 0; i + kLanes <= width; i += kLanes) store(p + i, load(r + i) + part * load(p + i));
  for (; i < width; ++i) p[i] = r[i] + part * p[i];
  return next;
}

void add(const float* others, const int32_t* which, const float* weights, int64_t n, float* out, int64_t width) {
  for (int64_t k = 0; k < n; k += 4) add_rows(Rows(others, which + k, weights + k, n - k, width), out, width);
}

void gram(const float* rows, int64_t n, float* a, int64_t width) {
  int64_t k = 0;
  for (; k + 4 <= n; k += 4) {  // four rows for each pass over `a`
    const float *r0 = rows + k * width, *r1 = r0 + width, *r2 = r1 + width, *r3 = r2 + width;
    for (int64_t i = 0; i < width; ++i) {
      float* to = a + i * width;
      const float x0 = r0[i], x1 = r1[i], x2 = r2[i], x3 = r3[i];
      for (int64_t j = 0; j <= i; ++j) to[j] += (x0 * r0[j] + x1 * r1[j]) + (x2 * r2[j] + x3 * r3[j]);
    }
  }
  for (; k < n; ++k) {
    const float* y = rows + k * width;
    for (int64_t i = 0; i < width; ++i) {
      for (int64_t j = 0; j <= i; ++j) a[i * width + j] += y[i] * y[j];
    }
  }
}

typedef LaneTypes<double>::Vector Doubles;
typedef LaneTypes<double>::Unaligned UnalignedDoubles;
constexpr int64_t kDoubles = TERN_VECTOR_BYTES / 8;
static_assert(kFactorStep % kDoubles == 0);

TERN_INLINE Doubles load(const double* p) { return *reinterpret_cast<const UnalignedDoubles*>(p); }
TERN_INLINE void store(double* p, Doubles v) { *reinterpret_cast<UnalignedDoubles*>(p) = v; }

void gram_f64(const double* rows, int64_t n, double* a, int64_t width) {
  for (int64_t i = 0; i < width; i += kFactorStep) {
    for (int64_t j = i; j < width; j += kDoubles) {
      Doubles sums[kFactorStep] = {};
      for (int64_t k = 0; k < n; ++k) {
        const double* y = rows + k * width;
        const Doubles right = load(y + j);
        TERN_UNROLL
        for (int64_t r = 0; r < kFactorStep; ++r) sums[r] += y[i + r] * right;
      }
      TERN_UNROLL
      for (int64_t r = 0; r < kFactorStep; ++r) store(a + (i + r) * width + j, sums[r]);
    }
  }
}

// Whole vectors of a row, from the one that holds the diagonal: what they do to the elements before it is not read.
bool solve_f64(double* a, int64_t n, int64_t width, double* x) {
  double most = 0;
  for (int64_t k = 0; k < n; ++k) most = a[k * width + k] > most ? a[k * width + k] : most;
  for (int64_t k = 0; k < n; ++k) {
    double* row = a + k * width;
    if (!(row[k] > 1e-14 * most)) return false;
    const double scale = 1 / __builtin_sqrt(row[k]);
    for (int64_t j = k - k % kDoubles; j < width; j += kDoubles) store(row + j, load(row + j) * scale);
    for (int64_t i = k + 1; i < n; ++i) {
      double* to = a + i * width;
      const double factor = row[i];
      for (int64_t j = i - i % kDoubles; j < width; j += kDoubles) store(to + j, load(to + j) - factor * load(row + j));
    }
  }
  for (int64_t k = 0; k < n; ++k) x[k] = a[k * width + n];
  for (int64_t k = n; k-- > 0;) {
    x[k] /= a[k * width + k];
    for (int64_t i = 0; i < k; ++i) x[i] -= a[i * width + k] * x[k];
  }
  return true;
}

}  // namespace

constinit const FactorsTable factors{.dot = &dot,
                                     .apply = &apply,
                                     .conjugate_step = &conjugate_step,
                                     .add = &add,
                                     .gram = &gram,
                                     .gram_f64 = &gram_f64,
                                     .solve_f64 = &solve_f64};

}  // namespace tern::kernels::cpu::TERN_TARGET
