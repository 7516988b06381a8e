#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

// The gamma family, the inverse of erf and copysign: against true values (of 60 digits, rounded), and where there are
// none.
namespace tern {
namespace {

using Special = std::function<Tensor(const Tensor&)>;

struct TrueValue {
  double x, y;
};

void expect_true_values(const Special& f, const std::vector<TrueValue>& table) {
  for (const auto& [x, y] : table) {
    EXPECT_NEAR(f(scalar(x, f64)).item<double>(), y, 4e-16 * std::fmax(4 * std::fabs(y), 1)) << "at " << x;
    // f32 is computed in f64 and rounded once.
    const Tensor single = scalar(x, f32);
    EXPECT_EQ(f(single).item<float>(), f(single.to(f64)).to(f32).item<float>()) << "at " << x;
  }
}

void expect_limits(const Special& f, const std::vector<TrueValue>& table) {
  for (const DType dtype : {f64, f32, f16, bf16}) {
    for (const auto& [x, y] : table) {
      const double got = f(scalar(x, dtype)).item<double>();
      EXPECT_TRUE(std::isnan(y) ? std::isnan(got) : got == y && std::signbit(got) == std::signbit(y))
          << "at " << x << " in " << name(dtype) << ": " << got << ", not " << y;
    }
  }
}

TEST(Special, Lgamma) {
  expect_true_values(lgamma, {{1e-300, 690.7755278982137},
                              {1e-09, 20.723265836369194},
                              {0.1, 2.252712651734206},
                              {0.5, 0.5723649429247001},
                              {0.999, 0.0005780385328913802},
                              {1.0001, -5.771334222047127e-05},
                              {1.5, -0.12078223763524522},
                              {1.999, -0.0004224618006921073},
                              {2.5, 0.2846828704729192},
                              {7.25, 7.0521854507385395},
                              {33.3, 82.60372358165495},
                              {100000.0, 1051287.7089736569},
                              {1e+100, 2.2925850929940456e+102},
                              {-1e-07, 16.118095708679895},
                              {-0.5, 1.2655121234846454},
                              {-1.5, 0.860047015376481},
                              {-2.75, 0.004487897535955773},
                              {-30.1, -72.68108834488714}});
  expect_limits(lgamma, {{0, INFINITY},
                         {-0.0, INFINITY},
                         {-3, INFINITY},
                         {1, 0},
                         {2, 0},
                         {INFINITY, INFINITY},
                         {-INFINITY, INFINITY},
                         {NAN, NAN}});
}

TEST(Special, Digamma) {
  expect_true_values(digamma,
                     {{1e-300, -9.999999999999999e+299}, {1e-09, -1000000000.5772156},  {0.1, -10.423754940411076},
                      {0.5, -1.9635100260214235},        {1, -0.5772156649015329},      {1.25, -0.22745353337626542},
                      {1.5, 0.03648997397857652},        {2, 0.42278433509846713},      {2.5, 0.7031566406452432},
                      {6.75, 1.8336434145461975},        {10.99, 2.3508004729313012},   {11, 2.351752589066721},
                      {12.5, 2.4851956512749123},        {33.3, 3.490467238520243},     {100000.0, 11.512920464961896},
                      {1e+100, 230.25850929940458},      {-1e-07, 9999999.42278417},    {-0.25, 2.9141391202135276},
                      {-0.75, -2.894120200042932},       {-1.5, 0.7031566406452432},    {-2.75, -1.959055264977997},
                      {-30.1, 13.089872489665067},       {-1000.75, 3.7674118863554633}});
  expect_limits(
      digamma,
      {{0, -INFINITY}, {-0.0, INFINITY}, {-1, NAN}, {-64, NAN}, {INFINITY, INFINITY}, {-INFINITY, NAN}, {NAN, NAN}});
}

TEST(Special, Polygamma) {
  struct OfOrder {
    int n;
    double x, y;
  };
  for (
      const auto& [n, x, y] : std::vector<OfOrder>{
          {1, 0.001, 1000001.6425331958},        {1, 0.5, 4.934802200544679},       {1, 1, 1.6449340668482264},
          {1, 2.5, 0.49035775610023485},         {1, 11.5, 0.09084666127454623},    {1, 13.5, 0.07688522460157837},
          {1, 10000.0, 0.00010000500016666666},  {1, -0.25, 18.541879647671607},    {1, -3.75, 19.504980060599575},
          {1, -40.75, 19.71496756495509},        {2, 0.001, -2000000002.3976321},   {2, 0.5, -16.82879664423432},
          {2, 1, -2.4041138063191885},           {2, 2.5, -0.2362040516417274},     {2, 11.5, -0.008247469050652217},
          {2, 13.5, -0.00590843658578824},       {2, 10000.0, -1.000100005e-08},    {2, -0.25, 122.69736678366236},
          {2, -3.75, -124.07972713378925},       {2, -40.75, -124.02569433001563},  {3, 0.001, 6000000000006.469},
          {3, 0.5, 97.40909103400244},           {3, 1, 6.493939402266829},         {3, 2.5, 0.22390584881725206},
          {3, 11.5, 0.001496464752269225},       {3, 13.5, 0.0009076528049134051},  {3, 10000.0, 2.00030002e-12},
          {3, -0.25, 1555.7633125348507},        {3, -3.75, 1558.5200920240343},    {3, -40.75, 1558.5454280580982},
          {6, 0.001, -7.199999999999998e+23},    {6, 0.5, -92203.45792380303},      {6, 1, -726.0114797149845},
          {6, 2.5, -1.318006107550035},          {6, 11.5, -6.677381400689733e-05}, {6, 13.5, -2.4606852732434677e-05},
          {6, 10000.0, -1.2003600419999996e-22}, {6, -0.25, 11791071.073496904},    {6, -3.75, -11791224.779829886},
          {6, -40.75, -11791224.76124062},       {20, 3.5, -9182070.204945628},     {20, -1.25, 1.0700016187896298e+31},
          {60, 20.5, -84.69233703486022},        {170, 50.5, -4106361303444837.0}}) {
    const double got = polygamma(n, scalar(x, f64)).item<double>();
    EXPECT_NEAR(got, y, 2e-15 * std::fabs(y)) << n << " at " << x;
  }
  for (const int n : {1, 2, 7, 100, 300, 2000}) {
    const double sign = n % 2 != 0 ? 1 : -1;
    expect_limits([n](const Tensor& x) { return polygamma(n, x); }, {{0, sign * INFINITY},
                                                                     {-0.0, sign * INFINITY},
                                                                     {-2, sign * INFINITY},
                                                                     {INFINITY, sign * 0},
                                                                     {-INFINITY, NAN},
                                                                     {NAN, NAN}});
  }
  const Tensor x = tensor({0.25, -1.75, 30.0}, f64);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(polygamma(0, x)[i].item<double>(), digamma(x)[i].item<double>());
  // Where x^-(n + 1), or all but the factorial, is no number of doubles.
  for (const auto& [n, x, y] : std::vector<OfOrder>{{1, 1e160, 1e-160},
                                                    {1, 1e200, 1e-200},
                                                    {2, 1e108, -1e-216},
                                                    {3, 1e90, 2e-270},
                                                    {150, 3981, -3.8916345082022158e-280},
                                                    {160, 3981, -3.0149930653049023e-294},
                                                    {170, 2500, -9.8904235873804895e-274}}) {
    EXPECT_NEAR(polygamma(n, scalar(x, f64)).item<double>() / y, 1, 1e-13) << n << " at " << x;
  }
  // Of an order of which the factorial is infinite, and the terms alone are not.
  EXPECT_NEAR(polygamma(300, scalar(150.5, f64)).item<double>() / -1.2914082247143216e-41, 1, 1e-11);
}

TEST(Special, PolygammaOfANegativeOrder) {
  try {
    polygamma(-2, ones({3}));
    ADD_FAILURE();
  } catch (const ValueError& error) {
    EXPECT_EQ(std::string(error.what()), "[polygamma] expected an order n of at least 0, got -2");
  }
}

TEST(Special, Erfinv) {
  const std::vector<TrueValue> table{{1e-300, 8.86226925452758e-301},
                                     {1e-09, 8.86226925452758e-10},
                                     {0.01, 0.008862501280950598},
                                     {0.25, 0.2253120550121781},
                                     {0.4999, 0.4768250236254278},
                                     {0.5, 0.4769362762044699},
                                     {0.6, 0.5951160814499948},
                                     {0.75, 0.8134198475976185},
                                     {0.9, 1.1630871536766743},
                                     {0.99, 1.8213863677184494},
                                     {0.99999, 3.123413274341571},
                                     {0.9999999990686774, 4.328028275800946},
                                     {0.9999999999999999, 5.8635847487551676}};
  expect_true_values(erfinv, table);
  expect_true_values([](const Tensor& x) { return -erfinv(-x); }, table);
  expect_limits(erfinv, {{0, 0},
                         {-0.0, -0.0},
                         {1, INFINITY},
                         {-1, -INFINITY},
                         {1.5, NAN},
                         {-2, NAN},
                         {INFINITY, NAN},
                         {-INFINITY, NAN},
                         {NAN, NAN}});
}

TEST(Special, CopySignTakesThatOfZerosAndNaN) {
  const std::vector<double> sizes{0, -0.0, 1.5, -2, INFINITY, NAN},
      signs{0, -0.0, 3, -4, INFINITY, -INFINITY, std::copysign(NAN, 1), std::copysign(NAN, -1)};
  for (const DType dtype : {f64, f32, f16, bf16}) {
    for (const double a : sizes) {
      for (const double b : signs) {
        const double got = copysign(scalar(a, dtype), scalar(b, f64).to(dtype)).item<double>();
        EXPECT_EQ(std::signbit(got), std::signbit(b)) << a << " " << b << " " << name(dtype);
        EXPECT_TRUE(std::isnan(a) ? std::isnan(got) : std::fabs(got) == std::fabs(a)) << a << " " << b;
      }
    }
  }
}

TEST(Special, CopySignOfIntegersAndNumbers) {
  const Tensor bytes = copysign(tensor({1, 2}, u8), -1);
  EXPECT_EQ(bytes.dtype(), f32);
  EXPECT_EQ(bytes[1].item<float>(), -2);
  EXPECT_EQ(copysign(-300, tensor({1, 2}, u8))[0].item<float>(), 300);
  EXPECT_EQ(copysign(0.1, tensor({-1.0}, f16)).dtype(), f16);
  EXPECT_EQ(copysign(tensor({3.0}, bf16), -1e300).item<float>(), -3);
}

TEST(Special, CopySignGradient) {
  Tensor a = tensor({1.0, -2.0, 3.0, 0.0, -0.0, INFINITY}, f64), b = tensor({0.0, 0.0, -0.0, -1.0, 1.0, -1.0}, f64);
  a.requires_grad_();
  b.requires_grad_();
  const auto gradients = grad(copysign(a, b).sum(), {a, b});
  const std::vector<double> expected{1, -1, -1, 0, 0, -1};
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(gradients[0][i].item<double>(), expected[i]) << i;
    EXPECT_EQ(gradients[1][i].item<double>(), 0) << i;
  }
}

}  // namespace
}  // namespace tern
