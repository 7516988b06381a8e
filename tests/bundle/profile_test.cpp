#include "tern/bundle/profile.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "tern/base/error.h"

namespace tern {
namespace {

using internal::Json;

Json column_of(const data::Column& column) {
  return internal::parse_json(profile_of(data::Table{{"c", column}}), "profile").at("columns").at(0);
}

TEST(Profile, LeavesOutExtremesOfFewerThanTenRows) {
  std::vector<double> values;
  for (int i = 1; i <= 100; ++i) values.push_back(i);
  values[99] = 7e9;
  const Json column = column_of(data::Column::from_f64(values));
  EXPECT_EQ(column.at("low"), 10.0);
  EXPECT_EQ(column.at("high"), 91.0);
  EXPECT_EQ(column.at("quantiles").at("0.5"), 50.5);
  EXPECT_EQ(column.at("quantiles").at("0.01"), 10.0);
  EXPECT_EQ(column.at("quantiles").at("0.99"), 91.0);
  EXPECT_EQ(column.dump().find("7000000000"), std::string::npos) << column;
  std::int64_t total = 0;
  for (const Json& count : column.at("histogram").at("counts")) {
    EXPECT_GE(count.get<int>(), profile_min_rows);
    total += count.get<int>();
  }
  EXPECT_EQ(total, 100);
  EXPECT_EQ(column.at("histogram").at("edges").size() + 1, column.at("histogram").at("counts").size());
}

TEST(Profile, CountsPersonsWhereRowsHaveSeveral) {
  std::vector<double> values;
  std::vector<std::string> towns;
  std::vector<std::int64_t> persons;
  for (std::int64_t i = 0; i < 600; ++i) {  // 30 persons of 20 rows; each has a number and a village, of a third a town
    persons.push_back(i / 20);
    values.push_back(static_cast<double>(i / 20));
    towns.push_back(i / 20 < 10 ? "town" : "village " + std::to_string(i / 20));
  }
  const data::Table table{{"n", data::Column::from_f64(values)}, {"home", data::Column::from_strings(towns)}};
  const Json by_rows = internal::parse_json(profile_of(table), "profile").at("columns");
  EXPECT_EQ(by_rows.at(0).at("low"), 0);
  EXPECT_EQ(by_rows.at(1).at("levels").size(), 21u);
  const Json columns = internal::parse_json(profile_of(table, persons), "profile").at("columns");
  EXPECT_EQ(columns.at(0).at("low"), 9);
  EXPECT_EQ(columns.at(0).at("high"), 20);
  EXPECT_EQ(columns.at(1).at("levels").dump(), R"([{"count":200,"level":"town"}])");
  EXPECT_EQ(columns.at(1).at("other").at("levels"), 20);
  EXPECT_THROW(profile_of(table, std::span(persons).first(3)), ShapeError);
}

TEST(Profile, JoinsBinsOfFewRows) {
  std::vector<double> values(40, 0.0);
  for (int i = 0; i < 8; ++i) values[static_cast<std::size_t>(i)] = 5 + i;
  const Json histogram = column_of(data::Column::from_f64(values)).at("histogram");
  EXPECT_EQ(histogram.at("counts"), Json::parse("[40]")) << histogram;
}

TEST(Profile, TellsNothingOfTooFewValues) {
  const Json column = column_of(data::Column::from_f64(std::vector<double>(19, 3.0)));
  for (const char* key : {"low", "high", "mean", "sd", "quantiles", "histogram"})
    EXPECT_FALSE(column.contains(key)) << key;
  EXPECT_EQ(column.at("missing"), 0);
}

TEST(Profile, SumsRareLevels) {
  std::vector<std::string> values(30, "common");
  for (int i = 0; i < 9; ++i) values.push_back("rare");
  values.push_back("Ada Lovelace");
  std::vector<bool> valid(values.size(), true);
  valid[0] = false;
  const Json column = column_of(data::Column::from_strings(values, valid));
  EXPECT_EQ(column.at("levels"), Json::parse(R"([{"level": "common", "count": 29}])"));
  EXPECT_EQ(column.at("other"), Json::parse(R"({"levels": 2, "count": 10})"));
  EXPECT_EQ(column.at("missing"), 1);
  EXPECT_EQ(column.dump().find("Ada"), std::string::npos);
  const Json booleans = column_of(data::Column::from_booleans(std::vector<bool>(12, true)));
  EXPECT_EQ(booleans.at("levels"), Json::parse(R"([{"level": "true", "count": 12}])"));
}

TEST(Profile, ReadsNumbersThatAreWrittenAsText) {
  std::vector<std::string> values;
  for (int i = 0; i < 40; ++i) values.push_back("$1," + std::to_string(100 + i) + ".00");
  const Json column = column_of(data::Column::from_strings(values));
  EXPECT_EQ(column.at("type"), "string");
  EXPECT_EQ(column.at("low"), 1109.0) << column;
  EXPECT_EQ(column.at("high"), 1130.0);
  EXPECT_FALSE(column.contains("levels"));
  // Day and month cannot be told apart: text.
  EXPECT_TRUE(column_of(data::Column::from_strings(std::vector<std::string>(20, "01/02/2024"))).contains("levels"));
}

TEST(Profile, FindsWhatTrainingRowsHardlyHeld) {
  std::vector<double> numbers;
  std::vector<std::int64_t> days;
  std::vector<std::string> plans, prices;
  constexpr std::int64_t day = 86'400'000'000;
  for (int i = 0; i < 100; ++i) {
    numbers.push_back(i);  // low 9, high 90: far is below -72 and above 171
    days.push_back(i * day);
    plans.push_back(i < 95 ? "basic" : "rare");
    prices.push_back("$1," + std::to_string(100 + i) + ".00");
  }
  const std::string profile = profile_of({{"number", data::Column::from_f64(numbers)},
                                          {"whole", data::Column::from_f64(numbers).cast(data::ColumnType::i64)},
                                          {"day", data::Column::from_timestamps(days)},
                                          {"plan", data::Column::from_strings(plans)},
                                          {"price", data::Column::from_strings(prices)}});
  const data::Table rows{{"other", data::Column::from_f64({1e9, 1e9, 1e9, 1e9})},
                         {"plan", data::Column::from_strings({"new", "rare", "new", "basic"})},
                         {"number", data::Column::from_f64({-72, 171, 171.5, -4000}, {true, true, true, true})},
                         {"whole", data::Column::from_i64({500, -31, 130, 0}, {false, true, true, true})},
                         {"day", data::Column::from_timestamps({0, 172 * day, 50 * day, 50 * day})},
                         {"price", data::Column::from_strings({"$1.00", "$1,150.00", "$1,160.00", "$9,000.00"})}};
  const std::vector<Unfamiliar> found = unfamiliar_values(profile, rows);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].column, "plan");
  EXPECT_EQ(found[0].levels, (std::vector<std::pair<std::string, std::int64_t>>{{"new", 2}, {"rare", 1}}));
  EXPECT_EQ(found[1].column, "number");
  EXPECT_EQ(found[1].far, 2);
  EXPECT_EQ(found[1].low + " " + found[1].high + " " + found[1].smallest + " " + found[1].largest, "9 90 -4000 171.5");
  EXPECT_EQ(found[2].column, "day");
  EXPECT_EQ(found[2].far, 1);
  EXPECT_EQ(found[2].high.substr(0, 10), "1970-04-01");
  EXPECT_EQ(found[2].largest.substr(0, 10), "1970-06-22");
  EXPECT_EQ(found[3].column, "price");
  EXPECT_EQ(found[3].far, 2);
}

TEST(Profile, TellsPercentAsFilesDo) {
  std::vector<double> shares;
  for (int i = 0; i < 100; ++i) shares.push_back(i / 1000.0);
  const std::string profile = profile_of({{"share", data::Column::from_f64(shares)}});
  const data::Table rows{{"share", data::Column::from_f64({0.07, 12.5})}};
  data::Schema schema;
  for (const auto& [format, largest] : {std::pair("number:point+percent", "1250%"),
                                        std::pair("number:comma+percent", "1250%"), std::pair("", "12.5")}) {
    schema.columns = {{.name = "share", .type = data::ColumnType::f64, .format = format}};
    const std::vector<Unfamiliar> found = unfamiliar_values(profile, rows, schema);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].largest, largest);
    EXPECT_EQ(found[0].low, std::string(format).empty() ? "0.009" : format[7] == 'p' ? "0.9%" : "0,9%");
  }
  // Text that the profile itself took as percent.
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back(std::to_string(i) + ".5%");
  const auto found = unfamiliar_values(profile_of({{"share", data::Column::from_strings(texts)}}),
                                       {{"share", data::Column::from_strings({"7%", "900%"})}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].low + " " + found[0].largest, "9.5% 900%");
}

TEST(Profile, WhatItDoesNotTellIsNotCompared) {
  const data::Table rows{{"c", data::Column::from_f64({1e9})}, {"d", data::Column::from_strings({"x"})}};
  for (const char* profile :
       {"{}", R"({"columns": 3})", R"({"columns": [7, {"name": 1}, {"name": "c"}, {"name": "d", "levels": [1]}]})",
        R"({"columns": [{"name": "c", "low": "a", "high": 2}, {"name": "d", "low": 1, "high": 2}]})",
        R"({"columns": [{"name": "c", "format": "date:dmy", "low": 1, "high": 2}]})",
        R"({"columns": [{"name": "d", "format": "no such form", "levels": []}]})"}) {
    EXPECT_TRUE(unfamiliar_values(profile, rows).empty()) << profile;
  }
  EXPECT_THROW(unfamiliar_values("{", rows), FormatError);
}

}  // namespace
}  // namespace tern
