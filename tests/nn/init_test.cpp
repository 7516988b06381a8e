#include "tern/nn/init.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tern/base/error.h"
#include "tern/base/random.h"
#include "tern/tensor/creation.h"

namespace {

using namespace tern;
namespace init = nn::init;

struct Moments {
  double mean = 0, stddev = 0, low = 0, high = 0;
};

Moments moments(const Tensor& t) {
  const std::vector<double> x = t.to(f64).to_vector<double>();
  Moments m{.low = *std::min_element(x.begin(), x.end()), .high = *std::max_element(x.begin(), x.end())};
  for (const double v : x) m.mean += v / static_cast<double>(x.size());
  for (const double v : x) m.stddev += (v - m.mean) * (v - m.mean) / static_cast<double>(x.size());
  m.stddev = std::sqrt(m.stddev);
  return m;
}

class Init : public ::testing::Test {
 protected:
  void SetUp() override { manual_seed(17); }
  Tensor weight = empty({100, 400});
};

TEST_F(Init, Constants) {
  init::constant_(weight, 2.5);
  EXPECT_EQ(moments(weight).low, 2.5);
  EXPECT_EQ(moments(weight).high, 2.5);
  init::ones_(weight);
  EXPECT_EQ(moments(weight).low, 1);
  init::zeros_(weight);
  EXPECT_EQ(moments(weight).high, 0);
  EXPECT_THROW(init::zeros_(empty({2}, i64)), DTypeError);
}

TEST_F(Init, UniformAndNormal) {
  init::uniform_(weight, -2, 4);
  Moments m = moments(weight);
  EXPECT_GE(m.low, -2);
  EXPECT_LT(m.high, 4);
  EXPECT_NEAR(m.mean, 1, 0.03);
  EXPECT_NEAR(m.stddev, 6 / std::sqrt(12.0), 0.02);
  init::normal_(weight, 3, 0.5);
  m = moments(weight);
  EXPECT_NEAR(m.mean, 3, 0.01);
  EXPECT_NEAR(m.stddev, 0.5, 0.01);
}

TEST_F(Init, WritesToParametersOutsideTheTape) {
  Tensor p = zeros({3, 3}).requires_grad_();
  init::xavier_uniform_(p);
  EXPECT_TRUE(p.is_leaf() && p.requires_grad());
  EXPECT_NE(p.to_vector<float>(), std::vector<float>(9));
}

TEST_F(Init, TruncatedNormal) {
  init::trunc_normal_(weight);
  Moments m = moments(weight);
  EXPECT_GE(m.low, -2);
  EXPECT_LE(m.high, 2);
  EXPECT_NEAR(m.mean, 0, 0.02);
  EXPECT_NEAR(m.stddev, 0.8796, 0.01);  // of a normal cut at two deviations
  init::trunc_normal_(weight, {.mean = 1, .stddev = 0.1, .low = 1.05, .high = 1.1});
  m = moments(weight);
  EXPECT_GE(m.low, 1.05f);
  EXPECT_LE(m.high, 1.1f);
  // Far out in the tails, of which either is the other mirrored: 1 / z - 1 / z^3 beyond z on average, or so.
  for (const double side : {1.0, -1.0}) {
    Tensor tail = zeros({20'000}, f64);
    init::trunc_normal_(tail, side > 0 ? init::TruncNormalOptions{.low = 9, .high = 10}
                                       : init::TruncNormalOptions{.low = -10, .high = -9});
    const auto drawn = (tail * side).to_vector<double>();
    EXPECT_GE(*std::min_element(drawn.begin(), drawn.end()), 9);
    EXPECT_LE(*std::max_element(drawn.begin(), drawn.end()), 10);
    EXPECT_NEAR(std::accumulate(drawn.begin(), drawn.end(), 0.0) / 20'000, 9 + 0.108, 0.005);
  }
  EXPECT_THROW(init::trunc_normal_(weight, {.low = 2, .high = 1}), ValueError);
}

TEST_F(Init, KeepsVarianceByFans) {
  init::xavier_uniform_(weight, 2);
  EXPECT_NEAR(moments(weight).high, 2 * std::sqrt(6.0 / 500), 1e-4);
  init::xavier_uniform_(weight, 0);
  EXPECT_EQ(moments(weight).high, 0);
  init::xavier_normal_(weight);
  EXPECT_NEAR(moments(weight).stddev, std::sqrt(2.0 / 500), 1e-3);
  init::kaiming_uniform_(weight, {.nonlinearity = init::Nonlinearity::relu});
  EXPECT_NEAR(moments(weight).high, std::sqrt(6.0 / 400), 1e-4);
  init::kaiming_normal_(weight, {.fan = init::Fan::out, .nonlinearity = init::Nonlinearity::tanh});
  EXPECT_NEAR(moments(weight).stddev, 5.0 / 3 / std::sqrt(100.0), 3e-3);
  EXPECT_DOUBLE_EQ(init::calculate_gain(init::Nonlinearity::leaky_relu, std::sqrt(5.0)), std::sqrt(1.0 / 3));
  EXPECT_EQ(init::calculate_gain(init::Nonlinearity::sigmoid), 1);
  EXPECT_THROW(init::xavier_normal_(empty({3})), ShapeError);
}

TEST_F(Init, Eye) {
  Tensor t = empty({2, 3}, f64).requires_grad_();
  init::eye_(t);
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{1, 0, 0, 0, 1, 0}));
  EXPECT_THROW(init::eye_(empty({3})), ShapeError);
  EXPECT_THROW(init::eye_(empty({3, 3}, i64)), DTypeError);
}

TEST_F(Init, Sparse) {
  Tensor t = empty({30, 200}, f64);
  init::sparse_(t, 0.25, 2);
  const auto x = t.to_vector<double>();
  double square = 0;
  std::vector<int> by_row(30);
  for (int column = 0; column < 200; ++column) {
    int zeros = 0;
    for (int row = 0; row < 30; ++row) {
      const double v = x[static_cast<std::size_t>(row * 200 + column)];
      zeros += v == 0;
      by_row[static_cast<std::size_t>(row)] += v == 0;
      square += v * v;
    }
    EXPECT_EQ(zeros, 8);  // a quarter of 30, rounded up
  }
  EXPECT_NEAR(std::sqrt(square / (22 * 200)), 2, 0.1);
  for (const int count : by_row) EXPECT_NEAR(count, 200 * 8 / 30.0, 30);
  const auto again = [] {
    Tensor u = empty({30, 200}, f64);
    init::sparse_(u, 0.25, 2);
    return u.to_vector<double>();
  };
  EXPECT_NE(again(), x);
  manual_seed(17);
  EXPECT_EQ(again(), x);
  init::sparse_(t, 1);
  EXPECT_EQ(moments(t).high, 0);
  EXPECT_THROW(init::sparse_(t, 1.1), ValueError);
  EXPECT_THROW(init::sparse_(empty({3}), 0.1), ShapeError);
}

TEST_F(Init, GainsArePyTorchs) {
  using init::Nonlinearity;
  EXPECT_EQ(init::calculate_gain(Nonlinearity::linear), 1);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::relu), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::leaky_relu, 0.2), std::sqrt(2 / 1.04));
  EXPECT_EQ(init::calculate_gain(Nonlinearity::selu), 0.75);
}

TEST_F(Init, Orthogonal) {
  for (const Shape& shape : {Shape{7, 20}, Shape{20, 7}}) {
    Tensor t = empty(shape, f64);
    init::orthogonal_(t, 3);
    const std::vector<double> x = t.to_vector<double>();
    const bool wide = shape[0] == 7;
    for (int i = 0; i < 7; ++i) {
      for (int j = 0; j < 7; ++j) {
        double dot = 0;
        for (int k = 0; k < 20; ++k) dot += wide ? x[i * 20 + k] * x[j * 20 + k] : x[k * 7 + i] * x[k * 7 + j];
        EXPECT_NEAR(dot, i == j ? 9 : 0, 1e-12);
      }
    }
  }
}

}  // namespace
