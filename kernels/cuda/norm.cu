#include "cuda/context.h"
#include "cuda/families.h"
#include "cuda/rows.cuh"
#include "slots/norm.h"

// Contract: a row is read once where it can be kept (rows.cuh); mean and variance are in f64, the variance about the
// mean, summed member by member and then in a tree, in an order that the number of columns and the operands' alignment
// alone decide; what is left of x is taken about the mean in two numbers of the row's type. Gradients of the weights
// are summed over blocks of rows, whose number depends on the number of rows alone, in the row's type within a block
// and in f64 between them: every eighth block by one thread, in order, and then the eight. Of rows that stand in
// registers x and g are read once for all three gradients.
namespace tern::kernels::cuda {
namespace {

template <class T>
struct Centred {
  T high, low;
  __device__ explicit Centred(double mean)
      : high(static_cast<T>(mean)), low(static_cast<T>(mean - static_cast<double>(static_cast<T>(mean)))) {}
  __device__ T operator()(T x) const { return (x - high) - low; }
};

template <class T, int kMembers, int kHeld>
__global__ void __launch_bounds__(kThreads) norm_kernel(const NormArgs args, const RowShape shape) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns;
  const Common<T> weight{static_cast<const T*>(args.weight)}, bias{static_cast<const T*>(args.bias)};
  Row<Group, T, kHeld> row(shape);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    double sum = 0;
    row.read(static_cast<const T*>(args.x) + r * n, [&](std::int64_t, T value) { sum += static_cast<double>(value); });
    const double mean = args.centred ? Group::sum(sum) / static_cast<double>(n) : 0;
    double square = 0;
    row.each([&](std::int64_t, T value) {
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
    row.map(
        static_cast<T*>(args.out) + r * n,
        [&](std::int64_t, T value, T w, T b) {
          T y = centred(value) * by;
          if (weight.elements) y = y * w;
          if (bias.elements) y = y + b;
          return y;
        },
        weight, bias);
  }
}

// With y = (x - mean) · scale and h = g · weight, of a row that was read.
template <class T>
struct Gradient {
  Common<T> weight;
  Centred<T> centred;
  T by;
  struct Sums {
    double level, slope;
  } sums{};  // the member's share of Σ h and Σ h y

  __device__ Gradient(const NormArgs& args, std::int64_t r)
      : weight{static_cast<const T*>(args.weight)},
        centred(args.statistics[2 * r]),
        by(static_cast<T>(args.statistics[2 * r + 1])) {}
  __device__ T h(T gradient, T w) const { return weight.elements ? gradient * w : gradient; }
  __device__ T y(T value) const { return centred(value) * by; }

  template <class Row>
  __device__ __forceinline__ void read(const NormArgs& args, std::int64_t r, Row& x, Row& g) {
    x.read(static_cast<const T*>(args.x) + r * args.columns, [](std::int64_t, T) {});
    g.read(
        static_cast<const T*>(args.g) + r * args.columns,
        [&](std::int64_t, T gradient, T value, T w) {
          sums.level += static_cast<double>(h(gradient, w));
          sums.slope += static_cast<double>(h(gradient, w)) * static_cast<double>(y(value));
        },
        x, weight);
  }
  /// scale · (h - mean(h) - y · mean(h · y)).
  template <class Group, class Row>
  __device__ __forceinline__ void write(const NormArgs& args, std::int64_t r, const Row& x, const Row& g) {
    const double n = static_cast<double>(args.columns);
    sums = Group::all(sums, [](Sums a, Sums b) { return Sums{a.level + b.level, a.slope + b.slope}; });
    const T flat = static_cast<T>(args.centred ? sums.level / n : 0), steep = static_cast<T>(sums.slope / n);
    g.map(
        static_cast<T*>(args.out) + r * args.columns,
        [&](std::int64_t, T gradient, T value, T w) { return by * ((h(gradient, w) - flat) - y(value) * steep); }, x,
        weight);
  }
};

template <class T, int kMembers, int kHeld>
__global__ void __launch_bounds__(kThreads) gradient_kernel(const NormArgs args, const RowShape shape) {
  using Group = Team<kMembers>;
  Row<Group, T, kHeld> x(shape, 2, 0), g(shape, 2, 1);
  for (std::int64_t r = Group::first_row(); r < args.rows; r += Group::row_step()) {
    Gradient<T> gradient(args, r);
    gradient.read(args, r, x, g);
    gradient.template write<Group>(args, r, x, g);
  }
}

// All three gradients of rows that stand in registers, a team's one after the other; so do the sums over rows, which
// the teams of a block add up in order.
template <class T, int kMembers>
__global__ void __launch_bounds__(kThreads) whole_gradient_kernel(const NormArgs args, const RowShape shape,
                                                                  std::int64_t per_team, T* weight_sums, T* bias_sums) {
  using Group = Team<kMembers>;
  const std::int64_t n = args.columns, first = Group::first_row() * per_team;
  Row<Group, T, kHeldPacks> x(shape), g(shape), of_weight(shape), of_bias(shape);
  of_weight.clear();
  of_bias.clear();
  for (std::int64_t r = first; r < args.rows && r < first + per_team; ++r) {
    Gradient<T> gradient(args, r);
    gradient.read(args, r, x, g);
    of_weight.change([&](std::int64_t, T sum, T of_y, T value) { return sum + of_y * gradient.y(value); }, g, x);
    of_bias.change([](std::int64_t, T sum, T of_y) { return sum + of_y; }, g);
    if (args.out) gradient.template write<Group>(args, r, x, g);
  }
  const auto put = [&](const auto& sums, T* to, bool more) {
    if (to) sums.map(to, [=](std::int64_t c, T sum) { return more ? to[c] + sum : sum; });
  };
  T* const weights = weight_sums ? weight_sums + blockIdx.x * n : nullptr;
  T* const biases = bias_sums ? bias_sums + blockIdx.x * n : nullptr;
  for (int team = 0; team < Group::kTeams; ++team) {
    if (threadIdx.x / kMembers == team) {
      put(of_weight, weights, team > 0);
      put(of_bias, biases, team > 0);
    }
    __syncthreads();
  }
}

// The same sums for rows that do not: a thread to a column of a block of rows, and on to further ones where there are
// more than a grid is high.
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

constexpr int kAcross = 32, kDown = kThreads / kAcross;

/// Sums over blocks of rows, and where they go.
template <class T>
struct Sums {
  const T* parts;
  T* out;
};

// Of a column eight threads add every eighth block's sum each, and one the eight, in order.
template <class T>
__global__ void __launch_bounds__(kThreads)
    join_kernel(const Sums<T> first, const Sums<T> second, std::int64_t blocks, std::int64_t columns) {
  __shared__ double parts[kDown][kAcross];
  const int across = threadIdx.x % kAcross, down = threadIdx.x / kAcross;
  const std::int64_t c = std::int64_t{blockIdx.x} * kAcross + across;
  const Sums<T>& sums = blockIdx.y == 0 ? first : second;
  double total = 0;
  if (c < columns) {
    for (std::int64_t b = down; b < blocks; b += kDown) total += static_cast<double>(sums.parts[b * columns + c]);
  }
  parts[down][across] = total;
  __syncthreads();
  if (down != 0 || c >= columns) return;
  for (int d = 1; d < kDown; ++d) total += parts[d][across];
  sums.out[c] = static_cast<T>(total);
}

template <class T>
void forward(const NormArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(norm_kernel), args.rows, args.columns, 1,
                 in_packs<T>(args.columns, args.x, args.out, args.weight, args.bias), args);
}

template <class T>
void gradient_of_rows(const NormArgs& args) {
  launch_rows<T>(TERN_ROW_KERNELS(gradient_kernel), args.rows, args.columns, 2,
                 in_packs<T>(args.columns, args.x, args.g, args.out, args.weight), args);
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
  // A warp, or a block, to a row that stands in registers, and at least half of its members at work.
  const std::int64_t row = n * static_cast<std::int64_t>(sizeof(T)),
                     teams = row <= 16 * 32 * kHeldPacks ? kThreads / 32 : 1;
  const bool held =
      in_packs<T>(n, args.x, args.g, args.out, args.weight) && row >= 16 * 16 && row <= 16 * kThreads * kHeldPacks;
  const std::int64_t per_team = rows_to_a_block(args.rows), per_block = held ? per_team * teams : per_team;
  const std::int64_t blocks = (args.rows + per_block - 1) / per_block;
  const std::size_t bytes = static_cast<std::size_t>(blocks * n) * sizeof(T);
  const Scratch of_weight(args.weight_gradient ? bytes : 0), of_bias(args.bias_gradient ? bytes : 0);
  T* const weight_sums = args.weight_gradient ? of_weight.as<T>() : nullptr;
  T* const bias_sums = args.bias_gradient ? of_bias.as<T>() : nullptr;
  if (held) {
    (teams > 1 ? &whole_gradient_kernel<T, 32>
               : &whole_gradient_kernel<T, kThreads>)<<<static_cast<unsigned>(blocks), kThreads, 0, on.stream>>>(
        args, RowShape{n, true, false}, per_team, weight_sums, bias_sums);
  } else {
    if (args.out) gradient_of_rows<T>(args);
    const dim3 grid(static_cast<unsigned>(blocks), blocks_for(n));
    sums_kernel<T><<<grid, kThreads, 0, on.stream>>>(args, per_block, weight_sums, bias_sums);
  }
  check_launch();
  Sums<T> first{weight_sums, static_cast<T*>(args.weight_gradient)};
  const Sums<T> second{bias_sums, static_cast<T*>(args.bias_gradient)};
  if (!weight_sums) first = second;
  const dim3 grid(static_cast<unsigned>((n + kAcross - 1) / kAcross), weight_sums && bias_sums ? 2 : 1);
  join_kernel<T><<<grid, kThreads, 0, on.stream>>>(first, second, blocks, n);
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
