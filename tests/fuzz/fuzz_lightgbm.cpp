#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tern/base/error.h"
#include "tern/trees/formats.h"
#include "tern/trees/predictor.h"

// Any bytes: a sound model, which can be made ready for predicting, or a FormatError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    tern::trees::Predictor{tern::trees::from_lightgbm({reinterpret_cast<const char*>(data), size})};
  } catch (const tern::FormatError&) {
  }
  return 0;
}
