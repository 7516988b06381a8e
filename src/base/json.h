#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tern/base/error.h"

// Bounded JSON for everything that Tern reads back: files of its own, weights, bundles. Private to the sources.
namespace tern::internal {

using Json = nlohmann::json;
/// Keeps the order in which keys were written; for what people read.
using OrderedJson = nlohmann::ordered_json;

/// Parses `text`, at most 64 levels deep and without repeated keys. Throws FormatError that begins with `[what]`.
inline Json parse_json(std::string_view text, const std::string& what) {
  constexpr int max_depth = 64;
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > max_depth) throw FormatError("[" + what + "] expected JSON at most 64 levels deep, got more");
    if (event == Json::parse_event_t::object_start) {
      keys.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      keys.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second) {
        throw FormatError("[" + what + "] expected distinct keys, got \"" + key + "\" twice");
      }
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), check);
  } catch (const Json::exception& error) {
    throw FormatError("[" + what + "] expected valid JSON, got: " + error.what());
  }
}

/// The member `key` of `object` as a T. Throws FormatError that names `what` and the key.
template <class T>
T json_get(const Json& object, const char* key, const std::string& what) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw FormatError("[" + what + "] expected a member \"" + key + "\", got none");
  }
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {  // get() would convert 1e300 or -1 silently
    const bool fits = found->is_number_unsigned()
                          ? std::in_range<T>(found->template get<std::uint64_t>())
                          : found->is_number_integer() && std::in_range<T>(found->template get<std::int64_t>());
    if (!fits) {
      throw FormatError("[" + what + "] member \"" + key + "\": expected an integer in range, got " + found->dump());
    }
  }
  try {
    return found->template get<T>();
  } catch (const Json::exception& error) {
    throw FormatError("[" + what + "] member \"" + key + "\" has a wrong type: " + error.what());
  }
}

/// The same, or `fallback` when the member is absent.
template <class T>
T json_get_or(const Json& object, const char* key, T fallback, const std::string& what) {
  if (!object.is_object() || !object.contains(key)) return fallback;
  return json_get<T>(object, key, what);
}

}  // namespace tern::internal
