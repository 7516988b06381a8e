#include "tern/data/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "message_of.h"
#include "tern/base/parallel.h"

namespace tern::data {
namespace {

Table people() {
  return Table({{"name", Column::from_strings({"Ann", "Bob", "Cyd", "Dee"})},
                {"age", Column::from_i64({31, 25, 0, 25}, {true, true, false, true})},
                {"paid", Column::from_booleans({true, false, true, true})}});
}

TEST(Table, NamesColumns) {
  Table t = people();
  EXPECT_EQ(t.rows(), 4);
  EXPECT_EQ(t.width(), 3);
  EXPECT_TRUE(t.has("age"));
  EXPECT_EQ(t.find("none"), -1);
  EXPECT_EQ(t["age"].i64(1), 25);
  EXPECT_EQ(t.column(2).type(), ColumnType::boolean);
  t.replace("age", Column::from_f64({1, 2, 3, 4}));
  EXPECT_EQ(t["age"].type(), ColumnType::f64);
  EXPECT_EQ(people()["age"].type(), ColumnType::i64);
  EXPECT_THROW(t.column(3), IndexError);
}

TEST(Table, RefusesBadNamesAndLengths) {
  Table t = people();
  EXPECT_EQ(message_of<DataError>([&] { t["agee"]; }),
            "[Table] expected a column \"agee\", got none; near it: \"age\"");
  EXPECT_NE(message_of<DataError>([&] { t["zzzzzzzz"]; }).find("the columns are \"name\", \"age\", \"paid\""),
            std::string::npos);
  EXPECT_THROW(t.add("age", Column::from_f64({1, 2, 3, 4})), DataError);
  EXPECT_THROW(t.add("", Column::from_f64({1, 2, 3, 4})), DataError);
  EXPECT_THROW(t.add("short", Column::from_f64({1})), DataError);
  EXPECT_THROW(t.replace("age", Column::from_f64({1})), DataError);
  EXPECT_THROW(t.replace("nope", Column::from_f64({1, 2, 3, 4})), DataError);
  EXPECT_THROW(t.select({"age", "age"}), DataError);
  EXPECT_THROW(t.drop({"nope"}), DataError);
  EXPECT_THROW(t.rename("age", "name"), DataError);
  EXPECT_NE(message_of<DataError>([] { Table()["x"]; }).find("no column"), std::string::npos);
}

TEST(Table, SelectsDropsRenames) {
  const Table t = people();
  EXPECT_EQ(t.select({"paid", "name"}).names(), (std::vector<std::string>{"paid", "name"}));
  EXPECT_EQ(t.drop({"age"}).names(), (std::vector<std::string>{"name", "paid"}));
  EXPECT_EQ(t.rename("age", "years").names()[1], "years");
  EXPECT_EQ(t.select({}).rows(), 4);
  EXPECT_EQ(t.rename("age", "age").names(), t.names());
}

TEST(Table, FiltersAndTakesWithRowIds) {
  const Table t = people();
  const Table kept = t.filter([&](std::int64_t row) { return t["paid"].boolean(row); });
  EXPECT_EQ(kept.row_ids(), (std::vector<std::int64_t>{0, 2, 3}));
  EXPECT_TRUE(kept.equals(t.filter(t["paid"])));
  EXPECT_TRUE(kept.equals(t.filter(std::vector<bool>{true, false, true, true})));
  const Table again = kept.take(std::vector<std::int64_t>{2, 0, 2});
  EXPECT_EQ(again.row_ids(), (std::vector<std::int64_t>{3, 0, 3}));
  EXPECT_EQ(again["name"].string(0), "Dee");
  EXPECT_EQ(t.head(2).rows(), 2);
  EXPECT_EQ(t.head(100).rows(), 4);
  EXPECT_EQ(t.slice(4, 0).rows(), 0);
  EXPECT_EQ(t.slice(1, 2).row_ids(), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(again.slice(1, 2).row_ids(), (std::vector<std::int64_t>{0, 3}));
  EXPECT_TRUE(again.slice(1, 2).equals(kept.take(std::vector<std::int64_t>{0, 2})));
  EXPECT_THROW(t.slice(3, 2), IndexError);
  EXPECT_THROW(t.slice(-1, 1), IndexError);
  EXPECT_EQ(t.filter(Column::from_booleans({true, true, true, true}, {false, true, false, false})).row_ids(),
            (std::vector<std::int64_t>{1}));
  EXPECT_THROW(t.filter(std::vector<bool>{true}), ValueError);
  EXPECT_THROW(t.filter(t["age"]), DTypeError);
  EXPECT_THROW(t.take(std::vector<std::int64_t>{4}), IndexError);
  EXPECT_THROW(t.take(std::vector<std::int64_t>{-1}), IndexError);
}

TEST(Table, SortsStablyWithNullsLast) {
  const Table t = people();
  EXPECT_EQ(t.sort({"age"}).row_ids(), (std::vector<std::int64_t>{1, 3, 0, 2}));
  EXPECT_EQ(t.sort({"age"}, false).row_ids(), (std::vector<std::int64_t>{0, 1, 3, 2}));
  EXPECT_EQ(t.sort({"paid", "age"}).row_ids(), (std::vector<std::int64_t>{1, 3, 0, 2}));
  EXPECT_EQ(t.sort({"name"}, false).row_ids(), (std::vector<std::int64_t>{3, 2, 1, 0}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Table n({{"x", Column::from_f64({nan, 2, 0, 1}, {true, true, false, true})}});
  EXPECT_EQ(n.sort({"x"}).row_ids(), (std::vector<std::int64_t>{3, 1, 0, 2}));
  EXPECT_EQ(n.sort({"x"}, false).row_ids(), (std::vector<std::int64_t>{1, 3, 0, 2}));
  const Table c({{"size", Column::from_codes({2, 0, 1}, {"s", "m", "l"}, true)}});
  EXPECT_EQ(c.sort({"size"}).row_ids(), (std::vector<std::int64_t>{1, 2, 0}));
  const Table u({{"size", Column::from_codes({2, 0, 1}, {"s", "m", "l"})}});
  EXPECT_EQ(u.sort({"size"}).row_ids(), (std::vector<std::int64_t>{0, 2, 1}));
  EXPECT_THROW(t.sort({"nope"}), DataError);
}

TEST(Table, FindsEqualRows) {
  const Table t({{"a", Column::from_strings({"x", "y", "x", "", ""}, {true, true, true, false, false})},
                 {"b", Column::from_f64({0.0, 1, -0.0, 2, 3})}});
  EXPECT_EQ(t.first_equal_row(), (std::vector<std::int64_t>{0, 1, 0, 3, 4}));
  EXPECT_EQ(t.first_equal_row({"a"}), (std::vector<std::int64_t>{0, 1, 0, 3, 3}));
}

TEST(Table, KnowsWhatItsRowsComeFrom) {
  const Table t = people(), other = people();
  const RowOrigin origin = t.origin(0);
  EXPECT_FALSE(origin.text);
  EXPECT_NE(origin, RowOrigin{});
  EXPECT_NE(other.origin(0), origin);
  Table changed = t.sort({"age"}).filter([](std::int64_t row) { return row > 0; }).select({"age"});
  changed.add("more", changed["age"]).replace("age", Column::nulls(ColumnType::f64, changed.rows()));
  EXPECT_EQ(changed.origin(2), origin);
  EXPECT_EQ(t.select({}).origin(3), origin);
  const Table parts[] = {t, other.slice(1, 1), t.head(1)};
  const Table both = Table::concat(parts);
  EXPECT_EQ(both.origin(0), origin);
  EXPECT_EQ(both.origin(4), other.origin(0));
  EXPECT_EQ(both.origin(5), origin);
  EXPECT_EQ(both.slice(4, 1).origin(0), other.origin(0));
  EXPECT_THROW(t.origin(4), IndexError);
  EXPECT_THROW(t.origin(-1), IndexError);
  Table renumbered = t;
  renumbered.set_source(nullptr, {9, 8, 7, 6});
  EXPECT_NE(renumbered.origin(0), origin);
}

TEST(Table, ConcatenatesByName) {
  auto first_source = std::make_shared<TableSource>();
  first_source->file = "one.csv";
  auto second_source = std::make_shared<TableSource>();
  second_source->file = "two.csv";
  second_source->lines = {5, 9};
  Table a({{"k", Column::from_codes({0}, {"x"})}, {"v", Column::from_i64({1})}});
  a.set_source(first_source);
  Table b({{"v", Column::from_i64({2, 3})}, {"k", Column::from_codes({1, 0}, {"x", "y"})}});
  b.set_source(second_source);
  const Table parts[] = {a, b.sort({"v"}, false)};
  const Table t = Table::concat(parts);
  EXPECT_EQ(t.names(), a.names());
  EXPECT_EQ(t.rows(), 3);
  EXPECT_EQ(t["k"].string(1), "x");
  EXPECT_EQ(t["v"].i64(1), 3);
  EXPECT_EQ(t.row_ids(), (std::vector<std::int64_t>{0, 1, 0}));
  const DataLocation place = t.sort({"v"}, false).location(0, "k");
  EXPECT_EQ(place.file, "two.csv");
  EXPECT_EQ(place.row, 1);
  EXPECT_EQ(place.line, 9);
  EXPECT_EQ(place.column, "k");
  EXPECT_EQ(t.location(0).file, "one.csv");
  EXPECT_EQ(t.location(0).line, 2);

  const Table missing[] = {a, b.drop({"k"})}, extra[] = {a.drop({"k"}), b},
              other[] = {a, Table({{"k", Column::from_i64({1})}, {"v", Column::from_i64({1})}})};
  EXPECT_THROW(Table::concat(missing), DataError);
  EXPECT_THROW(Table::concat(extra), DataError);
  EXPECT_THROW(Table::concat(other), DataError);
  EXPECT_THROW(Table::concat({}), ValueError);
}

TEST(Table, CastErrorsNameFileRowLineAndColumn) {
  auto source = std::make_shared<TableSource>();
  source->file = "data.csv";
  Table t({{"x", Column::from_strings({"1", "2", "three"})}});
  t.set_source(source);
  Table tail = t.slice(1, 2);
  try {
    tail.cast("x", ColumnType::f64);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.file(), "data.csv");
    EXPECT_EQ(error.row(), 2);
    EXPECT_EQ(error.line(), 4);
    EXPECT_EQ(error.column(), "x");
    EXPECT_STREQ(error.what(), "[cast] data.csv: row 2 (line 4), column \"x\": expected a number, got \"three\"");
  }
  EXPECT_EQ(t.slice(0, 2).cast("x", ColumnType::f64)["x"].f64(1), 2);
}

TEST(Table, HashesContent) {
  const Table t = people();
  const std::string hash = t.content_hash();
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash, people().content_hash());
  EXPECT_EQ(hash, t.take(std::vector<std::int64_t>{0, 1, 2, 3}).content_hash());
  EXPECT_NE(hash, t.rename("age", "ages").content_hash());
  EXPECT_NE(hash, t.sort({"age"}).content_hash());
  EXPECT_NE(hash, t.head(3).content_hash());
  Table cast = t;
  EXPECT_NE(hash, cast.cast("age", ColumnType::f64).content_hash());
  set_num_threads(5);
  EXPECT_EQ(hash, t.content_hash());
  set_num_threads(0);
}

TEST(Table, Describes) {
  Table t({{"x", Column::from_f64({1, 2, 3, 4, 0}, {true, true, true, true, false})},
           {"s", Column::from_strings({"b", "a", "b", "c", "a"})},
           {"b", Column::from_booleans({true, true, true, false, false})},
           {"t", Column::from_strings({"2024-01-02", "2023-05-06", "2024-03-01", "2024-01-01", "2024-01-01"})}});
  t.cast("t", ColumnType::timestamp);
  const Description d = t.describe();
  EXPECT_EQ(d.rows, 5);
  EXPECT_EQ(d.columns[0].missing, 1);
  EXPECT_EQ(d.columns[0].distinct, 4);
  EXPECT_EQ(d.columns[0].min, 1);
  EXPECT_EQ(d.columns[0].q1, 1.75);
  EXPECT_EQ(d.columns[0].median, 2.5);
  EXPECT_EQ(d.columns[0].q3, 3.25);
  EXPECT_EQ(d.columns[0].max, 4);
  EXPECT_EQ(d.columns[0].mean, 2.5);
  EXPECT_NEAR(d.columns[0].sd, 1.2909944487358056, 1e-15);
  ASSERT_EQ(d.columns[1].top.size(), 3u);
  EXPECT_EQ(d.columns[1].top[0], (std::pair<std::string, std::int64_t>{"a", 2}));
  EXPECT_EQ(d.columns[1].top[2].first, "c");
  EXPECT_NEAR(d.columns[2].mean, 0.6, 1e-15);
  EXPECT_TRUE(std::isnan(d.columns[2].median));
  EXPECT_EQ(d.columns[3].first, "2023-05-06");
  EXPECT_EQ(d.columns[3].last, "2024-03-01");
  EXPECT_NE(to_string(d).find("5 rows, 4 columns"), std::string::npos);
  EXPECT_EQ(Table({{"n", Column::nulls(ColumnType::f64, 2)}}).describe().columns[0].missing, 2);
}

TEST(Table, PrintsItsHead) {
  EXPECT_EQ(to_string(people()),
            "name    age  paid\n"
            "string  i64  boolean\n"
            "Ann      31  true\n"
            "Bob      25  false\n"
            "Cyd       -  true\n"
            "Dee      25  true\n"
            "4 rows, 3 columns\n");
  Table wide;
  for (int i = 0; i < 20; ++i)
    wide.add(std::string("c").append(std::to_string(i)), Column::from_i64(std::vector<std::int64_t>(30, i)));
  const std::string text = to_string(wide);
  EXPECT_NE(text.find("... 20 more rows"), std::string::npos);
  EXPECT_NE(text.find("c5  ...  c14"), std::string::npos);
  EXPECT_EQ(to_string(Table()), "0 rows, 0 columns\n");
}

}  // namespace
}  // namespace tern::data
