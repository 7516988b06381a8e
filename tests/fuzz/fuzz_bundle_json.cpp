// The JSON entries of a bundle. The first byte, modulo 8, names the parser; the seeds are the entries of
// tests/bundle/golden behind a digit. What is read must be written and read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bundle/facts.h"
#include "bundle/manifest.h"
#include "tern/base/error.h"
#include "tern/bundle/bundle.h"

namespace {

void read(int parser, std::string_view text) {
  using namespace tern;
  switch (parser) {
    case 0:
      internal::parse_manifest(text);
      break;
    case 1:
      nn::make_module(text, {}, {.max_parameters = 1 << 16});
      break;
    case 2:
      train::Task::from_json(train::Task::from_json(text).to_json());
      break;
    case 3:
      data::Schema::from_json(data::Schema::from_json(text).to_json());
      break;
    case 4:
      data::Pipeline::from_json(data::Pipeline::from_json(text).to_json());
      break;
    case 5:
      train::baselines_from_json(text);
      break;
    case 6: {
      Provenance provenance;
      std::string training;
      internal::read_settings(text, provenance, training);
      break;
    }
    default:
      internal::read_ledger(internal::ledger_lines(internal::read_ledger(text)));
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    read(data[0] % 8, {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const tern::FormatError&) {
    return 0;
  }
  return 0;
}
