#include <algorithm>
#include <limits>
#include <type_traits>

#include "cpu/column_sums.h"
#include "cpu/families.h"
#include "cpu/scratch.h"
#include "cpu/vector/reduce.h"
#include "slots/reduce.h"
#include "tern/base/parallel.h"

// Contract of sum: term r, in logical order of the reduced dimensions, is added in f64 to lane r % 16 of its chunk of
// 4,096 terms; a chunk's lanes are added in a tree, neighbours first, and the chunks in order. So a result depends on
// its own terms alone, whatever the strides, the batch, the threads or the target. Integers are added in i64, modulo
// 2^64, and booleans as bytes of 0 and 1: their order changes nothing.
namespace tern::kernels::cpu {
namespace {

constexpr std::int64_t kWork = 32768;  // terms a block of the grid takes at least

/// Walks the reduced dimensions in logical order: runs of terms with one stride.
class Terms {
 public:
  explicit Terms(const ReduceArgs& args) : args_(args) {
    run_ = args.reduced > 0 ? args.reduced_sizes[args.reduced - 1] : 1;
    stride_ = args.reduced > 0 ? args.reduced_strides[args.reduced - 1] : 0;
  }
  /// Terms with one stride, and that stride.
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

// Adjacent terms from `first` on, at most kSumChunk of them.
template <class T>
using SumOf = typename Reductions<T>::Sum;
template <class T>
SumOf<T> sum_of_chunk(const T* x, std::int64_t stride, std::int64_t n) {
  if (stride == 1) return reductions<T>().sum(x, n);
  T terms[kSumChunk];
  for (std::int64_t i = 0; i < n; ++i) terms[i] = x[i * stride];
  return reductions<T>().sum(terms, n);
}

template <class T>
SumOf<T> sum_one(const ReduceArgs& args, const T* x) {
  Terms terms(args);
  SumOf<T> total = 0;
  if (terms.run() == args.terms) {
    for (std::int64_t begin = 0; begin < args.terms; begin += kSumChunk) {
      total += sum_of_chunk(x + begin * terms.stride(), terms.stride(), std::min(kSumChunk, args.terms - begin));
    }
    return total;
  }
  T chunk[kSumChunk];
  std::int64_t filled = 0;
  for (std::int64_t r = 0; r < args.terms; terms.next()) {
    const T* run = x + terms.offset();
    for (std::int64_t i = 0; i < terms.run(); ++i, ++r) {
      chunk[filled++] = run[i * terms.stride()];
      if (filled == kSumChunk) {
        total += reductions<T>().sum(chunk, filled);
        filled = 0;
      }
    }
  }
  return filled > 0 ? total + reductions<T>().sum(chunk, filled) : total;
}

/// One number for each (chunk, output), on any thread, and their sums in order of the chunks.
template <class T, class Out, class Sum>
void sum_by_chunks(const ReduceArgs& args, std::int64_t tiles, std::int64_t grain, Sum sum) {
  const std::int64_t chunks = (args.terms + kSumChunk - 1) / kSumChunk;
  const Scratch<SumOf<T>> memory(chunks * args.outputs);
  SumOf<T>* const partial = memory.elements;
  std::fill_n(partial, chunks * args.outputs, SumOf<T>(0));
  parallel_for(chunks * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t u = begin; u < end; ++u) sum(u / tiles, u % tiles, partial + u / tiles * args.outputs);
  });
  Out* out = static_cast<Out*>(args.out);
  for (std::int64_t o = 0; o < args.outputs; ++o) {
    SumOf<T> total = 0;
    for (std::int64_t c = 0; c < chunks; ++c) total += partial[c * args.outputs + o];
    out[o] = static_cast<Out>(total);
  }
}

/// Whether neighbouring outputs lie side by side, so that vectors go across them, one term after the other.
bool across_columns(const ReduceArgs& args, const Terms& terms) {
  return args.kept > 0 && args.kept_strides[args.kept - 1] == 1 && args.kept_sizes[args.kept - 1] > 1 &&
         terms.stride() != 1 && terms.run() == args.terms;
}

template <class T, class Out = T>
void sum_kernel(const ReduceArgs& args) {
  const T* x = static_cast<const T*>(args.x);
  Out* out = static_cast<Out*>(args.out);
  const Terms terms(args);
  const std::int64_t stride = terms.stride();
  const auto length = [&](std::int64_t chunk) { return std::min(kSumChunk, args.terms - chunk * kSumChunk); };
  if (across_columns(args, terms)) {
    const std::int64_t width = args.kept_sizes[args.kept - 1], tiles = (width + kSumColumns - 1) / kSumColumns;
    const std::int64_t grain = kWork / (std::min(kSumChunk, args.terms + 1) * std::min(kSumColumns, width)) + 1;
    const auto sum_tile = [&](std::int64_t chunk, std::int64_t tile, SumOf<T>* total) {
      const std::int64_t column = tile % tiles * kSumColumns, output = tile / tiles * width + column;
      reductions<T>().sum_columns(x + kept_offset(args, output) + chunk * kSumChunk * stride, stride, length(chunk),
                                  std::min(kSumColumns, width - column), total + output);
    };
    const std::int64_t all = args.outputs / width * tiles;
    if (args.terms > kSumChunk) return sum_by_chunks<T, Out>(args, all, grain, sum_tile);
    parallel_for(all, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t column = t % tiles * kSumColumns, output = t / tiles * width + column;
        const std::int64_t columns = std::min(kSumColumns, width - column);
        SumOf<T> total[kSumColumns] = {};
        reductions<T>().sum_columns(x + kept_offset(args, output), stride, args.terms, columns, total);
        for (std::int64_t c = 0; c < columns; ++c) out[output + c] = static_cast<Out>(total[c]);
      }
    });
    return;
  }
  if (args.outputs < 4 && args.terms > kWork && terms.run() == args.terms) {
    return sum_by_chunks<T, Out>(
        args, args.outputs, kWork / kSumChunk, [&](std::int64_t chunk, std::int64_t output, SumOf<T>* total) {
          total[output] =
              sum_of_chunk(x + kept_offset(args, output) + chunk * kSumChunk * stride, stride, length(chunk));
        });
  }
  parallel_for(args.outputs, kWork / std::max<std::int64_t>(args.terms, 1) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t o = begin; o < end; ++o) {
                   out[o] = static_cast<Out>(sum_one(args, x + kept_offset(args, o)));
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
void extreme_by_scan(const ReduceArgs& args) {
  T* out = static_cast<T*>(args.out);
  scan<T>(
      args, [](T first) { return first; },
      [](T& best, std::int64_t, T x) {
        if ((Largest ? x > best : x < best) || x != x) best = x;
      },
      [out](std::int64_t o, T best) { out[o] = best; });
}

template <class T, bool Largest>
void extreme_kernel(const ReduceArgs& args) {
  const T* x = static_cast<const T*>(args.x);
  T* out = static_cast<T*>(args.out);
  const Terms terms(args);
  const Reductions<T>& code = reductions<T>();
  const auto of = Largest ? code.max : code.min;
  if (across_columns(args, terms)) {
    const std::int64_t width = args.kept_sizes[args.kept - 1], tiles = (width + kSumColumns - 1) / kSumColumns;
    const auto of_columns = Largest ? code.max_columns : code.min_columns;
    const std::int64_t grain = kWork / (args.terms * std::min(kSumColumns, width)) + 1;
    parallel_for(args.outputs / width * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t column = t % tiles * kSumColumns, output = t / tiles * width + column;
        const std::int64_t columns = std::min(kSumColumns, width - column);
        const T* first = x + kept_offset(args, output);
        std::copy(first, first + columns, out + output);
        for (std::int64_t r = 1; r < args.terms; ++r) of_columns(first + r * terms.stride(), columns, out + output);
      }
    });
    return;
  }
  if (terms.stride() != 1 || terms.run() != args.terms) return extreme_by_scan<T, Largest>(args);
  if (args.outputs >= 4 || args.terms <= kWork) {
    parallel_for(args.outputs, kWork / args.terms + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) out[o] = of(x + kept_offset(args, o), args.terms);
    });
    return;
  }
  const std::int64_t parts = (args.terms + kWork - 1) / kWork;
  const Scratch<T> partial(parts);
  for (std::int64_t o = 0; o < args.outputs; ++o) {
    const T* first = x + kept_offset(args, o);
    parallel_for(args.terms, kWork, [&](std::int64_t begin, std::int64_t end) {
      partial.elements[begin / kWork] = of(first + begin, end - begin);
    });
    out[o] = of(partial.elements, parts);
  }
}

/// The best of terms visited in order, and where it is: the first of equals, or the first NaN.
template <class T, bool Largest>
struct Best {
  T value;
  std::int64_t at;
  void take(T x, std::int64_t i) {
    if ((Largest ? x > value : x < value) || (x != x && value == value)) *this = {x, i};
  }
};

template <class T, bool Largest>
void choose_by_scan(const ReduceArgs& args) {
  using B = Best<T, Largest>;
  auto* out = static_cast<std::int64_t*>(args.out);
  scan<T>(
      args,
      [](T first) {
        return B{first, 0};
      },
      [](B& best, std::int64_t r, T x) { best.take(x, r); }, [out](std::int64_t o, B best) { out[o] = best.at; });
}

// Of n adjacent terms: the extreme of a stretch that fits a cache, and where it is if it is better.
template <class T, bool Largest>
Best<T, Largest> choose(const T* x, std::int64_t n) {
  const Reductions<T>& code = reductions<T>();
  Best<T, Largest> best{x[0], 0};
  for (std::int64_t begin = 0; begin < n; begin += kSumChunk) {
    const std::int64_t count = std::min(kSumChunk, n - begin);
    best.take((Largest ? code.max : code.min)(x + begin, count), -1);
    if (best.at < 0) best.at = begin + code.find(x + begin, count, best.value);
  }
  return best;
}

template <class T, bool Largest>
void choose_kernel(const ReduceArgs& args) {
  using Index = typename Reductions<T>::Index;
  const T* x = static_cast<const T*>(args.x);
  auto* out = static_cast<std::int64_t*>(args.out);
  const Terms terms(args);
  if (across_columns(args, terms) && args.terms <= std::numeric_limits<Index>::max()) {
    const std::int64_t width = args.kept_sizes[args.kept - 1], tiles = (width + kSumColumns - 1) / kSumColumns;
    const auto of_columns = Largest ? reductions<T>().argmax_columns : reductions<T>().argmin_columns;
    const std::int64_t grain = kWork / (args.terms * std::min(kSumColumns, width)) + 1;
    parallel_for(args.outputs / width * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t t = begin; t < end; ++t) {
        const std::int64_t column = t % tiles * kSumColumns, output = t / tiles * width + column;
        const std::int64_t columns = std::min(kSumColumns, width - column);
        const T* first = x + kept_offset(args, output);
        T best[kSumColumns];
        Index at[kSumColumns] = {};
        std::copy(first, first + columns, best);
        for (std::int64_t r = 1; r < args.terms; ++r) {
          of_columns(first + r * terms.stride(), columns, static_cast<Index>(r), best, at);
        }
        std::copy(at, at + columns, out + output);
      }
    });
    return;
  }
  if (terms.stride() != 1 || terms.run() != args.terms) return choose_by_scan<T, Largest>(args);
  if (args.outputs >= 4 || args.terms <= kWork) {
    parallel_for(args.outputs, kWork / args.terms + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) out[o] = choose<T, Largest>(x + kept_offset(args, o), args.terms).at;
    });
    return;
  }
  const std::int64_t parts = (args.terms + kWork - 1) / kWork;
  const Scratch<Best<T, Largest>> partial(parts);
  for (std::int64_t o = 0; o < args.outputs; ++o) {
    const T* first = x + kept_offset(args, o);
    parallel_for(args.terms, kWork, [&](std::int64_t begin, std::int64_t end) {
      Best<T, Largest> best = choose<T, Largest>(first + begin, end - begin);
      best.at += begin;
      partial.elements[begin / kWork] = best;
    });
    Best<T, Largest> best = partial.elements[0];
    for (std::int64_t p = 1; p < parts; ++p) best.take(partial.elements[p].value, partial.elements[p].at);
    out[o] = best.at;
  }
}

template <class T>
void set_extremes(DType dtype) {
  reduce_max.set(DeviceKind::cpu, dtype, &extreme_kernel<T, true>);
  reduce_min.set(DeviceKind::cpu, dtype, &extreme_kernel<T, false>);
  reduce_argmax.set(DeviceKind::cpu, dtype, &choose_kernel<T, true>);
  reduce_argmin.set(DeviceKind::cpu, dtype, &choose_kernel<T, false>);
}

// Sums along adjacent elements: rows side by side, as each is a chain of additions that wait for each other.
template <class T, int Rows>
void cumulate_rows(const CumulateArgs& args, std::int64_t row) {
  const T* from = static_cast<const T*>(args.x) + row * args.size;
  T* to = static_cast<T*>(args.out) + row * args.size;
  SumOf<T> total[Rows] = {};
  for (std::int64_t k = 0; k < args.size; ++k) {
    const std::int64_t at = args.reverse ? args.size - 1 - k : k;
    for (int r = 0; r < Rows; ++r) {
      total[r] += static_cast<SumOf<T>>(from[r * args.size + at]);
      to[r * args.size + at] = static_cast<T>(total[r]);
    }
  }
}

template <class T>
void dot_kernel(const DotArgs& args) {
  constexpr std::int64_t grain = 1 << 15;
  const auto* const a = static_cast<const T*>(args.a);
  const auto* const b = static_cast<const T*>(args.b);
  const std::int64_t chunks = (args.numel + grain - 1) / grain;
  const Scratch<double> partial(chunks);
  parallel_for(args.numel, grain, [&](std::int64_t begin, std::int64_t end) {
    double sums[4] = {};
    for (std::int64_t i = begin; i < end; ++i)
      sums[(i - begin) & 3] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    partial.elements[begin / grain] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  });
  *args.out = 0;
  for (std::int64_t c = 0; c < chunks; ++c) *args.out += partial.elements[c];
}

// Neighbouring sums side by side, each of them one chain.
template <class T>
void cumsum_kernel(const CumulateArgs& args) {
  if (args.inner == 1) {
    constexpr int kRows = 8;
    const std::int64_t grain = kWork / std::max<std::int64_t>(args.size, 1) / kRows * kRows + kRows;
    parallel_for(args.outer, grain, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t row = begin;
      for (; row + kRows <= end; row += kRows) cumulate_rows<T, kRows>(args, row);
      for (; row < end; ++row) cumulate_rows<T, 1>(args, row);
    });
    return;
  }
  const std::int64_t tiles = (args.inner + kSumColumns - 1) / kSumColumns;
  const std::int64_t grain = kWork / (std::min(kSumColumns, args.inner + 1) * std::max<std::int64_t>(args.size, 1)) + 1;
  parallel_for(args.outer * tiles, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const std::int64_t first = t % tiles * kSumColumns, columns = std::min(kSumColumns, args.inner - first);
      const std::int64_t offset = t / tiles * args.size * args.inner + first;
      SumOf<T> total[kSumColumns] = {};
      for (std::int64_t k = 0; k < args.size; ++k) {
        const std::int64_t at = offset + (args.reverse ? args.size - 1 - k : k) * args.inner;
        const T* from = static_cast<const T*>(args.x) + at;
        T* to = static_cast<T*>(args.out) + at;
        reductions<T>().cumulate_columns(from, columns, total, to);
      }
    }
  });
}

}  // namespace

void add_column_sums(const float* x, std::int64_t rows, std::int64_t columns, double* total) {
  for (std::int64_t row = 0; row < rows; row += kSumChunk) {
    for (std::int64_t j = 0; j < columns; j += kSumColumns) {
      reductions<float>().sum_columns(x + row * columns + j, columns, std::min(kSumChunk, rows - row),
                                      std::min(kSumColumns, columns - j), total + j);
    }
  }
}

void register_reduce() {
  reduce_sum.set(DeviceKind::cpu, f64, &sum_kernel<double>);
  reduce_sum.set(DeviceKind::cpu, f32, &sum_kernel<float>);
  reduce_sum.set(DeviceKind::cpu, i64, &sum_kernel<std::int64_t>);
  reduce_sum.set(DeviceKind::cpu, i32, &sum_kernel<std::int32_t, std::int64_t>);
  reduce_sum.set(DeviceKind::cpu, u8, &sum_kernel<std::uint8_t, std::int64_t>);
  reduce_sum.set(DeviceKind::cpu, boolean, &sum_kernel<std::uint8_t, std::int64_t>);
  dot.set(DeviceKind::cpu, f64, &dot_kernel<double>);
  dot.set(DeviceKind::cpu, f32, &dot_kernel<float>);
  cumsum.set(DeviceKind::cpu, f64, &cumsum_kernel<double>);
  cumsum.set(DeviceKind::cpu, f32, &cumsum_kernel<float>);
  cumsum.set(DeviceKind::cpu, i64, &cumsum_kernel<std::int64_t>);
  set_extremes<double>(f64);
  set_extremes<float>(f32);
  set_extremes<std::int64_t>(i64);
  set_extremes<std::int32_t>(i32);
  set_extremes<std::uint8_t>(u8);
  set_extremes<std::uint8_t>(boolean);
}

}  // namespace tern::kernels::cpu
