#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/base/error.h"
#include "tern/nn/safetensors.h"

// What is read is written and read again; anything else is a FormatError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::string written = tern::to_safetensors(tern::from_safetensors(bytes));
    if (tern::to_safetensors(tern::from_safetensors(written)) != written) __builtin_trap();
  } catch (const tern::FormatError&) {
  }
  return 0;
}
