#include "cuda/families.h"
#include "slot.h"

namespace tern::kernels {

void register_cuda_kernels() {
  cuda::register_unary();
  cuda::register_binary();
  cuda::register_copy();
  cuda::register_reduce();
  cuda::register_gemm();
  cuda::register_softmax();
  cuda::register_norm();
  cuda::register_loss();
  cuda::register_index();
  cuda::register_random();
  cuda::register_optimizer();
  cuda::register_special();
}

}  // namespace tern::kernels
