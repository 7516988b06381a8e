#pragma once

#include <string>

#include "tern/nn/module.h"
#include "tern/tensor/safetensors.h"

namespace tern::nn {

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
