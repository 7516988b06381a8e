#include <limits>

#include "cuda/context.h"
#include "cuda/each.cuh"
#include "cuda/families.h"
#include "cuda/launch.h"
#include "cuda/team.cuh"
#include "slots/reduce.h"

// Contract of sum: in f64 (integers in i64). Terms in logical order make chunks of 8,192 or more (chunks_of), which are
// added in order. Of a chunk, member m of a team of 256 (of 32, when there are at most 1,024 terms) adds terms m, m +
// 256, …, and the members are added in a tree. Sums of columns, outputs side by side, have chunks of 512 rows or more
// and 8 members, added in order. So the order depends on the number of terms and on how they lie, never on the number
// of outputs. Cumulative sums go along chunks of 512 terms or more, each from the sum of those before it.
namespace tern::kernels::cuda {
namespace {

struct Terms {
  std::int64_t terms, outputs;
  int kept, reduced;
  std::int64_t kept_sizes[kMaxDims], kept_strides[kMaxDims];
  std::int64_t reduced_sizes[kMaxDims], reduced_strides[kMaxDims];
};

Terms terms_of(const ReduceArgs& args) {
  Terms t{args.terms, args.outputs, args.kept, args.reduced, {}, {}, {}, {}};
  for (int d = 0; d < args.kept; ++d) {
    t.kept_sizes[d] = args.kept_sizes[d];
    t.kept_strides[d] = args.kept_strides[d];
  }
  for (int d = 0; d < args.reduced; ++d) {
    t.reduced_sizes[d] = args.reduced_sizes[d];
    t.reduced_strides[d] = args.reduced_strides[d];
  }
  return t;
}

__device__ std::int64_t offset_of(std::int64_t i, int dims, const std::int64_t* sizes, const std::int64_t* strides) {
  if (dims == 0) return 0;
  std::int64_t offset = 0;
  for (int d = dims - 1; d > 0; --d) {
    offset += i % sizes[d] * strides[d];
    i /= sizes[d];
  }
  return offset + i * strides[0];
}

template <class T>
struct Sum {
  using State = double;
  static __device__ State none() { return 0; }
  static __device__ void take(State& sum, T x, std::int64_t) { sum += static_cast<double>(x); }
  static __device__ State merge(State a, State b) { return a + b; }
  static __device__ void store(void* out, std::int64_t o, State sum) { static_cast<T*>(out)[o] = static_cast<T>(sum); }
};
template <class T>
struct WholeSum {
  using State = std::int64_t;
  static __device__ State none() { return 0; }
  static __device__ void take(State& sum, T x, std::int64_t) { sum += static_cast<std::int64_t>(x); }
  static __device__ State merge(State a, State b) { return a + b; }
  static __device__ void store(void* out, std::int64_t o, State sum) { static_cast<std::int64_t*>(out)[o] = sum; }
};

/// The first of the largest, or smallest; a NaN is beyond all others.
template <class T, bool Largest, bool Index>
struct Extreme {
  struct State {
    T value;
    std::int64_t at;
  };
  static __device__ T worst() {
    using Limits = std::numeric_limits<T>;
    if constexpr (Limits::has_infinity) {
      return Largest ? -Limits::infinity() : Limits::infinity();
    } else {
      return Largest ? Limits::lowest() : Limits::max();
    }
  }
  static __device__ State none() { return {worst(), std::numeric_limits<std::int64_t>::max()}; }
  static __device__ bool before(const State& a, const State& b) {
    const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
    if (a_nan != b_nan) return a_nan;
    if (!a_nan && a.value != b.value) return Largest ? a.value > b.value : a.value < b.value;
    return a.at < b.at;
  }
  static __device__ void take(State& best, T x, std::int64_t r) {
    const State other{x, r};
    if (before(other, best)) best = other;
  }
  static __device__ State merge(State a, State b) { return before(b, a) ? b : a; }
  static __device__ void store(void* out, std::int64_t o, State best) {
    if constexpr (Index) {
      static_cast<std::int64_t*>(out)[o] = best.at;
    } else {
      static_cast<T*>(out)[o] = best.value;
    }
  }
};

// One chunk of one output, by a team.
template <class R, class T, int kMembers>
__device__ typename R::State chunk(const Terms& t, const T* x, std::int64_t begin, std::int64_t end) {
  typename R::State state = R::none();
  for (std::int64_t r = begin + Team<kMembers>::member(); r < end; r += kMembers) {
    const std::int64_t offset =
        t.reduced <= 1 ? r * t.reduced_strides[0] : offset_of(r, t.reduced, t.reduced_sizes, t.reduced_strides);
    R::take(state, x[offset], r);
  }
  return Team<kMembers>::all(state, &R::merge);
}

template <class R, class T, int kMembers>
__global__ void __launch_bounds__(kThreads)
    rows_kernel(const __grid_constant__ Terms t, const std::int64_t length, const T* x, void* out) {
  using Group = Team<kMembers>;
  for (std::int64_t o = Group::first_row(); o < t.outputs; o += Group::row_step()) {
    const T* first = x + offset_of(o, t.kept, t.kept_sizes, t.kept_strides);
    typename R::State total = chunk<R, T, kMembers>(t, first, 0, t.terms < length ? t.terms : length);
    for (std::int64_t begin = length; begin < t.terms; begin += length) {
      const std::int64_t end = begin + length < t.terms ? begin + length : t.terms;
      total = R::merge(total, chunk<R, T, kMembers>(t, first, begin, end));
    }
    if (Group::member() == 0) R::store(out, o, total);
  }
}

// Few outputs of many terms: a block to a chunk, and the chunks in order afterwards.
template <class R, class T>
__global__ void __launch_bounds__(kThreads)
    chunks_kernel(const __grid_constant__ Terms t, const std::int64_t length, const T* x, typename R::State* parts) {
  const std::int64_t o = blockIdx.y, begin = std::int64_t{blockIdx.x} * length;
  const T* first = x + offset_of(o, t.kept, t.kept_sizes, t.kept_strides);
  const auto part = chunk<R, T, kThreads>(t, first, begin, begin + length < t.terms ? begin + length : t.terms);
  if (threadIdx.x == 0) parts[o * gridDim.x + blockIdx.x] = part;
}
// One thread adds; all of them fetch what it adds.
template <class R>
__global__ void __launch_bounds__(kThreads)
    join_kernel(const typename R::State* parts, std::int64_t chunks, void* out) {
  __shared__ typename R::State fetched[kThreads];
  const std::int64_t o = blockIdx.x;
  typename R::State total = parts[o * chunks];
  for (std::int64_t begin = 1; begin < chunks; begin += kThreads) {
    const std::int64_t count = chunks - begin < kThreads ? chunks - begin : kThreads;
    __syncthreads();
    if (threadIdx.x < count) fetched[threadIdx.x] = parts[o * chunks + begin + threadIdx.x];
    __syncthreads();
    if (threadIdx.x != 0) continue;
    for (std::int64_t c = 0; c < count; ++c) total = R::merge(total, fetched[c]);
  }
  if (threadIdx.x == 0) R::store(out, o, total);
}

constexpr int kAcross = 32, kDown = kThreads / kAcross;

// Outputs side by side: a warp reads neighbours, and the eight of a column are added in order. Several chunks leave
// their states apart.
template <class R, class T>
__global__ void __launch_bounds__(kThreads) columns_kernel(const __grid_constant__ Terms t, const std::int64_t length,
                                                           const T* x, typename R::State* states, void* out) {
  __shared__ typename R::State parts[kDown][kAcross];
  const int across = threadIdx.x % kAcross, down = threadIdx.x / kAcross;
  const std::int64_t o = std::int64_t{blockIdx.x} * kAcross + across;
  typename R::State state = R::none();
  if (o < t.outputs) {
    const T* first = x + offset_of(o, t.kept, t.kept_sizes, t.kept_strides);
    const std::int64_t begin = blockIdx.y * length, end = begin + length < t.terms ? begin + length : t.terms;
    for (std::int64_t r = begin + down; r < end; r += kDown) R::take(state, first[r * t.reduced_strides[0]], r);
  }
  parts[down][across] = state;
  __syncthreads();
  if (down != 0 || o >= t.outputs) return;
  for (int d = 1; d < kDown; ++d) state = R::merge(state, parts[d][across]);
  if (states) {
    states[blockIdx.y * t.outputs + o] = state;
  } else {
    R::store(out, o, state);
  }
}
template <class R>
__global__ void __launch_bounds__(kThreads)
    join_columns_kernel(const typename R::State* states, std::int64_t outputs, std::int64_t chunks, void* out) {
  for (std::int64_t o = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; o < outputs;
       o += std::int64_t{gridDim.x} * kThreads) {
    typename R::State total = states[o];
    for (std::int64_t c = 1; c < chunks; ++c) total = R::merge(total, states[c * outputs + o]);
    R::store(out, o, total);
  }
}

template <class R, class T>
void reduce_columns(const Terms& t, const T* x, void* out, const Context& on) {
  const Chunks chunks = chunks_of(t.terms, 512, 256);
  const dim3 grid(static_cast<unsigned>((t.outputs + kAcross - 1) / kAcross), static_cast<unsigned>(chunks.count));
  if (chunks.count == 1) {
    columns_kernel<R, T><<<grid, kThreads, 0, on.stream>>>(t, chunks.length, x, nullptr, out);
    return;
  }
  const Scratch parts(static_cast<std::size_t>(t.outputs * chunks.count) * sizeof(typename R::State));
  auto* const states = parts.as<typename R::State>();
  columns_kernel<R, T><<<grid, kThreads, 0, on.stream>>>(t, chunks.length, x, states, out);
  join_columns_kernel<R><<<blocks_for(t.outputs), kThreads, 0, on.stream>>>(states, t.outputs, chunks.count, out);
}

template <class R, class T>
void reduce_chunks(const Terms& t, const Chunks& chunks, const T* x, void* out, const Context& on) {
  const Scratch parts(static_cast<std::size_t>(t.outputs * chunks.count) * sizeof(typename R::State));
  auto* const states = parts.as<typename R::State>();
  const dim3 grid(static_cast<unsigned>(chunks.count), static_cast<unsigned>(t.outputs));
  chunks_kernel<R, T><<<grid, kThreads, 0, on.stream>>>(t, chunks.length, x, states);
  join_kernel<R><<<static_cast<unsigned>(t.outputs), kThreads, 0, on.stream>>>(states, chunks.count, out);
}

template <class R, class T>
void reduce(const ReduceArgs& args) {
  if (args.outputs == 0) return;
  const Context on = context();
  const Terms t = terms_of(args);
  const T* x = static_cast<const T*>(args.x);
  const Chunks chunks = chunks_of(t.terms);
  const bool warps = t.terms <= kWarpRow;
  const unsigned blocks = blocks_for_rows(t.outputs, warps);
  const bool side_by_side =
      t.reduced == 1 && t.kept > 0 && t.kept_strides[t.kept - 1] == 1 && t.reduced_strides[0] != 1;
  if (side_by_side) {
    reduce_columns<R, T>(t, x, args.out, on);
  } else if (chunks.count > 1 && t.outputs <= 64) {
    reduce_chunks<R, T>(t, chunks, x, args.out, on);
  } else if (warps) {
    rows_kernel<R, T, 32><<<blocks, kThreads, 0, on.stream>>>(t, chunks.length, x, args.out);
  } else {
    rows_kernel<R, T, kThreads><<<blocks, kThreads, 0, on.stream>>>(t, chunks.length, x, args.out);
  }
  check_launch();
}

template <class T>
void set() {
  constexpr DType dtype = dtype_of<T>();
  if constexpr (std::is_floating_point_v<T>) {
    reduce_sum.set(DeviceKind::cuda, dtype, &reduce<Sum<T>, T>);
  } else {
    reduce_sum.set(DeviceKind::cuda, dtype, &reduce<WholeSum<T>, T>);
  }
  reduce_max.set(DeviceKind::cuda, dtype, &reduce<Extreme<T, true, false>, T>);
  reduce_min.set(DeviceKind::cuda, dtype, &reduce<Extreme<T, false, false>, T>);
  reduce_argmax.set(DeviceKind::cuda, dtype, &reduce<Extreme<T, true, true>, T>);
  reduce_argmin.set(DeviceKind::cuda, dtype, &reduce<Extreme<T, false, true>, T>);
}

// A block to a chunk, as those of a sum.
template <class T>
__global__ void __launch_bounds__(kThreads) dot_chunks_kernel(const DotArgs args, std::int64_t length, double* parts) {
  const T* const a = static_cast<const T*>(args.a);
  const T* const b = static_cast<const T*>(args.b);
  const std::int64_t begin = std::int64_t{blockIdx.x} * length;
  const std::int64_t end = begin + length < args.numel ? begin + length : args.numel;
  double sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  sum = Team<kThreads>::sum(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}
template <class T>
void dot_kernel(const DotArgs& args) {
  const Context on = context();
  const Chunks chunks = chunks_of(args.numel);
  const Scratch memory(static_cast<std::size_t>(chunks.count) * sizeof(double));
  auto* const parts = memory.as<double>();
  dot_chunks_kernel<T><<<static_cast<unsigned>(chunks.count), kThreads, 0, on.stream>>>(args, chunks.length, parts);
  join_kernel<Sum<double>><<<1, kThreads, 0, on.stream>>>(parts, chunks.count, args.out);
  check_launch();
}

// A thread to a chunk of a chain, in order, from where the chunks before it end; or, first, only their sums.
template <class T, class Acc, bool Sums>
__global__ void __launch_bounds__(kThreads)
    cumsum_kernel(const CumulateArgs args, std::int64_t length, std::int64_t chunks, Acc* parts) {
  const std::int64_t chains = args.outer * args.inner;
  each(chains * chunks, [&](std::int64_t i) {
    const std::int64_t c = i / chains, chain = i - c * chains;
    const std::int64_t offset = chain / args.inner * args.size * args.inner + chain % args.inner;
    const std::int64_t end = (c + 1) * length < args.size ? (c + 1) * length : args.size;
    Acc total = Sums || !parts ? Acc(0) : parts[i];
    for (std::int64_t k = c * length; k < end; ++k) {
      const std::int64_t at = offset + (args.reverse ? args.size - 1 - k : k) * args.inner;
      total += static_cast<Acc>(static_cast<const T*>(args.x)[at]);
      if constexpr (!Sums) static_cast<T*>(args.out)[at] = static_cast<T>(total);
    }
    if constexpr (Sums) parts[i] = total;
  });
}
template <class Acc>
__global__ void __launch_bounds__(kThreads) starts_kernel(std::int64_t chains, std::int64_t chunks, Acc* parts) {
  each(chains, [&](std::int64_t chain) {
    Acc total = 0;
    for (std::int64_t i = chain; i < chains * chunks; i += chains) {
      const Acc part = parts[i];
      parts[i] = total;
      total += part;
    }
  });
}
template <class T, class Acc>
void cumulate(const CumulateArgs& args) {
  const std::int64_t chains = args.outer * args.inner;
  if (chains * args.size == 0) return;
  const Context on = context();
  const Chunks chunks = chunks_of(args.size, 512, 4096);
  if (chunks.count == 1) {
    cumsum_kernel<T, Acc, false>
        <<<blocks_for(chains), kThreads, 0, on.stream>>>(args, chunks.length, 1, static_cast<Acc*>(nullptr));
    return check_launch();
  }
  const Scratch memory(static_cast<std::size_t>(chains * chunks.count) * sizeof(Acc));
  auto* const parts = memory.as<Acc>();
  const unsigned blocks = blocks_for(chains * chunks.count);
  cumsum_kernel<T, Acc, true><<<blocks, kThreads, 0, on.stream>>>(args, chunks.length, chunks.count, parts);
  starts_kernel<Acc><<<blocks_for(chains), kThreads, 0, on.stream>>>(chains, chunks.count, parts);
  cumsum_kernel<T, Acc, false><<<blocks, kThreads, 0, on.stream>>>(args, chunks.length, chunks.count, parts);
  check_launch();
}

}  // namespace

void register_reduce() {
  set<double>();
  set<float>();
  set<std::int64_t>();
  set<std::int32_t>();
  set<std::uint8_t>();
  set<bool>();
  dot.set(DeviceKind::cuda, f64, &dot_kernel<double>);
  dot.set(DeviceKind::cuda, f32, &dot_kernel<float>);
  cumsum.set(DeviceKind::cuda, f64, &cumulate<double, double>);
  cumsum.set(DeviceKind::cuda, f32, &cumulate<float, double>);
  cumsum.set(DeviceKind::cuda, i64, &cumulate<std::int64_t, std::int64_t>);
}

}  // namespace tern::kernels::cuda
