#include "tern/data/steps.h"
#include "tern/data/formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"

namespace tern::data {
namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

Table one(Column column) { return {{"x", std::move(column)}}; }
Table number_column(std::vector<double> values) { return one(Column::from_f64(std::move(values))); }
Table words(const std::vector<std::string>& values) { return one(Column::from_strings(values)); }

std::vector<double> values_of(const Table& table, const std::string& name = "x") { return table[name].numeric(); }

using Values = std::vector<double>;
using Names = std::vector<std::string>;

TEST(Selectors, ChooseByTypeAndName) {
  const Table table = {{"f", Column::from_f64({1})},          {"i", Column::from_i64({1})},
                       {"b", Column::from_booleans({true})},  {"s", Column::from_strings({"a"})},
                       {"c", Column::from_codes({0}, {"a"})}, {"t", Column::from_timestamps({0})},
                       {"y", Column::from_f64({1})}};
  const auto chosen = [&](const Selector& selector) { return selector.select(table, "y"); };
  EXPECT_EQ(chosen(numeric()), (Names{"f", "i", "b"}));
  EXPECT_EQ(numeric().select(table), (Names{"f", "i", "b", "y"}));
  EXPECT_EQ(chosen(boolean()), (Names{"b"}));
  EXPECT_EQ(chosen(text()), (Names{"s"}));
  EXPECT_EQ(chosen(categorical()), (Names{"c"}));
  EXPECT_EQ(chosen(timestamp()), (Names{"t"}));
  EXPECT_EQ(chosen(all()), (Names{"f", "i", "b", "s", "c", "t"}));
  EXPECT_EQ(chosen(columns({"t", "f"})), (Names{"f", "t"}));
  EXPECT_EQ(chosen({"t", "f"}), (Names{"f", "t"}));
  EXPECT_EQ(chosen("s"), (Names{"s"}));
  EXPECT_EQ(chosen(except({"f", "i"})), (Names{"b", "s", "c", "t"}));
  EXPECT_EQ(chosen(except(numeric() | text())), (Names{"c", "t"}));
  const Selector nested = all() - (numeric() - boolean()) - columns({"s"});
  EXPECT_EQ(chosen(nested), (Names{"b", "c", "t"}));
  EXPECT_EQ(nested.to_string(), "all() - (numeric() - boolean()) - columns({\"s\"})");
  EXPECT_EQ(chosen(Selector::from_json(nested.to_json())), chosen(nested));
  EXPECT_THROW(chosen("nothing"), DataError);
  EXPECT_THROW(chosen("y"), ValueError);
  EXPECT_THROW(Selector::from_json("{}"), FormatError);
  EXPECT_THROW(Selector::from_json("{\"kind\":\"every\"}"), FormatError);
  EXPECT_THROW(Selector::from_json("{\"kind\":\"union\",\"left\":{\"kind\":\"all\"}}"), FormatError);
}

TEST(Steps, NeedAFitBeforeTransform) {
  const Table table = number_column({1, 2});
  for (const StepPtr& step :
       {standardize(numeric()), drop("x"), keep("x"), impute(numeric(), Fill::mean), one_hot("x")}) {
    EXPECT_THROW(step->transform(table), StateError) << step->type();
    EXPECT_THROW(step->to_json(), StateError) << step->type();
  }
}

TEST(Steps, GiveZeroForAConstantColumn) {
  const Table table = number_column({0.1, 0.1, 0.1, kNan});
  for (const StepPtr& step : {standardize(numeric()), robust(numeric())}) {
    const Values got = values_of(step->fit_transform(table, {}));
    EXPECT_EQ((Values{got[0], got[1], got[2]}), (Values{0, 0, 0})) << step->type();
    EXPECT_TRUE(std::isnan(got[3]));
    EXPECT_EQ(values_of(step->transform(number_column({9})))[0], 0) << "what never varied says nothing";
  }
  EXPECT_EQ(values_of(min_max(numeric())->fit_transform(number_column({3, 3}), {})), (Values{0, 0}));
  // Rounding alone is no spread.
  EXPECT_EQ(values_of(standardize(numeric())->fit_transform(number_column({1e15 / 3, 1e15 / 3, 1e15 / 3}), {})),
            (Values{0, 0, 0}));
  // Half the values equal: the quartiles coincide, the values do not.
  EXPECT_EQ(values_of(robust(numeric())->fit_transform(number_column({0, 0, 0, 0, 0, 5}), {}))[5], 5);
}

TEST(Steps, RefuseColumnsTheyCannotLearnFrom) {
  const Table missing = one(Column::nulls(ColumnType::f64, 3));
  const Table infinite = number_column({1, std::numeric_limits<double>::infinity()});
  for (const StepPtr& step : {standardize(numeric()), min_max(numeric()), robust(numeric()), log(numeric()),
                              clip(numeric()), impute(numeric(), Fill::median)}) {
    EXPECT_THROW(step->fit(missing, {}), DataError) << step->type();
    EXPECT_THROW(step->fit(infinite, {}), DataError) << step->type();
  }
  EXPECT_THROW(standardize("x")->fit(words({"a", "b"}), {}), DTypeError);
  EXPECT_THROW(standardize("x")->fit(number_column({1e300, -1e300}), {}), DataError);
  EXPECT_THROW(min_max("x")->fit(number_column({1.5e308, -1.5e308}), {}), DataError);
  EXPECT_THROW(one_hot("x")->fit(number_column({1.5}), {}), DTypeError);
  EXPECT_THROW(date_parts("x")->fit(number_column({1.5}), {}), DTypeError);
}

TEST(Steps, CheckTheirOptions) {
  EXPECT_THROW(min_max(numeric(), {.low = 1, .high = 1}), ValueError);
  EXPECT_THROW(robust(numeric(), {.low = 0.8, .high = 0.2}), ValueError);
  EXPECT_THROW(clip(numeric(), {.low_quantile = -0.1}), ValueError);
  EXPECT_THROW(clip(numeric(), {.low = 2, .high = 1}), ValueError);
  EXPECT_THROW(one_hot("x", {.min_count = 0}), ValueError);
  EXPECT_THROW(one_hot("x", {.max_levels = 0}), ValueError);
  EXPECT_THROW(ordinal("x", {.unseen = kNan}), ValueError);
  EXPECT_THROW(target_encoding("x", {.smoothing = -1}), ValueError);
  EXPECT_THROW(target_encoding("x", {.folds = 1}), ValueError);
  EXPECT_THROW(impute("x", kNan), ValueError);
  EXPECT_THROW(normalize_formats({.max_levels = 0}), ValueError);
  EXPECT_THROW(
      date_parts("x",
                 {.year = false, .month = false, .day = false, .weekday = false, .hour = false, .days_since = false}),
      ValueError);
}

TEST(Steps, ImputeTypesBesideNumbers) {
  const Table train = {{"b", Column::from_booleans({true, true, false}, {true, true, false})},
                       {"s", Column::from_strings({"q", "p", ""}, {true, true, false})},
                       {"c", Column::from_codes({1, 1, -1}, {"u", "v"})},
                       {"t", Column::from_timestamps({10, 20, 0}, {true, true, false})}};
  const StepPtr step = impute(all(), Fill::most_frequent);
  const Table filled = step->fit_transform(train, {});
  EXPECT_EQ(filled["b"].numeric(2), 1);
  EXPECT_EQ(filled["s"].string(2), "p");
  EXPECT_EQ(filled["c"].string(2), "v");
  EXPECT_EQ(filled["t"].timestamp(2), 10);
  const StepPtr back = load_step("impute", step->to_json());
  EXPECT_TRUE(back->transform(train).equals(filled));
  EXPECT_EQ(impute("t", Fill::median)->fit_transform(train, {})["t"].timestamp(2), 10);
  EXPECT_THROW(impute("s", Fill::mean)->fit(train, {}), DTypeError);
  EXPECT_THROW(impute("t", Fill::mean)->fit(train, {}), DTypeError);

  const Table blank = {{"n", Column::nulls(ColumnType::f64, 2)}, {"s", Column::nulls(ColumnType::string, 2)}};
  EXPECT_THROW(impute("s", Fill::most_frequent)->fit(blank, {}), DataError);
  EXPECT_EQ(values_of(impute("n", 0)->fit_transform(blank, {}), "n"), (Values{0, 0}));
  EXPECT_EQ(impute("s", "none")->fit_transform(blank, {})["s"].string(1), "none");
  EXPECT_EQ(impute("c", "none")->fit_transform(train, {})["c"].string(2), "none");
  EXPECT_THROW(impute("s", 0)->fit(blank, {}), DTypeError);
  EXPECT_THROW(impute("n", "none")->fit(blank, {}), DTypeError);
  const StepPtr constant = impute("s", "none");
  constant->fit(blank, {});
  EXPECT_EQ(load_step("impute", constant->to_json())->to_json(), constant->to_json());
}

TEST(Steps, SayWhereValuesWereMissing) {
  const Table train = {{"a", Column::from_f64({1, kNan})}, {"b", Column::from_f64({1, 2})}};
  const StepPtr step = missing_indicator(numeric());
  const Table marked = step->fit_transform(train, {});
  EXPECT_EQ(marked.names(), (Names{"a", "b", "a_missing"}));
  EXPECT_TRUE(marked["a_missing"].boolean(1));
  EXPECT_FALSE(marked["a_missing"].boolean(0));
  EXPECT_EQ(missing_indicator(numeric(), {.all_columns = true})->fit_transform(train, {}).width(), 4);
  EXPECT_TRUE(load_step("missing_indicator", step->to_json())->transform(train).equals(marked));
}

TEST(Steps, LogChecksItsValues) {
  const StepPtr step = log("x");
  EXPECT_THROW(step->fit(number_column({1, -1}), {}), DataError);
  step->fit(number_column({0, std::exp(1) - 1}), {});
  try {
    step->transform(number_column({1, -2}));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 1);
    EXPECT_EQ(error.column(), "x");
  }
}

TEST(Steps, ClipByBounds) {
  const StepPtr step = clip("x", {.low = 0, .high = 10});
  EXPECT_EQ(values_of(step->fit_transform(number_column({-5, 5, 50}), {})), (Values{0, 5, 10}));
  const StepPtr open = clip("x", {.low = 0});
  EXPECT_EQ(values_of(open->fit_transform(number_column({-5, 5, 1e300}), {})), (Values{0, 5, 1e300}));
  EXPECT_EQ(load_step("clip", open->to_json())->to_json(), open->to_json());
}

TEST(Steps, OneHotPutsRareUnseenAndMissingLevels) {
  const Table train =
      one(Column::from_strings({"b", "a", "b", "a", "rare", ""}, {true, true, true, true, true, false}));
  const Table fresh = one(Column::from_strings({"a", "rare", "new", ""}, {true, true, true, false}));
  const auto rows = [&](const OneHotOptions& options) {
    const StepPtr step = one_hot("x", options);
    step->fit(train, {});
    const Table made = load_step("one_hot", step->to_json())->transform(fresh);
    EXPECT_TRUE(made.equals(step->transform(fresh)));
    std::string text;
    for (const std::string& name : made.names()) {
      text += name + ":";
      for (std::int64_t i = 0; i < made.rows(); ++i) text += made[name].boolean(i) ? '1' : '0';
      text += ' ';
    }
    return text;
  };
  EXPECT_EQ(rows({}), "x=a:1000 x=b:0000 x=rare:0100 x=<missing>:0001 ");
  EXPECT_EQ(rows({.min_count = 2}), "x=a:1000 x=b:0000 x=<other>:0111 ");
  EXPECT_EQ(rows({.min_count = 2, .unseen = Unseen::zeros}), "x=a:1000 x=b:0000 ");
  EXPECT_EQ(rows({.missing_level = false}), "x=a:1000 x=b:0000 x=rare:0100 ");
  EXPECT_EQ(rows({.drop_first = true}), "x=b:0000 x=rare:0100 x=<missing>:0001 ");
  EXPECT_THROW(one_hot("x", {.max_levels = 2})->fit(train, {}), DataError);
}

TEST(Steps, OneHotTakesAnyTypeOfLevels) {
  const Table table = {{"i", Column::from_i64({10, 9, 10})},
                       {"b", Column::from_booleans({true, false, true})},
                       {"o", Column::from_codes({2, 0, 2}, {"low", "middle", "high"}, true)}};
  const StepPtr step = one_hot(all());
  EXPECT_EQ(step->fit_transform(table, {}).names(), (Names{"i=9", "i=10", "b=false", "b=true", "o=low", "o=high"}));
  // Levels count by their text, in whatever order a later table numbers them.
  const Table later = {
      {"i", Column::from_f64({9})}, {"b", Column::from_booleans({true})}, {"o", Column::from_codes({0}, {"high"})}};
  const Table made = step->transform(later);
  EXPECT_TRUE(made["i=9"].boolean(0));
  EXPECT_TRUE(made["o=high"].boolean(0));
  EXPECT_FALSE(made["o=low"].boolean(0));
}

// The step itself and as it is loaded again, whose transform must give the same names.
void expect_names(const StepPtr& step, const Table& table, const Names& expected) {
  EXPECT_EQ(step->fit_transform(table, {}).names(), expected);
  const StepPtr again = load_step(step->type(), step->to_json());
  EXPECT_EQ(again->transform(table).names(), expected);
  EXPECT_EQ(again->to_json(), step->to_json());
  EXPECT_EQ(again->derived(), step->derived());
}

TEST(Steps, NewColumnsTakeFreeNames) {
  const Column gaps = Column::from_f64({1, kNan});
  const Column whole = Column::from_f64({3, 4});
  expect_names(missing_indicator(numeric()), {{"x_missing_2", gaps}, {"x", gaps}, {"x_missing", whole}},
               {"x_missing_2", "x", "x_missing", "x_missing_2_missing", "x_missing_3"});
  const Column times = Column::from_timestamps({0, 86'400'000'000});
  const DatePartsOptions month{
      .year = false, .month = true, .day = false, .weekday = false, .hour = false, .days_since = false};
  expect_names(date_parts(timestamp(), month), {{"when_month", whole}, {"when", times}},
               {"when_month", "when_month_2"});
  // The column of the name goes, and so the name is free.
  expect_names(date_parts(timestamp(), month), {{"when_month", times}, {"when", times}},
               {"when_month_month", "when_month"});
}

TEST(Steps, OneHotKeepsEveryLevelWhereNamesMeet) {
  const Table table = {{"a", Column::from_strings({"b=c", "d", "d"})},
                       {"a=b", Column::from_strings({"e", "c", "e"})},
                       {"z", Column::from_codes({0, -1, 1}, {"<missing>", "<other>"})}};
  const StepPtr step = one_hot(all());
  expect_names(step, table, {"a=b=c", "a=d", "a=b=c_2", "a=b=e", "z=<missing>", "z=<other>", "z=<missing>_2"});
  const Table made = step->transform(table);
  EXPECT_EQ(values_of(made, "a=b=c"), (Values{1, 0, 0}));
  EXPECT_EQ(values_of(made, "a=b=c_2"), (Values{0, 1, 0}));
  EXPECT_EQ(values_of(made, "z=<missing>"), (Values{1, 0, 0}));
  EXPECT_EQ(values_of(made, "z=<missing>_2"), (Values{0, 1, 0}));
}

TEST(Steps, LoadsTheNamesOfNewColumns) {
  const Table plain = {{"x", Column::from_f64({1, kNan})}};
  const StepPtr step = missing_indicator(numeric());
  step->fit(plain, {});
  std::string json = step->to_json();
  // As all files were before other names were chosen.
  EXPECT_EQ(json.find("outputs"), std::string::npos);
  const std::size_t at = json.find("\"used\"");
  ASSERT_NE(at, std::string::npos);
  const auto with = [&](const std::string& outputs) {
    return std::string(json).insert(at, "\"outputs\":" + outputs + ",");
  };
  EXPECT_EQ(load_step("missing_indicator", with("[\"gap\"]"))->transform(plain).names(), (Names{"x", "gap"}));
  EXPECT_THROW(load_step("missing_indicator", with("[]")), FormatError);
  EXPECT_THROW(load_step("missing_indicator", with("[\"a\",\"b\"]")), FormatError);
  EXPECT_THROW(load_step("missing_indicator", with("3")), FormatError);
}

TEST(Steps, DatePartsInCycles) {
  const std::int64_t june = 1'718'452'800'000'000;  // 2024-06-15T12:00:00Z, a Saturday
  const Table table = one(Column::from_timestamps({june, 0}, {true, false}));
  const StepPtr step = date_parts("x", {.cyclic = true});
  const Table made = step->fit_transform(table, {});
  EXPECT_EQ(made.names(), (Names{"x_year", "x_month_sin", "x_month_cos", "x_day_sin", "x_day_cos", "x_weekday_sin",
                                 "x_weekday_cos", "x_hour_sin", "x_hour_cos", "x_days"}));
  EXPECT_NEAR(made["x_month_sin"].f64(0), std::sin(2 * M_PI * 5 / 12), 1e-12);
  EXPECT_NEAR(made["x_weekday_cos"].f64(0), std::cos(2 * M_PI * 5 / 7), 1e-12);
  EXPECT_NEAR(made["x_hour_cos"].f64(0), -1, 1e-12);
  EXPECT_TRUE(made["x_year"].is_null(1));
  EXPECT_TRUE(load_step("date_parts", step->to_json())->transform(table).equals(made));
  EXPECT_THROW(step->fit(one(Column::nulls(ColumnType::timestamp, 2)), {}), DataError);
}

TEST(Steps, WholeDaysHaveNoHour) {
  const std::int64_t day = std::int64_t{86'400} * 1'000'000;
  const Table days = one(Column::from_timestamps({19'000 * day, -3 * day, 0}, {true, true, false}));
  const Table times = one(Column::from_timestamps({19'000 * day + day / 2, 5 * day}));
  const StepPtr step = date_parts("x");
  const Table made = step->fit_transform(days, {});
  EXPECT_EQ(made.names(), (Names{"x_year", "x_month", "x_day", "x_weekday", "x_days"}));
  EXPECT_EQ(step->transform(times)["x_days"].f64(0), made["x_days"].f64(0) + 0.5) << "a time that comes later is told";
  const StepPtr loaded = load_step("date_parts", step->to_json());
  EXPECT_TRUE(loaded->transform(days).equals(made));
  EXPECT_EQ(loaded->to_json(), step->to_json());
  step->fit(times, {});
  EXPECT_EQ(step->transform(days)["x_hour"].f64(0), 0);
  const DatePartsOptions hour = {.year = false, .month = false, .day = false, .weekday = false, .days_since = false};
  EXPECT_EQ(date_parts("x", hour)->fit_transform(days, {}).names(), Names{"x_hour"}) << "all that is asked for";
  // Saved before it was known whether there are times: with hours.
  std::string old = loaded->to_json();
  const std::size_t at = old.find(",\"times\":false");
  ASSERT_NE(at, std::string::npos) << old;
  old.erase(at, std::string(",\"times\":false").size());
  EXPECT_TRUE(load_step("date_parts", old)->transform(days).has("x_hour"));
}

TEST(Steps, NormalizeFormatsKeepsWhatItFound) {
  const Table train = {{"money", Column::from_strings({"$1,234.50", "$2.00"})},
                       {"rate", Column::from_strings({"12%", "7.5%"})},
                       {"flag", Column::from_strings({"yes", "no"})},
                       {"day", Column::from_strings({"31/01/2024", "01/02/2024"})},
                       {"plan", Column::from_strings({"basic", "plus"})}};
  const StepPtr step = normalize_formats();
  const Table made = step->fit_transform(train, {});
  EXPECT_EQ(made["money"].f64(0), 1234.5);
  EXPECT_EQ(made["rate"].f64(0), 0.12);
  EXPECT_TRUE(made["flag"].boolean(0));
  EXPECT_EQ(made["day"].text(1), "2024-02-01");
  EXPECT_EQ(made["plan"].type(), ColumnType::categorical);
  const StepPtr back = load_step("normalize_formats", step->to_json());
  EXPECT_TRUE(back->transform(train).equals(made));
  // A row alone that would be ambiguous, or nothing at all.
  const Table row = {{"money", Column::nulls(ColumnType::f64, 1)},
                     {"rate", Column::from_strings({"1%"})},
                     {"flag", Column::from_strings({"no"})},
                     {"day", Column::from_strings({"03/04/2024"})},
                     {"plan", Column::from_strings({"gold"})}};
  EXPECT_EQ(back->transform(row)["day"].text(0), "2024-04-03");
  EXPECT_TRUE(back->transform(row)["money"].is_null(0));
  Table broken = row;
  broken.replace("rate", Column::from_strings({"many"}));
  try {
    back->transform(broken);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "rate");
    EXPECT_EQ(error.row(), 0);
  }
  std::vector<std::string> notes;
  for (int i = 0; i < 30; ++i) notes.push_back(std::string(static_cast<std::size_t>(i + 1), 'n'));
  EXPECT_EQ(normalize_formats()->fit_transform(words(notes), {})["x"].type(), ColumnType::string);
  EXPECT_THROW(normalize_formats()->fit(words({"01/02/2024", "03/04/2024"}), {}), DataError);
  for (const auto& [told, type] : {std::pair{"string", ColumnType::string}, {"categorical", ColumnType::categorical}}) {
    const StepPtr step = normalize_formats({.formats = {{"x", told}}});
    EXPECT_EQ(step->fit_transform(words({"01/02/03", "03/04/05"}), {})["x"].type(), type);
    EXPECT_EQ(load_step("normalize_formats", step->to_json())->transform(words({"$5"}))["x"].type(), type);
  }
  EXPECT_THROW(normalize_formats({.formats = {{"x", "text"}}}), ValueError);
}

TEST(Steps, NormalizeFormatsTakesToldForms) {
  const Table train = {{"day", Column::from_strings({"01/02/2024", "03/04/2024"})},  // which a look would ask about
                       {"fee", Column::from_strings({"$1", "$2"})},
                       {"flag", Column::from_strings({"yes", "no"})}};
  const StepPtr step = normalize_formats({.formats = {{"flag", "boolean:yes/no"}}, .find_formats = false});
  const Table made = step->fit_transform(train, {});
  EXPECT_EQ(made["day"].type(), ColumnType::categorical);
  EXPECT_EQ(made["fee"].type(), ColumnType::categorical);
  EXPECT_TRUE(made["flag"].boolean(0));
  const StepPtr back = load_step("normalize_formats", step->to_json());
  EXPECT_TRUE(back->transform(train).equals(made));
  EXPECT_TRUE(back->fit_transform(train, {}).equals(made)) << "fitted again by the same forms";
  EXPECT_THROW(normalize_formats({.formats = {{"flag", "boolean:ja/nein"}}}), ValueError);
  const StepPtr both = normalize_formats({.formats = {{"day", "date:dmy"}}});
  const Table found = both->fit_transform(train, {});
  EXPECT_EQ(found["day"].type(), ColumnType::timestamp);
  EXPECT_EQ(found["fee"].type(), ColumnType::f64) << "the forms of the others are found";
  EXPECT_TRUE(load_step("normalize_formats", both->to_json())->fit_transform(train, {}).equals(found));
}

TEST(Steps, AWordBesideYesAndNoIsMissing) {
  const StepPtr step = normalize_formats();
  step->fit(words({"Yes", "no"}), {});
  const Table made = load_step("normalize_formats", step->to_json())->transform(words({"maybe", "YES", "No"}));
  EXPECT_TRUE(made["x"].is_null(0));
  EXPECT_TRUE(made["x"].boolean(1));
  EXPECT_FALSE(made["x"].boolean(2));
  EXPECT_THROW(parse_booleans(Column::from_strings({"maybe"}), BooleanFormat::yes_no), DataError) << "where it is told";
}

// ---- target_encoding

Table encoded_sample() {
  std::vector<std::string> level, y;
  for (int i = 0; i < 200; ++i) {
    level.push_back(std::string(1, static_cast<char>('a' + i % 5)));
    y.push_back((i * 7 + i / 5) % 3 == 0 ? "Yes" : "No");
  }
  return {{"x", Column::from_strings(level)}, {"y", Column::from_strings(y)}};
}

TEST(TargetEncoding, AnswersOutOfFold) {
  // A level in each row: in fold, the encoding would be the target itself.
  std::vector<std::int64_t> level;
  std::vector<double> y;
  for (int i = 0; i < 100; ++i) {
    level.push_back(i);
    y.push_back(i % 2);
  }
  const Table table = {{"x", Column::from_i64(level)}, {"y", Column::from_f64(y)}};
  const StepPtr step = target_encoding("x", {.smoothing = 0, .min_count = 1});
  const Values got = values_of(step->fit_transform(table, {.target = "y", .seed = 4}));
  for (const double value : got) {  // the mean of the other folds
    EXPECT_GT(value, 0.3);
    EXPECT_LT(value, 0.7);
  }
  const StepPtr again = target_encoding("x", {.smoothing = 0, .min_count = 1});
  set_num_threads(3);
  EXPECT_EQ(values_of(again->fit_transform(table, {.target = "y", .seed = 4})), got);
  set_num_threads(0);
  EXPECT_NE(values_of(again->fit_transform(table, {.target = "y", .seed = 5})), got);
}

// Whether a step takes rows to train or validate on; it must take any to score.
bool takes(const StepPtr& step, const Table& table) {
  EXPECT_EQ(step->transform_scored(table).rows(), table.rows());
  try {
    step->transform(table);
    return true;
  } catch (const StateError&) {
    return false;
  }
}

std::string sample_csv(int rows) {
  std::string csv = "x,y\n";
  for (int i = 0; i < rows; ++i) csv += i % 2 ? "a,Yes\n" : "b,No\n";
  return csv;
}

TEST(TargetEncoding, RefusesTheRowsItWasFittedOn) {
  const Table table = encoded_sample();
  const StepPtr step = target_encoding("x");
  step->fit(table, {.target = "y"});
  EXPECT_FALSE(takes(step, table));
  EXPECT_FALSE(takes(step, table.drop({"y"})));
  EXPECT_FALSE(takes(step, table.head(50)));
  EXPECT_FALSE(takes(step, table.slice(199, 1)));
  EXPECT_FALSE(takes(step, table.sort({"x"}).filter([](std::int64_t row) { return row == 3; })));
  Table changed = table.rename("x", "was").slice(5, 1);
  changed.add("x", Column::from_strings({"new"}));
  EXPECT_FALSE(takes(step, changed)) << "it is the same row";
  const Table parts[] = {encoded_sample(), table.slice(7, 1)};
  EXPECT_TRUE(takes(step, parts[0])) << "other rows, however alike";
  EXPECT_FALSE(takes(step, Table::concat(parts)));
  EXPECT_FALSE(takes(StepPtr(step->clone()), table));
  EXPECT_TRUE(takes(load_step("target_encoding", step->to_json()), table)) << "rows in memory are not saved";
  EXPECT_NE(step->to_json().find("\"seen\":[]"), std::string::npos) << step->to_json();
}

TEST(TargetEncoding, KnowsTheRowsOfAFileByItsContent) {
  const std::string csv = sample_csv(400);
  const Table read = read_csv_text(csv);
  std::vector<std::int64_t> some;
  for (std::int64_t i = 0; i < 400; ++i) {
    if (i % 7 != 0) some.push_back(i);
  }
  const StepPtr step = target_encoding("x");
  step->fit(read.take(some), {.target = "y"});
  for (const StepPtr& one : {step, load_step("target_encoding", step->to_json())}) {
    const Table again = read_csv_text(csv);  // as from a copy of the file
    for (std::int64_t i = 0; i < 400; ++i) EXPECT_EQ(takes(one, again.slice(i, 1)), i % 7 == 0) << i;
    EXPECT_FALSE(takes(one, again));
    EXPECT_TRUE(takes(one, read_csv_text(sample_csv(401)))) << "another file, whatever its name";
    EXPECT_EQ(load_step("target_encoding", one->to_json())->to_json(), one->to_json());
  }
  EXPECT_LT(step->to_json().size(), 1000u);

  Table named = read_csv_text(csv);
  auto source = std::make_shared<TableSource>();
  source->file = "rows.csv";
  source->origin = named.origin(0);
  named.set_source(source);
  const std::int64_t mixed[] = {35, 3};
  try {
    step->transform(named.take(mixed));
    FAIL();
  } catch (const StateError& error) {
    EXPECT_NE(std::string(error.what()).find("record 3 of rows.csv"), std::string::npos) << error.what();
  }
}

TEST(TargetEncoding, RefusesDamage) {
  const StepPtr step = target_encoding("x");
  step->fit(read_csv_text(sample_csv(80)), {.target = "y"});
  const std::string json = step->to_json();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = json;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << json;
    return text.replace(at, from.size(), to);
  };
  EXPECT_NO_THROW(load_step("target_encoding", json));
  for (const std::string& damaged :
       {with("\"at\":[0,1,2]", "\"at\":[0,1]"), with("\"at\":[0,1,2]", "\"at\":[0,2,1]"),
        with("4294967295", "4294967296"), with("4294967295", "0"), with("\"text\":\"", "\"text\":\"z"),
        with("\"seen\":[", "\"seen\":[1,"), with("\"min_count\":10", "\"min_count\":0")}) {
    EXPECT_THROW(load_step("target_encoding", damaged), FormatError) << damaged;
  }
}

TEST(TargetEncoding, KeepsNoLevelOfFewRows) {
  std::vector<std::string> level;
  std::vector<double> y;
  std::vector<bool> valid;
  for (int i = 0; i < 60; ++i) {
    level.push_back(i < 40 ? "common" : i < 50 ? "tenth" : i < 59 ? "rare" : "");
    valid.push_back(i < 59);
    y.push_back(i % 2 + (i >= 50 ? 5 : 0));
  }
  const Table table = {{"x", Column::from_strings(level, valid)}, {"y", Column::from_f64(y)}};
  const StepPtr step = target_encoding("x", {.smoothing = 0});
  step->fit(table, {.target = "y"});
  const double prior = 80.0 / 60;
  const Table fresh = {
      {"x", Column::from_strings({"common", "tenth", "rare", "", "new"}, {true, true, true, false, true})}};
  const Values got = values_of(step->transform(fresh));
  EXPECT_DOUBLE_EQ(got[0], 0.5);
  EXPECT_DOUBLE_EQ(got[1], 0.5);
  for (std::size_t i = 2; i < 5; ++i) EXPECT_DOUBLE_EQ(got[i], prior) << i;
  EXPECT_EQ(step->to_json().find("\"rare\""), std::string::npos) << step->to_json();
  const Values trained = values_of(step->fit_transform(table, {.target = "y"}));
  EXPECT_NEAR(trained[55], prior, 0.3) << "as an unseen level, by the other folds";
  const Table few = table.head(8);  // every level is rare: it trains all the same
  EXPECT_EQ(values_of(target_encoding("x")->fit_transform(few, {.target = "y"})).size(), 8u);
  EXPECT_THROW(target_encoding("x", {.min_count = 0}), ValueError);
}

TEST(Ordinal, KeepsNoLevelOfFewRowsWhenTold) {
  const Table table = one(Column::from_strings({"b", "a", "b", "c", "c"}));
  const StepPtr step = ordinal("x", {.min_count = 2});
  EXPECT_EQ(values_of(step->fit_transform(table, {})), (Values{0, -1, 0, 1, 1}));
  EXPECT_EQ(step->to_json().find("\"a\""), std::string::npos) << step->to_json();
  EXPECT_EQ(load_step("ordinal", step->to_json())->to_json(), step->to_json());
  EXPECT_THROW(ordinal("x", {.min_count = 0}), ValueError);
}

TEST(DateParts, KeepsNoEarliestValue) {
  constexpr std::int64_t day = std::int64_t{86'400} * 1'000'000;
  std::vector<std::int64_t> times;
  for (int i = 0; i < 30; ++i) times.push_back((1000 + i * 7 % 30) * day);
  const StepPtr step = date_parts("x", {.year = false, .month = false, .day = false, .weekday = false, .hour = false});
  const Values got = values_of(step->fit_transform(one(Column::from_timestamps(times)), {}), "x_days");
  EXPECT_EQ(got[0], -9) << "days since the tenth earliest";
  EXPECT_EQ(step->to_json().find(std::to_string(1000 * day)), std::string::npos);
  const Table few = one(Column::from_timestamps({10'958 * day}));
  EXPECT_EQ(values_of(step->fit_transform(few, {}), "x_days"), (Values{1})) << "of few rows, days since 2000";
}

TEST(TargetEncoding, NeedsATargetOfNumbersOrTwoValues) {
  const Table table = encoded_sample();
  EXPECT_THROW(target_encoding("x")->fit(table, {}), StateError);
  Table other = table;
  std::vector<std::string> three;
  for (int i = 0; i < 200; ++i) three.push_back(std::to_string(i % 3));
  other.replace("y", Column::from_strings(three));
  EXPECT_THROW(target_encoding("x")->fit(other, {.target = "y"}), DataError);
  other.replace("y", Column::nulls(ColumnType::f64, 200));
  EXPECT_THROW(target_encoding("x")->fit(other, {.target = "y"}), DataError);
  EXPECT_THROW(target_encoding("x")->fit(table.head(3), {.target = "y"}), DataError);
}

TEST(Columns, DropAndKeep) {
  const Table table = {{"a", Column::from_f64({1})}, {"b", Column::from_f64({2})}, {"y", Column::from_f64({3})}};
  EXPECT_EQ(drop("a")->fit_transform(table, {.target = "y"}).names(), (Names{"b", "y"}));
  const StepPtr step = keep("a");
  EXPECT_EQ(step->fit_transform(table, {.target = "y"}).names(), (Names{"a", "y"}));
  EXPECT_EQ(load_step("keep", step->to_json())->transform(table).names(), (Names{"a", "y"}));
  EXPECT_THROW(load_step("kept", "{}"), FormatError);
}

}  // namespace
}  // namespace tern::data
