#include "tern/metrics/binary.h"

#include "metrics/golden.h"
#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/metrics/calibration.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;

TEST(Binary, FiguresOfScikitLearn) {
  const auto cases = golden("binary");
  ASSERT_EQ(cases.size(), 5u);
  for (const auto& row : cases) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    const auto counts = binary_confusion(p, y, {.threshold = row.at("threshold").get<double>(), .weights = w});
    expect_close({counts.true_negative, counts.false_positive, counts.false_negative, counts.true_positive},
                 row.at("confusion"));
    expect_close(counts.accuracy(), row.at("accuracy"));
    expect_close(counts.balanced_accuracy(), row.at("balanced_accuracy"));
    expect_close(counts.precision(), row.at("precision"));
    expect_close(counts.recall(), row.at("recall"));
    expect_close(counts.f1(), row.at("f1"));
    expect_close(counts.f_beta(2), row.at("f2"));
    expect_close(counts.f_beta(0.5), row.at("f_half"));
    expect_close(auroc(p, y, w), row.at("auroc"));
    expect_close(average_precision(p, y, w), row.at("average_precision"));
    expect_close(log_loss(p, y, w), row.at("log_loss"));
    expect_close(brier(p, y, w), row.at("brier"));
  }
}

TEST(Binary, CurvesOfScikitLearn) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    const auto roc = roc_curve(p, y, w);
    expect_close(roc.false_positive_rate, row.at("roc").at("fpr"));
    expect_close(roc.true_positive_rate, row.at("roc").at("tpr"));
    EXPECT_EQ(roc.thresholds.front(), HUGE_VAL);
    expect_close(Doubles(roc.thresholds.begin() + 1, roc.thresholds.end()), row.at("roc").at("thresholds"));
    const auto curve = precision_recall_curve(p, y, w);
    expect_close(curve.precision, row.at("pr").at("precision"));
    expect_close(curve.recall, row.at("pr").at("recall"));
    expect_close(curve.thresholds, row.at("pr").at("thresholds"));
  }
}

TEST(Binary, WorkedByHand) {
  // Positives at 0.9, 0.5 (tied with a negative), 0.2; negatives at 0.5 and 0.1.
  const Doubles p{0.1, 0.9, 0.5, 0.5, 0.2};
  const Bytes y{0, 1, 1, 0, 1};
  EXPECT_EQ(auroc(p, y), (2 + 1.5 + 1) / 6.0);
  EXPECT_DOUBLE_EQ(average_precision(p, y), (1.0 + 2.0 / 3 + 3.0 / 4) / 3);
  const auto counts = binary_confusion(p, y);  // 0.5 >= 0.5 is positive
  EXPECT_EQ(counts.true_positive, 2);
  EXPECT_EQ(counts.false_positive, 1);
  EXPECT_EQ(counts.false_negative, 1);
  EXPECT_EQ(counts.true_negative, 1);
  EXPECT_EQ(brier(Doubles{0.5, 1}, Bytes{1, 0}), 0.625);
  EXPECT_EQ(log_loss(Doubles{0.5, 0.5}, Bytes{1, 0}), std::log(2.0));
  EXPECT_DOUBLE_EQ(log_loss(Doubles{0}, Bytes{1}), 52 * std::log(2.0));  // the clip
}

TEST(Binary, UndefinedIsNaNAndFoundNothingIsZero) {
  const Doubles p{0.1, 0.2, 0.3};
  const Bytes negative{0, 0, 0}, positive{1, 1, 1}, mixed{0, 1, 0};
  EXPECT_TRUE(std::isnan(auroc(p, negative)));
  EXPECT_TRUE(std::isnan(auroc(p, positive)));
  EXPECT_TRUE(std::isnan(average_precision(p, negative)));
  EXPECT_EQ(average_precision(p, positive), 1);
  EXPECT_TRUE(std::isnan(auroc(p, mixed, Doubles{1, 0, 1})));  // a row of weight 0 is absent
  const auto none_found = binary_confusion(p, mixed);
  EXPECT_TRUE(std::isnan(none_found.precision()));
  EXPECT_EQ(none_found.recall(), 0);
  EXPECT_EQ(none_found.f1(), 0);
  EXPECT_EQ(none_found.balanced_accuracy(), 0.5);
  const auto nothing = binary_confusion(p, negative);
  EXPECT_EQ(nothing.accuracy(), 1);
  EXPECT_TRUE(std::isnan(nothing.recall()));
  EXPECT_TRUE(std::isnan(nothing.f1()));
  EXPECT_TRUE(std::isnan(nothing.balanced_accuracy()));
  EXPECT_TRUE(std::isnan(BinaryConfusion{}.accuracy()));
  EXPECT_THROW(roc_curve(p, negative), ValueError);
  EXPECT_THROW(precision_recall_curve(p, negative), ValueError);
}

TEST(Binary, WeightsCountAsRepeatedRows) {
  const Philox random(3);
  Doubles p, w, p_repeated;
  Bytes y, y_repeated;
  for (std::uint64_t i = 0; i < 300; ++i) {
    p.push_back(std::round(random.uniform(3 * i) * 50) / 50);
    y.push_back(random.uniform(3 * i + 1) < p.back());
    w.push_back(static_cast<double>(random.below(3 * i + 2, 4)));
    p_repeated.insert(p_repeated.end(), static_cast<std::size_t>(w.back()), p.back());
    y_repeated.insert(y_repeated.end(), static_cast<std::size_t>(w.back()), y.back());
  }
  EXPECT_EQ(auroc(p, y, w), auroc(p_repeated, y_repeated));
  EXPECT_DOUBLE_EQ(average_precision(p, y, w), average_precision(p_repeated, y_repeated));
  EXPECT_DOUBLE_EQ(log_loss(p, y, w), log_loss(p_repeated, y_repeated));
  EXPECT_DOUBLE_EQ(brier(p, y, w), brier(p_repeated, y_repeated));
  expect_close(calibration_fit(p, y, w).slope, calibration_fit(p_repeated, y_repeated).slope);
}

TEST(Binary, MirroredScoresMirrorTheArea) {
  const Doubles scores{-3, 2.5, 2.5, 0, 7, -0.0};
  const Bytes y{0, 1, 0, 1, 1, 0};
  Doubles mirrored;
  for (const double score : scores) mirrored.push_back(-score);
  EXPECT_DOUBLE_EQ(auroc(scores, y) + auroc(mirrored, y), 1);
}

TEST(Binary, BadInputNamesTheFigure) {
  const Doubles p{0.2, 0.8}, none;
  const Bytes y{0, 1}, empty;
  EXPECT_EQ(message_of<ShapeError>([&] { auroc(p, Bytes{1}); }),
            "[auroc] expected one label for each of 2 predictions, got 1");
  EXPECT_EQ(message_of<ShapeError>([&] { brier(p, y, Doubles{1}); }),
            "[brier] expected no weights or one for each of 2 predictions, got 1");
  EXPECT_EQ(message_of<ValueError>([&] { log_loss(none, empty); }), "[log_loss] expected at least one row, got none");
  EXPECT_EQ(message_of<NumericError>([&] {
              average_precision(Doubles{0.5, NAN}, y);
            }),
            "[average_precision] expected finite scores, got nan at row 1");
  EXPECT_EQ(message_of<NumericError>([&] {
              roc_curve(Doubles{HUGE_VAL, 0}, y);
            }),
            "[roc_curve] expected finite scores, got inf at row 0");
  EXPECT_EQ(message_of<ValueError>([&] {
              log_loss(Doubles{0.5, 1.5}, y);
            }),
            "[log_loss] expected probabilities from 0 to 1, got 1.5 at row 1");
  EXPECT_EQ(message_of<ValueError>([&] {
              brier(Doubles{-0.1, 1}, y);
            }),
            "[brier] expected probabilities from 0 to 1, got -0.1 at row 0");
  EXPECT_EQ(message_of<ValueError>([&] {
              binary_confusion(p, Bytes{0, 2});
            }),
            "[binary_confusion] expected labels 0 or 1, got 2 at row 1");
  EXPECT_EQ(message_of<ValueError>([&] {
              auroc(p, y, Doubles{1, -1});
            }),
            "[auroc] expected weights that are not negative, got -1 at row 1");
  EXPECT_EQ(message_of<NumericError>([&] {
              auroc(p, y, Doubles{1, NAN});
            }),
            "[auroc] expected finite weights, got nan at row 1");
  EXPECT_EQ(message_of<ValueError>([&] {
              precision_recall_curve(p, y, Doubles{0, 0});
            }),
            "[precision_recall_curve] expected a row of positive weight, got weights that are all 0");
  EXPECT_EQ(message_of<ValueError>([&] { binary_confusion(p, y).f_beta(0); }),
            "[f_beta] expected a positive, finite beta, got 0");
  EXPECT_THROW(binary_confusion(p, y, {.threshold = NAN}), ValueError);
}

}  // namespace
}  // namespace tern::metrics
