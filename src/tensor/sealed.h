#pragma once

#include <string>

#include "tern/base/export.h"
#include "tern/tensor/safetensors.h"

// Safetensors files of Tern's own: tensors, a text that says what they are, and the SHA-256 of both.
namespace tern::internal {

/// The bytes of such a file; the text stands under `key` in its metadata.
TERN_API std::string sealed_tensors(TensorFile file, const std::string& key, std::string text);
/// Reads one; the metadata that is left is the text alone. Throws FormatError that begins with `[what]` for a file of
/// another key, or of another content than was sealed.
TERN_API TensorFile unsealed_tensors(std::string_view bytes, const std::string& key, const std::string& what);

}  // namespace tern::internal
