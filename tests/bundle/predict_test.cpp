#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bundle/small.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/parallel.h"

namespace tern {
namespace {

using test::Folder;
using test::row_of;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The rows of small_csv with other words for true and false.
std::string worded(const std::string& yes, const std::string& no, std::int64_t rows = 240) {
  return replaced(replaced(test::small_csv(rows), ",true,", "," + yes + ","), ",false,", "," + no + ",");
}

// A bundle whose boolean column is yes and no in the file.
Bundle yes_no_bundle(bool profiled = true) {
  const test::Small small =
      test::small_parts(train::binary({.target = "churn", .positive = "Yes"}), 240, worded("yes", "no"));
  Provenance facts = test::small_provenance(small);
  if (!profiled) facts.profile.clear();
  return Bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted, facts);
}

Row with(Row row, const std::string& name, Value value) {
  for (auto& entry : row) {
    if (entry.first == name) entry.second = std::move(value);
  }
  return row;
}

template <class Call>
void expect_data_error(Call call, const std::string& column, const std::string& file = "") {
  try {
    call();
    ADD_FAILURE() << "nothing thrown for column " << column;
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), column) << error.what();
    if (!file.empty()) {
      EXPECT_EQ(error.file(), file) << error.what();
    }
  }
}

TEST(Predict, OneRowIsTheSameBitsAsAmongTenThousand) {
  const Bundle bundle = test::small_bundle();
  const data::Table table = data::read_csv_text(test::small_csv(10'000, 5));
  const Predictions all = bundle.predict(table);
  ASSERT_EQ(all.rows, 10'000);
  for (std::int64_t i = 0; i < table.rows(); i += 997) {
    EXPECT_EQ(bundle.predict(table.slice(i, 1)).values[0], all.values[static_cast<std::size_t>(i)]);
    const Predictions one = bundle.predict(row_of(table, i));
    EXPECT_EQ(one.values[0], all.values[static_cast<std::size_t>(i)]);
    EXPECT_EQ(one.decisions[0], all.decisions[static_cast<std::size_t>(i)]);
  }
  for (std::size_t i = 0; i < all.values.size(); ++i) {
    ASSERT_EQ(all.decisions[i], all.values[i] >= bundle.task().threshold() ? "Yes" : "No");
  }
}

TEST(Predict, ScoresTheRowsThatTrainedItAtAnySize) {
  // One block of rows and several; the file again, and the very table.
  for (const std::int64_t rows : {240, 3000}) {
    test::Small small = test::small_parts(train::binary({.target = "churn", .positive = "Yes"}), rows);
    data::Pipeline pipeline({data::drop(data::columns({"id"})), data::normalize_formats(),
                             data::impute(data::numeric(), data::Fill::median),
                             data::target_encoding(data::categorical())});
    const data::Dataset training = pipeline.fit_transform(small.training, "churn");
    small.fitted.baselines = train::fit_baselines(small.fitted.task, training);
    Bundle made(test::small_model(pipeline.width()), pipeline, small.fitted, test::small_provenance(small));
    EXPECT_THROW(made.pipeline().transform(small.training), StateError);
    EXPECT_THROW(made.pipeline().transform(small.training.slice(7, 1)), StateError);
    const Bundle loaded = Bundle::from_bytes(made.to_bytes());
    EXPECT_THROW(loaded.pipeline().transform(small.table), StateError);
    EXPECT_NO_THROW(loaded.pipeline().transform(small.test));
    const data::Table again = data::read_csv_text(test::small_csv(rows));
    const Predictions all = loaded.predict(again);
    EXPECT_EQ(made.predict(small.table).values, all.values);
    for (std::int64_t i = 0; i < rows; i += 97) {
      EXPECT_EQ(loaded.predict(again.slice(i, 1)).values[0], all.values[static_cast<std::size_t>(i)]);
      EXPECT_EQ(loaded.predict(row_of(again, i)).values[0], all.values[static_cast<std::size_t>(i)]);
    }
    EXPECT_NO_THROW(made.evaluate(small.table, false));
  }
}

TEST(Predict, IsTheSameBitsAtAnyThreadCount) {
  const Bundle bundle = test::small_bundle();
  const data::Table table = data::read_csv_text(test::small_csv(5'000, 5));
  set_num_threads(1);
  const Predictions one = bundle.predict(table);
  for (const int threads : {2, 5}) {
    set_num_threads(threads);
    EXPECT_EQ(bundle.predict(table).values, one.values) << threads;
  }
  set_num_threads(0);
}

TEST(Predict, IsSafeFromEightThreads) {
  const Bundle bundle = test::small_bundle();
  const data::Table table = data::read_csv_text(test::small_csv(3'000, 5));
  const Predictions expected = bundle.predict(table);
  std::vector<Predictions> got(8);
  std::vector<std::thread> threads;
  for (auto& predictions : got) threads.emplace_back([&] { predictions = bundle.predict(table); });
  for (std::thread& thread : threads) thread.join();
  for (const Predictions& predictions : got) EXPECT_EQ(predictions.values, expected.values);
}

TEST(Predict, ReadsFilesByTheStoredSchema) {
  const Folder folder("bundle-predict");
  const Bundle bundle = test::small_bundle();
  std::ofstream(folder / "all.csv") << test::small_csv(300, 5);
  const Predictions expected = bundle.predict(data::read_csv_text(test::small_csv(300, 5)));
  EXPECT_EQ(bundle.predict(folder / "all.csv").values, expected.values);
  const data::Table labelled = bundle.read(folder / "all.csv", true);
  EXPECT_TRUE(labelled.has("churn"));
  EXPECT_EQ(labelled.column("id").string(0), "000");
  EXPECT_FALSE(bundle.read(folder / "all.csv", false).has("churn"));
}

TEST(Predict, AFileOfNoRowsHasNoPredictions) {
  const Folder folder("bundle-no-rows");
  const Bundle bundle = test::small_bundle();
  std::ofstream(folder / "new.csv") << "id,plan,spend,age,active\n";
  const data::Table table = bundle.read(folder / "new.csv", false);
  EXPECT_EQ(table.rows(), 0);
  EXPECT_TRUE(table.has("id"));
  EXPECT_TRUE(bundle.unseen(table).empty());
  EXPECT_EQ(bundle.predict(folder / "new.csv").rows, 0);
  EXPECT_TRUE(bundle.predict(table).decisions.empty());
}

TEST(Predict, KeepsIdsThatAreWordsForAMissingValue) {
  const Folder folder("bundle-ids");
  const Bundle bundle = Bundle::from_bytes(test::small_bundle().to_bytes());
  std::ofstream(folder / "new.csv") << "id,plan,spend,age,active\n"
                                       "NA,basic,$20.00,40,true\n"
                                       ",basic,$20.00,NA,true\n";
  const data::Table table = bundle.read(folder / "new.csv", false);
  EXPECT_EQ(table.column("id").string(0), "NA");
  EXPECT_TRUE(table.column("id").is_null(1));
  EXPECT_TRUE(table.column("age").is_null(1));
}

TEST(Predict, TakesWhatIsNoError) {
  const Folder folder("bundle-lenient");
  const Bundle bundle = test::small_bundle();
  // Columns in another order, one more, an unseen plan, a blank age throughout, no id and no target.
  std::ofstream(folder / "new.csv") << "plan,spend,more,age,active\n"
                                       "gold,\"$1,234.50\",x,,true\n"
                                       "basic,$20.00,y,,false\n"
                                       ",,z,,\n";
  const Predictions predictions = bundle.predict(folder / "new.csv");
  EXPECT_EQ(predictions.rows, 3);
  const Row row{{"plan", "gold"}, {"spend", "$1,234.50"}, {"age", std::monostate{}}, {"active", true}, {"other", 1.0}};
  EXPECT_EQ(bundle.predict(row).values[0], predictions.values[0]);
  EXPECT_EQ(bundle.read(folder / "new.csv", false).has("id"), false);
}

TEST(Predict, RefusesWhatIsMissingOrOfAnotherType) {
  const Folder folder("bundle-strict");
  const Bundle bundle = test::small_bundle();
  const std::string path = folder / "bad.csv";
  std::ofstream(path) << "plan,spend,active\nbasic,$20.00,true\n";
  expect_data_error([&] { bundle.predict(path); }, "age", path);
  std::ofstream(path) << "plan,spend,age,active\nbasic,$20.00,old,true\n";
  expect_data_error([&] { bundle.predict(path); }, "age", path);
  std::ofstream(path) << "plan,spend,age,active\nbasic,many,40,true\n";
  expect_data_error([&] { bundle.predict(path); }, "spend", path);
  std::ofstream(path) << "plan,spend,age,active,churn\n";
  EXPECT_THROW(bundle.read(path, true), DataError);
  std::ofstream(path) << "plan,spend,active\n";
  expect_data_error([&] { bundle.predict(path); }, "age", path);
  EXPECT_THROW(bundle.predict(folder / "none.csv"), FileError);
  std::ofstream(path) << "plan,spend,age,active\nbasic,$20.00,40,true\n";
  EXPECT_THROW(bundle.read(path, true), DataError);

  const data::Table table = data::read_csv_text(test::small_csv(40, 5));
  expect_data_error([&] { bundle.predict(table.drop({"plan"})); }, "plan");
  expect_data_error([&] { bundle.predict(table.head(0).drop({"plan"})); }, "plan");
  data::Table other = table;
  other.replace("age", data::Column::from_strings(std::vector<std::string>(40, "old")));
  expect_data_error([&] { bundle.predict(other); }, "age");
  EXPECT_EQ(bundle.predict(table.head(0)).values.size(), 0u);
}

TEST(Predict, KnowsYesAndNoInOtherSpellings) {
  const Folder folder("bundle-truths");
  const Bundle bundle = yes_no_bundle();
  std::ofstream(folder / "a.csv") << worded("yes", "no");
  const std::vector<double> expected = bundle.predict(folder / "a.csv").values;
  for (const auto& [yes, no] : {std::pair("Y", "N"), std::pair("1", "0"), std::pair("TRUE", "False"),
                                std::pair("t", "f"), std::pair("ON", "off"), std::pair("Yes", "NO")}) {
    std::ofstream(folder / "b.csv") << worded(yes, no);
    EXPECT_EQ(bundle.predict(folder / "b.csv").values, expected) << yes;
  }
  // Another word is missing, as a blank is, and said.
  std::ofstream(folder / "b.csv") << worded("maybe", "no");
  std::ofstream(folder / "c.csv") << worded("", "no");
  EXPECT_EQ(bundle.predict(folder / "b.csv").values, bundle.predict(folder / "c.csv").values);
  const auto found = unfamiliar_values(bundle.profile(), bundle.read(folder / "b.csv", false));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].beside_truth);
  ASSERT_EQ(found[0].levels.size(), 1u);
  EXPECT_EQ(found[0].levels[0].first, "maybe");
}

// A bundle whose schema reads amounts and percentages, with a column of yes and no.
Bundle written_bundle() {
  std::string text = "id,age,plan,active,spend,churn\n";  // age in percent, spend in dollars
  for (int i = 0; i < 240; ++i) {
    text += std::to_string(i) + "," + std::to_string(20 + i % 40) + ".5%," + (i % 3 ? "plus" : "basic") + "," +
            (i % 5 < 2 ? "yes" : "no") + ",\"$1,0" + std::to_string(10 + i % 80) + "\"," + (i % 2 ? "Yes\n" : "No\n");
  }
  test::Small small = test::small_parts(train::binary({.target = "churn", .positive = "Yes"}), 240, text);
  for (data::SchemaColumn& column : small.schema.columns) {
    if (column.name == "age") column.format = "number:point+percent";
    if (column.name == "spend") column.format = "number:point+group+$";
    if (!column.format.empty()) column.type = data::ColumnType::f64;
  }
  const data::Table table = data::read_csv_text(text, {.schema = small.schema});
  small.pipeline = data::Pipeline({data::drop(data::columns({"id"})), data::normalize_formats(),
                                   data::impute(data::numeric(), data::Fill::median),
                                   data::standardize(data::numeric()), data::one_hot(data::categorical())});
  const data::Dataset training = small.pipeline.fit_transform(table, "churn");
  small.fitted.baselines = train::fit_baselines(small.fitted.task, training);
  Provenance facts = test::small_provenance(small);
  return Bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted, facts);
}

TEST(Predict, ARowIsReadAsAFileIs) {
  const Folder folder("bundle-row");
  const Bundle bundle = written_bundle();
  const std::vector<std::string> names = {"age", "plan", "active", "spend"};
  const std::vector<std::string> usual = {"25.5%", "plus", "yes", "$1,020"};
  const std::vector<std::string> texts = {"",      "NA",  "n/a",   "?",    " ",       "None",  "nan",  "plus",
                                          " plus", "12%", "12.5%", "12.5", "-3 %",    "$7",    "7",    "1,234",
                                          "yes",   "Y",   " No ",  "1",    "t",       "maybe", "gold", "\"",
                                          "a,b",   "$-",  "na",    "5\n6", "\xC3\xA9"};
  for (std::size_t c = 0; c < names.size(); ++c) {
    for (const std::string& text : texts) {
      std::string header, record;
      Row row;
      for (std::size_t k = 0; k < names.size(); ++k) {
        const std::string& value = k == c ? text : usual[k];
        header += (k ? "," : "") + names[k];
        record += (k ? ",\"" : "\"") + replaced(value, "\"", "\"\"") + "\"";
        row.emplace_back(names[k], value);
      }
      std::ofstream(folder / "a.csv") << header << "\n" << record << "\n";
      std::string as_file, as_row;
      double file_value = -1, row_value = -2;
      try {
        file_value = bundle.predict(folder / "a.csv").values[0];
      } catch (const DataError& error) {
        as_file = error.message();
      }
      try {
        row_value = bundle.predict(row).values[0];
      } catch (const DataError& error) {
        as_row = error.message();
        EXPECT_EQ(error.column(), names[c]);
        EXPECT_EQ(error.line(), -1);
      }
      EXPECT_EQ(as_row, as_file) << names[c] << " " << text;
      if (as_file.empty()) {
        EXPECT_EQ(row_value, file_value) << names[c] << " " << text;
      }
    }
  }
}

TEST(Predict, ValuesOfARowThatAreNoText) {
  const Bundle bundle = written_bundle();
  const Row good{{"age", "25.5%"}, {"plan", "plus"}, {"active", "yes"}, {"spend", "$1,020"}};
  const double expected = bundle.predict(good).values[0];
  EXPECT_EQ(bundle.predict(with(good, "spend", 1020.0)).values[0], expected);
  EXPECT_EQ(bundle.predict(with(good, "active", true)).values[0], expected);
  EXPECT_EQ(bundle.predict(with(good, "active", false)).values[0],
            bundle.predict(with(good, "active", std::string("no"))).values[0]);
  EXPECT_EQ(bundle.predict(with(good, "age", std::monostate{})).values[0],
            bundle.predict(with(good, "age", std::string("n/a"))).values[0]);
  for (const Value& percent : {Value(0.255), Value(25.5), Value(std::int64_t{25})}) {  // percent or a fraction
    expect_data_error([&] { bundle.predict(with(good, "age", percent)); }, "age");
  }
  expect_data_error([&] { bundle.predict(with(good, "plan", true)); }, "plan");
  EXPECT_TRUE(bundle.predict(good).unknown.empty());
  EXPECT_EQ(bundle.predict(with(good, "plan", std::string("gold"))).unknown, std::vector<std::string>{"plan"});
  EXPECT_EQ(bundle.predict(with(good, "active", std::string("maybe"))).unknown, std::vector<std::string>{"active"});
  EXPECT_TRUE(bundle.predict(with(good, "active", std::string("NA"))).unknown.empty());
}

TEST(Predict, TellsOfAColumnOfWhichItKnowsNothing) {
  const Folder folder("bundle-unknown");
  const std::string path = folder / "a.csv";
  const auto told = [&](const Bundle& bundle, const std::string& text) {
    std::ofstream(path) << text;
    std::vector<std::string> logged;
    const LogSink before = set_log_sink([&logged](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) logged.emplace_back(line);
    });
    const Predictions predictions = bundle.predict(path);
    set_log_sink(before);
    EXPECT_EQ(logged.size(), predictions.warnings.size());
    EXPECT_EQ(predictions.values.size(), static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1);
    return predictions.warnings.empty() ? "" : predictions.warnings[0];
  };
  for (const bool profiled : {true, false}) {
    const Bundle bundle = yes_no_bundle(profiled);
    const std::string warning = told(bundle, worded("ja", "nein"));
    for (const char* word : {"column \"active\": none of its 240 values", "\"ja\" 1", "\"nein\" 1"}) {
      EXPECT_NE(warning.find(word), std::string::npos) << warning;
    }
    EXPECT_EQ(
        told(bundle, replaced(replaced(replaced(test::small_csv(3000), "basic", "a"), "plus", "b"), "premium", "c"))
            .find("column \"plan\": "),
        0u);
    // One row that is known, also far behind, is enough; so are fewer than ten values.
    EXPECT_EQ(told(bundle, replaced(worded("ja", "nein", 3000), ",ja,", ",,") + "x,30,basic,yes,$1.00,Yes\n"), "");
    EXPECT_EQ(told(bundle, worded("ja", "nein", 9)), "");
    // Blank in the first rows.
    std::string late = "id,age,plan,active,spend\n";
    for (int i = 0; i < 3000; ++i) late += "x,30,basic," + std::string(i < 2000 ? "" : "ja") + ",$1.00\n";
    EXPECT_EQ(told(bundle, late).find("column \"active\": "), 0u);
  }
}

TEST(Predict, RareLevelsMayAllBeUnknown) {
  // Two rows in three have a plan that few share.
  std::string text = "id,age,plan,active,spend,churn\n";
  for (int i = 0; i < 240; ++i) {
    text += std::to_string(i) + "," + std::to_string(20 + i % 40) + "," +
            (i % 3 ? "p" + std::to_string(i / 3) : "basic") + ",true,$1.00," + (i % 2 ? "Yes\n" : "No\n");
  }
  const test::Small small = test::small_parts(train::binary({.target = "churn", .positive = "Yes"}), 240, text);
  const Bundle bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted,
                      test::small_provenance(small));
  const auto rows = [&](int count) {
    std::string csv = "age,plan,active,spend\n";
    for (int i = 0; i < count; ++i) csv += "30,q" + std::to_string(i) + ",true,$1.00\n";
    return data::read_csv_text(csv);
  };
  EXPECT_TRUE(bundle.predict(rows(20)).warnings.empty());  // a matter of chance
  EXPECT_EQ(bundle.predict(rows(200)).warnings.size(), 1u);
}

TEST(Predict, ChecksARow) {
  const Bundle bundle = test::small_bundle();
  const Row good = row_of(data::read_csv_text(test::small_csv(40, 5)), 1);
  Row fewer = good, twice = good;
  fewer.pop_back();
  twice.push_back(good[0]);
  expect_data_error([&] { bundle.predict(fewer); }, good.back().first);
  expect_data_error([&] { bundle.predict(twice); }, good[0].first);
  expect_data_error([&] { bundle.predict(with(good, "age", std::string("old"))); }, "age");
  expect_data_error([&] { bundle.predict(with(good, "age", true)); }, "age");
  expect_data_error([&] { bundle.predict(with(good, "age", 40.5)); }, "age");
  expect_data_error([&] { bundle.predict(with(good, "plan", 3.0)); }, "plan");
  expect_data_error([&] { bundle.predict(with(good, "active", std::int64_t{1})); }, "active");
  expect_data_error([&] { bundle.predict(with(good, "plan", true)); }, "plan");
  expect_data_error([&] { bundle.predict(with(good, "age", std::string("4\0", 2))); }, "");
  const double age = bundle.predict(with(good, "age", std::int64_t{40})).values[0];
  EXPECT_EQ(bundle.predict(with(good, "age", 40.0)).values[0], age);
  EXPECT_EQ(bundle.predict(with(good, "age", std::string("40"))).values[0], age);
}

}  // namespace
}  // namespace tern
