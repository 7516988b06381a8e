#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/base/error.h"
#include "tern/nn/architecture.h"

// A module that is made describes itself so that it can be made again; anything else is a FormatError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tern::nn::ArchitectureLimits limits{.max_parameters = 1 << 16, .max_modules = 256};
  try {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const std::string recorded = tern::nn::architecture(*tern::nn::make_module(json, {}, limits));
    if (tern::nn::architecture(*tern::nn::make_module(recorded, {}, limits)) != recorded) __builtin_trap();
  } catch (const tern::FormatError&) {
  }
  return 0;
}
