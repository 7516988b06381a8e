// Compiled for its target alone; see vector_body.h.
namespace tern::kernels::cpu {
namespace {
constexpr int kBytes = 64, kRows = 8, kVectors = 2;
}  // namespace
}  // namespace tern::kernels::cpu

#include "cpu/vector_body.h"

namespace tern::kernels::cpu {

constinit const VectorCode avx512_code{"avx512", gemm_micro<float>(), gemm_micro<double>(), &philox};

}  // namespace tern::kernels::cpu
