#pragma once

#include <map>
#include <string>

#include "tern/base/file.h"
#include "tern/nn/safetensors.h"

/// The tensors of a golden file by name.
inline std::map<std::string, tern::Tensor> golden(const std::string& file) {
  const auto read = tern::from_safetensors(tern::read_file(std::string(TERN_TEST_DATA) + "/" + file));
  return {read.tensors.begin(), read.tensors.end()};
}
