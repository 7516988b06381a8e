#pragma once

#include <string>

#include "base/json.h"
#include "tensor/sealed.h"
#include "tern/base/error.h"

namespace tern {

/// The bytes of a saved model without the hash of them, where they are JSON.
inline std::string without_seal(const std::string& bytes) { return internal::unsealed_json(bytes, "test"); }

/// The bytes of an altered model as they would have been saved: with their own hash, so that what reads them looks at
/// their content. JSON comes without a hash; what is no file of tensors any more is left as it is.
inline std::string resealed(const std::string& bytes) {
  if (bytes.starts_with('{')) return internal::sealed_json(bytes);
  TensorFile file;
  try {
    file = from_safetensors(bytes);
  } catch (const FormatError&) {
    return bytes;
  }
  std::erase_if(file.metadata, [](const auto& member) { return member.first == "sha256"; });
  if (file.metadata.size() != 1) return bytes;
  const auto [key, text] = file.metadata[0];
  return internal::sealed_tensors(std::move(file), key, text);
}

}  // namespace tern
