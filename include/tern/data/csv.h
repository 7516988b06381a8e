#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"
#include "tern/data/schema.h"
#include "tern/data/table.h"

namespace tern::data {

/// What becomes of a record that cannot be read: another number of fields than the header, text after a closing quote,
/// invalid UTF-8, a field over the bound.
enum class BadRows : std::uint8_t {
  error,  ///< throw DataError
  skip,   ///< leave it out, and count it
  report  ///< leave it out, and list it with its reason in the CsvReport, which must be given
};

/// The type of a column, told: `ColumnType::string`, or a name, "string", "timestamp", "number" (f64), or a format of
/// formats.h, "date:dmy". A name that is none is a ValueError of the reader, which names the column.
struct TERN_API ColumnSpec {
  ColumnType type;
  std::string format{};
  ColumnSpec(ColumnType type) : type(type) {}
  ColumnSpec(std::string_view name);
  ColumnSpec(const char* name) : ColumnSpec(std::string_view(name)) {}
  ColumnSpec(const std::string& name) : ColumnSpec(std::string_view(name)) {}
};

/// How a CSV file is read.
struct CsvOptions {
  /// '\0': found among , ; tab |, by a schema the one under which the header has its columns.
  char delimiter = '\0';
  /// Words that stand for a missing value, blanks around them ignored; with the empty word, blank fields are missing.
  std::vector<std::string> missing = default_missing_words();
  std::vector<std::string>
      more_missing{};          ///< further such words, beside those above or a schema's; -999 is -999.0 too
  bool quoted_missing = true;  ///< a missing-value word in quotes is missing too
  /// Columns in which a blank field alone is missing, such as an id, which may be called NA; others are passed over.
  std::vector<std::string> only_blank_missing{};
  BadRows bad_rows = BadRows::error;
  /// Told types by column name; those of the other columns are inferred over all their values.
  std::vector<std::pair<std::string, ColumnSpec>> types{};
  /// When it has columns: reads exactly these, in this order, and infers nothing; other columns of the file are left
  /// out. Its missing-value words are used in place of those above.
  Schema schema{};
  std::vector<std::string> optional_columns{};  ///< columns of the schema that the file may lack
  bool allow_no_rows = false;                   ///< a header alone gives a table without rows, not an error
  std::int64_t max_rows = -1;                   ///< reads this many records and no more; -1: all
  std::int64_t max_columns = 100'000;
  std::int64_t max_field_bytes = std::int64_t{1} << 24;
  std::int64_t max_bytes = std::int64_t{1} << 36;  ///< of the text, after decompression
};

/// A record that was left out.
struct SkippedRow {
  std::int64_t row = 0;   ///< 0-based record of the input
  std::int64_t line = 0;  ///< 1-based line on which it starts
  std::string reason{};
};

/// What a reader noticed on the way.
struct CsvReport {
  std::int64_t records = 0;         ///< in the input, the header not counted
  std::int64_t rows = 0;            ///< in the table
  std::int64_t skipped_count = 0;   ///< records left out
  std::vector<SkippedRow> skipped;  ///< each of them, under BadRows::report
  std::int64_t bytes = 0;           ///< of text
  char delimiter = ',';
  Schema schema;  ///< reads a file like this one the same way
  /// Decisions worth a line: digits kept as text, columns left out, words among numbers or dates.
  std::vector<std::string> notes;
  /// SHA-256 of the bytes that were read, those of the file as they lie on disk (before decompression) or those of the
  /// text, as 64 lower-case hexadecimal digits.
  std::string sha256{};
};

/// Reads a CSV file (RFC 4180; UTF-8 with or without a byte-order mark; LF, CRLF or CR; gzip by its first bytes) with a
/// header line; a first column without a name, as pandas writes its index, is "Unnamed: 0". Blank lines are no records;
/// between the records of one column alone they are an error, for they may be missing values.
/// Blanks around a field are no part of it, unless it is text in quotes.
/// Inferred types: i64, f64, boolean (true/false), timestamp (ISO 8601), else string; whole numbers beyond int64 or
/// with leading zeros stay text, with a note, as do numbers (and what has a written form of formats.h) with a few words
/// among them. An infinite number is an error unless the column is told f64. Throws FileError when the file cannot be
/// read, ValueError for options that do not fit, DataError with file, row, line and column for what breaks a rule.
TERN_API Table read_csv(const std::string& path, const CsvOptions& options = {}, CsvReport* report = nullptr);

/// The same from text in memory.
TERN_API Table read_csv_text(std::string_view text, const CsvOptions& options = {}, CsvReport* report = nullptr);

/// How a CSV file is written.
struct CsvWriteOptions {
  char delimiter = ',';
  std::string missing{};        ///< the word for a null
  std::string line_end = "\n";  ///< "\n" or "\r\n"
};

/// Writes a table as CSV (RFC 4180, quotes where needed), atomically; gzip when the name ends in .gz. Numbers are the
/// shortest that read back as the same value, timestamps ISO 8601. A text that would read as missing is quoted. Throws
/// FileError.
TERN_API void write_csv(const Table& table, const std::string& path, const CsvWriteOptions& options = {});

/// The same as text in memory.
TERN_API std::string write_csv_text(const Table& table, const CsvWriteOptions& options = {});

}  // namespace tern::data
