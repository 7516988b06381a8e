#include "tern/data/estimator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/data/formats.h"
#include "tern/tensor/creation.h"
#include "tern/tensor/safetensors.h"

namespace tern::data {
namespace {

// Answers with the weighted mean target of rows on this side of 0 of the first column: a value, or a share of class 1.
class Halves : public Estimator {
 public:
  explicit Halves(bool classifies, bool missing = false) : classifies_(classifies), missing_(missing) {}
  std::string_view type() const override { return "halves"; }
  std::unique_ptr<Estimator> clone() const override { return std::make_unique<Halves>(*this); }
  bool classifies() const override { return classifies_; }

  double low = 0, high = 0;

 protected:
  void learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) override {
    double sums[2] = {0, 0}, weights[2] = {0, 0};
    for (std::int64_t row = 0; row < train.x.rows(); ++row) {
      const auto i = static_cast<std::size_t>(row);
      const double w = train.weights.empty() ? 1 : train.weights[i];
      const bool above = train.x.at(row, 0) > 0;
      sums[above] += w * train.y[i];
      weights[above] += w;
    }
    low = sums[0] / weights[0];
    high = sums[1] / weights[1];
    width_ = train.x.columns();
  }
  std::vector<double> respond(const Matrix& x, bool probability) const override {
    std::vector<double> out;
    for (std::int64_t row = 0; row < x.rows(); ++row) {
      const double value = x.at(row, 0) > 0 ? high : low;
      out.push_back(classifies_ && !probability ? value >= 0.5 : value);
    }
    return out;
  }
  std::int64_t width() const override { return width_; }
  std::string to_json() const override { return "{}"; }
  bool takes_missing() const override { return missing_; }

 private:
  bool classifies_, missing_;
  std::int64_t width_ = 0;
};

Table table() {
  Table out;
  out.add("a", Column::from_f64({-1, -2, 1, 2}));
  out.add("b", Column::from_booleans({true, false, true, false}));
  out.add("word", Column::from_strings({"no", "no", "yes", "no"}));
  out.add("w", Column::from_f64({1, 1, 3, 1}));
  return out;
}

TEST(Estimator, LearnsATableByItsNamesAndClasses) {
  Halves model(true);
  model.fit(table(), "word", {.weights = "w"});
  EXPECT_EQ(model.names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(model.classes(), (std::vector<std::string>{"no", "yes"}));
  EXPECT_DOUBLE_EQ(model.high, 0.75);
  Table mixed;  // found by name, in whatever order
  mixed.add("other", Column::from_strings({"x", "y"}));
  mixed.add("b", Column::from_booleans({true, true}));
  mixed.add("a", Column::from_i64({5, -5}));
  EXPECT_EQ(model.predict(mixed), (std::vector<double>{1, 0}));
  EXPECT_EQ(model.predict_probability(mixed), (std::vector<double>{0.75, 0}));
  EXPECT_THROW(model.predict(mixed.drop({"b"})), DataError);
}

TEST(Estimator, TakesTensorsAndSpans) {
  Halves model(false);
  const std::vector<double> y = {1, 2, 3, 5};
  model.fit(tensor<float>({-1, -1, 1, 1}).reshape({4, 1}), y);
  EXPECT_DOUBLE_EQ(model.low, 1.5);
  EXPECT_DOUBLE_EQ(model.high, 4);
  model.fit(tensor<std::int64_t>({-1, 0, 1, 1, 1, 0}).reshape({3, 2}), tensor<float>({1, 2, 4}));
  EXPECT_EQ(model.predict(tensor<double>({0, 9, 9, 0}).reshape({2, 2}).t()), (std::vector<double>{1, 3}));
  EXPECT_THROW(model.predict(table()), StateError);
  EXPECT_THROW(model.predict_probability(Matrix(y, 2)), StateError);
}

TEST(Estimator, SaysWhatItNeeds) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Halves values(false), classes(true);
  EXPECT_THROW(values.predict(table()), StateError);
  EXPECT_THROW(values.state(), StateError);
  const std::vector<double> x = {-1, 1}, y = {1, 2}, three = {1, 2, 3};
  EXPECT_THROW(values.fit(Matrix(x, 1), three), ShapeError);
  EXPECT_THROW(values.fit(Matrix(x, 1), y, {.weights = three}), ShapeError);
  EXPECT_THROW(values.fit(Matrix(x, 1), y, {.weights = std::vector<double>{0, 0}}), ValueError);
  EXPECT_THROW(values.fit(Matrix(x, 1), y, {.weights = std::vector<double>{-1, 2}}), ValueError);
  EXPECT_THROW(values.fit(Matrix(x, 1), std::vector<double>{1, nan}), ValueError);
  EXPECT_THROW(values.fit(Matrix(), {}), ValueError);
  EXPECT_THROW(values.fit(Matrix(x, 1), y, {.validation = Matrix(x, 1), .validation_target = y}), ValueError);
  EXPECT_THROW(classes.fit(Matrix(x, 1), std::vector<double>{0, 0.5}), ValueError);
  EXPECT_THROW(classes.fit(Matrix(x, 1), std::vector<double>{1, 1}), ValueError);
  EXPECT_THROW(classes.fit(table().drop({"word"}), "nothing"), DataError);
}

TEST(Estimator, SaysHowWrittenNumbersAreRead) {
  Halves values(false);
  Table rows = table().drop({"word"});
  rows.add("rate", Column::from_strings({"12%", "9.5%", "80%", "3%"}));
  const std::string target = message_of<DataError>([&] { values.fit(rows, "rate"); });
  EXPECT_NE(target.find("normalize_formats leaves a target alone, apply_format(table, \"rate\", \"number:"),
            std::string::npos)
      << target;
  const std::size_t at = target.find("number:");
  Table read = rows;
  apply_format(read, "rate", target.substr(at, target.find('"', at) - at));  // what the message says
  values.fit(read, "rate");
  const std::string feature = message_of<DataError>([&] { values.fit(rows, "a"); });
  EXPECT_NE(feature.find("written numbers (normalize_formats"), std::string::npos) << feature;
  EXPECT_EQ(message_of<DataError>([&] { values.fit(table(), "word"); }).find("normalize_formats"), std::string::npos);
}

TEST(Estimator, NamesTheCellThatIsMissing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Table holes;
  holes.add("a", Column::from_f64({1, -1}));
  holes.add("b", Column::from_f64({1, nan}));
  holes.add("y", Column::from_f64({1, 2}));
  Halves strict(false), lenient(false, true);
  try {
    strict.fit(holes, "y");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "b");
    EXPECT_EQ(error.row(), 1);
  }
  const std::vector<double> x = {1, nan}, y = {1, 2};
  const std::string message = message_of<ValueError>([&] { strict.fit(Matrix(x, 1), y); });
  EXPECT_NE(message.find("row 1, column 0"), std::string::npos) << message;
  EXPECT_TRUE(strict.names().empty());
  lenient.fit(holes, "y");
  EXPECT_DOUBLE_EQ(lenient.low, 2);
  const std::string kind = message_of<DataError>([&] { lenient.fit(table(), "a"); });
  EXPECT_NE(kind.find("Pipeline"), std::string::npos) << kind;
  holes.replace("y", Column::from_f64({1, 0}, {true, false}));
  EXPECT_THROW(lenient.fit(holes, "y"), DataError);
  EXPECT_DOUBLE_EQ(lenient.low, 2) << "what was learned stays";
}

TEST(Estimator, IsMadeAgainByItsType) {
  register_estimator("halves", [](const EstimatorState&) {
    auto made = std::make_unique<Halves>(false);
    made->fit(tensor<double>({-1, 1}).reshape({2, 1}), tensor<double>({1, 2}));
    return made;
  });
  EXPECT_THROW(register_estimator("halves", [](const EstimatorState&) { return nullptr; }), ValueError);
  const auto made = make_estimator({.type = "halves", .names = {"a"}});
  EXPECT_EQ(made->predict(table()), (std::vector<double>{1, 1, 2, 2}));
  EXPECT_THROW(make_estimator({.type = "halves", .names = {"a", "b"}}), FormatError);
  EXPECT_NE(message_of<FormatError>([] { make_estimator({.type = "thirds"}); }).find("halves"), std::string::npos);
}

// Learns a tensor, the mean of each column.
class Means : public Estimator {
 public:
  std::string_view type() const override { return "means"; }
  std::unique_ptr<Estimator> clone() const override { return std::make_unique<Means>(*this); }
  bool classifies() const override { return true; }
  static std::unique_ptr<Estimator> from_state(const EstimatorState& state) {
    auto made = std::make_unique<Means>();
    made->means_ = state.tensors.at(0).second;
    return made;
  }

 protected:
  void learn(const Rows& train, const Rows& /*validation*/, std::int64_t /*classes*/) override {
    std::vector<double> means(static_cast<std::size_t>(train.x.columns()));
    for (std::int64_t i = 0; i < train.x.rows() * train.x.columns(); ++i) {
      means[static_cast<std::size_t>(i % train.x.columns())] +=
          train.x.at(i / train.x.columns(), i % train.x.columns()) / static_cast<double>(train.x.rows());
    }
    means_ = from_vector(means);
  }
  std::vector<double> respond(const Matrix& x, bool /*probability*/) const override {
    return std::vector<double>(static_cast<std::size_t>(x.rows()), means_.to_vector<double>()[0]);
  }
  std::int64_t width() const override { return means_.defined() ? means_.size(0) : 0; }
  std::string to_json() const override { return R"({"kind": "mean"})"; }
  std::vector<NamedTensor> tensors() const override { return {{"means", means_}}; }

 private:
  Tensor means_;
};

TEST(Estimator, AFileKeepsItsColumnsClassesAndTensors) {
  register_estimator("means", Means::from_state);
  const std::string path = temporary_path("means.tern");
  Means model;
  EXPECT_THROW(model.save(path), StateError);
  model.fit(table(), "word", {.weights = "w"});
  model.save(path);
  for (const char* type : {"", "means"}) {
    const auto loaded = load_estimator(path, type);
    EXPECT_EQ(loaded->names(), model.names());
    EXPECT_EQ(loaded->types(), (std::vector<ColumnType>{ColumnType::f64, ColumnType::boolean}));
    EXPECT_EQ(loaded->target(), "word");
    EXPECT_EQ(loaded->classes(), model.classes());
    EXPECT_EQ(loaded->predict(table()), model.predict(table()));
    EXPECT_EQ(loaded->state().json, model.state().json);
  }
  EXPECT_THROW(load_estimator(path, "ridge"), FormatError);
  EXPECT_THROW(load_estimator(path + ".not"), FileError);
  const std::string bytes = read_file(path);
  for (std::size_t size = 0; size < bytes.size(); size += 11) {
    write_file(path, bytes.substr(0, size));
    EXPECT_THROW(load_estimator(path), FormatError) << size;
  }
  write_file(path, to_safetensors({.tensors = {{"means", tensor<double>({1})}}}));
  EXPECT_THROW(load_estimator(path), FormatError);
  std::filesystem::remove(path);
  // Fitted on a matrix it has no columns.
  model.fit(tensor<double>({-1, 1}).reshape({2, 1}), tensor<double>({0, 1}));
  EXPECT_TRUE(model.names().empty() && model.types().empty() && model.target().empty());
  EXPECT_THROW(make_estimator({.type = "means", .tensors = model.state().tensors}), FormatError) << "no classes";
}

TEST(Estimator, NumbersClassesByTextOrValue) {
  EXPECT_EQ(target_classes(Column::from_f64({10, 9, 10, 2})), (std::vector<std::string>{"2", "9", "10"}));
  EXPECT_EQ(target_classes(Column::from_strings({"b", "a", "b"})), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(target_values(table(), "word", {"no", "yes"}), (std::vector<double>{0, 0, 1, 0}));
  const Table zeros{{"y", Column::from_f64({0.0, -0.0, 1})}};
  EXPECT_EQ(target_values(zeros, "y", target_classes(zeros["y"])), (std::vector<double>{0, 0, 1}));
  EXPECT_THROW(target_values(table(), "word", {"no"}), DataError);
  EXPECT_THROW(target_values(table(), "word", {}), DataError);
  EXPECT_THROW(target_classes(Column::from_f64({1, 2, 246.51})), ValueError) << "values";
  EXPECT_EQ(target_classes(Column::from_i64({1, 0}), "0"), (std::vector<std::string>{"1", "0"}));
  EXPECT_EQ(target_classes(Column::from_i64({1, 0}), "1"), (std::vector<std::string>{"0", "1"}));
  EXPECT_THROW(target_classes(Column::from_i64({1, 0}), "2"), ValueError);
  EXPECT_THROW(target_classes(Column::from_i64({1, 0, 2}), "2"), ValueError) << "three classes";
}

}  // namespace
}  // namespace tern::data
