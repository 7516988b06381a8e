#include <cmath>
#include <limits>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/families.h"
#include "cuda/rows.cuh"
#include "slots/loss.h"
#include "slots/softmax.h"

// Contract: a row is read from memory once (at each of two or three turns when it is too long to be kept: rows.cuh).
// The largest element is taken off; exponentials are CUDA's, in the row's type; sums are in f64, member by member and
// then in a tree, in an order that the number of columns and the operands' alignment alone decide.
namespace tern::kernels::cuda {
namespace {

template <class T>
__device__ T larger(T best, T x) {
  return x > best || x != x ? x : best;
}

// Of a row: its largest element, and the sum of exp(x - largest).
template <class T>
struct Exponentials {
  T largest;
  double sum;
};

// Reads the row and shows it to `look`. `Change`: where it stands in registers, the exponentials take the elements'
// place.
template <bool Change, class Group, class T, class Row, class Look>
__device__ __forceinline__ Exponentials<T> exponentials(Row& row, const T* x, Look look) {
  T best = -std::numeric_limits<T>::infinity();
  row.read(x, [&](std::int64_t c, T value) {
    best = larger(best, value);
    look(c, value);
  });
  best = Group::all(best, [](T a, T b) { return larger(a, b); });
  double sum = 0;
  const auto add = [&](std::int64_t, T value) {
    const T e = ::exp(value - best);
    sum += static_cast<double>(e);
    return e;
  };
  if constexpr (Change && Row::in_registers) {
    row.change(add);
  } else {
    row.each(add);
  }
  return {best, Group::sum(sum)};
}

template <class T, int kMembers, int kHeld, bool Log>
__global__ void __launch_bounds__(kThreads) softmax_kernel(const SoftmaxArgs args, const RowShape shape) {
  using Group = Team<kMembers>;
  Row<Group, T, kHeld> row(shape);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    T* const out = static_cast<T*>(args.out) + r * args.columns;
    const auto e =
        exponentials<!Log, Group>(row, static_cast<const T*>(args.x) + r * args.columns, [](std::int64_t, T) {});
    const T shift = e.largest;
    if constexpr (Log) {
      const T log_sum = static_cast<T>(::log(e.sum));
      row.map(out, [=](std::int64_t, T value) { return (value - shift) - log_sum; });
    } else {
      const T scale = static_cast<T>(1 / e.sum);
      row.map(out, [=](std::int64_t, T value) { return (row.in_registers ? value : ::exp(value - shift)) * scale; });
    }
  }
}

// y (g - Σ g y), or g - exp(y) Σ g.
template <class T, int kMembers, int kHeld, bool Log>
__global__ void __launch_bounds__(kThreads) gradient_kernel(const SoftmaxArgs args, const RowShape shape) {
  using Group = Team<kMembers>;
  Row<Group, T, kHeld> y(shape, 2, 0), g(shape, 2, 1);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    y.read(static_cast<const T*>(args.x) + r * args.columns, [](std::int64_t, T) {});
    double sum = 0;
    g.read(
        static_cast<const T*>(args.g) + r * args.columns,
        [&](std::int64_t, T gradient, T result) {
          sum += Log ? static_cast<double>(gradient) : static_cast<double>(gradient) * static_cast<double>(result);
        },
        y);
    const T total = static_cast<T>(Group::sum(sum));
    g.map(
        static_cast<T*>(args.out) + r * args.columns,
        [=](std::int64_t, T gradient, T result) {
          return Log ? gradient - ::exp(result) * total : result * (gradient - total);
        },
        y);
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

template <class T, int kMembers, int kHeld>
__global__ void __launch_bounds__(kThreads)
    loss_kernel(const CrossEntropyArgs args, const RowShape shape, Reporter report) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.classes;
  Row<Group, T, kHeld> row(shape);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const std::int64_t t = checked_class(args, r, report);
    T target = 0;
    bool mine = false;  // the one who has the target's element tells the loss
    const auto e =
        exponentials<false, Group>(row, static_cast<const T*>(args.logits) + r * n, [&](std::int64_t c, T value) {
          if (c != t) return;
          target = value;
          mine = true;
        });
    double spread = 0;
    if (args.smoothing != 0) {
      const double log_sum = ::log(e.sum);
      row.each([&](std::int64_t c, T value) {
        spread += class_weight<T>(args, c) * (log_sum - static_cast<double>(value - e.largest));
      });
      spread = Group::sum(spread);
    }
    if (mine) {
      const double share = (1 - args.smoothing) * class_weight<T>(args, t);
      static_cast<T*>(args.out)[r] = static_cast<T>(share * (::log(e.sum) - static_cast<double>(target - e.largest)) +
                                                    args.smoothing / static_cast<double>(n) * spread);
    }
  }
}

// g (p Σq - q), p being the softmax; at the target in f64, where p and q may nearly cancel.
template <class T, int kMembers, int kHeld>
__global__ void __launch_bounds__(kThreads)
    loss_gradient_kernel(const CrossEntropyArgs args, const RowShape shape, Reporter report) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.classes;
  const double spread = args.smoothing / static_cast<double>(n);
  double all = 0;
  if (spread != 0) {
    for (std::int64_t c = Group::member(); c < n; c += Group::members) all += spread * class_weight<T>(args, c);
    all = Group::sum(all);
  }
  Row<Group, T, kHeld> row(shape);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const std::int64_t t = checked_class(args, r, report);
    const double g = static_cast<double>(static_cast<const T*>(args.g)[r]);
    const double mine = (1 - args.smoothing) * class_weight<T>(args, t);
    const auto e = exponentials<true, Group>(row, static_cast<const T*>(args.logits) + r * n, [](std::int64_t, T) {});
    const double scale = (all + mine) / e.sum;
    const T by = static_cast<T>(g * scale), off = static_cast<T>(g * spread), shift = e.largest;
    row.map(static_cast<T*>(args.out) + r * n, [&](std::int64_t c, T value) {
      const T exponential = row.in_registers ? value : ::exp(value - shift);
      if (c == t) {
        return static_cast<T>(g *
                              (static_cast<double>(exponential) * scale - mine - spread * class_weight<T>(args, c)));
      }
      const T share = exponential * by;
      return spread == 0 ? share : share - off * static_cast<T>(class_weight<T>(args, c));
    });
  }
}

template <class T, bool Log>
void forward(const SoftmaxArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(softmax_kernel, Log), args.rows, args.columns, 1,
                 in_packs<T>(args.columns, args.x, args.out), args);
}
template <class T, bool Log>
void gradient(const SoftmaxArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(gradient_kernel, Log), args.rows, args.columns, 2,
                 in_packs<T>(args.columns, args.x, args.g, args.out), args);
}
template <class T>
void loss(const CrossEntropyArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(loss_kernel), args.rows, args.classes, 1, in_packs<T>(args.classes, args.logits),
                 args, context().report);
}
template <class T>
void loss_gradient(const CrossEntropyArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(loss_gradient_kernel), args.rows, args.classes, 1,
                 in_packs<T>(args.classes, args.logits, args.out), args, context().report);
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
