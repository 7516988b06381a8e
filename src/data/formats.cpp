#include "tern/data/formats.h"
#include "tern/data/column_builder.h"

#include <array>
#include <cstddef>

#include "data/column_names.h"
#include "data/scalar.h"
#include "data/written_form.h"
#include "tern/base/error.h"

namespace tern::data {
namespace {

using internal::Parsed;

constexpr std::string_view date_names[] = {"date:iso",   "date:ymd",   "date:dmy",   "date:mdy",
                                           "date:d-mon", "date:mon-d", "date:ym",    "date:ymd2",
                                           "date:dmy2",  "date:mdy2",  "date:d-mon2"};
constexpr std::string_view boolean_names[] = {"boolean:true/false", "boolean:yes/no", "boolean:y/n", "boolean:on/off"};
// A sign that holds another stands before it.
constexpr std::string_view currencies[] = {"US$", "CA$", "AU$", "$",   "€",   "£",   "¥",   "₹",
                                           "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD",
                                           "AUD", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL"};
struct Signs {
  char decimal, group;
  bool indian = false;
};
constexpr Signs number_signs[] = {{'.', '\0'}, {'.', ','},  {',', '\0'}, {',', '.'},      {'.', ' '},
                                  {',', ' '},  {'.', '\''}, {',', '\''}, {'.', ',', true}};
constexpr std::string_view months[] = {"january", "february", "march",     "april",   "may",      "june",
                                       "july",    "august",   "september", "october", "november", "december"};

bool digit(char c) { return c >= '0' && c <= '9'; }

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (prefix.empty() || text.substr(0, prefix.size()) != prefix) return false;
  text = internal::trim(text.substr(prefix.size()));
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (suffix.empty() || text.size() < suffix.size() || text.substr(text.size() - suffix.size()) != suffix) return false;
  text = internal::trim(text.substr(0, text.size() - suffix.size()));
  return true;
}

std::string_view currency_of(std::string_view text) {
  for (const std::string_view symbol : currencies) {
    if (text.find(symbol) != std::string_view::npos) return symbol;
  }
  return {};
}

// A dash for no cents: 13.- or 13,- of this sign of decimals.
bool ends_in_no_cents(std::string_view text, char decimal) {
  return text.size() > 2 && text.back() == '-' && text[text.size() - 2] == decimal && digit(text[text.size() - 3]);
}

// A minus behind the digits, as SAP and others write it.
bool ends_in_minus(std::string_view text) {
  if (ends_in_no_cents(text, '.') || ends_in_no_cents(text, ',')) return false;
  return text.size() > 1 && (text.back() == '-' || text.substr(1).ends_with("\xE2\x88\x92"));
}

// Without a currency behind it: "5- EUR".
std::string_view without_currency(std::string_view text) {
  take_suffix(text, currency_of(text));
  return text;
}

// No-break spaces (U+00A0, U+202F) as plain ones.
std::string_view plain_spaces(std::string_view text, std::string& scratch) {
  if (text.find('\xC2') == std::string_view::npos && text.find('\xE2') == std::string_view::npos) return text;
  scratch.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\xC2\xA0") {
      scratch += ' ';
      i += 1;
    } else if (text.substr(i, 3) == "\xE2\x80\xAF") {
      scratch += ' ';
      i += 2;
    } else {
      scratch += text[i];
    }
  }
  return scratch;
}

// What a value shows of a number's form, beside its digits.
struct Shown {
  bool currency = false, percent = false, parentheses = false, group = false, decimal = false;
  bool zero = false, leading_zero = false;  // the whole part is 0; starts with a 0 it does not need
  std::size_t whole_digits = 0, decimals = 0;
};

// Digits, grouped by threes where there is a group sign, a decimal sign and more digits; with sign, currency, percent.
Parsed read_number(std::string_view text, const NumberFormat& format, double& value, Shown& shown) {
  std::string spaces;
  text = internal::trim(plain_spaces(text, spaces));
  shown = Shown();
  bool negative = false, sign = false;
  if (format.parentheses && text.size() > 2 && text.front() == '(' && text.back() == ')') {
    text = internal::trim(text.substr(1, text.size() - 2));
    negative = sign = shown.parentheses = true;
  }
  const auto take_sign = [&] {
    if (sign) return;
    const char taken = internal::take_sign(text);
    sign = taken != '\0';
    negative = taken == '-';
    text = internal::trim(text);
  };
  const auto take_trailing_minus = [&] {
    if (sign || !format.trailing_minus || !ends_in_minus(text)) return;
    text = internal::trim(text.substr(0, text.size() - (text.back() == '-' ? 1 : 3)));
    sign = negative = true;
  };
  take_sign();
  take_trailing_minus();
  const bool code = !format.currency.empty() && format.currency.back() >= 'A' && format.currency.back() <= 'Z';
  const bool apart = text.size() > format.currency.size() && text[format.currency.size()] == ' ';
  if ((!code || apart) && take_prefix(text, format.currency)) {  // CAD-1001 is the name of something
    shown.currency = true;
    take_sign();
  }
  shown.percent = format.percent && take_suffix(text, "%");
  if (shown.percent != format.percent) return Parsed::no;
  if (!shown.currency) shown.currency = take_suffix(text, format.currency);
  take_trailing_minus();  // 5- EUR
  if (ends_in_no_cents(text, format.decimal)) text.remove_suffix(1);

  std::string plain;
  std::size_t i = 0, run = 0, groups = 0;
  for (; i < text.size() && (digit(text[i]) || (format.group != '\0' && text[i] == format.group)); ++i) {
    if (digit(text[i])) {
      plain += text[i];
      ++run;
      continue;
    }
    const std::size_t most = format.indian ? 2 : 3;  // the last group has three in any case
    if (run == 0 || run > most || (groups > 0 && run != most)) return Parsed::no;
    ++groups;
    run = 0;
  }
  if (groups > 0 && (run != 3 || plain.front() == '0')) return Parsed::no;
  shown.group = groups > 0;
  shown.whole_digits = plain.size();
  shown.zero = plain == "0";
  shown.leading_zero = plain.size() > 1 && plain.front() == '0';
  if (i < text.size() && text[i] == format.decimal) {
    shown.decimal = true;
    plain += '.';
    for (++i; i < text.size() && digit(text[i]); ++i) {
      plain += text[i];
      ++shown.decimals;
    }
  }
  if (shown.whole_digits + shown.decimals == 0) return Parsed::no;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E') && groups == 0) plain += text.substr(i);
  if (i < text.size() && plain.find_first_of("eE") == std::string::npos) return Parsed::no;
  const Parsed parsed = internal::parse_f64(plain, value);
  if (parsed != Parsed::ok) return parsed;
  if (negative) value = -value;
  if (format.percent) value /= 100;
  return Parsed::ok;
}

bool take_number(std::string_view& text, std::size_t least, std::size_t most, int& value) {
  std::size_t count = 0;
  value = 0;
  while (count < most && count < text.size() && digit(text[count])) value = value * 10 + (text[count++] - '0');
  if (count < least) return false;
  text.remove_prefix(count);
  return true;
}

bool take_month(std::string_view& text, int& month) {
  std::size_t count = 0;
  while (count < text.size() && ((text[count] | 0x20) >= 'a' && (text[count] | 0x20) <= 'z')) ++count;
  const std::string word = internal::lower(text.substr(0, count));
  for (std::size_t m = 0; m < std::size(months); ++m) {
    if (word == months[m] || word == months[m].substr(0, 3) || (m == 8 && word == "sept")) {
      month = static_cast<int>(m) + 1;
      text.remove_prefix(count);
      if (!text.empty() && text.front() == '.') text.remove_prefix(1);
      return true;
    }
  }
  return false;
}

void skip_blanks(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// A time of day with one or two digits of the hour, or am and pm.
std::optional<std::int64_t> read_clock(std::string_view text) {
  constexpr std::int64_t hour = std::int64_t{3600} * 1'000'000;
  std::string padded;
  if (text.size() > 1 && digit(text[0]) && text[1] == ':') padded = "0";
  padded += text;
  const std::string end = padded.size() > 2 ? internal::lower(std::string_view(padded).substr(padded.size() - 2)) : "";
  if (end != "am" && end != "pm") return internal::parse_time(padded);
  const std::string_view clock = internal::trim(std::string_view(padded).substr(0, padded.size() - 2));
  if (clock.find_first_not_of("0123456789:.") != std::string_view::npos) return std::nullopt;
  const auto time = internal::parse_time(clock);
  if (!time || *time < hour || *time >= 13 * hour) return std::nullopt;
  return *time % (12 * hour) + (end == "pm" ? 12 * hour : 0);
}

bool of_two_digit_years(DateFormat format) { return format >= DateFormat::ymd2; }

std::optional<std::int64_t> read_date(std::string_view text, DateFormat format) {
  text = internal::trim(text);
  if (format == DateFormat::iso) return internal::parse_iso(text);
  int year = 0, month = 0, day = 0;
  const std::size_t digits = of_two_digit_years(format) ? 2 : 4;
  const auto numbers = [&](int& first, std::size_t first_least, std::size_t first_most, int& second, int& third,
                           std::size_t third_least, std::size_t third_most) {
    if (!take_number(text, first_least, first_most, first) || text.empty()) return false;
    const char sign = text.front();
    if (sign != '/' && sign != '-' && sign != '.') return false;
    text.remove_prefix(1);
    if (!take_number(text, 1, 2, second) || text.empty() || text.front() != sign) return false;
    text.remove_prefix(1);
    return take_number(text, third_least, third_most, third);
  };
  bool found = false;
  switch (format) {
    case DateFormat::iso:
      break;
    case DateFormat::ymd:
      if (text.size() >= 8 && text.substr(0, 8).find_first_not_of("0123456789") == std::string_view::npos) {
        found = take_number(text, 4, 4, year) && take_number(text, 2, 2, month) && take_number(text, 2, 2, day);
      } else {
        found = numbers(year, 4, 4, month, day, 1, 2);
      }
      break;
    case DateFormat::ymd2:  // 15.4.1 is a version
      found = text.find('.') > 2 && numbers(year, 2, 2, month, day, 2, 2);
      break;
    case DateFormat::dmy:
    case DateFormat::dmy2:
      found = numbers(day, 1, 2, month, year, digits, digits);
      break;
    case DateFormat::mdy:
    case DateFormat::mdy2:
      found = numbers(month, 1, 2, day, year, digits, digits);
      break;
    case DateFormat::d_mon:
    case DateFormat::d_mon2: {
      const auto separator = [&] {
        if (!text.empty() &&
            (text.front() == '-' || text.front() == '/' || text.front() == '.' || text.front() == ',')) {
          text.remove_prefix(1);
        }
        skip_blanks(text);
      };
      found = take_number(text, 1, 2, day);
      separator();
      found = found && take_month(text, month);
      separator();
      found = found && take_number(text, digits, digits, year);
      break;
    }
    case DateFormat::mon_d:
      found = take_month(text, month);
      skip_blanks(text);
      found = found && take_number(text, 1, 2, day);
      if (!text.empty() && text.front() == ',') text.remove_prefix(1);
      skip_blanks(text);
      found = found && take_number(text, 4, 4, year);
      break;
    case DateFormat::ym:
      found = take_number(text, 4, 4, year) && !text.empty() && (text.front() == '-' || text.front() == '/');
      if (found) text.remove_prefix(1);
      found = found && take_number(text, 2, 2, month) && text.empty();
      day = 1;
      break;
  }
  if (!found) return std::nullopt;
  if (of_two_digit_years(format)) year += year < 69 ? 2000 : 1900;
  const auto date = internal::date_microseconds(year, month, day);
  if (!date || text.empty()) return date;
  if (text.front() == ',') text.remove_prefix(1);
  if (text.empty() || (text.front() != ' ' && text.front() != 'T')) return std::nullopt;
  text.remove_prefix(1);
  const auto time = read_clock(internal::trim(text));
  if (!time || !internal::has_year(*date + *time)) return std::nullopt;
  return *date + *time;
}

// Whether a word is one of the pair.
bool of_pair(std::string_view text, BooleanFormat format) {
  const std::string word = internal::lower(internal::trim(text));
  const std::string_view pair = boolean_names[static_cast<std::size_t>(format)].substr(8);
  const std::size_t slash = pair.find('/');
  const std::string_view left = pair.substr(0, slash), right = pair.substr(slash + 1);
  return word == left || word == right;
}

bool is_text(const Column& column) {
  return column.type() == ColumnType::string || column.type() == ColumnType::categorical;
}

// Calls `see(text)` for each value that is not blank until it returns false; true when it saw one and never did.
template <class See>
bool each_value(const Column& column, See see) {
  bool any = false;
  if (!is_text(column)) return false;
  std::vector<bool> seen(column.type() == ColumnType::categorical ? column.levels().size() : 0);
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) continue;
    if (!seen.empty()) {  // each level once
      const auto code = static_cast<std::size_t>(column.code(i));
      if (seen[code]) continue;
      seen[code] = true;
    }
    const std::string_view text = internal::trim(column.string(i));
    if (text.empty()) continue;
    any = true;
    if (!see(text)) return false;
  }
  return any;
}

[[noreturn]] TERN_COLD void fail_type(const Column& column, std::string_view format) {
  throw DTypeError("[apply_format] expected a text column for " + std::string(format) + ", got " +
                   std::string(to_string(column.type())));
}

[[noreturn]] TERN_COLD void misfit(const Column& column, std::int64_t row, const std::string& format, bool too_large) {
  DataLocation location;
  location.row = row;
  throw DataError("apply_format",
                  "expected " + value_in_words(format_type(format), format) + ", got " +
                      (too_large ? "a number too large: " : "") + internal::shown(column.string(row)),
                  std::move(location));
}

[[noreturn]] TERN_COLD void ambiguous(std::string_view name, std::string_view value, const std::string& message,
                                      const std::string& types) {
  DataLocation location;
  location.column = name;
  throw DataError("detect_format",
                  message + ", got " + internal::shown(value) + " and none that decides; tell the type " + types,
                  std::move(location));
}

// `add(builder, row)` appends the value of a row.
template <class Add>
Column convert(const Column& column, ColumnType type, const std::string& format, Add add) {
  if (column.type() == type) return column;
  if (!is_text(column)) fail_type(column, format);
  ColumnBuilder builder(type);
  builder.reserve(column.size());
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i) || internal::trim(column.string(i)).empty()) {
      builder.add_null();
    } else {
      add(builder, i);
    }
  }
  return builder.finish();
}

template <std::size_t N>
std::size_t position(const std::string_view (&names)[N], std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return i;
  }
  std::string list;
  for (const std::string_view known : names) list += (list.empty() ? "" : ", ") + std::string(known);
  throw ValueError("[format] expected one of " + list + ", got " + internal::shown(name));
}

std::string_view kind(std::string_view name) { return name.substr(0, name.find(':')); }

}  // namespace

std::string to_string(const NumberFormat& format) {
  std::string name = format.decimal == ',' ? "number:comma" : "number:point";
  if (format.group == ' ') {
    name += "+space";
  } else if (format.group == '\'') {
    name += "+apostrophe";
  } else if (format.group != '\0') {
    name += format.indian ? "+indian" : "+group";
  }
  if (format.percent) name += "+percent";
  if (format.parentheses) name += "+parentheses";
  if (format.trailing_minus) name += "+trailing-minus";
  return format.currency.empty() ? name : name + "+" + format.currency;
}

std::string to_string(DateFormat format) { return std::string(date_names[static_cast<std::size_t>(format)]); }

std::string to_string(BooleanFormat format) { return std::string(boolean_names[static_cast<std::size_t>(format)]); }

NumberFormat parse_number_format(std::string_view name) {
  NumberFormat format;
  std::string_view rest = name;
  const auto next = [&rest] {
    const std::size_t end = rest.find('+');
    const std::string_view part = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return part;
  };
  const std::string_view head = next();
  bool known = head == "number:point" || head == "number:comma";
  if (head == "number:comma") format.decimal = ',';
  while (known && !rest.empty()) {
    const std::string_view part = next();
    bool currency = false;
    for (const std::string_view symbol : currencies) currency = currency || part == symbol;
    if (currency) {
      format.currency = part;
    } else if (part == "group") {
      format.group = format.decimal == ',' ? '.' : ',';
    } else if (part == "indian" && format.decimal == '.') {
      format.group = ',';
      format.indian = true;
    } else if (part == "space") {
      format.group = ' ';
    } else if (part == "apostrophe") {
      format.group = '\'';
    } else if (part == "percent") {
      format.percent = true;
    } else if (part == "parentheses") {
      format.parentheses = true;
    } else if (part == "trailing-minus") {
      format.trailing_minus = true;
    } else {
      known = false;
    }
  }
  if (!known || to_string(format) != name) {
    throw ValueError(
        "[format] expected number:point or number:comma, then +group, +indian (with a point), +space or +apostrophe, "
        "+percent, +parentheses, +trailing-minus and a currency, in this order, got " +
        internal::shown(name));
  }
  return format;
}

DateFormat parse_date_format(std::string_view name) { return static_cast<DateFormat>(position(date_names, name)); }

BooleanFormat parse_boolean_format(std::string_view name) {
  return static_cast<BooleanFormat>(position(boolean_names, name));
}

ColumnType format_type(std::string_view name) {
  if (kind(name) == "number") return parse_number_format(name), ColumnType::f64;
  if (kind(name) == "date") return parse_date_format(name), ColumnType::timestamp;
  if (kind(name) == "boolean") return parse_boolean_format(name), ColumnType::boolean;
  throw ValueError("[format] expected a name that begins with number:, date: or boolean:, got " +
                   internal::shown(name));
}

namespace {

std::string number_like(const NumberFormat& format) {
  std::string text = format.percent ? "12" : format.indian ? "1,23,456" : "1234";
  if (!format.percent && !format.indian && format.group != '\0') text.insert(1, 1, format.group);
  text += format.decimal + std::string(format.percent ? "5%" : "50");
  const std::string& currency = format.currency;
  const bool code = !currency.empty() && currency.back() >= 'A' && currency.back() <= 'Z';
  text = code ? text + " " + currency : currency + text;
  if (format.trailing_minus) text += '-';
  return format.parentheses ? "(" + text + ")" : text;
}

constexpr std::string_view dates_like[] = {"2024-01-31",  "2024/01/31",   "31/01/2024", "01/31/2024",
                                           "31 Jan 2024", "Jan 31, 2024", "2024-01",    "24-01-31",
                                           "31/01/24",    "01/31/24",     "31-Jan-24"};
static_assert(std::size(dates_like) == std::size(date_names));

}  // namespace

std::string value_in_words(ColumnType type, std::string_view format) {
  if (!format.empty()) type = format_type(format);
  switch (type) {
    case ColumnType::f64:
      return format.empty() ? "a number" : "a number written like " + number_like(parse_number_format(format));
    case ColumnType::i64:
      return "a whole number";
    case ColumnType::boolean:
      if (const std::size_t slash = format.find('/'); slash != std::string_view::npos) {
        return std::string(format.substr(8, slash - 8)) + " or " + std::string(format.substr(slash + 1));
      }
      return "true or false";
    case ColumnType::timestamp:
      if (format.empty()) return "a date or time written like 2024-01-31 or 2024-01-31T12:00:00Z";
      return "a date written like " + std::string(dates_like[position(date_names, format)]);
    case ColumnType::string:
    case ColumnType::categorical:
      break;
  }
  return "text";
}

std::optional<NumberFormat> detect_numbers(const Column& column, std::string_view name) {
  NumberFormat common;
  bool first = true;
  const bool dressed = each_value(column, [&](std::string_view text) {
    if (text.find_first_of("0123456789") == std::string_view::npos) return false;
    if (const std::string_view symbol = currency_of(text); !symbol.empty()) {
      if (!common.currency.empty() && common.currency != symbol) return false;
      common.currency = symbol;
    }
    const bool percent = text.find('%') != std::string_view::npos;
    if (!first && percent != common.percent) return false;
    common.percent = percent;
    if (text.front() == '(') common.parentheses = true;
    if (ends_in_minus(without_currency(text))) common.trailing_minus = true;
    first = false;
    return true;
  });
  if (!dressed) return std::nullopt;
  struct Candidate {
    NumberFormat format;
    bool fits = true, group = false, decimal = false, three = true;
    std::string_view value{};
  };
  std::array<Candidate, std::size(number_signs)> candidates{};
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    candidates[k].format = common;
    candidates[k].format.decimal = number_signs[k].decimal;
    candidates[k].format.group = number_signs[k].group;
    candidates[k].format.indian = number_signs[k].indian;
  }
  const bool fits = each_value(column, [&](std::string_view text) {
    bool any = false;
    for (Candidate& candidate : candidates) {
      if (!candidate.fits) continue;
      double value = 0;
      Shown shown;
      candidate.fits = read_number(text, candidate.format, value, shown) == Parsed::ok && !shown.leading_zero;
      any = any || candidate.fits;
      candidate.group = candidate.group || shown.group;
      if (!shown.decimal) continue;
      candidate.decimal = true;
      candidate.value = text;
      if (shown.decimals != 3 || shown.whole_digits == 0 || shown.whole_digits > 3 || shown.zero) {
        candidate.three = false;
      }
    }
    return any;
  });
  if (!fits) return std::nullopt;
  for (const Candidate& candidate : candidates) {
    if (!candidate.fits) continue;
    const NumberFormat& format = candidate.format;
    const bool sign = !format.currency.empty() || format.percent || format.parentheses || format.trailing_minus ||
                      candidate.group || (format.decimal == ',' && candidate.decimal);
    if (!sign) return std::nullopt;  // plain numbers
    if (format.decimal == '.' && format.group == '\0' && !format.currency.empty() && candidate.decimal &&
        candidate.three) {
      NumberFormat other = format;
      other.decimal = ',';
      other.group = '.';
      ambiguous(name, candidate.value, "expected amounts whose point is a decimal or a thousands sign",
                to_string(format) + " or " + to_string(other));
    }
    return format;
  }
  return std::nullopt;
}

std::string internal::with_decimal_commas(const Column& column, std::string_view name) {
  if (kind(name) != "number") return {};
  NumberFormat format = parse_number_format(name);
  if (format.decimal != '.' || format.group != ',') return {};
  format.decimal = ',';
  format.group = '\0';
  format.indian = false;
  const bool fits = each_value(column, [&](std::string_view text) {
    double value = 0;
    Shown shown;
    return read_number(text, format, value, shown) == Parsed::ok && !shown.leading_zero;
  });
  return fits ? to_string(format) : std::string();
}

bool internal::has_written_form(std::string_view text) {
  text = trim(text);
  if (text.find_first_of("0123456789") == std::string_view::npos) return false;
  NumberFormat format;
  format.currency = currency_of(text);
  format.percent = text.back() == '%';
  format.parentheses = text.front() == '(';
  format.trailing_minus = ends_in_minus(without_currency(text));
  for (const auto& [decimal, group, indian] : number_signs) {
    format.decimal = decimal;
    format.group = group;
    format.indian = indian;
    double value = 0;
    Shown shown;
    if (read_number(text, format, value, shown) == Parsed::ok && !shown.leading_zero) return true;
  }
  for (std::size_t k = 0; k < std::size(date_names); ++k) {
    if (read_date(text, static_cast<DateFormat>(k))) return true;
  }
  return false;
}

bool internal::may_have_the_month_first(const Column& column) {
  return each_value(column, [](std::string_view text) { return read_date(text, DateFormat::mdy).has_value(); });
}

bool internal::spans_two_years(std::string_view text) {
  if (text.size() != 7 || !read_date(text, DateFormat::ym)) return false;
  const int year = (text[2] - '0') * 10 + (text[3] - '0'), next = (text[5] - '0') * 10 + (text[6] - '0');
  return next == (year + 1) % 100;
}

std::optional<DateFormat> detect_dates(const Column& column, std::string_view name) {
  constexpr std::size_t count = std::size(date_names);
  std::array<bool, count> fits{};
  fits.fill(true);
  std::string_view sample;
  bool dots = true;     // each value parts day, month and year by dots
  bool seasons = true;  // each month may be the year after: 2010-11
  const bool dated = internal::named_like_date(std::string(name));
  const bool any = each_value(column, [&](std::string_view text) {
    bool one = false;
    dots = dots && text.find_first_not_of("0123456789") == text.find('.');
    seasons = seasons && internal::spans_two_years(text);
    const bool number = text.find_first_not_of("0123456789") == std::string_view::npos;
    for (std::size_t k = 0; k < count; ++k) {
      fits[k] = fits[k] && (dated || !number) && read_date(text, static_cast<DateFormat>(k)).has_value();
      one = one || fits[k];
    }
    sample = text;
    return one;
  });
  if (!any || seasons) return std::nullopt;
  // Where dates are written with dots, the day stands first (DIN 1355-1 and its like); months that come first have
  // slashes or hyphens.
  if (dots && fits[static_cast<std::size_t>(DateFormat::dmy)]) return DateFormat::dmy;
  if (fits[static_cast<std::size_t>(DateFormat::dmy)] && fits[static_cast<std::size_t>(DateFormat::mdy)]) {
    ambiguous(name, sample, "expected dates that tell day from month",
              to_string(DateFormat::dmy) + " or " + to_string(DateFormat::mdy));
  }
  std::string types;
  for (std::size_t k = 0; k < count; ++k) {
    const auto format = static_cast<DateFormat>(k);
    if (!of_two_digit_years(format)) {
      if (fits[k]) return format;
      continue;
    }
    // Among many dates one may be none: 29/02/23.
    std::int64_t values = 0, others = 0;
    each_value(column, [&](std::string_view text) {
      others += !read_date(text, format);
      return ++values > 0;
    });
    if (others * 10 <= values) types += (types.empty() ? "" : " or ") + to_string(format);
  }
  ambiguous(name, sample, "expected dates whose year has four digits", types + " (years 1969 to 2068), or string");
}

std::optional<BooleanFormat> detect_booleans(const Column& column) {
  std::array<bool, std::size(boolean_names)> fits{};
  fits.fill(true);
  const bool any = each_value(column, [&](std::string_view text) {
    bool one = false;
    for (std::size_t k = 0; k < fits.size(); ++k) {
      fits[k] = fits[k] && of_pair(text, static_cast<BooleanFormat>(k));
      one = one || fits[k];
    }
    return one;
  });
  for (std::size_t k = 0; any && k < fits.size(); ++k) {
    if (fits[k]) return static_cast<BooleanFormat>(k);
  }
  return std::nullopt;
}

Column parse_numbers(const Column& column, const NumberFormat& format) {
  const std::string name = to_string(format);
  return convert(column, ColumnType::f64, name, [&](ColumnBuilder& builder, std::int64_t row) {
    double value = 0;
    Shown shown;
    const Parsed parsed = read_number(column.string(row), format, value, shown);
    if (parsed != Parsed::ok) misfit(column, row, name, parsed == Parsed::too_large);
    builder.add_f64(value);
  });
}

Column parse_dates(const Column& column, DateFormat format) {
  const std::string name = to_string(format);
  return convert(column, ColumnType::timestamp, name, [&](ColumnBuilder& builder, std::int64_t row) {
    const auto value = read_date(column.string(row), format);
    if (!value) misfit(column, row, name, false);
    builder.add_timestamp(*value);
  });
}

Column parse_booleans(const Column& column, BooleanFormat format) {
  const std::string name = to_string(format);
  return convert(column, ColumnType::boolean, name, [&](ColumnBuilder& builder, std::int64_t row) {
    const auto value = internal::parse_boolean(internal::trim(column.string(row)));
    if (!value) misfit(column, row, name, false);
    builder.add_boolean(*value);
  });
}

Column parse_known_booleans(const Column& column, BooleanFormat format) {
  return convert(column, ColumnType::boolean, to_string(format), [&](ColumnBuilder& builder, std::int64_t row) {
    if (const auto value = internal::parse_boolean(internal::trim(column.string(row)))) {
      builder.add_boolean(*value);
    } else {
      builder.add_null();
    }
  });
}

std::optional<std::string> detect_format(const Column& column, std::string_view name) {
  if (const auto format = detect_booleans(column)) return to_string(*format);
  if (const auto format = detect_numbers(column, name)) return to_string(*format);
  if (const auto format = detect_dates(column, name)) return to_string(*format);
  return std::nullopt;
}

namespace {
// Whether commas part thousands in each value that has one: the first behind one to three digits that no 0 leads, three
// digits behind each, no point before. A column of such alone has no decimal commas for sure.
bool commas_part_thousands(std::string_view text) {
  const std::size_t first = text.find(',');
  if (first == std::string_view::npos) return true;
  std::size_t begin = first;
  while (begin > 0 && digit(text[begin - 1])) --begin;
  if (begin == first || first - begin > 3 || text[begin] == '0' || text.substr(0, first).find('.') != text.npos) {
    return false;
  }
  for (std::size_t comma = first; comma < text.size() && text[comma] == ','; comma += 4) {
    for (std::size_t i = comma + 1; i < comma + 4; ++i) {
      if (i >= text.size() || !digit(text[i])) return false;
    }
    if (comma + 4 < text.size() && digit(text[comma + 4])) return false;
  }
  return true;
}
}  // namespace

std::optional<std::string> detect_format(const Table& table, std::string_view column) {
  auto format = detect_format(table.column(column), column);
  if (!format) return format;
  const std::string decimal = internal::with_decimal_commas(table.column(column), *format);
  if (decimal.empty()) return format;
  for (const std::string& other : table.names()) {
    if (other == column || table.column(other).type() != ColumnType::string) continue;
    if (each_value(table.column(other), commas_part_thousands)) continue;  // looked at for every column: be quick
    try {
      const auto written = detect_numbers(table.column(other), other);
      if (written && written->decimal == ',') return decimal;
    } catch (const DataError&) {  // it decides nothing
    }
  }
  return format;
}

Column apply_format(const Column& column, std::string_view format) {
  if (kind(format) == "number") return parse_numbers(column, parse_number_format(format));
  if (kind(format) == "boolean") return parse_booleans(column, parse_boolean_format(format));
  return parse_dates(column, parse_date_format(format));
}

void apply_format(Table& table, std::string_view column, std::string_view format) {
  try {
    table.replace(column, apply_format(table[column], format));
  } catch (const DataError& error) {
    if (error.row() < 0) throw;
    throw DataError("apply_format", error.message(), table.location(error.row(), column));
  }
}

std::vector<std::pair<std::string, std::string>> detect_formats(const Table& table) {
  std::vector<std::pair<std::string, std::string>> formats;
  for (const std::string& name : table.names()) {
    if (auto format = detect_format(table, name)) formats.emplace_back(name, std::move(*format));
  }
  return formats;
}

}  // namespace tern::data
