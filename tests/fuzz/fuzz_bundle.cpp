// The whole file of a bundle: what is not a bundle is a FormatError, and what is predicts.

#include <cstddef>
#include <cstdint>

#include "tern/base/error.h"
#include "tern/bundle/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const tern::Bundle bundle = tern::Bundle::from_bytes({reinterpret_cast<const char*>(data), size});
    tern::Row row;
    for (const auto& input : bundle.pipeline().inputs()) row.emplace_back(input.name, std::monostate{});
    bundle.predict(row);
  } catch (const tern::FormatError&) {
    return 0;
  } catch (const tern::DataError&) {
    return 0;  // a row of missing values that no step fills
  }
  return 0;
}
