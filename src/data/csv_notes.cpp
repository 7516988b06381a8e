#include "data/csv_notes.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "data/csv_infer.h"
#include "data/scalar.h"
#include "data/written_form.h"
#include "tern/base/error.h"
#include "tern/data/formats.h"

namespace tern::data::internal {
namespace {

constexpr std::size_t named_lines = 3;    // words that are told with a line
constexpr std::size_t most_words = 20;    // that are told at all
constexpr std::int64_t many_values = 10;  // different ones, from which on numbers are no mere names of levels

bool plain_number(std::string_view text) {
  double number = 0;
  return parse_f64(text, number) == Parsed::ok && !leading_zero(text);
}

bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

// The values that do not fit what others are.
struct Misfits {
  std::int64_t count = 0;
  std::vector<std::pair<std::string_view, std::int64_t>> words{};  // the first ones, with the first row of each
  bool more = false;                                               // there are further words
  bool many = false;  // so many that the column is something else; the rest was not looked at
};

// Three words may be anything; more of them are no levels if they have no digit, as "12B" has and "#DIV/0!" not.
bool of_few_words(const Misfits& found) {
  if (found.words.size() <= 3) return true;
  return !found.more && std::none_of(found.words.begin(), found.words.end(), [](const auto& word) {
    return word.first.front() != '#' && has_digit(word.first);
  });
}

// They are few where they are one in ten, or half and always the same few words among many values.
template <class Fits>
Misfits misfits_of(const Column& column, Fits fits) {
  const std::int64_t values = column.size() - column.null_count();
  Misfits found;
  std::unordered_set<std::string_view> fitting;
  for (std::int64_t row = 0; row < column.size() && !found.many; ++row) {
    if (column.is_null(row)) continue;
    const std::string_view text = trim(column.string(row));
    if (fits(text)) {
      if (static_cast<std::int64_t>(fitting.size()) < many_values) fitting.insert(text);
      continue;
    }
    ++found.count;
    const auto known = [&](const auto& one) { return one.first == text; };
    if (std::none_of(found.words.begin(), found.words.end(), known)) {
      if (found.words.size() < most_words) {
        found.words.emplace_back(text, row);
      } else {
        found.more = true;
      }
    }
    found.many = found.count > (of_few_words(found) ? values / 2 : values / 10);
  }
  found.many = found.many || (found.count > values / 10 && static_cast<std::int64_t>(fitting.size()) < many_values);
  return found;
}

// The written form of numbers or dates that the values which `counts(text)` have, or the two between which nothing
// decides.
template <class Counts>
std::optional<std::string> form_of(const Column& column, Counts counts) {
  std::vector<std::string> values(static_cast<std::size_t>(column.size()));
  std::vector<bool> valid(values.size());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (column.is_null(row) || !counts(trim(column.string(row)))) continue;
    values[at] = column.string(row);
    valid[at] = true;
  }
  try {
    return detect_format(Column::from_strings(values, valid));
  } catch (const DataError& error) {
    constexpr std::string_view before = "tell the type ";
    const std::string message = error.what();
    const std::size_t at = message.find(before);
    if (at == std::string::npos) return std::nullopt;
    return message.substr(at + before.size(), message.find(" (", at) - at - before.size());
  }
}

// "3 kg", "12.5%": a number and a word of letters behind it, which is cut off into `unit`.
bool number_with_unit(std::string_view text, std::string_view& unit) {
  const std::size_t last = text.find_last_of("0123456789");
  if (last == std::string_view::npos) return false;
  const std::string_view rest = trim(text.substr(last + 1));
  const auto of_a_unit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%' || c == '/' || (c & 0x80) != 0;
  };
  constexpr std::size_t longest = 12;
  if (rest.size() > longest || !std::all_of(rest.begin(), rest.end(), of_a_unit)) return false;
  if (rest.size() == 1 && rest[0] >= 'A' && rest[0] <= 'Z' && text[last + 1] == rest[0]) return false;  // flat 12B
  unit = rest;
  return has_written_form(text.substr(0, last + 1));
}

std::string example(const Table& table, const std::string& name, std::int64_t row) {
  return shown(trim(table.column(name).string(row))) + " (line " + std::to_string(table.location(row).line) + ")";
}

std::string note_on_words(const Table& table, const std::string& name, const Misfits& found, const std::string& what,
                          const std::string& type) {
  const Column& column = table.column(name);
  const std::int64_t values = column.size() - column.null_count();
  std::string note = std::to_string(values - found.count) + " of " + std::to_string(values) + " values are " + what +
                     ", kept as text for the others: ";
  for (std::size_t k = 0; k < found.words.size(); ++k) {
    const auto& [word, row] = found.words[k];
    note += (k ? ", " : "") + (k < named_lines ? example(table, name, row) : shown(word));
  }
  return note + (found.more ? ", …" : "") + "; told as missing words they are missing values, the type " + type +
         " refuses them";
}

// "written like 31/01/2024", or of which two forms nothing decides.
std::string written(const std::string& form) {
  if (form.find(" or ") != std::string::npos) return "written as " + form;
  const std::string words = value_in_words(ColumnType::string, form);
  return words.substr(words.find("written"));
}

bool percentage(std::string_view text) { return text.ends_with('%') && has_written_form(text); }

// Percentages beside numbers of which nobody knows whether they are percentages.
std::string note_on_percentages(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (misfits_of(column, has_written_form).many) return {};
  std::int64_t with = -1, without = -1;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const std::string_view text = column.is_null(row) ? std::string_view() : trim(column.string(row));
    if (with < 0 && percentage(text)) with = row;
    if (without < 0 && plain_number(text)) without = row;
  }
  if (with < 0 || without < 0) return {};
  return "percentages with and without their sign, such as " + example(table, name, with) + " and " +
         example(table, name, without) +
         ", kept as text: whether the latter are percent or fractions is not known; where all have the sign, or none, "
         "they are read as numbers";
}

// 9:40, 09:40:15, 125:03:10.5
bool clock(std::string_view text) {
  std::size_t colons = 0, digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      ++digits;
    } else if (c == ':' && digits > 0 && (colons == 0 ? digits <= 3 : digits == 2)) {
      ++colons;
      digits = 0;
    } else if (c == '.' && colons == 2 && digits == 2 && i + 1 < text.size()) {
      return text.find_first_not_of("0123456789", i + 1) == std::string_view::npos;
    } else {
      return false;
    }
  }
  return (colons == 1 || colons == 2) && digits == 2;
}

// "such as" the first value that is one, when few others are not.
template <class Is>
std::string first_example(const Table& table, const std::string& name, Is is) {
  const Column& column = table.column(name);
  if (misfits_of(column, is).many) return {};
  std::int64_t row = 0;
  while (!is(trim(column.string(row)))) ++row;  // a null is a blank text
  return ", such as " + example(table, name, row) + ", kept as text";
}

// What is said of values that all look like one thing.
std::string note_on_kinds(const Table& table, const std::string& name) {
  std::string such = first_example(table, name, clock);
  if (!such.empty()) {
    return "times of day or durations" + such + "; as a number of minutes or seconds they are read as numbers";
  }
  such = first_example(table, name, spans_two_years);
  if (such.empty()) return {};
  return "months or spans of two years" + such + "; the type date:ym reads months";
}

// Numbers of one to three units.
std::string note_on_units(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  constexpr std::size_t most_units = 3;
  std::unordered_set<std::string_view> units, values;
  std::int64_t with_unit = -1;  // a row
  const Misfits found = misfits_of(column, [&](std::string_view text) {
    std::string_view unit;
    if (units.size() > most_units || !number_with_unit(text, unit)) return false;
    if (static_cast<std::int64_t>(values.size()) <= many_values) values.insert(text);
    if (!unit.empty()) units.insert(unit);
    return true;
  });
  if (found.many || units.empty() || units.size() > most_units) return {};
  if (static_cast<std::int64_t>(values.size()) <= many_values) return {};  // levels, "12 months" and "24 months"
  std::string_view unit;
  for (std::int64_t row = 0; with_unit < 0; ++row) {
    if (column.is_null(row)) continue;
    if (number_with_unit(trim(column.string(row)), unit) && !unit.empty()) with_unit = row;
  }
  return "numbers with words beside them, such as " + example(table, name, with_unit) +
         ", kept as text; a number alone in each field, its unit in the header, is read as a number";
}

// Each value has a form of numbers or dates, but not all the same.
std::string note_on_forms(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (misfits_of(column, has_written_form).many) return {};
  std::int64_t first = 0, other = -1;
  while (!has_written_form(trim(column.string(first)))) ++first;  // a null is a blank text
  for (std::int64_t row = first + 1; row < column.size(); ++row) {
    if (!has_written_form(trim(column.string(row)))) continue;
    try {
      if (plain_number(trim(column.string(first))) && plain_number(trim(column.string(row)))) continue;
      if (detect_format(Column::from_strings({std::string(column.string(first)), std::string(column.string(row))}))) {
        continue;
      }
    } catch (const DataError&) {
      continue;  // of one form, though it is not known which
    }
    other = row;
    break;
  }
  if (other < 0) return {};
  return "numbers or dates in more than one written form, such as " + example(table, name, first) + " and " +
         example(table, name, other) + ", kept as text; where all have one form they are read as what they are";
}

// Numbers whose commas may part thousands or be decimal ones.
std::string note_on_commas(const Table& table, const std::string& name, std::string_view form) {
  const Column& column = table.column(name);
  const std::string decimal = with_decimal_commas(column, form);
  if (decimal.empty() || detect_format(table, name) != form) return {};
  std::int64_t row = 0;
  while (column.is_null(row) || column.string(row).find(',') == std::string_view::npos) ++row;
  return "every comma has three digits behind it, such as " + example(table, name, row) +
         "; read as commas between thousands. Where they are decimal ones, tell the type " + decimal;
}

std::string first_value(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  std::int64_t row = 0;
  while (column.is_null(row) || trim(column.string(row)).empty()) ++row;
  return example(table, name, row);
}

// Dates with dots, of which nothing says that the day is first.
std::string note_on_days(const Table& table, const std::string& name) {
  if (!may_have_the_month_first(table.column(name))) return {};
  return "dates such as " + first_value(table, name) +
         " are read with the day first. Where the month is, tell the type date:mdy";
}

}  // namespace

std::string note_on_text(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (column.null_count() == column.size()) return {};
  const Misfits words = misfits_of(column, plain_number);
  if (!words.many) return words.count == 0 ? "" : note_on_words(table, name, words, "numbers", "number");
  const Misfits others = misfits_of(column, has_digit);
  if (others.many) return {};
  if (const std::optional<std::string> form = form_of(column, has_digit)) {
    if (others.count > 0) return note_on_words(table, name, others, written(*form), *form);
    if (form->find(" or ") != std::string::npos || form->ends_with('2')) {  // date:dmy2
      return "values such as " + first_value(table, name) + " are text until a type is told: " + *form + " or string";
    }
    return *form == "date:dmy" ? note_on_days(table, name) : note_on_commas(table, name, *form);
  }
  const Misfits odd = misfits_of(column, has_written_form);  // 0000-00-00
  if (!odd.many && odd.count > 0) {
    if (const auto form = form_of(column, has_written_form)) {
      return note_on_words(table, name, odd, written(*form), *form);
    }
  }
  for (const auto& note : {note_on_percentages, note_on_kinds, note_on_units, note_on_forms}) {
    if (std::string said = note(table, name); !said.empty()) return said;
  }
  return {};
}

std::string guess_at_header(std::string_view line, const std::vector<std::string>& names, std::int64_t next) {
  if (lower(line.substr(0, 4)) == "sep=") {
    return "; the first line is one that Excel writes to name the delimiter, which is found without it: leave it out";
  }
  if (line.starts_with('#')) return "; the first line looks like a comment: leave it out";
  const auto filled = std::count_if(names.begin(), names.end(), [](const std::string& name) { return !name.empty(); });
  if (filled <= 1 && next > 1 && !names.empty() && !names[0].empty()) {
    return "; the first line looks like a title above the header: leave it out";
  }
  if (names.size() > 1 && filled + 1 == static_cast<std::ptrdiff_t>(names.size()) && names.back().empty()) {
    return "; if each line ends in a delimiter, leave that out";
  }
  return {};
}

}  // namespace tern::data::internal
