#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tern/base/error.h"
#include "tern/data/csv.h"
#include "tern/data/formats.h"
#include "tern/data/sentinels.h"

// What a reader says of columns and files that are not what they might be.
namespace tern::data {
namespace {

// The notes on a table of one column, joined.
std::string notes_on(const std::string& name, const std::vector<std::string>& values, const CsvOptions& options = {}) {
  std::string text = name + "\n";
  for (const std::string& value : values) text += "\"" + value + "\"\n";
  CsvReport report;
  read_csv_text(text, options, &report);
  std::string notes;
  for (const std::string& note : report.notes) notes += note + "\n";
  return notes;
}

// `count` values made by a function of their index.
template <class Make>
std::vector<std::string> made(int count, Make make) {
  std::vector<std::string> values;
  for (int i = 0; i < count; ++i) values.push_back(make(i));
  return values;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define EXPECT_TEXT_SAYS(text, part) EXPECT_TRUE(says(text, part)) << (text) << "\nlacks " << (part)

std::string refusal_of(const std::string& text, const CsvOptions& options = {}) {
  try {
    read_csv_text(text, options);
  } catch (const DataError& error) {
    return error.what();
  }
  return "none";
}

TEST(Notes, ManySpellingsOfMissing) {
  const std::string words[] = {"n.a.", "none", "#DIV/0!", "nil", "-", "--", "unknown", "missing", "#VALUE!", "(blank)"};
  const std::string note =
      notes_on("m", made(200, [&](int i) { return i % 5 == 0 ? words[i / 5 % 10] : std::to_string(i % 37) + ".5"; }));
  EXPECT_TEXT_SAYS(note,
                   "160 of 200 values are numbers, kept as text for the others: \"n.a.\" (line 2), \"none\" (line 7)");
  for (const std::string& word : words) EXPECT_TEXT_SAYS(note, "\"" + word + "\"");
  EXPECT_TEXT_SAYS(note, "told as missing words");
  // Flats are no numbers with odd words.
  EXPECT_EQ(notes_on("flat", made(200,
                                  [](int i) {
                                    return std::to_string(i % 37) +
                                           (i % 5 == 0 ? "ABCDEFGH"[i / 5 % 8] + std::string() : "");
                                  })),
            "");
}

TEST(Notes, PercentagesWithAndWithoutSign) {
  const std::string note = notes_on(
      "p", made(60, [](int i) { return i % 2 ? "57." + std::to_string(i) + "%" : "0.5" + std::to_string(i); }));
  EXPECT_TEXT_SAYS(note, "percentages with and without their sign, such as \"57.1%\" (line 3) and \"0.50\" (line 2)");
  EXPECT_FALSE(says(note, "unit"));
}

// 1,926 may be a thousand or almost two.
TEST(Notes, CommasThatMayBeDecimal) {
  const auto thousands = made(40, [](int i) { return i % 5 == 0 ? "17" : std::to_string(1 + i) + ",926"; });
  EXPECT_TEXT_SAYS(notes_on("v", thousands),
                   "every comma has three digits behind it, such as \"2,926\" (line 3); read as");
  EXPECT_TEXT_SAYS(notes_on("v", thousands), "tell the type number:comma\n");
  EXPECT_TEXT_SAYS(notes_on("v", made(40, [](int i) { return "$" + std::to_string(1 + i) + ",926"; })),
                   "tell the type number:comma+$");
  EXPECT_EQ(notes_on("v", made(40, [](int i) { return std::to_string(1 + i) + ",926.50"; })), "");
  EXPECT_EQ(notes_on("v", made(40, [](int i) { return std::to_string(1 + i) + ",926,000"; })), "");
  // A column of decimal commas says what they are in the other.
  CsvReport report;
  std::string text = "x;v\n";
  for (int i = 0; i < 40; ++i) text += "0,7" + std::to_string(i % 10) + ";" + std::to_string(1 + i) + ",926\n";
  const Table table = read_csv_text(text, {}, &report);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(detect_format(table["v"], "v"), "number:point+group");
  EXPECT_EQ(detect_format(table, "v"), "number:comma");
  EXPECT_EQ(detect_formats(table),
            (std::vector<std::pair<std::string, std::string>>{{"x", "number:comma"}, {"v", "number:comma"}}));
}

TEST(Notes, DaysThatMayBeMonths) {
  const auto dotted = made(20, [](int i) { return "0" + std::to_string(1 + i % 9) + ".02.2024"; });
  EXPECT_TEXT_SAYS(
      notes_on("day", dotted),
      "dates such as \"01.02.2024\" (line 2) are read with the day first. Where the month is, tell the type "
      "date:mdy");
  EXPECT_EQ(notes_on("day", made(20, [](int i) { return std::to_string(11 + i % 9) + ".02.2024"; })), "");
}

TEST(Notes, TheBadDateIsNamed) {
  const std::string note = notes_on(
      "d",
      made(60, [](int i) { return i % 4 ? "2024-02-" + std::to_string(10 + i % 19) : std::string("0000-00-00"); }));
  EXPECT_TEXT_SAYS(note,
                   "45 of 60 values are written like 2024-01-31, kept as text for the others: \"0000-00-00\" (line 2)");
}

TEST(Notes, ClockTimesAndSeasons) {
  EXPECT_TEXT_SAYS(notes_on("t", made(60, [](int i) { return "9:" + std::to_string(10 + i % 50); })),
                   "times of day or durations, such as \"9:10\" (line 2)");
  EXPECT_TEXT_SAYS(notes_on("t", made(60, [](int i) { return "1:13:" + std::to_string(10 + i % 50); })),
                   "times of day or durations");
  const std::string seasons = notes_on("s", made(60, [](int i) { return i % 2 ? "2010-11" : "2009-10"; }));
  EXPECT_TEXT_SAYS(seasons, "months or spans of two years, such as \"2009-10\" (line 2)");
  EXPECT_TEXT_SAYS(seasons, "the type date:ym");
}

TEST(Notes, DaysOfDigits) {
  CsvReport report;
  const std::string text = "signup_date,d\n20231122,20231122\n20240229,20240229\n";
  const Table t = read_csv_text(text, {}, &report);
  EXPECT_EQ(t["signup_date"].text(1), "2024-02-29");
  EXPECT_EQ(t["d"].type(), ColumnType::i64);
  ASSERT_EQ(report.notes.size(), 2u);
  EXPECT_TEXT_SAYS(report.notes[0], "read as dates, the type number keeps numbers");
  EXPECT_TEXT_SAYS(report.notes[1], "read as a whole number; the type date:ymd reads dates");
  // The schema reads them so again, and refuses what is none.
  EXPECT_EQ(read_csv_text("signup_date,d\n20250101,5\n", {.schema = report.schema})["signup_date"].text(0),
            "2025-01-01");
  EXPECT_TEXT_SAYS(refusal_of("signup_date,d\n20250132,5\n", {.schema = report.schema}),
                   "written like 2024/01/31, got \"20250132\"");
  EXPECT_EQ(read_csv_text(text, {.types = {{"signup_date", "number"}, {"d", "date:ymd"}}})["d"].text(0), "2023-11-22");
  // One that is no day, beyond the rows from which types are guessed.
  std::string many = "date\n";
  for (int i = 0; i < 3000; ++i) many += "20231122\n";
  EXPECT_EQ(read_csv_text(many)["date"].type(), ColumnType::timestamp);
  EXPECT_EQ(read_csv_text(many + "20231199\n")["date"].type(), ColumnType::i64);
  EXPECT_EQ(read_csv_text("date\n12345678\n")["date"].type(), ColumnType::i64);
}

TEST(Notes, ValuesThatMayStandForMissing) {
  const auto with = [](const char* value) {
    return made(100, [=](int i) { return i % 5 == 0 ? std::string(value) : std::to_string(18 + i % 60) + ".5"; });
  };
  EXPECT_TEXT_SAYS(notes_on("income", with("-999.0")),
                   "\"-999.0\" is 20 of 100 values, and the others are 19.5 to 77.5");
  EXPECT_TEXT_SAYS(notes_on("income", with("-1")), "\"-1\" is 20 of 100 values");
  EXPECT_TEXT_SAYS(notes_on("income", with("9999")), "told as a missing word");
  EXPECT_EQ(notes_on("income", with("-999"), {.more_missing = {"-999"}}), "");
  EXPECT_EQ(notes_on("income", with("99")), "");                                                // near the others
  EXPECT_EQ(notes_on("income", with("5000")), "");                                              // no such value
  EXPECT_EQ(notes_on("code", made(100, [](int i) { return std::to_string(i % 3 - 1); })), "");  // levels
  EXPECT_TEXT_SAYS(notes_on("visits", made(100, [](int i) { return i % 9 == 0 ? "9999" : std::to_string(i % 3); })),
                   "\"9999\" is 12 of 100 values, and the others are 0 to 2");
  const auto dated = [](const char* value) {
    return made(100, [=](int i) { return i % 5 == 0 ? std::string(value) : "2024-02-" + std::to_string(10 + i % 19); });
  };
  EXPECT_TEXT_SAYS(notes_on("d", dated("9999-12-31")),
                   "\"9999-12-31\" is 20 of 100 values, and the others are 2024-02-10 to 2024-02-28");
  EXPECT_TEXT_SAYS(notes_on("d", dated("1900-01-01")), "\"1900-01-01\" is 20");
  EXPECT_EQ(notes_on("d", dated("2024-03-15")), "");
  // Both ends.
  const std::vector<Sentinel> two = find_sentinels(read_csv_text([] {
    std::string text = "x\n";
    for (int i = 0; i < 200; ++i)
      text += i % 10 == 0 ? "-999\n" : i % 10 == 1 ? "9999\n" : std::to_string(i % 50 - 20) + "\n";
    return text;
  }())["x"]);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].count, 20);
  EXPECT_EQ(two[1].low, "-18");
  EXPECT_TRUE(find_sentinels(Column::from_strings({"-999"})).empty());
  EXPECT_TRUE(find_sentinels(Column::nulls(ColumnType::f64, 3)).empty());
}

TEST(Header, CausesAreGuessed) {
  EXPECT_TEXT_SAYS(refusal_of("Report of customers,,\na,b,c\n1,2,3\n"), "looks like a title");
  EXPECT_TEXT_SAYS(refusal_of("Report of customers\n\na,b,c\n1,2,3\n"), "looks like a title");
  EXPECT_TEXT_SAYS(refusal_of("# exported 2024\na,b,c\n1,2,3\n"), "looks like a comment");
  EXPECT_TEXT_SAYS(refusal_of("sep=;\na;b;c\n1;2;3\n"), "Excel");
  EXPECT_TEXT_SAYS(refusal_of("a,b,\n1,2,\n"), "each line ends in a delimiter");
  EXPECT_TEXT_SAYS(refusal_of("# exported 2024\na,b,c\n1,2,3\n", {.types = {{"a", "number"}}}), "looks like a comment");
  EXPECT_FALSE(says(refusal_of("a,,c\n1,2,3\n"), ";"));
  EXPECT_FALSE(says(refusal_of("a,b\n1,2\n1,2,3\n"), ";"));
}

TEST(Notes, SaysWhichWordsStandAmongNumbers) {
  std::string text = "fee,plan,zip,half\n";
  for (int i = 0; i < 100; ++i) {
    const bool odd = i % 25 == 3;
    text += (odd ? std::string(i == 3    ? "unknown"
                               : i == 28 ? " n.a. "
                               : i == 53 ? "unknown"
                                         : "-")
                 : std::to_string(i)) +
            ",plan " + std::to_string(i % 3) + ",0" + std::to_string(100 + i) + "," + (i % 2 ? "x" : "1") + "\n";
  }
  CsvReport report;
  EXPECT_EQ(read_csv_text(text, {}, &report)["fee"].type(), ColumnType::string);
  ASSERT_EQ(report.notes.size(), 2u);
  for (const char* part : {"column \"fee\"", "96 of 100", "\"unknown\" (line 5)", "\"n.a.\" (line 30)",
                           "\"-\" (line 80)", "missing words", "the type number refuses"}) {
    EXPECT_NE(report.notes[0].find(part), std::string::npos) << part << " in " << report.notes[0];
  }
  EXPECT_NE(report.notes[1].find("leading zeros"), std::string::npos) << report.notes[1];
  EXPECT_EQ(read_csv_text(text, {.more_missing = {"unknown", "n.a.", "-"}}, &report)["fee"].type(), ColumnType::i64);
  EXPECT_EQ(report.notes.size(), 1u);
  read_csv_text(text, {.types = {{"fee", "string"}}}, &report);
  EXPECT_EQ(report.notes.size(), 1u) << "what is told needs no advice";
  read_csv_text("x\n1\n2\n3\n4\n5\n6\n7\n8\na\n", {}, &report);
  EXPECT_TRUE(report.notes.empty()) << "eight of nine";
}

std::string column_text(int rows, const std::function<std::string(int)>& value) {
  std::string text = "x,k\n";
  for (int i = 0; i < rows; ++i) text += "\"" + value(i) + "\"," + std::to_string(i % 2) + "\n";
  return text;
}

std::string only_note(const std::string& text) {
  CsvReport report;
  read_csv_text(text, {}, &report);
  EXPECT_LE(report.notes.size(), 1u);
  return report.notes.empty() ? "" : report.notes[0];
}

TEST(Notes, SaysWhichWordIsOftenAmongNumbers) {
  const std::string note = only_note(column_text(100, [](int i) { return i % 3 ? std::to_string(20 + i) : "n.k."; }));
  EXPECT_NE(note.find("66 of 100 values are numbers"), std::string::npos) << note;
  EXPECT_NE(note.find("\"n.k.\" (line 2)"), std::string::npos) << note;
  // Names of levels, of which some are numbers, are what they should be; so are words of which some have a digit.
  EXPECT_EQ(only_note(column_text(100, [](int i) { return i % 5 ? std::to_string(i % 5) : "5+"; })), "");
  EXPECT_EQ(only_note(column_text(100, [](int i) { return std::string(1, static_cast<char>('a' + i % 26)); })), "");
  EXPECT_EQ(only_note(column_text(100, [](int i) { return "C" + std::to_string(1000 + i); })), "");
}

TEST(Notes, SaysWhatKeepsNumbersWithWordsFromBeingNumbers) {
  const std::string note = only_note(column_text(
      100, [](int i) { return i % 50 == 7 ? "unknown" : std::to_string(50 + i) + (i % 2 ? " kg" : "kg"); }));
  for (const char* part : {"column \"x\"", "numbers with words beside them", "\"50kg\" (line 2)", "kept as text",
                           "a number alone in each field"}) {
    EXPECT_NE(note.find(part), std::string::npos) << part << " in " << note;
  }
  EXPECT_NE(only_note(column_text(60, [](int i) { return std::to_string(i) + (i % 2 ? " lb" : ".5 kg"); })), "");
  for (const auto& fine : std::vector<std::function<std::string(int)>>{
           [](int i) { return std::to_string(12 * (1 + i % 3)) + " months"; },  // levels
           [](int i) { return "Elm " + std::to_string(i); }, [](int i) { return std::to_string(i) + " Elm Street"; },
           [](int i) { return "A" + std::to_string(i) + "B"; },
           [](int i) { return std::to_string(i) + (i % 2 ? "A" : "B"); },  // flats
           [](int i) { return std::to_string(i) + static_cast<char>('A' + i % 7); }}) {
    EXPECT_EQ(only_note(column_text(100, fine)), "");
  }
}

TEST(Notes, SaysThatFormsAreMixed) {
  const std::string dates = only_note(column_text(90, [](int i) {
    const std::string day = std::to_string(10 + i % 19), month = std::to_string(10 + i % 3);
    return i % 2 ? "2024-" + month + "-" + day : day + "." + month + ".2024";
  }));
  for (const char* part : {"more than one written form", "\"10.10.2024\" (line 2)", "\"2024-11-11\" (line 3)"}) {
    EXPECT_NE(dates.find(part), std::string::npos) << part << " in " << dates;
  }
  EXPECT_NE(only_note(column_text(90, [](int i) { return std::to_string(i) + (i % 2 ? " USD" : " EUR"); })), "");
  const std::string years = only_note(column_text(90, [](int i) {
    return i == 3 ? "unknown" : std::to_string(1 + i % 28) + "/" + std::to_string(1 + i % 12) + "/24";
  }));
  EXPECT_NE(years.find("89 of 90 values are written like 31/01/24"), std::string::npos) << years;
  EXPECT_EQ(
      only_note(column_text(90, [](int i) { return std::to_string(i % 10) + "." + std::to_string(i) + ".2024-x"; })),
      "");
  EXPECT_EQ(only_note(column_text(90, [](int i) { return std::to_string(i) + " EUR"; })), "") << "one form";
}

// One that is far down in the file too.
TEST(Notes, OfEveryPointLooksAtEveryPoint) {
  std::string text = "x\n";
  for (int i = 0; i < 20'000; ++i) text += "1.234\n";
  CsvReport report;
  read_csv_text(text, {}, &report);
  EXPECT_EQ(report.notes.size(), 1u);
  read_csv_text(text + "0.5\n", {}, &report);
  EXPECT_TRUE(report.notes.empty()) << report.notes[0];
}

TEST(Notes, SaysThatATypeMustBeTold) {
  for (const auto& [values, types] :
       std::vector<std::pair<std::string, std::string>>{{"$1.234\n$2.500\n", "number:point+$ or number:comma+group+$"},
                                                        {"01/02/2024\n03/04/2024\n", "date:dmy or date:mdy"},
                                                        {"31/12/24\n30/12/24\n", "date:ymd2 or date:dmy2"},
                                                        {"31-Dec-24\n", "date:d-mon2"}}) {
    CsvReport report;
    const std::string first = values.substr(0, values.find('\n'));
    EXPECT_EQ(read_csv_text("a\n" + values, {}, &report)["a"].text(0), first);
    ASSERT_EQ(report.notes.size(), 1u) << values;
    EXPECT_NE(report.notes[0].find("values such as \"" + first + "\" (line 2) are text until a type is told: " + types +
                                   " or string"),
              std::string::npos)
        << report.notes[0];
  }
}

TEST(Notes, SaysWhichWordsStandAmongWrittenForms) {
  std::string text = "fee,day,plan\n";
  for (int i = 0; i < 100; ++i) {
    text += (i == 3 ? std::string("unknown") : "$" + std::to_string(i) + ".50") + "," +
            (i == 5 ? std::string("soon") : std::to_string(1 + i % 28) + ".3.2024") + ",plan " + std::to_string(i % 3) +
            "\n";
  }
  CsvReport report;
  EXPECT_EQ(read_csv_text(text, {}, &report)["fee"].type(), ColumnType::string);
  ASSERT_EQ(report.notes.size(), 2u);
  for (const char* part :
       {"column \"fee\"", "99 of 100", "number:point+$", "\"unknown\" (line 5)", "the type number:point+$ refuses"}) {
    EXPECT_NE(report.notes[0].find(part), std::string::npos) << part << " in " << report.notes[0];
  }
  for (const char* part : {"column \"day\"", "date:dmy", "\"soon\" (line 7)"}) {
    EXPECT_NE(report.notes[1].find(part), std::string::npos) << part << " in " << report.notes[1];
  }
}

TEST(Notes, SaysWherePointsMayPartThousands) {
  CsvReport report;
  EXPECT_EQ(read_csv_text("a;b\n4.596;0.596\n117;1.255\n1.255;2.000\n", {}, &report)["a"].f64(0), 4.596);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes[0].find("\"a\": every point has three digits behind it"), std::string::npos)
      << report.notes[0];
  EXPECT_EQ(read_csv_text("a\n4.596\n1.255\n", {.types = {{"a", "number:comma+group"}}}, &report)["a"].f64(0), 4596);
  EXPECT_TRUE(report.notes.empty());
  read_csv_text("a,b,c\n1.5,1e3,12345.678\n4.596,1.000,2\n", {}, &report);
  EXPECT_TRUE(report.notes.empty());
}

}  // namespace
}  // namespace tern::data
