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
  EXPECT_EQ(found({"12,34,567"}), "");       // groups of two
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

TEST(Dates, WhatIsNone) {
  EXPECT_EQ(dates({"31/01/2024", "01/31/2024"}), "none");  // needs both orders
  EXPECT_EQ(dates({"31/02/2024"}), "none");                // no such day
  EXPECT_EQ(dates({"31/01/24"}), "none");                  // no century
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
