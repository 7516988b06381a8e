#include "tern/data/roles.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tern/base/error.h"
#include "tern/data/duplicates.h"

namespace tern::data {
namespace {

constexpr int kRows = 60;

template <class F>
Column words_by(F&& make) {
  std::vector<std::string> values;
  for (int i = 0; i < kRows; ++i) values.push_back(make(i));
  return Column::from_strings(values);
}

template <class F>
Column whole(F&& make) {
  std::vector<std::int64_t> values;
  for (int i = 0; i < kRows; ++i) values.push_back(make(i));
  return Column::from_i64(values);
}

Table sample() {
  Table table;
  table.add("customerID", words_by([](int i) { return std::to_string(i * 37).append("-XY"); }));
  table.add("row", whole([](int i) { return (i * 7) % kRows + 5; }));
  table.add("account_id", whole([](int i) { return i / 2 * 1000; }));
  table.add("paid", whole([](int i) { return i * i; }));
  table.add("salary", words_by([](int i) { return std::string("$").append(std::to_string(1000 + i)).append(".50"); }));
  table.add("plan", words_by([](int i) { return std::string(i % 3 ? "basic" : "plus"); }));
  table.add("active", words_by([](int i) { return std::string(i % 3 ? "Yes" : "No"); }));
  table.add("since", words_by([](int i) { return std::string("2024-01-") + (i % 2 ? "13" : "14"); }));
  table.add("notes",
            words_by([](int i) { return std::string("called again about the bill ").append(std::to_string(i)); }));
  table.add("street", words_by([](int i) { return std::string("Elm ").append(std::to_string(i % 40)); }));
  table.add("country", words_by([](int) { return std::string("NO"); }));
  table.add("fax", Column::nulls(ColumnType::f64, kRows));
  table.add("code", words_by([](int i) { return std::to_string(i * 37).append("k"); }));
  table.add("churn", words_by([](int i) { return std::string(i % 4 ? "No" : "Yes"); }));
  return table;
}

Role role_of(const std::vector<ColumnRole>& roles, const std::string& name) {
  for (const ColumnRole& role : roles) {
    if (role.name == name) return role.role;
  }
  ADD_FAILURE() << name;
  return Role::numeric;
}

TEST(Roles, AreReadOffTheValues) {
  const std::vector<ColumnRole> roles = infer_roles(sample(), {.target = "churn"});
  EXPECT_EQ(roles.size(), 13u);
  const std::pair<const char*, Role> expected[] = {
      {"customerID", Role::identifier}, {"row", Role::identifier},   {"account_id", Role::identifier},
      {"paid", Role::numeric},          {"salary", Role::numeric},   {"plan", Role::categorical},
      {"active", Role::boolean},        {"since", Role::timestamp},  {"notes", Role::free_text},
      {"street", Role::free_text},      {"country", Role::constant}, {"fax", Role::all_missing},
      {"code", Role::identifier}};
  for (const auto& [name, role] : expected) EXPECT_EQ(to_string(role_of(roles, name)), to_string(role)) << name;
  for (const ColumnRole& role : roles) EXPECT_FALSE(role.reason.empty()) << role.name;
  EXPECT_EQ(unusable(roles),
            (std::vector<std::string>{"customerID", "row", "account_id", "notes", "street", "country", "fax", "code"}));
}

TEST(Roles, TextIsTextWhereNoFormsAreLookedFor) {
  Table table = sample();
  table.add("day", words_by([](int i) { return std::to_string(1 + i % 12).append("/01/2024"); }));
  EXPECT_THROW(infer_roles(table), DataError) << "day or month first";
  const auto roles = infer_roles(table, {.target = "churn", .formats = false});
  EXPECT_EQ(role_of(roles, "day"), Role::categorical);
  EXPECT_EQ(role_of(roles, "active"), Role::categorical);
}

TEST(Roles, ManyValuesOfTwoWrittenFormsAreAdvisedOn) {
  Table table;
  table.add("day", words_by([](int i) {
              const std::string day = std::to_string(10 + i % 19);
              return i % 2 ? "2024-01-" + day : day + ".02.2024";
            }));
  table.add("street", words_by([](int i) { return std::string("Elm ").append(std::to_string(i % 40)); }));
  table.add("fee", words_by([](int i) { return std::string(i % 2 ? "$" : "€").append(std::to_string(i + 10)); }));
  table.add("code", words_by([](int i) { return std::string("C").append(std::to_string(i)); }));
  const auto roles = infer_roles(table);
  EXPECT_EQ(role_of(roles, "day"), Role::free_text);
  EXPECT_NE(roles[0].reason.find("one known form"), std::string::npos) << roles[0].reason;
  EXPECT_EQ(roles[1].reason.find("one known form"), std::string::npos) << roles[1].reason;
  EXPECT_EQ(roles[2].role, Role::identifier);
  EXPECT_NE(roles[2].reason.find("looks like numbers or dates"), std::string::npos) << roles[2].reason;
  EXPECT_EQ(roles[3].role, Role::identifier);
  EXPECT_EQ(roles[3].reason.find("form"), std::string::npos) << roles[3].reason;
}

TEST(Roles, CanBeTold) {
  const Table table = sample();
  const auto roles = infer_roles(table, {.target = "churn", .id = "paid", .roles = {{"street", Role::categorical}}});
  EXPECT_EQ(role_of(roles, "street"), Role::categorical);
  EXPECT_EQ(role_of(roles, "paid"), Role::identifier);
  EXPECT_EQ(role_of(infer_roles(table, {.max_level_share = 0.9}), "street"), Role::categorical);
  EXPECT_EQ(role_of(infer_roles(table, {.max_levels = 1}), "plan"), Role::free_text);
  EXPECT_THROW(infer_roles(table, {.target = "nothing"}), DataError);
  EXPECT_THROW(infer_roles(table, {.roles = {{"nothing", Role::numeric}}}), DataError);
  for (int k = 0; k < 8; ++k) {
    const auto role = static_cast<Role>(k);
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_THROW(parse_role("number"), ValueError);
}

TEST(Roles, AskAboutAnAmbiguousDate) {
  const Table table = {{"expected_day", Column::from_strings({"01/02/2024", "03/04/2024"})}};
  try {
    infer_roles(table);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "expected_day");
    EXPECT_EQ(error.message().find("expected dates that tell day from month, got \"03/04/2024\""), 0u) << error.what();
  }
}

TEST(Roles, ASmallTableKeepsItsCategories) {
  const Table table = {{"name", Column::from_strings({"a", "b", "c"})}, {"n", Column::from_i64({1, 2, 3})}};
  const auto roles = infer_roles(table);
  EXPECT_EQ(roles[0].role, Role::categorical);
  EXPECT_EQ(roles[1].role, Role::numeric);
}

TEST(Roles, TheIndexOfPandasCountsRows) {
  Table table = {{"Unnamed: 0", whole([](int i) { return i * 1000; })},
                 {"Unnamed: 0.1", whole([](int i) { return i / 2; })},
                 {"x", whole([](int i) { return i * 1000; })}};
  const auto roles = infer_roles(table);
  EXPECT_EQ(roles[0].role, Role::identifier);
  EXPECT_EQ(roles[1].role, Role::identifier);
  EXPECT_NE(roles[0].reason.find("pandas"), std::string::npos);
  EXPECT_EQ(roles[2].role, Role::numeric);
  EXPECT_EQ(infer_roles(table.head(3))[0].role, Role::identifier);
}

TEST(Duplicates, LookPastIgnoredColumns) {
  const Table table = {{"row", Column::from_i64({0, 1, 2, 3})},
                       {"x", Column::from_f64({1, 1, 1, 2})},
                       {"y", Column::from_strings({"No", "No", "Yes", "No"})}};
  using Rows = std::vector<std::int64_t>;
  EXPECT_TRUE(find_duplicates(table, {.target = "y"}).rows.empty());
  const Duplicates found = find_duplicates(table, {.target = "y", .ignore = {"row"}});
  EXPECT_EQ(found.rows, (Rows{1}));
  EXPECT_EQ(found.first_rows, (Rows{0}));
  EXPECT_EQ(found.repeated_features, (Rows{1, 2}));
  EXPECT_EQ(found.conflicts, (Rows{2}));
  EXPECT_TRUE(found.by_chance);
  EXPECT_FALSE(find_duplicates(table, {.ignore = {"row"}}).by_chance) << "without a target nobody knows";
  EXPECT_TRUE(find_duplicates(table, {.ignore = {"row", "x", "y"}}).rows.empty());
  EXPECT_THROW(find_duplicates(table, {.ignore = {"nothing"}}), DataError);
  EXPECT_THROW(find_duplicates(table, {.target = "y", .ignore = {"y"}}), ValueError);
  EXPECT_THROW(find_duplicates(table, {.id = "row", .ignore = {"row"}}), ValueError);
}

TEST(Duplicates, CopiesAreOneGroup) {
  using Rows = std::vector<std::int64_t>;
  const Table table = {{"id", Column::from_i64({0, 1, 2, 3, 4, 5})},
                       {"x", Column::from_f64({1, 2, 1, 2, 3, 1})},
                       {"y", Column::from_strings({"No", "Yes", "No", "Yes", "No", "No"})}};
  EXPECT_EQ(groups_of_copies(table, {.id = "id", .target = "y"}), (Rows{0, 1, 0, 1, 4, 0}));
  EXPECT_EQ(groups_of_copies(table, {.target = "y", .ignore = {"id"}}), (Rows{0, 1, 0, 1, 4, 0}));
  EXPECT_TRUE(groups_of_copies(table, {.target = "y"}).empty()) << "the counter is a feature: no row equals another";
  Table other = table;
  other.replace("y", Column::from_strings({"No", "Yes", "Yes", "No", "No", "No"}));
  EXPECT_TRUE(groups_of_copies(other, {.id = "id", .target = "y"}).empty()) << "alike by chance";
  std::vector<double> many(300);
  std::iota(many.begin(), many.end(), 0.0);
  many[7] = many[9] = 5;
  EXPECT_TRUE(groups_of_copies({{"x", Column::from_f64(many)}}).empty()) << "fewer than one in a hundred";
  many[11] = 5;
  EXPECT_EQ(groups_of_copies({{"x", Column::from_f64(many)}})[11], 5);
}

TEST(Duplicates, AreToldApartByTheId) {
  const Table table = {{"id", Column::from_strings({"a", "b", "a", "a", "c", "d"})},
                       {"x", Column::from_f64({1, 1, 1, 2, 5, 5})},
                       {"y", Column::from_strings({"No", "No", "No", "No", "No", "Yes"})}};
  using Rows = std::vector<std::int64_t>;
  const Duplicates with = find_duplicates(table, {.id = "id", .target = "y"});
  EXPECT_TRUE(with.has_id);
  EXPECT_EQ(with.rows, (Rows{2}));
  EXPECT_EQ(with.first_rows, (Rows{0}));
  EXPECT_EQ(with.repeated_ids, (Rows{3}));
  EXPECT_EQ(with.repeated_features, (Rows{1, 2, 5}));
  EXPECT_EQ(with.conflicts, (Rows{5}));
  EXPECT_EQ(drop_duplicates(table, with).row_ids(), (Rows{0, 1, 3, 4, 5}));
  EXPECT_NE(to_string(with).find("1 row repeats"), std::string::npos);

  const Duplicates without = find_duplicates(table.drop({"id"}), {.target = "y"});
  EXPECT_FALSE(without.has_id);
  EXPECT_EQ(without.rows, (Rows{1, 2}));
  EXPECT_TRUE(without.repeated_ids.empty());

  // A blank id is no one's: such rows are equal, but not for their id.
  Table blank = table;
  blank.replace("id", Column::from_strings({"a", "", "", "a", "a", ""}, {true, false, false, true, true, false}));
  blank.replace("x", Column::from_f64({1, 1, 1, 1, 5, 5}));
  const Duplicates apart = find_duplicates(blank, {.id = "id", .target = "y"});
  EXPECT_EQ(apart.rows, (Rows{3}));
  EXPECT_EQ(apart.first_rows, (Rows{0}));
  EXPECT_EQ(apart.without_id, (Rows{2}));
  EXPECT_EQ(apart.repeated_ids, (Rows{4}));
  EXPECT_EQ(drop_duplicates(blank, apart).row_ids(), (Rows{0, 1, 2, 4, 5}));
  EXPECT_NE(to_string(apart).find("1 more in everything, without an id"), std::string::npos);
  EXPECT_THROW(find_duplicates(table, {.id = "nothing"}), DataError);
  EXPECT_THROW(drop_duplicates(table.head(1), with), IndexError);
}

}  // namespace
}  // namespace tern::data
