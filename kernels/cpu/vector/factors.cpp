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
  float parts[kLanes];
  store(parts, s0);
  for (int64_t part = 0; i < width; ++i, ++part) parts[part] += a[i] * b[i];
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t part = 0; part < half; ++part) parts[part] += parts[part + half];
  }
  return parts[0];
}

TERN_INLINE void axpy(float a, const float* x, float* y, int64_t width) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) store(y + i, load(y + i) + a * load(x + i));
  for (; i < width; ++i) y[i] += a * x[i];
}

void apply(const float* gram, const float* others, const int32_t* which, const float* weights, int64_t n,
           const float* x, float* out, int64_t width) {
  int64_t j = 0;
  for (; j + kWide <= width; j += kWide) {  // four registers of `out` at a time
    Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
    const float* row = gram + j;
    for (int64_t i = 0; i < width; ++i, row += width) {
      const float each = x[i];
      s0 += each * load(row);
      s1 += each * load(row + kLanes);
      s2 += each * load(row + 2 * kLanes);
      s3 += each * load(row + 3 * kLanes);
    }
    store(out + j, s0);
    store(out + j + kLanes, s1);
    store(out + j + 2 * kLanes, s2);
    store(out + j + 3 * kLanes, s3);
  }
  for (int64_t rest = j; rest < width; ++rest) out[rest] = dot(gram + rest * width, x, width);
  for (int64_t k = 0; k < n; ++k) {
    const float* y = others + which[k] * width;
    axpy(weights[k] * dot(y, x, width), y, out, width);
  }
}

void add(const float* others, const int32_t* which, const float* weights, int64_t n, float* out, int64_t width) {
  for (int64_t k = 0; k < n; ++k) axpy(weights[k], others + which[k] * width, out, width);
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

constinit const FactorsTable factors{
    .dot = &dot, .apply = &apply, .add = &add, .gram = &gram, .gram_f64 = &gram_f64, .solve_f64 = &solve_f64};

}  // namespace tern::kernels::cpu::TERN_TARGET
