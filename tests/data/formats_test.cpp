#include "tern/data/formats.h"

#include <gtest/gtest.h>

#include "tern/base/error.h"
#include "tern/data/csv.h"

namespace tern::data {
namespace {

Column strings(const std::vector<std::string>& values) { return Column::from_strings(values); }

// The name of the format found, or "" for none.
std::string found(const std::vector<std::string>& values) { return detect_format(strings(values)).value_or(""); }

std::vector<double> numbers(const std::vector<std::string>& values) {
  const auto format = detect_numbers(strings(values));
  return format ? parse_numbers(strings(values), *format).numeric() : std::vector<double>{};
}

std::string dates(const std::vector<std::string>& values) {
  const auto format = detect_dates(strings(values));
  if (!format) return "none";
  const Column column = parse_dates(strings(values), *format);
  std::string text = to_string(*format) + ":";
  for (std::int64_t i = 0; i < column.size(); ++i) text.append(" ").append(column.text(i));
  return text;
}

TEST(Numbers, MoneyGroupsPercentAndParentheses) {
  EXPECT_EQ(numbers({"$1,234.50", "$7", "-$0.25"}), (std::vector<double>{1234.5, 7, -0.25}));
  EXPECT_EQ(numbers({"1,234,567", "12"}), (std::vector<double>{1234567, 12}));
  EXPECT_EQ(numbers({"(123)", "$4"}), (std::vector<double>{-123, 4}));
  EXPECT_EQ(numbers({"12%", "0.5 %", "-3%"}), (std::vector<double>{0.12, 0.005, -0.03}));
  EXPECT_EQ(numbers({"1.234,50 €", "€ 7,25"}), (std::vector<double>{1234.5, 7.25}));
  EXPECT_EQ(numbers({"1.234,50 EUR", "EUR 7,25", "EUR -3", "12EUR"}), (std::vector<double>{1234.5, 7.25, -3, 12}));
  EXPECT_EQ(numbers({"CHF 1'234.50", "2 CHF"}), (std::vector<double>{1234.5, 2}));
  EXPECT_EQ(numbers({"1,5", "12,25"}), (std::vector<double>{1.5, 12.25}));
  EXPECT_EQ(numbers({"1 234 567", "5"}), (std::vector<double>{1234567, 5}));
  EXPECT_EQ(numbers({"1\xC2\xA0"
                     "234,5",
                     "2,5"}),
            (std::vector<double>{1234.5, 2.5}));
  EXPECT_EQ(numbers({"1'234.5", "2"}), (std::vector<double>{1234.5, 2}));
  EXPECT_EQ(numbers({"$1.5e3"}), (std::vector<double>{1500}));
}

TEST(Numbers, WhatIsNone) {
  EXPECT_EQ(found({"1", "2.5"}), "");        // plain already
  EXPECT_EQ(found({"$5", "€5"}), "");        // two currencies
  EXPECT_EQ(found({"12%", "5"}), "");        // is 5 a hundredth or not
  EXPECT_EQ(found({"1,5", "1,234.5"}), "");  // a comma that means two things
  EXPECT_EQ(found({"5 USD", "7 EUR"}), "");
  EXPECT_EQ(found({"CAD-1001", "CAD-1002"}), "");  // names
  EXPECT_EQ(found({"SEK1001", "SEK1002"}), "");
  EXPECT_EQ(found({"5 eur", "6 eur"}), "");
  EXPECT_EQ(found({"$", "$5"}), "");
  EXPECT_EQ(found({"007", "$5"}), "");
  EXPECT_EQ(found({"$5 or so"}), "");
  EXPECT_EQ(found({"Yes", "No", "No internet service"}), "");
  EXPECT_EQ(found({"", "  "}), "");
  EXPECT_EQ(found({}), "");
  EXPECT_FALSE(detect_format(Column::from_f64({1})).has_value());
  EXPECT_EQ(found({"0,250", "0,500"}), "number:comma");
}

TEST(Numbers, ASignInOtherPlaces) {
  const std::string minus = "\xE2\x88\x92";
  EXPECT_EQ(numbers({"1.79-", "2", minus + "0.5"}), (std::vector<double>{-1.79, 2, -0.5}));
  EXPECT_EQ(found({"1.234,50-", "7"}), "number:comma+group+trailing-minus");
  EXPECT_EQ(numbers({"5- EUR", "1,5 EUR", "EUR 2" + minus}), (std::vector<double>{-5, 1.5, -2}));
  EXPECT_EQ(numbers({"$" + minus + "3", minus + "$1,234"}), (std::vector<double>{-3, -1234}));
  EXPECT_EQ(found({"-1.79-", "2"}), "");
  EXPECT_EQ(found({"1-2", "2"}), "");
  EXPECT_EQ(found({"-", "$2"}), "");
  // The form, and no other, is read when serving.
  EXPECT_THROW(apply_format(strings({"3-"}), "number:point+$"), DataError);
  // Plain numbers too.
  const Table t = read_csv_text("a,b,c\n" + minus + "0.5," + minus + "3," + minus + "007\n1,2,008\n");
  EXPECT_EQ(t["a"].f64(0), -0.5);
  EXPECT_EQ(t["b"].i64(0), -3);
  EXPECT_EQ(t["c"].type(), ColumnType::string);
  EXPECT_EQ(read_csv_text("a\n" + minus + "\n5\n")["a"].type(), ColumnType::string);
  EXPECT_EQ(read_csv_text("a\n" + minus + "-1\n5\n")["a"].type(), ColumnType::string);
}

TEST(Numbers, DollarsOfACountry) {
  EXPECT_EQ(numbers({"US$622.18", "US$3,171.88", "5 US$"}), (std::vector<double>{622.18, 3171.88, 5}));
  EXPECT_EQ(found({"US$622", "US$1,000"}), "number:point+group+US$");
  EXPECT_EQ(found({"US$622", "$1,000"}), "");  // perhaps of two countries
  EXPECT_EQ(found({"USD 622", "US$1,000"}), "");
}

TEST(Numbers, IndianGroups) {
  EXPECT_EQ(numbers({"₹62,218.42", "₹3,17,188.06", "₹1,23,45,678"}),
            (std::vector<double>{62218.42, 317188.06, 12345678}));
  EXPECT_EQ(found({"12,34,567", "5"}), "number:point+indian");
  EXPECT_EQ(found({"₹62,218.42", "₹1,234"}), "number:point+group+₹");  // either way
  EXPECT_EQ(found({"12,34,567", "1,234,567"}), "");                    // one of each
  EXPECT_EQ(found({"12,34,567", "234,567"}), "");
  EXPECT_EQ(found({"12,34,56"}), "");
  EXPECT_EQ(parse_number_format("number:point+indian+₹").group, ',');
  EXPECT_THROW(format_type("number:comma+indian"), ValueError);
}

TEST(Formats, InWords) {
  const auto words = [](std::string_view format) { return value_in_words(format_type(format), format); };
  EXPECT_EQ(words("number:point+group+$"), "a number written like $1,234.50");
  EXPECT_EQ(words("number:comma+group+EUR"), "a number written like 1.234,50 EUR");
  EXPECT_EQ(words("number:comma+percent"), "a number written like 12,5%");
  EXPECT_EQ(words("number:point+indian"), "a number written like 1,23,456.50");
  EXPECT_EQ(words("number:point+parentheses"), "a number written like (1234.50)");
  EXPECT_EQ(words("date:mon-d"), "a date written like Jan 31, 2024");
  EXPECT_EQ(words("boolean:yes/no"), "yes or no");
  EXPECT_EQ(value_in_words(ColumnType::i64), "a whole number");
  // Each example is of its format.
  for (const char* format :
       {"number:point", "number:point+group+$", "number:comma+space+€", "number:point+indian+₹",
        "number:comma+group+percent", "number:point+parentheses+$", "number:point+apostrophe+CHF",
        "number:point+group+trailing-minus+US$", "date:iso", "date:ymd", "date:dmy", "date:mdy", "date:d-mon",
        "date:mon-d", "date:ym", "date:ymd2", "date:dmy2", "date:mdy2", "date:d-mon2"}) {
    const std::string example = words(format).substr(words(format).find("like ") + 5);
    EXPECT_EQ(apply_format(strings({example}), format).null_count(), 0) << format;
  }
  try {
    apply_format(strings({"x"}), "number:point+group+$");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("expected a number written like $1,234.50, got \"x\""), std::string::npos);
  }
}

TEST(Dates, MonthsAndDaysOfDigits) {
  EXPECT_EQ(dates({"2023-01", "2024-12"}), "date:ym: 2023-01-01 2024-12-01");
  EXPECT_EQ(dates({"2023/01"}), "date:ym: 2023-01-01");
  EXPECT_EQ(dates({"2023-13"}), "none");
  EXPECT_EQ(dates({"2023-01", "2023-01-05"}), "none");
  EXPECT_EQ(dates({"2010-11", "2009-10"}), "none");  // seasons
  EXPECT_EQ(dates({"2010-11", "2009-10", "2010-12"}), "date:ym: 2010-11-01 2009-10-01 2010-12-01");
  EXPECT_EQ(dates({"20231122"}), "none");  // a number, unless the name or the type says otherwise
  EXPECT_EQ(detect_dates(strings({"20231122"}), "start_date"), DateFormat::ymd);
  EXPECT_EQ(parse_dates(strings({"20231122", "2023/11/22"}), DateFormat::ymd).text(0), "2023-11-22");
  EXPECT_THROW(parse_dates(strings({"20231322"}), DateFormat::ymd), DataError);
  EXPECT_THROW(parse_dates(strings({"202311220"}), DateFormat::ymd), DataError);
}

TEST(Numbers, AsksWhenAPointMayPartThousands) {
  EXPECT_THROW(found({"€1.234", "€2.500"}), DataError);
  EXPECT_EQ(found({"€1.234", "€2.50"}), "number:point+€");
  EXPECT_EQ(found({"€1.234", "€2,50"}), "number:comma+group+€");
}

TEST(Numbers, NamesGoBothWays) {
  for (const char* name : {"number:point", "number:comma+group+€", "number:point+space+percent+parentheses",
                           "number:point+apostrophe+parentheses+$", "number:comma+group+EUR"}) {
    EXPECT_EQ(to_string(parse_number_format(name)), name);
    EXPECT_EQ(format_type(name), ColumnType::f64);
  }
  for (const char* name : {"number:", "number:dot", "number:point+", "number:point+group+group", "number:point+$+group",
                           "number:point+x", "date:xyz", "boolean:1/0", "none", ""}) {
    EXPECT_THROW(format_type(name), ValueError) << name;
  }
}

TEST(Dates, UnambiguousFormats) {
  EXPECT_EQ(dates({"2024-01-31", "2024-02-29"}), "date:iso: 2024-01-31 2024-02-29");
  EXPECT_EQ(dates({"2024-01-31 12:00:00"}), "date:iso: 2024-01-31T12:00:00Z");
  EXPECT_EQ(dates({"2024/01/31", "2024/2/1"}), "date:ymd: 2024-01-31 2024-02-01");
  EXPECT_EQ(dates({"31 Jan 2024", "1 february 2024"}), "date:d-mon: 2024-01-31 2024-02-01");
  EXPECT_EQ(dates({"31-Jan-2024"}), "date:d-mon: 2024-01-31");
  EXPECT_EQ(dates({"Jan 31, 2024", "Sept. 5 2023"}), "date:mon-d: 2024-01-31 2023-09-05");
  EXPECT_EQ(dates({"01/02/2024", "31/01/2024"}), "date:dmy: 2024-02-01 2024-01-31");
  EXPECT_EQ(dates({"01/02/2024", "01/31/2024"}), "date:mdy: 2024-01-02 2024-01-31");
  EXPECT_EQ(dates({"1.2.2024", "13.2.2024 9:05"}), "date:dmy: 2024-02-01 2024-02-13T09:05:00Z");
  EXPECT_EQ(dates({"05.03.2024", "1.2.2024 9:05"}), "date:dmy: 2024-03-05 2024-02-01T09:05:00Z");  // dots: day first
  EXPECT_EQ(dates({"05.03.2024", "01.31.2024"}), "date:mdy: 2024-05-03 2024-01-31");               // but for this one
  EXPECT_EQ(dates({"1/31/2024 1:05 PM", "1/31/2024 12:00 AM"}), "date:mdy: 2024-01-31T13:05:00Z 2024-01-31");
}

TEST(Numbers, ADashForNoCentsIsNoMinus) {
  const auto format = detect_numbers(strings({"CHF 13.-", "CHF 47.50", "CHF -2.50"}));
  ASSERT_TRUE(format.has_value());
  EXPECT_EQ(to_string(*format), "number:point+CHF");
  EXPECT_EQ(parse_numbers(strings({"CHF 13.-", "13.-", "-13.-"}), *format).text(0), "13");
  EXPECT_EQ(parse_numbers(strings({"-13.-"}), *format).f64(0), -13);
  EXPECT_EQ(parse_numbers(strings({"5,-"}), parse_number_format("number:comma")).f64(0), 5);
  EXPECT_EQ(parse_numbers(strings({"5-"}), parse_number_format("number:point+trailing-minus")).f64(0), -5);
  EXPECT_THROW(parse_numbers(strings({"5,-"}), *format), DataError);
}

TEST(Dates, OutsideTheYearsOfFourDigitsAreNone) {
  EXPECT_EQ(dates({"31/12/9999 23:59"}), "date:dmy: 9999-12-31T23:59:00Z");
  EXPECT_EQ(dates({"31/12/9999 23:59-05:00"}), "none");
  EXPECT_EQ(dates({"31/01/0001 00:00", "01/01/0001 00:00+05:00"}), "none");
}

TEST(Dates, WhatIsNone) {
  EXPECT_EQ(dates({"31/01/2024", "01/31/2024"}), "none");  // needs both orders
  EXPECT_EQ(dates({"31/02/2024"}), "none");                // no such day
  EXPECT_EQ(dates({"2024-01-31", "soon"}), "none");
  EXPECT_EQ(dates({"31/01-2024"}), "none");
  EXPECT_EQ(dates({"31 Foo 2024"}), "none");
  EXPECT_EQ(dates({"1/31/2024 13:05 PM"}), "none");
}

TEST(Dates, AmbiguousOnesAsk) {
  try {
    detect_dates(strings({"01/02/2024", "03/04/2024"}), "when");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "when");
    EXPECT_NE(std::string(error.what()).find("the type date:dmy or date:mdy"), std::string::npos);
  }
  EXPECT_THROW(detect_dates(strings({"05.03.2024", "05/03/2024"})), DataError);  // not all with dots
  const Table t = read_csv_text("id,when\n1,01/02/2024\n2,03/04/2024\n");
  EXPECT_THROW(detect_formats(t), DataError);
  const Table told = read_csv_text("id,when\n1,01/02/2024\n2,03/04/2024\n", {.types = {{"when", "date:mdy"}}});
  EXPECT_EQ(told["when"].text(1), "2024-03-04");
  EXPECT_TRUE(detect_formats(told).empty());
}

TEST(Dates, YearsOfTwoDigitsAsk) {
  const auto asked = [](const std::vector<std::string>& values) {
    try {
      return dates(values);
    } catch (const DataError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("expected dates whose year has four digits, got \"" + values.back() + "\""),
                std::string::npos)
          << message;
      return message.substr(message.find("tell the type "));
    }
  };
  EXPECT_EQ(asked({"01/02/03"}), "tell the type date:ymd2 or date:dmy2 or date:mdy2 (years 1969 to 2068), or string");
  EXPECT_EQ(asked({"01/02/03", "31/12/69"}), "tell the type date:dmy2 (years 1969 to 2068), or string");
  EXPECT_EQ(asked({"12-31-24 9:05"}), "tell the type date:mdy2 (years 1969 to 2068), or string");
  EXPECT_EQ(asked({"31-Jan-24", "1 feb 99"}), "tell the type date:d-mon2 (years 1969 to 2068), or string");
  std::vector<std::string> typo(20, "24/02/23");
  typo.front() = "29/02/23";  // no such day: of other orders alone, all are dates
  EXPECT_EQ(asked(typo), "tell the type date:ymd2 or date:dmy2 (years 1969 to 2068), or string");
  EXPECT_EQ(asked({"1.2.10", "1.2.3"}), "none");  // versions
  EXPECT_EQ(asked({"16.1.2", "15.4.1"}), "none");
  EXPECT_EQ(asked({"20-45-53"}), "none");  // no such day in any order
  EXPECT_EQ(asked({"31/12/24", "31/12/2024"}), "none");

  const Column read = parse_dates(strings({"31/12/68", "1.1.69", "5/6/00 13:00"}), DateFormat::dmy2);
  EXPECT_EQ(read.text(0), "2068-12-31");
  EXPECT_EQ(read.text(1), "1969-01-01");
  EXPECT_EQ(read.text(2), "2000-06-05T13:00:00Z");
  EXPECT_EQ(parse_dates(strings({"12/31/24"}), DateFormat::mdy2).text(0), "2024-12-31");
  EXPECT_EQ(parse_dates(strings({"24-12-31"}), DateFormat::ymd2).text(0), "2024-12-31");
  EXPECT_EQ(parse_dates(strings({"31-Dec-99"}), DateFormat::d_mon2).text(0), "1999-12-31");
  for (const char* four : {"31/12/2024", "31/12/024", "31/12/4"}) {
    EXPECT_THROW(parse_dates(strings({four}), DateFormat::dmy2), DataError) << four;
  }
  EXPECT_THROW(parse_dates(strings({"31/12/24"}), DateFormat::dmy), DataError);
}

TEST(Booleans, Words) {
  EXPECT_EQ(found({"yes", "No", "YES"}), "boolean:yes/no");
  EXPECT_EQ(found({"Y", "n"}), "boolean:y/n");
  EXPECT_EQ(found({"on", "off"}), "boolean:on/off");
  EXPECT_EQ(found({"True", "FALSE"}), "boolean:true/false");
  EXPECT_EQ(found({"yes", "n"}), "");
  const Column c =
      apply_format(Column::from_strings({"no", "x", "Yes", " "}, {true, false, true, true}), "boolean:yes/no");
  EXPECT_TRUE(c.equals(Column::from_booleans({false, false, true, false}, {true, false, true, false})));
}

TEST(Formats, ApplyToCategoricalAndTypedColumns) {
  const Column c = Column::from_codes({0, 1, 0, -1}, {"$1", "$2,000"});
  const auto format = detect_format(c);
  ASSERT_TRUE(format.has_value());
  EXPECT_EQ(*format, "number:point+group+$");
  EXPECT_EQ(apply_format(c, *format).f64(1), 2000);
  EXPECT_TRUE(apply_format(c, *format).is_null(3));
  EXPECT_EQ(apply_format(Column::from_f64({3}), *format).f64(0), 3);
  EXPECT_THROW(apply_format(Column::from_i64({3}), "date:iso"), DTypeError);
  // A level that no row uses does not speak.
  EXPECT_EQ(detect_format(Column::from_codes({0}, {"$1", "text"})).value_or(""), "number:point+$");
}

TEST(Formats, AValueThatDoesNotFitIsNamed) {
  Table t = read_csv_text("id,price\n1,$5\n2,$6\n3,much\n").slice(1, 2);
  try {
    apply_format(t, "price", "number:point+$");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 2);
    EXPECT_EQ(error.line(), 4);
    EXPECT_EQ(error.column(), "price");
    EXPECT_NE(std::string(error.what()).find("\"much\""), std::string::npos);
  }
  EXPECT_EQ(t["price"].type(), ColumnType::string);
  EXPECT_THROW(parse_numbers(strings({"$" + std::string(400, '9')}), parse_number_format("number:point+$")), DataError);
}

}  // namespace
}  // namespace tern::data
