#pragma once

#include "cpu/vector/gemm.h"
#include "tern/base/export.h"

namespace tern::kernels::cpu {

/// This process's matrix products on the calling thread, for who cuts the work into blocks himself.
TERN_API const GemmTable& products_table();

}  // namespace tern::kernels::cpu
