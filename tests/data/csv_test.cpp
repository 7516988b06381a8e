#include "tern/data/csv.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <set>
#include <thread>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::data {
namespace {

namespace fs = std::filesystem;

class CsvFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("tern-csv-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string at(const char* name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

DataError error_of(std::string_view text, const CsvOptions& options = {}) {
  try {
    read_csv_text(text, options);
  } catch (const DataError& error) {
    return error;
  }
  return DataError("none", "no error for " + std::string(text.substr(0, 60)));
}

#define EXPECT_SAYS(error, part) EXPECT_NE(std::string((error).what()).find(part), std::string::npos) << (error).what()

TEST(ReadCsv, InfersTypes) {
  const Table t = read_csv_text(
      "i,f,b,t,s,none,mixed\n"
      "1,1.5,true,2024-01-31,abc,,1\n"
      "-2,2,FALSE,2024-01-31T10:00:00Z,NA,NA,x\n"
      "+3, 1e3 ,True,2024-01-31 10:00,\"d,e\",?,2.5\n");
  EXPECT_EQ(t["i"].type(), ColumnType::i64);
  EXPECT_EQ(t["i"].i64(2), 3);
  EXPECT_EQ(t["f"].type(), ColumnType::f64);
  EXPECT_EQ(t["f"].f64(2), 1000);
  EXPECT_EQ(t["b"].type(), ColumnType::boolean);
  EXPECT_FALSE(t["b"].boolean(1));
  EXPECT_EQ(t["t"].type(), ColumnType::timestamp);
  EXPECT_EQ(t["t"].timestamp(2), t["t"].timestamp(1));
  EXPECT_EQ(t["s"].type(), ColumnType::string);
  EXPECT_TRUE(t["s"].is_null(1));
  EXPECT_EQ(t["s"].string(2), "d,e");
  EXPECT_EQ(t["none"].type(), ColumnType::f64);
  EXPECT_EQ(t["none"].null_count(), 3);
  EXPECT_EQ(t["mixed"].type(), ColumnType::string);
  EXPECT_EQ(read_csv_text("y\nYes\nNo\n")["y"].type(), ColumnType::string);
  EXPECT_EQ(read_csv_text("y\n0\n1\n")["y"].type(), ColumnType::i64);
}

TEST(ReadCsv, KeepsIdentifiersAsText) {
  CsvReport report;
  const Table t = read_csv_text(
      "zip,id,big,f\n00501,99999999999999999999,99999999999999999999,1.5\n10001,88888888888888888888,1.5,0.5\n", {},
      &report);
  EXPECT_EQ(t["zip"].string(0), "00501");
  EXPECT_EQ(t["id"].string(0), "99999999999999999999");
  EXPECT_EQ(t["big"].f64(0), 1e20);
  EXPECT_EQ(t["f"].type(), ColumnType::f64);
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_NE(report.notes[0].find("leading zeros"), std::string::npos);
  EXPECT_NE(report.notes[1].find("64 bits"), std::string::npos);
  EXPECT_EQ(read_csv_text("zip\n00501\n", {.types = {{"zip", ColumnType::i64}}})["zip"].i64(0), 501);
}

TEST(ReadCsv, ReadsAFewLongWholeNumbersAsNumbers) {
  const auto read = [](int rows, int longs, CsvReport& report, const std::string& last = "7") {
    std::string text = "n\n";
    for (int i = 1; i < rows; ++i) text += i < rows - longs ? "5\n" : "99999999999999999999\n";
    return read_csv_text(text + last + "\n", {}, &report);
  };
  CsvReport report;
  for (const int threads : {1, 5}) {
    set_num_threads(threads);
    const Table few = read(9000, 2, report);  // far behind the rows from which types are guessed
    ASSERT_EQ(few["n"].type(), ColumnType::f64);
    EXPECT_EQ(few["n"].f64(8998), 1e20);
    ASSERT_EQ(report.notes.size(), 1u);
    EXPECT_NE(report.notes[0].find("2 of 9000 values are whole numbers beyond 64 bits, the first in line 8999"),
              std::string::npos)
        << report.notes[0];
  }
  set_num_threads(0);
  EXPECT_EQ(read(20, 17, report)["n"].type(), ColumnType::f64);
  EXPECT_EQ(read(20, 18, report)["n"].type(), ColumnType::string);
  EXPECT_TRUE(read(20, 2, report, "0.5")["n"].type() == ColumnType::f64 && report.notes.empty());
  EXPECT_EQ(read(20, 2, report, "x")["n"].type(), ColumnType::string);
  // One beyond double is an error, where it stands among whole numbers, too.
  for (const char* first : {"1\n", "1.5\n"}) {
    try {
      read_csv_text("n\n" + std::string(400, '9') + "\n" + first + first + first);
      FAIL() << "expected a DataError";
    } catch (const DataError& error) {
      EXPECT_EQ(error.line(), 2);
      EXPECT_NE(error.message().find("too large"), std::string::npos);
    }
  }
}

TEST(ReadCsv, InfersOverTheWholeColumn) {
  // What decides stands far behind the rows from which types are guessed.
  std::string text = "i,f,s,late,big,b,blank,zero\n";
  constexpr int rows = 9000;
  for (int i = 0; i < rows; ++i) {
    const bool last = i == rows - 1;
    text += std::to_string(i) + "," + std::to_string(i) + (last ? ".5" : "") + "," + (last ? "x" : "1") + "," +
            (last ? "7" : "") + "," +
            (i == 3 ? "99999999999999999999"
             : last ? "0.5"
                    : "4") +
            "," + (last ? "no" : "true") + "," + (i == 5000 ? "2024-01-01" : "") + "," + (last ? "01" : "1") + "\n";
  }
  for (const int threads : {1, 5}) {
    set_num_threads(threads);
    const Table t = read_csv_text(text);
    EXPECT_EQ(t.rows(), rows);
    EXPECT_EQ(t["i"].type(), ColumnType::i64);
    EXPECT_EQ(t["i"].i64(rows - 1), rows - 1);
    EXPECT_EQ(t["f"].type(), ColumnType::f64);
    EXPECT_EQ(t["f"].f64(rows - 1), rows - 0.5);
    EXPECT_EQ(t["f"].f64(17), 17);
    EXPECT_EQ(t["s"].type(), ColumnType::string);
    EXPECT_EQ(t["s"].string(0), "1");
    EXPECT_EQ(t["late"].type(), ColumnType::i64);
    EXPECT_EQ(t["late"].null_count(), rows - 1);
    EXPECT_EQ(t["big"].type(), ColumnType::f64);
    EXPECT_EQ(t["b"].type(), ColumnType::string);
    EXPECT_EQ(t["b"].string(0), "true");
    EXPECT_EQ(t["blank"].type(), ColumnType::timestamp);
    EXPECT_FALSE(t["blank"].is_null(5000));
    EXPECT_EQ(t["zero"].string(rows - 1), "01");
    EXPECT_EQ(t["zero"].string(0), "1");
  }
  set_num_threads(0);
  text += "1,1e999,1,1,1,true,,1\n";
  const DataError error = error_of(text);
  EXPECT_SAYS(error, "too large");
  EXPECT_EQ(error.row(), rows);
  EXPECT_EQ(error.column(), "f");
}

TEST(ReadCsv, Rfc4180) {
  const Table t = read_csv_text("a,b\r\n\"x\"\"y\",\"line\nbreak\"\r\n\"\"\"\",\"a,b\"\r\n5\" pipe,it's\r\n");
  EXPECT_EQ(t.rows(), 3);
  EXPECT_EQ(t["a"].string(0), "x\"y");
  EXPECT_EQ(t["b"].string(0), "line\nbreak");
  EXPECT_EQ(t["a"].string(1), "\"");
  EXPECT_EQ(t["b"].string(1), "a,b");
  EXPECT_EQ(t["a"].string(2), "5\" pipe");
  EXPECT_EQ(t.location(0).line, 2);
  EXPECT_EQ(t.location(1).line, 4);
  EXPECT_EQ(t.location(2).line, 5);
}

TEST(ReadCsv, LineEndsBlankLinesAndMark) {
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4",
                           "\xEF\xBB\xBF"
                           "a,b\n1,2\n\n\r\n3,4\n\n",
                           "\n\na,b\n1,2\r3,4\r\n"}) {
    const Table t = read_csv_text(text);
    EXPECT_EQ(t.names(), (std::vector<std::string>{"a", "b"})) << text;
    ASSERT_EQ(t.rows(), 2) << text;
    EXPECT_EQ(t["b"].i64(1), 4) << text;
  }
  EXPECT_EQ(read_csv_text("a,b\n1,2\n\n\n3,4\n").location(1).line, 5);
  EXPECT_EQ(read_csv_text("a\n\"x\ny\"\n2\n").location(1).line, 4);
}

TEST(ReadCsv, FindsTheDelimiter) {
  for (const char d : {',', ';', '\t', '|'}) {
    std::string text = "first name|, x;y\t\"";
    const std::string s(1, d);
    text = "a" + s + "b" + s + "c\n1" + s + "\"2,5;|\t\"" + s + "3\n4" + s + "5" + s + "6\n";
    CsvReport report;
    EXPECT_EQ(read_csv_text(text, {}, &report).width(), 3);
    EXPECT_EQ(report.delimiter, d);
  }
  EXPECT_EQ(read_csv_text("a;b\n1,5;2,5\n3,5;4,5\n").names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read_csv_text("only\nx\ny\n").width(), 1);
  EXPECT_EQ(read_csv_text("a:b\n1:2\n", {.delimiter = ':'}).width(), 2);
}

TEST(ReadCsv, MissingWords) {
  const Table t = read_csv_text("x,y\nNA,\" \"\n null ,\"NA\"\nNone,a\n1,?\n");
  EXPECT_EQ(t["x"].null_count(), 3);
  EXPECT_EQ(t["x"].type(), ColumnType::i64);
  EXPECT_EQ(t["y"].null_count(), 3);
  const Table quoted = read_csv_text("x,y\nNA,\"NA\"\n1,\"\"\n", {.quoted_missing = false});
  EXPECT_TRUE(quoted["x"].is_null(0));
  EXPECT_EQ(quoted["y"].string(0), "NA");
  EXPECT_EQ(quoted["y"].string(1), "");
  EXPECT_EQ(quoted["y"].null_count(), 0);
  const Table own = read_csv_text("x,y\n-9,NA\n1,\n", {.missing = {"-9"}});
  EXPECT_TRUE(own["x"].is_null(0));
  EXPECT_EQ(own["y"].null_count(), 0);
  EXPECT_EQ(own["y"].string(0), "NA");
}

TEST(ReadCsv, TheMissingWordsAreThoseOfPandasAndTwoMore) {
  // pandas.read_csv, "na_values", as of pandas 2.
  for (const char* word :
       {"",    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
        "N/A", "NA",   "NULL",     "NaN", "None",    "n/a",      "nan",  "null", "N/a",    "?"}) {
    const Table t = read_csv_text(std::string("x,y\n1,a\n").append(word).append(",b\n"));
    EXPECT_TRUE(t["x"].is_null(1)) << word;
    EXPECT_EQ(t["x"].type(), ColumnType::i64) << word;
  }
  for (const char* word : {"na", "none", "unknown", "-", "n.a.", "Null"}) {
    const Table t = read_csv_text(std::string("x,y\n1,a\n").append(word).append(",b\n"));
    EXPECT_EQ(t["x"].null_count(), 0) << word;
  }
}

TEST(ReadCsv, AnIdMayBeCalledAsAMissingWord) {
  CsvReport report;
  const Table t =
      read_csv_text("code,x\nNA,NA\n?,1\n,2\n\"\",3\n\"null\",4\n", {.only_blank_missing = {"code", "none"}}, &report);
  EXPECT_EQ(t["code"].type(), ColumnType::string);
  EXPECT_EQ(t["code"].string(0), "NA");
  EXPECT_EQ(t["code"].string(1), "?");
  EXPECT_EQ(t["code"].string(4), "null");
  EXPECT_EQ(t["code"].null_count(), 2);
  EXPECT_EQ(t["x"].null_count(), 1);
  const Schema schema = Schema::from_json(report.schema.to_json());
  EXPECT_EQ(read_csv_text("code,x\nNone,None\n", {.schema = schema})["code"].string(0), "None");
  EXPECT_THROW(read_csv_text("code,x\n1,2\n", {.only_blank_missing = {"code"}, .schema = schema}), ValueError);
}

TEST(ReadCsv, BlanksAroundTextAreNoPartOfItUnlessQuoted) {
  const Table t = read_csv_text("id, plan \n1, a b\t\n2,\" a b \"\n3,a b\n4,\t\n");
  EXPECT_EQ(t["plan"].string(0), "a b");
  EXPECT_EQ(t["plan"].string(1), " a b ");
  EXPECT_EQ(t["plan"].string(2), "a b");
  EXPECT_TRUE(t["plan"].is_null(3));
}

TEST(ReadCsv, MoreMissingWords) {
  CsvReport report;
  const Table t = read_csv_text("x,y\n1,n.a.\nunknown,2\nNA, \n", {.more_missing = {"unknown", "n.a.", "NA"}}, &report);
  EXPECT_EQ(t["x"].type(), ColumnType::i64);
  EXPECT_EQ(t["x"].null_count(), 2);
  EXPECT_EQ(t["y"].type(), ColumnType::i64);
  EXPECT_EQ(t["y"].null_count(), 2);
  EXPECT_EQ(report.schema.missing.size(), default_missing_words().size() + 2);
  EXPECT_EQ(read_csv_text("x,y\nunknown,3\n", {.schema = report.schema})["x"].null_count(), 1);
  const Table floats = read_csv_text("lab\n-999.0\n1.5\n-999\n", {.more_missing = {"-999"}});
  EXPECT_TRUE(floats["lab"].is_null(0) && floats["lab"].is_null(2));
  EXPECT_EQ(floats["lab"].f64(1), 1.5);
  const Table both = read_csv_text("x,y\nunknown,gone\n", {.more_missing = {"gone"}, .schema = report.schema});
  EXPECT_EQ(both["y"].null_count(), 1);
}

TEST(ReadCsv, RefusesInfinityWhereItIsRead) {
  std::string text = "a,b\n";
  for (int i = 0; i < 9000; ++i) text += "x," + (i == 8000 ? std::string("-Inf") : std::to_string(i)) + "\n";
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    const DataError error = error_of(text);
    EXPECT_SAYS(error, "expected a finite number, got \"-Inf\"");
    EXPECT_SAYS(error, "a missing word");
    EXPECT_SAYS(error, "the type number");
    EXPECT_EQ(error.row(), 8000);
    EXPECT_EQ(error.line(), 8002);
    EXPECT_EQ(error.column(), "b");
    EXPECT_EQ(read_csv_text(text + "x,word\n")["b"].type(), ColumnType::string);
  }
  set_num_threads(0);
  std::string early = text;  // among the rows from which types are guessed, what decides far behind
  early.replace(early.find("x,5\n"), 4, "x,inf\n");
  EXPECT_EQ(error_of(early).row(), 5);
  EXPECT_EQ(read_csv_text(early + "x,word\n")["b"].type(), ColumnType::string);
  EXPECT_SAYS(error_of("a\n1.5\ninf\n1e999\n"), "row 1 ");
  EXPECT_SAYS(error_of("a\n1.5\n1e999\ninf\n"), "too large");
  EXPECT_EQ(read_csv_text(text, {.types = {{"b", ColumnType::f64}}})["b"].f64(8000),
            -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(read_csv_text(text, {.more_missing = {"-Inf"}})["b"].is_null(8000));
}

TEST(ReadCsv, NamesTheIndexThatPandasWrites) {
  CsvReport report;
  const Table t = read_csv_text(",age\n0,31\n1,45\n", {}, &report);
  EXPECT_EQ(t.names(), (std::vector<std::string>{"Unnamed: 0", "age"}));
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("pandas"), std::string::npos);
  EXPECT_EQ(read_csv_text(",age\n7,31\n", {.schema = report.schema})["Unnamed: 0"].i64(0), 7);
  EXPECT_EQ(read_csv_text("\"\",Unnamed: 0,age\n0,0,31\n").names(),
            (std::vector<std::string>{"Unnamed: 0.1", "Unnamed: 0", "age"}));
  EXPECT_SAYS(error_of(",,age\n0,1,31\n"), "empty one for column 2");
  EXPECT_SAYS(error_of("\"\"\nx\n"), "empty one for column 1");
}

TEST(ReadCsv, FindsTheDelimiterOfItsSchema) {
  const std::string text = "fee, monthly;plan\n1,5;basic\n2,5;plus\n";
  CsvReport report;
  const Table t = read_csv_text(text, {.delimiter = ';'}, &report);
  EXPECT_EQ(t.width(), 2);
  EXPECT_EQ(read_csv_text(text).names()[0], "fee") << "from the text alone, a comma is as good";
  const Table again = read_csv_text(text, {.schema = report.schema}, &report);
  EXPECT_TRUE(again.equals(t));
  EXPECT_EQ(report.delimiter, ';');
  EXPECT_EQ(read_csv_text("plan,\"fee, monthly\"\nbasic,3\n", {.schema = report.schema}).width(), 2) << "or another";
}

TEST(ReadCsv, KnowsRowsByTheTextTheyStandIn) {
  const std::string text = "a,b\n1,2\n3,4\n";
  const Table t = read_csv_text(text);
  EXPECT_TRUE(t.origin(0).text);
  EXPECT_EQ(read_csv_text(text, {.max_rows = 1}).origin(0), t.origin(0));
  std::set<std::uint64_t> ids;
  std::string large = "a\n" + std::string(600'000, '1') + "\n";
  const auto add = [&ids](const std::string& one) { ids.insert(read_csv_text(one).origin(0).id); };
  for (const std::string& other : {text, text + "\n", text + "5,6\n", std::string("a,b\n1,2\n4,3\n")}) add(other);
  EXPECT_EQ(ids.size(), 4u);
  for (const std::size_t at : {2u, 70u, 262'143u, 262'144u, 262'145u, 600'001u}) {
    std::string other = large;
    other[at] = '2';
    add(other);
  }
  std::swap_ranges(large.begin() + 2, large.begin() + 4, large.begin() + 300'000);
  add(large);
  EXPECT_EQ(ids.size(), 11u);
  set_num_threads(3);
  const std::uint64_t three = read_csv_text(large).origin(0).id;
  set_num_threads(0);
  EXPECT_EQ(three, read_csv_text(large).origin(0).id);
}

TEST(ReadCsv, ToldTypes) {
  const Table t =
      read_csv_text("a,b,c,d,e\n1,yes,x,2024-01-01,3.0\n2,no,y,2024-01-02,4\n", {.types = {{"a", ColumnType::string},
                                                                                           {"b", ColumnType::boolean},
                                                                                           {"c", "categorical"},
                                                                                           {"d", "timestamp"},
                                                                                           {"e", "i64"}}});
  EXPECT_EQ(t["a"].string(0), "1");
  EXPECT_TRUE(t["b"].boolean(0));
  EXPECT_EQ(t["c"].levels(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(t["d"].type(), ColumnType::timestamp);
  EXPECT_EQ(t["e"].i64(0), 3);
  try {
    read_csv_text("a,b\n1,2\n", {.types = {{"a", "i64"}, {"b", "float"}}});
    ADD_FAILURE() << "an unknown type was taken";
  } catch (const ValueError& error) {
    for (const char* part : {"column \"b\"", "got \"float\"", "f64", "timestamp", "date:dmy"}) EXPECT_SAYS(error, part);
  }
  EXPECT_THROW(read_csv_text("a\n1\n", {.types = {{"a", "date:never"}}}), ValueError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.types = {{"a", ""}}}), ValueError);
  EXPECT_EQ(read_csv_text("a\n1\n", {.types = {{"a", "number"}}})["a"].type(), ColumnType::f64);
  const DataError error = error_of("a,b\n1,2\n3,x\n", {.types = {{"b", ColumnType::i64}}});
  EXPECT_EQ(error.row(), 1);
  EXPECT_EQ(error.line(), 3);
  EXPECT_EQ(error.column(), "b");
  EXPECT_SAYS(error, "expected a whole number, got \"x\"");
  EXPECT_SAYS(error_of("a\n99999999999999999999\n", {.types = {{"a", ColumnType::i64}}}), "too large");
  EXPECT_SAYS(error_of("a\n1e999\n", {.types = {{"a", ColumnType::f64}}}), "too large");
  EXPECT_SAYS(error_of("a\n1.5\n", {.types = {{"a", ColumnType::i64}}}), "expected a whole number");
  EXPECT_SAYS(error_of("a\nmaybe\n", {.types = {{"a", ColumnType::boolean}}}), "expected true or false");
  EXPECT_SAYS(error_of("a\n2024-13-01\n", {.types = {{"a", ColumnType::timestamp}}}),
              "expected a date or time written like 2024-01-31");
  EXPECT_SAYS(error_of("price\n1\n", {.types = {{"pric", ColumnType::i64}}}), "near it: \"price\"");
}

TEST(ReadCsv, BadInputIsNamed) {
  EXPECT_SAYS(error_of(""), "empty file");
  EXPECT_SAYS(error_of("\n\n"), "empty file");
  EXPECT_SAYS(error_of("\xEF\xBB\xBF"), "empty file");
  EXPECT_SAYS(error_of("a,b\n"), "header alone");
  EXPECT_SAYS(error_of("a,b,a\n1,2,3\n"), "\"a\"");
  EXPECT_SAYS(error_of("a,b,a\n1,2,3\n"), "once");
  EXPECT_SAYS(error_of("a,,b\n1,2,3\n"), "empty one for column 2");
  const DataError ragged = error_of("a,b\n1,2\n\"x\ny\",2,3\n");
  EXPECT_SAYS(ragged, "expected 2 fields, got 3");
  EXPECT_EQ(ragged.row(), 1);
  EXPECT_EQ(ragged.line(), 3);
  EXPECT_SAYS(error_of("a,b\n1\n"), "expected 2 fields, got 1");
  const DataError unclosed = error_of("a,b\n1,2\n3,\"open\n5,6\n7,8\n");
  EXPECT_SAYS(unclosed, "closing quote");
  EXPECT_EQ(unclosed.line(), 3);
  EXPECT_EQ(error_of("a,b\n\"x\ny\",\"open\n").line(), 3);
  const DataError after = error_of("a,b\n1,\"x\"y\n");
  EXPECT_SAYS(after, "after a closing quote");
  EXPECT_EQ(after.column(), "b");
  const DataError utf8 = error_of("a,b\n1,ok\n2,caf\xE9\n");
  EXPECT_SAYS(utf8, "UTF-8");
  EXPECT_EQ(utf8.row(), 1);
  EXPECT_EQ(utf8.column(), "b");
  EXPECT_SAYS(error_of("a,caf\xE9\n1,2\n"), "UTF-8");
  EXPECT_SAYS(error_of(std::string_view("a,b\n1,\0\n", 8)), "binary");
  EXPECT_EQ(error_of(std::string_view("a,b\n1,\0\n", 8)).line(), 2);
  EXPECT_SAYS(error_of("\xFF\xFE"
                       "a"),
              "UTF-16");
  const DataError large = error_of("a,b\n1,2\n1,1e999\n");
  EXPECT_SAYS(large, "too large");
  EXPECT_EQ(large.row(), 1);
  EXPECT_EQ(large.column(), "b");
  const DataError field = error_of("a,b\n1," + std::string(100, 'x') + "\n", {.max_field_bytes = 50});
  EXPECT_SAYS(field, "at most 50 bytes");
  EXPECT_EQ(field.column(), "b");
  EXPECT_SAYS(error_of("a,b,c\n1,2,3\n", {.max_columns = 2}), "at most 2 columns, got 3");
  EXPECT_SAYS(error_of("a,b,c\n1,2,3\n", {.max_bytes = 5}), "at most 5 bytes");
}

TEST(ReadCsv, RefusesBadOptions) {
  EXPECT_THROW(read_csv_text("a\n1\n", {.delimiter = '"'}), ValueError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.bad_rows = BadRows::report}), ValueError);
  const Schema schema{.columns = {{.name = "a", .type = ColumnType::i64}}};
  EXPECT_THROW(read_csv_text("a\n1\n", {.types = {{"a", ColumnType::i64}}, .schema = schema}), ValueError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.types = {{"a", ColumnType::i64}, {"a", ColumnType::f64}}}), DataError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.optional_columns = {"a"}}), ValueError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.max_rows = -2}), ValueError);
  EXPECT_THROW(read_csv_text("a\n1\n", {.max_columns = 0}), ValueError);
}

TEST(ReadCsv, LeavesBadRowsOutWhenTold) {
  const std::string text = "a,b\n1,2\n3\n\"x\"z,4\n5,6\n7,\xFF\n8,9,10\n11,12\n";
  CsvReport report;
  const Table t = read_csv_text(text, {.bad_rows = BadRows::report}, &report);
  EXPECT_EQ(t.row_ids(), (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_EQ(t["a"].type(), ColumnType::i64);
  EXPECT_EQ(t["b"].i64(2), 12);
  EXPECT_EQ(t.location(2).line, 8);
  EXPECT_EQ(report.records, 7);
  EXPECT_EQ(report.rows, 3);
  EXPECT_EQ(report.skipped_count, 4);
  ASSERT_EQ(report.skipped.size(), 4u);
  EXPECT_EQ(report.skipped[1].row, 2);
  EXPECT_EQ(report.skipped[1].line, 4);
  EXPECT_NE(report.skipped[0].reason.find("expected 2 fields, got 1"), std::string::npos);
  EXPECT_NE(report.skipped[2].reason.find("UTF-8"), std::string::npos);
  EXPECT_TRUE(read_csv_text(text, {.bad_rows = BadRows::skip}, &report).equals(t));
  EXPECT_EQ(report.skipped_count, 4);
  EXPECT_TRUE(report.skipped.empty());
  EXPECT_SAYS(error_of("a,b\n1\n2\n", {.bad_rows = BadRows::skip}), "none that can be read");
}

TEST(ReadCsv, StopsAtMaxRows) {
  const Table t = read_csv_text("a\n1\n2\n3\n", {.max_rows = 2});
  EXPECT_EQ(t.rows(), 2);
  EXPECT_EQ(read_csv_text("a\n1\n", {.allow_no_rows = true, .max_rows = 0}).rows(), 0);
  const Table empty = read_csv_text("a,b\n", {.allow_no_rows = true});
  EXPECT_EQ(empty.rows(), 0);
  EXPECT_EQ(empty.width(), 2);
}

TEST(ReadCsv, RereadsByASchema) {
  CsvReport report;
  const Table t = read_csv_text(
      "id,size,n,when,price\n001,s,1,31/01/2024,$5\n002,m,2,01/02/2024,\"$1,000\"\n",
      {.types = {{"size", "categorical"}, {"when", "date:dmy"}, {"price", "number:point+group+$"}}}, &report);
  EXPECT_EQ(t["when"].text(1), "2024-02-01");
  EXPECT_EQ(t["price"].f64(1), 1000);
  const std::string json = report.schema.to_json();
  const Schema schema = Schema::from_json(json);
  EXPECT_EQ(schema.to_json(), json);

  // Other inference would come of these rows; columns move, one is new, one level is unseen, one column is blank.
  const Table s = read_csv_text("extra,n,price,when,size,id\nx,,$7,02/03/2024,xl,5\n", {.schema = schema}, &report);
  EXPECT_EQ(s.names(), t.names());
  EXPECT_EQ(s["id"].string(0), "5");
  EXPECT_EQ(s["n"].type(), ColumnType::i64);
  EXPECT_TRUE(s["n"].is_null(0));
  EXPECT_EQ(s["when"].text(0), "2024-03-02");
  // Digits that a double lacks.
  const CsvOptions whole{.types = {{"a", ColumnType::i64}}};
  EXPECT_EQ(read_csv_text("a\n9007199254740993.0\n-9007199254740993.\n2e3\n", whole)["a"].i64(0), 9007199254740993);
  EXPECT_THROW(read_csv_text("a\n9223372036854775808.0\n", whole), DataError);
  EXPECT_EQ(s["size"].levels(), (std::vector<std::string>{"m", "s", "xl"}));
  EXPECT_EQ(s["size"].code(0), 2);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("\"extra\""), std::string::npos);

  const DataError missing = error_of("id,size,n,when\n1,s,1,01/02/2024\n", {.schema = schema});
  EXPECT_EQ(missing.column(), "price");
  EXPECT_EQ(
      read_csv_text("id,size,n,when\n1,s,1,01/02/2024\n", {.schema = schema, .optional_columns = {"price"}}).width(),
      4);
  const DataError type = error_of("id,size,n,when,price\n1,s,one,01/02/2024,$5\n", {.schema = schema});
  EXPECT_EQ(type.column(), "n");
  EXPECT_EQ(type.row(), 0);
  const DataError format = error_of("id,size,n,when,price\n1,s,1,soon,$5\n", {.schema = schema});
  EXPECT_EQ(format.column(), "when");
  EXPECT_EQ(format.line(), 2);
  EXPECT_THROW(read_csv_text("id\n1\n", {.schema = schema, .optional_columns = {"nope"}}), ValueError);
}

TEST(SchemaJson, RefusesWhatIsNoSchema) {
  for (
      const char* json :
      {"", "{", "[]", "{}", R"({"version":2,"missing":[],"quoted_missing":true,"columns":[]})",
       R"({"version":1,"missing":[],"quoted_missing":true})",
       R"({"version":1,"missing":[1],"quoted_missing":true,"columns":[]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"float"}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"","type":"f64"}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"f64"},{"name":"a","type":"f64"}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"f64","format":"date:iso"}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"f64","format":"date:no"}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"f64","levels":["x"]}]})",
       R"({"version":1,"missing":[],"quoted_missing":true,"columns":[{"name":"a","type":"categorical","levels":["x","x"]}]})"}) {
    EXPECT_THROW(Schema::from_json(json), FormatError) << json;
  }
  EXPECT_TRUE(Schema::from_json(R"({"version":1,"missing":[],"quoted_missing":true,"columns":[]})").columns.empty());
}

Table sample(std::int64_t rows) {
  const Philox random(3);
  std::vector<double> f;
  std::vector<std::int64_t> i, t;
  std::vector<bool> b, valid;
  std::vector<std::string> s;
  const char* texts[] = {"plain",       "comma, inside", "quote \" inside", "line\nbreak",
                         "caf\xC3\xA9", " blank ends ",  "cr\rhere",        "-"};
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto at = static_cast<std::uint64_t>(r);
    f.push_back(std::ldexp(random.uniform(at) - 0.5, static_cast<int>(random.below(at + 1'000'000, 2000)) - 1000));
    i.push_back(static_cast<std::int64_t>(random.bits64(at + 5'000'000)));
    t.push_back(static_cast<std::int64_t>(random.below(at + 9'000'000, 4'000'000'000'000'000)));
    b.push_back(random.uniform(at + 2'000'000) < 0.5);
    valid.push_back(random.uniform(at + 3'000'000) < 0.8);
    s.push_back(texts[random.below(at + 4'000'000, 8)]);
  }
  return Table({{"f, \"quoted\"", Column::from_f64(f, valid)},
                {"i", Column::from_i64(i, valid)},
                {"t", Column::from_timestamps(t, valid)},
                {"b", Column::from_booleans(b, valid)},
                {"s", Column::from_strings(s, valid)},
                {"c", Column::from_strings(s).cast(ColumnType::categorical)}});
}

TEST_F(CsvFiles, WritesWhatReadsBackTheSame) {
  const Table t = sample(20'000);
  const Schema schema = Schema::from_json(schema_of(t).to_json());
  for (const char* name : {"t.csv", "t.csv.gz"}) {
    for (const char* line_end : {"\n", "\r\n"}) {
      write_csv(t, at(name), {.delimiter = ';', .line_end = line_end});
      const Table back = read_csv(at(name), {.schema = schema});
      EXPECT_TRUE(back.equals(t)) << name;
      EXPECT_EQ(back.content_hash(), t.content_hash());
      EXPECT_EQ(back.source_file(), at(name));
    }
  }
  EXPECT_LT(fs::file_size(at("t.csv.gz")), fs::file_size(at("t.csv")));
  const Table inferred = read_csv(at("t.csv"));
  EXPECT_TRUE(inferred.drop({"c"}).equals(t.drop({"c"})));
}

TEST_F(CsvFiles, SameTableAtAnyThreadCount) {
  write_csv(sample(30'000), at("t.csv"));
  std::string hash;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    const Table t = read_csv(at("t.csv"));
    if (hash.empty()) hash = t.content_hash();
    EXPECT_EQ(t.content_hash(), hash);
    EXPECT_EQ(sha256(write_csv_text(t)), sha256_file(at("t.csv")));
  }
  set_num_threads(0);
}

TEST(WriteCsv, QuotesWhatNeedsIt) {
  const Table t({{"x", Column::from_strings({"a", "NA", "", "b,c", " d", "?"}, {true, true, true, true, true, false})},
                 {"y", Column::from_f64({0.1, 1e300, -0.0, 5, 1.0 / 3, 2})}});
  EXPECT_EQ(write_csv_text(t), "x,y\na,0.1\n\"NA\",1e+300\n\"\",-0\n\"b,c\",5\n\" d\",0.3333333333333333\n,2\n");
  const Table back = read_csv_text(write_csv_text(t), {.quoted_missing = false});
  EXPECT_TRUE(back.equals(t));
  EXPECT_EQ(write_csv_text(t.head(1), {.delimiter = '\t', .line_end = "\r\n"}), "x\ty\r\na\t0.1\r\n");
  const Table one({{"x", Column::from_i64({1, 0, 2}, {true, false, true})}});
  EXPECT_EQ(write_csv_text(one), "x\n1\n\"\"\n2\n");
  EXPECT_TRUE(read_csv_text(write_csv_text(one)).equals(one));
  EXPECT_EQ(write_csv_text(one, {.missing = "NA"}), "x\n1\nNA\n2\n");
  const double inf = std::numeric_limits<double>::infinity();
  const Table ends({{"x", Column::from_f64({inf, -inf, 1.5})}});
  EXPECT_TRUE(read_csv_text(write_csv_text(ends), {.types = {{"x", "number"}}}).equals(ends));
  EXPECT_THROW(write_csv_text(Table()), ValueError);
  EXPECT_THROW(write_csv_text(one, {.delimiter = '"'}), ValueError);
  EXPECT_THROW(write_csv_text(one, {.missing = "a,b"}), ValueError);
  EXPECT_THROW(write_csv_text(one, {.line_end = "\r"}), ValueError);
}

TEST_F(CsvFiles, FilesThatCannotBeRead) {
  EXPECT_THROW(read_csv(at("none.csv")), FileError);
  EXPECT_THROW(read_csv(folder_.string()), FileError);
  EXPECT_THROW(write_csv(Table({{"x", Column::from_i64({1})}}), at("no/such/folder.csv")), FileError);
  write_file(at("empty.csv"), "");
  try {
    read_csv(at("empty.csv"));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.file(), at("empty.csv"));
  }
}

TEST_F(CsvFiles, GzipIsReadByItsFirstBytes) {
  const Table t = sample(5000);
  write_csv(t, at("t.csv.gz"));
  const std::string packed = read_file(at("t.csv.gz"));
  const Schema schema = schema_of(t);
  write_file(at("plain_name.csv"), packed);
  EXPECT_TRUE(read_csv(at("plain_name.csv"), {.schema = schema}).equals(t));

  for (const std::size_t size : {std::size_t{2}, std::size_t{15}, packed.size() / 2, packed.size() - 1}) {
    write_file(at("cut.gz"), std::string_view(packed).substr(0, size));
    try {
      read_csv(at("cut.gz"));
      FAIL() << size;
    } catch (const DataError& error) {
      EXPECT_SAYS(error, "truncated");
    }
  }
  std::string flipped = packed;
  flipped[packed.size() / 2] = static_cast<char>(flipped[packed.size() / 2] ^ 0x10);
  write_file(at("flipped.gz"), flipped);
  EXPECT_THROW(read_csv(at("flipped.gz")), DataError);
  write_file(at("tail.gz"), packed + "junk");
  EXPECT_THROW(read_csv(at("tail.gz")), DataError);
  write_file(at("padded.gz"), packed + std::string(512, '\0'));
  EXPECT_TRUE(read_csv(at("padded.gz"), {.schema = schema}).equals(t));
  EXPECT_THROW(read_csv(at("t.csv.gz"), {.max_bytes = 1000}), DataError);

  write_csv(t.head(1).select({"i"}), at("a.gz"));
  write_csv(t.head(1).select({"i"}), at("b.gz"));
  write_file(at("two.gz"), read_file(at("a.gz")) + read_file(at("b.gz")));  // two members are one text
  EXPECT_EQ(read_csv(at("two.gz"), {.types = {{"i", ColumnType::string}}}).rows(), 3);
}

TEST_F(CsvFiles, ReadsAPipe) {
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  std::thread writer([this] {
    FILE* out = std::fopen(at("pipe").c_str(), "w");
    ASSERT_NE(out, nullptr);
    std::fputs("a,b\n1,2\n", out);
    std::fclose(out);
  });
  CsvReport report;
  EXPECT_EQ(read_csv(at("pipe"), {}, &report)["b"].i64(0), 2);  // one read gives the rows and their hash
  writer.join();
  EXPECT_EQ(report.sha256, sha256("a,b\n1,2\n"));
}

TEST(Csv, BlankLinesOfOneColumnMayBeMissingValues) {
  EXPECT_EQ(read_csv_text("x\n1\n\"\"\n2\n\n\n").rows(), 3);  // at the end of the file they are none
  EXPECT_EQ(read_csv_text("\n\nx\n1\n2").rows(), 2);
  EXPECT_EQ(read_csv_text("x,y\n1,2\n\n3,4\n").rows(), 2);
  for (const char* text : {"x\n1\n\n2\n", "x\r\n\r\n1\r\n", "\"x\"\n\"a\nb\"\n\n\nc"}) {
    EXPECT_NE(message_of<DataError>([&] { read_csv_text(text); }).find("got a blank line"), std::string::npos) << text;
  }
  EXPECT_NE(message_of<DataError>([] { read_csv_text("x\n1\n\n2\n"); }).find("line 3"), std::string::npos);
}

TEST_F(CsvFiles, HashesTheBytesOfTheFile) {
  const std::string text =
      "\xEF\xBB\xBF"
      "a;b\r\n1;2\r\n\r\n3;4";  // a mark, blank lines and an open end count
  write_file(at("t.csv"), text);
  CsvReport report;
  read_csv(at("t.csv"), {.max_rows = 1}, &report);  // of the file, whatever part of it becomes rows
  EXPECT_EQ(report.sha256, sha256_file(at("t.csv")));
  read_csv_text(text, {}, &report);
  EXPECT_EQ(report.sha256, sha256(text));

  write_csv(sample(5000), at("t.csv.gz"));
  std::string packed = read_file(at("t.csv.gz"));
  packed += packed;  // as it lies on disk, whatever it unpacks to
  write_file(at("twice.gz"), packed);
  for (const char* name : {"t.csv.gz", "twice.gz"}) {
    read_csv(at(name), {.bad_rows = BadRows::skip}, &report);
    EXPECT_EQ(report.sha256, sha256_file(at(name)));
  }
}

}  // namespace
}  // namespace tern::data
