#include "tern/data/pipeline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "tern/base/error.h"
#include "tern/data/csv.h"
#include "tern/data/formats.h"

namespace tern::data {
namespace {

constexpr char kCustomers[] =
    "id,age,income,plan,partner,joined,churn\n"
    "a1,20,\"$1,000.50\",basic,Yes,2024-01-05,No\n"
    "a2,30,\"$2,000.00\",plus,No,2024-02-05,Yes\n"
    "a3,,\"$3,000.00\",basic,No,2024-03-05,No\n"
    "a4,50,,plus,Yes,2024-03-06,Yes\n"
    "a5,60,\"$5,000.00\",,Yes,2024-05-05,No\n"
    "a6,70,\"$6,000.00\",rare,No,,No\n";

Pipeline full() {
  return Pipeline({drop("id"), normalize_formats(), date_parts(timestamp()), missing_indicator(numeric()),
                   impute(numeric() - boolean(), Fill::median), impute(boolean(), Fill::most_frequent),
                   standardize(numeric()), one_hot(categorical(), {.min_count = 2})});
}

std::vector<float> row_of(const Dataset& dataset, std::int64_t row) {
  const auto begin = dataset.features().begin() + row * dataset.width();
  return {begin, begin + dataset.width()};
}

TEST(Pipeline, GoesFromTextToFeatures) {
  const Table table = read_csv_text(kCustomers);
  Pipeline pipeline({drop("id"), normalize_formats(), drop("joined"), impute(numeric(), Fill::median),
                     standardize(numeric()), one_hot(categorical(), {.min_count = 2})});
  const Dataset training = pipeline.fit_transform(table, "churn", {.seed = 1});
  EXPECT_EQ(pipeline.feature_names(),
            (std::vector<std::string>{"age", "income", "partner", "plan=basic", "plan=plus", "plan=<other>"}));
  EXPECT_EQ(pipeline.width(), 6);
  EXPECT_EQ(training.rows(), 6);
  EXPECT_EQ(training.target().text(1), "Yes");
  EXPECT_EQ(training.row_ids(), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
  // age: 20 30 50 50 60 70 after the median of 20 30 50 60 70.
  const double mean = 280.0 / 6, sd = std::sqrt((400 + 900 + 2500 + 2500 + 3600 + 4900) / 6.0 - mean * mean);
  EXPECT_NEAR(row_of(training, 0)[0], (20 - mean) / sd, 1e-6);
  EXPECT_NEAR(row_of(training, 2)[0], (50 - mean) / sd, 1e-6);
  // The missing plan and "rare" are other: each is a level with one row.
  EXPECT_EQ(row_of(training, 4)[5], 1);
  EXPECT_EQ(row_of(training, 5)[5], 1);
  EXPECT_EQ(row_of(training, 0)[3], 1);
  const Dataset again = pipeline.transform(table);
  EXPECT_TRUE(std::equal(training.features().begin(), training.features().end(), again.features().begin()));
  EXPECT_EQ(pipeline.inputs(), (std::vector<InputColumn>{{"age", ColumnType::i64},
                                                         {"income", ColumnType::string},
                                                         {"plan", ColumnType::string},
                                                         {"partner", ColumnType::string}}));
}

TEST(Pipeline, GivesARowAloneTheBitsItHasInATable) {
  const Table table = read_csv_text(kCustomers);
  Pipeline pipeline = full();
  pipeline.fit(table, "churn");
  std::vector<std::int64_t> order;
  for (int k = 0; k < 700; ++k) order.push_back((k * 5) % 6);
  const Table many = table.take(order);
  const Dataset together = pipeline.transform(many);
  for (const std::int64_t i : {0, 1, 2, 3, 4, 5, 699}) {
    const std::int64_t one[] = {i};
    EXPECT_EQ(row_of(pipeline.transform(many.take(one)), 0), row_of(together, i));
  }
  EXPECT_EQ(together.row_ids(), order);
}

TEST(Pipeline, ComesBackFromJson) {
  const Table table = read_csv_text(kCustomers);
  Pipeline pipeline = full();
  EXPECT_THROW(pipeline.to_json(), StateError);
  pipeline.fit(table, "churn");
  const std::string text = pipeline.to_json();
  const Pipeline back = Pipeline::from_json(text);
  EXPECT_EQ(back.to_json(), text);
  EXPECT_EQ(back.inputs(), pipeline.inputs());
  EXPECT_EQ(back.feature_names(), pipeline.feature_names());
  EXPECT_EQ(back.target(), "churn");
  const Dataset a = pipeline.transform(table), b = back.transform(table);
  EXPECT_TRUE(std::equal(a.features().begin(), a.features().end(), b.features().begin(), b.features().end()));
}

TEST(Pipeline, TakesWhatServingBrings) {
  const Table table = read_csv_text(kCustomers);
  // No id, no target, columns in another order, one more, an unseen level, a blank column, age as a fraction's type.
  Table row = {{"extra", Column::from_i64({1})},
               {"joined", Column::from_timestamps({1'709'424'000'000'000})},
               {"plan", Column::from_strings({"never seen"})},
               {"partner", Column::from_codes({0}, {"Yes"})},
               {"income", Column::from_strings({"$7,000"})},
               {"age", Column::from_f64({40})}};
  Pipeline filled({drop("id"), normalize_formats(), date_parts(timestamp()), impute(numeric(), Fill::median),
                   one_hot(categorical())});
  filled.fit(table, "churn");
  const Dataset dataset = filled.transform(row);
  EXPECT_FALSE(dataset.has_target());
  EXPECT_THROW(dataset.target(), StateError);
  const auto& names = filled.feature_names();
  const auto at = [&](const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    EXPECT_NE(found, names.end()) << name;
    return row_of(dataset, 0)[static_cast<std::size_t>(found - names.begin())];
  };
  EXPECT_EQ(at("age"), 40);
  EXPECT_EQ(at("income"), 7000);
  EXPECT_EQ(at("plan=basic") + at("plan=plus") + at("plan=rare") + at("plan=<missing>"), 0);
  EXPECT_EQ(at("joined_year"), 2024);
  EXPECT_EQ(at("joined_month"), 3);
  EXPECT_EQ(at("joined_days"), 8828);  // since 2000: the fitted rows are few

  row.replace("joined", Column::nulls(ColumnType::string, 1));
  EXPECT_NO_THROW(filled.transform(row));
  Pipeline unfilled({keep("joined"), date_parts(timestamp())});
  unfilled.fit(table.head(4), "churn");
  try {
    unfilled.transform(row);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "joined_year");
    EXPECT_EQ(error.row(), 0);
  }
}

TEST(Pipeline, ReadsGermanFilesWithoutOptions) {
  const char* text =
      "\xEF\xBB\xBFKunde;Betrag;Preis;Anteil;Menge;seit;Gek\xC3\xBCndigt\r\n"
      "K1;1.234,50 \xE2\x82\xAC;1,5;12,5 %;3;05.03.2024;ja\r\n"
      "K2;-99,00 \xE2\x82\xAC;20,25;7 %;14;01.12.2023;nein\r\n"
      "K3;;0,125;0,5 %;1;02.02.2024 14:30;nein\r\n"
      "K4;1.000.000,00 \xE2\x82\xAC;7;100 %;2;11.11.2022;ja\r\n";
  CsvReport report;
  const Table table = read_csv_text(text, {}, &report);
  EXPECT_EQ(report.delimiter, ';');
  EXPECT_EQ(table["Menge"].type(), ColumnType::i64);
  const Table made = normalize_formats()->fit_transform(table, {});
  const auto numbers = [&](const char* name) { return made[name].numeric(); };
  EXPECT_EQ(made["Kunde"].type(), ColumnType::categorical);
  EXPECT_EQ(made["Gek\xC3\xBCndigt"].type(), ColumnType::categorical);
  EXPECT_EQ(made["Betrag"].f64(0), 1234.5);
  EXPECT_EQ(made["Betrag"].f64(1), -99);
  EXPECT_TRUE(made["Betrag"].is_null(2));
  EXPECT_EQ(made["Betrag"].f64(3), 1e6);
  EXPECT_EQ(numbers("Preis"), (std::vector<double>{1.5, 20.25, 0.125, 7}));
  EXPECT_EQ(numbers("Anteil"), (std::vector<double>{0.125, 0.07, 0.005, 1}));
  EXPECT_EQ(made["seit"].type(), ColumnType::timestamp);
  EXPECT_EQ(made["seit"].text(0), "2024-03-05");
  EXPECT_EQ(made["seit"].text(2), "2024-02-02T14:30:00Z");

  // As many commas in each record as would be fields: the header tells the delimiter.
  const Table narrow = read_csv_text("a;b\n1,5;2,5\n3,5;4,5\n");
  EXPECT_EQ(narrow.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(detect_formats(narrow),
            (std::vector<std::pair<std::string, std::string>>{{"a", "number:comma"}, {"b", "number:comma"}}));
}

TEST(Pipeline, KeepsEveryFeatureWhereNamesMeet) {
  const Table table = read_csv_text(
      "x,x_missing,a,a=b,when,when_month,y\n"
      "1,5,b=c,c,2024-01-31,7,0\n"
      ",6,d,e,2024-02-29,8,1\n"
      "3,7,d,c,2024-03-01,9,0\n");
  Pipeline pipeline({date_parts(timestamp(), {.year = false, .day = false, .weekday = false, .hour = false}),
                     missing_indicator(numeric()), impute(numeric(), Fill::mean), one_hot(text())});
  const Dataset made = pipeline.fit_transform(table, "y");
  EXPECT_EQ(pipeline.feature_names(),
            (std::vector<std::string>{"x", "x_missing", "when_month", "when_month_2", "when_days", "x_missing_2",
                                      "a=b=c", "a=d", "a=b=c_2", "a=b=e"}));
  EXPECT_EQ(pipeline.inputs().size(), 6u);
  EXPECT_EQ(made.x().span<float>()[3], 1.0f);  // January, the first row's when_month_2
  const Pipeline again = Pipeline::from_json(pipeline.to_json());
  EXPECT_EQ(again.feature_names(), pipeline.feature_names());
  EXPECT_EQ(again.to_json(), pipeline.to_json());
  const Dataset later = again.transform(table.drop({"y"}));
  const auto first = made.x().span<float>(), second = later.x().span<float>();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin(), second.end()));
}

TEST(Pipeline, NamesWhatIsWrongWithNewRows) {
  const Table table = read_csv_text(kCustomers);
  Pipeline pipeline(
      {drop(columns({"id", "joined"})), normalize_formats(), impute(numeric(), Fill::median), one_hot(categorical())});
  EXPECT_THROW(pipeline.transform(table), StateError);
  EXPECT_THROW(pipeline.width(), StateError);
  pipeline.fit(table, "churn");
  try {
    pipeline.transform(table.drop({"age"}));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "age");
  }
  Table other = table;
  other.replace("age", Column::from_strings({"x", "y", "z", "x", "y", "z"}));
  try {
    pipeline.transform(other);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "age");
    EXPECT_NE(std::string(error.what()).find("got string"), std::string::npos) << error.what();
  }
  other.replace("age", Column::from_f64({1, 2, 3.5, 4, 5, 6}));
  try {
    pipeline.transform(other);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 2);
  }
  other = table;
  other.replace("income", Column::from_strings({"$1", "$2", "$3", "$4", "five", "$6"}));
  try {
    pipeline.transform(other);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 4);
    EXPECT_EQ(error.column(), "income");
  }
  EXPECT_NO_THROW(pipeline.transform(table.drop({"id", "joined", "churn"})));
}

TEST(Pipeline, CountsWhatNoStepKnows) {
  const auto text = [](const char* a, const char* b, const char* c) { return Column::from_strings({a, b, c}); };
  Pipeline pipeline(
      {normalize_formats(), one_hot(columns({"plan"})), ordinal(columns({"size"})), impute(numeric(), Fill::median)});
  pipeline.fit({{"plan", text("a", "b", "a")}, {"flag", text("yes", "no", "no")}, {"size", text("s", "m", "l")}});
  EXPECT_TRUE(
      pipeline.unseen({{"plan", text("b", "a", "a")}, {"flag", text("No", "no", "yes")}, {"size", text("s", "m", "s")}})
          .empty());
  const auto counts = pipeline.unseen({{"plan", text("b", "z", "y")},
                                       {"flag", text("maybe", "no", "yes")},
                                       {"size", Column::nulls(ColumnType::string, 3)}});
  EXPECT_EQ(counts, (std::vector<std::pair<std::string, std::int64_t>>{{"flag", 1}, {"plan", 2}}));
}

TEST(Pipeline, NamesTheRawValueThatScalingTakesTooFar) {
  Pipeline pipeline(
      {normalize_formats(), missing_indicator(numeric()), standardize(numeric()), one_hot(categorical())});
  pipeline.fit({{"x", Column::from_f64({1, 2, 3})}, {"plan", Column::from_strings({"a", "b", "a"})}});
  try {
    pipeline.transform({{"x", Column::from_f64({1, 1e300})}, {"plan", Column::from_strings({"a", "b"})}});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "x");
    EXPECT_EQ(error.row(), 1);
    EXPECT_NE(std::string(error.what()).find("1e+300"), std::string::npos) << error.what();
  }
}

TEST(Pipeline, RefusesWhatItCannotLearnFrom) {
  const Table table = read_csv_text(kCustomers);
  EXPECT_THROW(Pipeline({nullptr}), ValueError);
  Pipeline pipeline({standardize(numeric())});
  EXPECT_THROW(pipeline.fit(table, "churned"), DataError);
  try {
    pipeline.fit(table, "churn");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "id");
    EXPECT_NE(std::string(error.what()).find("drop it"), std::string::npos);
  }
  EXPECT_FALSE(pipeline.fitted());
  EXPECT_THROW(pipeline.fit(table.head(0).select({"age", "churn"}), "churn"), DataError);
  EXPECT_THROW(Pipeline({drop("age")}).fit(table.select({"age", "churn"}), "churn"), DataError);
  EXPECT_THROW(Pipeline({standardize("age")}).fit_transform(table.select({"age", "churn"}), "churn"), DataError);
  EXPECT_THROW(Pipeline({standardize("churn")}).fit(table, "churn"), ValueError);
}

TEST(Pipeline, KeepsItsStateWhenAFitFails) {
  const Table table = read_csv_text(kCustomers).select({"age", "churn"});
  Pipeline pipeline({impute(numeric(), Fill::median)});
  pipeline.fit(table, "churn");
  const std::string before = pipeline.to_json();
  EXPECT_THROW(pipeline.fit(table.slice(2, 1), "churn"), DataError);
  EXPECT_THROW(pipeline.fit_transform(table.slice(2, 1), "churn"), DataError);
  EXPECT_EQ(pipeline.to_json(), before);
}

TEST(Pipeline, CopiesAreDeep) {
  const StepPtr step = standardize(numeric());
  Pipeline first({step}), second({step});
  first.fit({{"x", Column::from_f64({1, 2, 3})}});
  EXPECT_FALSE(second.fitted());
  Pipeline copy = first;
  copy.fit({{"x", Column::from_f64({100, 200, 300})}});
  EXPECT_NE(copy.to_json(), first.to_json());
}

TEST(Pipeline, TransformsFromManyThreads) {
  const Table table = read_csv_text(kCustomers);
  Pipeline fitted({drop(columns({"id", "joined"})), normalize_formats(), impute(numeric(), Fill::median),
                   standardize(numeric()), one_hot(categorical())});
  const Dataset expected = fitted.fit_transform(table, "churn");
  const Pipeline& pipeline = fitted;
  std::vector<int> same(8);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int k = 0; k < 20; ++k) {
        const Dataset got = pipeline.transform(table);
        same[t] += std::equal(got.features().begin(), got.features().end(), expected.features().begin());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, std::vector<int>(8, 20));
}

TEST(PipelineJson, RefusesDamage) {
  Pipeline pipeline({impute(numeric(), Fill::median), one_hot(categorical())});
  pipeline.fit({{"x", Column::from_f64({1, 2, 3})}, {"c", Column::from_codes({0, 1, 0}, {"a", "b"})}});
  const std::string text = pipeline.to_json();
  const auto changed = [&text](const std::string& from, const std::string& to) {
    std::string other = text;
    const std::size_t at = other.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    return other.replace(at, from.size(), to);
  };
  EXPECT_NO_THROW(Pipeline::from_json(text));
  EXPECT_THROW(Pipeline::from_json(""), FormatError);
  EXPECT_THROW(Pipeline::from_json("[]"), FormatError);
  EXPECT_THROW(Pipeline::from_json(text.substr(0, text.size() / 2)), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"version\":1", "\"version\":2")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"impute\"", "\"input\"")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"median\"", "\"middle\"")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"f64\"", "\"f65\"")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"min_count\":1", "\"min_count\":0")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"levels\":[\"a\",\"b\"]", "\"levels\":[\"a\",\"a\"]")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"levels\":[\"a\",\"b\"]", "\"levels\":[\"a\",\"c\"]")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"features\":[\"x\"", "\"features\":[\"y\"")), FormatError);
  EXPECT_THROW(Pipeline::from_json(changed("\"name\":\"c\"", "\"name\":\"x\"")), FormatError);
  for (std::size_t k = 0; k < text.size(); ++k) {  // any byte: another pipeline or a FormatError, nothing else
    for (const char byte : {'0', '"'}) {
      std::string other = text;
      other[k] = byte;
      try {
        Pipeline::from_json(other);
      } catch (const FormatError&) {
        continue;
      }
    }
  }
}

class Doubled final : public Step {
 public:
  std::string_view type() const override { return "test_doubled"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Doubled>(*this); }
  void fit(const Table&, const FitContext&) override {}
  Table transform(const Table& table) const override {
    std::vector<double> values = table["x"].numeric();
    for (double& value : values) value *= 2;
    Table result = table;
    result.replace("x", Column::from_f64(std::move(values)));
    return result;
  }
  Table fit_transform(const Table& table, const FitContext&) override { return transform(table); }
  std::vector<std::pair<std::string, std::string>> derived() const override { return {}; }
  std::string to_json() const override { return "{}"; }
};

TEST(PipelineJson, LoadsStepsOfOnesOwn) {
  Pipeline pipeline({std::make_shared<Doubled>()});
  const Table table = {{"x", Column::from_f64({1, 2})}};
  pipeline.fit(table);
  EXPECT_THROW(Pipeline::from_json(pipeline.to_json()), FormatError);
  const StepLoader loader = [](std::string_view) { return std::make_shared<Doubled>(); };
  register_step("test_doubled", loader);
  EXPECT_EQ(Pipeline::from_json(pipeline.to_json()).transform(table).features()[1], 4);
  EXPECT_THROW(register_step("test_doubled", loader), ValueError);
  EXPECT_THROW(register_step("standardize", loader), ValueError);
}

TEST(PipelineTable, KeepsWhatIsNoNumber) {
  const Table table = {{"word", Column::from_strings({"a", "b", "a"})},
                       {"x", Column::from_f64({1, 2, 3}, {true, false, true})},
                       {"id", Column::from_strings({"1", "2", "3"})},
                       {"y", Column::from_f64({0, 1, 0})}};
  Pipeline pipeline({drop(columns({"id"}))});
  EXPECT_THROW(pipeline.fit(table, "y"), DataError);
  EXPECT_FALSE(pipeline.fitted());
  const Table features = pipeline.fit_transform_table(table, "y");
  EXPECT_EQ(features.names(), (std::vector<std::string>{"word", "x", "y"}));
  EXPECT_TRUE(features["x"].is_null(1));
  EXPECT_EQ(features.row_ids(), table.row_ids());
  EXPECT_EQ(pipeline.feature_names(), (std::vector<std::string>{"word", "x"}));
  EXPECT_THROW(pipeline.transform(table), StateError);
  const Pipeline copy = pipeline, loaded = Pipeline::from_json(copy.to_json());
  for (const Pipeline* steps : {&copy, &loaded}) {
    EXPECT_EQ(steps->transform_table(table).content_hash(), features.content_hash());
    EXPECT_THROW(steps->transform(table), StateError);
  }
  EXPECT_EQ(loaded.to_json(), pipeline.to_json());
  // Numbers alone are a Dataset still, and without steps all columns are features.
  Pipeline none;
  EXPECT_EQ(none.fit_transform_table(table.drop({"word", "id"}), "y").names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(none.transform({{"x", Column::from_f64({5})}}).features()[0], 5);
  EXPECT_EQ(none.to_json().find("\"numbers\""), std::string::npos);
}

}  // namespace
}  // namespace tern::data
