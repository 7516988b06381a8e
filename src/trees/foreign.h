#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/trees/ensemble.h"

// What the readers of model files share.
namespace tern::trees::internal {

/// Bytes of a model file that are read at all.
inline constexpr std::uint64_t kLargestModel = std::uint64_t{1} << 32;

/// A model as formats hold it whose trees, of one value a leaf, are added up: those that predictions use, with means
/// as sums. Throws ValueError for several values a leaf.
inline Ensemble added_up(const Ensemble& ensemble, const std::string& what) {
  ensemble.check(what);
  if (ensemble.vector_leaves && ensemble.outputs > 1) {
    throw ValueError("[" + what + "] expected trees of one value a leaf, got " + std::to_string(ensemble.outputs) +
                     " values, which the format cannot hold");
  }
  Ensemble model = ensemble;
  model.trees.resize(static_cast<std::size_t>(ensemble.used_trees()));
  if (model.average) {
    for (Tree& tree : model.trees) {
      for (double& value : tree.leaf_value) value /= static_cast<double>(ensemble.used_rounds());
    }
  }
  model.vector_leaves = model.average = false;
  return model;
}

/// Throws ValueError that names the feature where a text of its own is no UTF-8.
inline void check_utf8(const Feature& feature, const std::string& text, const std::string& what) {
  using tern::internal::Json;
  try {
    tern::internal::json_text(Json(text));
  } catch (const Json::exception&) {
    throw ValueError("[" + what + "] feature " + tern::internal::json_text(Json(feature.name), {.replace = true}) +
                     ": expected names in UTF-8, got " + tern::internal::json_text(Json(text), {.replace = true}));
  }
}

/// The ensemble that `read` makes, checked; what is not sound in it is the file's fault, a FormatError.
template <class Read>
Ensemble checked(const std::string& what, Read read) {
  try {
    Ensemble ensemble = read();
    ensemble.check(what);
    return ensemble;
  } catch (const ValueError& error) {
    throw FormatError(error.what());
  }
}

}  // namespace tern::trees::internal
