#include "cuda/elementwise.cuh"

#include <algorithm>

namespace tern::kernels::cuda {

void launch_map(const void* kernel, const Loop& loop, int operands, const std::size_t* bytes, const void* functor) {
  if (loop.numel == 0) return;
  if (loop.numel > kMostElements) {
    for (const Loop& half : halves_of(loop, operands, bytes)) launch_map(kernel, half, operands, bytes, functor);
    return;
  }
  const Context on = context();
  LoopParameters p = parameters_of(loop, operands, bytes);
  const std::size_t pack = p.vectors ? kPackBytes / *std::max_element(bytes, bytes + operands) : 1;
  void* arguments[] = {&p, const_cast<void*>(functor)};
  check(cudaLaunchKernel(kernel, blocks_for(loop.numel, static_cast<std::int64_t>(pack)), kThreads, arguments, 0,
                         on.stream),
        on.report.op);
}

}  // namespace tern::kernels::cuda
