#include "tern/data/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/parallel.h"

namespace tern::data {
namespace {

// `rows` rows with a number of their own, a class "Yes" for every `every`th, and a group of seven rows.
Table people(std::int64_t rows, std::int64_t every = 4) {
  std::vector<std::int64_t> x, group, day;
  std::vector<std::string> y;
  for (std::int64_t i = 0; i < rows; ++i) {
    x.push_back(i * 17 % 10007);
    group.push_back(i / 7);
    day.push_back((rows - i) / 3);
    y.push_back(i % every == 0 ? "Yes" : "No");
  }
  return {{"x", Column::from_i64(x)},
          {"group", Column::from_i64(group)},
          {"day", Column::from_timestamps(day)},
          {"y", Column::from_strings(y)}};
}

std::int64_t count(const Table& table, const std::string& word) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < table.rows(); ++i) found += table["y"].string(i) == word;
  return found;
}

void expect_partition(const Splits& splits, std::int64_t rows) {
  std::vector<std::int64_t> all = splits.train_rows;
  all.insert(all.end(), splits.validation_rows.begin(), splits.validation_rows.end());
  all.insert(all.end(), splits.test_rows.begin(), splits.test_rows.end());
  std::sort(all.begin(), all.end());
  std::vector<std::int64_t> expected(static_cast<std::size_t>(rows));
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
}

TEST(Split, MeetsItsSharesStratified) {
  const Table table = people(1000);
  const Splits splits = split(table, {.stratify = "y", .seed = 7});
  expect_partition(splits, 1000);
  EXPECT_EQ(splits.train.rows(), 700);
  EXPECT_EQ(splits.validation.rows(), 150);
  EXPECT_EQ(splits.test.rows(), 150);
  EXPECT_EQ(count(splits.train, "Yes"), 175);
  EXPECT_NEAR(count(splits.validation, "Yes"), 37.5, 0.5);
  EXPECT_NEAR(count(splits.test, "Yes"), 37.5, 0.5);
  EXPECT_EQ(splits.train.row_ids(), splits.train_rows);
  EXPECT_TRUE(std::is_sorted(splits.train_rows.begin(), splits.train_rows.end()));
}

TEST(Split, RepeatsForASeedAtAnyThreadCount) {
  const Table table = people(1000);
  const Splits one = split(table, {.seed = 3});
  set_num_threads(5);
  const Splits two = split(table, {.seed = 3});
  set_num_threads(0);
  EXPECT_EQ(one.test_rows, two.test_rows);
  EXPECT_EQ(one.train_rows, two.train_rows);
  EXPECT_NE(one.test_rows, split(table, {.seed = 4}).test_rows);
  EXPECT_EQ(one.train.rows(), 700);
}

TEST(Split, LooksRandom) {
  const Table table = people(200);
  std::vector<int> in_test(200);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const std::int64_t row : split(table, {.stratify = "y", .seed = seed}).test_rows) {
      ++in_test[static_cast<std::size_t>(row)];
    }
  }
  // Each row is in a test part of 15 % in 30 of 200 tries, sd 5; six sd either side.
  for (const int times : in_test) {
    EXPECT_GT(times, 0);
    EXPECT_LT(times, 62);
  }
}

// In which parts each value of "x" stands.
std::map<std::int64_t, std::set<int>> parts_of_values(const Splits& splits) {
  std::map<std::int64_t, std::set<int>> parts;
  const Table* tables[] = {&splits.train, &splits.validation, &splits.test};
  for (int p = 0; p < 3; ++p) {
    for (std::int64_t i = 0; i < tables[p]->rows(); ++i) parts[(*tables[p])["x"].i64(i)].insert(p);
  }
  return parts;
}

TEST(Split, KeepsIdenticalFeaturesTogether) {
  std::vector<std::int64_t> x;
  std::vector<std::string> id, y;
  for (int i = 0; i < 600; ++i) {
    x.push_back(i % 150);  // four rows of each
    id.push_back(std::to_string(i).append("c"));
    y.push_back(i % 3 == 0 ? "Yes" : "No");
  }
  const Table table = {{"id", Column::from_strings(id)}, {"x", Column::from_i64(x)}, {"y", Column::from_strings(y)}};
  const Splits splits = split(table, {.stratify = "y", .seed = 1, .id = "id"});
  expect_partition(splits, 600);
  for (const auto& [value, in] : parts_of_values(splits)) EXPECT_EQ(in.size(), 1u) << value;
  EXPECT_NEAR(splits.train.rows(), 420, 4);
  EXPECT_NEAR(count(splits.test, "Yes"), 30, 6);

  const Splits apart = split(table, {.stratify = "y", .seed = 1, .together = false, .id = "id"});
  EXPECT_EQ(apart.train.rows(), 420);
  // With the id a feature, no two rows are identical.
  EXPECT_EQ(split(table, {.stratify = "y", .seed = 1}).train_rows, apart.train_rows);
}

TEST(Split, NeverCutsAGroup) {
  const Table table = people(1000);
  for (const std::string stratify : {"", "y"}) {
    const Splits splits = split(table, {.stratify = stratify, .group = "group", .seed = 5});
    expect_partition(splits, 1000);
    std::set<std::int64_t> train, rest;
    for (std::int64_t i = 0; i < splits.train.rows(); ++i) train.insert(splits.train["group"].i64(i));
    for (std::int64_t i = 0; i < splits.validation.rows(); ++i) rest.insert(splits.validation["group"].i64(i));
    for (const std::int64_t group : rest) EXPECT_EQ(train.count(group), 0u);
    for (std::int64_t i = 0; i < splits.test.rows(); ++i) {
      EXPECT_EQ(train.count(splits.test["group"].i64(i)) + rest.count(splits.test["group"].i64(i)), 0u);
    }
    EXPECT_NEAR(splits.train.rows(), 700, 8);
    EXPECT_NEAR(splits.test.rows(), 150, 8);
  }
}

// `sizes` rows of each group, in that order, each with a number of its own.
Table grouped(const std::vector<int>& sizes) {
  std::vector<std::int64_t> x;
  std::vector<std::string> group, y;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    for (int i = 0; i < sizes[g]; ++i) {
      x.push_back(static_cast<std::int64_t>(x.size()));
      group.push_back(std::string(1, static_cast<char>('a' + g)));
      y.push_back(i % 2 ? "Yes" : "No");
    }
  }
  return {{"x", Column::from_i64(x)}, {"group", Column::from_strings(group)}, {"y", Column::from_strings(y)}};
}

TEST(Split, FewGroupsGoOneToEachPart) {
  for (const std::vector<int>& sizes :
       std::vector<std::vector<int>>{{40, 30, 30}, {30, 30, 40}, {90, 5, 5}, {25, 25, 25, 25}, {4, 4, 4, 88}}) {
    const Table table = grouped(sizes);
    for (const std::string stratify : {"", "y"}) {
      const Splits splits = split(table, {.stratify = stratify, .group = "group", .seed = 3});
      expect_partition(splits, 100);
      EXPECT_EQ(splits.train["group"].distinct_count() + splits.validation["group"].distinct_count() +
                    splits.test["group"].distinct_count(),
                static_cast<std::int64_t>(sizes.size()));
      EXPECT_GE(splits.train.rows(), splits.test.rows());
      EXPECT_TRUE(splits.notes.empty());
    }
    const std::vector<Fold> folds = k_fold(table, {.folds = 3, .group = "group"});
    for (const Fold& fold : folds) EXPECT_FALSE(fold.validation.empty());
  }
  try {
    split(grouped({50, 50}), {.group = "group"});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "group");
    EXPECT_NE(
        std::string(error.what()).find("expected at least 3 groups, one for each of train, validation, test, got 2"),
        std::string::npos)
        << error.what();
  }
  EXPECT_EQ(split(grouped({50, 50}), {.train = 0.8, .validation = 0, .test = 0.2, .group = "group"}).test.rows(), 50);
  EXPECT_THROW(k_fold(grouped({50, 50, 50}), {.folds = 4, .group = "group"}), DataError);
}

TEST(Split, JoinsGroupsThatShareIdenticalRows) {
  Table table = people(1000);  // groups of seven
  std::vector<std::int64_t> x(table["x"].i64_values().begin(), table["x"].i64_values().end());
  for (std::size_t i = 0; i < 490; ++i) x[i] = x[i % 245];  // groups g and g + 35 share their rows
  table.replace("x", Column::from_i64(x));
  const SplitOptions options{.group = "group", .seed = 2, .target = "y", .ignore = {"day"}};
  const Splits joined = split(table, options);
  expect_partition(joined, 1000);
  EXPECT_EQ(joined.repeated, 0);
  EXPECT_TRUE(joined.warnings.empty());
  for (const auto& [value, in] : parts_of_values(joined)) EXPECT_EQ(in.size(), 1u) << value;
  EXPECT_NEAR(joined.train.rows(), 700, 15);

  // Where every group shares a copy with the next, not all can be joined, and that is said.
  std::vector<std::int64_t> chain(1000);
  for (std::size_t i = 0; i < 1000; ++i) chain[i] = static_cast<std::int64_t>((i + 1) / 7 * 7 + (i + 1) % 7 / 2);
  table.replace("x", Column::from_i64(chain));
  std::vector<std::string> said;
  const LogSink before = set_log_sink([&said](LogLevel level, std::string_view text) {
    if (level == LogLevel::warning) said.emplace_back(text);
  });
  SplitOptions untold = options;
  untold.target = "";
  untold.ignore = {"day", "y"};
  const Splits apart = split(table, untold);
  k_fold(table, {.group = "group", .ignore = {"day", "y"}});
  set_log_sink(before);
  EXPECT_GT(apart.repeated, 0);
  EXPECT_LT(apart.repeated, 10) << "others are joined all the same";
  ASSERT_EQ(apart.warnings.size(), 1u);
  EXPECT_EQ(apart.warnings[0].find(std::to_string(apart.repeated) + " of 1000 rows"), 0u) << apart.warnings[0];
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0], "[split] " + apart.warnings[0]);
  EXPECT_EQ(said[1].find("[k_fold] "), 0u);
  SplitOptions alone = untold;
  alone.together = false;
  EXPECT_EQ(split(table, alone).repeated, 0) << "not asked for";
}

TEST(Split, CountsTheRowsThatTimeKeepsApart) {
  Table table = people(1000);
  EXPECT_EQ(split(table, {.time = "day", .ignore = {"group"}}).repeated, 0);
  std::vector<std::int64_t> x(table["x"].i64_values().begin(), table["x"].i64_values().end());
  x[1] = x[2] = x[999];  // the latest two rows are as the earliest, and of its class
  table.replace("x", Column::from_i64(x));
  const Splits splits = split(table, {.time = "day", .target = "y", .ignore = {"group"}});
  EXPECT_EQ(splits.repeated, 2);
  ASSERT_EQ(splits.warnings.size(), 1u);
  EXPECT_NE(splits.warnings[0].find("a split by time moves no row"), std::string::npos) << splits.warnings[0];
}

TEST(Split, TellsStrangersThatLookAlikeFromCopies) {
  Table table = people(1000);
  std::vector<std::int64_t> x;
  for (std::int64_t i = 0; i < 1000; ++i) x.push_back(i * 17 % 331);  // three rows of each, far apart in time
  table.replace("x", Column::from_i64(x));
  const SplitOptions options{.time = "day", .target = "y", .ignore = {"group"}};
  const Splits strangers = split(table, options);
  EXPECT_GT(strangers.repeated, 200);
  EXPECT_TRUE(strangers.warnings.empty()) << strangers.warnings[0];
  ASSERT_EQ(strangers.notes.size(), 1u);
  EXPECT_NE(strangers.notes[0].find("look alike by chance and are no copies"), std::string::npos) << strangers.notes[0];
  std::vector<std::string> y;
  for (const std::int64_t value : x) y.push_back(value % 4 ? "No" : "Yes");  // now they have their target in common
  table.replace("y", Column::from_strings(y));
  EXPECT_EQ(split(table, options).warnings.size(), 1u);
}

// A table of one feature and a target; the rate of "Yes" is that of each value's third.
Table valued(const std::vector<std::int64_t>& x) {
  std::vector<std::string> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t draw = (i + 1) * 0x9e3779b97f4a7c15u >> 32;
    y.push_back(draw % 100 < 20 + static_cast<std::uint64_t>(x[i] % 3) * 25 ? "Yes" : "No");
  }
  return {{"x", Column::from_i64(x)}, {"y", Column::from_strings(y)}};
}

void expect_shares(const Splits& splits, const Table& whole, double within) {
  const double rows = static_cast<double>(whole.rows()), yes = static_cast<double>(count(whole, "Yes"));
  const std::pair<const Table*, double> parts[] = {
      {&splits.train, 0.70}, {&splits.validation, 0.15}, {&splits.test, 0.15}};
  for (const auto& [part, share] : parts) {
    EXPECT_NEAR(static_cast<double>(part->rows()), share * rows, within);
    EXPECT_NEAR(static_cast<double>(count(*part, "Yes")), share * yes, within);
  }
}

TEST(Split, ALargeBlockStandsInOnePartAndOthersDoNotMakeUpForIt) {
  std::vector<std::int64_t> x;
  for (std::int64_t i = 0; i < 2000; ++i) x.push_back(i % 5 < 2 ? 0 : 1 + i / 2);  // 40 % are 0, the rest in pairs
  const Table table = valued(x);
  const Splits splits = split(table, {.stratify = "y", .seed = 3});
  expect_partition(splits, 2000);
  for (const auto& [value, in] : parts_of_values(splits)) EXPECT_EQ(in.size(), 1u) << value;
  const Table rest = table.filter([&](std::int64_t row) { return x[static_cast<std::size_t>(row)] != 0; });
  EXPECT_NEAR(splits.test.rows(), 180, 2);  // 15 % of the other 1,200 rows, and of their classes
  EXPECT_NEAR(count(splits.test, "Yes"), 0.15 * static_cast<double>(count(rest, "Yes")), 2);
  EXPECT_NEAR(count(splits.validation, "Yes"), 0.15 * static_cast<double>(count(rest, "Yes")), 2);
  EXPECT_GT(splits.together, 1300);
  ASSERT_FALSE(splits.warnings.empty());
  EXPECT_EQ(splits.warnings[0].find("800 of 2000 rows (40.0 %) are equal in every feature to many others, and stand in "
                                    "one part"),
            0u)
      << splits.warnings[0];

  const Splits apart = split(table, {.stratify = "y", .seed = 3, .together = false});
  expect_shares(apart, table, 1);
  EXPECT_EQ(apart.together, 0);
  EXPECT_TRUE(apart.warnings.empty());
  for (const std::int64_t equal : {29, 30}) {
    x.clear();
    for (std::int64_t i = 0; i < 100; ++i) x.push_back(i < equal ? 0 : i);
    const Splits few = split(valued(x), {.target = "y"});
    EXPECT_EQ(few.warnings.empty(), equal == 29);
    for (const auto& [value, in] : parts_of_values(few)) EXPECT_EQ(in.size(), 1u) << value;
  }
}

TEST(Split, KeepsTogetherWhatATableOfFewValuesHas) {
  std::vector<std::int64_t> x;
  for (std::int64_t i = 0; i < 1600; ++i) x.push_back(i % 40);  // 40 rows of each, of both classes
  const Table table = valued(x);
  const Splits splits = split(table, {.stratify = "y", .seed = 3});
  expect_partition(splits, 1600);
  for (const auto& [value, in] : parts_of_values(splits)) EXPECT_EQ(in.size(), 1u) << value;
  EXPECT_NEAR(splits.test.rows(), 240, 40);
  EXPECT_EQ(splits.together, 1600);
  EXPECT_NE(splits.test_rows, split(table, {.stratify = "y", .seed = 4}).test_rows);
  ASSERT_FALSE(splits.warnings.empty());
  EXPECT_NE(splits.warnings[0].find("each of their 40 blocks stands in one part"), std::string::npos);
  std::vector<std::int64_t> two;
  for (std::int64_t i = 0; i < 100; ++i) two.push_back(i % 2);
  try {
    split(valued(two), {.stratify = "y"});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("equal rows may stand apart"), std::string::npos) << error.message();
  }
  EXPECT_EQ(split(valued(two), {.stratify = "y", .together = false}).test.rows(), 15);
}

TEST(Split, BlocksThatStayTogetherComeOutInTheirShares) {
  std::vector<std::int64_t> x;
  for (std::int64_t block = 0; block < 150; ++block) {  // of 1 to 25 rows, few of which have ten or more
    const std::int64_t size = block % 3 ? 1 + block % 9 : 1 + block / 6;
    for (std::int64_t i = 0; i < size; ++i) x.push_back(block);
  }
  for (std::int64_t i = 0; i < 500; ++i) x.push_back(1000 + i);
  const Table table = valued(x);
  std::set<std::vector<std::int64_t>> different;
  std::set<int> parts_of_largest;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Splits splits = split(table, {.stratify = "y", .seed = seed});
    expect_partition(splits, table.rows());
    expect_shares(splits, table, 1);
    EXPECT_GT(splits.together, 700);
    different.insert(splits.test_rows);
    const Table* tables[] = {&splits.train, &splits.validation, &splits.test};
    for (int p = 0; p < 3; ++p) {
      for (std::int64_t i = 0; i < tables[p]->rows(); ++i) {
        if ((*tables[p])["x"].i64(i) == 147) parts_of_largest.insert(p);
      }
    }
  }
  EXPECT_EQ(different.size(), 20u);
  EXPECT_GT(parts_of_largest.size(), 1u) << "the largest block is in the same part for every seed";
}

TEST(Split, WarnsOfClassesThatAreFurtherApartThanChance) {
  std::vector<std::int64_t> day;
  std::vector<std::string> rising, level;
  for (std::int64_t i = 0; i < 3000; ++i) {
    const std::uint64_t draw = static_cast<std::uint64_t>(i + 1) * 0x9e3779b97f4a7c15u >> 32;
    day.push_back(i);
    rising.push_back(draw % 9000 < 1500 + static_cast<std::uint64_t>(i) ? "Yes" : "No");
    level.push_back(draw % 9000 < 3000 ? "Yes" : "No");
  }
  Table table = {{"day", Column::from_i64(day)}, {"y", Column::from_strings(rising)}};
  const Splits drifting = split(table, {.time = "day", .target = "y"});
  ASSERT_EQ(drifting.warnings.size(), 1u);
  EXPECT_EQ(drifting.warnings[0].find("\"Yes\" is 2"), 0u) << drifting.warnings[0];
  EXPECT_NE(drifting.warnings[0].find("it changes with \"day\""), std::string::npos);
  table.replace("y", Column::from_strings(level));
  EXPECT_TRUE(split(table, {.time = "day", .target = "y"}).warnings.empty());
}

TEST(Split, CutsTimeBetweenDifferentTimes) {
  const Table table = people(1000);
  const Splits splits = split(table, {.time = "day"});
  expect_partition(splits, 1000);
  const auto range = [](const Table& part) {
    const auto values = part["day"].i64_values();
    return std::pair(*std::min_element(values.begin(), values.end()), *std::max_element(values.begin(), values.end()));
  };
  EXPECT_LT(range(splits.train).second, range(splits.validation).first);
  EXPECT_LT(range(splits.validation).second, range(splits.test).first);
  EXPECT_NEAR(splits.train.rows(), 700, 2);
  EXPECT_NEAR(splits.validation.rows(), 150, 3);
  const Table same = {{"t", Column::from_i64({1, 1, 1, 1, 1, 2})}};
  try {
    split(same, {.time = "t"});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(error.message().find("rows of the same \"t\" stay together"), std::string::npos) << error.message();
  }
  const Splits two = split(same, {.train = 0.5, .validation = 0, .test = 0.5, .time = "t"});
  EXPECT_EQ(two.train.rows(), 5);
  EXPECT_EQ(two.test.rows(), 1);
}

TEST(Split, ChecksItsOptions) {
  const Table table = people(100);
  EXPECT_THROW(split(table, {.train = 0.5, .validation = 0.1, .test = 0.1}), ValueError);
  EXPECT_THROW(split(table, {.train = 1.2, .validation = -0.1, .test = -0.1}), ValueError);
  EXPECT_THROW(split(table, {.train = 0, .validation = 0.5, .test = 0.5}), ValueError);
  EXPECT_THROW(split(table, {.stratify = "y", .time = "day"}), ValueError);
  EXPECT_THROW(split(table, {.stratify = "nothing"}), DataError);
  EXPECT_THROW(split(table, {.time = "y"}), DataError);
  EXPECT_THROW(split(table, {.id = "nothing"}), DataError);
  EXPECT_THROW(split(table.head(2)), DataError);
  EXPECT_EQ(split(table, {.train = 0.8, .validation = 0.2, .test = 0}).test.rows(), 0);
  Table holes = table;
  holes.replace("y", Column::nulls(ColumnType::string, 100));
  EXPECT_THROW(split(holes, {.stratify = "y"}), DataError);
}

TEST(Split, NamesAClassThatIsAbsentFromAPart) {
  const Table table = people(100, 50);  // two of "Yes"
  for (const SplitOptions& options : {SplitOptions{.stratify = "y"}, SplitOptions{.target = "y"}}) {
    try {
      split(table, options);
      FAIL();
    } catch (const DataError& error) {
      EXPECT_EQ(error.column(), "y");
      EXPECT_NE(std::string(error.what()).find("\"Yes\" in "), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("there are 2 rows of that class in all"), std::string::npos);
    }
  }
  const Splits three = split(people(100, 40), {.stratify = "y"});  // three of "Yes": one each
  EXPECT_EQ(count(three.train, "Yes"), 1);
  EXPECT_EQ(count(three.validation, "Yes"), 1);
  EXPECT_EQ(count(three.test, "Yes"), 1);
}

TEST(KFold, HoldsEachRowOutOnce) {
  const Table table = people(1003);
  for (const KFoldOptions& options :
       {KFoldOptions{.seed = 2}, KFoldOptions{.stratify = "y", .seed = 2}, KFoldOptions{.group = "group", .seed = 2}}) {
    const std::vector<Fold> folds = k_fold(table, options);
    ASSERT_EQ(folds.size(), 5u);
    std::vector<int> held(1003);
    for (const Fold& fold : folds) {
      EXPECT_EQ(fold.train.size() + fold.validation.size(), 1003u);
      EXPECT_NEAR(static_cast<double>(fold.validation.size()), 200.6, 7);
      for (const std::int64_t row : fold.validation) ++held[static_cast<std::size_t>(row)];
      if (!options.stratify.empty()) {
        EXPECT_NEAR(count(table.take(fold.validation), "Yes"), 50.2, 1);
      }
    }
    EXPECT_EQ(held, std::vector<int>(1003, 1));
    EXPECT_EQ(k_fold(table, options)[3].validation, folds[3].validation);
  }
  EXPECT_THROW(k_fold(table, {.folds = 1}), ValueError);
  EXPECT_THROW(k_fold(table.head(3)), DataError);
  EXPECT_THROW(k_fold(people(100, 30), {.stratify = "y"}), DataError);  // four of "Yes" in five folds
}

TEST(KFold, ExpandsInTime) {
  const Table table = people(600);
  const std::vector<Fold> folds = k_fold(table, {.folds = 4, .time = "day"});
  ASSERT_EQ(folds.size(), 4u);
  for (std::size_t f = 0; f < 4; ++f) {
    std::int64_t latest = 0, earliest = 1'000'000;
    for (const std::int64_t row : folds[f].train) latest = std::max(latest, table["day"].timestamp(row));
    for (const std::int64_t row : folds[f].validation) earliest = std::min(earliest, table["day"].timestamp(row));
    EXPECT_LT(latest, earliest);
    EXPECT_NEAR(static_cast<double>(folds[f].train.size()), 120.0 * static_cast<double>(f + 1), 3);
  }
}

}  // namespace
}  // namespace tern::data
