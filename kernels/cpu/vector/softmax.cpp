#include "cpu/vector/softmax.h"

#include "cpu/strips.h"
#include "cpu/vector/narrow.h"
#include "cpu/vector/strips.h"
#include "cpu/vector/sum.h"

// Rows are independent; a row's sums go in the order of `sum` (kernels/cpu/reduce.cpp), in f64.
namespace tern::kernels::cpu::TERN_TARGET {
namespace {

constexpr std::int64_t kKept = 8192;  // elements of a row that are kept beside it until they are streamed

/// out[c] = f(c, lanes of in[c]…), whole vectors and the rest.
template <class T, class F, class... In>
TERN_INLINE void each_column(std::int64_t n, T* out, bool stream, F f, const In*... in) {
  using L = Lane<T>;
  std::int64_t c = 0;
  for (; c + L::kLanes <= n; c += L::kLanes) put(f(L::load(in + c)...), reinterpret_cast<char*>(out + c), stream);
  const int rest = static_cast<int>(n - c);
  if (rest > 0) f(L::load(in + c, rest)...).store(out + c, rest);
}

/// Σ exp(x - shift); emit(c, e, count) gets the terms by sixteens.
template <class T, class Emit>
TERN_INLINE double exp_sum(const T* x, std::int64_t n, T shift, Emit emit) {
  using L = Lane<T>;
  LaneSum sum;
  alignas(64) T e[kSumLanes];
  const auto terms = [&](const T* from) {
    for (int v = 0; v < kSumLanes; v += L::kLanes) math::exp_finite(L::load(from + v) - L(shift)).store(e + v);
  };
  by_sixteen(
      n,
      [&](std::int64_t c) {
        terms(x + c);
        sum.add(e);
        emit(c, e, kSumLanes);
      },
      [&](std::int64_t c, int rest) {
        terms(Sixteen<T>(x + c, rest).at);
        for (int i = rest; i < kSumLanes; ++i) e[i] = 0;
        sum.add(e);
        emit(c, e, rest);
      });
  return sum.total();
}
template <class T>
TERN_INLINE auto keep_in(T* to) {
  return [to](std::int64_t c, const T* e, int count) {
    using L = Lane<T>;
    if (count == kSumLanes) {
      for (int v = 0; v < kSumLanes; v += L::kLanes) L::load(e + v).store(to + c + v);
    } else {
      for (int i = 0; i < count; ++i) to[c + i] = e[i];
    }
  };
}

TERN_INLINE double log(double x) { return math::log(Wide(x)).vector[0]; }

template <class T>
double sum_of(const T* x, std::int64_t n) {
  LaneSum sum;
  by_sixteen(
      n, [&](std::int64_t c) { sum.add(x + c); },
      [&](std::int64_t c, int rest) { sum.add(Sixteen<T>(x + c, rest).at); });
  return sum.total();
}

/// Whether rows of n elements may be written past the caches.
template <class T>
bool streams(std::int64_t rows, std::int64_t n) {
  return n <= kKept && n % Lane<T>::kLanes == 0 && rows * n * static_cast<std::int64_t>(sizeof(T)) >= kStreamBytes;
}
template <class T>
bool aligned(const T* p) {
  return reinterpret_cast<std::uintptr_t>(p) % TERN_VECTOR_BYTES == 0;
}

// --- rows of at most kSumLanes elements, several at a time

/// at[c] = exp(at[c] - shift); the sum of each row.
template <class T>
TERN_INLINE void exp_sums(NarrowRows<T>& rows, Lane<T> shift, OfRows<double>& sum) {
  for (std::int64_t c = 0; c < rows.columns; ++c) rows.set(c, math::exp_finite(rows.column(c) - shift));
  rows.sums(sum);
}
TERN_INLINE void logs(OfRows<double>& x) {
  for (int l = 0; l < Lane<float>::kLanes; l += Wide::kLanes) math::log(Wide::load(x.at + l)).store(x.at + l);
}
/// f(row) for each of them.
template <class T, class F>
TERN_INLINE Lane<T> of_rows(F f) {
  OfRows<T> values;
  for (int r = 0; r < NarrowRows<T>::kRows; ++r) values[r] = f(r);
  return Lane<T>::load(values.at);
}

template <class T>
void narrow_softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.columns;
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    NarrowRows<T> rows(static_cast<const T*>(args.x) + r * n, count, n);
    OfRows<double> sum;
    exp_sums(rows, rows.largest(), sum);
    const auto scale = of_rows<T>([&](int i) { return static_cast<T>(1 / sum[i]); });
    for (std::int64_t c = 0; c < n; ++c) rows.set(c, rows.column(c) * scale);
    rows.store(static_cast<T*>(args.out) + r * n);
  });
}

template <class T>
void narrow_log_softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.columns;
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    NarrowRows<T> rows(static_cast<const T*>(args.x) + r * n, count, n), terms = rows;
    const auto shift = rows.largest();
    OfRows<double> sum;
    exp_sums(terms, shift, sum);
    logs(sum);
    const auto log_sum = of_rows<T>([&](int i) { return static_cast<T>(sum[i]); });
    for (std::int64_t c = 0; c < n; ++c) rows.set(c, (rows.column(c) - shift) - log_sum);
    rows.store(static_cast<T*>(args.out) + r * n);
  });
}

template <class T>
void narrow_softmax_gradient(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.columns;
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    const NarrowRows<T> y(static_cast<const T*>(args.x) + r * n, count, n);
    NarrowRows<T> g(static_cast<const T*>(args.g) + r * n, count, n);
    OfRows<double> sum;
    g.sums([&](std::int64_t c, int l) { return widen(g.at[c] + l) * widen(y.at[c] + l); }, sum);
    const auto dot = of_rows<T>([&](int i) { return static_cast<T>(sum[i]); });
    for (std::int64_t c = 0; c < n; ++c) g.set(c, y.column(c) * (g.column(c) - dot));
    g.store(static_cast<T*>(args.out) + r * n);
  });
}

template <class T>
void narrow_log_softmax_gradient(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.columns;
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    const NarrowRows<T> y(static_cast<const T*>(args.x) + r * n, count, n);
    NarrowRows<T> g(static_cast<const T*>(args.g) + r * n, count, n);
    OfRows<double> sums;
    g.sums(sums);
    const auto sum = of_rows<T>([&](int i) { return static_cast<T>(sums[i]); });
    for (std::int64_t c = 0; c < n; ++c) g.set(c, g.column(c) - math::exp(y.column(c)) * sum);
    g.store(static_cast<T*>(args.out) + r * n);
  });
}

// --- rows of any length, one by one

/// Rows that are written past the caches: while the exponentials of one are computed, the one before is written and the
/// largest element of the next but one is sought, so that neither memory nor processor waits for the other.
template <class T>
void streamed_softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  alignas(64) T kept[2][kKept];
  L scale(0);
  T* before = nullptr;
  const auto row = [&](std::int64_t r) { return static_cast<const T*>(args.x) + (r < end ? r : end - 1) * n; };
  T shift = extreme<LargerShift>(row(begin), n), next_shift = extreme<LargerShift>(row(begin + 1), n);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* later = row(r + 2);
    L largest = L::load(later);
    T *e = kept[r % 2], *done = kept[1 - r % 2];
    const double sum = exp_sum(row(r), n, shift, [&](std::int64_t c, const T* from, int count) {
      for (int v = 0; v < count; v += L::kLanes) {
        L::load(from + v).store(e + c + v);
        fetch_ahead(later + c + v);
        largest = LargerShift::of(largest, L::load(later + c + v));
        if (before) (L::load(done + c + v) * scale).stream(before + c + v);
      }
    });
    scale = L(1 / sum);
    before = static_cast<T*>(args.out) + r * n;
    shift = next_shift;
    next_shift = best_lane<LargerShift>(largest);
  }
  if (!before) return;
  each_column<T>(
      n, before, true, [&](L value) { return value * scale; }, kept[(end - 1) % 2]);
  fence();
}

template <class T>
void softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  if (n <= kSumLanes) return narrow_softmax<T>(args, begin, end);
  if (streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out))) return streamed_softmax<T>(args, begin, end);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    const L scale(1 / exp_sum(x, n, extreme<LargerShift>(x, n), keep_in(out)));
    each_column<T>(
        n, out, false, [&](L value) { return value * scale; }, out);
  }
}

template <class T>
void log_softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  if (n <= kSumLanes) return narrow_log_softmax<T>(args, begin, end);
  const bool stream = streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out));
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    const T shift = extreme<LargerShift>(x, n);
    const L log_sum(log(exp_sum(x, n, shift, [](std::int64_t, const T*, int) {})));
    each_column<T>(
        n, static_cast<T*>(args.out) + r * n, stream, [&](L value) { return (value - L(shift)) - log_sum; }, x);
  }
  if (stream) fence();
}

// y (g - Σ g y).
template <class T>
void softmax_gradient(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  if (n <= kSumLanes) return narrow_softmax_gradient<T>(args, begin, end);
  const bool stream = streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out));
  for (std::int64_t r = begin; r < end; ++r) {
    const T* y = static_cast<const T*>(args.x) + r * n;
    const T* g = static_cast<const T*>(args.g) + r * n;
    LaneSum sum;
    by_sixteen(
        n, [&](std::int64_t c) { sum.add(g + c, y + c); },
        [&](std::int64_t c, int rest) { sum.add(Sixteen<T>(g + c, rest).at, Sixteen<T>(y + c, rest).at); });
    const L dot(sum.total());
    each_column<T>(
        n, static_cast<T*>(args.out) + r * n, stream, [&](L yc, L gc) { return yc * (gc - dot); }, y, g);
  }
  if (stream) fence();
}

// g - exp(y) Σ g.
template <class T>
void log_softmax_gradient(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  if (n <= kSumLanes) return narrow_log_softmax_gradient<T>(args, begin, end);
  const bool stream = streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out));
  for (std::int64_t r = begin; r < end; ++r) {
    const T* y = static_cast<const T*>(args.x) + r * n;
    const T* g = static_cast<const T*>(args.g) + r * n;
    const L sum(sum_of(g, n));
    each_column<T>(
        n, static_cast<T*>(args.out) + r * n, stream, [&](L yc, L gc) { return gc - math::exp(yc) * sum; }, y, g);
  }
  if (stream) fence();
}

template <class T>
double class_weight(const CrossEntropyArgs& args, std::int64_t c) {
  return args.weight ? static_cast<double>(static_cast<const T*>(args.weight)[c]) : 1.0;
}

// The loss of row r, from log Σ exp of its logits less `shift`.
template <class T>
TERN_INLINE T loss_of_row(const CrossEntropyArgs& args, std::int64_t r, T shift, double log_sum) {
  const std::int64_t n = args.classes, t = args.target[r];
  const T* x = static_cast<const T*>(args.logits) + r * n;
  const auto loss_of = [&](std::int64_t c) { return log_sum - static_cast<double>(x[c] - shift); };
  double loss = (1 - args.smoothing) * class_weight<T>(args, t) * loss_of(t);
  if (args.smoothing != 0) {
    double spread = 0;
    for (std::int64_t c = 0; c < n; ++c) spread += class_weight<T>(args, c) * loss_of(c);
    loss += args.smoothing / static_cast<double>(n) * spread;
  }
  return static_cast<T>(loss);
}

template <class T>
void narrow_cross_entropy(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.classes;
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    NarrowRows<T> rows(static_cast<const T*>(args.logits) + r * n, count, n);
    const auto largest = rows.largest();
    OfRows<T> shift;
    largest.store(shift.at);
    OfRows<double> sum;
    exp_sums(rows, largest, sum);
    logs(sum);
    T* out = static_cast<T*>(args.out) + r;
    if (args.smoothing != 0) {
      for (std::int64_t i = 0; i < count; ++i) out[i] = loss_of_row(args, r + i, shift[i], sum[i]);
      return;
    }
    const T* x = static_cast<const T*>(args.logits) + r * n;
    OfRows<T> logit;
    OfRows<double> weight;
    for (std::int64_t i = 0; i < count; ++i) {
      logit[i] = x[i * n + args.target[r + i]];
      weight[i] = class_weight<T>(args, args.target[r + i]);
    }
    OfRows<T> loss;
    for (int i = 0; i < rows.kRows; ++i) {
      loss[i] = static_cast<T>(weight[i] * (sum[i] - static_cast<double>(logit[i] - shift[i])));
    }
    for (std::int64_t i = 0; i < count; ++i) out[i] = loss[i];
  });
}

template <class T>
void cross_entropy(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.classes;
  if (n <= kSumLanes) return narrow_cross_entropy<T>(args, begin, end);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    const T shift = extreme<LargerShift>(x, n);
    const double log_sum = log(exp_sum(x, n, shift, [](std::int64_t, const T*, int) {}));
    static_cast<T*>(args.out)[r] = loss_of_row(args, r, shift, log_sum);
  }
}

// g (p Σq - q), p being the softmax: what its rows have in common, and what each has of its own.
template <class T>
struct EntropySlope {
  const CrossEntropyArgs& args;
  double spread, all = 0;
  explicit EntropySlope(const CrossEntropyArgs& of) : args(of), spread(of.smoothing / static_cast<double>(of.classes)) {
    if (spread == 0) return;
    for (std::int64_t c = 0; c < args.classes; ++c) all += spread * class_weight<T>(args, c);
  }

  struct Row {
    double g, weight;  // of the target's class
    double mine, scale;
  };
  TERN_INLINE Row row(double g, double weight, double exp_sum) const {
    const double mine = (1 - args.smoothing) * weight;
    return {g, weight, mine, (all + mine) / exp_sum};
  }
  TERN_INLINE double gradient_of(std::int64_t r) const { return static_cast<double>(static_cast<const T*>(args.g)[r]); }
  TERN_INLINE double weight_of(std::int64_t r) const { return class_weight<T>(args, args.target[r]); }
  // In f64: p and q may nearly cancel. `e` is the exponential at the target.
  TERN_INLINE T at_target(const Row& row, T e) const {
    const double share = static_cast<double>(e) * row.scale - row.mine;
    return static_cast<T>(row.g * (share - spread * row.weight));
  }
};

template <class T>
void narrow_cross_entropy_gradient(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.classes;
  const EntropySlope<T> slope(args);
  const T* weight = static_cast<const T*>(args.weight);
  by_narrow_rows<T>(begin, end, [&](std::int64_t r, std::int64_t count) {
    NarrowRows<T> rows(static_cast<const T*>(args.logits) + r * n, count, n);
    OfRows<double> sum;
    exp_sums(rows, rows.largest(), sum);
    OfRows<double> g, target_weight;
    OfRows<T> e, by, off, at_target;
    for (std::int64_t i = 0; i < count; ++i) {
      g[i] = slope.gradient_of(r + i);
      target_weight[i] = slope.weight_of(r + i);
      e[i] = rows.at[args.target[r + i]][i];
    }
    for (int i = 0; i < rows.kRows; ++i) {
      const auto row = slope.row(g[i], target_weight[i], sum[i]);
      by[i] = static_cast<T>(row.g * row.scale);
      off[i] = static_cast<T>(row.g * slope.spread);
      at_target[i] = slope.at_target(row, e[i]);
    }
    const L scale = L::load(by.at), less = L::load(off.at);
    for (std::int64_t c = 0; c < n; ++c) {
      const L p = rows.column(c) * scale;
      rows.set(c, slope.spread == 0 ? p : weight ? p - less * L(weight[c]) : p - less);
    }
    for (std::int64_t i = 0; i < count; ++i) rows.at[args.target[r + i]][i] = at_target[i];
    rows.store(static_cast<T*>(args.out) + r * n);
  });
}

template <class T>
void cross_entropy_gradient(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.classes;
  if (n <= kSumLanes) return narrow_cross_entropy_gradient<T>(args, begin, end);
  const EntropySlope<T> slope(args);
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    const double sum = exp_sum(x, n, extreme<LargerShift>(x, n), keep_in(out));
    const auto row = slope.row(slope.gradient_of(r), slope.weight_of(r), sum);
    const T at_target = slope.at_target(row, out[args.target[r]]);
    const L by(row.g * row.scale), off(row.g * slope.spread);
    if (slope.spread == 0) {
      each_column<T>(
          n, out, false, [&](L e) { return e * by; }, out);
    } else if (!args.weight) {
      each_column<T>(
          n, out, false, [&](L e) { return e * by - off; }, out);
    } else {
      each_column<T>(
          n, out, false, [&](L e, L w) { return e * by - off * w; }, out, static_cast<const T*>(args.weight));
    }
    out[args.target[r]] = at_target;
  }
}

}  // namespace

#define TERN_BOTH(function) \
  { &function<float>, &function<double> }  // NOLINT(bugprone-macro-parentheses)
constinit const SoftmaxTable softmax_rows{.softmax = TERN_BOTH(softmax),
                                          .softmax_gradient = TERN_BOTH(softmax_gradient),
                                          .log_softmax = TERN_BOTH(log_softmax),
                                          .log_softmax_gradient = TERN_BOTH(log_softmax_gradient),
                                          .cross_entropy = TERN_BOTH(cross_entropy),
                                          .cross_entropy_gradient = TERN_BOTH(cross_entropy_gradient)};

}  // namespace tern::kernels::cpu::TERN_TARGET
