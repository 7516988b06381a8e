#pragma once

#include "cpu/vector/trees.h"
#include "tern/base/export.h"

namespace tern::kernels::cpu {

/// This process's inner loops of boosted trees.
TERN_API const TreesTable& trees_table();

}  // namespace tern::kernels::cpu
