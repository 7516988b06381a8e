#include "tern/train/task.h"

#include <gtest/gtest.h>

#include <cmath>

#include "message_of.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::train {
namespace {

using data::Column;

TEST(BinaryTask, FindsThePositiveClassOfFamiliarPairsOnly) {
  Task zero_one = binary({.target = "y"});
  zero_one.fit(Column::from_i64({0, 1, 1, 0}));
  EXPECT_EQ(zero_one.classes(), (std::vector<std::string>{"0", "1"}));
  Task words = binary({.target = "y"});
  words.fit(Column::from_strings({"Yes", "No", "Yes"}));
  EXPECT_EQ(words.positive(), "Yes");
  Task truth = binary({.target = "y"});
  truth.fit(Column::from_booleans({true, false}));
  EXPECT_EQ(truth.positive(), "true");
  Task other = binary({.target = "status"});
  const std::string asked = message_of<DataError>([&] { other.fit(Column::from_strings({"good", "bad"})); });
  EXPECT_NE(asked.find("column \"status\""), std::string::npos) << asked;
  EXPECT_NE(asked.find("\"bad\", \"good\""), std::string::npos) << asked;
  const Column truths = Column::from_booleans({true, false}), ones = Column::from_f64({0, 1});
  for (const auto& [column, positive, is] :
       {std::tuple(&truths, "True", "true"), {&truths, "FALSE", "false"}, {&ones, "1.0", "1"}, {&ones, "0", "0"}}) {
    Task spelled = binary({.target = "y", .positive = positive});
    spelled.fit(*column);
    EXPECT_EQ(spelled.positive(), is);
  }
  Task told = binary({.target = "status", .positive = "bad"});
  told.fit(Column::from_strings({"good", "bad"}));
  EXPECT_EQ(told.classes(), (std::vector<std::string>{"good", "bad"}));
}

TEST(BinaryTask, KeepsTheWordsAndKnowsOtherSpellingsOfTheirValues) {
  Task truth = binary({.target = "y"});
  truth.fit(Column::from_strings({"TRUE", "FALSE"}));
  EXPECT_EQ(truth.classes(), (std::vector<std::string>{"FALSE", "TRUE"}));
  EXPECT_EQ(truth.labels(Column::from_strings({"true", "TRUE", "False"})), (std::vector<std::uint8_t>{1, 1, 0}));
  EXPECT_EQ(truth.labels(Column::from_booleans({true, false})), (std::vector<std::uint8_t>{1, 0}));
  EXPECT_THROW(truth.labels(Column::from_strings({"yes"})), DataError);
  Task ones = binary({.target = "y", .positive = "0"});
  ones.fit(Column::from_strings({"0.0", "1.0"}));
  EXPECT_EQ(ones.classes(), (std::vector<std::string>{"1.0", "0.0"}));
  EXPECT_EQ(ones.labels(Column::from_f64({0, 1})), (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(ones.labels(Column::from_strings({"1", "1.00", "0.0"})), (std::vector<std::uint8_t>{0, 0, 1}));
  Task texts = binary({.target = "y", .positive = "a"});
  texts.fit(Column::from_strings({"a", "b"}));
  EXPECT_THROW(texts.labels(Column::from_strings({"A"})), DataError);  // another word, for all that is known
  Task three = multiclass({.target = "y", .classes = {"1", "1.0", "x"}});
  three.fit(Column::from_strings({"1", "1.0", "x"}));
  EXPECT_THROW(three.labels(Column::from_strings({"1.00"})), DataError);  // either of two
}

TEST(BinaryTask, RefusesTargetsThatAreNotTwoClasses) {
  const auto fit = [](const Column& column, const std::string& positive = "") {
    Task task = binary({.target = "y", .positive = positive});
    task.fit(column);
  };
  EXPECT_THROW(fit(Column::nulls(data::ColumnType::string, 3)), DataError);
  EXPECT_THROW(fit(Column::from_strings({"a", "a"}), "a"), DataError);
  EXPECT_THROW(fit(Column::from_strings({"a", "b", "c"}), "a"), DataError);
  EXPECT_THROW(fit(Column::from_strings({"a", "b"}), "z"), DataError);
}

TEST(BinaryTask, EncodesAndRefusesUnknownOrMissingValues) {
  Task task = binary({.target = "y"});
  EXPECT_THROW(task.encode(Column::from_strings({"Yes"})), StateError);
  task.fit(Column::from_strings({"Yes", "No"}));
  EXPECT_EQ(task.encode(Column::from_strings({"No", "Yes", "Yes"})).to_vector<float>(), (std::vector<float>{0, 1, 1}));
  try {
    task.encode(Column::from_strings({"No", "Maybe"}));
    FAIL() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_EQ(error.row(), 1);
    EXPECT_EQ(error.column(), "y");
  }
  EXPECT_THROW(task.encode(Column::from_strings({"No", ""}, {true, false})), DataError);
}

TEST(BinaryTask, LossAndProbabilities) {
  Task task = binary({.target = "y"});
  task.fit(Column::from_i64({0, 1}));
  const Tensor output = tensor({0.0, std::log(3.0), -800.0}, f64).unsqueeze(1);
  const std::vector<double> p = task.predict(output);
  EXPECT_DOUBLE_EQ(p[0], 0.5);
  EXPECT_NEAR(p[1], 0.75, 1e-15);
  EXPECT_EQ(p[2], 0.0);
  const double loss = task.loss(tensor({0.0, std::log(3.0)}, f64).unsqueeze(1), tensor({0, 1}, f32)).item<double>();
  EXPECT_NEAR(loss, (std::log(2.0) - std::log(0.75)) / 2, 1e-12);
  EXPECT_THROW(task.loss(zeros({2, 2}), zeros({2})), ShapeError);
  EXPECT_THROW(task.loss(zeros({3, 1}), zeros({2})), ShapeError);
}

TEST(BinaryTask, BalancedWeightsMakeTheClassesCountAlike) {
  Task task = binary({.target = "y", .balanced_weights = true});
  const Column y = Column::from_i64({0, 0, 0, 1});
  task.fit(y);
  EXPECT_EQ(task.row_weights(y), (std::vector<double>{4.0 / 6, 4.0 / 6, 4.0 / 6, 2}));
  const double loss = task.loss(zeros({4, 1}, f64), task.encode(y)).item<double>();
  EXPECT_NEAR(loss, std::log(2.0), 1e-7);  // the weights' mean is 1
}

TEST(BinaryTask, NamesSpellingsOfOneClass) {
  Task task = binary({.target = "y", .positive = "Yes"});
  const auto refused = [&](const std::vector<std::string>& values, const std::string& words) {
    const std::string message = message_of<DataError>([&] { task.fit(Column::from_strings(values)); });
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  refused({"No", "Yes", "yes", "Yes"},
          "got 3: \"No\", \"Yes\", \"yes\"; \"Yes\", \"yes\" differ only in case or blanks");
  refused({"Yes", "yes"}, "differ only in case");
  refused({"No", "no", "Yes", "yes"}, "\"No\", \"no\", and \"Yes\", \"yes\" differ only in case");
  refused({"No", "Yes", "Perhaps"}, "got 3: \"No\", \"Perhaps\", \"Yes\"");
  task = binary({.target = "y", .positive = "yes"});
  refused({"No", "Yes"}, "told as the data spell it it is \"Yes\"");
  task = binary({.target = "y", .positive = "ja"});
  EXPECT_EQ(message_of<DataError>([&] {
              task.fit(Column::from_strings({"No", "Yes"}));
            }).find("spell"),
            std::string::npos);
}

TEST(MulticlassTask, ProbabilitiesSumToOneInClassOrder) {
  Task task = multiclass({.target = "y"});
  task.fit(Column::from_strings({"c", "a", "b"}));
  EXPECT_EQ(task.outputs(), 3);
  EXPECT_EQ(task.encode(Column::from_strings({"b", "a"})).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 0}));
  const std::vector<double> p = task.predict(tensor({1000.0, 1000.0, -1000.0}, f64).unsqueeze(0));
  EXPECT_EQ(p, (std::vector<double>{0.5, 0.5, 0}));
}

TEST(RegressionTask, StandardizesAndComesBackInUnits) {
  Task task = regression({.target = "y"});
  const Column y = Column::from_f64({10, 20, 30});
  task.fit(y);
  const Tensor encoded = task.encode(y);
  EXPECT_NEAR(encoded.to_vector<float>()[2], std::sqrt(1.5f), 1e-6);
  const std::vector<double> back = task.predict(encoded.reshape({3, 1}));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(back[static_cast<std::size_t>(i)], 10 * (i + 1), 1e-5);
  Task constant = regression({.target = "y"});
  EXPECT_THROW(constant.fit(Column::from_f64({1, 1})), DataError);
  EXPECT_THROW(constant.fit(Column::from_strings({"a", "b"})), DataError);
  const std::string hint = message_of<DataError>([&] { constant.fit(Column::from_strings({"12%", "8%"})); });
  EXPECT_NE(hint.find("apply_format(table, \"y\", \"number:"), std::string::npos) << hint;
}

TEST(TaskJson, ComesBackEqualAndRefusesDamage) {
  Task task =
      binary({.target = "y", .threshold = metrics::parse_threshold_rule("recall>=0.8"), .balanced_weights = true});
  task.fit(Column::from_strings({"Yes", "No", "No"}));
  task.set_threshold(0.1234567890123);
  const std::string json = task.to_json();
  const Task back = Task::from_json(json);
  EXPECT_EQ(back.to_json(), json);
  EXPECT_EQ(back.threshold(), task.threshold());
  EXPECT_EQ(back.classes(), task.classes());
  Task scale = regression({.target = "y"});
  scale.fit(Column::from_f64({1, 2}));
  EXPECT_EQ(Task::from_json(scale.to_json()).to_json(), scale.to_json());
  for (const char* bad : {"", "{}", "[]", "{\"format\":2}", "{\"format\":1,\"kind\":\"other\"}"}) {
    EXPECT_THROW(Task::from_json(bad), FormatError) << bad;
  }
}

}  // namespace
}  // namespace tern::train
