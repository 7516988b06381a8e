// Compiled for its target alone; see vector_body.h.
namespace tern::kernels::cpu {
namespace {
constexpr int kBytes = 32, kRows = 6, kVectors = 2;
}  // namespace
}  // namespace tern::kernels::cpu

#include "cpu/vector_body.h"

namespace tern::kernels::cpu {

constinit const VectorCode avx2_code{"avx2", gemm_micro<float>(), gemm_micro<double>(), &philox};

}  // namespace tern::kernels::cpu
