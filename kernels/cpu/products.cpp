#include "cpu/products.h"

namespace tern::kernels::cpu {

const GemmTable& products_table() { return chosen(gemm_tables); }

}  // namespace tern::kernels::cpu
