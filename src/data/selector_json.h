#pragma once

#include <string>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/data/selectors.h"

namespace tern::data::internal {

tern::internal::Json save_selector(const Selector& selector);
Selector load_selector(const tern::internal::Json& json);

/// Text of `json`. Throws ValueError when a string in it is no UTF-8.
inline std::string dump_json(const tern::internal::Json& json, const char* where) {
  try {
    return tern::internal::json_text(json);
  } catch (const tern::internal::Json::exception& error) {
    throw ValueError(std::string("[") + where + "] expected text in UTF-8, got: " + error.what());
  }
}

}  // namespace tern::data::internal
