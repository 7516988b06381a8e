#include "tern/models/series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "message_of.h"
#include "resealed.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::models {
namespace {

// What statsmodels says of a series (golden/make_series.py).
const nlohmann::json& series_golden() {
  static const nlohmann::json& read =
      *new nlohmann::json(nlohmann::json::parse(std::ifstream(std::string(TERN_TEST_DATA) + "/series.json")));
  return read;
}
std::vector<double> of_series(const nlohmann::json& from, const char* what) {
  return from.at(what).get<std::vector<double>>();
}
const std::vector<double> kSeries = of_series(series_golden(), "series");

HoltWintersOptions told_options(const nlohmann::json& golden) {
  const auto trend = golden.at("trend").get<std::string>(), seasonality = golden.at("seasonality").get<std::string>();
  HoltWintersOptions options{.period = series_golden().at("period").get<int>()};
  options.trend = trend == "none" ? Trend::none : trend == "damped" ? Trend::damped : Trend::additive;
  options.seasonality = seasonality == "none"       ? Seasonality::none
                        : seasonality == "additive" ? Seasonality::additive
                                                    : Seasonality::multiplicative;
  return options;
}

double sse(const HoltWinters& model) { return model.rmse() * model.rmse() * static_cast<double>(kSeries.size()); }

TEST(HoltWinters, AgreesWithStatsmodels) {
  const nlohmann::json& smoothings = series_golden().at("told");
  int cases = 0;
  for (const nlohmann::json& golden : series_golden().at("holt_winters")) {
    const std::string what = golden.at("trend").get<std::string>() + " " + golden.at("seasonality").get<std::string>();
    HoltWintersOptions told = told_options(golden);
    told.level = smoothings.at("smoothing_level").get<double>();
    if (told.trend != Trend::none) told.slope = smoothings.at("smoothing_trend").get<double>();
    if (told.seasonality != Seasonality::none) told.season = smoothings.at("smoothing_seasonal").get<double>();
    if (told.trend == Trend::damped) told.damping = smoothings.at("damping_trend").get<double>();
    HoltWinters model(told);
    model.fit(kSeries);
    const std::vector<double> expected = of_series(golden, "forecast");
    const std::vector<double> forecast = model.forecast(static_cast<int>(expected.size()));
    for (std::size_t h = 0; h < forecast.size(); ++h) EXPECT_NEAR(forecast[h], expected[h], 1e-9) << what << " " << h;
    const double squares = golden.at("squares").get<double>();
    EXPECT_NEAR(sse(model), squares, 1e-7 * squares) << what;
    HoltWinters chosen(told_options(golden)), again(told_options(golden));
    chosen.fit(kSeries);
    EXPECT_LE(sse(chosen), golden.at("least_squares").get<double>() * 1.001) << what;
    EXPECT_EQ(chosen.fitted().size(), kSeries.size());
    again.fit(kSeries);
    EXPECT_EQ(again.forecast(5), chosen.forecast(5));
    ++cases;
  }
  EXPECT_EQ(cases, 6);
}

TEST(HoltWinters, ComesBackFromItsFile) {
  const std::string path = temporary_path("holt_winters.json");
  HoltWinters model({.trend = Trend::damped, .seasonality = Seasonality::additive, .period = 6});
  EXPECT_THROW(model.save(path), StateError);
  EXPECT_THROW(model.forecast(1), StateError);
  model.fit(kSeries);
  model.save(path);
  EXPECT_EQ(HoltWinters::load(path).forecast(20), model.forecast(20));
  HoltWinters again = HoltWinters::load(path);  // chooses anew
  const std::vector<double> shorter(kSeries.begin() + 20, kSeries.end());
  again.fit(shorter);
  model.fit(shorter);
  EXPECT_EQ(again.rmse(), model.rmse());
  const std::string text = read_file(path);
  write_file(path, text.substr(0, text.size() / 2));
  EXPECT_THROW(HoltWinters::load(path), FormatError);
  std::filesystem::remove(path);
}

TEST(HoltWinters, SaysWhatItNeeds) {
  EXPECT_THROW(HoltWinters({.seasonality = Seasonality::additive, .period = 1}), ValueError);
  EXPECT_THROW(HoltWinters({.period = 1}), ValueError);
  EXPECT_THROW(HoltWinters({.trend = Trend::none, .slope = 0.1}), ValueError);
  EXPECT_THROW(HoltWinters({.damping = 0.9}), ValueError);
  EXPECT_EQ(message_of<ValueError>([] { HoltWinters({.season = 0.25}); }),
            "[HoltWinters] expected no season without seasonality, got 0.25");
  EXPECT_THROW(HoltWinters({.level = 1.5}), ValueError);
  EXPECT_THROW(HoltWinters({.trend = Trend::damped, .damping = 0}), ValueError);
  HoltWinters model({.seasonality = Seasonality::multiplicative, .period = 6});
  EXPECT_THROW(model.fit(std::span(kSeries).first(12)), ValueError);
  std::vector<double> bad = kSeries;
  bad[3] = -1;
  EXPECT_THROW(model.fit(bad), ValueError);
  bad[3] = NAN;
  EXPECT_THROW(HoltWinters().fit(bad), ValueError);
  model.fit(kSeries);
  EXPECT_THROW(model.forecast(0), ValueError);
  const std::vector<double> before = model.forecast(6);
  std::vector<double> huge;
  for (int step = 0; step < 20; ++step) huge.push_back(step % 2 == 0 ? 1.5e308 : -1.5e308);
  EXPECT_THROW(HoltWinters().fit(huge), ValueError);
  for (int step = 0; step < 20; ++step) huge[static_cast<std::size_t>(step)] = 1e200 * (1 + step % 3);
  EXPECT_THROW(model.fit(huge), ValueError);
  EXPECT_EQ(model.forecast(6), before) << "what was learned stays";
  HoltWinters flat;
  flat.fit(std::vector<double>(20, 7.0));
  EXPECT_NEAR(flat.forecast(3)[2], 7, 1e-9);
}

TEST(AutoRegression, AgreesWithStatsmodels) {
  int cases = 0;
  for (const nlohmann::json& golden : series_golden().at("auto_regression")) {
    AutoRegressionOptions options{.lags = 2, .trend = golden.at("trend").get<bool>()};
    for (const int lag : golden.at("lags").get<std::vector<int>>()) {
      if (lag > options.lags) options.further.push_back(lag);
    }
    AutoRegression model(options);
    model.fit(kSeries);
    const auto expect = [&](const std::vector<double>& found, const char* name, double tolerance) {
      const std::vector<double> expected = of_series(golden, name);
      ASSERT_EQ(found.size(), expected.size()) << name;
      for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], tolerance) << name << " " << i;
    };
    const auto steps = static_cast<int>(golden.at("forecast").size());
    expect(model.coefficients(), "coefficients", 1e-8);
    expect(model.forecast(steps), "forecast", 1e-7);
    expect(model.deviations(steps), "deviations", 1e-8);
    EXPECT_NEAR(model.sigma(), golden.at("sigma").get<double>(), 1e-9);
    ++cases;
  }
  EXPECT_EQ(cases, 2);
}

TEST(AutoRegression, SaysWhatItNeedsAndComesBack) {
  EXPECT_THROW(AutoRegression({.lags = 0}), ValueError);
  EXPECT_THROW(AutoRegression({.lags = std::numeric_limits<int>::max()}), ValueError);
  EXPECT_THROW(AutoRegression({.lags = 3, .further = {2}}), ValueError);
  EXPECT_THROW(AutoRegression({.lags = 3, .further = {std::numeric_limits<int>::max()}}).fit(kSeries), ValueError);
  AutoRegression model({.lags = 3});
  EXPECT_THROW(model.forecast(1), StateError);
  EXPECT_THROW(model.fit(std::span(kSeries).first(7)), ValueError);
  EXPECT_THROW(model.fit(std::vector<double>(30, 1.0)), ValueError);
  EXPECT_THROW(AutoRegression().fit(std::vector<double>(50, 1.0)), ValueError);
  std::vector<double> bad = kSeries;
  bad[0] = INFINITY;
  EXPECT_THROW(model.fit(bad), ValueError);
  model.fit(kSeries);
  const std::string path = temporary_path("auto_regression.json");
  model.save(path);
  EXPECT_EQ(AutoRegression::load(path).forecast(9), model.forecast(9));
  EXPECT_EQ(AutoRegression::load(path).deviations(9), model.deviations(9));
  write_file(path, resealed("{}"));
  EXPECT_THROW(AutoRegression::load(path), FormatError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tern::models
