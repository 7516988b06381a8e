#include "tern/data/sentinels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>

#include "data/scalar.h"

namespace tern::data {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::int64_t least_rows = 5;
constexpr std::size_t least_others = 10;

// 99, 9999, 99.9, 999.99
bool all_nines(double value) {
  for (const double scale : {1.0, 10.0, 100.0}) {
    const double next = std::round(value * scale) + 1;
    if (std::fabs(value * scale + 1 - next) > 1e-6) continue;
    for (double power = 100; power <= 1e12; power *= 10) {
      if (next == power) return true;
    }
  }
  return false;
}

bool number_for_missing(double value) {
  return value == -1 || value == -9 || all_nines(std::fabs(value)) ||
         value == std::numeric_limits<std::int32_t>::max() || value == std::numeric_limits<std::int32_t>::min();
}

// Days at which calendars and clocks of software begin, and those from which on "never" is meant.
bool time_for_missing(double microseconds) {
  constexpr double day = 86'400e6;
  const double days = std::floor(microseconds / day);
  const auto from = [](int year, int month, int day_of_month) {
    return static_cast<double>(*internal::date_microseconds(year, month, day_of_month)) / day;
  };
  return days == 0 || days <= from(1800, 1, 1) || days == from(1899, 12, 30) || days == from(1899, 12, 31) ||
         days == from(1900, 1, 1) || days == from(1901, 1, 1) || days >= from(2099, 12, 31);
}

// Calls `see(value)` for each that is not null.
template <class See>
void each_number(const Column& column, See see) {
  const auto over = [&](const auto& values) {
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (!column.is_null(row)) see(static_cast<double>(values[static_cast<std::size_t>(row)]));
    }
  };
  column.type() == ColumnType::f64 ? over(column.f64_values()) : over(column.i64_values());
}

// Values between two bounds, which are not among them.
struct Range {
  double low = infinite, high = -infinite;
  std::int64_t rows = 0;
  std::set<double> few{};  // different ones, up to as many as are asked for
};

}  // namespace

std::vector<Sentinel> find_sentinels(const Column& column) {
  const bool time = column.type() == ColumnType::timestamp;
  if (!time && column.type() != ColumnType::f64 && column.type() != ColumnType::i64) return {};
  double floor = -infinite, ceiling = infinite;
  const auto range = [&] {
    Range all;
    each_number(column, [&](double value) {
      if (!(value > floor && value < ceiling)) return;
      ++all.rows;
      all.low = std::min(all.low, value);
      all.high = std::max(all.high, value);
    });
    return all;
  };
  const auto others_than = [&](double end) {
    Range others;
    each_number(column, [&](double value) {
      if (!(value > floor && value < ceiling) || value == end) return;
      ++others.rows;
      others.low = std::min(others.low, value);
      others.high = std::max(others.high, value);
      if (others.few.size() < least_others) others.few.insert(value);
    });
    return others;
  };
  const auto text = [&](double value) {
    return (time ? Column::from_timestamps({static_cast<std::int64_t>(value)}) : Column::from_f64({value})).text(0);
  };
  std::vector<Sentinel> found;
  constexpr std::size_t most = 4;
  for (bool again = true; again && found.size() < most;) {
    again = false;
    const Range all = range();
    for (const double end : {all.low, all.high}) {
      if (all.rows == 0 || !(time ? time_for_missing(end) : number_for_missing(end))) continue;
      const Range others = others_than(end);
      Sentinel sentinel{.count = all.rows - others.rows};
      const double span = others.high - others.low;
      const double away = end < others.low ? others.low - end : end - others.high;
      const bool alone_below = !time && end < 0 && others.low >= 0;
      if (sentinel.count < least_rows || sentinel.count * 100 < all.rows) continue;
      const bool far = away * 2 > span || alone_below, very_far = away > 10 * span && span > 0;
      if (!very_far && !(far && others.few.size() >= least_others)) continue;
      while (column.is_null(sentinel.row) || column.numeric(sentinel.row) != end) ++sentinel.row;
      sentinel.low = text(others.low);
      sentinel.high = text(others.high);
      found.push_back(std::move(sentinel));
      (end == all.low ? floor : ceiling) = end;
      again = true;
      break;
    }
  }
  return found;
}

std::string describe(const Sentinel& sentinel, const std::string& word, std::int64_t values) {
  return internal::shown(word) + " is " + std::to_string(sentinel.count) + " of " + std::to_string(values) +
         " values, and the others are " + sentinel.low + " to " + sentinel.high +
         ": read as it stands; if it means that there is none, it has to be told as a missing word";
}

}  // namespace tern::data
