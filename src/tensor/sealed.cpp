#include "tensor/sealed.h"

#include <map>
#include <utility>

#include "tensor/bytes.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::internal {
namespace {

constexpr const char* kHash = "sha256";

// Of the tensors in any order.
std::string hash_of(const TensorFile& file, const std::string& text) {
  std::map<std::string, std::string> parts;
  for (const auto& [name, tensor] : file.tensors) {
    parts[name] =
        std::string(tern::name(tensor.dtype())) + to_string(tensor.shape()) + sha256(bytes_of(tensor.contiguous()));
  }
  std::string all = sha256(text);
  for (const auto& [name, part] : parts) all += std::to_string(name.size()) + ":" + name + part;
  return sha256(all);
}

}  // namespace

std::string sealed_tensors(TensorFile file, const std::string& key, std::string text) {
  file.metadata = {{kHash, hash_of(file, text)}, {key, std::move(text)}};
  return to_safetensors(file);
}

TensorFile unsealed_tensors(std::string_view bytes, const std::string& key, const std::string& what) {
  const std::string expected = "[" + what + "] expected a file as Tern saved it, got another or a damaged one";
  TensorFile file;
  try {
    file = from_safetensors(bytes);
  } catch (const FormatError& error) {
    throw FormatError(expected + ": " + error.what());
  }
  std::map<std::string, std::string> kept(file.metadata.begin(), file.metadata.end());
  if (kept.size() != 2 || !kept.contains(kHash) || !kept.contains(key)) {
    throw FormatError(expected + ": expected \"" + key + "\" and its hash in its metadata");
  }
  if (kept[kHash] != hash_of(file, kept[key])) {
    throw FormatError(expected + ": its content is not what was saved");
  }
  file.metadata = {{key, std::move(kept[key])}};
  return file;
}

}  // namespace tern::internal
