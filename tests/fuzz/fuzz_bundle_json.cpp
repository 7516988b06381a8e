// The JSON entries of a bundle. The digit in front names the parser; the seeds are the entries of tests/bundle/golden.
// What is read must be written and read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bundle/facts.h"
#include "bundle/manifest.h"
#include "data/estimator_file.h"
#include "tern/base/error.h"
#include "tern/bundle/bundle.h"
#include "tern/data/estimator.h"
#include "tern/models/register.h"
#include "tern/trees/register.h"

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
    case 7: {
      trees::register_estimators();
      models::register_estimators();
      const auto made = data::make_estimator(data::internal::read_state(text));
      data::make_estimator(data::internal::read_state(data::internal::state_json(made->state())));
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
    read(static_cast<std::uint8_t>(data[0] - '0') % 9, {reinterpret_cast<const char*>(data) + 1, size - 1});
  } catch (const tern::FormatError&) {
    return 0;
  }
  return 0;
}
