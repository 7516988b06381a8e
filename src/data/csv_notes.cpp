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

constexpr std::size_t most_words = 3;     // that are named, and that may stand in more than a tenth of the rows
constexpr std::int64_t many_values = 10;  // different ones, from which on numbers are no mere names of levels

// The values that do not fit what others are.
struct Misfits {
  std::int64_t count = 0;
  std::vector<std::pair<std::string_view, std::int64_t>> words{};  // the first few, with the first row of each
  bool many = false;  // so many that the column is something else; the rest was not looked at
};

// They are few where they are one in ten, or half and always the same few words among many values.
template <class Fits>
Misfits misfits_of(const Column& column, Fits fits) {
  const std::int64_t values = column.size() - column.null_count();
  Misfits found;
  bool more_words = false;
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
        more_words = true;
      }
    }
    found.many = found.count > (more_words ? values / 10 : values / 2);
  }
  found.many = found.many || (found.count > values / 10 && static_cast<std::int64_t>(fitting.size()) < many_values);
  return found;
}

bool plain_number(std::string_view text) {
  double number = 0;
  return parse_f64(text, number) == Parsed::ok && !leading_zero(text);
}

bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

// The written form of numbers or dates that the values with a digit have, or the two between which nothing decides.
std::optional<std::string> form_of_digits(const Column& column) {
  std::vector<std::string> values(static_cast<std::size_t>(column.size()));
  std::vector<bool> valid(values.size());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (column.is_null(row) || !has_digit(column.string(row))) continue;
    values[at] = column.string(row);
    valid[at] = true;
  }
  try {
    return detect_format(Column::from_strings(values, valid));
  } catch (const DataError& error) {
    constexpr std::string_view before = "tell the type ";
    const std::string message = error.what();
    const std::size_t at = message.find(before);
    return at == std::string::npos ? std::nullopt : std::optional(message.substr(at + before.size()));
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

// 31/12/24, 1.2.24: day, month and a year of two digits in some order.
bool short_date(std::string_view text) {
  std::size_t parts = 0;
  char sign = '\0';
  while (parts < 3) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
    if (digits == 0 || digits > 2) return false;
    text.remove_prefix(digits);
    if (++parts == 3) return digits == 2 && (text.empty() || text.front() == ' ');
    if (text.empty() || (text.front() != '/' && text.front() != '.' && text.front() != '-')) return false;
    if (sign != '\0' && text.front() != sign) return false;
    sign = text.front();
    text.remove_prefix(1);
  }
  return false;
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
    note += (k ? ", " : "") + example(table, name, found.words[k].second);
  }
  return note + "; told as missing words they are missing values, the type " + type + " refuses them";
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

std::string note_on_short_dates(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (misfits_of(column, short_date).many) return {};
  std::int64_t row = 0;
  while (!short_date(trim(column.string(row)))) ++row;
  return "dates whose year has two digits, such as " + example(table, name, row) +
         ", kept as text; with four digits they are read as dates";
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
  return "numbers or dates in more than one written form, such as " + example(table, name, first) +
         (other < 0 ? "" : " and " + example(table, name, other)) +
         ", kept as text; where all have one form they are read as what they are";
}

}  // namespace

std::string note_on_text(const Table& table, const std::string& name) {
  const Column& column = table.column(name);
  if (column.null_count() == column.size()) return {};
  const Misfits words = misfits_of(column, plain_number);
  if (!words.many) return words.count == 0 ? "" : note_on_words(table, name, words, "numbers", "number");
  const Misfits others = misfits_of(column, has_digit);
  if (others.many) return {};
  if (const std::optional<std::string> form = form_of_digits(column)) {
    return others.count == 0 ? "" : note_on_words(table, name, others, "written as " + *form, *form);
  }
  std::string note = note_on_units(table, name);
  if (note.empty()) note = note_on_short_dates(table, name);
  return note.empty() ? note_on_forms(table, name) : note;
}

}  // namespace tern::data::internal
