#include "tern/models/linear.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

// sklearn.linear_model.Ridge(alpha=2).fit([[0,1],[1,0],[2,2],[3,1]], [1,2,3,5], sample_weight=[1,1,1,2])
TEST(Ridge, AgreesWithScikitLearn) {
  Ridge model({.alpha = 2});
  model.fit(tensor<double>({0, 1, 1, 0, 2, 2, 3, 1}).reshape({4, 2}), tensor<double>({1, 2, 3, 5}),
            {.weights = tensor<double>({1, 1, 1, 2})});
  EXPECT_NEAR(model.coefficients()[0], 1.046783625730994, 1e-12);
  EXPECT_NEAR(model.coefficients()[1], -0.011695906432748463, 1e-12);
  EXPECT_NEAR(model.intercept(), 1.3274853801169595, 1e-12);
}

TEST(Ridge, ComesBackFromItsFile) {
  const std::string path = testing::TempDir() + "ridge.tern";
  data::Table table;
  table.add("a", data::Column::from_f64({1, 2, 3}));
  table.add("y", data::Column::from_f64({2, 4, 6.5}));
  Ridge model({.alpha = 0});
  EXPECT_THROW(model.save(path), StateError);
  model.fit(table, "y");
  model.save(path);
  const Ridge loaded = Ridge::load(path);
  EXPECT_EQ(loaded.predict(table), model.predict(table));
  EXPECT_EQ(loaded.names(), std::vector<std::string>{"a"});
  EXPECT_THROW(LinearRegression::load(path), FormatError);
  std::string bytes = read_file(path);
  write_file(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(Ridge::load(path), FormatError);
  std::filesystem::remove(path);
}

TEST(LinearRegression, OfColumnsThatRepeatTakesTheLeast) {
  EXPECT_THROW(Ridge({.alpha = -1}), ValueError);
  LinearRegression model;
  model.fit(tensor<double>({1, 1, 2, 2, 3, 3}).reshape({3, 2}), tensor<double>({1, 2, 3}));
  EXPECT_NEAR(model.coefficients()[0], 0.5, 1e-12);
  EXPECT_NEAR(model.coefficients()[1], 0.5, 1e-12);
  EXPECT_NEAR(model.intercept(), 0, 1e-12);
}

}  // namespace
}  // namespace tern::models
