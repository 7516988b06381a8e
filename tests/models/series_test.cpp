#include "tern/models/series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::models {
namespace {

// 50 + 0.8 t + 6 sin(2 π t / 6) + noise, rounded; the figures below are those of statsmodels 0.15.0:
// ExponentialSmoothing(y, initialization_method="heuristic", …).fit and AutoReg(y, lags, trend).fit.
// The sixth forecasts are (level + 6 trend) with the last season of its fit: its forecast takes the one before.
const std::vector<double> kSeries = {50.518, 57.229, 57.292, 50.445, 49.362, 49.473, 53.995,  61.668, 62.143, 57.641,
                                     52.846, 54.424, 58.495, 65.352, 65.673, 62.898, 57.663,  57.965, 63.227, 70.01,
                                     71.208, 66.387, 64.345, 64.714, 65.133, 72.363, 75.734,  70.967, 67.524, 68.33,
                                     77.177, 78.328, 80.23,  79.464, 72.974, 73.798, 78.029,  82.324, 85.847, 81.364,
                                     74.963, 76.579, 83.492, 88.179, 90.249, 86.143, 81.657,  81.644, 89.291, 95.733,
                                     95.677, 89.573, 87.501, 86.452, 94.519, 97.588, 101.368, 95.57,  89.331, 91.533};

struct Golden {
  HoltWintersOptions told;
  std::vector<double> forecast;
  double sse, best;  // with what was told, and with the best smoothings
};
const std::vector<Golden> kGolden = {
    {{.trend = Trend::none}, {92.90913019954563, 92.90913019954563}, 1671.0323160653322, 1177.898651302484},
    {{}, {95.41359347768824, 95.9680732393828, 96.52255300107736}, 1430.979320005652, 1129.8932361799332},
    {{.trend = Trend::damped},
     {93.9765773593118, 94.103493226353, 94.21771750669008},
     1495.6916652448485,
     1149.3527272162082},
    {{.seasonality = Seasonality::additive, .period = 6},
     {97.68474014843534, 102.39215363570334, 104.39520567181188, 99.5462825741764, 95.12896961261862, 96.03062464372796,
      102.1655450443042, 106.8729585315722},
     152.27848041515966,
     140.0076865735949},
    {{.seasonality = Seasonality::multiplicative, .period = 6},
     {97.65153213264999, 103.83179487638996, 106.49024445925868, 100.53902255709225, 94.71755733647345,
      95.29573098651288, 102.38406422622677, 108.82352452445856},
     190.6353474134036,
     163.40238140093695},
    {{.trend = Trend::damped, .seasonality = Seasonality::multiplicative, .period = 6},
     {96.32576731095901, 101.94322381733969, 104.09000881204166, 97.81602350548326, 91.69202073864379},
     266.9565960216709,
     174.72852417175034}};

double sse(const HoltWinters& model) { return model.rmse() * model.rmse() * static_cast<double>(kSeries.size()); }

TEST(HoltWinters, AgreesWithStatsmodels) {
  for (std::size_t i = 0; i < kGolden.size(); ++i) {
    const Golden& golden = kGolden[i];
    HoltWintersOptions told = golden.told;
    told.level = 0.3;
    if (told.trend != Trend::none) told.slope = 0.1;
    if (told.seasonality != Seasonality::none) told.season = 0.2;
    if (told.trend == Trend::damped) told.damping = 0.9;
    HoltWinters model(told);
    model.fit(kSeries);
    const auto forecast = model.forecast(static_cast<int>(golden.forecast.size()));
    for (std::size_t h = 0; h < forecast.size(); ++h)
      EXPECT_NEAR(forecast[h], golden.forecast[h], 1e-9) << i << " " << h;
    EXPECT_NEAR(sse(model), golden.sse, 1e-7 * golden.sse) << i;
    HoltWinters chosen(golden.told);
    chosen.fit(kSeries);
    EXPECT_LE(sse(chosen), golden.best * 1.001) << i;
    EXPECT_EQ(chosen.fitted().size(), kSeries.size());
    HoltWinters again(golden.told);
    again.fit(kSeries);
    EXPECT_EQ(again.forecast(5), chosen.forecast(5));
  }
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
  HoltWinters flat;
  flat.fit(std::vector<double>(20, 7.0));
  EXPECT_NEAR(flat.forecast(3)[2], 7, 1e-9);
}

TEST(AutoRegression, AgreesWithStatsmodels) {
  AutoRegression two({.lags = 2});
  two.fit(kSeries);
  const std::vector<double> weights = {4.972859036332185, 1.2842425897017147, -0.34691586193332813};
  const std::vector<double> ahead = {91.5330951371331, 90.7693085883141, 89.78838836829893};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(two.coefficients()[i], weights[i], 1e-9);
    EXPECT_NEAR(two.forecast(3)[i], ahead[i], 1e-8);
  }
  EXPECT_NEAR(two.sigma(), std::sqrt(950.3052568873571 / 55), 1e-9);
  AutoRegression season({.lags = 2, .further = {6}, .trend = true});
  season.fit(kSeries);
  const std::vector<double> all = {24.66206564034638, 0.36543262656729303, 0.4014764653115772, -0.4092286068142208,
                                   0.5517212287044185};
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(season.coefficients()[i], all[i], 1e-8) << i;
  const std::vector<double> six = {99.29313930090764,  103.56619628301772, 104.55699597254551,
                                   100.37267451664131, 95.21054823290054,  96.43074283104923};
  const std::vector<double> deviations = {1.565780128094751,  1.6872567620497847, 1.7313803075278684,
                                          1.7799982756805752, 1.7800118175356212, 1.78776303414183};
  for (std::size_t h = 0; h < 6; ++h) {
    EXPECT_NEAR(season.forecast(6)[h], six[h], 1e-7) << h;
    EXPECT_NEAR(season.deviations(6)[h], deviations[h] * std::sqrt(54.0 / 49), 1e-8) << h;
  }
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
  std::vector<double> bad = kSeries;
  bad[0] = INFINITY;
  EXPECT_THROW(model.fit(bad), ValueError);
  model.fit(kSeries);
  const std::string path = temporary_path("auto_regression.json");
  model.save(path);
  EXPECT_EQ(AutoRegression::load(path).forecast(9), model.forecast(9));
  EXPECT_EQ(AutoRegression::load(path).deviations(9), model.deviations(9));
  write_file(path, "{}");
  EXPECT_THROW(AutoRegression::load(path), FormatError);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tern::models
