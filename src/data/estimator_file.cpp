#include "data/estimator_file.h"

#include <utility>

#include "base/json.h"
#include "tensor/sealed.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::data {
namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::OrderedJson;

constexpr int kVersion = 1;
constexpr const char* kFormat = "tern.estimator";
constexpr const char* kBegin = "{\"format\"";  // which no safetensors file begins with: its ninth byte is a brace
constexpr std::string_view kOwn = ",\"state\":";
const std::string kWhat = kFormat;

}  // namespace

namespace internal {

std::string state_json(const EstimatorState& state) {
  OrderedJson json{{"format", kFormat}, {"version", kVersion}, {"type", state.type}, {"names", state.names}};
  json["types"] = OrderedJson::array();
  for (const ColumnType type : state.types) json["types"].push_back(to_string(type));
  json["target"] = state.target;
  json["classes"] = state.classes;
  std::string text;
  try {
    text = tern::internal::json_text(json);
  } catch (const Json::exception& error) {
    throw ValueError(std::string("[save] expected names and classes in UTF-8, got: ") + error.what());
  }
  text.pop_back();
  return text.append(kOwn) + state.json + "}";
}

EstimatorState read_state(std::string_view text) {
  // As `state_json` writes it, the class's own part is last, and is parsed by the class alone: trees may be large. In a
  // string the quotes of the key would be escaped.
  const std::size_t at = text.find(kOwn);
  const bool split = at != std::string_view::npos && text.back() == '}';
  const Json json =
      tern::internal::parse_json(split ? std::string(text.substr(0, at)) + "}" : std::string(text), kWhat);
  if (json_get<std::string>(json, "format", kWhat) != kFormat) {
    throw FormatError("[tern.estimator] expected the format tern.estimator, got another one");
  }
  if (const int version = json_get<int>(json, "version", kWhat); version != kVersion) {
    throw FormatError("[tern.estimator] expected version " + std::to_string(kVersion) + ", got " +
                      std::to_string(version) + "; another release of Tern wrote it");
  }
  EstimatorState state{.type = json_get<std::string>(json, "type", kWhat),
                       .names = json_get<std::vector<std::string>>(json, "names", kWhat),
                       .target = json_get<std::string>(json, "target", kWhat),
                       .classes = json_get<std::vector<std::string>>(json, "classes", kWhat)};
  for (const std::string& type : json_get<std::vector<std::string>>(json, "types", kWhat)) {
    try {
      state.types.push_back(parse_column_type(type));
    } catch (const ValueError& error) {
      throw FormatError(std::string("[tern.estimator] ") + error.what());
    }
  }
  const auto own = json.find("state");
  if (split == (own != json.end())) throw FormatError("[tern.estimator] expected one member \"state\"");
  state.json =
      split ? text.substr(at + kOwn.size(), text.size() - at - kOwn.size() - 1) : tern::internal::json_text(*own);
  return state;
}

void write_state(const EstimatorState& state, const std::string& path) {
  std::string json = state_json(state);
  if (state.tensors.empty()) {
    write_file(path, tern::internal::sealed_json(std::move(json)));
  } else {
    write_file(path, tern::internal::sealed_tensors({.tensors = state.tensors}, kFormat, std::move(json)));
  }
}

EstimatorState load_state(const std::string& path, std::string_view type) {
  std::string bytes = read_file(path);
  return tern::internal::from_file(path, [&] {
    EstimatorState state;
    if (bytes.starts_with(kBegin)) {
      state = read_state(tern::internal::unsealed_json(std::move(bytes), kWhat));
    } else {
      TensorFile file = tern::internal::unsealed_tensors(bytes, kFormat, kWhat);
      state = read_state(file.metadata[0].second);
      state.tensors = std::move(file.tensors);
    }
    if (!type.empty() && state.type != type) {
      throw FormatError("[tern.estimator] expected a " + std::string(type) + ", got a " + state.type);
    }
    return state;
  });
}

}  // namespace internal

void Estimator::save(const std::string& path) const { internal::write_state(state(), path); }

std::unique_ptr<Estimator> load_estimator(const std::string& path, std::string_view type) {
  const EstimatorState state = internal::load_state(path, type);
  return tern::internal::from_file(path, [&] { return make_estimator(state); });
}

}  // namespace tern::data
