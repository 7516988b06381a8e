#include "data/csv_infer.h"

#include <algorithm>
#include <cmath>

#include "data/scalar.h"

namespace tern::data::internal {

MissingWords::MissingWords(const std::vector<std::string>& words) {
  for (const std::string& listed : words) {
    const std::string word(trim(listed));
    if (word.empty()) {
      blank_ = true;
      continue;
    }
    if (word.size() >= by_length_.size()) by_length_.resize(word.size() + 1);
    by_length_[word.size()].push_back(word);
    first_[static_cast<unsigned char>(word.front())] = true;
  }
}

std::vector<std::string> missing_words(const CsvOptions& options) {
  std::vector<std::string> words = options.schema.columns.empty() ? options.missing : options.schema.missing;
  const auto add = [&](const std::string& word) {
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  };
  for (const std::string& word : options.more_missing) {
    add(word);
    const std::string_view digits = std::string_view(word).substr(word.starts_with('-') ? 1 : 0);
    if (!digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos) add(word + ".0");
  }
  return words;
}

bool leading_zero(std::string_view text) {
  take_sign(text);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

// Groups of three digits behind a first one of up to three that does not start with 0.
static bool parts_thousands(std::string_view text) {
  take_sign(text);
  const std::size_t first = text.find('.');
  if (first == 0 || first > 3 || text[0] == '0' || (text.size() - first) % 4 != 0) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator = i >= first && (i - first) % 4 == 0;
    if (separator ? text[i] != '.' : text[i] < '0' || text[i] > '9') return false;
  }
  return true;
}

// 20240131, 99991231: no such number is likely to be anything else when all of a column are such.
static bool day_of_digits(std::string_view text) {
  std::int64_t number = 0;
  if (text.size() != 8 || parse_i64(text, number) != Parsed::ok) return false;
  const int year = static_cast<int>(number / 10000);
  return ((year >= 1900 && year <= 2100) || year == 9999) &&
         date_microseconds(year, static_cast<int>(number / 100 % 100), static_cast<int>(number % 100)).has_value();
}

void Inference::add(std::string_view text, std::int64_t row) {
  ++values;
  if (number) {
    std::int64_t integer = 0;
    double real = 0;
    const Parsed as_integer = whole ? parse_i64(text, integer) : Parsed::no;
    if (as_integer == Parsed::too_large) {
      ++long_values;
      if (first_long < 0) first_long = row;
    }
    const Parsed as_real = as_integer == Parsed::ok ? Parsed::ok : parse_f64(text, real);
    if (as_real == Parsed::too_large && too_large < 0) too_large = row;
    if (as_integer == Parsed::no) {
      whole = false;
      if (as_real == Parsed::no) number = false;
      if (text.find('.') != std::string_view::npos) {
        point = true;
        thousands = thousands && parts_thousands(text);
      } else if (text.find_first_of("eE") != std::string_view::npos) {
        thousands = false;
      }
      if (as_real == Parsed::ok && std::isinf(real) && infinite < 0) infinite = row;
    }
    if (leading_zero(text)) zeros = true;
  }
  if (days && !day_of_digits(text)) days = false;
  if (boolean && !parse_true_false(text)) boolean = false;
  if (timestamp && !parse_iso(text)) timestamp = false;
}

void Inference::merge(const Inference& later) {
  values += later.values;
  boolean = boolean && later.boolean;
  timestamp = timestamp && later.timestamp;
  number = number && later.number;
  whole = whole && later.whole;
  days = days && later.days;
  zeros = zeros || later.zeros;
  point = point || later.point;
  thousands = thousands && later.thousands;
  long_values += later.long_values;
  if (first_long < 0) first_long = later.first_long;
  if (too_large < 0) too_large = later.too_large;
  if (infinite < 0) infinite = later.infinite;
}

ColumnType Inference::type(std::string& note) const {
  if (values == 0) {
    note = "no value; read as a number";
    return ColumnType::f64;
  }
  if (number && zeros) {
    note = "numbers with leading zeros, kept as text";
    return ColumnType::string;
  }
  if (number && whole && long_values > 0) {
    if (10 * long_values < 9 * values) return ColumnType::f64;
    note = "whole numbers beyond 64 bits, kept as text";
    return ColumnType::string;
  }
  if (number && point && thousands) {
    note =
        "every point has three digits behind it; read as decimal points. Where points part thousands, tell the type "
        "number:comma+group";
  }
  if (number) return whole ? ColumnType::i64 : ColumnType::f64;
  if (boolean) return ColumnType::boolean;
  return timestamp ? ColumnType::timestamp : ColumnType::string;
}

}  // namespace tern::data::internal
