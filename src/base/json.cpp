#include "base/json.h"

#include <set>

#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::internal {
namespace {

template <class Value>
std::string text_of(const Value& json, const JsonText& form) {
  using Handler = typename Value::error_handler_t;
  return json.dump(form.indent, ' ', form.ascii, form.replace ? Handler::replace : Handler::strict);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
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

OrderedJson parse_ordered_json(std::string_view text) { return OrderedJson::parse(text.begin(), text.end()); }

std::string json_text(const Json& json, const JsonText& form) { return text_of(json, form); }
std::string json_text(const OrderedJson& json, const JsonText& form) { return text_of(json, form); }

namespace {

constexpr std::string_view kSeal = ",\"sha256\":\"", kSealEnd = "\"}\n";
constexpr std::size_t kSealed = kSeal.size() + 64 + kSealEnd.size();

}  // namespace

std::string sealed_json(std::string object) {
  while (object.ends_with('\n')) object.pop_back();
  object.pop_back();
  const std::string hash = sha256(object);
  return object.append(kSeal).append(hash).append(kSealEnd);
}

std::string unsealed_json(std::string text, const std::string& what) {
  const std::size_t size = text.size() < kSealed ? 0 : text.size() - kSealed;
  const std::string_view content = std::string_view(text).substr(0, size);
  if (size == 0 || std::string_view(text).substr(size, kSeal.size()) != kSeal || !text.ends_with(kSealEnd) ||
      std::string_view(text).substr(size + kSeal.size(), 64) != sha256(content)) {
    throw FormatError("[" + what + "] expected a file as Tern saved it, got another or a damaged one");
  }
  text.resize(size);
  return text += '}';
}

const Json& json_member(const Json& object, const char* key, const std::string& what) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw FormatError("[" + what + "] expected a member \"" + key + "\", got none");
  }
  return *found;
}

void throw_json_range(const Json& value, const char* key, const std::string& what) {
  throw FormatError("[" + what + "] member \"" + key + "\": expected an integer in range, got " +
                    json_text(value, {.ascii = true, .replace = true}).substr(0, 80));
}

void throw_json_type(const Json::exception& error, const char* key, const std::string& what) {
  throw FormatError("[" + what + "] member \"" + key + "\" has a wrong type: " + error.what());
}

template bool json_get<bool>(const Json&, const char*, const std::string&);
template double json_get<double>(const Json&, const char*, const std::string&);
template std::int32_t json_get<std::int32_t>(const Json&, const char*, const std::string&);
template std::int64_t json_get<std::int64_t>(const Json&, const char*, const std::string&);
template std::uint64_t json_get<std::uint64_t>(const Json&, const char*, const std::string&);
template std::string json_get<std::string>(const Json&, const char*, const std::string&);
template std::vector<double> json_get<std::vector<double>>(const Json&, const char*, const std::string&);
template std::vector<std::int32_t> json_get<std::vector<std::int32_t>>(const Json&, const char*, const std::string&);
template std::vector<std::int64_t> json_get<std::vector<std::int64_t>>(const Json&, const char*, const std::string&);
template std::vector<std::string> json_get<std::vector<std::string>>(const Json&, const char*, const std::string&);

}  // namespace tern::internal
