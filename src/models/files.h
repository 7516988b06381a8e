#pragma once

#include <string>
#include <utility>

#include "base/json.h"
#include "data/estimator_file.h"
#include "models/fields.h"
#include "tern/models/register.h"

namespace tern::models::internal {

/// Reads an estimator's file as the class that bears the type. Throws FileError, FormatError.
template <class T>
T load_as(const char* type, const std::string& path) {
  register_estimators();
  return std::move(static_cast<T&>(*data::load_estimator(path, type)));
}
/// The same of one that learns without a target.
template <class T>
T load_rows_model(const std::string& path) {
  T made;
  const data::EstimatorState state = data::internal::load_state(path, made.type());
  tern::internal::from_file(path, [&] { Restore::read(made, state); });
  return made;
}

}  // namespace tern::models::internal
