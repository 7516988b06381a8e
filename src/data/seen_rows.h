#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/json.h"
#include "tern/data/table.h"

namespace tern::data::internal {

/// A set of rows by origin and id: a bit a row where ids lie close, a few bytes where they do not.
class SeenRows {
 public:
  SeenRows() = default;
  explicit SeenRows(const Table& table);

  /// Position of the first row of the table that is among these, -1 when none is.
  std::int64_t first_in(const Table& table) const;

  /// The rows that were read from text; those made in memory mean nothing in another process.
  tern::internal::Json to_json() const;
  /// Throws FormatError.
  static SeenRows from_json(const tern::internal::Json& json, const char* what);

 private:
  // The ids 32 * at to 32 * at + 31.
  struct Word {
    std::int64_t at = 0;
    std::uint32_t bits = 0;
  };
  std::map<RowOrigin, std::vector<Word>> words_;  // ascending by `at`
};

}  // namespace tern::data::internal
