#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
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
TERN_API Json parse_json(std::string_view text, const std::string& what);
/// Parses what Tern has just written, in its order. Throws OrderedJson::parse_error.
TERN_API OrderedJson parse_ordered_json(std::string_view text);

/// How a value is written as text.
struct JsonText {
  int indent = -1;       ///< spaces a level; below 0 all in one line
  bool ascii = false;    ///< whether everything beyond ASCII is escaped
  bool replace = false;  ///< whether bytes that are no UTF-8 become U+FFFD
};
/// The text of `json`: instead of dump(), of which every file that calls it would hold a copy. Throws Json::exception
/// when a string in it is no UTF-8 and is not to be replaced.
TERN_API std::string json_text(const Json& json, const JsonText& form = {});
TERN_API std::string json_text(const OrderedJson& json, const JsonText& form = {});

/// The text of an object as a file of it: with the SHA-256 of all its other members as the last one.
TERN_API std::string sealed_json(std::string object);
/// The object again, once it is what was sealed. Throws FormatError that begins with `[what]`.
TERN_API std::string unsealed_json(std::string text, const std::string& what);

/// What `read` makes of a file: a FormatError or ValueError of its content becomes a FormatError that names the file.
template <class Read>
auto from_file(const std::string& path, Read read) {
  try {
    return read();
  } catch (const FormatError& error) {
    throw FormatError(path + ": " + error.what());
  } catch (const ValueError& error) {
    throw FormatError(path + ": " + error.what());
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

/// The member `key` of `object`. Throws FormatError that names `what` and the key.
TERN_API const Json& json_member(const Json& object, const char* key, const std::string& what);
[[noreturn]] TERN_COLD TERN_API void throw_json_range(const Json& value, const char* key, const std::string& what);
[[noreturn]] TERN_COLD TERN_API void throw_json_type(const Json::exception& error, const char* key,
                                                     const std::string& what);

/// The member `key` of `object` as a T. Throws FormatError that names `what` and the key.
template <class T>
TERN_API T json_get(const Json& object, const char* key, const std::string& what) {
  const Json& found = json_member(object, key, what);
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!json_fits<T>(found)) throw_json_range(found, key, what);
  }
  if constexpr (is_whole_list<T>) {
    for (const Json& element : found) {
      if (!json_fits<typename T::value_type>(element)) throw_json_range(element, key, what);
    }
  }
  try {
    return found.template get<T>();
  } catch (const Json::exception& error) {
    throw_json_type(error, key, what);
  }
}

// Compiled once, in json.cpp.
extern template bool json_get<bool>(const Json&, const char*, const std::string&);
extern template double json_get<double>(const Json&, const char*, const std::string&);
extern template std::int32_t json_get<std::int32_t>(const Json&, const char*, const std::string&);
extern template std::int64_t json_get<std::int64_t>(const Json&, const char*, const std::string&);
extern template std::uint64_t json_get<std::uint64_t>(const Json&, const char*, const std::string&);
extern template std::string json_get<std::string>(const Json&, const char*, const std::string&);
extern template std::vector<double> json_get<std::vector<double>>(const Json&, const char*, const std::string&);
extern template std::vector<std::int32_t> json_get<std::vector<std::int32_t>>(const Json&, const char*,
                                                                              const std::string&);
extern template std::vector<std::int64_t> json_get<std::vector<std::int64_t>>(const Json&, const char*,
                                                                              const std::string&);
extern template std::vector<std::string> json_get<std::vector<std::string>>(const Json&, const char*,
                                                                            const std::string&);

/// The same, or `fallback` when the member is absent.
template <class T>
T json_get_or(const Json& object, const char* key, T fallback, const std::string& what) {
  if (!object.is_object() || !object.contains(key)) return fallback;
  return json_get<T>(object, key, what);
}

}  // namespace tern::internal
