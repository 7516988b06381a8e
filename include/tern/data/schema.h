#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"
#include "tern/data/table.h"

namespace tern::data {

/// How one column of a file is read.
struct SchemaColumn {
  std::string name{};
  ColumnType type = ColumnType::string;
  std::string format{};               ///< a name of formats.h, or empty: the type's plain form
  std::vector<std::string> levels{};  ///< categorical: the first levels, in order; unseen ones come behind them
  bool ordered = false;               ///< categorical
  bool only_blank_missing = false;    ///< words for a missing value are values here; a blank field alone is missing
};

/// How a raw file is read, so that it is read the same way again: names, types and missing-value words. Kept in a
/// bundle, and then nothing is inferred when serving.
struct TERN_API Schema {
  std::vector<SchemaColumn> columns{};
  std::vector<std::string> missing{};  ///< words that stand for a missing value
  bool quoted_missing = true;          ///< such a word in quotes is missing too

  /// The column of a name, or nullptr.
  const SchemaColumn* find(std::string_view name) const;

  /// Versioned JSON, and back. `from_json` throws FormatError for text that is not such a schema.
  std::string to_json() const;
  static Schema from_json(std::string_view json);
};

/// The missing-value words that are used unless told: those of pandas.read_csv (empty, NA, N/A, n/a, <NA>, #N/A,
/// #N/A N/A, #NA, NaN, nan, -NaN, -nan, 1.#IND, -1.#IND, 1.#QNAN, -1.#QNAN, null, NULL, None), N/a and ?.
TERN_API std::vector<std::string> default_missing_words();

/// The schema by which a table like this is read: its names, types and levels, with the default missing-value words.
TERN_API Schema schema_of(const Table& table);

}  // namespace tern::data
