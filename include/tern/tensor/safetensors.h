#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/tensor/tensor.h"

// The safetensors format: the length of a JSON header (u64, little-endian), the header, then the elements of each
// tensor in C order, one after another without gaps. Types F64, F32, F16, BF16, I64, I32, U8 and BOOL.
namespace tern {

/// What a safetensors file holds.
struct TensorFile {
  std::vector<std::pair<std::string, Tensor>> tensors{};        ///< in the order of their elements in the file
  std::vector<std::pair<std::string, std::string>> metadata{};  ///< names and texts, in the order of the names
};

/// The file's bytes. Tensors of wider elements come first, otherwise in the given order, so that each is aligned to its
/// element; the elements begin at a multiple of 64 bytes. Throws ValueError on a repeated name, on "__metadata__" as a
/// name, or on text that is not UTF-8.
TERN_API std::string to_safetensors(const TensorFile& file);
/// Reads such bytes, strictly. Throws FormatError naming the first rule that is broken; nothing is allocated before
/// sizes are checked against the length of `bytes`.
TERN_API TensorFile from_safetensors(std::string_view bytes);

}  // namespace tern
