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

/// Whether a value is a whole number that a T holds; nlohmann's get() would convert 1e300 or -1 silently.
template <class T>
bool json_fits(const Json& value) {
  return value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                    : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
}

/// Whether `T` is a list of whole numbers.
template <class T>
inline constexpr bool is_whole_list = false;
template <class T>
inline constexpr bool is_whole_list<std::vector<T>> = std::is_integral_v<T> && !std::is_same_v<T, bool>;

/// The member `key` of `object` as a T. Throws FormatError that names `what` and the key.
template <class T>
T json_get(const Json& object, const char* key, const std::string& what) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw FormatError("[" + what + "] expected a member \"" + key + "\", got none");
  }
  const auto need_fit = [&](bool fits, const Json& value) {
    if (!fits) {
      throw FormatError("[" + what + "] member \"" + key + "\": expected an integer in range, got " +
                        value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 80));
    }
  };
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) need_fit(json_fits<T>(*found), *found);
  if constexpr (is_whole_list<T>) {
    for (const Json& element : *found) need_fit(json_fits<typename T::value_type>(element), element);
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
