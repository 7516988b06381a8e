#pragma once

#include "tern/base/export.h"

namespace tern::trees {

/// Makes all estimators of this room known to `data::make_estimator`, and its step to `data::load_step`; again is
/// harmless.
TERN_API void register_estimators();

}  // namespace tern::trees
