#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "tern/base/file.h"
#include "tern/data/steps.h"

// What scikit-learn and pandas make of the same table: golden/make_steps_golden.py.
namespace tern::data {
namespace {

using tern::internal::Json;

const Json& golden() {
  static const Json json = tern::internal::parse_json(read_file(TERN_TEST_DATA "/steps.json"), "steps.json");
  return json;
}

Column text_column(const Json& values) {
  std::vector<std::string> words;
  std::vector<bool> valid;
  for (const Json& value : values) {
    words.push_back(value.is_null() ? std::string() : value.get<std::string>());
    valid.push_back(!value.is_null());
  }
  return Column::from_strings(words, valid);
}

Table numbers(const char* which) {
  const std::vector<std::string> names = golden()["columns"];
  Table table;
  for (std::size_t c = 0; c < names.size(); ++c) {
    std::vector<double> values;
    std::vector<bool> valid;
    for (const Json& row : golden()[which]) {
      valid.push_back(!row[c].is_null());
      values.push_back(valid.back() ? row[c].get<double>() : 0.0);
    }
    table.add(names[c], Column::from_f64(values, valid));
  }
  return table;
}

void expect_table(const Table& table, const Json& rows, double tolerance) {
  ASSERT_EQ(table.rows(), static_cast<std::int64_t>(rows.size()));
  ASSERT_EQ(table.width(), static_cast<std::int64_t>(rows[0].size()));
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    for (std::int64_t c = 0; c < table.width(); ++c) {
      const Json& expected = rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)];
      const Column& column = table.column(c);
      const std::string where = table.names()[static_cast<std::size_t>(c)] + ", row " + std::to_string(i);
      ASSERT_EQ(column.is_null(i), expected.is_null()) << where;
      if (expected.is_null()) continue;
      const auto value = expected.get<double>();
      EXPECT_NEAR(column.numeric(i), value, tolerance * std::max(1.0, std::fabs(value))) << where;
    }
  }
}

void expect_step(const StepPtr& step, const char* name, double tolerance = 1e-12) {
  const Json& expected = golden()["expected"][name];
  expect_table(step->fit_transform(numbers("train"), {}), expected["train"], tolerance);
  expect_table(step->transform(numbers("new")), expected["new"], tolerance);
  const StepPtr back = load_step(step->type(), step->to_json());
  EXPECT_TRUE(back->transform(numbers("new")).equals(step->transform(numbers("new"))));
  EXPECT_EQ(back->to_json(), step->to_json());
}

// The column "offset" lies far from 0, which costs both sides a few digits.
TEST(StepsGolden, Standardize) { expect_step(standardize(numeric()), "standardize", 1e-11); }
TEST(StepsGolden, MinMax) {
  Table train = numbers("train").drop({"constant"}), fresh = numbers("new").drop({"constant"});
  const StepPtr step = min_max(numeric(), {.low = -1, .high = 2});
  Json expected = golden()["expected"]["min_max"];
  for (const char* which : {"train", "new"}) {
    for (Json& row : expected[which]) row.erase(row.size() - 1);
  }
  expect_table(step->fit_transform(train, {}), expected["train"], 1e-11);
  expect_table(step->transform(fresh), expected["new"], 1e-11);
}
TEST(StepsGolden, Robust) { expect_step(robust(numeric()), "robust"); }
TEST(StepsGolden, Mean) { expect_step(impute(numeric(), Fill::mean), "mean"); }
TEST(StepsGolden, Median) { expect_step(impute(numeric(), Fill::median), "median"); }
TEST(StepsGolden, MostFrequent) { expect_step(impute(numeric(), Fill::most_frequent), "most_frequent"); }
TEST(StepsGolden, Log) { expect_step(log(numeric()), "log"); }
TEST(StepsGolden, Clip) { expect_step(clip(numeric(), {.low_quantile = 0.05, .high_quantile = 0.9}), "clip"); }

TEST(StepsGolden, OneHot) {
  const Table train = {{"colour", text_column(golden()["colour"])}};
  const Table fresh = {{"colour", text_column(golden()["new_colour"])}};
  const StepPtr step = one_hot("colour", {.min_count = 5});
  const Json& expected = golden()["expected"]["one_hot"];
  expect_table(step->fit_transform(train, {}), expected["train"], 0);
  expect_table(step->transform(fresh), expected["new"], 0);
}

TEST(StepsGolden, Ordinal) {
  const Table train = {{"colour", text_column(golden()["colour"])}};
  const Table fresh = {{"colour", text_column(golden()["new_colour"])}};
  const StepPtr step = ordinal("colour");
  const Json& expected = golden()["expected"]["ordinal"];
  expect_table(step->fit_transform(train, {}), expected["train"], 0);
  expect_table(step->transform(fresh), expected["new"], 0);
}

TEST(StepsGolden, TargetEncoding) {
  Table train = {{"colour", text_column(golden()["colour"])},
                 {"churn", Column::from_i64(golden()["churn"].get<std::vector<std::int64_t>>())},
                 {"spend", Column::from_f64(golden()["spend"].get<std::vector<double>>())}};
  const Table fresh = {{"colour", text_column(golden()["new_colour"])}};
  for (const auto& [target, name] : {std::pair("churn", "target_binary"), std::pair("spend", "target_continuous")}) {
    const StepPtr step = target_encoding("colour", {.smoothing = 10, .min_count = 1});
    step->fit(train, {.target = target});
    expect_table(step->transform(fresh), golden()["expected"][name]["new"], 1e-12);
  }
}

TEST(StepsGolden, DateParts) {
  std::vector<std::int64_t> times;
  for (const Json& second : golden()["seconds"]) times.push_back(second.get<std::int64_t>() * 1'000'000);
  const Table table = {{"t", Column::from_timestamps(times)}};
  const Table parts = date_parts("t")->fit_transform(table, {});
  for (const char* part : {"year", "month", "day", "weekday", "hour", "days"}) {
    const Json& expected = golden()["expected"]["dates"][part];
    const Column& column = parts[std::string("t_") + part];
    // Days of the golden file are since the earliest time, those of the step since another.
    const double shift = part == std::string("days") ? column.f64(0) - expected[0].get<double>() : 0.0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      EXPECT_NEAR(column.f64(static_cast<std::int64_t>(i)), expected[i].get<double>() + shift, 1e-9)
          << part << " " << i;
    }
  }
}

}  // namespace
}  // namespace tern::data
