#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/nn/module.h"

// The safetensors format: the length of a JSON header (u64, little-endian), the header, then the elements of each
// tensor in C order, one after another without gaps. Types F64, F32, F16, BF16, I64, I32, U8 and BOOL.
namespace tern::nn {

/// What a safetensors file holds.
struct TensorFile {
  NamedTensors tensors{};                                       ///< in the order of their elements in the file
  std::vector<std::pair<std::string, std::string>> metadata{};  ///< names and texts, in the order of the names
};

/// The file's bytes. Tensors of wider elements come first, otherwise in the given order, so that each is aligned to its
/// element; the elements begin at a multiple of 64 bytes. Throws ValueError on a repeated name, on "__metadata__" as a
/// name, or on text that is not UTF-8.
TERN_API std::string to_safetensors(const TensorFile& file);
/// Reads such bytes, strictly. Throws FormatError naming the first rule that is broken; nothing is allocated before
/// sizes are checked against the length of `bytes`.
TERN_API TensorFile from_safetensors(std::string_view bytes);

/// The module's parameters under PyTorch's names; a tied one once, under its first name.
TERN_API TensorFile weights_of(const Module& module);

struct LoadOptions {
  bool strict = true;  ///< a parameter without a tensor, or a tensor without a parameter, is an error
};
/// Copies the tensors into the parameters of their names, which keep their identity and floating type. A tied parameter
/// may come under one or all of its names. Throws FormatError listing missing and unexpected names and shapes and types
/// that differ, and then nothing is changed.
TERN_API void load_weights(Module& module, const TensorFile& file, const LoadOptions& options = {});

/// Writes weights_of(module) to a file, whole or not at all. Throws FileError.
TERN_API void save_weights(const Module& module, const std::string& path);
/// Reads a file and loads it. Throws FileError, and what from_safetensors and load_weights throw.
TERN_API void load_weights(Module& module, const std::string& path, const LoadOptions& options = {});

}  // namespace tern::nn
