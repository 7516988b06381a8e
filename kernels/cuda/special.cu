#include "functors/special.h"

#include "cuda/elementwise.cuh"
#include "cuda/families.h"
#include "slots/elementwise.h"

namespace tern::kernels::cuda {
namespace {

// Of both types, as the functions are large, and one at a time, as they take long.
__global__ void __launch_bounds__(kThreads)
    special_kernel(const __grid_constant__ LoopParameters p, const __grid_constant__ special::Function f, bool single) {
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < p.numel; i += threads) {
    std::int64_t at[2];
    offsets_of<std::uint32_t, 2>(p, i, at);
    const double y = f(single ? static_cast<double>(operand<float>(p, 1)[at[1]]) : operand<double>(p, 1)[at[1]]);
    if (single) {
      static_cast<float*>(p.data[0])[at[0]] = static_cast<float>(y);
    } else {
      static_cast<double*>(p.data[0])[at[0]] = y;
    }
  }
}

void run(const Loop& loop, std::int64_t order, std::size_t bytes) {
  if (loop.numel == 0) return;
  const std::size_t both[] = {bytes, bytes};
  if (loop.numel > kMostElements) {
    for (const Loop& half : halves_of(loop, 2, both)) run(half, order, bytes);
    return;
  }
  const LoopParameters p = parameters_of(loop, 2, both);
  special_kernel<<<blocks_for(loop.numel, 1), kThreads, 0, context().stream>>>(p, special::Function(order),
                                                                               bytes == sizeof(float));
  check_launch();
}

template <class T>
void kernel(const Loop& loop, std::int64_t order) {
  run(loop, order, sizeof(T));
}

}  // namespace

void register_special() {
  special_function.set(DeviceKind::cuda, f32, &kernel<float>);
  special_function.set(DeviceKind::cuda, f64, &kernel<double>);
}

}  // namespace tern::kernels::cuda
