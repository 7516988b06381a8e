#include "tern/metrics/accumulators.h"

#include <algorithm>

#include "metrics/golden.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/metrics/regression.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;
using Classes = std::vector<std::int64_t>;

template <class T>
std::span<const T> part(const std::vector<T>& values, std::size_t begin, std::size_t end) {
  return std::span<const T>(values).subspan(begin, end - begin);
}

TEST(BinaryAccumulatorTest, PiecesGiveTheBitsOfTheWhole) {
  const Philox random(5);
  Doubles p, w;
  Bytes y;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    p.push_back(std::round(random.uniform(3 * i) * 300) / 300);
    y.push_back(random.uniform(3 * i + 1) < p.back());
    w.push_back(i < 400 ? 1.0 : random.uniform(3 * i + 2));
  }
  BinaryAccumulator whole, first, second;
  whole.add(p, y, w);
  first.add(part(p, 0, 137), part(y, 0, 137));  // without weights, which are 1 up to row 400
  first.add(part(p, 137, 500), part(y, 137, 500), part(w, 137, 500));
  second.add(part(p, 500, 1000), part(y, 500, 1000), part(w, 500, 1000));
  first.merge(second);
  first.merge(BinaryAccumulator{});
  const auto expected = whole.result(0.4), got = first.result(0.4);
  EXPECT_EQ(got.rows, 1000);
  EXPECT_EQ(got.positives, expected.positives);
  EXPECT_EQ(got.auroc, expected.auroc);
  EXPECT_EQ(got.average_precision, expected.average_precision);
  EXPECT_EQ(got.log_loss, expected.log_loss);
  EXPECT_EQ(got.brier, expected.brier);
  EXPECT_EQ(got.ece, expected.ece);
  EXPECT_EQ(got.calibration.slope, expected.calibration.slope);
  EXPECT_EQ(got.confusion.f1(), expected.confusion.f1());
}

TEST(BinaryAccumulatorTest, AgreesWithTheFunctions) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    BinaryAccumulator rows;
    rows.add(p, y, w);
    const auto figures = rows.result(row.at("threshold").get<double>());
    EXPECT_EQ(figures.auroc, auroc(p, y, w));
    EXPECT_DOUBLE_EQ(figures.average_precision, average_precision(p, y, w));
    expect_close(figures.log_loss, row.at("log_loss"));
    expect_close(figures.brier, row.at("brier"));
    expect_close(figures.ece, row.at("ece"));
    expect_close(figures.confusion.accuracy(), row.at("accuracy"));
    expect_close(figures.confusion.precision(), row.at("precision"));
    expect_close(figures.calibration.slope, row.at("slope"), 1e-11);
  }
}

TEST(BinaryAccumulatorTest, MergesWithItself) {
  BinaryAccumulator rows;
  rows.add(Doubles{0.2, 0.7}, Bytes{0, 1});
  rows.merge(rows);
  EXPECT_EQ(rows.rows(), 4);
  EXPECT_EQ(rows.probabilities()[3], 0.7);
  EXPECT_EQ(rows.labels()[3], 1);
}

TEST(BinaryAccumulatorTest, BadRowsAreNotAdded) {
  BinaryAccumulator rows;
  EXPECT_THROW(rows.result(), ValueError);
  EXPECT_THROW(rows.add(Doubles{0.5, 2}, Bytes{1, 0}), ValueError);
  EXPECT_EQ(rows.rows(), 0);
  rows.add(Doubles{0.5}, Bytes{1}, Doubles{0});  // a piece may weigh nothing, the whole may not
  EXPECT_THROW(rows.result(), ValueError);
}

TEST(ClassificationAccumulatorTest, PiecesAgreeWithTheWhole) {
  for (const auto& row : golden("multiclass")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Classes>();
    const auto classes = row.at("classes").get<std::size_t>();
    ClassificationAccumulator first(static_cast<std::int64_t>(classes)), second(static_cast<std::int64_t>(classes));
    const std::size_t cut = 17;
    const auto weights = [&](std::size_t begin, std::size_t end) {
      return w.empty() ? std::span<const double>{} : part(w, begin, end);
    };
    first.add(part(p, 0, cut * classes), part(y, 0, cut), weights(0, cut));
    second.add(part(p, cut * classes, p.size()), part(y, cut, y.size()), weights(cut, y.size()));
    first.merge(second);
    const auto figures = first.result();
    EXPECT_EQ(figures.rows, static_cast<std::int64_t>(y.size()));
    expect_close(figures.accuracy, row.at("accuracy"));
    expect_close(figures.balanced_accuracy, row.at("balanced_accuracy"));
    expect_close(figures.log_loss, row.at("log_loss"));
    expect_close(figures.macro.precision, row.at("macro").at("precision"));
    expect_close(figures.micro.recall, row.at("micro").at("recall"));
    expect_close(figures.weighted.f1, row.at("weighted").at("f1"));
  }
  EXPECT_THROW(ClassificationAccumulator(3).result(), ValueError);
  EXPECT_THROW(ClassificationAccumulator(3).merge(ClassificationAccumulator(2)), ShapeError);
  EXPECT_EQ(message_of<ShapeError>([] {
              ClassificationAccumulator(3).add(Doubles{0.5, 0.5}, Classes{1});
            }),
            "[ClassificationAccumulator.add] expected 1 x 3 probabilities, got 2");
}

TEST(RegressionAccumulatorTest, PiecesAgreeWithTheWhole) {
  for (const auto& row : golden("regression")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), y = row.at("y").get<Doubles>(), w = row.at("w").get<Doubles>();
    RegressionAccumulator rows;
    for (std::size_t begin = 0; begin < y.size(); begin += 7) {
      const std::size_t end = std::min(begin + 7, y.size());
      RegressionAccumulator piece;
      piece.add(part(p, begin, end), part(y, begin, end), w.empty() ? std::span<const double>{} : part(w, begin, end));
      rows.merge(piece);
    }
    const auto figures = rows.result();
    EXPECT_EQ(figures.rows, 150);
    expect_close(figures.mse, row.at("mse"));
    expect_close(figures.rmse, row.at("rmse"));
    expect_close(figures.mae, row.at("mae"));
    expect_close(figures.mape, row.at("mape"));
    expect_close(figures.r2, row.at("r2"));
  }
  EXPECT_THROW(RegressionAccumulator().result(), ValueError);
}

TEST(RegressionAccumulatorTest, StableFarFromZero) {
  // Targets 1e9 + {0, 1, 2}, repeated: the textbook formula would lose every digit of the variance 2/3.
  Doubles y, p;
  for (int i = 0; i < 300000; ++i) {
    y.push_back(1e9 + i % 3);
    p.push_back(1e9 + 1);
  }
  RegressionAccumulator rows;
  rows.add(part(p, 0, 1000), part(y, 0, 1000));
  rows.add(part(p, 1000, p.size()), part(y, 1000, y.size()));
  EXPECT_NEAR(rows.result().r2, 0, 1e-13);
  EXPECT_NEAR(rows.result().mse, 2.0 / 3, 1e-12);
  EXPECT_NEAR(r2(p, y), 0, 1e-13);
}

TEST(RegressionAccumulatorTest, PiecesOfNoWeightChangeNothing) {
  RegressionAccumulator rows;
  rows.add(Doubles{5, 5}, Doubles{0, 0}, Doubles{0, 0});
  EXPECT_THROW(rows.result(), ValueError);
  rows.add(Doubles{2, 2, 2}, Doubles{1, 2, 4});
  rows.add(Doubles{9}, Doubles{0}, Doubles{0});
  EXPECT_EQ(rows.result().rows, 6);
  EXPECT_DOUBLE_EQ(rows.result().mape, 0.5);
  EXPECT_DOUBLE_EQ(rows.result().mse, 5.0 / 3);
}

}  // namespace
}  // namespace tern::metrics
