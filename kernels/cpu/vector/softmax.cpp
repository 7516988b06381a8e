#include "cpu/vector/softmax.h"

#include "cpu/strips.h"
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
    for (int v = 0; v < kSumLanes; v += L::kLanes) math::exp(L::load(from + v) - L(shift)).store(e + v);
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

template <class T>
void softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  const bool stream = streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out));
  alignas(64) T kept[kKept];
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    T* e = stream ? kept : out;
    const L scale(1 / exp_sum(x, n, extreme<Larger>(x, n), keep_in(e)));
    each_column<T>(
        n, out, stream, [&](L value) { return value * scale; }, e);
  }
  if (stream) fence();
}

template <class T>
void log_softmax(const SoftmaxArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.columns;
  const bool stream = streams<T>(args.rows, n) && aligned(static_cast<T*>(args.out));
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    const T shift = extreme<Larger>(x, n);
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

template <class T>
void cross_entropy(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  const std::int64_t n = args.classes;
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    const std::int64_t t = args.target[r];
    const T shift = extreme<Larger>(x, n);
    const double log_sum = log(exp_sum(x, n, shift, [](std::int64_t, const T*, int) {}));
    const auto loss_of = [&](std::int64_t c) { return log_sum - static_cast<double>(x[c] - shift); };
    double loss = (1 - args.smoothing) * class_weight<T>(args, t) * loss_of(t);
    if (args.smoothing != 0) {
      double spread = 0;
      for (std::int64_t c = 0; c < n; ++c) spread += class_weight<T>(args, c) * loss_of(c);
      loss += args.smoothing / static_cast<double>(n) * spread;
    }
    static_cast<T*>(args.out)[r] = static_cast<T>(loss);
  }
}

// g (p Σq - q), p being the softmax.
template <class T>
void cross_entropy_gradient(const CrossEntropyArgs& args, std::int64_t begin, std::int64_t end) {
  using L = Lane<T>;
  const std::int64_t n = args.classes;
  const double spread = args.smoothing / static_cast<double>(n);
  double all = 0;
  if (spread != 0) {
    for (std::int64_t c = 0; c < n; ++c) all += spread * class_weight<T>(args, c);
  }
  for (std::int64_t r = begin; r < end; ++r) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    const std::int64_t t = args.target[r];
    const double g = static_cast<double>(static_cast<const T*>(args.g)[r]);
    const double mine = (1 - args.smoothing) * class_weight<T>(args, t);
    const double scale = (all + mine) / exp_sum(x, n, extreme<Larger>(x, n), keep_in(out));
    // In f64: p and q may nearly cancel.
    const double at_target = g * (static_cast<double>(out[t]) * scale - mine - spread * class_weight<T>(args, t));
    const L by(g * scale);
    if (spread == 0) {
      each_column<T>(
          n, out, false, [&](L e) { return e * by; }, out);
    } else if (!args.weight) {
      each_column<T>(
          n, out, false, [&](L e) { return e * by - L(g * spread); }, out);
    } else {
      each_column<T>(
          n, out, false, [&](L e, L w) { return e * by - L(g * spread) * w; }, out, static_cast<const T*>(args.weight));
    }
    out[t] = static_cast<T>(at_target);
  }
}

}  // namespace

#define TERN_BOTH(function) \
  { &function<float>, &function<double> }
constinit const SoftmaxTable softmax_rows{.softmax = TERN_BOTH(softmax),
                                          .softmax_gradient = TERN_BOTH(softmax_gradient),
                                          .log_softmax = TERN_BOTH(log_softmax),
                                          .log_softmax_gradient = TERN_BOTH(log_softmax_gradient),
                                          .cross_entropy = TERN_BOTH(cross_entropy),
                                          .cross_entropy_gradient = TERN_BOTH(cross_entropy_gradient)};

}  // namespace tern::kernels::cpu::TERN_TARGET
