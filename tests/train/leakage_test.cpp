#include "tern/train/leakage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern::train {
namespace {

using data::Column;
using data::Table;

class Leaks : public ::testing::Test {
 protected:
  static constexpr std::int64_t rows = 2000;

  void SetUp() override {
    std::vector<double> amount;
    std::vector<std::string> plan;
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto at = static_cast<std::uint64_t>(i);
      labels_.push_back(random_.uniform(at) < 0.27);
      amount.push_back(normal(random_, 10000 + at) + (labels_.back() ? 1.0 : 0.0));
      plan.push_back(random_.uniform(50000 + at) < 0.5 ? "basic" : "plus");
    }
    table_.add("amount", Column::from_f64(amount)).add("plan", Column::from_strings(plan));
  }
  Philox random_{11};
  std::vector<std::uint8_t> labels_;
  Table table_;
};

TEST_F(Leaks, HonestColumnsAndUniqueIdsDoNotAlarm) {
  std::vector<std::string> ids;
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < rows; ++i) {
    ids.push_back("C-" + std::to_string(i * 7919 % 100003));
    numbers.push_back(i * 7919 % 100003);
  }
  table_.add("id", Column::from_strings(ids)).add("number", Column::from_i64(numbers));
  EXPECT_TRUE(find_leaks(table_, labels_).empty());
}

TEST_F(Leaks, WhatIsNoRangeOfNumbersAlarms) {
  std::vector<std::int64_t> code;
  std::vector<double> window;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    const bool yes = labels_[static_cast<std::size_t>(i)];
    code.push_back(2 * static_cast<std::int64_t>(random_.uniform(100000 + at) * 100) + yes);  // parity tells
    window.push_back(std::floor(random_.uniform(200000 + at) * 10) + (yes ? 0.5 : 0.0) +
                     0.1 * random_.uniform(300000 + at));
  }
  table_.add("code", Column::from_i64(code)).add("window", Column::from_f64(window));
  const std::vector<Leak> leaks = find_leaks(table_, labels_);
  ASSERT_EQ(leaks.size(), 2u);
  EXPECT_EQ(leaks[0].column, "code");
  EXPECT_EQ(leaks[1].column, "window");
}

TEST_F(Leaks, ACopyOfTheTargetWithFlipsAlarms) {
  std::vector<std::string> copy;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool flip = random_.uniform(90000 + static_cast<std::uint64_t>(i)) < 0.01;
    copy.push_back((labels_[static_cast<std::size_t>(i)] != 0) != flip ? "gone" : "here");
  }
  table_.add("status", Column::from_strings(copy));
  const auto found = find_leaks(table_, labels_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].column, "status");
  EXPECT_GE(found[0].auroc, 0.98);
  EXPECT_FALSE(found[0].missingness_alone);
  EXPECT_TRUE(find_leaks(table_, labels_, {"status"}).empty());
}

TEST_F(Leaks, AReasonThatOnlyPositivesHaveAlarmsByItsAbsence) {
  std::vector<std::string> reason;
  std::vector<bool> valid;
  for (std::int64_t i = 0; i < rows; ++i) {
    reason.push_back("reason " + std::to_string(i % 400));
    valid.push_back(labels_[static_cast<std::size_t>(i)] != 0);
  }
  table_.add("cancellation_reason", Column::from_strings(reason, valid));
  const auto found = find_leaks(table_, labels_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].column, "cancellation_reason");
  EXPECT_TRUE(found[0].missingness_alone);
}

TEST_F(Leaks, AValueThatOnlyPositivesHaveAlarmsThoughMostHaveIt) {
  std::vector<std::string> reason, channel;
  std::vector<bool> valid;
  std::vector<std::int64_t> flag;
  std::int64_t filled = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool yes = labels_[static_cast<std::size_t>(i)] != 0, told = yes && i % 5 < 2;
    filled += told;
    reason.push_back("reason " + std::to_string(i % 7));
    valid.push_back(told);
    channel.push_back(told ? "retention desk" : i % 3 ? "web" : "shop");
    flag.push_back(told ? 1 : 0);
  }
  table_.add("reason", Column::from_strings(reason, valid)).add("channel", Column::from_strings(channel));
  table_.add("flag", Column::from_i64(flag));
  const auto found = find_leaks(table_, labels_);
  ASSERT_EQ(found.size(), 3u);
  using Kind = PureValue::Kind;
  const std::pair<Kind, std::string> told[] = {{Kind::filled, ""}, {Kind::level, "retention desk"}, {Kind::level, "1"}};
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(found[i].pure.rows > 0);
    EXPECT_LT(found[i].auroc, 0.98);
    EXPECT_EQ(found[i].pure.kind, told[i].first);
    EXPECT_EQ(found[i].pure.text, told[i].second);
    EXPECT_EQ(found[i].pure.rows, filled);
    EXPECT_EQ(found[i].pure.others, 0);
    EXPECT_TRUE(found[i].pure.positive);
  }
  EXPECT_TRUE(find_leaks(table_, labels_, {}, {.purity = 1.1}).empty());
}

TEST_F(Leaks, ValuesThatTellLittleOrOfFewRowsDoNotAlarm) {
  std::vector<std::string> rare, honest, majority;
  std::int64_t marked = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const bool yes = labels_[static_cast<std::size_t>(i)] != 0;
    rare.push_back(yes && marked++ < 29 ? "complaint" : "none");  // 29 rows
    honest.push_back(yes && i % 2 ? "a" : i % 10 == 0 ? "a" : "b");
    majority.push_back(!yes && i % 2 ? "old" : "new");  // three of four rows are of that class as it is
  }
  table_.add("rare", Column::from_strings(rare)).add("honest", Column::from_strings(honest));
  std::vector<std::uint8_t> few = labels_;
  EXPECT_TRUE(find_leaks(table_, labels_).empty());
  for (std::size_t i = 0; i < few.size(); ++i) few[i] = few[i] && i % 3 == 0;  // 9 % are positive
  const Table loyal = {{"majority", Column::from_strings(majority)}};
  EXPECT_TRUE(find_leaks(loyal, few).empty());
}

TEST_F(Leaks, ANumberThatTellsByItsRangeAlarms) {
  std::vector<double> code;  // positives in the middle: no straight line separates them
  for (std::int64_t i = 0; i < rows; ++i) {
    const double u = random_.uniform(200000 + static_cast<std::uint64_t>(i));
    code.push_back(labels_[static_cast<std::size_t>(i)] ? 10 + u : (u < 0.5 ? u : 20 + u));
  }
  table_.add("code", Column::from_f64(code));
  const auto found = find_leaks(table_, labels_);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].column, "code");
}

TEST_F(Leaks, WholeGroupsGoToAFold) {
  std::vector<std::int64_t> groups;
  std::vector<std::string> name, gone;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t group = i % 80;
    groups.push_back(group);
    labels_[static_cast<std::size_t>(i)] = random_.uniform(300000 + static_cast<std::uint64_t>(group)) < 0.4;
    name.push_back("customer " + std::to_string(group));
    gone.push_back(labels_[static_cast<std::size_t>(i)] ? "gone" : "here");
  }
  table_.add("name", Column::from_strings(name)).add("gone", Column::from_strings(gone));
  EXPECT_EQ(find_leaks(table_, labels_).size(), 2u) << "rows of the same customer tell";
  const auto found = find_leaks(table_, labels_, {}, {.groups = groups});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].column, "gone");
  groups.pop_back();
  EXPECT_THROW(find_leaks(table_, labels_, {}, {.groups = groups}), ShapeError);
}

TEST_F(Leaks, LengthsMustAgree) {
  labels_.pop_back();
  EXPECT_THROW(find_leaks(table_, labels_), ShapeError);
}

}  // namespace
}  // namespace tern::train
