#pragma once

#include "cpu/vector/factors.h"
#include "tern/base/export.h"

namespace tern::kernels::cpu {

/// This process's inner loops of factor models.
TERN_API const FactorsTable& factors_table();

}  // namespace tern::kernels::cpu
