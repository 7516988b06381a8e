#pragma once

#include <string>
#include <utility>

#include "data/estimator_file.h"
#include "tern/models/register.h"

namespace tern::models::internal {

/// Writes an estimator's file, as `Estimator::save` does.
inline void save_estimator(const data::EstimatorState& state, const std::string& path) {
  data::internal::write_state(state, path);
}
/// Reads an estimator's file as the class that bears the type. Throws FileError, FormatError.
template <class T>
T load_as(const char* type, const std::string& path) {
  register_estimators();
  return std::move(static_cast<T&>(*data::load_estimator(path, type)));
}

}  // namespace tern::models::internal
