namespace tern::kernels::cpu {
namespace {
constexpr int kBytes = 16, kRows = 4, kVectors = 2;
}  // namespace
}  // namespace tern::kernels::cpu

#include "cpu/vector_body.h"

namespace tern::kernels::cpu {

constinit const VectorCode baseline_code{"baseline", gemm_micro<float>(), gemm_micro<double>(), &philox};

const VectorCode& vector_code(int max_targets) {
#ifdef __x86_64__
  if (max_targets > 2 && __builtin_cpu_supports("avx512f")) return avx512_code;
  if (max_targets > 1 && __builtin_cpu_supports("avx2")) return avx2_code;
#else
  static_cast<void>(max_targets);
#endif
  return baseline_code;
}

}  // namespace tern::kernels::cpu
