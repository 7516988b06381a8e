#pragma once

#include "cpu/vector/tree_predict.h"
#include "tern/base/export.h"

namespace tern::kernels::cpu {

/// The loops for this process's processor. They lie in tern::core, as all per-target code does.
TERN_API const TreePredictTable& tree_predict_kernels();

}  // namespace tern::kernels::cpu
