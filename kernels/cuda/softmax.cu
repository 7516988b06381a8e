#include <cmath>
#include <limits>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/families.h"
#include "cuda/rows.cuh"
#include "slots/loss.h"
#include "slots/softmax.h"

// Contract: a row is read from memory once (twice beyond 47 KiB, and when it is longer than a warp's 1,024 and does not
// fit), in packs of 16 bytes. The largest element is taken off; exponentials are CUDA's, in the row's type; sums are in
// f64, member by member and then in a tree, in an order that the number of columns alone decides.
namespace tern::kernels::cuda {
namespace {

template <class T>
__device__ T larger(T best, T x) {
  return x > best || x != x ? x : best;
}

// The row's largest element and the sum of exp(x - largest); `kept` is where the row is read from again.
template <class Group, class T>
struct Exponentials {
  T largest;
  double sum;
  const T* kept;
};

template <class Group, class T>
__device__ Exponentials<Group, T> exponentials(const T* x, std::int64_t n, bool packs, T* kept) {
  T best = -std::numeric_limits<T>::infinity();
  each_column<Group>(x, n, packs, [&](std::int64_t c, T value) {
    best = larger(best, value);
    if (kept) kept[c] = value;
  });
  best = Group::all(best, [](T a, T b) { return larger(a, b); });
  const T* row = kept ? kept : x;
  double sum = 0;
  each_column<Group>(row, n, packs, [&](std::int64_t c, T value) {
    const T e = ::exp(value - best);
    sum += static_cast<double>(e);
  });
  return {best, Group::sum(sum), row};
}

template <class T, int kMembers, bool Log>
__global__ void __launch_bounds__(kThreads) softmax_kernel(const SoftmaxArgs args, bool packs, bool fits) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns;
  T* const kept = kept_rows<Group, T>(n, 1, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    const auto e = exponentials<Group, T>(x, n, packs, kept);
    if constexpr (Log) {
      const T log_sum = static_cast<T>(::log(e.sum)), shift = e.largest;
      map_row<Group>(out, e.kept, n, packs, [=](std::int64_t, T value) { return (value - shift) - log_sum; });
    } else {
      const T scale = static_cast<T>(1 / e.sum), shift = e.largest;
      map_row<Group>(out, e.kept, n, packs, [=](std::int64_t, T value) { return ::exp(value - shift) * scale; });
    }
    Group::sync();  // before the next row takes the shared one's place
  }
}

// y (g - Σ g y), or g - exp(y) Σ g.
template <class T, int kMembers, bool Log>
__global__ void __launch_bounds__(kThreads) gradient_kernel(const SoftmaxArgs args, bool packs, bool fits) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns;
  T* const kept = kept_rows<Group, T>(n, 2, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* y = static_cast<const T*>(args.x) + r * n;
    const T* g = static_cast<const T*>(args.g) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    T* const kept_g = kept ? kept + row_bytes<T>(n) / static_cast<std::int64_t>(sizeof(T)) : nullptr;
    if (kept) each_column<Group>(y, n, packs, [&](std::int64_t c, T value) { kept[c] = value; });
    double sum = 0;
    each_column<Group>(g, n, packs, [&](std::int64_t c, T value) {
      if (kept) kept_g[c] = value;
      sum += Log ? static_cast<double>(value) : static_cast<double>(value) * static_cast<double>(kept ? kept[c] : y[c]);
    });
    const T total = static_cast<T>(Group::sum(sum));
    const T* from = kept ? kept : y;
    const T* gradient = kept ? kept_g : g;
    map_row<Group>(out, gradient, n, packs, [=](std::int64_t c, T value) {
      return Log ? value - ::exp(from[c]) * total : from[c] * (value - total);
    });
    Group::sync();
  }
}

template <class T>
__device__ double class_weight(const CrossEntropyArgs& args, std::int64_t c) {
  return args.weight ? static_cast<double>(static_cast<const T*>(args.weight)[c]) : 1.0;
}

// A class out of bounds is reported, and counts as 0.
__device__ std::int64_t checked_class(const CrossEntropyArgs& args, std::int64_t r, Reporter report) {
  const std::int64_t t = args.target[r];
  return inside(t, args.classes, report) ? t : 0;
}

template <class T, int kMembers>
__global__ void __launch_bounds__(kThreads)
    loss_kernel(const CrossEntropyArgs args, bool packs, bool fits, Reporter report) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.classes;
  T* const kept = kept_rows<Group, T>(n, 1, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    const std::int64_t t = checked_class(args, r, report);
    const auto e = exponentials<Group, T>(x, n, packs, kept);
    const double log_sum = ::log(e.sum);
    double spread = 0;
    if (args.smoothing != 0) {
      each_column<Group>(e.kept, n, packs, [&](std::int64_t c, T value) {
        spread += class_weight<T>(args, c) * (log_sum - static_cast<double>(value - e.largest));
      });
      spread = Group::sum(spread);
    }
    Group::sync();
    if (Group::member() == 0) {
      const double mine = (1 - args.smoothing) * class_weight<T>(args, t);
      static_cast<T*>(args.out)[r] = static_cast<T>(mine * (log_sum - static_cast<double>(x[t] - e.largest)) +
                                                    args.smoothing / static_cast<double>(n) * spread);
    }
  }
}

// g (p Σq - q), p being the softmax; at the target in f64, where p and q may nearly cancel.
template <class T, int kMembers>
__global__ void __launch_bounds__(kThreads)
    loss_gradient_kernel(const CrossEntropyArgs args, bool packs, bool fits, Reporter report) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.classes;
  const double spread = args.smoothing / static_cast<double>(n);
  double all = 0;
  if (spread != 0) {
    for (std::int64_t c = Group::member(); c < n; c += Group::members) all += spread * class_weight<T>(args, c);
    all = Group::sum(all);
  }
  T* const kept = kept_rows<Group, T>(n, 1, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* x = static_cast<const T*>(args.logits) + r * n;
    T* out = static_cast<T*>(args.out) + r * n;
    const std::int64_t t = checked_class(args, r, report);
    const double g = static_cast<double>(static_cast<const T*>(args.g)[r]);
    const double mine = (1 - args.smoothing) * class_weight<T>(args, t);
    const auto e = exponentials<Group, T>(x, n, packs, kept);
    const double scale = (all + mine) / e.sum;
    const T by = static_cast<T>(g * scale), off = static_cast<T>(g * spread), shift = e.largest;
    map_row<Group>(out, e.kept, n, packs, [&](std::int64_t c, T value) {
      const T exponential = ::exp(value - shift);
      if (c == t) {
        return static_cast<T>(g *
                              (static_cast<double>(exponential) * scale - mine - spread * class_weight<T>(args, c)));
      }
      const T share = exponential * by;
      return spread == 0 ? share : share - off * static_cast<T>(class_weight<T>(args, c));
    });
    Group::sync();
  }
}

template <class Args, class Warps, class Blocks, class... Rest>
void launch(std::int64_t rows, std::int64_t columns, std::size_t shared, const Args& args, Warps warps, Blocks blocks,
            Rest... rest) {
  if (rows == 0 || columns == 0) return;
  const RowGrid grid = rows_for(rows, columns);
  const Context on = context();
  (grid.warps ? warps : blocks)<<<grid.blocks, kThreads, shared, on.stream>>>(args, rest...);
  check_launch();
}

template <class T, bool Log>
void forward(const SoftmaxArgs& args) {
  const std::size_t shared = shared_bytes<T>(args.columns, 1);
  launch(args.rows, args.columns, shared, args, &softmax_kernel<T, 32, Log>, &softmax_kernel<T, kThreads, Log>,
         in_packs<T>(args.columns, args.x, args.out), shared > 0);
}
template <class T, bool Log>
void gradient(const SoftmaxArgs& args) {
  const std::size_t shared = shared_bytes<T>(args.columns, 2);
  launch(args.rows, args.columns, shared, args, &gradient_kernel<T, 32, Log>, &gradient_kernel<T, kThreads, Log>,
         in_packs<T>(args.columns, args.x, args.g, args.out), shared > 0);
}
template <class T>
void loss(const CrossEntropyArgs& args) {
  const std::size_t shared = shared_bytes<T>(args.classes, 1);
  launch(args.rows, args.classes, shared, args, &loss_kernel<T, 32>, &loss_kernel<T, kThreads>,
         in_packs<T>(args.classes, args.logits), shared > 0, context().report);
}
template <class T>
void loss_gradient(const CrossEntropyArgs& args) {
  const std::size_t shared = shared_bytes<T>(args.classes, 1);
  launch(args.rows, args.classes, shared, args, &loss_gradient_kernel<T, 32>, &loss_gradient_kernel<T, kThreads>,
         in_packs<T>(args.classes, args.logits, args.out), shared > 0, context().report);
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  softmax.set(DeviceKind::cuda, dtype, &forward<T, false>);
  log_softmax.set(DeviceKind::cuda, dtype, &forward<T, true>);
  softmax_gradient.set(DeviceKind::cuda, dtype, &gradient<T, false>);
  log_softmax_gradient.set(DeviceKind::cuda, dtype, &gradient<T, true>);
  cross_entropy.set(DeviceKind::cuda, dtype, &loss<T>);
  cross_entropy_gradient.set(DeviceKind::cuda, dtype, &loss_gradient<T>);
}

}  // namespace

void register_softmax() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cuda
