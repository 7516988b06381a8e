#include "tern/metrics/calibration.h"

#include "metrics/golden.h"
#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;

TEST(Calibration, SlopeAndInterceptOfGoldenData) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto fit = calibration_fit(row.at("p").get<Doubles>(), row.at("y").get<Bytes>(), row.at("w").get<Doubles>());
    ASSERT_EQ(fit.status, CalibrationStatus::ok);
    expect_close(fit.slope, row.at("slope"), 1e-11);
    expect_close(fit.intercept, row.at("intercept"), 1e-11);
  }
}

TEST(Calibration, TwoProbabilitiesAreFittedExactly) {
  // At p = 0.2 half the rows are positive, at p = 0.8 three quarters: the line through both logits.
  const Doubles p{0.2, 0.2, 0.8, 0.8, 0.8, 0.8};
  const Bytes y{0, 1, 1, 1, 1, 0};
  const auto fit = calibration_fit(p, y);
  ASSERT_EQ(fit.status, CalibrationStatus::ok);
  EXPECT_NEAR(fit.slope, std::log(3.0) / (2 * std::log(4.0)), 1e-13);
  EXPECT_NEAR(fit.intercept, std::log(3.0) / 2, 1e-13);
}

TEST(Calibration, WhatCannotBeFittedIsSaid) {
  const Doubles p{0.1, 0.3, 0.3, 0.9};
  const auto status = [&](const Doubles& probabilities, const Bytes& labels) {
    const auto fit = calibration_fit(probabilities, labels);
    EXPECT_EQ(std::isnan(fit.slope), fit.status != CalibrationStatus::ok);
    EXPECT_EQ(std::isnan(fit.intercept), fit.status != CalibrationStatus::ok);
    return fit.status;
  };
  EXPECT_EQ(status(p, {0, 0, 0, 0}), CalibrationStatus::one_class);
  EXPECT_EQ(status({0.4, 0.4, 0.4}, {0, 1, 0}), CalibrationStatus::constant);
  EXPECT_EQ(status(p, {0, 0, 0, 1}), CalibrationStatus::separable);
  EXPECT_EQ(status(p, {0, 0, 1, 1}), CalibrationStatus::separable);  // they touch in one probability
  EXPECT_EQ(status(p, {1, 1, 0, 0}), CalibrationStatus::separable);  // the wrong way round
  EXPECT_EQ(status(p, {0, 1, 1, 0}), CalibrationStatus::ok);
  EXPECT_EQ(status({0, 1e-20, 0}, {0, 1, 0}), CalibrationStatus::constant);  // equal once clipped
  EXPECT_EQ(to_string(CalibrationStatus::one_class), "all labels are equal");
}

TEST(Calibration, ConvergesFromExtremes) {
  // Certain and wrong beside certain and right, and near-separable classes of very unequal size.
  EXPECT_EQ(calibration_fit(Doubles{0, 0, 1, 1, 0.5}, Bytes{0, 1, 1, 0, 1}).status, CalibrationStatus::ok);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Philox random(seed);
    const double scale = std::exp(8 * random.uniform(0) - 4), shift = 12 * random.uniform(1) - 6;
    Doubles p;
    Bytes y;
    for (std::uint64_t i = 0; i < 60; ++i) {
      const double x = normal(random, 10 + i);
      p.push_back(1 / (1 + std::exp(-(shift + scale * x))));
      y.push_back(random.uniform(500 + i) < 1 / (1 + std::exp(-8 * x)));
    }
    EXPECT_NE(calibration_fit(p, y).status, CalibrationStatus::not_converged) << seed;
  }
}

TEST(Calibration, UndoesAKnownDistortion) {
  // Labels drawn from sigmoid(0.5 + 0.6 logit(p)): the fit finds both within sampling error.
  const Philox random(11);
  Doubles p;
  Bytes y;
  for (std::uint64_t i = 0; i < 200000; ++i) {
    const double logit = 1.5 * normal(random, i);
    p.push_back(1 / (1 + std::exp(-logit)));
    y.push_back(random.uniform(1000000 + i) < 1 / (1 + std::exp(-(0.5 + 0.6 * logit))));
  }
  const auto fit = calibration_fit(p, y);
  EXPECT_NEAR(fit.slope, 0.6, 0.02);
  EXPECT_NEAR(fit.intercept, 0.5, 0.02);
}

TEST(CalibrationErrorTest, GoldenData) {
  for (const auto& row : golden("binary")) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), w = row.at("w").get<Doubles>();
    const auto y = row.at("y").get<Bytes>();
    expect_close(expected_calibration_error(p, y, {.weights = w}).value, row.at("ece"));
    const auto quantile = expected_calibration_error(p, y, {.binning = Binning::quantile, .bins = 5, .weights = w});
    expect_close(quantile.value, row.at("ece_quantile"));
    Doubles edges{quantile.bins.front().low};
    for (const auto& bin : quantile.bins) edges.push_back(bin.high);
    expect_close(edges, row.at("quantile_edges"));
  }
}

TEST(CalibrationErrorTest, BinsByHand) {
  const auto error = expected_calibration_error(Doubles{0, 0.1, 0.3, 0.95}, Bytes{0, 1, 0, 1});
  ASSERT_EQ(error.bins.size(), 10u);
  EXPECT_EQ(error.bins[0].rows, 2);  // 0 and 0.1: the upper edge belongs to the bin
  EXPECT_EQ(error.bins[0].mean_probability, 0.05);
  EXPECT_EQ(error.bins[0].observed_rate, 0.5);
  EXPECT_EQ(error.bins[1].rows, 0);
  EXPECT_TRUE(std::isnan(error.bins[1].mean_probability));
  EXPECT_TRUE(std::isnan(error.bins[1].observed_rate));
  EXPECT_EQ(error.bins[2].rows, 1);
  EXPECT_EQ(error.bins[2].high, 0.3);
  EXPECT_EQ(error.bins[9].high, 1);
  EXPECT_NEAR(error.value, (0.9 + 0.3 + 0.05) / 4, 1e-15);
}

TEST(CalibrationErrorTest, ConstantProbabilitiesMakeOneQuantileBin) {
  const auto error =
      expected_calibration_error(Doubles{0.3, 0.3}, Bytes{0, 1}, {.binning = Binning::quantile, .bins = 4});
  ASSERT_EQ(error.bins.size(), 1u);
  EXPECT_EQ(error.bins[0].rows, 2);
  EXPECT_NEAR(error.value, 0.2, 1e-15);
}

TEST(CalibrationErrorTest, BadInput) {
  EXPECT_EQ(message_of<ValueError>([] { expected_calibration_error(Doubles{0.5}, Bytes{1}, {.bins = 0}); }),
            "[expected_calibration_error] expected 1 to 1000 bins, got 0");
  EXPECT_EQ(message_of<NumericError>([] { calibration_fit(Doubles{NAN}, Bytes{1}); }),
            "[calibration_fit] expected finite scores, got nan at row 0");
}

}  // namespace
}  // namespace tern::metrics
