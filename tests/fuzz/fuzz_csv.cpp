#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/error.h"
#include "tern/data/csv.h"
#include "tern/data/formats.h"

namespace {

// Any text gives a table or an Error; a table reads back the same from what it writes, by its own schema.
void read_and_write(std::string_view text, const tern::data::CsvOptions& options) {
  using namespace tern::data;
  CsvReport report;
  Table table;
  try {
    table = read_csv_text(text, options, &report);
  } catch (const tern::Error&) {
    return;
  }
  if (report.rows != table.rows() || table.rows() + report.skipped_count != report.records) std::abort();
  const Schema schema = Schema::from_json(report.schema.to_json());
  const Table back = read_csv_text(write_csv_text(table), {.delimiter = ',', .schema = schema});
  if (!back.equals(table)) std::abort();
  std::vector<std::pair<std::string, std::string>> formats;
  try {
    formats = detect_formats(table);
  } catch (const tern::DataError&) {
    return;  // an ambiguous date or amount
  }
  for (const auto& [name, format] : formats) apply_format(table, name, format);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read_and_write(text, {});
  read_and_write(text,
                 {.bad_rows = tern::data::BadRows::report, .max_rows = 100, .max_columns = 50, .max_field_bytes = 64});
  return 0;
}
