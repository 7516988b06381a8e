#include "tern/data/spellings.h"

#include <gtest/gtest.h>

namespace tern::data {
namespace {

TEST(Spellings, DifferInCaseAndBlanks) {
  const std::vector<bool> valid = {true, true, true, true, true, true, true, true, false, true};
  const Column column =
      Column::from_strings({"m", "M", "m", "KÖLN", "Köln", "köln", "New York ", "new  york", "f", "f"}, valid);
  const std::vector<Spellings> found = find_spellings(column);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0], (Spellings{{"KÖLN", 1}, {"Köln", 1}, {"köln", 1}}));
  EXPECT_EQ(found[1], (Spellings{{"New York ", 1}, {"new  york", 1}}));
  EXPECT_EQ(found[2], (Spellings{{"m", 2}, {"M", 1}}));
  EXPECT_EQ(find_spellings(column.cast(ColumnType::categorical)), found);
}

TEST(Spellings, OthersHaveOne) {
  EXPECT_TRUE(find_spellings(Column::from_strings({"m", "f", "newyork", "new york", "×", "÷"})).empty());
  EXPECT_TRUE(find_spellings(Column::from_i64({1, 1, 2})).empty());
  EXPECT_TRUE(find_spellings(Column::from_strings({})).empty());
}

}  // namespace
}  // namespace tern::data
