#include "tern/train/logistic.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"

namespace tern::train {
namespace {

TEST(Logistic, FindsScikitLearnsSolution) {
  std::ifstream file(TERN_TEST_DATA "/logistic.txt");
  std::size_t rows = 0, width = 0;
  ASSERT_TRUE(file >> rows >> width);
  std::vector<float> x(rows * width);
  std::vector<std::uint8_t> y(rows);
  std::vector<double> weights(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < width; ++j) file >> x[i * width + j];
    int label = 0;
    file >> label >> weights[i];
    y[i] = static_cast<std::uint8_t>(label);
  }
  int cases = 0;
  double c = 0;
  for (int weighted = 0; file >> c >> weighted; ++cases) {
    const Logistic fitted = fit_logistic(
        x, y,
        {.inverse_penalty = c, .weights = weighted ? std::span<const double>(weights) : std::span<const double>()});
    EXPECT_TRUE(fitted.converged);
    for (std::size_t j = 0; j <= width; ++j) {
      double expected = 0;
      file >> expected;
      EXPECT_NEAR(j < width ? fitted.coefficients[j] : fitted.intercept, expected, 2e-6 * (1 + std::abs(expected)));
    }
  }
  EXPECT_EQ(cases, 3);
}

TEST(Logistic, SameBitsAtAnyThreadCount) {
  const std::size_t rows = 3000, width = 7;
  const Philox random(4);
  std::vector<float> x(rows * width);
  std::vector<std::uint8_t> y(rows);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(normal(random, i));
  for (std::size_t i = 0; i < rows; ++i) y[i] = x[i * width] + 0.5f * x[i * width + 1] > 0.3f ? 1 : 0;
  std::vector<Logistic> fitted;
  for (int threads : {1, 2, 5}) {
    set_num_threads(threads);
    fitted.push_back(fit_logistic(x, y));
  }
  set_num_threads(0);
  for (int k : {1, 2}) {
    EXPECT_EQ(fitted[0].coefficients, fitted[static_cast<std::size_t>(k)].coefficients);
    EXPECT_EQ(fitted[0].intercept, fitted[static_cast<std::size_t>(k)].intercept);
  }
}

TEST(Logistic, SeparableDataStaysFinite) {
  const std::vector<float> x = {-2, -1, 1, 2};
  const std::vector<std::uint8_t> y = {0, 0, 1, 1};
  const Logistic fitted = fit_logistic(x, y);
  EXPECT_TRUE(fitted.converged);
  const std::vector<double> p = fitted.predict(x);
  EXPECT_LT(p[1], 0.5);
  EXPECT_GT(p[2], 0.5);
}

TEST(Logistic, RefusesWhatDoesNotFit) {
  const std::vector<float> x = {1, 2, 3};
  EXPECT_THROW(fit_logistic(x, std::vector<std::uint8_t>{0, 1}), ShapeError);
  EXPECT_THROW(fit_logistic(x, std::vector<std::uint8_t>{1, 1, 1}), ValueError);
  EXPECT_THROW(fit_logistic(x, std::vector<std::uint8_t>{1, 0, 1}, {.inverse_penalty = 0}), ValueError);
  const std::vector<double> weights = {1};
  EXPECT_THROW(fit_logistic(x, std::vector<std::uint8_t>{1, 0, 1}, {.weights = weights}), ShapeError);
}

}  // namespace
}  // namespace tern::train
