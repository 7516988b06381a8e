#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Text of one value to the value and back. Every reader and writer of data goes through these.
namespace tern::data::internal {

enum class Parsed : std::uint8_t { ok, no, too_large };

/// Without blanks (space, tab) at both ends.
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes a sign off the front: '-' for a minus (- or U+2212, as typeset tables have it), '+', or '\0' for none.
inline char take_sign(std::string_view& text) {
  constexpr std::string_view minus = "\xE2\x88\x92";
  if (text.empty()) return '\0';
  const char sign = text.front();
  if (sign == '-' || sign == '+') {
    text.remove_prefix(1);
    return sign;
  }
  if (sign != minus.front() || text.substr(0, minus.size()) != minus) return '\0';
  text.remove_prefix(minus.size());
  return '-';
}

/// A decimal integer with an optional sign; `too_large` outside int64.
Parsed parse_i64(std::string_view text, std::int64_t& value);

/// A decimal number with optional sign, fraction and exponent, or inf, infinity; `too_large` where it would round
/// to infinity.
Parsed parse_f64(std::string_view text, double& value);

/// true/false, t/f, yes/no, y/n, on/off, 1/0, in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// true/false alone, in any case.
std::optional<bool> parse_true_false(std::string_view text);

/// Microseconds since the epoch of a calendar date, or nothing when there is no such day. Years 1 to 9999.
std::optional<std::int64_t> date_microseconds(int year, int month, int day);

/// A time of day such as 12:05, 12:05:30, 12:05:30.25, with an optional Z or offset, in microseconds (offset applied).
std::optional<std::int64_t> parse_time(std::string_view text);

/// Whether a time lies in the years 1 to 9999, which four digits write.
bool has_year(std::int64_t microseconds);

/// ISO 8601: a date (2024-01-31), or a date, T or a space, and a time; UTC when no offset stands there.
std::optional<std::int64_t> parse_iso(std::string_view text);

/// Lower-case ASCII.
std::string lower(std::string_view text);

void append_f64(std::string& out, double value);
void append_i64(std::string& out, std::int64_t value);
/// 2024-01-31 for a whole day unless `with_time`, else 2024-01-31T12:05:30[.25]Z; microseconds outside the years 1 to
/// 9999.
void append_timestamp(std::string& out, std::int64_t microseconds, bool with_time);

/// A value as an error message shows it: quoted, control characters escaped, cut to 40 bytes.
std::string shown(std::string_view value);

/// Position of the first byte that is no part of valid UTF-8 (RFC 3629), or npos.
std::size_t invalid_utf8(std::string_view text);

}  // namespace tern::data::internal
