#pragma once

#include <cstdint>
#include <string>

#include "tern/base/error.h"
#include "tern/trees/ensemble.h"

// What the readers of model files share.
namespace tern::trees::internal {

/// Bytes of a model file that are read at all.
inline constexpr std::uint64_t kLargestModel = std::uint64_t{1} << 32;

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
