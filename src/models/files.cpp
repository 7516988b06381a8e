#include "models/files.h"

#include <vector>

#include "base/json.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/models/register.h"
#include "tern/tensor/safetensors.h"

namespace tern::models::internal {
namespace {

using tern::internal::Json;

constexpr const char* kKey = "tern.estimator";
constexpr int kVersion = 1;

std::vector<std::string> words(const Json& json, const char* key) {
  return tern::internal::json_get<std::vector<std::string>>(json, key, kKey);
}

}  // namespace

void save_estimator(const data::EstimatorState& state, const std::string& path) {
  Json header;
  header["version"] = kVersion;
  header["type"] = state.type;
  header["names"] = state.names;
  header["classes"] = state.classes;
  header["state"] = tern::internal::parse_json(state.json, kKey);
  write_file(path, to_safetensors({.tensors = state.tensors, .metadata = {{kKey, header.dump()}}}));
}

std::unique_ptr<data::Estimator> load_estimator(const std::string& type, const std::string& path) {
  TensorFile file = from_safetensors(read_file(path));
  for (const auto& [key, text] : file.metadata) {
    if (key != kKey) continue;
    const Json header = tern::internal::parse_json(text, kKey);
    const int version = tern::internal::json_get<int>(header, "version", kKey);
    if (version != kVersion) {
      throw FormatError("[" + type + "] expected a file of version " + std::to_string(kVersion) + ", got " +
                        std::to_string(version));
    }
    data::EstimatorState state;
    state.type = tern::internal::json_get<std::string>(header, "type", kKey);
    if (state.type != type) {
      throw FormatError("[" + type + "] expected a file of this type, got \"" + state.type + "\" in " + path);
    }
    state.names = words(header, "names");
    state.classes = words(header, "classes");
    state.json = header.contains("state") ? header["state"].dump() : "{}";
    state.tensors = std::move(file.tensors);
    register_estimators();
    return data::make_estimator(state);
  }
  throw FormatError("[" + type + "] expected a saved estimator, got a safetensors file without \"" + kKey + "\" in " +
                    path);
}

}  // namespace tern::models::internal
