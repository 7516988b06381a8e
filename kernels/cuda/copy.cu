#include <limits>

#include "cuda/each.cuh"
#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "slots/copy.h"
#include "with_type.h"

namespace tern::kernels::cuda {
namespace {

// As kernels/cpu/copy.cpp: a floating value outside the integers' range saturates, and NaN gives 0.
template <class To>
struct Convert {
  template <class From>
  __device__ To operator()(From x) const {
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To> && !std::is_same_v<To, bool>) {
      constexpr double low = static_cast<double>(std::numeric_limits<To>::min());
      constexpr double high = static_cast<double>(std::numeric_limits<To>::max());
      const double value = static_cast<double>(x);
      if (!(value > low)) return value == value ? std::numeric_limits<To>::min() : To(0);
      if (value >= high) return std::numeric_limits<To>::max();
      return static_cast<To>(value);
    } else {
      return static_cast<To>(x);
    }
  }
};

// To a half type: by way of a float rounded to odd, so that the value is rounded once (tensor/half.h).
template <class To>
struct Narrow {
  template <class From>
  __device__ float operator()(From x) const {
    if constexpr (std::is_same_v<From, bool>) {
      return x ? 1.0f : 0.0f;
    } else {
      return internal::as_float(x);
    }
  }
};

template <class To, class From>
void convert_from(const Loop& loop) {
  if constexpr (is_half(dtype_of<To>())) {
    map<To, From>(loop, Narrow<To>());
  } else {
    map<To, From>(loop, Convert<To>());
  }
}

// The same type: moved as words.
template <class To, class Word>
void convert_kernel(const Loop& loop, DType from) {
  if (from == dtype_of<To>()) return map<Word, Word>(loop, Convert<Word>());
  with_type(from, [&]<class From>() { convert_from<To, From>(loop); });
}

template <class Word>
struct Fill {
  Word value;
  __device__ Word operator()() const { return value; }
};

// `T` is what the number is rounded to, `Word` what is written.
template <class T, class Word>
void fill_kernel(const Loop& loop, Scalar scalar) {
  const T value = is_floating(dtype_of<T>()) ? static_cast<T>(scalar.real())
                  : std::is_same_v<T, bool>  ? static_cast<T>(scalar.real() != 0)
                                             : static_cast<T>(scalar.integer());
  map<Word>(loop, Fill<Word>{__builtin_bit_cast(Word, value)});
}

template <class T>
__global__ void __launch_bounds__(kThreads) nan_kernel(const __grid_constant__ LoopParameters p, int* found) {
  bool here = false;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < p.numel;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    std::int64_t offset;
    offsets_of<std::uint64_t, 1>(p, i, &offset);
    const auto x = Element<T>::load(static_cast<const T*>(p.data[0])[offset]);
    here |= x != x;
  }
  if (__syncthreads_or(here) && threadIdx.x == 0) *found = 1;
}

template <class T>
void find_nan_kernel(const Loop& loop, bool* found) {
  *found = false;
  if (loop.numel == 0) return;
  const Context on = context();
  if (recording()) throw_recording("anomaly");
  constexpr std::size_t bytes[] = {sizeof(T)};
  const Scratch flag(sizeof(int));
  check(cudaMemsetAsync(flag.as<int>(), 0, sizeof(int), on.stream), "find_nan");
  nan_kernel<T><<<blocks_for(loop.numel), kThreads, 0, on.stream>>>(parameters_of(loop, 1, bytes), flag.as<int>());
  check_launch();
  int result = 0;
  check(cudaMemcpyAsync(&result, flag.as<int>(), sizeof(int), cudaMemcpyDeviceToHost, on.stream), "find_nan");
  check(cudaStreamSynchronize(on.stream), "find_nan");
  *found = result != 0;
}

__global__ void __launch_bounds__(kThreads) count_kernel(std::int64_t count, std::int64_t* out) {
  each(count, [&](std::int64_t i) { out[i] = i; });
}
void arange_kernel(std::int64_t count, std::int64_t* out) {
  if (count == 0) return;
  count_kernel<<<blocks_for(count), kThreads, 0, context().stream>>>(count, out);
  check_launch();
}

template <class T, class Word>
void set() {
  convert.set(DeviceKind::cuda, dtype_of<T>(), &convert_kernel<T, Word>);
  fill.set(DeviceKind::cuda, dtype_of<T>(), &fill_kernel<T, Word>);
  if constexpr (is_floating(dtype_of<T>())) find_nan.set(DeviceKind::cuda, dtype_of<T>(), &find_nan_kernel<T>);
}

}  // namespace

void register_copy() {
  set<double, std::uint64_t>();
  set<float, std::uint32_t>();
  set<Half, std::uint16_t>();
  set<BFloat16, std::uint16_t>();
  set<std::int64_t, std::uint64_t>();
  set<std::int32_t, std::uint32_t>();
  set<std::uint8_t, std::uint8_t>();
  set<bool, std::uint8_t>();
  arange.set(DeviceKind::cuda, i64, &arange_kernel);
}

}  // namespace tern::kernels::cuda
