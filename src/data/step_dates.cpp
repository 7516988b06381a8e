#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "data/step_base.h"

// Timestamps to numbers. Everything is UTC.
namespace tern::data {
namespace internal {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

struct Civil {
  std::int64_t year = 1970;
  int month = 1, day = 1;
};

// The proleptic Gregorian date of a count of days since 1970-01-01: years are taken to begin in March, so that the leap
// day is the last one, and 400 of them always have 146,097 days.
Civil civil(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;  // since 0000-03-01
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t in_era = shifted - era * 146'097;
  const std::int64_t year = (in_era - in_era / 1'460 + in_era / 36'524 - in_era / 146'096) / 365;
  const std::int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
  const std::int64_t march = (5 * in_year + 2) / 153;
  Civil date;
  date.day = static_cast<int>(in_year - (153 * march + 2) / 5 + 1);
  date.month = static_cast<int>(march < 10 ? march + 3 : march - 9);
  date.year = year + era * 400 + (date.month <= 2);
  return date;
}

enum Part : std::size_t { year_part, month_part, day_part, weekday_part, hour_part, days_part };
constexpr std::array<const char*, 6> kSuffixes = {"_year", "_month", "_day", "_weekday", "_hour", "_days"};

double part_of(std::int64_t time, std::int64_t reference, Part part) {
  const std::int64_t days = floor_div(time, kDay);
  switch (part) {
    case year_part:
      return static_cast<double>(civil(days).year);
    case month_part:
      return civil(days).month;
    case day_part:
      return civil(days).day;
    case weekday_part:
      return static_cast<double>(((days + 3) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
    case hour_part:
      // Whole hours.  NOLINTNEXTLINE(bugprone-integer-division)
      return static_cast<double>((time - days * kDay) / (kDay / 24));
    case days_part:
      break;
  }
  // By whole days and the rest, exact wherever the two lie.
  const std::int64_t from = floor_div(reference, kDay);
  const auto rest = static_cast<double>((time - days * kDay) - (reference - from * kDay));
  return static_cast<double>(days - from) + rest / static_cast<double>(kDay);
}

// Values of a cycle begin at `first` and return after `length`.
struct Cycle {
  double first, length;
};
bool cycle_of(Part part, Cycle& cycle) {
  switch (part) {
    case month_part:
      cycle = {1, 12};
      return true;
    case day_part:
      cycle = {1, 31};
      return true;
    case weekday_part:
      cycle = {0, 7};
      return true;
    case hour_part:
      cycle = {0, 24};
      return true;
    default:
      return false;
  }
}

// What is learned: where days are counted from, a timestamp that ten rows do not come after (a single row's extreme is
// not told, nor anything of few rows), and whether there is any time of day.
struct Dates {
  std::int64_t reference = 0;
  bool times = true;
};

class DateParts final : public ColumnStep<Dates> {
 public:
  DateParts(Selector selector, DatePartsOptions options)
      : ColumnStep(std::move(selector), Output::instead), options_(options) {
    if (parts({}).empty()) throw ValueError("[date_parts] expected at least one part, got none");
  }
  std::string_view type() const override { return "date_parts"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<DateParts>(*this); }

 protected:
  Dates fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    const Column& column = table.column(name);
    if (column.type() != ColumnType::timestamp) {
      throw DTypeError("[date_parts] column \"" + name + "\": expected timestamp, got " +
                       std::string(to_string(column.type())));
    }
    if (column.null_count() == column.size()) {
      fail_column(table, name, "date_parts",
                  "expected a value to learn from, got a column that is all missing; drop it");
    }
    constexpr std::size_t few = 10;
    constexpr std::int64_t year_2000 = 10'957 * kDay;
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (!column.is_null(i)) times.push_back(column.timestamp(i));
    }
    Dates state{.reference = year_2000, .times = std::any_of(times.begin(), times.end(), [](std::int64_t time) {
                                          return floor_div(time, kDay) * kDay != time;
                                        })};
    if (times.size() < 2 * few) return state;
    std::nth_element(times.begin(), times.begin() + (few - 1), times.end());
    state.reference = times[few - 1];
    return state;
  }

  std::vector<Column> apply(const Table&, const std::string&, const Column& column, const Dates& state) const override {
    std::vector<bool> valid;
    if (column.null_count() > 0) {
      for (std::int64_t i = 0; i < column.size(); ++i) valid.push_back(!column.is_null(i));
    }
    const auto map = [&](auto&& value) {
      std::vector<double> values(static_cast<std::size_t>(column.size()));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i);
        values[i] = column.is_null(row) ? std::numeric_limits<double>::quiet_NaN() : value(column.timestamp(row));
      }
      return Column::from_f64(std::move(values), valid);
    };
    std::vector<Column> made;
    for (const Part part : parts(state)) {
      Cycle cycle{};
      if (!options_.cyclic || !cycle_of(part, cycle)) {
        made.push_back(map([&](std::int64_t time) { return part_of(time, state.reference, part); }));
        continue;
      }
      const auto angle = [&](std::int64_t time) {
        return 2 * 3.141592653589793238 * (part_of(time, state.reference, part) - cycle.first) / cycle.length;
      };
      made.push_back(map([&](std::int64_t time) { return std::sin(angle(time)); }));
      made.push_back(map([&](std::int64_t time) { return std::cos(angle(time)); }));
    }
    return made;
  }

  std::vector<std::string> output_names(const std::string& name, const Dates& state) const override {
    std::vector<std::string> names;
    for (const Part part : parts(state)) {
      Cycle cycle{};
      const std::string whole = name + kSuffixes[part];
      if (options_.cyclic && cycle_of(part, cycle)) {
        names.push_back(whole + "_sin");
        names.push_back(whole + "_cos");
      } else {
        names.push_back(whole);
      }
    }
    return names;
  }
  Json save_options() const override {
    return {{"year", options_.year},       {"month", options_.month}, {"day", options_.day},
            {"weekday", options_.weekday}, {"hour", options_.hour},   {"days_since", options_.days_since},
            {"cyclic", options_.cyclic}};
  }
  Json save_state(const Dates& state) const override {
    return {{"reference", state.reference}, {"times", state.times}};
  }
  Dates load_state(const Json& json) const override {
    return {json_get<std::int64_t>(json, "reference", "date_parts"),
            json_get_or<bool>(json, "times", true, "date_parts")};  // before it was written, dates had hours too
  }

 private:
  // Where no value has a time of day, the hour is the same for all and left out, unless it is all that is asked for.
  std::vector<Part> parts(const Dates& state) const {
    std::vector<Part> chosen;
    if (options_.year) chosen.push_back(year_part);
    if (options_.month) chosen.push_back(month_part);
    if (options_.day) chosen.push_back(day_part);
    if (options_.weekday) chosen.push_back(weekday_part);
    if (options_.hour && (state.times || (chosen.empty() && !options_.days_since))) chosen.push_back(hour_part);
    if (options_.days_since) chosen.push_back(days_part);
    return chosen;
  }

  DatePartsOptions options_;
};

}  // namespace

StepPtr load_date_parts(const Json& json) {
  DatePartsOptions options;
  options.year = json_get<bool>(json, "year", "date_parts");
  options.month = json_get<bool>(json, "month", "date_parts");
  options.day = json_get<bool>(json, "day", "date_parts");
  options.weekday = json_get<bool>(json, "weekday", "date_parts");
  options.hour = json_get<bool>(json, "hour", "date_parts");
  options.days_since = json_get<bool>(json, "days_since", "date_parts");
  options.cyclic = json_get<bool>(json, "cyclic", "date_parts");
  return loaded(std::make_shared<DateParts>(selector_of(json, "date_parts"), options), json);
}

}  // namespace internal

StepPtr date_parts(Selector columns, DatePartsOptions options) {
  return std::make_shared<internal::DateParts>(std::move(columns), options);
}

}  // namespace tern::data
