#include "tern/metrics/regression.h"

#include "metrics/golden.h"
#include "tern/base/error.h"

namespace tern::metrics {
namespace {

using Doubles = std::vector<double>;

TEST(Regression, FiguresOfScikitLearn) {
  const auto cases = golden("regression");
  ASSERT_EQ(cases.size(), 2u);
  for (const auto& row : cases) {
    SCOPED_TRACE(row.at("name").get<std::string>());
    const auto p = row.at("p").get<Doubles>(), y = row.at("y").get<Doubles>(), w = row.at("w").get<Doubles>();
    expect_close(mean_squared_error(p, y, w), row.at("mse"));
    expect_close(root_mean_squared_error(p, y, w), row.at("rmse"));
    expect_close(mean_absolute_error(p, y, w), row.at("mae"));
    expect_close(mean_absolute_percentage_error(p, y, w), row.at("mape"));
    expect_close(r2(p, y, w), row.at("r2"));
    expect_close(mean_pinball_loss(p, y, 0.9, w), row.at("pinball"));
    Doubles means = p, counts = y;
    for (double& mean : means) mean = std::fabs(mean) + 0.5;
    for (double& count : counts) count = std::fabs(count);
    expect_close(mean_poisson_deviance(means, counts, w), row.at("poisson"));
  }
}

TEST(Regression, WorkedByHand) {
  const Doubles y{1, 2, 4}, p{2, 2, 2};
  EXPECT_DOUBLE_EQ(mean_squared_error(p, y), 5.0 / 3);
  EXPECT_DOUBLE_EQ(root_mean_squared_error(p, y), std::sqrt(5.0 / 3));
  EXPECT_DOUBLE_EQ(mean_absolute_error(p, y), 1);
  EXPECT_DOUBLE_EQ(mean_absolute_percentage_error(p, y), 0.5);
  EXPECT_NEAR(r2(p, y), -1.0 / 14, 1e-15);
  EXPECT_DOUBLE_EQ(mean_squared_error(p, y, Doubles{2, 1, 1}), 1.5);
}

TEST(Regression, OfQuantilesAndCounts) {
  EXPECT_DOUBLE_EQ(mean_pinball_loss(Doubles{2, 2}, Doubles{3, 1}, 0.9), (0.9 + 0.1) / 2);
  EXPECT_DOUBLE_EQ(mean_poisson_deviance(Doubles{2, 1}, Doubles{0, 1}), 2);
  EXPECT_THROW(mean_pinball_loss(Doubles{2}, Doubles{3}, 1), ValueError);
  EXPECT_THROW(mean_poisson_deviance(Doubles{0}, Doubles{1}), ValueError);
  EXPECT_THROW(mean_poisson_deviance(Doubles{1}, Doubles{-1}), ValueError);
}

TEST(Regression, UndefinedIsNaN) {
  EXPECT_TRUE(std::isnan(r2(Doubles{0.1, 0.2, 0.3}, Doubles{0.1, 0.1, 0.1})));
  EXPECT_TRUE(std::isnan(r2(Doubles{1}, Doubles{2})));
  EXPECT_TRUE(std::isnan(r2(Doubles{1, 2}, Doubles{2, 3}, Doubles{1, 0})));
  EXPECT_TRUE(std::isnan(mean_absolute_percentage_error(Doubles{1, 2}, Doubles{0, 2})));
  EXPECT_DOUBLE_EQ(mean_absolute_percentage_error(Doubles{1, 3}, Doubles{0, 2}, Doubles{0, 1}), 0.5);
}

TEST(Regression, BadInputNamesTheFigure) {
  EXPECT_EQ(message_of<ValueError>([] { r2(Doubles{}, Doubles{}); }), "[r2] expected at least one row, got none");
  EXPECT_EQ(message_of<ShapeError>([] {
              mean_absolute_error(Doubles{1}, Doubles{1, 2});
            }),
            "[mean_absolute_error] expected one label for each of 1 predictions, got 2");
  EXPECT_EQ(message_of<NumericError>([] {
              mean_squared_error(Doubles{1, NAN}, Doubles{1, 2});
            }),
            "[mean_squared_error] expected finite predictions, got nan at row 1");
  EXPECT_EQ(message_of<NumericError>([] { root_mean_squared_error(Doubles{1}, Doubles{-HUGE_VAL}); }),
            "[root_mean_squared_error] expected finite targets, got -inf at row 0");
  EXPECT_EQ(message_of<ValueError>([] { mean_absolute_percentage_error(Doubles{1}, Doubles{1}, Doubles{-2}); }),
            "[mean_absolute_percentage_error] expected weights that are not negative, got -2 at row 0");
}

}  // namespace
}  // namespace tern::metrics
