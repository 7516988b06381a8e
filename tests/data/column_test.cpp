#include "tern/data/column.h"
#include "tern/data/column_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tern/base/error.h"

namespace tern::data {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(Column, HoldsValuesAndNullsOfEachType) {
  const Column f = Column::from_f64({1.5, 2, 3}, {true, false, true});
  EXPECT_EQ(f.type(), ColumnType::f64);
  EXPECT_EQ(f.size(), 3);
  EXPECT_EQ(f.null_count(), 1);
  EXPECT_TRUE(f.is_null(1));
  EXPECT_EQ(f.f64(2), 3);
  EXPECT_TRUE(std::isnan(f.f64(1)));
  EXPECT_EQ(f.text(0), "1.5");
  EXPECT_EQ(f.text(1), "");

  const Column b = Column::from_booleans({true, false, true, true, false, true, true, false, true});
  EXPECT_TRUE(b.boolean(8));
  EXPECT_FALSE(b.boolean(7));
  EXPECT_EQ(b.numeric(0), 1);

  const Column s = Column::from_strings({"a", "ignored", ""}, {true, false, true});
  EXPECT_EQ(s.string(0), "a");
  EXPECT_EQ(s.string(1), "");
  EXPECT_TRUE(s.is_null(1));
  EXPECT_FALSE(s.is_null(2));

  const Column c = Column::from_codes({1, -1, 0}, {"low", "high"}, true);
  EXPECT_EQ(c.string(0), "high");
  EXPECT_TRUE(c.is_null(1));
  EXPECT_EQ(c.code(1), -1);
  EXPECT_TRUE(c.ordered());

  const Column t = Column::from_timestamps({0, 1'700'000'000'250'000});
  EXPECT_EQ(t.text(0), "1970-01-01");
  EXPECT_EQ(t.text(1), "2023-11-14T22:13:20.25Z");
  EXPECT_EQ(Column().size(), 0);
}

TEST(Column, IsLaidOutAsArrow) {
  const Column s = Column::from_strings({"ab", "", "c"}, {true, false, true});
  EXPECT_EQ(std::vector<std::int64_t>(s.offsets().begin(), s.offsets().end()), (std::vector<std::int64_t>{0, 2, 2, 3}));
  EXPECT_EQ(s.characters(), "abc");
  ASSERT_EQ(s.validity().size(), 1u);
  EXPECT_EQ(s.validity()[0], 0b101);
  EXPECT_TRUE(Column::from_f64({1, 2}, {true, true}).validity().empty());
  EXPECT_EQ(Column::from_booleans({false, true, true}).boolean_bits()[0], 0b110);
}

TEST(Column, ChecksTypeRowAndBuffers) {
  const Column f = Column::from_f64({1});
  EXPECT_THROW(f.i64(0), DTypeError);
  EXPECT_THROW(f.f64(1), IndexError);
  EXPECT_THROW(f.f64(-1), IndexError);
  EXPECT_THROW(f.is_null(7), IndexError);
  EXPECT_THROW(f.levels(), DTypeError);
  EXPECT_THROW(Column::from_strings({"x"}).numeric(0), DTypeError);
  EXPECT_THROW(Column::from_f64({1, 2}, {true}), ValueError);
  EXPECT_THROW(Column::from_codes({2}, {"a", "b"}), ValueError);
  EXPECT_THROW(Column::from_codes({-2}, {"a", "b"}), ValueError);
  EXPECT_THROW(Column::from_codes({0}, {"a", "a"}), ValueError);
  ColumnBuffers buffers;
  buffers.type = ColumnType::string;
  buffers.size = 2;
  buffers.offsets = {0, 3, 2};
  buffers.characters = "ab";
  EXPECT_THROW(Column::from_buffers(buffers), ValueError);
  buffers.offsets = {0, 1};
  EXPECT_THROW(Column::from_buffers(buffers), ValueError);
}

TEST(Column, SlicesAsItTakes) {
  constexpr std::int64_t rows = 37;
  std::vector<double> numbers;
  std::vector<std::int64_t> whole;
  std::vector<bool> truth, valid;
  std::vector<std::string> words;
  std::vector<std::int32_t> codes;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool there = i % 5 != 2 && (i < 16 || i > 23);
    numbers.push_back(static_cast<double>(i) / 3);
    whole.push_back(i * i);
    truth.push_back(i % 3 == 0 || i % 7 == 1);
    valid.push_back(there);
    words.push_back(std::string(static_cast<std::size_t>(i % 4), static_cast<char>('a' + i % 26)));
    codes.push_back(there ? static_cast<std::int32_t>(i % 3) : -1);
  }
  const std::vector<Column> columns = {
      Column::from_f64(numbers, valid),      Column::from_i64(whole),
      Column::from_timestamps(whole, valid), Column::from_booleans(truth),
      Column::from_booleans(truth, valid),   Column::from_strings(words),
      Column::from_strings(words, valid),    Column::from_codes(codes, {"x", "y", "z"}, true)};
  for (const Column& column : columns) {
    for (std::int64_t begin = 0; begin <= rows; ++begin) {
      for (std::int64_t count = 0; begin + count <= rows; ++count) {
        std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
        std::iota(indices.begin(), indices.end(), begin);
        const Column part = column.slice(begin, count), same = column.take(indices);
        ASSERT_TRUE(part.equals(same)) << to_string(column.type()) << " " << begin << " " << count;
        ASSERT_EQ(part.null_count(), same.null_count());
        ASSERT_EQ(part.validity().empty(), part.null_count() == 0);
      }
    }
  }
}

TEST(Column, TakesSlicesAndConcatenates) {
  const Column s = Column::from_strings({"a", "b", "", "d"}, {true, true, false, true});
  const std::vector<std::int64_t> order = {3, 2, 0, 3};
  const Column taken = s.take(order);
  EXPECT_TRUE(taken.equals(Column::from_strings({"d", "", "a", "d"}, {true, false, true, true})));
  EXPECT_THROW(s.take(std::vector<std::int64_t>{4}), IndexError);
  EXPECT_TRUE(s.slice(1, 2).equals(Column::from_strings({"b", ""}, {true, false})));
  EXPECT_EQ(s.slice(4, 0).size(), 0);
  EXPECT_THROW(s.slice(3, 2), IndexError);
  EXPECT_THROW(s.slice(1, std::numeric_limits<std::int64_t>::max()), IndexError);

  const Column parts[] = {Column::from_codes({0, 1}, {"x", "y"}), Column::from_codes({1, 0, -1}, {"y", "z"})};
  const Column joined = Column::concat(parts);
  EXPECT_EQ(joined.levels(), (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(joined.string(2), "z");
  EXPECT_EQ(joined.string(3), "y");
  EXPECT_TRUE(joined.is_null(4));
  const Column mixed[] = {Column::from_f64({1}), Column::from_i64({1})};
  EXPECT_THROW(Column::concat(mixed), DTypeError);
  const Column bits[] = {Column::from_booleans({true, false, true}), Column::from_booleans({true}, {false}),
                         Column::from_booleans({true, true, false, true, true, true})};
  const Column all = Column::concat(bits);
  EXPECT_EQ(all.null_count(), 1);
  EXPECT_TRUE(all.is_null(3));
  EXPECT_FALSE(all.boolean(6));
  EXPECT_TRUE(all.boolean(9));
}

TEST(Column, CastsWhatFits) {
  const Column text = Column::from_strings({" 12", "-3", ""}, {true, true, false});
  EXPECT_TRUE(text.cast(ColumnType::i64).equals(Column::from_i64({12, -3, 0}, {true, true, false})));
  EXPECT_TRUE(text.cast(ColumnType::f64).equals(Column::from_f64({12, -3, nan}, {true, true, false})));
  EXPECT_TRUE(Column::from_f64({1, 0}).cast(ColumnType::boolean).equals(Column::from_booleans({true, false})));
  EXPECT_TRUE(Column::from_f64({4, -5}).cast(ColumnType::i64).equals(Column::from_i64({4, -5})));
  EXPECT_TRUE(Column::from_strings({"Yes", "off", "1"})
                  .cast(ColumnType::boolean)
                  .equals(Column::from_booleans({true, false, true})));
  EXPECT_EQ(Column::from_strings({"2024-02-29T12:00:00+02:00"}).cast(ColumnType::timestamp).text(0),
            "2024-02-29T10:00:00Z");
  const Column levels = Column::from_strings({"b", "a", "b"}).cast(ColumnType::categorical);
  EXPECT_EQ(levels.levels(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(levels.code(0), 1);
  EXPECT_EQ(Column::from_i64({10, 9, 10}).cast(ColumnType::categorical).levels(),
            (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(Column::nulls(ColumnType::string, 3).cast(ColumnType::f64).null_count(), 3);
}

TEST(Column, CastNamesTheRowThatDoesNotFit) {
  try {
    Column::from_strings({"1", "two"}).cast(ColumnType::i64);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 1);
    EXPECT_STREQ(error.what(), "[cast] row 1: expected a whole number, got \"two\"");
  }
  EXPECT_THROW(Column::from_f64({1.5}).cast(ColumnType::i64), DataError);
  EXPECT_THROW(Column::from_f64({1e300}).cast(ColumnType::i64), DataError);
  EXPECT_THROW(Column::from_f64({nan}).cast(ColumnType::i64), DataError);
  EXPECT_THROW(Column::from_i64({2}).cast(ColumnType::boolean), DataError);
  EXPECT_THROW(Column::from_strings({"1e999"}).cast(ColumnType::f64), DataError);
  EXPECT_THROW(Column::from_strings({"2023-02-29"}).cast(ColumnType::timestamp), DataError);
  EXPECT_THROW(Column::from_booleans({true}).cast(ColumnType::timestamp), DTypeError);
}

TEST(Column, IntegersToTheEdge) {
  const Column edge =
      Column::from_strings({"9223372036854775807", "-9223372036854775808", "+0000000000000000000000000007"});
  EXPECT_TRUE(edge.cast(ColumnType::i64)
                  .equals(Column::from_i64(
                      {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 7})));
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "99999999999999999999",
                           "1000000000000000000x", "", "-", "+", "+-1", "1 2", "0x10"}) {
    EXPECT_THROW(Column::from_strings({text}).cast(ColumnType::i64), DataError) << text;
  }
}

TEST(Column, EncodesToGivenLevelsWithOthersBehind) {
  const Column c = Column::from_strings({"m", "z", "s", "a"}).encode({"s", "m", "l"}, true);
  EXPECT_EQ(c.levels(), (std::vector<std::string>{"s", "m", "l", "a", "z"}));
  EXPECT_EQ(c.code(0), 1);
  EXPECT_EQ(c.string(1), "z");
  EXPECT_THROW(Column::from_i64({1}).encode({"1"}), DTypeError);
  EXPECT_THROW(Column::from_strings({"a"}).encode({"a", "a"}), ValueError);
}

TEST(Column, CountsDistinctValues) {
  EXPECT_EQ(Column::from_f64({0.0, -0.0, nan, nan, 2}).distinct_count(), 3);
  EXPECT_EQ(Column::from_strings({"a", "b", "a"}, {true, true, false}).distinct_count(), 2);
  EXPECT_EQ(Column::from_booleans({true, true}).distinct_count(), 1);
  EXPECT_EQ(Column::nulls(ColumnType::i64, 4).distinct_count(), 0);
}

TEST(ColumnBuilder, BuildsWithNullsAnywhere) {
  for (const int first_null : {0, 1, 7, 8, 9, 30}) {
    ColumnBuilder numbers(ColumnType::i64), flags(ColumnType::boolean), texts(ColumnType::categorical);
    for (int i = 0; i < 20; ++i) {
      if (i >= first_null && i % 3 != 0) {
        numbers.add_null();
        flags.add_null();
        texts.add_null();
      } else {
        numbers.add_i64(i);
        flags.add_boolean(i % 2 == 1);
        texts.add_string(i % 2 == 1 ? "odd" : "even");
      }
    }
    const Column n = numbers.finish(), f = flags.finish(), t = texts.finish();
    EXPECT_EQ(numbers.size(), 0);
    for (int i = 0; i < 20; ++i) {
      const bool null = i >= first_null && i % 3 != 0;
      ASSERT_EQ(n.is_null(i), null) << first_null << " " << i;
      ASSERT_EQ(f.is_null(i), null);
      ASSERT_EQ(t.is_null(i), null);
      if (null) continue;
      EXPECT_EQ(n.i64(i), i);
      EXPECT_EQ(f.boolean(i), i % 2 == 1);
      EXPECT_EQ(t.string(i), i % 2 == 1 ? "odd" : "even");
    }
  }
  ColumnBuilder builder(ColumnType::f64);
  EXPECT_THROW(builder.add_string("x"), DTypeError);
  EXPECT_THROW(builder.add_i64(1), DTypeError);
}

TEST(ColumnType, NamesGoBothWays) {
  for (const ColumnType type : {ColumnType::f64, ColumnType::i64, ColumnType::boolean, ColumnType::string,
                                ColumnType::categorical, ColumnType::timestamp}) {
    EXPECT_EQ(parse_column_type(to_string(type)), type);
  }
  EXPECT_THROW(parse_column_type("float"), ValueError);
}

}  // namespace
}  // namespace tern::data
