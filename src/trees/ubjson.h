#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

// UBJSON (draft 12) as XGBoost writes it.
namespace tern::trees::internal {

/// Reads a value, at most 64 levels deep, without repeated keys. Arrays may state type and length, objects may not.
/// Takes memory in proportion to the bytes that are there. Throws FormatError that begins with `[what]`.
tern::internal::Json parse_ubjson(std::string_view bytes, const std::string& what);

/// Writes a value. Lists of numbers that XGBoost knows by their key take the element type that it reads them as.
std::string write_ubjson(const tern::internal::OrderedJson& value);

}  // namespace tern::trees::internal
