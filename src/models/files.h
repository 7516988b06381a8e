#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tern/data/estimator.h"

namespace tern::models::internal {

/// Writes an estimator as a safetensors file, atomically: its arrays, and the rest in the metadata "tern.estimator".
/// Throws FileError.
void save_estimator(const data::EstimatorState& state, const std::string& path);
/// Reads it. Throws FileError, FormatError, also when it holds another type.
std::unique_ptr<data::Estimator> load_estimator(const std::string& type, const std::string& path);
/// The same as the class that bears the type.
template <class T>
T load_as(const char* type, const std::string& path) {
  return std::move(static_cast<T&>(*load_estimator(type, path)));
}

}  // namespace tern::models::internal
