#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "cpu/families.h"
#include "slots.h"
#include "tern/base/parallel.h"

// Contract of sum: term r, in logical order of the reduced dimensions, is added in f64 (i64 for integers) to lane r % 8
// of its chunk of 4,096 terms; a chunk's lanes are added as ((0+1)+(2+3))+((4+5)+(6+7)), chunks in order. So a result
// depends on its own terms alone, whatever the strides, the batch or the threads.
namespace tern::kernels::cpu {
namespace {

constexpr int kLanes = 8;
constexpr std::int64_t kChunk = 4096;
constexpr std::int64_t kWork = 32768;  // terms a block of the grid sums at least
constexpr std::int64_t kColumns = 32;

/// Walks the reduced dimensions in logical order: runs of terms with one stride.
class Terms {
 public:
  explicit Terms(const ReduceArgs& args) : args_(args) {
    run_ = args.reduced > 0 ? args.reduced_sizes[args.reduced - 1] : 1;
    stride_ = args.reduced > 0 ? args.reduced_strides[args.reduced - 1] : 0;
  }
  std::int64_t run() const { return run_; }
  std::int64_t stride() const { return stride_; }
  std::int64_t offset() const { return offset_; }
  /// To the next run.
  void next() {
    for (int d = args_.reduced - 2; d >= 0; --d) {
      offset_ += args_.reduced_strides[d];
      if (++at_[d] < args_.reduced_sizes[d]) return;
      offset_ -= at_[d] * args_.reduced_strides[d];
      at_[d] = 0;
    }
  }

 private:
  const ReduceArgs& args_;
  std::int64_t run_, stride_, offset_ = 0;
  std::int64_t at_[kMaxDims] = {};
};

std::int64_t kept_offset(const ReduceArgs& args, std::int64_t output) {
  std::int64_t offset = 0;
  for (int d = args.kept - 1; d >= 0; --d) {
    offset += output % args.kept_sizes[d] * args.kept_strides[d];
    output /= args.kept_sizes[d];
  }
  return offset;
}

template <class Acc>
Acc combine(const Acc* lane) {
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

// One chunk of adjacent terms.
template <class T, class Acc>
Acc chunk_sum(const T* x, std::int64_t n, std::int64_t stride) {
  Acc lane[kLanes] = {};
  std::int64_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= n; i += kLanes) {
      for (int l = 0; l < kLanes; ++l) lane[l] += static_cast<Acc>(x[i + l]);
    }
  }
  for (; i < n; ++i) lane[i % kLanes] += static_cast<Acc>(x[i * stride]);
  return combine(lane);
}

template <class T, class Acc>
Acc sum_one(const ReduceArgs& args, const T* x) {
  Terms terms(args);
  Acc total{};
  if (terms.run() == args.terms) {
    for (std::int64_t begin = 0; begin < args.terms; begin += kChunk) {
      total += chunk_sum<T, Acc>(x + begin * terms.stride(), std::min(kChunk, args.terms - begin), terms.stride());
    }
    return total;
  }
  Acc lane[kLanes] = {};
  for (std::int64_t r = 0; r < args.terms; terms.next()) {
    const T* run = x + terms.offset();
    for (std::int64_t i = 0; i < terms.run(); ++i, ++r) {
      if (r % kChunk == 0 && r > 0) {
        total += combine(lane);
        std::fill(lane, lane + kLanes, Acc{});
      }
      lane[r % kLanes] += static_cast<Acc>(run[i * terms.stride()]);
    }
  }
  return total + combine(lane);
}

// Up to kColumns neighbouring outputs whose terms lie side by side.
template <class T, class Acc, class Out>
void sum_columns(const ReduceArgs& args, const T* x, std::int64_t columns, Out* out) {
  Terms terms(args);
  Acc total[kColumns] = {}, lane[kLanes][kColumns] = {};
  const auto flush = [&] {
    for (std::int64_t c = 0; c < columns; ++c) {
      const Acc mine[kLanes] = {lane[0][c], lane[1][c], lane[2][c], lane[3][c],
                                lane[4][c], lane[5][c], lane[6][c], lane[7][c]};
      total[c] += combine(mine);
      for (auto& row : lane) row[c] = Acc{};
    }
  };
  for (std::int64_t r = 0; r < args.terms; terms.next()) {
    const T* run = x + terms.offset();
    for (std::int64_t i = 0; i < terms.run(); ++i, ++r) {
      if (r % kChunk == 0 && r > 0) flush();
      const T* row = run + i * terms.stride();
      Acc* to = lane[r % kLanes];
      for (std::int64_t c = 0; c < columns; ++c) to[c] += static_cast<Acc>(row[c]);
    }
  }
  flush();
  for (std::int64_t c = 0; c < columns; ++c) out[c] = static_cast<Out>(total[c]);
}

template <class T, class Acc, class Out>
void sum_kernel(const ReduceArgs& args) {
  const T* x = static_cast<const T*>(args.x);
  Out* out = static_cast<Out*>(args.out);
  Terms terms(args);
  if (args.outputs < 4 && args.terms > kWork && terms.run() == args.terms) {
    const std::int64_t chunks = (args.terms + kChunk - 1) / kChunk;
    std::vector<Acc> partial(static_cast<std::size_t>(chunks));
    for (std::int64_t o = 0; o < args.outputs; ++o) {
      const T* first = x + kept_offset(args, o);
      parallel_for(chunks, kWork / kChunk, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
          partial[static_cast<std::size_t>(c)] = chunk_sum<T, Acc>(
              first + c * kChunk * terms.stride(), std::min(kChunk, args.terms - c * kChunk), terms.stride());
        }
      });
      Acc total{};
      for (Acc p : partial) total += p;
      out[o] = static_cast<Out>(total);
    }
    return;
  }
  const std::int64_t width = args.kept > 0 ? args.kept_sizes[args.kept - 1] : 1;
  if (args.kept > 0 && args.kept_strides[args.kept - 1] == 1 && width > 1 && terms.stride() != 1) {
    const std::int64_t tiles = (width + kColumns - 1) / kColumns;
    const std::int64_t grain = kWork / (kColumns * std::max<std::int64_t>(args.terms, 1)) + 1;
    parallel_for(args.outputs / width * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t output = t / tiles * width + t % tiles * kColumns;
        sum_columns<T, Acc, Out>(args, x + kept_offset(args, output), std::min(kColumns, width - t % tiles * kColumns),
                                 out + output);
      }
    });
    return;
  }
  parallel_for(args.outputs, kWork / std::max<std::int64_t>(args.terms, 1) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t o = begin; o < end; ++o) {
                   out[o] = static_cast<Out>(sum_one<T, Acc>(args, x + kept_offset(args, o)));
                 }
               });
}

// Visits the terms of each output in order: `visit(o, r, value)`.
template <class T, class Init, class Visit, class Finish>
void scan(const ReduceArgs& args, Init init, Visit visit, Finish finish) {
  const T* x = static_cast<const T*>(args.x);
  parallel_for(args.outputs, kWork / std::max<std::int64_t>(args.terms, 1) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t o = begin; o < end; ++o) {
                   const T* first = x + kept_offset(args, o);
                   auto state = init(first[0]);
                   Terms terms(args);
                   for (std::int64_t r = 0; r < args.terms; terms.next()) {
                     const T* run = first + terms.offset();
                     for (std::int64_t i = 0; i < terms.run(); ++i, ++r) visit(state, r, run[i * terms.stride()]);
                   }
                   finish(o, state);
                 }
               });
}

template <class T, bool Largest>
void extreme_kernel(const ReduceArgs& args) {
  T* out = static_cast<T*>(args.out);
  scan<T>(
      args, [](T first) { return first; },
      [](T& best, std::int64_t, T x) {
        if ((Largest ? x > best : x < best) || x != x) best = x;
      },
      [out](std::int64_t o, T best) { out[o] = best; });
}

template <class T, bool Largest>
void choose_kernel(const ReduceArgs& args) {
  struct Best {
    T value;
    std::int64_t at;
  };
  auto* out = static_cast<std::int64_t*>(args.out);
  scan<T>(
      args,
      [](T first) {
        return Best{first, 0};
      },
      [](Best& best, std::int64_t r, T x) {
        if ((Largest ? x > best.value : x < best.value) || (x != x && best.value == best.value)) best = {x, r};
      },
      [out](std::int64_t o, Best best) { out[o] = best.at; });
}

template <class T>
void set_extremes() {
  reduce_max.set(DeviceKind::cpu, dtype_of<T>(), &extreme_kernel<T, true>);
  reduce_min.set(DeviceKind::cpu, dtype_of<T>(), &extreme_kernel<T, false>);
  reduce_argmax.set(DeviceKind::cpu, dtype_of<T>(), &choose_kernel<T, true>);
  reduce_argmin.set(DeviceKind::cpu, dtype_of<T>(), &choose_kernel<T, false>);
}

// Neighbouring sums side by side, each of them one chain.
template <class T, class Acc>
void cumsum_kernel(const CumulateArgs& args) {
  const std::int64_t tiles = (args.inner + kColumns - 1) / kColumns;
  const std::int64_t grain = kWork / (std::min(kColumns, args.inner + 1) * std::max<std::int64_t>(args.size, 1)) + 1;
  parallel_for(args.outer * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t first = t % tiles * kColumns, columns = std::min(kColumns, args.inner - first);
      const std::int64_t offset = t / tiles * args.size * args.inner + first;
      Acc total[kColumns] = {};
      for (std::int64_t k = 0; k < args.size; ++k) {
        const std::int64_t at = offset + (args.reverse ? args.size - 1 - k : k) * args.inner;
        const T* from = static_cast<const T*>(args.x) + at;
        T* to = static_cast<T*>(args.out) + at;
        for (std::int64_t c = 0; c < columns; ++c) to[c] = static_cast<T>(total[c] += static_cast<Acc>(from[c]));
      }
    }
  });
}

}  // namespace

void register_reduce() {
  reduce_sum.set(DeviceKind::cpu, f64, &sum_kernel<double, double, double>);
  reduce_sum.set(DeviceKind::cpu, f32, &sum_kernel<float, double, float>);
  reduce_sum.set(DeviceKind::cpu, i64, &sum_kernel<std::int64_t, std::int64_t, std::int64_t>);
  reduce_sum.set(DeviceKind::cpu, u8, &sum_kernel<std::uint8_t, std::int64_t, std::int64_t>);
  reduce_sum.set(DeviceKind::cpu, boolean, &sum_kernel<bool, std::int64_t, std::int64_t>);
  cumsum.set(DeviceKind::cpu, f64, &cumsum_kernel<double, double>);
  cumsum.set(DeviceKind::cpu, f32, &cumsum_kernel<float, double>);
  cumsum.set(DeviceKind::cpu, i64, &cumsum_kernel<std::int64_t, std::int64_t>);
  set_extremes<double>();
  set_extremes<float>();
  set_extremes<std::int64_t>();
  set_extremes<std::uint8_t>();
  set_extremes<bool>();
}

}  // namespace tern::kernels::cpu
