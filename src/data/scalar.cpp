#include "data/scalar.h"

#include <fast_float/fast_float.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

namespace tern::data::internal {
namespace {

// 0001-01-01 and 9999-12-31T23:59:59.999999, between which ISO 8601 has four digits of the year.
constexpr std::int64_t first_time = -62'135'596'800'000'000, last_time = 253'402'300'799'999'999;  // years 1 to 9999
constexpr std::int64_t second = 1'000'000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

bool digit(char c) { return c >= '0' && c <= '9'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(std::string_view text, std::string_view lower_case) {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

// Exactly `count` digits at the front, taken off.
bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Parsed parse_i64(std::string_view text, std::int64_t& value) {
  const bool negative = take_sign(text) == '-';
  if (text.empty()) return Parsed::no;
  if (text.size() <= 18) {  // cannot overflow
    std::int64_t number = 0;
    for (const char c : text) {
      if (!digit(c)) return Parsed::no;
      number = number * 10 + (c - '0');
    }
    value = negative ? -number : number;
    return Parsed::ok;
  }
  const std::uint64_t most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + negative;
  std::uint64_t number = 0;
  bool large = false;
  for (const char c : text) {
    if (!digit(c)) return Parsed::no;
    const auto unit = static_cast<std::uint64_t>(c - '0');
    if (large || number > (most - unit) / 10) {
      large = true;
    } else {
      number = number * 10 + unit;
    }
  }
  if (large) return Parsed::too_large;
  value = static_cast<std::int64_t>(negative ? ~number + 1 : number);
  return Parsed::ok;
}

Parsed parse_f64(std::string_view text, double& value) {
  const bool negative = take_sign(text) == '-';
  const char* const first = text.data();
  const char* const end = first + text.size();
  if (first == end) return Parsed::no;
  if (!digit(*first) && *first != '.') {
    if (!same(text, "inf") && !same(text, "infinity")) return Parsed::no;
    value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    return Parsed::ok;
  }
  const auto result = fast_float::from_chars(first, end, value);
  if (result.ec == std::errc::invalid_argument || result.ptr != end) return Parsed::no;
  if (negative) value = -value;
  return std::isinf(value) ? Parsed::too_large : Parsed::ok;
}

std::optional<bool> parse_true_false(std::string_view text) {
  if (same(text, "true")) return true;
  if (same(text, "false")) return false;
  return std::nullopt;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view word : {"true", "yes", "1", "t", "y", "on"}) {
    if (same(text, word)) return true;
  }
  for (const std::string_view word : {"false", "no", "0", "f", "n", "off"}) {
    if (same(text, word)) return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> date_microseconds(int year, int month, int day_of_month) {
  if (year < 1 || year > 9999 || month < 1 || day_of_month < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day_of_month))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * day;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  int hours = 0, minutes = 0, seconds = 0;
  if (!take_digits(text, 2, hours) || !take_char(text, ':') || !take_digits(text, 2, minutes)) return std::nullopt;
  std::int64_t fraction = 0;
  if (take_char(text, ':')) {
    if (!take_digits(text, 2, seconds)) return std::nullopt;
    if (take_char(text, '.')) {
      std::int64_t unit = second / 10;
      if (text.empty() || !digit(text.front())) return std::nullopt;
      while (!text.empty() && digit(text.front())) {  // digits past the microsecond are dropped
        fraction += (text.front() - '0') * unit;
        unit /= 10;
        text.remove_prefix(1);
      }
    }
  }
  if (hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  std::int64_t value = hours * hour + minutes * minute + seconds * second + fraction;
  if (text.empty() || text == "Z" || text == "z") return value;
  const bool east = text.front() == '+';
  if (!east && text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  int offset_hours = 0, offset_minutes = 0;
  if (!take_digits(text, 2, offset_hours)) return std::nullopt;
  if (!text.empty()) {
    take_char(text, ':');
    if (!take_digits(text, 2, offset_minutes) || !text.empty()) return std::nullopt;
  }
  if (offset_hours > 23 || offset_minutes > 59) return std::nullopt;
  const std::int64_t offset = offset_hours * hour + offset_minutes * minute;
  return east ? value - offset : value + offset;
}

bool has_year(std::int64_t microseconds) { return microseconds >= first_time && microseconds <= last_time; }

std::optional<std::int64_t> parse_iso(std::string_view text) {
  int year = 0, month = 0, day_of_month = 0;
  if (!take_digits(text, 4, year) || !take_char(text, '-') || !take_digits(text, 2, month) || !take_char(text, '-') ||
      !take_digits(text, 2, day_of_month)) {
    return std::nullopt;
  }
  const auto date = date_microseconds(year, month, day_of_month);
  if (!date || text.empty()) return date;
  if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
  const auto time = parse_time(text.substr(1));
  if (!time || !has_year(*date + *time)) return std::nullopt;
  return *date + *time;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

void append_f64(std::string& out, double value) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, result.ptr);
}

void append_i64(std::string& out, std::int64_t value) {
  char buffer[24];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, result.ptr);
}

void append_timestamp(std::string& out, std::int64_t microseconds, bool with_time) {
  if (!has_year(microseconds)) return append_i64(out, microseconds);
  std::int64_t days = microseconds / day, rest = microseconds % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  const auto digits = [&out](std::int64_t value, int count) {
    char buffer[8];
    for (int i = count; i-- > 0; value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
    out.append(buffer, static_cast<std::size_t>(count));
  };
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  digits(static_cast<int>(date.year()), 4);
  out += '-';
  digits(static_cast<unsigned>(date.month()), 2);
  out += '-';
  digits(static_cast<unsigned>(date.day()), 2);
  if (!with_time && rest == 0) return;
  out += 'T';
  digits(rest / hour, 2);
  out += ':';
  digits(rest / minute % 60, 2);
  out += ':';
  digits(rest / second % 60, 2);
  if (const std::int64_t fraction = rest % second; fraction != 0) {
    out += '.';
    digits(fraction, 6);
    while (out.back() == '0') out.pop_back();
  }
  out += 'Z';
}

std::string shown(std::string_view value) {
  std::size_t size = value.size() < 40 ? value.size() : 40;
  if (size < value.size()) {  // not inside a character
    while (size > 0 && (static_cast<unsigned char>(value[size]) & 0xC0) == 0x80) --size;
  }
  std::string text = "\"";
  for (const char c : value.substr(0, size)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      static constexpr char hex[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\n') {
        text += "\\n";
      } else if (c == '\t') {
        text += "\\t";
      } else {
        text += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
      }
    } else {
      text += c;
    }
  }
  return text + (size < value.size() ? "\"..." : "\"");
}

std::size_t invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  std::size_t i = 0;
  while (i < size) {
    while (i + 8 <= size) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, 8);
      if (word & 0x8080808080808080u) break;
      i += 8;
    }
    if (i == size) break;
    const unsigned char c = bytes[i];
    if (c < 0x80) {
      ++i;
      continue;
    }
    std::size_t more = 0;
    unsigned char low = 0x80, high = 0xBF;  // bounds of the second byte keep out overlong forms and surrogates
    if (c >= 0xC2 && c <= 0xDF) {
      more = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
      more = 2;
      if (c == 0xE0) low = 0xA0;
      if (c == 0xED) high = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
      more = 3;
      if (c == 0xF0) low = 0x90;
      if (c == 0xF4) high = 0x8F;
    } else {
      return i;
    }
    if (size - i <= more || bytes[i + 1] < low || bytes[i + 1] > high) return i;
    for (std::size_t k = 2; k <= more; ++k) {
      if ((bytes[i + k] & 0xC0) != 0x80) return i;
    }
    i += more + 1;
  }
  return std::string_view::npos;
}

}  // namespace tern::data::internal
