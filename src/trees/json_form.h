#pragma once

#include "base/json.h"
#include "tern/trees/ensemble.h"

namespace tern::trees::internal {

/// What `from_json` reads of a text, of JSON that is parsed already.
Ensemble ensemble_of(const tern::internal::Json& json);

}  // namespace tern::trees::internal
