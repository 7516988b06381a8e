#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tern/base/error.h"
#include "tern/data/pipeline.h"

// Any text gives a pipeline or a FormatError; a pipeline comes back the same from what it saves, and gives features or
// an Error for rows of missing values.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tern::data;
  Pipeline pipeline;
  try {
    pipeline = Pipeline::from_json(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const tern::FormatError&) {
    return 0;
  }
  const std::string saved = pipeline.to_json();
  if (Pipeline::from_json(saved).to_json() != saved) std::abort();
  Table rows;
  for (const InputColumn& input : pipeline.inputs()) rows.add(input.name, Column::nulls(input.type, 3));
  try {
    const Dataset dataset = pipeline.transform(rows);
    if (dataset.rows() != rows.rows() || dataset.width() != pipeline.width()) std::abort();
  } catch (const tern::Error&) {
    return 0;
  }
  return 0;
}
