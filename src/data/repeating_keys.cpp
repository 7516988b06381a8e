#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/column_names.h"
#include "data/csv_infer.h"
#include "data/scalar.h"
#include "data/text_levels.h"
#include "data/written_form.h"
#include "tern/base/parallel.h"
#include "tern/data/roles.h"

// Columns that name what several rows are of. A name may tell; else only what no quantity or category shows: values
// that were drawn one by one, from whatever distribution, differ in how often they come at least as much as chance
// would have it, and leave out at least as many of the numbers between the smallest and the largest. Keys that were
// handed out in a row, or have each a fixed number of rows, do neither.
namespace tern::data {
namespace {

using internal::kFewRows;

// How often each value comes; of whole numbers, of text that ends in one behind the same letters, with the numbers.
struct Counts {
  std::vector<std::int64_t> rows{};
  std::vector<std::int64_t> numbers{};  // beside `rows`, or empty
  std::int64_t total = 0;
  std::vector<std::string_view> texts{};  // beside `rows`, or empty
  bool codes = false;                     // text that is the same letters and a number throughout: "K-00017"
};

constexpr double no_number = 9007199254740992;  // 2^53: from here on a double may be no whole number's own

std::optional<Counts> whole_numbers(const Column& column) {
  std::unordered_map<std::int64_t, std::int64_t> counts;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) continue;
    if (column.type() == ColumnType::i64) {
      ++counts[column.i64(i)];
    } else {
      const double value = column.f64(i);
      if (!(std::fabs(value) < no_number) || value != std::floor(value)) return std::nullopt;
      ++counts[static_cast<std::int64_t>(value)];
    }
  }
  Counts found;
  for (const auto& [number, rows] : counts) {
    found.rows.push_back(rows);
    found.numbers.push_back(number);
    found.total += rows;
  }
  return found;
}

// The whole number at the end of a text ("C0017" is 17), and where it begins.
bool number_at_end(std::string_view text, std::int64_t& number, std::size_t& begin) {
  constexpr std::size_t most_digits = 15;
  begin = text.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  if (begin == text.size() || text.size() - begin > most_digits) return false;
  return internal::parse_i64(text.substr(begin), number) == internal::Parsed::ok;
}

Counts text_counts(const Column& column) {
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) ++counts[internal::trim(column.string(i))];
  }
  Counts found;
  bool numbered = true;
  std::optional<std::string_view> prefix;
  for (const auto& [text, rows] : counts) {
    found.texts.push_back(text);
    found.rows.push_back(rows);
    found.total += rows;
    std::int64_t number = 0;
    std::size_t begin = 0;
    numbered = numbered && number_at_end(text, number, begin) && (!prefix || *prefix == text.substr(0, begin));
    if (numbered) {
      prefix = text.substr(0, begin);
      found.numbers.push_back(number);
    }
  }
  if (!numbered) found.numbers.clear();
  found.codes = numbered && prefix && !prefix->empty() && prefix->find(' ') == std::string_view::npos;
  return found;
}

// Text of which half is numbers, amounts or dates.
bool written_quantity(const Counts& found) {
  const std::size_t some = std::min<std::size_t>(found.texts.size(), 1000);  // tell of all
  std::size_t written = 0;
  for (std::size_t k = 0; k < some; ++k) written += internal::has_written_form(found.texts[k]);
  return some > 0 && written * 2 >= some;
}

double square(double x) { return x * x; }

constexpr double certain = 4;  // standard deviations

// Whether rows are spread over the values more evenly than by chance: against counts of a Poisson distribution without
// its zeros, of the same mean. Of values of unequal chances the counts differ more.
bool evenly_spread(const Counts& found) {
  const auto values = static_cast<double>(found.rows.size());
  const double mean = static_cast<double>(found.total) / values;
  double variance = 0;
  for (const std::int64_t rows : found.rows) variance += square(static_cast<double>(rows) - mean) / values;
  double low = 0, high = mean;  // the Poisson distribution's own mean, by bisection
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (middle / -std::expm1(-middle) < mean ? low : high) = middle;
  }
  const double ratio = variance / (mean * (1 + low - mean));
  return ratio <= 0.5 && (1 - ratio) * std::sqrt(values / (2 + 1 / low)) >= certain;
}

// Whether fewer of the whole numbers in the range are left out than where each row had drawn one of them, all alike; of
// unequal chances more would be (each is left out with probability (1 - p)^rows, which is convex in p).
bool handed_out_in_a_row(const Counts& found) {
  const auto [least, most] = std::minmax_element(found.numbers.begin(), found.numbers.end());
  const double range = static_cast<double>(*most) - static_cast<double>(*least) + 1;
  const double rows_each = static_cast<double>(found.total) / range, none = std::exp(-rows_each);
  const double expected = range * none, deviation = std::sqrt(range * none * (1 - (1 + rows_each) * none));
  const double left_out = range - static_cast<double>(found.numbers.size());
  return left_out <= expected / 2 && expected - left_out >= certain * deviation;
}

// Counts and amounts: most rows in the lowest tenth of the range.
bool piled_at_the_bottom(const Counts& found) {
  if (found.numbers.empty()) return false;
  const auto [least, most] = std::minmax_element(found.numbers.begin(), found.numbers.end());
  const double edge = static_cast<double>(*least) + (static_cast<double>(*most) - static_cast<double>(*least)) / 10;
  std::int64_t below = 0;
  for (std::size_t k = 0; k < found.numbers.size(); ++k) {
    if (static_cast<double>(found.numbers[k]) <= edge) below += found.rows[k];
  }
  return below * 2 > found.total;
}

// Why the column may be a key; empty where it is none.
std::string judge(const Column& column, const std::string& name, std::int64_t& values) {
  const ColumnType type = column.type();
  const bool text = type == ColumnType::string || type == ColumnType::categorical;
  if (!text && type != ColumnType::i64 && type != ColumnType::f64) return {};
  if (internal::named_like_index(name)) return {};
  const std::optional<Counts> counts = text ? text_counts(column) : whole_numbers(column);
  if (!counts) return {};
  const Counts& found = *counts;
  values = static_cast<std::int64_t>(found.rows.size());
  constexpr std::int64_t few_each = 10, many_each = 50, many_values = 50;
  if (values <= kFewRows || values == found.total || found.total > many_each * values) return {};
  if (found.total > few_each * values && values <= many_values) return {};
  if (internal::named_like_id(name)) return "named like an id";
  const bool often = found.total * 5 >= values * 6;
  if (often && internal::named_like_key(name) && !piled_at_the_bottom(found)) return "named like a key";
  if (found.total * 2 < values * 3 || internal::named_like_scale(name) || written_quantity(found)) return {};
  if (found.codes && found.total <= few_each * values) return "numbered codes of few rows each";
  if (evenly_spread(found)) return "each value has as many rows, or nearly";
  if (!found.numbers.empty() && handed_out_in_a_row(found)) return "hardly a number of the range is left out";
  return {};
}

}  // namespace

std::vector<RepeatingKey> find_repeating_keys(const Table& table, const RoleOptions& options) {
  std::vector<RepeatingKey> keys(static_cast<std::size_t>(table.width()));
  parallel_for(table.width(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      RepeatingKey& key = keys[static_cast<std::size_t>(c)];
      key.name = table.names()[static_cast<std::size_t>(c)];
      if (key.name == options.target || key.name == options.id) continue;
      key.reason = judge(table.column(c), key.name, key.values);
    }
  });
  std::erase_if(keys, [](const RepeatingKey& key) { return key.reason.empty(); });
  return keys;
}

}  // namespace tern::data
