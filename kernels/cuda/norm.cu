#include "cuda/context.h"
#include "cuda/families.h"
#include "cuda/rows.cuh"
#include "slots/norm.h"

// Contract: a row is read once where it fits shared memory; mean and variance are in f64, the variance about the mean,
// summed member by member and then in a tree, in an order that the number of columns alone decides; what is left of x
// is taken about the mean in two numbers of the row's type. Gradients of the weights are summed over blocks of rows,
// whose number depends on the number of rows alone, in the row's type within a block and in f64, in order, between
// them. Where a block's rows and sums fit shared memory, x and g are read once for all three gradients.
namespace tern::kernels::cuda {
namespace {

template <class T>
struct Centred {
  T high, low;
  __device__ explicit Centred(double mean)
      : high(static_cast<T>(mean)), low(static_cast<T>(mean - static_cast<double>(static_cast<T>(mean)))) {}
  __device__ T operator()(T x) const { return (x - high) - low; }
};

template <class T, int kMembers>
__global__ void __launch_bounds__(kThreads) norm_kernel(const NormArgs args, bool packs, bool fits) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns;
  const T* const weight = static_cast<const T*>(args.weight);
  const T* const bias = static_cast<const T*>(args.bias);
  T* const kept = kept_rows<Group, T>(n, 1, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    double sum = 0;
    each_column<Group>(x, n, packs, [&](std::int64_t c, T value) {
      if (kept) kept[c] = value;
      sum += static_cast<double>(value);
    });
    const T* row = kept ? kept : x;
    const double mean = args.centred ? Group::sum(sum) / static_cast<double>(n) : 0;
    double square = 0;
    each_column<Group>(row, n, packs, [&](std::int64_t, T value) {
      const double c = static_cast<double>(value) - mean;
      square += c * c;
    });
    const double scale = 1 / ::sqrt(Group::sum(square) / static_cast<double>(n) + args.eps);
    if (Group::member() == 0) {
      args.statistics[2 * r] = mean;
      args.statistics[2 * r + 1] = scale;
    }
    const Centred<T> centred(mean);
    const T by = static_cast<T>(scale);
    map_row<Group>(static_cast<T*>(args.out) + r * n, row, n, packs, [&](std::int64_t c, T value) {
      T y = centred(value) * by;
      if (weight) y = y * weight[c];
      if (bias) y = y + bias[c];
      return y;
    });
    Group::sync();
  }
}

// With y = (x - mean) · scale and h = g · weight: scale · (h - mean(h) - y · mean(h · y)).
template <class T, int kMembers>
__global__ void __launch_bounds__(kThreads) gradient_kernel(const NormArgs args, bool packs, bool fits) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns, apart = row_bytes<T>(n) / static_cast<std::int64_t>(sizeof(T));
  const T* const weight = static_cast<const T*>(args.weight);
  T* const kept = kept_rows<Group, T>(n, 2, fits);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    const T* g = static_cast<const T*>(args.g) + r * n;
    const Centred<T> centred(args.statistics[2 * r]);
    const T by = static_cast<T>(args.statistics[2 * r + 1]);
    if (kept) each_column<Group>(x, n, packs, [&](std::int64_t c, T value) { kept[c] = centred(value) * by; });
    double level = 0, slope = 0;
    each_column<Group>(g, n, packs, [&](std::int64_t c, T value) {
      const T h = weight ? value * weight[c] : value, y = kept ? kept[c] : centred(x[c]) * by;
      if (kept) kept[apart + c] = h;
      level += static_cast<double>(h);
      slope += static_cast<double>(h) * static_cast<double>(y);
    });
    level = Group::sum(level);
    slope = Group::sum(slope);
    const T flat = static_cast<T>(args.centred ? level / static_cast<double>(n) : 0);
    const T steep = static_cast<T>(slope / static_cast<double>(n));
    map_row<Group>(static_cast<T*>(args.out) + r * n, g, n, packs, [&](std::int64_t c, T value) {
      const T h = kept ? kept[apart + c] : weight ? value * weight[c] : value;
      const T y = kept ? kept[c] : centred(x[c]) * by;
      return by * ((h - flat) - y * steep);
    });
    Group::sync();
  }
}

// All three gradients of a block's rows, one row after the other; the sums over rows stay in shared memory, each column
// with one thread.
template <class T>
__global__ void __launch_bounds__(kThreads)
    whole_gradient_kernel(const NormArgs args, std::int64_t per_block, T* weight_sums, T* bias_sums) {
  using Group = Team<kThreads>;
  const std::int64_t n = args.columns, apart = row_bytes<T>(n) / static_cast<std::int64_t>(sizeof(T));
  const T* const weight = static_cast<const T*>(args.weight);
  T* const of_weight = reinterpret_cast<T*>(shared_rows);
  T* const of_bias = of_weight + apart;
  T* const kept_y = of_bias + apart;
  T* const kept_g = kept_y + apart;
  for (std::int64_t c = threadIdx.x; c < n; c += kThreads) of_weight[c] = of_bias[c] = T(0);
  const std::int64_t first = blockIdx.x * per_block;
  for (std::int64_t r = first; r < args.rows && r < first + per_block; ++r) {
    const T* x = static_cast<const T*>(args.x) + r * n;
    const T* g = static_cast<const T*>(args.g) + r * n;
    const Centred<T> centred(args.statistics[2 * r]);
    const T by = static_cast<T>(args.statistics[2 * r + 1]);
    double level = 0, slope = 0;
    for (std::int64_t c = threadIdx.x; c < n; c += kThreads) {
      const T gc = g[c], y = centred(x[c]) * by, h = weight ? gc * weight[c] : gc;
      kept_y[c] = y;
      kept_g[c] = h;
      of_weight[c] += gc * y;
      of_bias[c] += gc;
      level += static_cast<double>(h);
      slope += static_cast<double>(h) * static_cast<double>(y);
    }
    if (!args.out) continue;
    level = Group::sum(level);
    slope = Group::sum(slope);
    const T flat = static_cast<T>(args.centred ? level / static_cast<double>(n) : 0);
    const T steep = static_cast<T>(slope / static_cast<double>(n));
    T* out = static_cast<T*>(args.out) + r * n;
    for (std::int64_t c = threadIdx.x; c < n; c += kThreads) out[c] = by * ((kept_g[c] - flat) - kept_y[c] * steep);
  }
  for (std::int64_t c = threadIdx.x; c < n; c += kThreads) {
    if (weight_sums) weight_sums[blockIdx.x * n + c] = of_weight[c];
    if (bias_sums) bias_sums[blockIdx.x * n + c] = of_bias[c];
  }
}

// The same sums for rows that are too long for that: a thread to a column of a block of rows, and on to further ones
// where there are more than a grid is high.
template <class T>
__global__ void __launch_bounds__(kThreads)
    sums_kernel(const NormArgs args, std::int64_t per_block, T* weight_sums, T* bias_sums) {
  const std::int64_t n = args.columns, first = blockIdx.x * per_block;
  for (std::int64_t c = std::int64_t{blockIdx.y} * kThreads + threadIdx.x; c < n;
       c += std::int64_t{gridDim.y} * kThreads) {
    T of_weight = 0, of_bias = 0;
    for (std::int64_t r = first; r < args.rows && r < first + per_block; ++r) {
      const Centred<T> centred(args.statistics[2 * r]);
      const T g = static_cast<const T*>(args.g)[r * n + c];
      of_weight += g * (centred(static_cast<const T*>(args.x)[r * n + c]) * static_cast<T>(args.statistics[2 * r + 1]));
      of_bias += g;
    }
    if (weight_sums) weight_sums[blockIdx.x * n + c] = of_weight;
    if (bias_sums) bias_sums[blockIdx.x * n + c] = of_bias;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    join_kernel(const T* sums, std::int64_t blocks, std::int64_t columns, T* out) {
  for (std::int64_t c = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; c < columns;
       c += std::int64_t{gridDim.x} * kThreads) {
    double total = 0;
    for (std::int64_t b = 0; b < blocks; ++b) total += static_cast<double>(sums[b * columns + c]);
    out[c] = static_cast<T>(total);
  }
}

template <class T>
void forward(const NormArgs& args) {
  if (args.rows == 0 || args.columns == 0) return;
  const Context on = context();
  const RowGrid grid = rows_for(args.rows, args.columns);
  const std::size_t shared = shared_bytes<T>(args.columns, 1);
  (grid.warps ? &norm_kernel<T, 32> : &norm_kernel<T, kThreads>)<<<grid.blocks, kThreads, shared, on.stream>>>(
      args, in_packs<T>(args.columns, args.x, args.out), shared > 0);
  check_launch();
}

template <class T>
void gradient_of_rows(const NormArgs& args) {
  const Context on = context();
  const RowGrid grid = rows_for(args.rows, args.columns);
  const std::size_t shared = shared_bytes<T>(args.columns, 2);
  (grid.warps ? &gradient_kernel<T, 32> : &gradient_kernel<T, kThreads>)<<<grid.blocks, kThreads, shared, on.stream>>>(
      args, in_packs<T>(args.columns, args.x, args.g, args.out), shared > 0);
  check_launch();
}

template <class T>
void gradient(const NormArgs& args) {
  const Context on = context();
  const std::int64_t n = args.columns;
  if (args.rows == 0 || n == 0) {
    for (void* sums : {args.weight_gradient, args.bias_gradient}) {
      if (sums && n > 0) check(cudaMemsetAsync(sums, 0, static_cast<std::size_t>(n) * sizeof(T), on.stream), "norm");
    }
    return;
  }
  const bool wants_sums = args.weight_gradient || args.bias_gradient;
  if (!wants_sums) {
    if (args.out) gradient_of_rows<T>(args);
    return;
  }
  const std::int64_t per_block = rows_to_a_block(args.rows), blocks = (args.rows + per_block - 1) / per_block;
  const std::size_t bytes = static_cast<std::size_t>(blocks * n) * sizeof(T);
  const Scratch of_weight(args.weight_gradient ? bytes : 0), of_bias(args.bias_gradient ? bytes : 0);
  T* const weight_sums = args.weight_gradient ? of_weight.as<T>() : nullptr;
  T* const bias_sums = args.bias_gradient ? of_bias.as<T>() : nullptr;
  const std::int64_t shared = 4 * row_bytes<T>(n);
  if (shared <= kSharedBytes && n >= kThreads / 2) {
    whole_gradient_kernel<T><<<static_cast<unsigned>(blocks), kThreads, static_cast<std::size_t>(shared), on.stream>>>(
        args, per_block, weight_sums, bias_sums);
  } else {
    if (args.out) gradient_of_rows<T>(args);
    const dim3 grid(static_cast<unsigned>(blocks), blocks_for(n));
    sums_kernel<T><<<grid, kThreads, 0, on.stream>>>(args, per_block, weight_sums, bias_sums);
  }
  check_launch();
  if (weight_sums) {
    join_kernel<T>
        <<<blocks_for(n), kThreads, 0, on.stream>>>(weight_sums, blocks, n, static_cast<T*>(args.weight_gradient));
  }
  if (bias_sums) {
    join_kernel<T>
        <<<blocks_for(n), kThreads, 0, on.stream>>>(bias_sums, blocks, n, static_cast<T*>(args.bias_gradient));
  }
  check_launch();
}

template <class T>
void set() {
  tern::kernels::norm.set(DeviceKind::cuda, dtype_of<T>(), &forward<T>);
  norm_gradient.set(DeviceKind::cuda, dtype_of<T>(), &gradient<T>);
}

}  // namespace

void register_norm() {
  set<double>();
  set<float>();
}

}  // namespace tern::kernels::cuda
