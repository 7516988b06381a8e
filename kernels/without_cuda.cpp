#include "slot.h"
#include "tensor/device_runtime.h"

// What stands in place of kernels/cuda in a build without CUDA.
namespace tern {

internal::DeviceRuntime* internal::cuda_runtime() { return nullptr; }

void kernels::register_cuda_kernels() {}

}  // namespace tern
