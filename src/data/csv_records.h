#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The structure of CSV text: where records start, and the fields of a record. Every reader of records agrees with
// `scan_records` on what a quote means: it opens a field only at the field's start, and is a letter elsewhere.
namespace tern::data::internal {

/// Where the records of a text are.
struct Records {
  std::vector<std::int64_t> starts{};  ///< byte of each record's start, and one more: where reading ended
  std::vector<std::int64_t> lines{};   ///< 1-based line of each record, empty when record i is on line 1 + i
  std::int64_t unclosed_at = -1;       ///< byte of a quote that is not closed
  std::int64_t unclosed_line = -1;
  std::int64_t blank_line = -1;  ///< the first blank line between the records behind the header

  std::int64_t count() const { return static_cast<std::int64_t>(starts.size()) - 1; }
  std::int64_t line(std::int64_t record) const {
    return lines.empty() ? record + 1 : lines[static_cast<std::size_t>(record)];
  }
};

/// Finds at most `most` records (-1: all). Blank lines are none. Stops at a quote that is not closed.
Records scan_records(std::string_view text, char delimiter, std::int64_t most);

/// One field: the bytes between quotes when quoted; `escaped` when doubled quotes stand in them.
struct Field {
  const char* data = nullptr;
  std::uint32_t size = 0;
  bool quoted = false, escaped = false;

  std::string_view raw() const { return std::string_view(data, size); }
  /// The value; `scratch` holds it when quotes are undoubled.
  std::string_view value(std::string& scratch) const { return escaped ? undoubled(scratch) : raw(); }
  std::string_view undoubled(std::string& scratch) const;
};

enum class Problem : std::uint8_t { none, fields, after_quote, too_long };

/// What `split` found: the number of fields, and the first problem with the field it is in.
struct Split {
  std::int64_t fields = 0;
  Problem problem = Problem::none;
  std::int64_t at = -1;
};

/// Splits the record in `text` (its line end, and blank lines behind it, taken off) into at most `width` fields at
/// `out`; counts them all. Fields over `max_field` bytes and a count other than `width` are problems.
Split split(std::string_view text, char delimiter, std::int64_t width, std::int64_t max_field, Field* out);

/// The delimiter of , ; tab | under which the first records agree best.
char find_delimiter(std::string_view text);

}  // namespace tern::data::internal
