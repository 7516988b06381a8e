#pragma once

#include <string>
#include <string_view>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/tensor/safetensors.h"

namespace tern::data::internal {

/// What an estimator's state holds beside its tensors, as JSON: format, version, type, names, types, target, classes
/// and what the class itself keeps.
TERN_API std::string state_json(const EstimatorState& state);
/// Reads it; the tensors are the caller's. Throws FormatError.
TERN_API EstimatorState read_state(std::string_view json);

/// Writes a state as the one file of an estimator, atomically. Throws FileError.
TERN_API void write_state(const EstimatorState& state, const std::string& path);
/// Reads such a file, of that type where one is named. Throws FileError, FormatError.
TERN_API EstimatorState load_state(const std::string& path, std::string_view type);

}  // namespace tern::data::internal
